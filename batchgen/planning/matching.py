"""Which job of the manifest is which record of the journal.

Equal jobs are matched, not numbered: taking one of two equals out of a manifest never
makes the other one look new, which would buy it again.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from batchgen.identity import content_key
from batchgen.lifecycle import Record, State
from batchgen.model import Job, JobKey

T = TypeVar("T")

# The better a record stands, the sooner a wanted job takes it: what is done or paid for first.
_STANDING: Mapping[State, int] = {
    State.COLLECTED: 0,
    State.SUCCEEDED: 0,
    State.RUNNING: 1,
    State.SUBMITTING: 1,
    State.IN_DOUBT: 2,
    State.HELD: 2,
    State.PLANNED: 3,
    State.FAILED: 4,
    State.REFUSED: 4,
    State.CANCELED: 4,
    State.ABANDONED: 5,
}


def match(jobs: Sequence[Job], records: Mapping[JobKey, Record]) -> tuple[list[JobKey], list[JobKey]]:
    """Return each job its key, in order, and the keys of the records that no job took."""
    recorded = _gathered((key.content, key) for key in records)
    wanted = _gathered((content_key(job), index) for index, job in enumerate(jobs))
    keys: list[JobKey | None] = [None] * len(jobs)
    for content, indices in wanted.items():
        found = recorded.get(content)
        if isinstance(indices, int) and not isinstance(found, list):  # nearly all
            keys[indices] = JobKey(content) if found is None else found
            continue
        places = [indices] if isinstance(indices, int) else indices
        candidates = found if isinstance(found, list) else [] if found is None else [found]
        for index, key in _match_equals(content, places, jobs, candidates, records).items():
            keys[index] = key
    taken = set(keys)
    return [key for key in keys if key is not None], [key for key in records if key not in taken]


def _gathered(pairs: Iterable[tuple[str, T]]) -> dict[str, T | list[T]]:
    """Return what has each name: a list only where it is more than one, for 100,000 lists weigh 9 MB."""
    found: dict[str, T | list[T]] = {}
    for name, one in pairs:
        before = found.setdefault(name, one)
        if before is one:
            continue
        if isinstance(before, list):
            before.append(one)
        else:
            found[name] = [before, one]
    return found


def _match_equals(
    content: str,
    indices: Sequence[int],
    jobs: Sequence[Job],
    candidates: Iterable[JobKey],
    records: Mapping[JobKey, Record],
) -> dict[int, JobKey]:
    """Match the jobs that ask for the same: by id first, then best standing first, then new keys."""
    best = sorted(candidates, key=lambda key: (_STANDING[records[key].state], key.ordinal))
    keys: dict[int, JobKey] = {}
    for index in indices:
        same = next((key for key in best if _recorded_id(records[key]) == jobs[index].id), None)
        if same is not None:
            keys[index] = same
            best.remove(same)
    used = {key.ordinal for key in (*best, *keys.values())}
    for index in indices:
        if index not in keys:
            keys[index] = best.pop(0) if best else JobKey(content, _free(used))
    return keys


def _recorded_id(record: Record) -> str | None:
    return record.job.id if record.job else None


def _free(used: set[int]) -> int:
    ordinal = 0
    while ordinal in used:
        ordinal += 1
    used.add(ordinal)
    return ordinal
