"""The signals of a command: only a command line may take them, a library never does."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchgen import api

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def caught(interrupts: "api.Interrupts") -> Iterator[None]:
    """Pass them on to a run for as long as the block lasts; to be entered in a running loop.

    A terminal that is closed says so twice, by its shell and by the kernel: that asks for a drain and never
    for more.
    """

    def take(number: int) -> None:
        if number != signal.SIGHUP or not interrupts.draining:
            interrupts.take(number)

    with passed_on(take):
        yield


@contextmanager
def passed_on(take: Callable[[int], object]) -> Iterator[None]:
    """Call with the number of each signal that comes while the block lasts; to be entered in a running loop.

    In a thread that is not the main one there are none to take: Python hands them to the main one alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    # who started it with nohup wants it to outlive the terminal
    ending = [one for one in _ENDING if one != signal.SIGHUP or signal.getsignal(one) != signal.SIG_IGN]
    for one in ending:
        loop.add_signal_handler(one, take, one)
    try:
        yield
    finally:
        for one in ending:
            loop.remove_signal_handler(one)
