"""What results say of jobs that were made again: which submission was which edition of which job. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from batchgen.lifecycle import DONE, Event, Record, RedoAsked, Restored, apply
from batchgen.model import JobKey, Json, RemoteJob
from batchgen.planning.editions import Shelf
from batchgen.reconcile.matching import assets_in, equal
from batchgen.reconcile.recall import Recalled
from batchgen.reconcile.saved_results import Role, SavedJob


def told_apart(saved: Sequence[SavedJob], rows: Mapping[str, RemoteJob], *, skew: float) -> list[SavedJob]:
    """Return the jobs of the results, each with its own editions alone, as they were sent.

    Results tell what a job had before by its id: what it had before an edit too, and its editions.

    Args:
        saved: by the results.
        rows: submissions as the service shows them, by id.
        skew: seconds by which the service's clock is ahead of ours.
    """
    jobs = {one.remote_id for one in saved}
    best: dict[str, tuple[tuple[bool, bool], int]] = {}
    for place, job in enumerate(saved):
        for one in job.others:
            if one.remote_id is not None and one.remote_id not in jobs:
                fits = _fits(one, rows.get(one.remote_id))
                rank = (not fits, (one.prompt, one.model) != (job.prompt, job.model))
                best[one.remote_id] = min(best.get(one.remote_id, (rank, place)), (rank, place))
    return [
        replace(
            job,
            others=tuple(
                _as_sent(one, rows.get(one.remote_id or ""), skew)
                for one in job.others
                if (one.remote_id in best and best[one.remote_id][1] == place)
                or (one.remote_id is None and one.role is Role.REDO and one.in_doubt)
            ),
        )
        if job.others
        else job
        for place, job in enumerate(saved)
    ]


def _fits(one: SavedJob, row: RemoteJob | None) -> bool:
    """Return whether a row shows what a job would have sent, but for its seed and what goes in."""
    shown = row.inputs if row is not None else None
    if not shown:
        return True
    asked = {name: value for name, value in one.params.items() if name != "seed" and not assets_in(value)}
    return all(equal(value, shown.get(name)) for name, value in asked.items())


def _as_sent(one: SavedJob, row: RemoteJob | None, skew: float) -> SavedJob:
    """Return a submission with its date, and with what went into it, which an edition of a parent made."""
    if row is None:
        return one
    at = None if row.created_at is None else row.created_at - skew
    return replace(one, submitted_at=at, params=_with_assets(one.params, row.inputs or {}))


def _with_assets(params: Mapping[str, Json], shown: Mapping[str, Json]) -> Mapping[str, Json]:
    return {
        name: shown[name] if assets_in(value) and assets_in(shown.get(name)) else value
        for name, value in params.items()
    }


def editions_among(recalled: Iterable[Recalled]) -> Iterator[Sequence[Recalled]]:
    """Return the editions of each job that the results tell of more than one of."""
    found: dict[int, list[Recalled]] = {}
    for one in recalled:
        found.setdefault(one.place, []).append(one)
    return (some for some in found.values() if len(some) > 1)


def forgotten_among(saved: Iterable[SavedJob], recalled: Iterable[Recalled]) -> int:
    """Count what was under way and may be paid for, and nothing tells the body that left."""
    doubts = sum(one.in_doubt for job in saved for one in job.others)
    return doubts - sum(one.saved.in_doubt and one.saved.role is Role.REDO for one in recalled)


def order_of(
    some: Sequence[Recalled], records: Mapping[JobKey, Record], *, at: float
) -> tuple[JobKey, Sequence[Event]] | None:
    """Return what the first edition of a job has to have on record, so that the same one is its own again.

    Args:
        some: the editions, each recorded or left out.
        records: the journal's.
        at: now.

    Returns:
        The key of the first, and what is to be recorded of it; None where there is nothing to record.
    """
    own = next((one.key for one in some if one.saved.role is Role.OWN), some[0].key)
    redo = [one.key for one in some if one.saved.role is Role.REDO]
    there = {one.key for one in some if one.key in records and one.key.content == own.content}
    keys = sorted(there, key=lambda key: key.ordinal)
    head = _head_of(keys, records)
    if head is None:
        return None
    shelf, notes, record = Shelf(records), list[Event](), records[head]
    free = [key for key in keys if key != head and shelf.head(key) == key and not records[key].editions]
    wanted: list[Event] = [RedoAsked(at=at, ordinal=key.ordinal) for key in free if key not in redo]
    last = free[-1] if wanted else head
    if own in there and own != last and (wanted or not record.editions):
        wanted.append(Restored(at=at, ordinal=own.ordinal))
    wanted += [RedoAsked(at=at, ordinal=key.ordinal) for key in free if key in redo]
    for note in wanted:
        record = apply(record, note)
        notes.append(note)
    return (head, notes) if notes else None


def _head_of(keys: Sequence[JobKey], records: Mapping[JobKey, Record]) -> JobKey | None:
    """Return the first edition: the one that the journal has as such, else the first that has succeeded."""
    shelf = Shelf(records)
    known = (shelf.head(key) for key in keys if shelf.is_later(key) or records[key].editions)
    return next(known, None) or next((key for key in keys if records[key].state in DONE), None)
