"""What an audit compares: the journal with itself, with the service's rows, and their sums. Pure.

What a finding is gets decided here; who reads the journal, the listing and the disk does not
matter. Whether a row echoes a body that was sent is the caller's to say: it knows the texts of
prompts that have to be fetched.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from batchgen.errors import TransitionError
from batchgen.lifecycle import (
    Accepted,
    Canceled,
    Event,
    Failed,
    Record,
    State,
    SubmitStarted,
    Succeeded,
    WrittenOff,
    replay,
)
from batchgen.model import Job, JobKey, RemoteJob, RemoteStatus, Submission
from batchgen.record import IN_FLIGHT

_ENDS: Mapping[type[Event], RemoteStatus] = {
    Succeeded: RemoteStatus.SUCCEEDED,
    Failed: RemoteStatus.FAILED,
    Canceled: RemoteStatus.CANCELED,
    WrittenOff: RemoteStatus.CANCELED,  # by a person: what came of it after all is worth knowing
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """A body that left, or was about to, for one attempt at a job.

    Attributes:
        sender: fingerprint of the key that sent it; empty where that is not known.
        asked: whether nothing with this body was submitted for all that is known: it is what a
            question for the job's price says.
    """

    key: JobKey
    job: Job
    attempt: int
    body: str
    sender: str = ""
    asked: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchHistory:
    """What the history of a scope tells.

    Attributes:
        sent: every attempt's body once, earlier attempts included, oldest first.
        ends: how submissions ended, by remote id; those without an end are left out.
        records: the history folded.
        broken: why the history of these jobs cannot be folded.
    """

    sent: tuple[Sent, ...]
    ends: Mapping[str, RemoteStatus]
    records: Mapping[JobKey, Record]
    broken: Mapping[JobKey, str]


def beginning(history: Iterable[tuple[JobKey, Event]]) -> float | None:
    """Return the service's date at which the first body was about to leave; None if none ever was.

    An intent tells how far our clock was from the service's then; where it does not, ours is taken.
    """
    intents = (event for _, event in history if isinstance(event, SubmitStarted))
    return min((one.at + (one.skew or 0.0) for one in intents), default=None)


def read_history(history: Iterable[tuple[JobKey, Event]]) -> BatchHistory:
    """Read a history once; what contradicts itself in it is a finding, no error."""
    events: dict[JobKey, list[Event]] = defaultdict(list)
    sent: dict[tuple[JobKey, int], Sent] = {}
    for key, event in history:
        events[key].append(event)
        if isinstance(event, SubmitStarted):
            one = Sent(key=key, job=event.job, attempt=event.attempt, body=event.body, sender=event.sender)
            sent.setdefault((key, event.attempt), one)
    records, broken = {}, {}
    for key, lived in events.items():
        try:
            records.update(replay((key, event) for event in lived))
        except TransitionError as error:
            broken[key] = str(error)
    ends = {remote_id: end for lived in events.values() for remote_id, end in _ends(lived)}
    return BatchHistory(sent=tuple(sent.values()), ends=ends, records=records, broken=broken)


def _ends(lived: Iterable[Event]) -> Iterable[tuple[str, RemoteStatus]]:
    """Return the end of each submission: the first one recorded after its receipt."""
    remote_id = None
    for event in lived:
        if isinstance(event, Accepted):
            remote_id = event.remote_id
        elif remote_id is not None and (end := _ENDS.get(type(event))) is not None:
            yield remote_id, end
            remote_id = None


def untrue_records(
    history: BatchHistory, before: Mapping[JobKey, Record], after: Mapping[JobKey, Record]
) -> dict[JobKey, str]:
    """Say of which jobs the record is not what the history tells.

    Args:
        history: read between the two readings of the records.
        before: the records; where the two readings differ a run is writing, and nothing is said.
        after: the records again.
    """
    said = {}
    for key in dict.fromkeys((*before, *history.broken, *history.records, *after)):
        record = before.get(key)
        if record != after.get(key):
            continue
        if key in history.broken:
            said[key] = f"the history breaks off: {history.broken[key]}"
        elif record != (told := history.records.get(key)):
            said[key] = _untrue(record, told)
    return said


def _untrue(record: Record | None, told: Record | None) -> str:
    if record is None or told is None:
        return "it has a history and no record" if record is None else "it has a record and no history"
    if record.state is not told.state:
        return f"the record says {record.state}, the history {told.state}"
    names = [name for name in Record.__slots__ if getattr(record, name) != getattr(told, name)]
    return f"record and history differ in {', '.join(names)}"


class Situation(StrEnum):
    """How the job stands to whose body a row is equal."""

    OPEN = "open"  # in doubt or held: the row is likely its submission
    DUE = "due"  # an answer is due: the next run settles it
    UNPAID = "unpaid"  # the journal says that nothing was accepted
    PAID = "paid"  # it has its submission: the row was likely paid for beside it
    EDITION = "edition"  # the row is another edition of a job that has one
    ASKED = "asked"  # the row is what the job asks for, and no body of ours had no more in it


_FIRST = tuple(Situation)


@dataclass(frozen=True, kw_only=True, slots=True)
class Surplus:
    """A row of ours that no record owns and that is equal to what was sent for a job.

    Attributes:
        row: as listed.
        sent: what it is equal to.
        situation: how the job stands.
        holder: the remote id that the job has, or likely has, instead; empty where it has none.
        certain: whether all is echoed by a row that is ours by its author, or shows none.
        differs: the inputs that the row shows otherwise than they were sent, if only in how they are written.
    """

    row: RemoteJob
    sent: Sent
    situation: Situation
    holder: str = ""
    certain: bool = True
    differs: tuple[str, ...] = ()


def find_surplus(
    rows: Iterable[RemoteJob],
    equals: Callable[[RemoteJob], Sequence[Sent]],
    records: Mapping[JobKey, Record],
) -> list[Surplus]:
    """Return each row that equals something that was sent, with the job it is most likely of, oldest first.

    Equal jobs share out equal rows: no two rows are offered to one job that misses one.

    Args:
        rows: of ours, owned by no record.
        equals: gives what was sent that a row echoes.
        records: of the scope.
    """
    found: list[Surplus] = []
    offered: dict[JobKey, str] = {}
    for row in sorted(rows, key=lambda one: (one.created_at or 0.0, one.remote_id)):
        standings = [_standing(sent, records.get(sent.key, Record()), offered) for sent in equals(row)]
        if not standings:
            continue
        situation, holder, sent = min(standings, key=lambda one: _FIRST.index(one[0]))
        if situation not in {Situation.PAID, Situation.ASKED}:
            offered[sent.key] = row.remote_id
        found.append(Surplus(row=row, sent=sent, situation=situation, holder=holder))
    return found


def _standing(sent: Sent, record: Record, offered: Mapping[JobKey, str]) -> tuple[Situation, str, Sent]:
    if sent.asked:
        return Situation.ASKED, "", sent
    if sent.key in offered:
        return Situation.PAID, offered[sent.key], sent
    owned = [one.remote_id for one in record.submissions if one.attempt == sent.attempt]
    if owned:
        return Situation.PAID, owned[-1], sent
    if record.attempt == sent.attempt and record.state in {State.IN_DOUBT, State.HELD}:
        return Situation.OPEN, "", sent
    if record.attempt == sent.attempt and record.state is State.SUBMITTING:
        return Situation.DUE, "", sent
    return Situation.UNPAID, "", sent


def ended_otherwise(history: BatchHistory, rows: Iterable[RemoteJob]) -> list[RemoteJob]:
    """Return the rows of submissions whose recorded end is not what they show."""
    return [row for row in rows if history.ends.get(row.remote_id, row.status) is not row.status]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sums:
    """What was charged, in compute units, and by whose word.

    Attributes:
        recorded: by our records, as far as they know.
        untold: how many charges they do not know.
        shown: by the rows of the submissions on record.
        unseen: how many of those rows show no cost.
        surplus: by the rows that no record owns and that are what was sent for a job.
        possible: by the other rows without a record that are or may be ours.
        asked: by what questions for a price bought, and no record owns.
        refunded: what came back of it by our records, in whatever way that is known.
        unshown: what came back so that rows no longer show it.
        not_listed: submissions on record that the listing does not show.
    """

    recorded: Decimal = Decimal(0)
    untold: int = 0
    refunded: Decimal = Decimal(0)
    unshown: Decimal = Decimal(0)
    shown: Decimal = Decimal(0)
    unseen: int = 0
    surplus: Decimal = Decimal(0)
    possible: Decimal = Decimal(0)
    asked: Decimal = Decimal(0)
    not_listed: int = 0

    @property
    def beside(self) -> Decimal:
        """All that is or may be ours, and of no record."""
        return self.surplus + self.possible + self.asked

    @property
    def difference(self) -> Decimal:
        """What the service shows beyond what is on record; below zero if it shows less."""
        return self.shown + self.beside - (self.recorded - self.unshown)


def sum_up(
    records: Iterable[Record],
    rows: Mapping[str, RemoteJob],
    surplus: Iterable[RemoteJob],
    *,
    possible: Iterable[RemoteJob] = (),
    asked: Iterable[Decimal | None] = (),
) -> Sums:
    """Add up both sides; what neither a record nor a row says adds nothing, and is counted.

    Args:
        records: of the scope.
        rows: of the listing, by remote id.
        surplus: rows that no record owns and that are equal to a job of ours.
        possible: the other rows that no record owns and that are or may be ours.
        asked: what was charged for questions that were taken for orders.
    """
    paid = [one for record in records for one in record.submissions]
    listed = [one for one in paid if one.remote_id in rows]
    shown = {one.remote_id: shown_of(one, rows[one.remote_id]) for one in listed}
    return Sums(
        recorded=_sum(one.charged for one in paid),
        untold=sum(one.charged is None for one in paid),
        refunded=_sum(one.refunded for one in paid),
        unshown=_sum(_unshown(one, shown[one.remote_id]) for one in listed),
        shown=_sum(shown.values()),
        unseen=sum(one is None for one in shown.values()),
        surplus=_costs(surplus),
        possible=_costs(possible),
        asked=_sum(asked),
        not_listed=len(paid) - len(listed),
    )


def shown_of(paid: Submission, row: RemoteJob) -> Decimal | None:
    """Return what a row says was charged for a submission on record; None where it says nothing.

    A row may show the cost before a discount, or leave add-ons out; neither is another word.
    """
    if row.cost is None or paid.charged is None:
        return row.cost
    before_discount = row.cost - row.discount == paid.charged
    without_addons = not row.itemized and row.cost < paid.charged
    return paid.charged if before_discount or without_addons else row.cost


def dearer(records: Iterable[Record], rows: Mapping[str, RemoteJob]) -> list[tuple[Record, Submission]]:
    """Return the submissions that have ended and whose rows show more than was charged by our records."""
    found = []
    for record in records:
        under_way = record.remote_id if record.state in IN_FLIGHT else None
        for paid in record.submissions:
            row = rows.get(paid.remote_id)
            shown = None if row is None or paid.remote_id == under_way else shown_of(paid, row)
            if shown is not None and paid.charged is not None and shown > paid.charged:
                found.append((record, paid))
    return found


def _unshown(paid: Submission, shown: Decimal | None) -> Decimal | None:
    """Return what came back so that the row shows less: add-ons, which after a failure read 0."""
    if shown is None or paid.charged is None or paid.refunded is None:
        return None
    return min(paid.refunded, max(paid.charged - shown, Decimal(0)))


def _costs(rows: Iterable[RemoteJob]) -> Decimal:
    return _sum(one.cost for one in rows)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((one for one in amounts if one is not None), Decimal(0))
