"""Under which names a batch is run: project, address, batch and manifest, as they change between runs.

Pure: equal seeds give equal names.
"""

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.proof.scenario import Scenario

ADDRESSES = ("http://127.0.0.1/v1", "http://localhost//v1")
OWN, OTHERS = "proj_simulated", "proj_of-others"
_BATCHES = ("spring", "summer", "winter")
_BLIND = 0.25  # share of those whose journal knows two projects of one account from before
_SHARE = 0.08  # of the seeds without money that keep their journal


@dataclass(frozen=True, kw_only=True)
class Name:
    """What one run is called.

    Attributes:
        origin: the address of the one service.
        project: empty for the key's own, which has a name too.
        path: where the manifest lies.
        gone: paths of manifests that are removed before the run.
        blind: whether an earlier program runs it, which took each project for an account of its own.
        allows: whether a person who is asked lets the run go on, instead of going back to the old name.
    """

    origin: str = ADDRESSES[0]
    project: str = ""
    batch: str = _BATCHES[0]
    path: str = "0.yaml"
    gone: tuple[str, ...] = ()
    blind: bool = False
    allows: bool = False

    @property
    def account(self) -> str:
        """Who pays, in the service's eyes."""
        return self.project or OWN


def with_names(seed: int, scenario: "Scenario") -> "Scenario":
    """Let the names change between the runs of some seeds, which keep their journal in the SQLite file."""
    chance = random.Random(f"batchgen proof {seed}, what it is called")
    if chance.random() >= _SHARE or scenario.loses_journals or scenario.market is not None:
        return scenario
    legs = list(scenario.legs)
    is_blind = chance.random() < _BLIND
    legs += legs[-1:] * ((3 if is_blind else 2) - len(legs))
    names = [Name()]
    while len(names) < len(legs):
        quiet = replace(names[-1], gone=())
        names.append(_another(chance, quiet, len(names)) if chance.random() < 0.7 else quiet)
    if is_blind:
        names[:2] = replace(names[0], blind=True), replace(names[0], project=OWN, blind=True)
    named = tuple(replace(leg, name=name) for leg, name in zip(legs, names, strict=True))
    return replace(scenario, legs=named, file=True)


def _another(chance: random.Random, name: Name, nth: int) -> Name:
    batch = chance.choice([one for one in _BATCHES if one != name.batch])
    allows = chance.random() < 0.3
    name = replace(name, allows=allows)
    match chance.choice(["project", "project", "another's", "edit", "rename", "copy", "move", "address"]):
        case "project":
            return replace(name, project="" if name.project else OWN)
        case "another's":
            return replace(name, project=OTHERS)
        case "edit":
            return replace(name, batch=batch)
        case "rename":
            return replace(name, batch=batch, path=f"{nth}.yaml", gone=(name.path,))
        case "copy":
            return replace(name, batch=batch, path=f"{nth}.yaml")
        case "move":
            return replace(name, path=f"{nth}.yaml", gone=(name.path,))
        case _:
            return replace(name, origin=next(one for one in ADDRESSES if one != name.origin))
