"""Which job of the manifest is which record of the journal.

Equal jobs are matched, not numbered: taking one of two equals out of a manifest never
makes the other one look new, which would buy it again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from batchgen.identity import content_key
from batchgen.lifecycle import Record, State
from batchgen.model import Job, JobKey

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
    recorded: dict[str, list[JobKey]] = defaultdict(list)
    for key in records:
        recorded[key.content].append(key)
    wanted: dict[str, list[int]] = defaultdict(list)
    for index, job in enumerate(jobs):
        wanted[content_key(job)].append(index)
    keys: dict[int, JobKey] = {}
    for content, indices in wanted.items():
        candidates = recorded.get(content, [])
        if len(indices) == 1 and len(candidates) <= 1:  # nearly all
            keys[indices[0]] = candidates[0] if candidates else JobKey(content)
        else:
            keys.update(_match_equals(content, indices, jobs, candidates, records))
    taken = set(keys.values())
    return [keys[index] for index in range(len(jobs))], [key for key in records if key not in taken]


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
