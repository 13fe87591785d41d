"""What was paid, row by row, and how rows are added up. Pure; money is exact.

A row is one submission, or one body that left and has no answer yet. It belongs to the moment
its intent left, as a budget counts it. Origins are never added up with each other: a rehearsal
costs nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum

from batchgen.lifecycle import Accepted, Event, SubmitStarted
from batchgen.model import JobKey, Refund, Scope, Submission
from batchgen.planning.budget import committed, still_held
from batchgen.record import Record

_ZERO = Decimal(0)


class By(StrEnum):
    """What rows are added up by."""

    BATCH = "batch"
    MODEL = "model"
    DAY = "day"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sums:
    """What one row, or many, came to, in compute units.

    Attributes:
        submissions: how many were paid for.
        unpriced: of those, the ones whose charge is not known.
        quoted: what the service had said they would cost, as far as it was asked.
        charged: what it took, as far as it has said.
        assumed, confirmed: what came back, by how it is known.
        reserved: held for what may have been charged and is not known to be.
    """

    submissions: int = 0
    unpriced: int = 0
    quoted: Decimal = _ZERO
    charged: Decimal = _ZERO
    assumed: Decimal = _ZERO
    confirmed: Decimal = _ZERO
    reserved: Decimal = _ZERO

    @property
    def refunded(self) -> Decimal:
        """What came back, however it is known."""
        return self.assumed + self.confirmed

    @property
    def net(self) -> Decimal:
        """What was charged and did not come back."""
        return self.charged - self.refunded

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            submissions=self.submissions + other.submissions,
            unpriced=self.unpriced + other.unpriced,
            quoted=self.quoted + other.quoted,
            charged=self.charged + other.charged,
            assumed=self.assumed + other.assumed,
            confirmed=self.confirmed + other.confirmed,
            reserved=self.reserved + other.reserved,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """One row.

    Attributes:
        scope: whose.
        job_id: the job's name for people.
        model: the service's id.
        at: when the intent left, seconds since the epoch.
        remote_id: of the submission; empty for a body without an answer.
        sums: what it came to.
    """

    scope: Scope
    job_id: str
    model: str
    at: float
    remote_id: str
    sums: Sums


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """One entry of the service's history of an account.

    Attributes:
        action: the service's word for what was done.
        remote_id: of the job it is about; empty where it is about none.
        at: seconds since the epoch; None where it does not say.
        units: compute units, never below 0; None where it says none.
        model: the service's id; empty where it does not say.
        author: who it is by in the service's eyes.
    """

    action: str
    remote_id: str = ""
    at: float | None = None
    units: Decimal | None = None
    model: str = ""
    author: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """What the rows of one sum have in common; empty where they need not have it in common."""

    origin: str
    project: str = ""
    batch: str = ""
    slot: str = ""
    model: str = ""
    day: str = ""


def costs_of(
    scope: Scope, records: Mapping[JobKey, Record], history: Iterable[tuple[JobKey, Event]]
) -> Iterator[Cost]:
    """Return the rows of one scope, those of a job together.

    Args:
        scope: whose.
        records: read before the history, so that it tells of everything in them.
        history: where dates and models of earlier attempts are.
    """
    intents = _intents(history)
    for record in records.values():
        yield from _paid(scope, record, intents)
        held = committed(replace(record, submissions=())).reserved
        if held and record.job is not None:
            yield Cost(
                scope=scope,
                job_id=record.job.id,
                model=record.job.model,
                at=record.intent_at or 0.0,
                remote_id="",
                sums=Sums(quoted=record.quoted_unanswered or _ZERO, reserved=held),
            )


def _intents(history: Iterable[tuple[JobKey, Event]]) -> dict[str, SubmitStarted]:
    """Return the intent that every submission followed, by remote id."""
    latest: dict[JobKey, SubmitStarted] = {}
    found: dict[str, SubmitStarted] = {}
    for key, event in history:
        if isinstance(event, SubmitStarted):
            latest[key] = event
        elif isinstance(event, Accepted) and key in latest:
            found[event.remote_id] = latest[key]
    return found


def _paid(scope: Scope, record: Record, intents: Mapping[str, SubmitStarted]) -> Iterator[Cost]:
    for paid in record.submissions:
        intent = intents.get(paid.remote_id)
        job = intent.job if intent is not None else record.job
        yield Cost(
            scope=scope,
            job_id=job.id if job else "",
            model=job.model if job else "",
            at=intent.at if intent is not None else paid.at,
            remote_id=paid.remote_id,
            sums=_sums(paid, quoted=record.quoted_for(paid)),
        )


def _sums(paid: Submission, *, quoted: Decimal | None) -> Sums:
    back, assumed = paid.refunded or _ZERO, paid.refund is Refund.ASSUMED
    return Sums(
        submissions=1,
        unpriced=int(paid.charged is None),
        quoted=quoted or _ZERO,
        charged=paid.charged or _ZERO,
        assumed=back if assumed else _ZERO,
        confirmed=_ZERO if assumed else back,
        reserved=still_held(paid),
    )


def day_of(at: float, zone: tzinfo) -> date:
    """Return the day of a moment, as clocks of the zone had it."""
    return datetime.fromtimestamp(at, zone).date()


def since(rows: Iterable[Cost], first: date, zone: tzinfo) -> Iterator[Cost]:
    """Leave out the rows of the days before."""
    return (one for one in rows if day_of(one.at, zone) >= first)


def fold(rows: Iterable[Cost], by: By, zone: tzinfo) -> dict[Group, Sums]:
    """Add up; batches in the order of their first rows, models the dearest first, days in their order."""
    found: dict[Group, Sums] = {}
    for one in rows:
        group = _group(one, by, zone)
        found[group] = found.get(group, Sums()) + one.sums
    match by:
        case By.BATCH:
            return found
        case By.MODEL:
            return dict(sorted(found.items(), key=lambda pair: (-pair[1].net, pair[0].model)))
        case By.DAY:
            return dict(sorted(found.items(), key=lambda pair: pair[0].day))


def _group(one: Cost, by: By, zone: tzinfo) -> Group:
    scope = one.scope
    match by:
        case By.BATCH:
            return Group(origin=scope.origin, project=scope.project, batch=scope.batch, slot=scope.slot)
        case By.MODEL:
            return Group(origin=scope.origin, model=one.model)
        case By.DAY:
            return Group(origin=scope.origin, day=day_of(one.at, zone).isoformat())


def total(sums: Iterable[Sums]) -> Sums:
    """Add up what was added up."""
    return sum(sums, Sums())
