"""Holding what the service says it charged against what is on record. Pure.

What a difference is gets decided here; who asks the service, and how its history is paged,
does not matter. Nothing here changes a record.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from batchgen.account import Known
from batchgen.lifecycle import IN_FLIGHT, ChargeShown, RefundShown, apply
from batchgen.planning.costs import Activity, Cost
from batchgen.reconcile.ownership import Owner, owner_by_author
from batchgen.record import Record

REFUNDS = "refunds"  # the service's word for an entry that gives back

_ZERO = Decimal(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What the service's history says of one job, all its entries together.

    Attributes:
        charged, refunded: compute units.
        refunds: whether any of its entries gave back.
        at_most: what was charged if its kinds of entries do add up; None where there is one kind.
    """

    remote_id: str
    at: float | None = None
    model: str = ""
    charged: Decimal = _ZERO
    refunded: Decimal = _ZERO
    refunds: bool = False
    at_most: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """One of our submissions beside what the service shows of it."""

    ours: Cost
    shown: Shown


@dataclass(frozen=True, kw_only=True, slots=True)
class BillingDiff:
    """What came of the comparison.

    Attributes:
        entries: how many the service showed.
        unknown: charges by our key for jobs without a record.
        unclaimed: charges for jobs without a record of which nothing says whose they are.
        missing: charges of ours that it does not show.
        recent: how many of ours it does not show that are too young to be called missing.
        differing: charges that it shows otherwise.
        confirmed: refunds that were only assumed, and that it shows.
        unconfirmed: refunds that are assumed, and that it does not show.
        unexpected: refunds that it shows beyond those on record.
    """

    entries: int = 0
    unknown: tuple[Shown, ...] = ()
    unclaimed: tuple[Shown, ...] = ()
    missing: tuple[Cost, ...] = ()
    recent: int = 0
    differing: tuple[Compared, ...] = ()
    confirmed: tuple[Compared, ...] = ()
    unconfirmed: tuple[Cost, ...] = ()
    unexpected: tuple[Compared, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether nothing in it waits for a person."""
        return not (self.unknown or self.differing)


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """What time a comparison is about: clocks differ, and a history lags behind what it tells of.

    Attributes:
        since: from when on charges without a record are told, seconds since the epoch.
        until: up to when charges of ours must be shown.
    """

    since: float = -math.inf
    until: float = math.inf


EVER = Period()


def shown_of(entries: Iterable[Activity]) -> dict[str, Shown]:
    """Put the entries of each job together; entries about no job are left out.

    Which entries a paid job has beside its own is not documented (there is a kind for cost alone),
    so kinds are not added up: the dearest one is the charge.
    """
    charged: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    first: dict[str, Activity] = {}
    back: dict[str, Decimal] = {}
    for one in entries:
        if not one.remote_id:
            continue
        if one.action == REFUNDS:
            back[one.remote_id] = back.get(one.remote_id, _ZERO) + (one.units or _ZERO)
            first.setdefault(one.remote_id, one)
        elif one.units is not None:
            charged[one.remote_id][one.action] += one.units
            first[one.remote_id] = one
    return {
        remote_id: Shown(
            remote_id=remote_id,
            at=one.at,
            model=one.model,
            charged=max(charged[remote_id].values(), default=_ZERO),
            refunded=back.get(remote_id, _ZERO),
            refunds=remote_id in back,
            at_most=sum(charged[remote_id].values(), _ZERO) if len(charged[remote_id]) > 1 else None,
        )
        for remote_id, one in first.items()
    }


def compare_billing(
    entries: Sequence[Activity],
    rows: Iterable[Cost],
    *,
    owned: Collection[str],
    authors: Collection[str],
    judged: Period = EVER,
) -> BillingDiff:
    """Compare the service's history with the rows of the same time.

    Args:
        entries: of the whole stretch of time, and of a margin before it.
        rows: ours.
        owned: remote ids that belong to any record of this origin, or were disowned.
        authors: who we are; empty where no answer has told us yet.
        judged: which of them must have their like on the other side.
    """
    ours = {one.remote_id: one for one in rows if one.remote_id}
    known = Known(receipts=frozenset(authors))
    shown = shown_of(entries)
    stray = [
        one
        for id_, one in shown_of(
            one for one in entries if owner_by_author(one.author, known).owner is not Owner.OTHERS
        ).items()
        if one.charged and not (id_ in ours or id_ in owned or (one.at or math.inf) < judged.since)
    ]
    by_us = {one.remote_id for one in entries if owner_by_author(one.author, known).owner is Owner.OURS}
    both = [Compared(ours=one, shown=shown[id_]) for id_, one in ours.items() if id_ in shown]
    assumed = [one for one in ours.values() if one.sums.assumed and one.at <= judged.until]
    unshown = list(_unshown(ours, shown))
    return BillingDiff(
        entries=len(entries),
        unknown=tuple(one for one in stray if one.remote_id in by_us),
        unclaimed=tuple(one for one in stray if one.remote_id not in by_us),
        missing=tuple(one for one in unshown if one.at <= judged.until),
        recent=sum(one.at > judged.until for one in unshown),
        differing=tuple(one for one in both if _differs(one)),
        confirmed=tuple(one for one in both if one.ours.sums.assumed and one.shown.refunds),
        unconfirmed=tuple(
            one for one in assumed if one.remote_id not in shown or not shown[one.remote_id].refunds
        ),
        unexpected=tuple(one for one in both if one.shown.refunded > one.ours.sums.refunded),
    )


def refunds_to_record(record: Record, shown: Mapping[str, Shown], *, at: float) -> Iterator[RefundShown]:
    """Return what is shown to have come back of a job's charges and is not on record as that.

    What has no charge on record is left, and what has not ended: its end would say otherwise.

    Args:
        record: the job's.
        shown: by remote id.
        at: now, seconds since the epoch.
    """
    for paid in record.submissions:
        theirs = shown.get(paid.remote_id)
        if theirs is None or not theirs.refunded or paid.charged is None:
            continue
        if record.state in IN_FLIGHT and paid.remote_id == record.remote_id:
            continue
        event = RefundShown(at=at, remote_id=paid.remote_id, refunded=theirs.refunded)
        if apply(record, event) != record:
            yield event


def charges_to_record(record: Record, shown: Mapping[str, Shown], *, at: float) -> Iterator[ChargeShown]:
    """Return what the history says was charged for a job, where that is not what is on record.

    This is the only word that may make a charge less; it does so by the highest that it can mean.

    Args:
        record: the job's.
        shown: by remote id.
        at: now, seconds since the epoch.
    """
    for paid in record.submissions:
        theirs = shown.get(paid.remote_id)
        if theirs is None or not theirs.charged:
            continue
        if record.state in IN_FLIGHT and paid.remote_id == record.remote_id:
            continue
        ours = theirs.charged if paid.charged is None else paid.charged
        at_most = theirs.charged if theirs.at_most is None else theirs.at_most
        charged = min(max(ours, theirs.charged), at_most)
        event = ChargeShown(at=at, remote_id=paid.remote_id, charged=charged)
        if apply(record, event) != record:
            yield event


def to_record(
    record: Record, shown: Mapping[str, Shown], *, at: float
) -> Iterator[ChargeShown | RefundShown]:
    """Return what the history shows of a job's charges and refunds and is not on record as that."""
    for event in charges_to_record(record, shown, at=at):
        yield event
        record = apply(record, event)
    yield from refunds_to_record(record, shown, at=at)


def _unshown(ours: Mapping[str, Cost], shown: Mapping[str, Shown]) -> Iterable[Cost]:
    """Return our charges that are not shown; a job of which only the refund is shown was charged."""
    return (one for id_, one in ours.items() if one.sums.charged and id_ not in shown)


def _differs(one: Compared) -> bool:
    return (
        not one.ours.sums.unpriced and bool(one.shown.charged) and one.ours.sums.charged != one.shown.charged
    )
