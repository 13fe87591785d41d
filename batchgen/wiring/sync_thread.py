"""A thread that waits for the disk, so that the event loop need not."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType

from batchgen.ports import Syncer
from batchgen.wiring.options import Options


class SyncThread(AbstractContextManager["SyncThread"]):
    """Implements ``ports.Syncer`` with a thread of its own: other slow work keeps no sync waiting."""

    def __init__(self) -> None:
        """Begin without one; it starts with the first sync."""
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="sync")

    def start(self, sync: Callable[[], None]) -> asyncio.Future[None]:
        """Begin a sync; see ``ports.Syncer``."""
        return asyncio.get_running_loop().run_in_executor(self._executor, sync)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the sync that is under way, and end the thread."""
        self._executor.shutdown()


@contextmanager
def syncer_of(options: Options) -> Iterator[Syncer]:
    """Give what has the disk keep what a run writes, for as long as the block lasts."""
    if options.syncer is not None:
        yield options.syncer
        return
    with SyncThread() as thread:
        yield thread
