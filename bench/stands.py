"""How long an event loop stands still: the time of each of its turns that is not spent on the processor.

A turn lasts from the moment at which it learns what is ready to the moment at which it asks again. Where the
system tells it, the time is left out in which the processor was taken by others.
"""

import asyncio
import os
import selectors
import time
from collections.abc import Sequence
from pathlib import Path

_WAITS = Path("/proc/thread-self/schedstat")  # ns on the processor, ns of waiting for it, turns


class _Turns(selectors.DefaultSelector):  # whichever the system has
    """Times what happens between two questions."""

    def __init__(self) -> None:
        super().__init__()
        self.stands: list[float] = []
        self._woke: tuple[float, float] | None = None
        self._waits: int | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self._woke is not None:
            wall, busy = time.perf_counter() - self._woke[0], self._busy() - self._woke[1]
            self.stands.append(max(0.0, wall - busy))
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(timeout)
        self._woke = time.perf_counter(), self._busy()
        return ready

    def _busy(self) -> float:
        """Return the seconds that this thread has been on the processor, or has waited for it."""
        if self._waits is None:
            self._waits = os.open(_WAITS, os.O_RDONLY) if _WAITS.exists() else -1
        waited = int(os.pread(self._waits, 100, 0).split()[1]) / 1e9 if self._waits >= 0 else 0.0
        return time.thread_time() + waited

    def close(self) -> None:
        if self._waits is not None and self._waits >= 0:
            os.close(self._waits)
        self._waits = None
        super().close()


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.turns = _Turns()
        super().__init__(self.turns)


def standing_loop() -> asyncio.AbstractEventLoop:
    """Make a loop that times its turns."""
    return _Loop()


def stands_of(loop: asyncio.AbstractEventLoop) -> Sequence[float]:
    """Return for how many seconds each turn of such a loop stood still, shortest first."""
    assert isinstance(loop, _Loop)
    return sorted(loop.turns.stands)
