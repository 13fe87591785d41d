"""What is to be done, job by job, and why.

The plan decides nothing about money by itself: it says where each job of the manifest
stands by the journal, and the engine does what the state calls for.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from batchgen.identity import references_of
from batchgen.lifecycle import IN_FLIGHT, TRANSITIONS, Record, RetryAsked, State
from batchgen.lineage import Lineage, lineage_of
from batchgen.model import Acceptance, Job, JobKey
from batchgen.planning.chain_matching import Matched, match_chains
from batchgen.planning.lanes import Lane, Wait, waits_of
from batchgen.planning.matching import match
from batchgen.planning.sampling import spread
from batchgen.planning.stages import Stage, stage_of

_KEEPABLE = frozenset({*IN_FLIGHT, State.SUCCEEDED, State.COLLECTED} - {State.HELD})


class Standing(StrEnum):
    """Where a job of the manifest stands before a run: its stage, and of what is not bought the reason."""

    NEW = "new"
    CHANGED = "changed"
    AGAIN = "not accepted yet"
    RETRY = "to be tried again"
    RUNNING = Stage.RUNNING.value
    IN_DOUBT = Stage.IN_DOUBT.value
    FAILED = Stage.FAILED.value
    COLLECT = Stage.FILES_MISSING.value
    DONE = Stage.DONE.value


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One job with its key and what the journal says of it.

    Attributes:
        changed: whether the journal knows the id with other inputs.
        retry: whether another attempt is asked for, after one that failed.
        wanted: whether this run may buy it; others are only carried to their end.
        accepted: whether a person keeps for it what was bought before it was changed: the record
            and the key are those of the old form, and nothing is bought for it.
        vanished: whether files that were collected are not on the disk any more.
        selected: whether a person means it, who named some jobs: others are neither bought nor shown.
    """

    key: JobKey
    job: Job
    record: Record = field(default_factory=Record)
    changed: bool = False
    retry: bool = False
    wanted: bool = True
    accepted: bool = False
    vanished: bool = False
    selected: bool = True

    @property
    def standing(self) -> Standing:
        """Return where it stands."""
        stage = stage_of(self.record)
        if stage is Stage.DONE and self.vanished:
            return Standing.COLLECT
        if stage is Stage.NOT_BOUGHT:
            known = Standing.CHANGED if self.changed else Standing.NEW
            return known if self.record.job is None else Standing.AGAIN
        if stage is Stage.FAILED and self.retry:
            return Standing.RETRY
        return Standing(stage.value)


