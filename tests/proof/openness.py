"""Draws what the guides leave open: how the service shows things, which key, whose clock, how long."""

import random
from dataclasses import replace

from batchgen.model import Job
from tests.proof.lens import Echo, Garbage, Lens, Uploads
from tests.proof.scenario import SEEDED, Leg, Scenario

KINDS = ("author", "type", "echo", "garbage", "unreadable", "keys", "clocks", "months", "receipts", "alone")
_OPEN = 0.4  # share of the seeds in which something is otherwise than the guides suggest
_MONTH = 30 * 86_400.0  # seconds


def opened(seed: int, scenario: Scenario) -> Scenario:
    """Open one or two things in some of the seeds; each seed says which."""
    chance = random.Random(f"batchgen proof {seed}, what is open")
    uploads = chance.choice([Uploads.HIDDEN, Uploads.LISTED, Uploads.LISTED, Uploads.REFUSED])
    scenario = replace(scenario, lens=Lens(uploads=uploads))
    if chance.random() >= _OPEN:
        return scenario
    for kind in chance.sample(KINDS, chance.choice([1, 1, 2])):
        scenario = replace(_DRAWS[kind](chance, scenario), opened=(*scenario.opened, kind))
    return scenario


def _author(chance: random.Random, scenario: Scenario) -> Scenario:
    kind = chance.choice(["none", "person"])
    visits = scenario.visits
    if kind == "none":  # then nothing tells a row from that of another key that sends the very same body
        seeded = (one for one in visits if one.job.model == SEEDED and one.job.derive_seed)
        visits = tuple(replace(one, same_batch=False) for one in seeded)
    return replace(scenario, lens=replace(scenario.lens, row_author=kind), visits=visits)


def _receipts(_: random.Random, scenario: Scenario) -> Scenario:
    return replace(scenario, lens=replace(scenario.lens, receipts_name_us=False))


def _type(chance: random.Random, scenario: Scenario) -> Scenario:
    kind = chance.choice(["", "custom-generation", "inference"])
    return replace(scenario, lens=replace(scenario.lens, row_type=kind))


def _echo(chance: random.Random, scenario: Scenario) -> Scenario:
    kinds = [Echo.SPACES, Echo.ENTITIES, *([] if scenario.loses_journals else [Echo.WIDTH])]
    lens = replace(scenario.lens, echo=chance.choice(kinds), share=chance.choice([1.0, 1.0, 0.5]))
    legs = tuple(replace(leg, jobs=tuple(map(_odd, leg.jobs))) for leg in scenario.legs)
    visits = tuple(replace(one, job=_odd(one.job)) for one in scenario.visits)
    return replace(scenario, lens=lens, legs=legs, visits=visits)


def _odd(job: Job) -> Job:
    return replace(job, prompt=job.prompt and job.prompt.replace(", ", ",  a & b "))


def _garbage(chance: random.Random, scenario: Scenario) -> Scenario:
    kind = chance.choice([Garbage.UNDATED, Garbage.DATED, Garbage.OLD])
    loops = chance.random() < 0.3
    return replace(scenario, lens=replace(scenario.lens, garbage=kind, loops=loops))


def _unreadable(chance: random.Random, scenario: Scenario) -> Scenario:
    if scenario.loses_journals:  # what nobody can read, nobody finds again
        return scenario
    return replace(scenario, lens=replace(scenario.lens, unreadable=chance.choice([0.2, 0.5])))


def _keys(chance: random.Random, scenario: Scenario) -> Scenario:
    """Rotate the key between runs; the old one goes on to be who it was.

    Who an old key was is lost with the journal, and with what a backup is older than.
    """
    if scenario.loses_journals:
        return scenario
    keys = [f"key-{n}" for n in range(3)]
    legs = tuple(replace(leg, key=chance.choice(["", *keys])) for leg in scenario.legs)
    settings = replace(scenario.settings, more_keys=tuple(keys))
    return replace(scenario, legs=legs, settings=settings, last_key=chance.choice(["", *keys]))


def _clocks(chance: random.Random, scenario: Scenario) -> Scenario:
    """Let our clock be wrong in some runs, and be set while they go on."""
    if scenario.market is not None:  # the law of prices counts the age of one by this clock
        return scenario
    legs = tuple(_with_a_clock(chance, leg) for leg in scenario.legs)
    return replace(scenario, legs=legs)


def _with_a_clock(chance: random.Random, leg: Leg) -> Leg:
    wrong = chance.choice([0.0, chance.uniform(-300, 300), chance.choice([-7200.0, 7200.0, 86_400.0])])
    step = (chance.uniform(0, 30), chance.choice([-3600.0, -90.0, 90.0, 3600.0]))
    return replace(leg, clock=wrong, step=step if chance.random() < 0.4 else None)


def _months(chance: random.Random, scenario: Scenario) -> Scenario:
    """Let weeks pass between runs."""
    if scenario.loses_journals:  # what is lost is looked for a day back
        return scenario
    legs = tuple(replace(leg, pause=chance.uniform(0.03, 2.0) * _MONTH) for leg in scenario.legs)
    return replace(scenario, legs=legs)


def _alone(_: random.Random, scenario: Scenario) -> Scenario:
    """Leave one job, which has no other that could be a witness."""
    legs = tuple(replace(leg, jobs=leg.jobs[:1]) for leg in scenario.legs)
    return replace(scenario, legs=legs)


_DRAWS = {
    "author": _author,
    "receipts": _receipts,
    "type": _type,
    "echo": _echo,
    "garbage": _garbage,
    "unreadable": _unreadable,
    "keys": _keys,
    "clocks": _clocks,
    "months": _months,
    "alone": _alone,
}
