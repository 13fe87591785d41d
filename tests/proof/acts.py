"""What a person does with jobs that are done: has them made again, and takes back what was made.

As the commands do it: what a job allows is decided by the records at that moment, and all that one command
notes is noted in one transaction, before a run or while it goes on. The law is elsewhere.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from batchgen.lifecycle import Event, RedoAsked, Restored
from batchgen.model import JobKey
from batchgen.planning.editions import Shelf
from batchgen.planning.plan import Entry, Plan
from batchgen.planning.redo import (
    Choice,
    given_back,
    made_again,
    with_a_seed_of_their_own,
    with_children,
    wrong_with_redo,
)
from batchgen.record import Record


class What(StrEnum):
    """A command."""

    REDO = "redo"
    WITH_CHILDREN = "redo --children"
    RESTORE = "restore"
    UNDO = "restore --undo"
    ASSET = "restore --asset"


@dataclass(frozen=True, kw_only=True)
class Act:
    """A command that a person gives.

    Attributes:
        what: which one.
        share: of the jobs that are meant; those that it does not fit are left as they are.
        at: seconds of the run that goes on meanwhile; None where it is given before a run.
        salt: decides which jobs.
    """

    what: What
    share: float
    at: float | None = None
    salt: int = 0


Notes = Mapping[JobKey, Sequence[Event]]


def notes_of(act: Act, plan: Plan, records: Mapping[JobKey, Record], *, at: float) -> Notes:
    """Return what a command puts on record; nothing where no job that is meant allows it.

    Args:
        act: the command.
        plan: of the batch, as it is now.
        records: the journal's.
        at: seconds since the epoch.
    """
    chance = random.Random(f"batchgen proof, act {act.salt}")
    places = [place for place, _ in enumerate(plan.entries) if chance.random() < act.share]
    if act.what in {What.REDO, What.WITH_CHILDREN}:
        found = _again(act, plan, places, records)
        return _notes((one, RedoAsked(at=at, ordinal=one.ordinal)) for one in found)
    given = (_back(act, plan.entries[place], records, chance) for place in places)
    return _notes((one, Restored(at=at, ordinal=one.ordinal)) for one in given if isinstance(one, Choice))


def _notes(pairs: Iterable[tuple[Choice, Event]]) -> Notes:
    found: dict[JobKey, list[Event]] = {}
    for choice, event in pairs:
        found.setdefault(choice.head, []).append(event)
    return found


def _again(
    act: Act, plan: Plan, places: Sequence[int], records: Mapping[JobKey, Record]
) -> tuple[Choice, ...]:
    fit = [one for one in places if wrong_with_redo(plan, _typed, plan.entries[one].job.id) is None]
    if act.what is What.WITH_CHILDREN:
        fit = with_children(plan, fit)
    while same := with_a_seed_of_their_own(plan, fit):  # which would be the same again
        fit = [one for one in fit if one not in same]
    return made_again(plan, fit, records)


def _back(
    act: Act, entry: Entry, records: Mapping[JobKey, Record], chance: random.Random
) -> Choice | str | None:
    if entry.accepted:
        return None
    asset = ""
    if act.what is What.ASSET:
        same = (one for key, one in records.items() if key.content == entry.key.content)
        assets = sorted(asset for one in same for asset in one.asset_ids)
        asset = chance.choice(assets) if assets else ""
    return given_back(entry, Shelf(records), _typed, asset_id=asset, undo=act.what is What.UNDO)


def _typed(name: str, *words: str) -> str:
    return " ".join((name, *words))
