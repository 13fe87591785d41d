"""The pieces of a run's work that may be cancelled at any time: what breaks one cuts no other off."""

import asyncio
from collections.abc import Awaitable, Callable

from batchgen.engine.board import Board
from batchgen.engine.moves import Moves
from batchgen.errors import BatchgenError


class Errands:
    """Starts pieces of work, and lets them go."""

    def __init__(self, board: Board, moves: Moves) -> None:
        """Begin with none.

        Args:
            board: whether the run has ended, so that nothing more is started.
            moves: how what must end the run ends it.
        """
        self._board = board
        self._moves = moves
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None

    def enter(self, group: asyncio.TaskGroup) -> None:
        """Take the group that holds them."""
        self._group = group

    def spawn(self, work: Callable[[], Awaitable[None]], name: str) -> None:
        """Start a child that may be cancelled at any time."""
        if self._board.ended.is_set():
            return  # a submit that ended late; the next run goes on with it
        assert self._group is not None
        task = self._group.create_task(self.guarded(work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self) -> None:
        """Cut off those under way."""
        for task in self._tasks:
            task.cancel()

    async def guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do a piece of the work; what must end the run ends it in order and cuts no sibling off."""
        try:
            await work()
        except BatchgenError as error:
            self._moves.stop(error)
