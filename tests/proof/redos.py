"""Seeds in which a person has jobs made again, and takes back what was made.

Pure, with a source of chance of its own: the seeds without stay as they were. Each of these has further
runs, in which what was asked for meets every accident, edits of the manifest and other commands.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from batchgen.identity import references_of
from batchgen.manifest.values import Budget
from batchgen.model import Job
from tests.proof.acts import Act, What
from tests.proof.scenario import Accident, JournalFate, Leg, Scenario

_SHARE = 0.12  # of the seeds in which no names change and no journal is lost
_WEIGHTS = {What.REDO: 6, What.WITH_CHILDREN: 3, What.RESTORE: 4, What.UNDO: 1, What.ASSET: 2}
_MOST_AT = 30.0  # seconds of a run


def with_redos(seed: int, scenario: Scenario) -> Scenario:
    """Let a person have jobs made again in some seeds."""
    chance = random.Random(f"batchgen proof {seed}, redos")
    plain = scenario.legs[-1].name is None
    if not plain or chance.random() >= _SHARE:
        return scenario
    legs = [
        replace(leg, acts=_acts(chance, leg) if nth and chance.random() < 0.5 else ())
        for nth, leg in enumerate(scenario.legs)
    ]
    legs.append(_further(chance, legs, undisturbed=True))
    later = [_further(chance, legs) for _ in range(chance.choice([1, 2, 2, 3]))]
    if chance.random() < 0.4:  # what is made of jobs is added when these are made again
        legs = [replace(leg, jobs=_without_children(leg.jobs)) for leg in legs]
    legs += later
    if scenario.loses_journals:
        legs = _with_the_loss_later(chance, legs)
    settings = scenario.settings
    if chance.random() < 0.4:
        outcomes = replace(settings.outcomes, failures=chance.choice([0.2, 0.4]))
        settings = replace(settings, outcomes=outcomes)
    return replace(scenario, legs=tuple(legs), settings=settings)


def _without_children(jobs: Sequence[Job]) -> tuple[Job, ...]:
    return tuple(one for one in jobs if not references_of(one))


def _with_the_loss_later(chance: random.Random, legs: Sequence[Leg]) -> list[Leg]:
    """Let what befalls the journal befall it when jobs were made again, and all that was bought is listed."""
    lossy = next(leg for leg in legs if leg.journal is not JournalFate.KEPT)
    kept = [replace(leg, journal=JournalFate.KEPT, pause=min(leg.pause, 900.0)) for leg in legs]
    at = chance.randrange(len(kept) - 1, len(kept) + 1)
    kept[at - 1] = replace(kept[at - 1], pause=chance.uniform(120.0, 900.0))
    fate = replace(_further(chance, kept, undisturbed=True), journal=lossy.journal, copied=lossy.copied)
    return [*kept[:at], replace(fate, pause=900.0), *kept[at:]]


def has_redos(scenario: Scenario) -> bool:
    """Return whether a person has anything made again."""
    return any(leg.acts for leg in scenario.legs)


def _further(chance: random.Random, legs: Sequence[Leg], *, undisturbed: bool = False) -> Leg:
    """Return a run of the last manifest, or of one before, with what a person does meanwhile.

    Args:
        chance: decides.
        legs: the runs before.
        undisturbed: whether it comes to its end, so that there is something to be made again.
    """
    last = legs[-1]
    slot = [leg for leg in legs if leg.slot == last.slot]
    spending = last.spending and replace(last.spending, limit=None)
    if spending is not None and chance.random() < 0.5:
        spending = replace(spending, budget=Budget())
    leg = replace(
        last,
        jobs=chance.choice([last.jobs, last.jobs, last.jobs, *(leg.jobs for leg in slot)]),
        accident=Accident.NONE if undisturbed else chance.choice([Accident.NONE] * 5 + list(Accident)),
        nth=min(1 + int(chance.expovariate(0.3)), 60),
        at=chance.uniform(0, 60),
        steps=chance.choice([0, 0, 1, 3, 10]),
        power=chance.random() < 0.4,
        pause=chance.choice([1.0, 20.0, 900.0, 86_400.0]),
        spending=spending,
        retry=last.retry and chance.random() < 0.5,
        accepts=False,
        journal=JournalFate.KEPT,
    )
    return replace(leg, acts=_acts(chance, leg))


def _acts(chance: random.Random, leg: Leg) -> tuple[Act, ...]:
    live = not leg.slot and (leg.spending is None or leg.spending.limit is None)
    return tuple(_act(chance, live=live) for _ in range(chance.choice([1, 1, 2, 3])))


def _act(chance: random.Random, *, live: bool) -> Act:
    moment = chance.uniform(0, _MOST_AT) if chance.random() < 0.5 else chance.uniform(0, 3)
    return Act(
        what=chance.choices(list(_WEIGHTS), weights=list(_WEIGHTS.values()))[0],
        share=chance.choice([0.3, 0.6, 1.0]),
        at=moment if live and chance.random() < 0.35 else None,
        salt=chance.randrange(1_000_000),
    )
