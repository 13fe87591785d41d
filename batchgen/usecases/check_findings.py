"""What holding a manifest against its models comes to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from batchgen.errors import Problem
from batchgen.model import Model

UNCHECKED = "models and their inputs were not checked"


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What holding a manifest against its models came to, where nothing is wrong.

    Attributes:
        models: those that were described, by id.
        warnings: what is probably a mistake by what the models declare, and stops nothing.
        notes: sentences about what could not be checked or may surprise.
        skipped: what was left out and why, on one line; empty where nothing was.
        closed: models that this account may not use, and why; only where that is no problem.
    """

    models: Mapping[str, Model]
    closed: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    skipped: str = ""
    warnings: tuple[Problem, ...] = ()
