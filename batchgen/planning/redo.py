"""Which jobs can be made again, and which edition of a job can be its own again. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from batchgen.lifecycle import DONE, State
from batchgen.model import Job, JobKey
from batchgen.planning.chains import Typed, outdated_in
from batchgen.planning.editions import OVER_IN_VAIN, Shelf, free_ordinal, has_arrived
from batchgen.planning.plan import Entry, Plan
from batchgen.record import Record

_UNDER_WAY = frozenset({State.SUBMITTING, State.IN_DOUBT, State.RUNNING, State.SUCCEEDED})


class Choice(NamedTuple):
    """An edition that is to be a job's newest.

    Attributes:
        head: the job's first edition, on whose record it is put.
        ordinal: of the edition.
        job: the job's id.
    """

    head: JobKey
    ordinal: int
    job: str


def wrong_with_redo(plan: Plan, typed: Typed, name: str) -> str | None:
    """Return why the job of this id cannot be made again; None if it can.

    Args:
        plan: of the batch.
        typed: gives a command on the batch.
        name: the id of one of its jobs.
    """
    entry = plan.by_id[name]
    state = entry.record.state
    if entry.accepted:
        return (
            f"{name!r} has what was bought before it was changed; `{typed('restore', '--undo', name)}` gives "
            "that back, and a run buys the new form"
        )
    if entry.stands is not None and not _has_ended(entry):
        return _under_way(name, state, typed)
    if entry.stands is not None or state in DONE:
        return None
    if state in OVER_IN_VAIN:
        return f"{name!r} has failed: `{typed('retry', name)}` tries it again"
    match state:
        case State.PLANNED:
            return f"{name!r} has not been bought: `{typed('run')}` buys it"
        case State.RUNNING:
            return f"{name!r} is paid for and still runs at the service: wait until it has arrived"
        case State.ABANDONED:
            return (
                f"{name!r} was given up for good; give the job another prompt, input or seed to buy it anew"
            )
        case _:
            return f"{name!r} is in doubt: it may have been paid for; `{typed('resolve')}` decides"


def _under_way(name: str, state: State, typed: Typed) -> str:
    if state is State.HELD:
        return f"{name!r} is being made again, and needs your decision: `{typed('resolve')}`"
    return f"{name!r} is being made again already: `{typed('run')}` finishes it"


def with_children(plan: Plan, places: Iterable[int]) -> list[int]:
    """Return some jobs, and what was made of them, however far on, as far as it can be made again."""
    found = dict.fromkeys(places)
    for place in tuple(found):
        for one in plan.lineage.descendants(place):
            entry = plan.entries[one]
            is_there = entry.record.state in DONE if entry.stands is None else _has_ended(entry)
            if is_there and not entry.accepted:
                found[one] = None
    return sorted(found)


def _has_ended(entry: Entry) -> bool:
    """Return whether another edition of a job has ended without what it was to bring."""
    return entry.record.state in OVER_IN_VAIN or entry.record.state is State.COLLECTED


def with_a_seed_of_their_own(plan: Plan, places: Collection[int]) -> list[int]:
    """Return those of some jobs whose seed the manifest gives and whose inputs stay: nothing new would come.

    Args:
        plan: of the batch.
        places: of the jobs that are to be made again.
    """
    seeded = [place for place in places if has_own_seed(plan.entries[place].job)]
    if not seeded:
        return []
    meant = set(places)
    outdated = {one.child.key for one in outdated_in(plan)}
    return [
        place
        for place in seeded
        if meant.isdisjoint(plan.lineage.ancestors(place)) and plan.entries[place].key not in outdated
    ]


def has_own_seed(job: Job) -> bool:
    """Return whether the manifest gives a job's seed."""
    seed = job.params.get("seed")
    return isinstance(seed, int | float) and not isinstance(seed, bool)


def made_again(plan: Plan, places: Iterable[int], records: Mapping[JobKey, Record]) -> tuple[Choice, ...]:
    """Return the new edition of each of some jobs.

    Args:
        plan: of the batch.
        places: of the jobs, each of which can be made again.
        records: the journal's.
    """
    shelf = Shelf(records)
    taken: dict[str, set[JobKey]] = {}
    for key in (*records, *(one.key for one in plan.entries)):
        taken.setdefault(key.content, set()).add(key)
    found: list[Choice] = []
    for place in places:
        entry = plan.entries[place]
        same = taken[entry.key.content]
        ordinal = free_ordinal(entry.key.content, same, shelf)
        same.add(JobKey(entry.key.content, ordinal))
        found.append(Choice(shelf.head(entry.key), ordinal, entry.job.id))
    return tuple(found)


def given_back(
    entry: Entry,
    shelf: Shelf,
    typed: Typed,
    *,
    asset_id: str = "",
    undo: bool = False,
) -> Choice | str:
    """Return the edition that a job gets back, or why it gets none.

    Args:
        entry: the job.
        shelf: the editions on record.
        typed: gives a command on the batch.
        asset_id: an asset of the edition that is meant; empty for the one before.
        undo: whether the latest that has arrived is meant.
    """
    name, state = entry.job.id, entry.record.state
    editions, records = shelf.of(entry.key), shelf.records
    if entry.stands is not None and state in _UNDER_WAY:
        return (
            f"{name!r} is being made again, which is paid for or may be: wait until it has arrived "
            f"(`{typed('run')}`)"
        )
    if entry.stands is not None and state is State.HELD:
        return _under_way(name, state, typed)
    if entry.stands is not None and not asset_id and not undo:
        return Choice(editions.all[0], editions.current.ordinal, name)  # what was asked for is taken back
    arrived = [one for one in editions.all if one in records and has_arrived(records[one])]
    chosen = _meant(name, editions.current, arrived, records, asset_id=asset_id, undo=undo)
    if chosen == editions.newest:
        return f"{name!r} has that already"
    return chosen if isinstance(chosen, str) else Choice(editions.all[0], chosen.ordinal, name)


def _meant(
    name: str,
    current: JobKey,
    arrived: Sequence[JobKey],
    records: Mapping[JobKey, Record],
    *,
    asset_id: str,
    undo: bool,
) -> JobKey | str:
    if asset_id:
        found = next((one for one in arrived if asset_id in records[one].asset_ids), None)
        if found is None:
            there = ", ".join(asset for one in arrived for asset in records[one].asset_ids) or "none"
            return f"{asset_id} is no asset that {name!r} has had; it has had {there}"
        return found
    if undo:
        if not arrived or arrived[-1] == current:
            return f"nothing was restored for {name!r}: it has the latest that was made"
        return arrived[-1]
    before = arrived[: arrived.index(current)] if current in arrived else arrived
    return before[-1] if before else f"{name!r} has had nothing before what it has now"
