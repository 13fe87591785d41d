"""A journal in memory: the second implementation of the port, and it can lose power."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce

from batchgen.account import DISOWNED, Holder, Known
from batchgen.errors import JournalError, OverBudgetError, RemoteIdTakenError
from batchgen.identity import ASSET
from batchgen.journal.group_sync import GroupSync
from batchgen.lifecycle import Accepted, Event, Record, State, SubmitStarted, apply
from batchgen.model import JobKey, Scope
from batchgen.planning.budget import Allowance, Amounts, Committed, Reservation, Window, committed, counted_at
from batchgen.planning.room import Room
from batchgen.ports import Syncer, Testimony

SCOPE = Scope(origin="http://127.0.0.1/v1", project="", batch="spring")


@dataclass
class Disk:
    """What outlives the process; the part that was synced outlives the power too.

    A dead process writes nothing: from its death on, an append ends like a cancellation.
    """

    events: list[tuple[JobKey, Event]] = field(default_factory=list)
    synced: int = 0
    appends_left: int | None = None
    on_death: Callable[[], object] = lambda: None
    dead: bool = False
    trusts_absence: bool = True
    disowned: set[str] = field(default_factory=set)
    looking_since: float | None = None
    known: dict[str, Known] = field(default_factory=dict)
    reservations: dict[JobKey, Reservation] = field(default_factory=dict)
    synced_reservations: dict[JobKey, Reservation] = field(default_factory=dict)
    elsewhere: list[tuple[float, Committed]] = field(default_factory=list)  # by other batches, and when
    removed: bool = False
    testimony: list[Testimony] = field(default_factory=list)
    heard: set[int] = field(default_factory=set)
    account: Callable[[Room, float], None] | None = None  # refuses an intent for want of room
    syncer: Syncer | None = None  # by which syncs are shared; None where each fact has one of its own

    def revive(self, appends: int | None = None) -> None:
        self.dead, self.appends_left = False, appends

    def die(self) -> None:
        self.dead = True
        self.on_death()

    def spend_append(self) -> None:
        if self.appends_left is not None and not self.dead:
            self.appends_left -= 1
            if self.appends_left < 0:
                self.die()
        if self.dead:
            raise asyncio.CancelledError

    def lose_power(self, more: int = 0) -> None:
        """Lose what was not synced, but for a few events that happen to be there."""
        del self.events[self.synced + more :]
        self.reservations = dict(self.synced_reservations)

    def sync(self) -> None:
        self.synced, self.synced_reservations = len(self.events), dict(self.reservations)


class MemoryJournal:
    def __init__(self, disk: Disk | None = None) -> None:
        self._disk = disk if disk is not None else Disk()
        syncer = self._disk.syncer
        self._group = None if syncer is None else GroupSync(syncer, self._disk.sync, place="memory")
        self._records: dict[JobKey, Record] = {}
        self._changes: list[tuple[float, Committed]] = []
        self._receipts: dict[str, frozenset[str]] = {}
        for key, event in self._disk.events:
            before = self._records.get(key, Record())
            self._records[key] = after = apply(before, event)
            if (at := counted_at(after, [event])) is not None:
                self._changes.append((at, committed(after) - committed(before)))
            self._note_receipts(after, [event])
        self._owned = {
            one.remote_id: key for key, record in self._records.items() for one in record.submissions
        }

    def append(
        self,
        key: JobKey,
        *events: Event,
        allowed: Allowance | None = None,
        reserves: Amounts | None = None,
        room: Room | None = None,
    ) -> Record:
        self._disk.spend_append()
        record = self._records.get(key, Record())
        for event in events:
            record = apply(record, event)
        new = [event.remote_id for event in events if isinstance(event, Accepted)]
        for remote_id in new:
            if remote_id in self._owned:
                raise RemoteIdTakenError(remote_id)
        if room is not None and record.intent_at is not None and self._disk.account is not None:
            self._disk.account(room, record.intent_at)
        change = committed(record) - committed(self._records.get(key, Record()))
        at = counted_at(record, events)
        kept = dict(self._disk.reservations)
        if any(type(event) is SubmitStarted for event in events):
            kept.pop(key, None)
        kept = {one: Reservation(what, at or 0.0, key) for one, what in (reserves or {}).items()} | kept
        if allowed is not None:
            self._check(allowed, [(record.intent_at or 0.0, change)], kept)
        if at is not None:
            self._changes.append((at, change))
        self._disk.reservations = kept
        self._owned.update(dict.fromkeys(new, key))
        self._disk.events.extend((key, event) for event in events)
        if self._group is None and any(event.DURABLE for event in events):
            self._disk.sync()
        self._records[key] = record
        self._note_receipts(record, events)
        return record

    async def durable(self) -> None:
        if self._group is not None:
            await self._group.wait()

    def check_place(self) -> None:
        if self._disk.removed:
            raise JournalError("the journal was removed during the run")

    def append_to_all(self, changes: Mapping[JobKey, Sequence[Event]]) -> None:
        self._disk.spend_append()
        after = {
            key: reduce(apply, events, self._records.get(key, Record())) for key, events in changes.items()
        }
        self._disk.events.extend((key, one) for key, events in changes.items() for one in events)
        self._disk.sync()
        self._records.update(after)

    def _note_receipts(self, record: Record, events: Iterable[Event]) -> None:
        authors = frozenset(one.author for one in events if type(one) is Accepted and one.author)
        if authors and record.sender:
            self._receipts[record.sender] = self._receipts.get(record.sender, frozenset()) | authors

    def reserve(self, wanted: Mapping[JobKey, Reservation], *, allowed: Allowance | None = None) -> None:
        self._disk.spend_append()
        kept = dict(wanted) | self._disk.reservations
        if allowed is not None and kept.keys() != self._disk.reservations.keys():
            self._check(allowed, [], kept)
        self._disk.reservations = kept

    def release(self, keys: Collection[JobKey]) -> None:
        gone = set(keys)
        if gone & self._disk.reservations.keys():
            self._disk.spend_append()
        self._disk.reservations = {
            key: one for key, one in self._disk.reservations.items() if key not in gone
        }

    def reservations(self) -> Mapping[JobKey, Reservation]:
        return self._disk.reservations

    def _check(
        self,
        allowed: Allowance,
        changes: list[tuple[float, Committed]],
        kept: Mapping[JobKey, Reservation],
    ) -> None:
        for window in allowed.windows:
            if (net := self._net(window, allowed, [*self._changes, *changes], kept)) > window.cap:
                raise OverBudgetError(window.name, over=net - window.cap)

    def _net(
        self,
        window: Window,
        allowed: Allowance,
        changes: list[tuple[float, Committed]],
        kept: Mapping[JobKey, Reservation],
    ) -> Decimal:
        rows = ((one.at, Committed(gross=one.amount, reserved=one.amount)) for one in kept.values())
        changes = [*changes, *rows]
        if window.since is not None:
            since = window.since // 900 * 900
            changes = [one for one in (*changes, *self._disk.elsewhere) if one[0] >= since]
        return sum((one for _, one in changes), Committed()).net(trust_refunds=allowed.trust_refunds)

    def spent(self, allowed: Allowance) -> tuple[Decimal, ...]:
        kept = self._disk.reservations
        return tuple(self._net(window, allowed, self._changes, kept) for window in allowed.windows)

    def records(self) -> Mapping[JobKey, Record]:
        return self._records

    def holders(self, remote_ids: Collection[str]) -> dict[str, Holder]:
        found = dict.fromkeys(self._disk.disowned & set(remote_ids), DISOWNED)
        return found | {one: Holder(SCOPE, self._owned[one]) for one in remote_ids if one in self._owned}

    def disown(self, remote_ids: Collection[str]) -> None:
        self._disk.disowned.update(remote_ids)

    def unanswered_equals(self, key: JobKey, body: str = "") -> list[Record]:
        unanswered = {State.SUBMITTING, State.IN_DOUBT}
        equals = (
            one
            for other, one in self._records.items()
            if other != key and (other.content == key.content or (ASSET in body and one.body == body))
        )
        return [one for one in equals if one.state in unanswered]

    def bodies_in_doubt(self, key: JobKey, body: str = "") -> frozenset[str]:
        equals = self.unanswered_equals(key, body)
        return frozenset(one.body for one in equals if one.state is State.IN_DOUBT and one.body is not None)

    @property
    def authors(self) -> frozenset[str]:
        told = (event.author for _, event in self._disk.events if type(event) is Accepted)
        learnt = (one for known in self._disk.known.values() for one in known.receipts)
        return frozenset(one for one in (*told, *learnt) if one)

    def neighbours(self, contents: Collection[str]) -> list[tuple[Scope, JobKey]]:
        del contents  # here are no others
        return []

    def known(self, sender: str | None = None) -> Known:
        if sender is None:
            told = Known()
            for one in self._disk.known.values():
                told = told.and_also(one)
            return told._replace(receipts=self.authors)
        receipts = self._receipts.get(sender, frozenset())
        told = self._disk.known.get(sender, Known())
        return told.and_also(Known(receipts=receipts))

    def learn(self, sender: str, known: Known) -> None:
        told = self._disk.known.get(sender, Known())
        self._disk.known[sender] = told.and_also(known)

    @property
    def looking_since(self) -> float | None:
        return self._disk.looking_since

    def look_began(self, since: float) -> None:
        self._disk.looking_since = since

    def look_ended(self) -> None:
        self._disk.looking_since = None

    def testify(self, key: JobKey, *events: Event) -> None:
        for event in events:
            if not any((one.key, one.event) == (key, event) for one in self._disk.testimony):
                self._disk.testimony.append(Testimony(len(self._disk.testimony), key, event))

    def testimony(self) -> list[Testimony]:
        return [one for one in self._disk.testimony if one.number not in self._disk.heard]

    def heard(self, numbers: Collection[int]) -> None:
        self._disk.heard.update(numbers)

    @property
    def trusts_absence(self) -> bool:
        return self._disk.trusts_absence

    def distrust_absence(self) -> None:
        self._disk.trusts_absence = False

    def history(self) -> Iterator[tuple[JobKey, Event]]:
        yield from self._disk.events
