"""Draws the scenario of a seed: what every one has, and in some of them what is rare.

Each kind of rarity has a source of chance of its own, so that a further kind leaves the seeds
without it as they were.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from decimal import Decimal
from typing import Any

from batchgen.manifest.values import Budget
from batchgen.model import Job, Rate
from batchgen.simulator.draws import Span
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import Limits
from tests.proof.chains import with_chains
from tests.proof.denials import with_denials
from tests.proof.disks import with_disks
from tests.proof.names import with_names
from tests.proof.openness import opened
from tests.proof.outputs import with_late_outputs
from tests.proof.prices import open_up
from tests.proof.pricing_plan import PricingPlan, Spending
from tests.proof.redos import with_redos
from tests.proof.scenario import LOOK_FAULTS, SEEDED, SEEDLESS, JournalFate, Leg, Scenario, draw_usual
from tests.proof.slots import with_slots
from tests.proof.tools import with_tools

_WITH_MONEY = 0.13  # share of the seeds that lose no journal
_A_CROWD = 0.15  # share of those with as many jobs as fill fifty slots
_SLOTS = 50
_PERSONS = 0.15  # share of the seeds with a key whose jobs are by a person
_DAY = 86_400.0  # seconds


def draw(seed: int) -> Scenario:
    """Draw the scenario of a seed."""
    usual = with_redos(seed, with_chains(seed, with_tools(seed, _with_all_that_is_rare(seed))))
    return with_disks(seed, usual)


def _with_all_that_is_rare(seed: int) -> Scenario:
    who = random.Random(f"batchgen proof {seed}, who we are")
    scenario = with_names(seed, _draw(seed))
    if scenario.legs[-1].name is not None:  # what its names mean is judged over all of them, by its own law
        return scenario
    scenario = with_slots(seed, with_denials(seed, open_up(seed, scenario, _with_money)))
    scenario = with_late_outputs(scenario)
    return opened(seed, _as_a_person(scenario) if who.random() < _PERSONS else scenario)


def _as_a_person(scenario: Scenario) -> Scenario:
    """Let the key be a person's, whose jobs are by ``user_...``."""
    return replace(scenario, settings=replace(scenario.settings, author_prefix="user_"))


def _draw(seed: int) -> Scenario:
    scenario = draw_usual(seed, random.Random(f"batchgen proof {seed}"))
    chance = random.Random(f"batchgen proof {seed}, what is rare")
    match chance.choices(["nothing", "late", "journal"], weights=[7, 2, 1])[0]:
        case "late":
            scenario = _with_late_arrivals(chance, scenario)
        case "journal":
            return _with_a_lost_journal(chance, scenario)
        case _:
            pass
    money = random.Random(f"batchgen proof {seed}, what it may cost")
    return _with_money(money, scenario) if money.random() < _WITH_MONEY else scenario


def _with_late_arrivals(chance: random.Random, scenario: Scenario) -> Scenario:
    """Let submits reach the service long after their answers were lost."""
    doubt, faults = scenario.policy.doubt, scenario.settings.faults
    spans: list[Span] = [(0.5, doubt.settle / 3), (0.5, doubt.settle_max), (1, 900), (doubt.settle, 3600)]
    script = [
        chance.choice([Fault.CUT_LATE, Fault.GATEWAY_LATE]) if chance.random() < 0.3 else one
        for one in (*faults.script[Call.SUBMIT], None, None)
    ]
    chances = {
        **faults.chances[Call.SUBMIT],
        Fault.CUT_LATE: chance.uniform(0, 0.15),
        Fault.GATEWAY_LATE: chance.uniform(0, 0.15),
    }
    late = FaultPlan(
        chances={**faults.chances, Call.SUBMIT: chances}, script={**faults.script, Call.SUBMIT: tuple(script)}
    )
    return replace(scenario, settings=replace(scenario.settings, late=chance.choice(spans), faults=late))


def _with_a_lost_journal(chance: random.Random, scenario: Scenario) -> Scenario:
    """Lose the journal, or go back to an older copy, when all that was bought is listed as it is."""
    legs = list(scenario.legs) if len(scenario.legs) > 1 else [*scenario.legs, replace(scenario.legs[0])]
    lossy = chance.randrange(1, len(legs))
    fate = chance.choice([JournalFate.LOST, JournalFate.OLDER, JournalFate.REBUILT])
    legs = [replace(leg, pause=min(leg.pause, 900.0)) for leg in legs]
    legs[lossy - 1] = replace(legs[lossy - 1], pause=chance.uniform(120.0, 900.0))
    legs[lossy] = replace(legs[lossy], journal=fate, copied=chance.random())
    lag = min(scenario.settings.views.listing_lag[1], scenario.policy.doubt.settle / 3)
    views = replace(scenario.settings.views, echo_missing=0.0, listing_lag=(0.0, lag))
    file = scenario.file or fate is JournalFate.REBUILT
    return replace(scenario, legs=tuple(legs), settings=replace(scenario.settings, views=views), file=file)


