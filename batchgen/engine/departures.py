"""Submits under way, in a group that nothing else cancels: one cut off is money of unknown whereabouts."""

import asyncio
from collections.abc import Awaitable, Callable

from batchgen.engine.moves import Moves
from batchgen.planning.plan import Entry

_GLANCE = 0.2  # seconds between looks at whether the run is to be left at once


class Departures:
    """Starts submits, and lets them finish."""

    def __init__(
        self,
        *,
        submit: Callable[[Entry], Awaitable[None]],
        moves: Moves,
    ) -> None:
        """Begin with none.

        Args:
            submit: carries one; what a person can cause or meet does not come out of it.
            moves: how a bug in one ends the run.
        """
        self._submit = submit
        self._moves = moves
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None

    def enter(self, group: asyncio.TaskGroup) -> None:
        """Take the group that holds them."""
        self._group = group

    def begin(self, entry: Entry) -> None:
        """Start one."""
        assert self._group is not None
        task = self._group.create_task(self._apart(entry), name=f"submit:{entry.job.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self, *, leaving: Callable[[], bool], last_moment: float) -> None:
        """Wait for those under way; each is bounded by the client's own timeout.

        Args:
            leaving: whether the run is to be left at once.
            last_moment: seconds that they have then.
        """
        while self._tasks and not leaving():
            await asyncio.wait(self._tasks, timeout=_GLANCE)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=last_moment)
        for task in self._tasks:
            task.cancel()

    async def _apart(self, entry: Entry) -> None:
        """Submit in a group of its own, so that not even a bug in one submit cuts off the others."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(entry), name=f"post:{entry.job.id}")
        except BaseExceptionGroup as bug:
            self._moves.stop(bug)

    async def _carry(self, entry: Entry) -> None:
        await self._submit(entry)
