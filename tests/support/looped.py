"""Event loops whose time is virtual: a sleep of an hour takes no time at all.

Time is counted as looptime counts it, in whole microseconds. Its loop stays for the tests that are marked
with its name; this one does less, and takes a tenth of the time for each turn: the proof makes millions.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_TICKS = 1_000_000  # in a second


class _Leap(selectors.DefaultSelector):
    """Moves the clock where others wait; only for sockets and threads it waits, too."""

    def __init__(self) -> None:
        super().__init__()
        self.ticks = 0
        self.threads = 0  # that may still wake the loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self.threads:
            ready = super().select(timeout)
        if timeout is not None and not ready:
            self.ticks += max(round(timeout * _TICKS), 1)
        return ready


class _VirtualLoop(asyncio.SelectorEventLoop):
    """Has no time but what its selector leapt over."""

    def __init__(self) -> None:
        self._leap = _Leap()
        super().__init__(self._leap)

    def time(self) -> float:
        return self._leap.ticks / _TICKS

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._leap.threads += 1
        future.add_done_callback(self._ended)
        return future

    def _ended(self, future: asyncio.Future[Any]) -> None:
        del future
        self._leap.threads -= 1


def virtual_loop() -> asyncio.AbstractEventLoop:
    """Make one that moves its clock as soon as nothing is ready to run."""
    return _VirtualLoop()


def run_virtually(work: Coroutine[Any, Any, T]) -> T:
    """Return what the work comes to, in a loop of its own whose time is virtual."""
    return time_virtually(work)[0]


def time_virtually(work: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """Return what the work comes to, and how many virtual seconds it took."""
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        loop = runner.get_loop()
        began = loop.time()
        return runner.run(work), loop.time() - began
