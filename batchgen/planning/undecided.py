"""Jobs that go through others a person keeps, where nobody has kept them yet. Pure.

They are no jobs of the batch until the decision is there: not bought, nothing is kept for them, and what was
bought of them before is carried as what the manifest has no more is. So is all that hangs on them.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from batchgen.formats import counted
from batchgen.lifecycle import State
from batchgen.lineage import lineage_of
from batchgen.planning.chains import Typed
from batchgen.planning.marks import Mark, Marks, mark_of
from batchgen.planning.plan import Entry, Plan

_NAMED = 3  # jobs that a sentence names


class Undecided(NamedTuple):
    """A job that waits for a mark on another one.

    Attributes:
        job: its id.
        parent: the entry that has to be kept, however far back.
        selected: whether a person means the job.
        is_rejected: whether that one is rejected, so that nothing waits for an answer.
    """

    job: str
    parent: Entry
    selected: bool
    is_rejected: bool


def undecided_places(plan: Plan, kept_rows: Mapping[int, str], marks: Marks) -> dict[int, int]:
    """Return the places of the jobs that wait for a mark, each with that of the job that is to be kept.

    Args:
        plan: of all jobs.
        kept_rows: by the place of each job that goes through kept ones the id of the one that is its row.
        marks: what a person says.
    """
    if not kept_rows:
        return {}
    places = {one.job.id: place for place, one in enumerate(plan.entries)}
    rows = {place: places[name] for place, name in kept_rows.items() if name in places}
    hanging: dict[int, list[int]] = {}
    for place, row in rows.items():
        hanging.setdefault(row, []).append(place)
    unkept = {row for row in hanging if _mark(plan.entries[row], marks) is not Mark.KEPT}
    found = {place: row for place, row in rows.items() if row in unkept}
    ahead = deque(found)
    while ahead:  # chains may be as long as a manifest
        place = ahead.popleft()
        for one in (*plan.lineage.children.get(place, ()), *hanging.get(place, ())):
            if one not in found:
                found[one] = found[place]
                ahead.append(one)
    return {place: _first(found[place], found) for place in sorted(found)}


def _first(row: int, found: Mapping[int, int]) -> int:
    """Return the job that is to be kept before all others on the way."""
    while row in found:
        row = found[row]
    return row


def _mark(entry: Entry, marks: Marks) -> Mark | None:
    return mark_of(entry.current.record.asset_ids, marks)


def held_back(plan: Plan, places: Collection[int]) -> Plan:
    """Return a plan in which some jobs are not to be bought, and nothing comes along for them."""
    if not places:
        return plan
    entries = (
        replace(one, wanted=False, retry=False) if place in places else one
        for place, one in enumerate(plan.entries)
    )
    return replace(plan, entries=tuple(entries))


def left_out(plan: Plan, places: Collection[int]) -> Plan:
    """Return a plan without some jobs and all that hang on them; what was bought of them is removed."""
    if not places:
        return plan
    kept = tuple(one for place, one in enumerate(plan.entries) if place not in places)
    gone = [one for place, one in enumerate(plan.entries) if place in places and _is_on_record(one)]
    removed = [_removed(one) for one in gone]
    own = {one.key for one in removed}
    beside = [
        Entry(key=one.key, job=one.job, record=one.record, wanted=False, selected=one.selected)
        for one in gone
        if one.stands is not None and one.record.job is not None
    ]
    return replace(
        plan,
        entries=kept,
        removed=(*plan.removed, *removed),
        earlier=(*(one for one in plan.earlier if one.key not in own), *beside),
        lineage=lineage_of([one.job for one in kept]),
    )


def _is_on_record(entry: Entry) -> bool:
    record = entry.current.record
    return record.job is not None and record.state is not State.ABANDONED


def _removed(entry: Entry) -> Entry:
    """Return what was bought of a job as something that the manifest has no more."""
    key, record = entry.current
    return Entry(
        key=key,
        job=record.job or entry.job,
        record=record,
        vanished=entry.vanished,
        selected=entry.selected,
    )


def undecided_in(plan: Plan, places: Mapping[int, int], marks: Marks) -> tuple[Undecided, ...]:
    """Return the jobs at these places, in their order.

    Args:
        plan: of all jobs.
        places: of those that wait, each with that of the one that is to be kept.
        marks: what a person says.
    """

    def one(place: int, row: int) -> Undecided:
        entry, parent = plan.entries[place], plan.entries[row]
        is_rejected = _mark(parent, marks) is Mark.REJECTED
        return Undecided(entry.job.id, parent, entry.selected, is_rejected)

    return tuple(one(place, row) for place, row in places.items())


def waits_of(undecided: Sequence[Undecided]) -> Mapping[str, str]:
    """Return why nothing can be done with each of these jobs, by its id."""
    return {
        one.job: f"{one.job!r} waits until {one.parent.job.id!r}, which it goes through, is marked kept"
        for one in undecided
    }


def told_undecided(undecided: Sequence[Undecided], typed: Typed) -> str:
    """Return what waits for which marks, with the command, in a sentence; empty where nothing waits.

    Args:
        undecided: the jobs that are meant.
        typed: gives a command on the batch.
    """
    asked = [one for one in undecided if not one.is_rejected]
    parents = {one.parent.job.id: one.parent for one in asked}
    made = [one for one in parents.values() if one.current.record.asset_ids]
    parts = []
    if asked:
        names = ", ".join(list(parents)[:_NAMED]) + (", ..." if len(parents) > _NAMED else "")
        wait = "waits" if len(asked) == 1 else "wait"
        told = f"{counted(len(asked), 'job')} {wait} for your decision about {counted(len(parents), 'job')}"
        parts.append(f"{told} ({names}): {_what_decides(made, typed)}")
    if rejected := len(undecided) - len(asked):
        parts.append(
            f"{counted(rejected, 'job')} {'is' if rejected == 1 else 'are'} left out behind rejected ones"
        )
    return "; ".join(parts)


def _what_decides(made: Sequence[Entry], typed: Typed) -> str:
    """Return the command that decides, of one that is made already if there is any."""
    if not made:
        return f"once they are made, `{typed('mark', 'kept')} JOB` keeps one"
    first = made[0]
    one = ["--asset", "0"] if len(first.current.record.asset_ids) > 1 else []
    return f"`{typed('mark', 'kept', first.job.id, *one)}` keeps the first"
