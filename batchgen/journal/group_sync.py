"""One sync for many who wait: those who come while one is under way wait for the next one.

A sync that has begun says nothing of what was written after that. A sync that has failed is the last one: the
system may have dropped what it could not write, and the next one would end well without it.
"""

import asyncio
from collections.abc import Callable

from batchgen.errors import JournalError
from batchgen.ports import Syncer


class GroupSync:
    """The syncs of one file, one after the other, as long as somebody waits for one."""

    def __init__(self, syncer: Syncer, sync: Callable[[], None], *, place: str) -> None:
        """Begin with none.

        Args:
            syncer: does what waits for the disk, beside the loop.
            sync: has the disk keep all that was written before.
            place: of the file, for people.
        """
        self._syncer = syncer
        self._sync = sync
        self._place = place
        self._served: list[asyncio.Future[None]] = []  # by the sync that is under way
        self._waiting: list[asyncio.Future[None]] = []  # for one that has not begun
        self._under_way = False
        self.failed: str = ""  # why none is tried any more; empty as long as none has failed

    async def wait(self) -> None:
        """Return when a sync that began after this call has ended.

        Raises:
            JournalError: it failed, or one before it.
        """
        if self.failed:
            raise self._error()
        loop = asyncio.get_running_loop()
        mine = loop.create_future()
        self._waiting.append(mine)
        if not self._under_way:
            self._under_way = True
            loop.call_soon(self._begin)  # so that it serves all who come in this turn of the loop
        await mine

    def fail(self, why: str) -> None:
        """Try no further sync, and let nobody wait for one.

        Args:
            why: what the disk said.
        """
        self.failed = self.failed or why
        waiting, self._served, self._waiting = [*self._served, *self._waiting], [], []
        for one in waiting:
            if not one.done():  # whoever waited may have been cancelled
                one.set_exception(self._error())

    def _begin(self) -> None:
        self._served, self._waiting = [one for one in self._waiting if not one.done()], []
        self._under_way = bool(self._served)
        if not self._served:
            return
        try:
            started = self._syncer.start(self._sync)
        except RuntimeError as error:  # the system gives no thread
            self.fail(str(error))
        else:
            started.add_done_callback(self._ended)

    def _ended(self, done: asyncio.Future[None]) -> None:
        error = asyncio.CancelledError("cut off") if done.cancelled() else done.exception()
        if error is not None:
            self.fail(f"{getattr(error, 'strerror', None) or error}")
        if self.failed:
            return
        served, self._served = self._served, []
        for one in served:
            if not one.done():
                one.set_result(None)
        self._begin()

    def _error(self) -> JournalError:
        return JournalError(
            f"{self._place}: the disk did not keep what was written ({self.failed}); nothing more is sent. "
            "What the last moments brought is lost if the power fails now. Check the disk, and run the same "
            "command again"
        )
