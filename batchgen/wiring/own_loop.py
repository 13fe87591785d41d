"""A run in a thread with a loop of its own, and the signals that are passed on into it.

A run's loop stands still while the journal's server is away. So a process that leads several batches, and has
to answer for itself meanwhile, gives each its own.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from batchgen.engine.interrupts import Interrupts

T = TypeVar("T")


class OwnLoop:
    """One run, to be started once; signals may come before, while and after it goes on."""

    def __init__(self) -> None:
        self._interrupts = Interrupts()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    async def run(
        self, work: Callable[[Interrupts], Coroutine[None, None, T]], *, name: str
    ) -> "asyncio.Future[T]":
        """Do the work in the other thread, and return what came of it: a future that is done.

        That this is cancelled ends nothing there: whoever waits must wait behind a shield, or lose sight.

        Args:
            work: is given what passes on the signals.
            name: of the thread.
        """
        thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        future = asyncio.wrap_future(thread.submit(lambda: asyncio.run(self._work(work))))
        thread.shutdown(wait=False)
        await asyncio.wait([future])
        return future

    def take(self, received: int) -> None:
        """Pass a signal on; may be called from any thread."""
        with self._lock:
            if self._loop is None:
                self._interrupts.take(received)
                return
            with suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(self._interrupts.take, received)

    async def _work(self, work: Callable[[Interrupts], Coroutine[None, None, T]]) -> T:
        with self._lock:
            self._loop = asyncio.get_running_loop()
        return await work(self._interrupts)


def own_loop() -> OwnLoop:
    """Return a loop for one run."""
    return OwnLoop()
