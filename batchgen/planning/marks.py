"""What a person says of the assets that came out: kept, rejected, and a note. Pure.

A mark stands on an asset, never on a job, so that what a job makes later begins without one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

UNMARKED = "none"  # how the lack of a mark is written


class Mark(StrEnum):
    """What a person says of an asset."""

    KEPT = "kept"
    REJECTED = "rejected"


WORDS = (*map(str, Mark), UNMARKED)


class Marked(NamedTuple):
    """A mark as it stands.

    Attributes:
        mark: kept or rejected.
        note: a person's words with it; empty where there are none.
        at: when it was made or changed last, seconds since the epoch.
    """

    mark: Mark
    note: str
    at: float


Marks = Mapping[str, Marked]  # by the id of the asset
NO_MARKS: Marks = {}


def mark_of(asset_ids: Iterable[str], marks: Marks) -> Mark | None:
    """Return the mark of a job: kept if one of its current assets is, else rejected if one is."""
    found = {marks[one].mark for one in asset_ids if one in marks} if marks else ()
    return next((one for one in Mark if one in found), None)


def kept_of(asset_ids: Iterable[str], marks: Marks) -> tuple[str, ...]:
    """Return which of some assets are kept, in their order."""
    return tuple(one for one in asset_ids if one in marks and marks[one].mark is Mark.KEPT) if marks else ()


class Wanted(NamedTuple):
    """What a person wants of the mark of one asset.

    Attributes:
        asset_id: whose.
        mark: kept, rejected or ``none``; None where it stays and only the note is changed.
        note: the words with it; None where they stay.
    """

    asset_id: str
    mark: str | None
    note: str | None = None


class Change(NamedTuple):
    """How marks are changed, and how many stay.

    Attributes:
        made: the marks that are made, or get another value or note, by asset.
        noted: those of them that get another note alone.
        removed: the assets whose marks are taken away.
        same: how many assets are as they were.
    """

    made: dict[str, Marked]
    noted: set[str]
    removed: list[str]
    same: int

    def count(self, mark: Mark) -> int:
        """Return how many assets get a mark that they did not have."""
        return sum(one.mark is mark for asset, one in self.made.items() if asset not in self.noted)


def change_of(wanted: Sequence[Wanted], marks: Marks, *, at: float) -> Change:
    """Return what has to be written, where the last word on an asset counts.

    A note alone changes nothing of an asset without a mark. A mark that is not the one before loses the note
    that went with that.

    Args:
        wanted: what a person wants.
        marks: as they are.
        at: seconds since the epoch.
    """
    change, same = Change({}, set(), [], 0), 0
    for one in {each.asset_id: each for each in wanted}.values():
        before = marks.get(one.asset_id)
        mark = one.mark or (before.mark if before is not None else UNMARKED)
        if mark == UNMARKED:
            if before is None:
                same += 1
            else:
                change.removed.append(one.asset_id)
            continue
        old_note = before.note if before is not None and before.mark == mark else ""
        note = old_note if one.note is None else one.note
        if before is not None and (before.mark, before.note) == (mark, note):
            same += 1
            continue
        change.made[one.asset_id] = Marked(Mark(mark), note, at)
        if before is not None and before.mark == mark:
            change.noted.add(one.asset_id)
    return change._replace(same=same)


def counted_marks(jobs: Iterable[Collection[str]], marks: Marks) -> dict[Mark, int]:
    """Return how many of some jobs have each mark, by the assets of each."""
    found = [mark_of(one, marks) for one in jobs] if marks else []
    return {mark: found.count(mark) for mark in Mark}
