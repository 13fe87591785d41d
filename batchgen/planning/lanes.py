"""Which jobs of a chain can be bought, which wait for a parent, and which a parent blocks. Pure.

Lanes are no states: nothing of them is on record. They follow from the parents' records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from batchgen.identity import Reference, references_of
from batchgen.lifecycle import DONE, State
from batchgen.lineage import Lineage
from batchgen.model import Job
from batchgen.planning.editions import Bought, came_to_nothing
from batchgen.planning.parent_assets import handed
from batchgen.record import Record


class Step(Protocol):
    """A job of a plan, as far as its lane depends on it."""

    @property
    def job(self) -> Job:
        """What is asked for."""
        ...

    @property
    def record(self) -> Record:
        """What is on record of it."""
        ...

    @property
    def retry(self) -> bool:
        """Whether another attempt is asked for."""
        ...

    @property
    def stands(self) -> Bought | None:
        """What the job has already, where another one of the same is wanted."""
        ...


class Lane(StrEnum):
    """How a job that is not bought stands to its parents."""

    READY = "ready"
    WAITING = "waiting"
    BLOCKED = "blocked"


_BAD = {
    State.FAILED: "failed",
    State.REFUSED: "was refused",
    State.CANCELED: "was canceled",
    State.HELD: "needs your decision",
    State.ABANDONED: "was given up",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """Why a job is not ready.

    Attributes:
        lane: waiting or blocked.
        parents: the places of its own parents that it waits for, or that block it.
        root: the place of the job that blocks it, however far back; None where it only waits.
        why: what is wrong with that one, for people; empty where it only waits.
    """

    lane: Lane
    parents: tuple[int, ...]
    root: int | None = None
    why: str = ""


def waits_of(
    entries: Sequence[Step],
    lineage: Lineage,
    *,
    now: float,
    blocked: Mapping[int, str] | None = None,
) -> Mapping[int, Wait]:
    """Return why jobs that are not bought are not ready, by place; ready ones are left out.

    Args:
        entries: of a plan.
        lineage: of their jobs.
        now: seconds since the epoch.
        blocked: what a run has found out that records do not say: why what came out of its parents cannot
            go into a job, by its place.
    """
    found: dict[int, Wait] = {}
    for place in lineage.order if not lineage.is_empty else ():
        if place in lineage.parents and is_unbought(entries[place]):
            wait = _wait(place, entries, lineage, found, now)
            if wait is None and blocked and place in blocked:
                wait = _found_blocked(place, entries, lineage, blocked[place])
            if wait is not None:
                found[place] = wait
    return found


def _found_blocked(place: int, entries: Sequence[Step], lineage: Lineage, why: str) -> Wait:
    """Return why a job is blocked by what a run has found out of one of its parents."""
    parents = lineage.parents[place]
    root = next((one for one in parents if f" {entries[one].job.id} " in f" {why} "), parents[0])
    return Wait(lane=Lane.BLOCKED, parents=(root,), root=root, why=why)


def is_unbought(entry: Step) -> bool:
    """Return whether a job is to be bought, or may be."""
    return entry.record.state is State.PLANNED or (entry.retry and entry.record.state not in DONE)


def _wait(
    place: int, entries: Sequence[Step], lineage: Lineage, known: Mapping[int, Wait], now: float
) -> Wait | None:
    waits: list[int] = []
    bad: list[int] = []
    root, why = None, ""
    for parent in lineage.parents[place]:
        entry, behind = entries[parent], known.get(parent)
        found, cause = "", parent
        record = _feeding(entry, entries[place], behind, now)
        if record.state in DONE:
            given = [handed(record, one, now=now) for one in _named(entries[place], entry.job.id)]
            found = next((one.why for one in given if one.why), "")
            if not found and any(one.is_waited_for for one in given):
                waits.append(parent)
        elif record.state in _BAD and not entry.retry:
            again = "" if entry.stands is None else " when it was made again"
            found = f"{entry.job.id} {_BAD[record.state]}{again}"
        elif _is_blocked(behind):
            assert behind is not None
            assert behind.root is not None
            found, cause = behind.why, behind.root
        else:
            waits.append(parent)
        if found:
            bad.append(parent)
            root, why = (cause, found) if root is None else (root, why)
    if bad:
        return Wait(lane=Lane.BLOCKED, parents=tuple(bad), root=root, why=why)
    return Wait(lane=Lane.WAITING, parents=tuple(waits)) if waits else None


def _feeding(parent: Step, child: Step, behind: Wait | None, now: float) -> Record:
    """Return the record of the edition of a parent that a child is to get."""
    if parent.stands is not None and falls_back(parent, child, now=now, is_blocked=_is_blocked(behind)):
        return parent.stands.record
    return parent.record


def _is_blocked(wait: Wait | None) -> bool:
    return wait is not None and wait.root is not None


def falls_back(parent: Step, child: Step, *, now: float, is_blocked: bool = False) -> bool:
    """Return whether a parent's other edition came to nothing, and a child gets what it had before.

    A child that is to be made again as well does not: it would be the same again.

    Args:
        parent: with its newest edition.
        child: that is to be bought.
        now: seconds since the epoch.
        is_blocked: whether that edition cannot be bought, for what goes into it.
    """
    if parent.stands is None or child.stands is not None or parent.retry:
        return False
    return is_blocked or came_to_nothing(parent.record, now=now)


def _named(entry: Step, parent: str) -> list[Reference]:
    return [one for one in references_of(entry.job) if one.job == parent]
