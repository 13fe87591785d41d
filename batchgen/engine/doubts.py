"""What a run does with its jobs in doubt: has them looked for, or holds or leaves them where it cannot."""

import asyncio
from collections.abc import Callable

from batchgen.engine.board import Board
from batchgen.engine.limits.flow import Flow
from batchgen.engine.moves import Moves
from batchgen.ledger import Ledger
from batchgen.lifecycle import Held
from batchgen.model import JobKey
from batchgen.planning.plan import Entry
from batchgen.reconcile.reconciler import Reconciler


class Doubts:
    """The jobs in doubt of one run."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        flow: Flow,
        listings: bool,
        reconciler: Reconciler,
        board: Board,
        moves: Moves,
    ) -> None:
        """Begin with none.

        Args:
            ledger: where a hold is recorded.
            flow: where they are counted.
            listings: whether this run lists jobs at all.
            reconciler: looks for them.
            board: whether the run has begun: what is in doubt before is of an earlier one.
            moves: how one goes on that is held, or stays as it is.
        """
        self._ledger = ledger
        self._flow = flow
        self._listings = listings
        self._reconciler = reconciler
        self._board = board
        self._moves = moves
        self._open: dict[JobKey, Entry] = {}
        self._given_up = False
        self._tell: list[Callable[[], None]] = []
        self._clear = asyncio.Event()
        self._clear.set()

    def add(self, entry: Entry) -> None:
        """Look for it; where nothing can be listed, a person has to."""
        if not self._listings:
            reason = f"{entry.record.error}; with --allow no-listing this run could not look for it"
            self._moves.route(self._ledger.record(entry, Held(at=self._ledger.now(), reason=reason)))
            return
        self._flow.doubts(entry.key, entry.job.model)
        if self._given_up:
            self._moves.close(entry)
            return
        self._open[entry.key] = entry
        self._clear.clear()
        self._reconciler.add(entry, is_old=not self._board.has_begun)

    def tell(self, listener: Callable[[], None]) -> None:
        """Have somebody told whenever one is settled, and when none is looked for any more."""
        self._tell.append(listener)

    def settled(self, entry: Entry) -> None:
        """Learn that one is no longer in doubt."""
        self._open.pop(entry.key, None)
        self._flow.ended(entry.key)
        if not self._open:
            self._clear.set()
        self._say()

    def give_up(self) -> None:
        """Leave all as they are, and those that come: a run that may list jobs settles them."""
        self._given_up = True
        left, self._open = tuple(self._open.values()), {}
        for entry in left:
            self._moves.close(entry)
        self.end()

    def end(self) -> None:
        """Look for none any more."""
        self._clear.set()
        self._say()

    @property
    def clear(self) -> bool:
        """Whether none is looked for."""
        return self._clear.is_set()

    async def wait(self) -> None:
        """Wait until none is looked for."""
        await self._clear.wait()

    def _say(self) -> None:
        for listener in self._tell:
            listener()
