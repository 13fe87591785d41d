"""Prices that move, charges that are told twice and not alike, and caps where the journal is lost. Pure.

Each kind has a source of chance of its own; the seeds that have money already stay as they are.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from batchgen.model import Job
from batchgen.simulator.prices import USUAL_PRICES
from batchgen.simulator.settings import Limits, Settings
from tests.proof.pricing_plan import Change
from tests.proof.scenario import SEEDED, SEEDLESS, Scenario

_MOVING = 0.06  # share of the seeds without money in which prices move or charges are told twice
_LOST = 0.5  # share of the seeds with lost journals that have caps
_LONG = 0.3  # share of the moving ones with a run of half an hour and more

WithMoney = Callable[[random.Random, Scenario], Scenario]


def open_up(seed: int, scenario: Scenario, with_money: WithMoney) -> Scenario:
    """Let prices move in some seeds that had no money, and let some lose their journal under a cap."""
    if scenario.market is not None:
        return scenario
    chance = random.Random(f"batchgen proof {seed}, what prices do")
    if scenario.loses_journals:
        return _as_listed(scenario, with_money(chance, scenario)) if chance.random() < _LOST else scenario
    if chance.random() >= _MOVING:
        return scenario
    scenario = with_money(chance, scenario)
    if chance.random() < _LONG:
        scenario = _with_a_long_run(chance, scenario)
    if chance.random() < 0.5:
        scenario = _with_two_words(chance, scenario)
    return _with_moves(chance, scenario)


def _as_listed(before: Scenario, scenario: Scenario) -> Scenario:
    """Keep what a look without a journal can see: pauses as they were, and nobody whose seeds are ours."""
    legs = zip(before.legs, scenario.legs, strict=False)
    return replace(
        scenario,
        legs=tuple(replace(leg, pause=was.pause) for was, leg in legs),
        visits=tuple(one for one in scenario.visits if not one.same_batch),
    )


def _with_moves(chance: random.Random, scenario: Scenario) -> Scenario:
    assert scenario.market is not None
    story = sum(60.0 + leg.pause for leg in scenario.legs)
    changes = [
        Change(
            at=chance.choice([chance.uniform(0, 30), chance.uniform(0, 2000), chance.uniform(0, story)]),
            factors={
                model: Decimal(chance.choice(["0.5", "1", "2", "3", "10"])) for model in (SEEDED, SEEDLESS)
            },
        )
        for _ in range(chance.choice([1, 1, 2, 3]))
    ]
    # what is told is true but for its age, mostly
    factors = scenario.market.factors if chance.random() < 0.25 else {}
    changes.sort(key=lambda one: one.at)
    mute = frozenset([chance.choice([SEEDED, SEEDLESS])] if chance.random() < 0.15 else [])
    market = replace(scenario.market, changes=tuple(changes), factors=factors, mute=mute)
    return replace(scenario, market=market)


def _with_a_long_run(chance: random.Random, scenario: Scenario) -> Scenario:
    """Let jobs follow each other for longer than an answer after a price holds."""
    jobs = tuple(
        Job(id=f"job-{n}", prompt=f"a lighthouse, seen from {n}", model=chance.choice([SEEDED, SEEDLESS]))
        for n in range(chance.choice([12, 20]))
    )
    return replace(
        scenario,
        legs=tuple(replace(leg, jobs=jobs, at=leg.at * 30) for leg in scenario.legs[:2]),
        settings=replace(scenario.settings, limits=Limits(), duration=(120.0, 240.0)),
        visits=(),
        in_flight=chance.choice([1, 2]),
        rate=None,
    )


def _with_two_words(chance: random.Random, scenario: Scenario) -> Scenario:
    """Let a job's record say another charge than its receipt: less by its add-ons, or more by a discount."""
    settings: Settings = replace(
        scenario.settings,
        quality_gate=chance.random() < 0.8,
        gate_price=Decimal(chance.choice(["1", "2.5", "4"])),
        discount=Decimal(chance.choice(["0", "0", "0.25"])),
    )
    views = replace(settings.views, hides_addons=chance.random() < 0.8)
    return replace(scenario, settings=replace(settings, views=views))


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """What the service charges for one output at a moment, by model."""

    changes: tuple[Change, ...]

    def at(self, since: float) -> dict[str, Decimal]:
        """Return the prices so many seconds after the story began."""
        told = [one.factors for one in self.changes if one.at <= since]
        return {
            model: USUAL_PRICES[model].each * factor for model, factor in (told[-1] if told else {}).items()
        }