@dataclass(frozen=True, kw_only=True)  # no slots: what is worked out once is kept
class Plan:
    """The manifest in the light of the journal.

    Attributes:
        entries: the manifest's jobs, in its order.
        removed: records that the manifest no longer names, oldest first: carried to their
            end, never bought.
        lineage: which of the entries feed which, by their places.
        at: when it was made, seconds since the epoch: for a day a success may show more assets.
    """

    entries: tuple[Entry, ...]
    removed: tuple[Entry, ...] = ()
    lineage: Lineage = field(default_factory=Lineage)
    at: float = float("inf")

    @cached_property
    def to_submit(self) -> tuple[Entry, ...]:
        """The jobs that would be bought: not those that a parent blocks."""
        blocked = {place for place, one in self.waits.items() if one.lane is Lane.BLOCKED}
        return tuple(
            one
            for place, one in enumerate(self.entries)
            if one.wanted and (one.retry or one.record.state is State.PLANNED) and place not in blocked
        )

    @cached_property
    def waits(self) -> Mapping[int, Wait]:
        """Why jobs that are not bought wait for a parent, or are blocked by one, by place."""
        return waits_of(self.entries, self.lineage, now=self.at)

    def lane_of(self, place: int) -> Lane:
        """Return whether a job that is not bought can be bought now."""
        return self.waits[place].lane if place in self.waits else Lane.READY

    def waits_for(self, place: int) -> tuple[Entry, ...]:
        """Return the parents that a job waits for, or that block it."""
        return tuple(self.entries[one] for one in self.waits[place].parents) if place in self.waits else ()

    def why_blocked(self, place: int) -> str:
        """Return what blocks a job, for people; empty where nothing does."""
        return self.waits[place].why if place in self.waits else ""

    @cached_property
    def by_id(self) -> Mapping[str, Entry]:
        """The manifest's jobs by id."""
        return {one.job.id: one for one in self.entries}

    @cached_property
    def removed_by_id(self) -> Mapping[str, Sequence[Entry]]:
        """What the manifest no longer names, by id, oldest first."""
        found: dict[str, list[Entry]] = {}
        for one in self.removed:
            found.setdefault(one.job.id, []).append(one)
        return found

    @cached_property
    def shown(self) -> "Plan":
        """The same of the jobs that a person means."""
        if all(one.selected for one in (*self.entries, *self.removed)):
            return self
        entries = tuple(one for one in self.entries if one.selected)
        return replace(
            self,
            entries=entries,
            removed=tuple(one for one in self.removed if one.selected),
            lineage=lineage_of([one.job for one in entries]),
        )

    def counts(self) -> Mapping[Standing, int]:
        """Count the jobs by standing; standings without a job are left out."""
        return Counter(entry.standing for entry in self.entries)

    def paid_twice_by_edit(self) -> tuple[tuple[Entry, Entry], ...]:
        """Return each changed job whose predecessor is in flight: both may be paid for."""
        running = {entry.job.id: entry for entry in self.removed if entry.record.state in IN_FLIGHT}
        return tuple((entry, running[entry.job.id]) for entry in self.to_submit if entry.job.id in running)


def make_plan(
    jobs: Sequence[Job],
    records: Mapping[JobKey, Record],
    *,
    retry_failed: bool = False,
    accepted: Mapping[Acceptance, JobKey] | None = None,
    now: float = float("inf"),
) -> Plan:
    """Check the manifest's jobs against the journal's records.

    Args:
        jobs: the manifest's.
        records: the journal's.
        retry_failed: ask for another attempt at what failed; what moderation stopped stays, for
            it would be stopped, and perhaps charged, again.
        accepted: the records that changed jobs keep.
        now: seconds since the epoch.
    """
    lineage = lineage_of(jobs)
    matched = _matched(jobs, lineage, records, accepted or {})
    removed = tuple(
        Entry(key=key, job=job, record=records[key])
        for key in matched.left
        if (job := records[key].job) is not None and records[key].state is not State.ABANDONED
    )
    gone = {entry.job.id for entry in removed}
    unknown = Record()
    return Plan(
        entries=tuple(
            Entry(key=key, job=job, record=records[key], wanted=False, accepted=True)
            if place in matched.kept
            else Entry(
                key=key,
                job=job,
                record=(record := records.get(key, unknown)),
                changed=job.id in gone,
                retry=retry_failed and may_be_retried(record),
            )
            for place, (key, job) in enumerate(zip(matched.keys, matched.jobs, strict=True))
        ),
        removed=removed,
        lineage=lineage,
        at=now,
    )