def _with_money(chance: random.Random, scenario: Scenario) -> Scenario:
    """Let the runs have caps and the service tell prices, true ones or others."""
    if chance.random() < _A_CROWD:
        scenario = _with_a_crowd(chance, scenario)
    steps = {"": None} | {f"number {n}": chance.choice([None, 14, 42]) for n in range(5)}
    legs = [replace(leg, jobs=tuple(_sized(job, steps) for job in leg.jobs)) for leg in scenario.legs]
    settings = scenario.settings
    questions = dict.fromkeys(
        chance.sample([*LOOK_FAULTS, Fault.SLOW, Fault.CUT_BEFORE], chance.choice([0, 0, 0, 1, 2])),
        chance.uniform(0, 0.4),
    )
    return replace(
        scenario,
        legs=_with_caps(chance, legs),
        settings=replace(
            settings,
            quality_gate=chance.random() < 0.3,
            faults=replace(settings.faults, chances={**settings.faults.chances, Call.QUOTE: questions}),
            outcomes=replace(
                settings.outcomes,
                failures=chance.choice([0.0, 0.3, 0.7]),
                refunds=chance.random() < 0.6,
            ),
        ),
        visits=tuple(replace(one, job=_sized(one.job, steps)) for one in scenario.visits),
        file=scenario.file or chance.random() < 0.3,
        market=PricingPlan(
            factors={
                model: Decimal(chance.choice(["1", "1", "1", "0.5", "0.25", "2"]))
                for model in (SEEDED, SEEDLESS)
            },
            silent=frozenset([chance.choice([SEEDED, SEEDLESS])] if chance.random() < 0.1 else []),
            order=chance.randrange(1, 4) if chance.random() < 0.1 else None,
            zone=chance.choice([UTC, timezone(timedelta(hours=5, minutes=45))]),
            later=chance.uniform(0, _DAY),
        ),
    )


def _with_a_crowd(chance: random.Random, scenario: Scenario) -> Scenario:
    """Let one or two runs have more jobs than fit side by side, and the service take fifty at once."""
    jobs = tuple(
        Job(
            id=f"job-{n}",
            prompt=f"a tower, number {chance.randrange(5)}, seen from {n}",
            model=chance.choice([SEEDED, SEEDED, SEEDLESS]),
        )
        for n in range(chance.choice([20, 40, 60]))
    )
    settings = replace(scenario.settings, limits=Limits(), duration=(20.0, 40.0))
    return replace(
        scenario,
        legs=tuple(replace(leg, jobs=jobs, nth=leg.nth * 3, at=leg.at * 2) for leg in scenario.legs[:2]),
        settings=settings,
        visits=(),
        in_flight=_SLOTS,
        rate=chance.choice([None, Rate(count=1000, seconds=60.0)]),
    )


def _sized(job: Job, steps: dict[str, int | None]) -> Job:
    """Give a job the number of steps that goes with its prompt: equal jobs stay equal, and cost the same."""
    count = next((steps[name] for name in steps if name and name in (job.prompt or "")), None)
    if job.model != SEEDED or count is None:
        return job
    return replace(job, params={**job.params, "numInferenceSteps": count})


def _with_caps(chance: random.Random, legs: Sequence[Leg]) -> tuple[Leg, ...]:
    """Give each run its caps: those of the run before, or others."""
    capped, budget = list[Leg](), _caps(chance, legs[0].jobs)
    for leg in legs:
        if capped and chance.random() < 0.4:
            budget = _caps(chance, leg.jobs)
        spending = Spending(
            budget=Budget() if chance.random() < 0.1 else budget,
            most_failures=chance.randrange(1, 4) if chance.random() < 0.4 else None,
            limit=chance.randrange(1, 6) if chance.random() < 0.15 else None,
            elsewhere=_about(_costs(leg.jobs), chance.uniform(0, 0.4))
            if chance.random() < 0.4
            else Decimal(0),
        )
        pause = chance.choice([leg.pause, leg.pause, chance.uniform(0, _DAY)])
        capped.append(replace(leg, spending=spending, pause=pause))
    return tuple(capped)


def _caps(chance: random.Random, jobs: Iterable[Job]) -> Budget:
    all_of_it = _costs(jobs)
    kinds = chance.choice(
        [("total",), ("total",), ("total",), ("per_day",), ("per_day",), ("per_month",), ("total", "per_day")]
    )
    caps: dict[str, Any] = {kind: _about(all_of_it, chance.uniform(0.15, 1.1)) for kind in kinds}
    per_job = Decimal(5) if chance.random() < 0.1 else None
    return Budget(**caps, per_job=per_job, trust_refunds=chance.random() < 0.5)


def _costs(jobs: Iterable[Job]) -> float:
    return sum(8.0 if job.model == SEEDLESS else job.params.get("numInferenceSteps", 28) / 7 for job in jobs)


def _about(amount: float, share: float) -> Decimal:
    return Decimal(round(amount * share * 4)) / 4
