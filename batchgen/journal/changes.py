"""What one append changes, worked out before anything is written, so that one statement can write it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from batchgen.lifecycle import Accepted, Event, Record, State, SubmitStarted
from batchgen.model import JobKey
from batchgen.planning.budget import Allowance, Amounts, Committed, Reservation, committed, counted_at
from batchgen.planning.room import Room

_SETTLED = (State.RUNNING, State.SUCCEEDED, State.COLLECTED)  # what is paid is in the submissions


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What happened to one job, and all that has to be written because of it.

    Attributes:
        key: the job's.
        events: in their order.
        record: the job's after them.
        allowed: caps that must hold with it; None where none is asked.
        authors: who our submissions are by, as receipts tell. Only a receipt proves that: a row that was
            adopted may be taken for ours in error.
        owners: who has the jobs in the service's eyes, as receipts tell.
        at: the moment for which its money counts, seconds since the epoch; None where there is none.
        cost: what it changes of what is committed; None where it has nothing to do with money.
        reserves: what is to be kept for later steps of its chain; what is kept for one already stays.
        room: what an intent takes of the room at the service; None where nothing limits it.
    """

    key: JobKey
    events: tuple[Event, ...]
    record: Record
    allowed: Allowance | None = None
    authors: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    at: float | None = None
    cost: Committed | None = None
    reserves: Mapping[JobKey, Reservation] = field(default_factory=dict)
    room: Room | None = None

    @classmethod
    def of(
        cls,
        key: JobKey,
        before: Record,
        after: Record,
        events: tuple[Event, ...],
        allowed: Allowance | None,
        reserves: Amounts,
        room: Room | None = None,
    ) -> "Change":
        """Return what it takes that a job's record becomes another one by some events."""
        receipts = [one for one in events if type(one) is Accepted]
        at = counted_at(after, events)
        free = at is None or _costs_the_same(before, after)
        return cls(
            key=key,
            events=events,
            record=after,
            allowed=allowed,
            authors=frozenset(one.author for one in receipts if one.author),
            owners=frozenset(one.owner for one in receipts if one.owner),
            at=at,
            cost=None if free else committed(after) - committed(before),
            reserves={one: Reservation(amount, at or 0.0, key) for one, amount in reserves.items()},
            room=room,
        )

    @property
    def durable(self) -> bool:
        """Whether it has to be on the disk itself before anybody goes on."""
        return any(one.DURABLE for one in self.events)

    @property
    def is_receipt(self) -> bool:
        """Whether the service has just said that it took a job."""
        return any(type(one) is Accepted for one in self.events)

    @property
    def begins(self) -> bool:
        """Whether an intent is among the events: from then on the body itself holds its money."""
        return any(type(one) is SubmitStarted for one in self.events)


def _costs_the_same(before: Record, after: Record) -> bool:
    """Tell the steps that have nothing to do with money, such as a collection."""
    settled = before.state in _SETTLED and after.state in _SETTLED
    return settled and before.submissions is after.submissions
