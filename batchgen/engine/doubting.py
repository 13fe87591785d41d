"""What a run does with its jobs in doubt: has them looked for, or holds or leaves them where it cannot."""

import asyncio
from collections.abc import Callable

from batchgen.engine.limits.flow import Flow
from batchgen.ledger import Ledger
from batchgen.lifecycle import Held
from batchgen.model import JobKey
from batchgen.plan.plan import Entry


class Doubting:
    """The jobs in doubt of one run."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        flow: Flow,
        listings: bool,
        look_for: Callable[[Entry], None],
        route: Callable[[Entry], None],
        rest: Callable[[Entry], None],
    ) -> None:
        """Begin with none.

        Args:
            ledger: where a hold is recorded.
            flow: where they are counted.
            listings: whether this run lists jobs at all.
            look_for: takes one in that is to be found or shown absent.
            route: goes on with one that is held.
            rest: leaves one as it is.
        """
        self._ledger = ledger
        self._flow = flow
        self._listings = listings
        self._look_for = look_for
        self._route = route
        self._rest = rest
        self._open: dict[JobKey, Entry] = {}
        self._given_up = False
        self._tell: list[Callable[[], None]] = []
        self._clear = asyncio.Event()
        self._clear.set()

    def add(self, entry: Entry) -> None:
        """Look for it; where nothing can be listed, a person has to."""
        if not self._listings:
            reason = f"{entry.record.error}; by --allow no-listing this run could not look for it"
            self._route(self._ledger.record(entry, Held(at=self._ledger.now(), reason=reason)))
            return
        self._flow.doubts(entry.key, entry.job.model)
        if self._given_up:
            self._rest(entry)
            return
        self._open[entry.key] = entry
        self._clear.clear()
        self._look_for(entry)

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
            self._rest(entry)
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
