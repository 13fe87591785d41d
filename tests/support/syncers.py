"""Disks that take their time: what is asked of them ends when a test lets it, or after a while."""

import asyncio
import errno
from collections.abc import Callable

NOT_KEPT = OSError(errno.EIO, "Input/output error")


class HeldSyncer:
    """Begins syncs, and ends them one by one when it is told to.

    Attributes:
        begun: how many.
        ended: how many of them, in vain or not.
    """

    def __init__(self) -> None:
        self.begun = self.ended = 0
        self._under_way: tuple[Callable[[], None], asyncio.Future[None]] | None = None

    def start(self, sync: Callable[[], None]) -> asyncio.Future[None]:
        assert self._under_way is None, "one at a time"
        self.begun += 1
        self._under_way = sync, asyncio.get_running_loop().create_future()
        return self._under_way[1]

    def end(self, error: OSError | None = None) -> None:
        """End the sync that is under way."""
        assert self._under_way is not None, "none was begun"
        (sync, future), self._under_way = self._under_way, None
        self.ended += 1
        if error is not None:
            future.set_exception(error)
        else:
            sync()
            future.set_result(None)


class TimedSyncer:
    """Ends each sync after as many seconds of the loop's clock.

    Attributes:
        seconds: that the next one takes.
        failing: the number of the one that fails, from 1; 0 for none. Those after it end well.
        begun: how many.
        at_begin: called as one begins; what it returns is called as it ends well.
    """

    def __init__(
        self, seconds: float, *, failing: int = 0, at_begin: Callable[[], Callable[[], None]] | None = None
    ) -> None:
        self.seconds, self.failing, self.at_begin = seconds, failing, at_begin
        self.begun = 0

    def start(self, sync: Callable[[], None]) -> asyncio.Future[None]:
        self.begun += 1
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        kept = self.at_begin() if self.at_begin is not None else sync  # which says how long it takes
        error = NOT_KEPT if self.begun == self.failing else None

        def end() -> None:
            if error is not None:
                future.set_exception(error)
                return
            kept()
            future.set_result(None)

        loop.call_later(self.seconds, end)
        return future
