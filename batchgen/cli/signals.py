"""Ctrl-C and SIGTERM of a run: only a command line may take them, a library never does."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchgen import api

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def caught(interrupts: "api.Interrupts") -> Iterator[None]:
    """Pass both signals on for as long as the block lasts; to be entered in a running loop."""
    loop = asyncio.get_running_loop()
    for one in _SIGNALS:
        loop.add_signal_handler(one, interrupts.take, one)
    try:
        yield
    finally:
        for one in _SIGNALS:
            loop.remove_signal_handler(one)
