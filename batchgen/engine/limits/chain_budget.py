"""Whole chains under a budget: what is kept for the steps that are not bought yet.

The intent of a job keeps money for all that need it, in its own transaction. A run begins and ends with
nothing kept; at its start it is kept anew for the chains that have begun, the eldest first.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import TypeVar

from batchgen.engine.limits.budget import BudgetGuard
from batchgen.errors import OverBudgetError
from batchgen.lifecycle import SubmitStarted
from batchgen.model import JobKey
from batchgen.planning.budget import Amounts, Reservation
from batchgen.planning.chain_order import ChainsToBuy, Steps, eldest_first, is_paid, out_of_reach, steps_of
from batchgen.planning.plan import Entry, Plan
from batchgen.ports import Journal
from batchgen.record import Record

T = TypeVar("T")


class ChainBudget:
    """What one run keeps for its chains."""

    def __init__(
        self,
        *,
        plan: Plan,
        journal: Journal,
        purse: BudgetGuard,
        now: Callable[[], float],
        closed: Collection[str] = (),
    ) -> None:
        """Keep nothing yet.

        Args:
            plan: who feeds whom, and who is wanted.
            journal: where it is kept.
            purse: knows caps and prices.
            now: the time of day, seconds since the epoch.
            closed: models that may not be run.
        """
        self._entries = plan.entries
        self._lineage = plan.lineage
        self._journal = journal
        self._purse = purse
        self._now = now
        in_chains = sorted({*plan.lineage.parents, *plan.lineage.children})
        self._places = {plan.entries[one].key: one for one in in_chains}
        self._lost = out_of_reach(plan, closed)  # that nobody can buy any more, for a parent or themselves
        self._dear = set[int]()  # the same, as long as the caps are as they are
        self._chains: dict[int, int] = {}  # of jobs whose chains have begun: by their places, the same number
        self._count = 0  # of chains that have begun; their numbers go up
        self._kept: dict[int, set[JobKey]] = {}  # for whom something was kept, by chain
        self._beside: set[JobKey] = set()  # of these, those whose own later steps were not meant
        self._priced: set[JobKey] = set()  # behind whom no price is left to ask
        self._sent: set[JobKey] = set()  # whose intents were made in this run
        self._runs = False

    def is_later_step(self, entry: Entry) -> bool:
        """Return whether other jobs go into a job: one that is about to leave belongs to a begun chain."""
        return self._places.get(entry.key) in self._lineage.parents

    @property
    def beside(self) -> Collection[JobKey]:
        """The jobs that later steps of begun chains need besides, and for which something is kept."""
        return self._beside

    def age(self, entry: Entry) -> tuple[int, int]:
        """Return what puts later steps into the order in which their chains began."""
        place = self._places[entry.key]
        return self._chains.get(place, self._count), place

    def left(self, entries: Iterable[Entry]) -> ChainsToBuy:
        """Return the chains of jobs that wait to be bought; those that have begun come first."""
        seen: set[JobKey] = set()
        chains: tuple[list[tuple[Entry, ...]], list[tuple[Entry, ...]]] = ([], [])
        for entry in entries:
            if entry.key not in seen:
                place = self._places.get(entry.key)
                more = self._steps(place).all if place is not None else ()
                steps = [entry, *(self._entries[one] for one in more if self._entries[one].key not in seen)]
                seen.update(one.key for one in steps)
                chains[not self.is_later_step(entry)].append(tuple(steps))
        return ChainsToBuy((*chains[0], *chains[1]), len(chains[0]))

    def kept_for(self, entries: Iterable[Entry]) -> list[Reservation]:
        """Return what is kept for some jobs."""
        kept = self._journal.reservations()
        return [kept[one.key] for one in entries if one.key in kept]

    def unasked(self, entry: Entry) -> Entry | None:
        """Return the first step behind a job whose price has to be asked before the job may leave."""
        place = self._places.get(entry.key)
        if place is None or not self._purse.keeps_chains or entry.key in self._priced:
            return None
        if entry.key not in self._journal.reservations():
            steps = (self._entries[one] for one in self._steps(place).all)
            found = next((one for one in steps if self._purse.is_unasked(one.job)), None)
            if found is not None:
                return found
        self._priced.add(entry.key)
        return None

    # --- the beginning and the end of a run

    def clear(self) -> None:
        """Keep nothing: at the end of a run, and of what one that was killed has left.

        Raises:
            JournalError: it could not be written.
        """
        self._journal.release(tuple(self._journal.reservations()))
        self._kept.clear()
        self._beside.clear()

    def renew(self) -> None:
        """Keep money for the rest of every chain that has begun, the eldest first, as far as the caps hold.

        Raises:
            JournalError: it could not be written.
        """
        self.clear()
        self._runs = True
        self._dear.clear()
        chains: list[tuple[int, Steps]] = []
        taken: set[int] = set()
        for place in eldest_first(self._lineage, self._record) if self._keeps else ():
            steps = self._steps(place, but=taken)
            taken.update(steps.all)
            if steps.behind:
                self._begin(place, steps)
                chains.append((place, steps))
        rows = [self._rows(place, steps.all) for place, steps in chains]
        if self._reserve({key: one for some in rows for key, one in some.items()}):
            self._beside.update(self._entries[one].key for _, steps in chains for one in steps.beside)
            return
        for (_, steps), some in zip(chains, rows, strict=True):
            if self._reserve(some):
                self._beside.update(self._entries[one].key for one in steps.beside)

    def changed(self) -> None:
        """Learn that the caps are others, which is the same as a new beginning.

        Raises:
            JournalError: it could not be written.
        """
        if self._runs:
            self.renew()

    # --- what is kept while it goes on

    def leave(self, entry: Entry, intent: SubmitStarted, record: Callable[[Amounts], T]) -> T:
        """Have an intent recorded together with what is kept for all that need the job.

        Where a later step does not fit, what is kept for younger chains gives way, the youngest first.

        Args:
            entry: the job.
            intent: with what its own body is to hold.
            record: records it, and what is to be kept.

        Raises:
            OverBudgetError: nothing was recorded.
            JournalError: nothing was recorded.
        """
        wanted = self._wanted(entry, intent)
        while True:
            try:
                done = record(wanted)
            except OverBudgetError as error:
                if wanted and entry.key in self._beside:
                    wanted = {}  # a begun chain needs it, whatever becomes of its own later steps
                elif error.over is None or not self._made_room(entry, error.over):
                    raise
            else:
                if entry.key in self._places:
                    self._sent.add(entry.key)
                    self._note(wanted)
                    self._beside.discard(entry.key)
                return done

    def came_back(self, entry: Entry) -> None:
        """Learn that a job waits to be bought; one whose body bought nothing gives back what it kept.

        What was held for a later step is kept for it again: its chain has begun.
        """
        # one that an earlier run had sent, and that is shown absent in this one, comes back too
        if entry.key not in self._sent and not (self._runs and entry.record.absences):
            return
        self._sent.discard(entry.key)
        place, kept = self._places.get(entry.key), self._journal.reservations()
        if place is None:
            return
        if self.is_later_step(entry):
            self._begin(place, Steps((), ()))
            self._reserve(self._rows(self._parents(place)[0], [place]))
            return
        steps = (self._entries[one].key for one in self._steps(place).all)
        self._journal.release([one for one in steps if one in kept and kept[one].parent == entry.key])

    def carried(self, entry: Entry) -> None:
        """Learn that a job is paid for; one that this run has not bought was found, and begins its chain."""
        place = self._places.get(entry.key)
        if place is None or not self._runs or entry.key in self._sent:
            return
        self._sent.add(entry.key)
        steps = self._steps(place)
        if steps.behind and self._keeps:
            self._begin(place, steps)
            self._reserve(self._rows(place, steps.all))

    def lost(self, entry: Entry, *, dear: bool = False) -> None:
        """Keep nothing any more for a job that cannot be bought, and for all that need it.

        Args:
            entry: the job; it may have been bought in vain.
            dear: whether another cap would let it be bought.
        """
        place = self._places.get(entry.key)
        if place is not None:
            self._lose([place], self._dear if dear else self._lost)

    def close(self, model: str) -> None:
        """Keep nothing any more for the jobs of a model, and for all that need them."""
        of_it = (one for one in self._places.values() if self._entries[one].job.model == model)
        self._lose([one for one in of_it if not is_paid(self._record(one))], self._lost)

    def _lose(self, places: Iterable[int], lost: set[int]) -> None:
        ahead, gone = list(places), list[JobKey]()
        while ahead:
            place = ahead.pop()
            if place not in lost:
                lost.add(place)
                gone.append(self._entries[place].key)
                children = self._lineage.children.get(place, ())
                ahead += [one for one in children if not is_paid(self._record(one))]
        self._journal.release(gone)

    def _wanted(self, entry: Entry, intent: SubmitStarted) -> Amounts:
        """Return what is to be kept with an intent; nothing for those for which something is."""
        place = self._places.get(entry.key)
        if place is None or not self._purse.keeps_chains:
            return {}
        kept = self._journal.reservations()
        if entry.key in kept and entry.key not in self._beside:
            return {}  # so it is for all that need it
        if entry.key not in kept:
            self._refuse_waste(entry, place)
        found = self._steps(place)
        steps = [self._entries[one] for one in found.all]
        try:
            jobs = [one.job for one in steps]
            amounts = self._purse.reservations(entry.job, intent.reserved, jobs, now=intent.at)
        except OverBudgetError:
            if entry.key in self._beside and entry.key in kept:
                return {}
            raise
        self._begin(place, found)
        if not self._keeps:
            return {}
        self._beside.update(one for one in (self._entries[at].key for at in found.beside) if one not in kept)
        return {one.key: amount for one, amount in zip(steps, amounts, strict=True) if one.key not in kept}

    def _refuse_waste(self, entry: Entry, place: int) -> None:
        """Leave a job of which all that needs it cannot be bought under these caps.

        Raises:
            OverBudgetError: it is such a job.
        """
        children = self._lineage.children.get(place, ())
        wanted = [one for one in children if one not in self._lost and not is_paid(self._record(one))]
        if wanted and self._dear.issuperset(wanted):
            raise OverBudgetError(
                f"{entry.job.id}: what needs it is left by the budget "
                "(`budget: {chains: steps}` buys it all the same)",
                alone=True,
            )

    def _made_room(self, entry: Entry, over: Decimal) -> bool:
        """Drop what is kept for the youngest chains, as much as a later step lacks, or nothing."""
        if not self.is_later_step(entry):
            return False
        kept, mine = self._journal.reservations(), self.age(entry)[0]
        gone: list[JobKey] = []
        for chain in sorted((one for one in self._kept if one > mine), reverse=True):
            keys = self._kept[chain] & kept.keys()
            over -= sum((kept[key].amount for key in keys), Decimal(0))
            gone += keys
            if over <= 0:
                self._journal.release(gone)
                return True
        return False

    @property
    def _keeps(self) -> bool:
        """Whether there is a cap under which something may be kept."""
        return self._purse.keeps_chains and self._purse.allowed(self._now()) is not None

    def _rows(self, place: int, steps: Sequence[int]) -> dict[JobKey, Reservation]:
        """Return what is to be kept for steps of a chain that has begun; nothing where a price is missing."""
        now, parent = self._now(), self._entries[place].key
        rows = {}
        with suppress(OverBudgetError):  # it is told when the step itself is about to leave
            for one in steps:
                entry = self._entries[one]
                amount = self._purse.reservation(entry.job)
                rows[entry.key] = Reservation(amount or Decimal(0), now, parent)
            return rows
        return {}

    def _reserve(self, rows: Mapping[JobKey, Reservation]) -> bool:
        """Keep something for chains that have begun, or nothing; return whether it fits."""
        allowed = self._purse.allowed(self._now())
        if not self._purse.keeps_chains or allowed is None or not rows:
            return True
        try:
            self._journal.reserve(rows, allowed=allowed)
        except OverBudgetError:
            return False
        self._note(rows)
        return True

    def _note(self, keys: Iterable[JobKey]) -> None:
        for key in keys:
            self._kept.setdefault(self._chains[self._places[key]], set()).add(key)

    def _begin(self, place: int, steps: Steps) -> None:
        """Let a chain begin, or go on; what belongs to one already stays of that one."""
        known = (self._chains[one] for one in (place, *self._parents(place)) if one in self._chains)
        chain = next(known, None)
        if chain is None:
            chain = self._count
            self._count += 1
        self._chains.setdefault(place, chain)
        for one in steps.all:
            self._chains.setdefault(one, chain)

    def _steps(self, place: int, *, but: Collection[int] = ()) -> Steps:
        """Return what belongs to a chain beyond a job, and can be bought yet."""

        def may(one: int) -> bool:
            shut = one in but or one in self._lost or one in self._dear
            return not shut and not is_paid(self._record(one))

        return steps_of(self._lineage, place, may)

    def _parents(self, place: int) -> Sequence[int]:
        return self._lineage.parents.get(place, ())

    def _record(self, place: int) -> Record:
        entry = self._entries[place]
        return self._journal.records().get(entry.key, entry.record)