def _matched(
    jobs: Sequence[Job],
    lineage: Lineage,
    records: Mapping[JobKey, Record],
    accepted: Mapping[Acceptance, JobKey],
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
    return match_chains(jobs, lineage, records, accepted=accepted, may_keep=may_be_kept)


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
    free = {key for key in left if may_be_kept(records[key])}
    kept: dict[JobKey, JobKey] = {}
    for job, key in zip(jobs, keys, strict=True):
        old = accepted.get(Acceptance(job.id, key.content))
        if old in free and key not in records:
            free.discard(old)
            kept[key] = old
    return kept


def may_be_kept(record: Record) -> bool:
    """Return whether a changed job may keep a record: it is paid for, or may be, and has not failed."""
    return record.state in _KEEPABLE


def a_few_of(
    plan: Plan,
    *,
    limit: int | None = None,
    sample: int | None = None,
    origins: Sequence[Hashable] | None = None,
) -> Plan:
    """Leave only some of the jobs to be bought: the first ones, or some that are spread over all.

    Args:
        plan: of all.
        limit: how many of the first; None for all.
        sample: how many that are spread over entries, models and values; None for all.
        origins: for each entry of the plan what tells the manifest's entry that it comes from.
    """
    wanted = [one.key for one in plan.to_submit]
    if sample is not None and sample < len(wanted):
        buying = set(wanted)
        places = [place for place, one in enumerate(plan.entries) if one.key in buying]
        jobs = [plan.entries[place].job for place in places]
        known = [origins[place] if origins is not None else None for place in places]
        wanted = [wanted[place] for place in spread(jobs, known, sample)]
    if limit is not None:
        wanted = wanted[:limit]
    if len(wanted) == len(plan.to_submit):
        return plan
    chosen, buying = set(wanted), {one.key for one in plan.to_submit}
    entries = tuple(
        replace(one, wanted=one.wanted and (one.key in chosen or one.key not in buying))
        for one in plan.entries
    )
    return replace(plan, entries=entries)


def only_selected(plan: Plan, places: Collection[int], *, retry: bool = False) -> Plan:
    """Leave only some jobs to be bought or tried again.

    Args:
        plan: of all.
        places: of the jobs that are meant, among the manifest's and the removed ones behind them.
        retry: ask for another attempt at those that have failed, as far as that may be asked for.
    """
    meant, first = frozenset(places), len(plan.entries)

    def chosen(one: Entry, place: int) -> Entry:
        if place not in meant:
            return replace(one, wanted=False, retry=False, selected=False)
        return replace(one, retry=True) if retry and may_be_retried(one.record) else one

    return replace(
        plan,
        entries=tuple(chosen(one, place) for place, one in enumerate(plan.entries)),
        removed=tuple(chosen(one, place) for place, one in enumerate(plan.removed, start=first)),
    )


def only_carried(plan: Plan) -> Plan:
    """Leave nothing to be bought or tried again: what is paid for is carried to its end."""
    return replace(plan, entries=tuple(replace(one, wanted=False, retry=False) for one in plan.entries))


def with_vanished(plan: Plan, lost: Collection[JobKey]) -> Plan:
    """Mark the collected jobs whose files are not on the disk any more."""
    if not lost:
        return plan

    def marked(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        return tuple(replace(one, vanished=True) if _has_lost(one, lost) else one for one in entries)

    return replace(plan, entries=marked(plan.entries), removed=marked(plan.removed))


def _has_lost(entry: Entry, lost: Collection[JobKey]) -> bool:
    record = entry.record
    return entry.key in lost and record.state is State.COLLECTED and not record.lacks_files


def may_be_unrecorded(entry: Entry) -> bool:
    """Return whether nobody wants this job bought now, and the service may have it all the same."""
    return not entry.wanted and entry.record.state is State.PLANNED


def may_be_retried(record: Record) -> bool:
    """Return whether another attempt may be asked for: after a failure, but not by moderation."""
    return RetryAsked in TRANSITIONS[record.state] and not record.moderated


def wrong_with_retry(plan: Plan, name: str) -> str | None:
    """Return why the job of this id, one of the plan's, cannot be tried again; None if it can."""
    entry = plan.by_id[name]
    if may_be_retried(entry.record):
        return None
    match entry.record.state:
        case State.FAILED | State.REFUSED | State.CANCELED:
            what = "what goes in" if entry.job.prompt is None else "its prompt"
            return f"{name!r} was stopped by moderation, and would be again; change {what}"
        case State.RUNNING:
            return f"{name!r} is paid for and still runs at the service"
        case State.SUBMITTING | State.IN_DOUBT | State.HELD:
            return f"{name!r} is in doubt: it may have been paid for; `batchgen resolve` decides"
        case State.PLANNED:
            return f"{name!r} has not failed: a run submits it"
        case State.ABANDONED:
            return (
                f"{name!r} was given up for good; give the job another prompt, input or seed to buy it anew"
            )
        case State.SUCCEEDED | State.COLLECTED:
            return f"{name!r} has not failed: it is done"
