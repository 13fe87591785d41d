"""How a process dies, and what its journal then does: the accidents of a run, and nothing else."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from batchgen.account import Holder, Known
from batchgen.errors import JournalError
from batchgen.lifecycle import Event, Record, ShownAbsent, State, SubmitStarted
from batchgen.model import JobKey, Scope
from batchgen.planning.budget import Allowance, Amounts, Reservation
from batchgen.planning.room import Room
from batchgen.ports import Journal, Testimony
from tests.proof.disks import Facts
from tests.proof.law import Order, order_of
from tests.proof.redo_law import leaves_wrong, noted_wrong
from tests.proof.scenario import Accident, Leg


class Life:
    """One process: it dies once, and a dead one neither writes nor sends."""

    def __init__(self, leg: Leg) -> None:
        self._leg = leg
        self._on_death: Callable[[], object] = lambda: None
        self._appends = 0
        self._posts = 0
        self.dead = False
        self.full = False
        self.facts = Facts(leg)

    def begin(self, on_death: Callable[[], object]) -> None:
        """Start the clock of an accident that has a moment."""
        self._on_death = on_death
        if self._leg.accident is Accident.AT_TIME:
            asyncio.get_running_loop().call_later(self._leg.at, self._step, self._leg.steps)

    def _step(self, left: int) -> None:
        if left:
            asyncio.get_running_loop().call_soon(self._step, left - 1)
        else:
            self._die()

    def _die(self) -> None:
        self.dead = True
        self._on_death()

    def check(self) -> None:
        if self.dead:
            raise asyncio.CancelledError

    def _meet(self, accident: Accident, count: int) -> None:
        if self._leg.accident is accident and count == self._leg.nth:
            self._die()
        self.check()

    def before_append(self) -> None:
        self.check()
        self._appends += 1
        self._meet(Accident.BEFORE_APPEND, self._appends)
        over = self._appends - self._leg.nth
        once = self._leg.accident is Accident.FULL_ONCE and over == 0
        if once or (self._leg.accident is Accident.FULL_DISK and over >= 0):
            self.full = True
            raise JournalError("the disk is full")

    def after_append(self) -> None:
        self._meet(Accident.AFTER_APPEND, self._appends)

    def before_post(self) -> None:
        self._posts += 1
        self._meet(Accident.BEFORE_POST, self._posts)

    def after_post(self) -> None:
        self._meet(Accident.AFTER_POST, self._posts)

    def after_answer(self) -> None:
        """Die at the next wait: what is done with an answer before that is done."""
        if self._leg.accident is Accident.AFTER_ANSWER and self._posts >= self._leg.nth and not self.dead:
            asyncio.get_running_loop().call_soon(self._die)

    @property
    def may_lose_receipts(self) -> bool:
        """Whether an answer may have been read that could not be recorded."""
        return self.full or (self.dead and self._leg.accident is Accident.BEFORE_APPEND)


class NotedJournal(Journal, Protocol):
    """A journal that takes notes of several jobs at once."""

    def append_to_all(self, changes: Mapping[JobKey, Sequence[Event]]) -> None:
        """Record all of them or none."""


class CrashingJournal:
    """A journal whose writer can die at any append, and whose disk can be full, or slow.

    Attributes:
        planned_with: the records as they were when the run made its plan.
        shares_syncs: whether its facts share their syncs where the disk is slow.
    """

    shares_syncs = True

    def __init__(
        self, inner: NotedJournal, life: Life, wrong: list[str], on_sync: Callable[[], object] = lambda: None
    ) -> None:
        self._inner = inner
        self._on_sync = on_sync
        self._life = life
        self._wrong = wrong
        self.planned_with: Mapping[JobKey, Record] = {}
        self._intents: dict[JobKey, int] = {}  # the last of each job, by number among all facts

    def go_on_in(self, inner: NotedJournal) -> None:
        """Work on another scope of the same file."""
        self._inner = inner

    def append(
        self,
        key: JobKey,
        *events: Event,
        allowed: Allowance | None = None,
        reserves: Amounts | None = None,
        room: Room | None = None,
    ) -> Record:
        self._life.before_append()
        # what is recorded with more after it was sent long ago
        for order in (order_of(one) for one in events[-1:] if isinstance(one, SubmitStarted)):
            doubtful = {order_of(one) for one in self.records().values() if one.state is State.IN_DOUBT}
            if order in doubtful:
                self._wrong.append(f"submitted while an equal one is in doubt: {order}")
        if not self.trusts_absence and any(isinstance(one, ShownAbsent) for one in events):
            self._wrong.append(f"called absent, though that was wrong before in this journal: {key}")
        for intent in (one for one in events[-1:] if isinstance(one, SubmitStarted)):
            self._wrong += leaves_wrong(key, intent, self.records(), self.planned_with)
        record = self._inner.append(key, *events, allowed=allowed, reserves=reserves, room=room)
        facts = self._life.facts
        facts.told += 1
        if isinstance(events[-1], SubmitStarted):
            self._intents[key] = facts.told
        if any(one.DURABLE for one in events) and not (facts.are_shared and self.shares_syncs):
            self._on_sync()
            facts.keep()
        self._life.after_append()
        return record

    def unkept(self, order: Order) -> int:
        """Count the jobs that submit this body and whose intent is not on the disk itself."""
        records, kept = self.records(), self._life.facts.kept
        return sum(
            number > kept and records[key].state is State.SUBMITTING and order_of(records[key]) == order
            for key, number in self._intents.items()
        )

    async def durable(self) -> None:
        await self._inner.durable()
        self._life.check()

    def check_place(self) -> None:
        self._inner.check_place()

    def append_to_all(self, changes: Mapping[JobKey, Sequence[Event]]) -> None:
        """Take the notes of one command."""
        self._life.before_append()
        self._wrong += noted_wrong(changes, self.records())
        self._inner.append_to_all(changes)
        self._on_sync()
        self._life.facts.told += 1
        self._life.facts.keep()
        self._life.after_append()

    def reserve(self, wanted: Mapping[JobKey, Reservation], *, allowed: Allowance | None = None) -> None:
        self._life.before_append()
        self._inner.reserve(wanted, allowed=allowed)
        self._life.after_append()

    def release(self, keys: Collection[JobKey]) -> None:
        if self.reservations().keys() & set(keys):
            self._life.before_append()
            self._inner.release(keys)
            self._life.after_append()

    def reservations(self) -> Mapping[JobKey, Reservation]:
        return self._inner.reservations()

    def records(self) -> Mapping[JobKey, Record]:
        return self._inner.records()

    def spent(self, allowed: Allowance) -> Sequence[Decimal]:
        return self._inner.spent(allowed)

    def history(self) -> Iterator[tuple[JobKey, Event]]:
        yield from self._inner.history()

    def holders(self, remote_ids: Collection[str]) -> Mapping[str, Holder]:
        return self._inner.holders(remote_ids)

    def disown(self, remote_ids: Collection[str]) -> None:
        self._life.check()
        self._inner.disown(remote_ids)
        self._on_sync()

    def unanswered_equals(self, key: JobKey, body: str = "") -> list[Record]:
        return list(self._inner.unanswered_equals(key, body))

    def bodies_in_doubt(self, key: JobKey, body: str = "") -> frozenset[str]:
        return self._inner.bodies_in_doubt(key, body)

    @property
    def authors(self) -> frozenset[str]:
        return self._inner.authors

    def neighbours(self, contents: Collection[str]) -> Iterable[tuple[Scope, JobKey]]:
        return self._inner.neighbours(contents)

    def known(self, sender: str | None = None) -> Known:
        return self._inner.known(sender)

    def learn(self, sender: str, known: Known) -> None:
        self._life.check()
        self._inner.learn(sender, known)

    @property
    def looking_since(self) -> float | None:
        return self._inner.looking_since

    def look_began(self, since: float) -> None:
        self._life.check()
        self._inner.look_began(since)
        self._on_sync()

    def look_ended(self) -> None:
        self._life.check()
        self._inner.look_ended()

    def testify(self, key: JobKey, *events: Event) -> None:
        self._life.check()
        self._inner.testify(key, *events)

    def testimony(self) -> Sequence[Testimony]:
        return self._inner.testimony()

    def heard(self, numbers: Collection[int]) -> None:
        self._life.check()
        self._inner.heard(numbers)

    @property
    def trusts_absence(self) -> bool:
        return self._inner.trusts_absence

    def distrust_absence(self) -> None:
        self._life.check()
        self._inner.distrust_absence()
        self._on_sync()
