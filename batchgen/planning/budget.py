"""Budgets: what is committed by a record, and what a cap leaves. Pure; money is exact.

Committed is what was charged, and what is reserved for a body that left or is about to. It
is counted by the moment of the intent, so that a day's cap holds for what was begun that day.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from batchgen.lifecycle import ChargeShown, Event, RefundShown
from batchgen.model import JobKey, Refund, Submission
from batchgen.record import UNANSWERED, Record

if TYPE_CHECKING:
    from batchgen.manifest.values import Budget


@dataclass(frozen=True, kw_only=True, slots=True)
class Committed:
    """What a record, or many, may have cost.

    Attributes:
        gross: charged, or reserved where that is not known yet.
        reserved: the part of it that is only reserved.
        assumed, confirmed: what came back, by how it is known.
    """

    gross: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    assumed: Decimal = Decimal(0)
    confirmed: Decimal = Decimal(0)

    def __add__(self, other: "Committed") -> "Committed":
        return Committed(
            gross=self.gross + other.gross,
            reserved=self.reserved + other.reserved,
            assumed=self.assumed + other.assumed,
            confirmed=self.confirmed + other.confirmed,
        )

    @classmethod
    def of_all(cls, parts: Iterable["Committed"]) -> "Committed":
        """Return the sum; quick, for thousands of them."""
        found = list(parts)
        return cls(
            gross=sum((one.gross for one in found), Decimal(0)),
            reserved=sum((one.reserved for one in found), Decimal(0)),
            assumed=sum((one.assumed for one in found), Decimal(0)),
            confirmed=sum((one.confirmed for one in found), Decimal(0)),
        )

    def __sub__(self, other: "Committed") -> "Committed":
        return Committed(
            gross=self.gross - other.gross,
            reserved=self.reserved - other.reserved,
            assumed=self.assumed - other.assumed,
            confirmed=self.confirmed - other.confirmed,
        )

    def net(self, *, trust_refunds: bool) -> Decimal:
        """Return what counts against a cap."""
        return self.gross - self.confirmed - (self.assumed if trust_refunds else Decimal(0))


Amounts: TypeAlias = Mapping[JobKey, Decimal]  # compute units, by whom they are for


class Reservation(NamedTuple):
    """What is kept for a job that is not bought yet, because an earlier step of its chain was.

    Attributes:
        amount: compute units.
        at: the moment for which it counts, seconds since the epoch.
        parent: the key of the job whose intent made it, which need not be the last step before it.
    """

    amount: Decimal
    at: float
    parent: JobKey


def committed(record: Record) -> Committed:
    """Return what a record commits."""
    zero = Decimal(0)
    total = Committed()
    for paid in record.submissions:
        reserved = still_held(paid)
        back = paid.refunded or zero
        assumed = paid.refund is Refund.ASSUMED
        total += Committed(
            gross=reserved + (paid.charged or zero),
            reserved=reserved,
            assumed=back if assumed else zero,
            confirmed=zero if assumed else back,
        )
    open_now = (record.reserved or zero) if record.state in UNANSWERED else zero
    return total + Committed(gross=open_now, reserved=open_now)


def still_held(paid: Submission) -> Decimal:
    """Return what goes on to be held for a submission beside its charge, as long as that is not certain.

    A row may leave add-ons out; where all of it came back nothing is held for them either.
    """
    zero = Decimal(0)
    held = paid.reserved or zero
    if paid.charged is None:
        return held
    if not paid.by_row or (paid.refund is not Refund.NONE and paid.refunded == paid.charged):
        return zero
    return max(held - paid.charged, zero)


def waits_for_a_price(record: Record) -> bool:
    """Return whether something may have been paid for the latest attempt for which nothing counts yet."""
    paid = record.submission
    if paid is not None:
        return paid.charged is None and paid.reserved is None
    return record.state in UNANSWERED and record.reserved is None


def counted_at(record: Record, events: Collection[Event]) -> float | None:
    """Say when what these events change was committed: a refund goes back to where its charge was counted.

    Of an earlier attempt the record knows no intent, only the receipt, which is seconds younger.
    """
    told = next((one.remote_id for one in events if isinstance(one, RefundShown | ChargeShown)), None)
    if told is None or told == record.remote_id:
        return record.intent_at
    return next((one.at for one in record.submissions if one.remote_id == told), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """One cap over a stretch of time, or over a batch.

    Attributes:
        name: for people.
        cap: compute units.
        since: seconds since the epoch; None for everything of the batch and slot.
        key: as a manifest has it under ``budget``.
        until: when it begins anew, seconds since the epoch; None where it never does.
    """

    name: str
    cap: Decimal
    since: float | None = None
    key: str = "total"
    until: float | None = None

    @property
    def label(self) -> str:
        """Its name with the key to write."""
        return f"{self.name} ({self.key})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """The caps that a reservation must fit under, all of them."""

    windows: tuple[Window, ...]
    trust_refunds: bool = True


def allowance(budget: "Budget", now: float, zone: tzinfo) -> Allowance:
    """Return the caps that hold at a moment; a day and a month begin at midnight of the zone."""
    here = datetime.fromtimestamp(now, zone)
    day, first = here.date(), here.date().replace(day=1)
    next_month = (first + timedelta(days=31)).replace(day=1)

    def midnight(of: date) -> float:
        return datetime.combine(of, time(), zone).timestamp()

    caps = (
        ("this batch", "total", budget.total, None, None),
        ("today", "per_day", budget.per_day, midnight(day), midnight(day + timedelta(days=1))),
        ("this month", "per_month", budget.per_month, midnight(first), midnight(next_month)),
    )
    windows = tuple(
        Window(name=name, key=key, cap=cap, since=since, until=until)
        for name, key, cap, since, until in caps
        if cap is not None
    )
    return Allowance(windows=windows, trust_refunds=budget.trust_refunds)
