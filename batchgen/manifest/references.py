"""Other jobs that a manifest names as inputs: ``{job: ID}``, its output or all of them.

What such a mapping may say, and which id its text stands for, is decided here. Whether there is a job of that
id is known when all jobs are: see ``expand/chains``.
"""

from collections.abc import Mapping
from typing import Final, Literal

from batchgen.identity import EVERY
from batchgen.manifest.source.scalars import kind_of, plain, text_of
from batchgen.model import Json

JOB, OUTPUT, OUTPUTS = "job", "output", "outputs"
ONLY_KEPT: Final = "mark:kept"  # what can stand beside the entry whose jobs go in
_KEYS = frozenset({JOB, OUTPUT, OUTPUTS})


def is_reference(value: Json) -> bool:
    """Return whether a value of a parameter, as it is written, names another job: it says nothing else."""
    return isinstance(value, dict) and JOB in value and value.keys() <= _KEYS


def reference(value: Mapping[str, Json]) -> dict[str, Json]:
    """Return what stands among a job's parameters, the variables filled in.

    Raises:
        ValueError: what is wrong with the mapping.
    """
    check_id(value[JOB])
    made: dict[str, Json] = {JOB: str(value[JOB])}
    if OUTPUT in value and OUTPUTS in value:
        raise ValueError("output picks one asset and outputs takes all of them; leave one of the two out")
    if OUTPUT in value:
        made[OUTPUT] = _number(value[OUTPUT])
    if OUTPUTS in value:
        if value[OUTPUTS] != EVERY:
            shown = value[OUTPUTS] if isinstance(value[OUTPUTS], str) else kind_of(value[OUTPUTS])
            raise ValueError(f"outputs takes {EVERY}, not {shown}; for one of them write output: 0")
        made[OUTPUTS] = EVERY
    return made


def check_id(value: Json) -> None:
    """Refuse what is no job's id.

    Raises:
        ValueError: it is no text, or has no character.
    """
    given = plain(value)
    if not isinstance(given, str):
        right = f'; write "{text_of(value)}"' if isinstance(given, int | float) else ""
        raise ValueError(f"job takes the id of a job, as text, not {kind_of(given)}{right}")  # noqa: TRY004 - the user's mistake
    if not given.strip():
        raise ValueError("job takes the id of a job, and here is none")


def _number(value: Json) -> int:
    number = plain(value)
    if type(number) is not int or number < 0:
        shown = text_of(value) if isinstance(value, int | float) else kind_of(value)
        raise ValueError(f"output takes the number of an asset, from 0, not {shown}")
    return number


def read_only(value: Json) -> Literal["mark:kept"]:
    """Return which jobs of another entry go in, where that is not all.

    Raises:
        ValueError: it says something else than those that a person keeps.
    """
    if value == ONLY_KEPT:
        return ONLY_KEPT
    shown = f'"{value}"' if isinstance(value, str) else kind_of(value)
    raise ValueError(f"only {ONLY_KEPT} can stand here, for jobs that a person keeps, not {shown}")
