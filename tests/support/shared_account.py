"""An account whose batches share the room at the service, in memory: the second implementation of it.

Each batch has a journal in memory of its own; what the others have in flight is counted from its events.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

from batchgen.errors import NoRoomError
from batchgen.lifecycle import Record, State, apply
from batchgen.model import JobKey, KeptCeiling
from batchgen.planning.room import MAY_RUN_FOR, WAITS_FOR, Elsewhere, Room, Taken, Waiting
from tests.support.memory_journal import Disk, MemoryJournal

_OPEN = frozenset({State.SUBMITTING, State.IN_DOUBT, State.RUNNING})


@dataclass
class _Waits:
    model: str
    since: float
    seen_at: float


@dataclass
class Account:
    """What all batches of an account have in common.

    Attributes:
        led: the batches that a run is under way for.
    """

    led: set[str] = field(default_factory=set)
    _disks: dict[str, Disk] = field(default_factory=dict)
    _kept: dict[str, KeptCeiling] = field(default_factory=dict)
    _waits: dict[str, _Waits] = field(default_factory=dict)

    def batch(self, name: str) -> "Member":
        return Member(self, name)

    def disk(self, name: str) -> Disk:
        if name not in self._disks:
            self._disks[name] = Disk(account=self.batch(name).take)
        return self._disks[name]

    def elsewhere(self, name: str, at: float) -> Elsewhere:
        counts = Counter(
            (batch, record.job.model)
            for batch, disk in self._disks.items()
            for record in _records(disk).values()
            if batch != name and record.state in _OPEN and record.job and self._counts(batch, record, at)
        )
        waiting = {batch: one for batch, one in self._waits.items() if one.seen_at > at - WAITS_FOR}
        ours = waiting.pop(name, None)
        return Elsewhere(
            taken=[Taken(*who, jobs) for who, jobs in counts.items()],
            waiting=[Waiting(batch, one.model, one.since) for batch, one in waiting.items()],
            since=ours.since if ours else None,
        )

    def _counts(self, batch: str, record: Record, at: float) -> bool:
        return batch in self.led or (record.intent_at or 0.0) > at - MAY_RUN_FOR


def _records(disk: Disk) -> dict[JobKey, Record]:
    records: dict[JobKey, Record] = {}
    for key, event in disk.events:
        records[key] = apply(records.get(key, Record()), event)
    return records


@dataclass(frozen=True)
class Member:
    """One batch of it; implements ``ports.SharedRoom`` and ``ports.CeilingMemory``."""

    account: Account
    name: str

    def journal(self) -> MemoryJournal:
        return MemoryJournal(self.account.disk(self.name))

    def elsewhere(self, *, at: float) -> Elsewhere:
        return self.account.elsewhere(self.name, at)

    def wait(self, model: str, *, at: float) -> None:
        there = self.account._waits.get(self.name)
        since = there.since if there is not None and there.seen_at > at - WAITS_FOR else at
        self.account._waits[self.name] = _Waits(model, since, at)

    def rest(self) -> None:
        self.account._waits.pop(self.name, None)

    def take(self, room: Room, at: float) -> None:
        newest = max((one.refused_at for one in self.ceilings()), default=0.0)
        elsewhere = self.elsewhere(at=at)
        if room.learned_at != newest or not room.has_room(elsewhere):
            raise NoRoomError
        if elsewhere.since is not None and room.limits:
            self.account._waits[self.name] = replace(self.account._waits[self.name], since=at)

    def ceilings(self) -> list[KeptCeiling]:
        return list(self.account._kept.values())

    def keep_ceiling(self, kept: KeptCeiling) -> None:
        there = self.account._kept.get(kept.action)
        if there is None or there.refused_at <= kept.refused_at:
            self.account._kept[kept.action] = kept
