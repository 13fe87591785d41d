"""Submits under way, in a group that nothing else cancels: one cut off is money of unknown whereabouts."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

from batchgen.engine.limits.flow import Flow
from batchgen.engine.moves import Moves
from batchgen.model import JobKey
from batchgen.planning.editions import AskedFor
from batchgen.planning.plan import Entry
from batchgen.ports import Journal

_GLANCE = 0.2  # seconds between looks at whether the run is to be left at once


class Departures:
    """Starts submits, and lets them finish."""

    def __init__(
        self,
        *,
        submit: Callable[[Entry], Awaitable[None]],
        moves: Moves,
        flow: Flow,
        journal: Journal,
        redone: Collection[JobKey],
    ) -> None:
        """Begin with none.

        Args:
            submit: carries one; what a person can cause or meet does not come out of it.
            moves: how a bug in one ends the run.
            flow: learns of those that do not leave.
            journal: tells what a person has restored since the run made its plan.
            redone: the jobs that are to be made again.
        """
        self._submit = submit
        self._moves = moves
        self._flow = flow
        self._journal = journal
        self._asked_for = AskedFor(redone, journal.records())
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

    def is_taken_back(self, entry: Entry) -> bool:
        """Return whether a person has restored another edition of a job since it was to be made again."""
        return self._asked_for.is_taken_back(entry.key, self._journal.records())

    async def _carry(self, entry: Entry) -> None:
        if self.is_taken_back(entry):
            self._flow.withdrew(entry.key)
            self._moves.close(entry)
        else:
            await self._submit(entry)
