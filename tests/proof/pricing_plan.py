"""What a seed says of money: caps and other limits on what is bought, and how prices are told. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from decimal import Decimal

from batchgen.manifest.values import Budget
from batchgen.planning.pricing import Price


@dataclass(frozen=True, kw_only=True)
class Spending:
    """What one run may buy.

    Attributes:
        budget: its caps.
        most_failures: as ``--max-failures`` says it; None for any number.
        limit: as ``--limit`` says it; None for all jobs.
        elsewhere: what another batch of the same journal spends just before the run, compute units.
    """

    budget: Budget = field(default_factory=Budget)
    most_failures: int | None = None
    limit: int | None = None
    elsewhere: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Change:
    """Other prices from a moment on.

    Attributes:
        at: seconds since the story began, by the service's clock.
        factors: by model, what its first price is multiplied by.
    """

    at: float
    factors: Mapping[str, Decimal]


@dataclass(frozen=True, kw_only=True)
class PricingPlan:
    """How the service tells what it is going to charge.

    Attributes:
        factors: by model, what a true price is multiplied by when it is told.
        silent: models whose price is not told.
        mute: models about which a question is never answered.
        order: which question, counted over all runs from 1, is taken for an order; None for none.
        zone: where a day begins.
        later: seconds by which the story begins later than others do.
        changes: of true prices, in their order.
    """

    factors: Mapping[str, Decimal] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    mute: frozenset[str] = frozenset()
    order: int | None = None
    zone: tzinfo = UTC
    later: float = 0.0
    changes: tuple[Change, ...] = ()


class Kept:
    """Where prices are kept between runs."""

    def __init__(self) -> None:
        self._prices: dict[str, tuple[Price, float]] = {}

    def find(self, names: Collection[str], *, since: float) -> Mapping[str, Price]:
        found = {name: self._prices[name] for name in names if name in self._prices}
        return {name: price for name, (price, at) in found.items() if at >= since}

    def keep(self, prices: Mapping[str, Price], *, at: float) -> None:
        self._prices.update({name: (price, at) for name, price in prices.items()})
