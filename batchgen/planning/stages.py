"""The one set of words for where jobs stand, wherever they are counted for people. Pure.

``Standing`` of a plan has the same words, and finer ones for what is not bought; the ``status`` of a job in
results is finer in what failed. ``docs/glossary.md`` has the table.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import assert_never

from batchgen.record import Record, State


class Stage(StrEnum):
    """Where a job stands, in the order in which counts name it."""

    DONE = "done"
    FAILED = "failed"
    IN_DOUBT = "in doubt"
    FILES_MISSING = "files missing"
    RUNNING = "running"
    NOT_BOUGHT = "not bought"


def stage_of(record: Record | None, *, alive: bool = False) -> Stage:
    """Return where a job stands.

    Args:
        record: what the journal says of it; None where it says nothing.
        alive: whether the run that submits it goes on; the submit of a run that died is in doubt.
    """
    if record is None:
        return Stage.NOT_BOUGHT
    match record.state:
        case State.PLANNED:
            return Stage.NOT_BOUGHT
        case State.SUBMITTING:
            return Stage.RUNNING if alive else Stage.IN_DOUBT
        case State.IN_DOUBT | State.HELD:
            return Stage.IN_DOUBT
        case State.RUNNING:
            return Stage.RUNNING
        case State.SUCCEEDED | State.COLLECTED:
            bare = record.is_short and not record.asset_ids
            return Stage.FILES_MISSING if record.lacks_files or bare else Stage.DONE
        case State.FAILED | State.REFUSED | State.CANCELED | State.ABANDONED:
            return Stage.FAILED
        case _:
            assert_never(record.state)


def counted_stages(records: Iterable[Record | None], *, alive: bool = False) -> dict[Stage, int]:
    """Count jobs by stage, all stages in their order."""
    found = Counter(stage_of(one, alive=alive) for one in records)
    return {stage: found[stage] for stage in Stage}


def told_stages(
    counts: Mapping[Stage, int],
    *,
    total: int | None = None,
    waiting: int = 0,
    blocked: int = 0,
    are_steps: bool = False,
) -> str:
    """Return counts for people: ``12 of 20 done, 3 failed, 5 not bought``.

    Args:
        counts: how many jobs stand where.
        total: of how many; None for all that are counted.
        waiting: how many of those that are not bought wait for a parent.
        blocked: how many of them a parent blocks.
        are_steps: whether all of them are steps of chains.
    """
    total = sum(counts.values()) if total is None else total
    more = [f"{count} {stage}" for stage, count in counts.items() if count and stage is not Stage.DONE]
    lanes = [f"{count} {lane}" for count, lane in ((waiting, "waiting"), (blocked, "blocked")) if count]
    if lanes and more and counts.get(Stage.NOT_BOUGHT):
        more = [f"{one} ({', '.join(lanes)})" if one.endswith(Stage.NOT_BOUGHT) else one for one in more]
    noun = "steps " if are_steps else ""
    return ", ".join([f"{counts.get(Stage.DONE, 0)} of {total} {noun}done", *more])
