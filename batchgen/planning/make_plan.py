"""Which entry of a plan each job of the manifest is, by what is on record. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from batchgen.identity import references_of
from batchgen.lifecycle import Record, State
from batchgen.lineage import Lineage, lineage_of
from batchgen.model import Acceptance, Job, JobKey
from batchgen.planning.chain_matching import Matched, match_chains
from batchgen.planning.editions import Bought, Editions, Shelf
from batchgen.planning.marks import NO_MARKS, Marks
from batchgen.planning.matching import match
from batchgen.planning.plan import Entry, Plan, may_be_kept, may_be_retried


def make_plan(
    jobs: Sequence[Job],
    records: Mapping[JobKey, Record],
    *,
    retry_failed: bool = False,
    accepted: Mapping[Acceptance, JobKey] | None = None,
    now: float = float("inf"),
    marks: Marks = NO_MARKS,
) -> Plan:
    """Check the manifest's jobs against the journal's records.

    Args:
        jobs: the manifest's.
        records: the journal's.
        retry_failed: ask for another attempt at what failed; what moderation stopped stays, for
            it would be stopped, and perhaps charged, again.
        accepted: the records that changed jobs keep.
        now: seconds since the epoch.
        marks: what a person says of what came out: the one kept asset of several is what goes into a child.
    """
    lineage = lineage_of(jobs)
    matched = _matched(jobs, lineage, records, accepted or {}, marks)
    shelf = Shelf(records)
    removed = tuple(
        Entry(key=key, job=job, record=records[key])
        for key in matched.left
        if not shelf.is_later(key)
        for key in [shelf.of(key).current]
        if (job := records[key].job) is not None and records[key].state is not State.ABANDONED
    )
    gone = {entry.job.id for entry in removed}
    entries = tuple(
        _entry(
            job,
            shelf.of(key),
            records,
            kept=place in matched.kept,
            changed=job.id in gone,
            retry_failed=retry_failed,
        )
        for place, (key, job) in enumerate(zip(matched.keys, matched.jobs, strict=True))
    )
    return Plan(
        entries=entries,
        removed=removed,
        earlier=tuple(_earlier((*entries, *removed), shelf, records)) if shelf else (),
        lineage=lineage,
        at=now,
    )


def _entry(
    job: Job,
    editions: Editions,
    records: Mapping[JobKey, Record],
    *,
    kept: bool,
    changed: bool,
    retry_failed: bool,
) -> Entry:
    """Return a job of the manifest with its newest edition, or with what it keeps of before a change."""
    newest, current = editions.newest, editions.current
    if kept:
        return Entry(key=current, job=job, record=records[current], wanted=False, accepted=True)
    record = records.get(newest, _UNKNOWN)
    return Entry(
        key=newest,
        job=job,
        record=record,
        changed=changed,
        retry=retry_failed and may_be_retried(record),
        stands=None if newest == current else Bought(current, records[current]),
    )


_UNKNOWN = Record()


def entries_on_record(records: Mapping[JobKey, Record]) -> Iterator[Entry]:
    """Return the jobs on record where there is no manifest, each with its newest edition."""
    shelf = Shelf(records)
    for key, record in records.items():
        if record.job is not None and not shelf.is_later(key):
            yield with_newest(Entry(key=key, job=record.job, record=record), shelf, records)


def with_newest(entry: Entry, shelf: Shelf, records: Mapping[JobKey, Record]) -> Entry:
    """Return a job with the newest of its editions, and what stands for it."""
    editions = shelf.of(entry.key)
    newest, current = editions.newest, editions.current
    stands = None if newest == current else Bought(current, records[current])
    return replace(entry, key=newest, record=records.get(newest, _UNKNOWN), stands=stands)


def with_editions(plan: Plan, records: Mapping[JobKey, Record]) -> Plan:
    """Return a plan with what is on record now, where jobs may have been made again since it was made."""
    shelf = Shelf(records)

    def now(entry: Entry) -> Entry:
        if entry.accepted or len(shelf.of(entry.key).all) == 1:
            return entry.as_of(records)
        return with_newest(entry, shelf, records)

    return replace(plan, entries=tuple(map(now, plan.entries)))


def _earlier(entries: Iterable[Entry], shelf: Shelf, records: Mapping[JobKey, Record]) -> Iterator[Entry]:
    """Return the other editions of jobs, each under the name that its job has now."""
    for entry in entries:
        for key in shelf.of(entry.key).all:
            if key != entry.key and key in records and _counts(records[key]):
                yield Entry(key=key, job=entry.job, record=records[key], wanted=False)


def _counts(record: Record) -> bool:
    """Return whether another edition was bought, or may turn up at the service yet."""
    if record.state is State.PLANNED:
        return bool(record.submissions or record.absences)
    return record.state is not State.ABANDONED


def _matched(
    jobs: Sequence[Job],
    lineage: Lineage,
    records: Mapping[JobKey, Record],
    accepted: Mapping[Acceptance, JobKey],
    marks: Marks,
) -> Matched:
    """Return which job has which record; without a chain on either side all are matched in one go."""
    if lineage.is_empty:
        keys, left = match(jobs, records)
        if not any(one.job is not None and references_of(one.job) for one in map(records.__getitem__, left)):
            kept = _kept(jobs, keys, left, records, accepted)
            taken = set(kept.values())
            return Matched(
                jobs=jobs,
                keys=[kept.get(key, key) for key in keys] if kept else keys,
                kept=frozenset(place for place, key in enumerate(keys) if key in kept) if kept else _NONE,
                left=[key for key in left if key not in taken],
            )
    return match_chains(jobs, lineage, records, accepted=accepted, may_keep=may_be_kept, marks=marks)


_NONE: frozenset[int] = frozenset()


def _kept(
    jobs: Sequence[Job],
    keys: Sequence[JobKey],
    left: Sequence[JobKey],
    records: Mapping[JobKey, Record],
    accepted: Mapping[Acceptance, JobKey],
) -> dict[JobKey, JobKey]:
    """Return the record that each changed job keeps, by the key it would have of its own.

    A job that was bought in its own form keeps that one, and no record serves two jobs.
    """
    if not accepted:
        return {}
    shelf = Shelf(records)
    free = {key for key in left if may_be_kept(records[key]) and not shelf.is_later(key)}
    kept: dict[JobKey, JobKey] = {}
    for job, key in zip(jobs, keys, strict=True):
        bought = accepted.get(Acceptance(job.id, key.content))
        old = None if bought is None else shelf.head(bought)
        if old in free and key not in records:
            free.discard(old)
            kept[key] = old
    return kept


def with_vanished(plan: Plan, lost: Collection[JobKey]) -> Plan:
    """Mark the collected jobs whose files are not on the disk any more."""
    if not lost:
        return plan

    def marked(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        return tuple(replace(one, vanished=True) if _has_lost(one, lost) else one for one in entries)

    return replace(
        plan, entries=marked(plan.entries), removed=marked(plan.removed), earlier=marked(plan.earlier)
    )


def _has_lost(entry: Entry, lost: Collection[JobKey]) -> bool:
    record = entry.record
    return entry.key in lost and record.state is State.COLLECTED and not record.lacks_files
