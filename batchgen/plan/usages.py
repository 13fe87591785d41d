"""Holding what the service says it charged against what is on record. Pure.

What a difference is gets decided here; who asks the service, and how its history is paged,
does not matter. Nothing here changes a record.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from batchgen.plan.costs import Cost

REFUNDS = "refunds"  # the service's word for an entry that gives back

_ZERO = Decimal(0)


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
class Shown:
    """What the service's history says of one job, all its entries together.

    Attributes:
        charged, refunded: compute units.
        refunds: whether any of its entries gave back.
    """

    remote_id: str
    at: float | None = None
    model: str = ""
    charged: Decimal = _ZERO
    refunded: Decimal = _ZERO
    refunds: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """One of our submissions beside what the service shows of it."""

    ours: Cost
    shown: Shown


@dataclass(frozen=True, kw_only=True, slots=True)
class Reckoning:
    """What came of the comparison.

    Attributes:
        entries: how many the service showed.
        unknown: charges by our key for jobs without a record.
        missing: charges of ours that it does not show.
        differing: charges that it shows otherwise.
        confirmed: refunds that were only assumed, and that it shows.
        unconfirmed: refunds that are assumed, and that it does not show.
        unexpected: refunds that it shows beyond those on record.
    """

    entries: int = 0
    unknown: tuple[Shown, ...] = ()
    missing: tuple[Cost, ...] = ()
    differing: tuple[Compared, ...] = ()
    confirmed: tuple[Compared, ...] = ()
    unconfirmed: tuple[Cost, ...] = ()
    unexpected: tuple[Compared, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether nothing in it waits for a person."""
        return not (self.unknown or self.differing)


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
        )
        for remote_id, one in first.items()
    }


def reckon(
    entries: Sequence[Activity],
    rows: Iterable[Cost],
    *,
    owned: Collection[str],
    authors: Collection[str],
) -> Reckoning:
    """Compare the service's history with the rows of the same time.

    Args:
        entries: of the whole stretch of time.
        rows: ours.
        owned: remote ids that belong to any record of this origin, or were disowned.
        authors: who we are; empty for anybody.
    """
    ours = {one.remote_id: one for one in rows if one.remote_id}
    by_us = [one for one in entries if not authors or one.author in authors]
    shown, shown_of_us = shown_of(entries), shown_of(by_us)
    both = [Compared(ours=one, shown=shown[id_]) for id_, one in ours.items() if id_ in shown]
    assumed = [one for one in ours.values() if one.sums.assumed]
    return Reckoning(
        entries=len(entries),
        unknown=tuple(
            one for id_, one in shown_of_us.items() if one.charged and id_ not in ours and id_ not in owned
        ),
        missing=tuple(_missing(ours, shown)),
        differing=tuple(one for one in both if _differs(one)),
        confirmed=tuple(one for one in both if one.ours.sums.assumed and one.shown.refunds),
        unconfirmed=tuple(
            one for one in assumed if one.remote_id not in shown or not shown[one.remote_id].refunds
        ),
        unexpected=tuple(one for one in both if one.shown.refunded > one.ours.sums.refunded),
    )


def _missing(ours: Mapping[str, Cost], shown: Mapping[str, Shown]) -> Iterable[Cost]:
    """Give our charges that are not shown; a job of which only the refund is shown was charged."""
    return (one for id_, one in ours.items() if one.sums.charged and id_ not in shown)


def _differs(one: Compared) -> bool:
    return (
        not one.ours.sums.unpriced and bool(one.shown.charged) and one.ours.sums.charged != one.shown.charged
    )
