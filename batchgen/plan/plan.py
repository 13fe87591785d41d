"""What is to be done, job by job, and why.

The plan decides nothing about money by itself: it says where each job of the manifest
stands by the journal, and the engine does what the state calls for.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from batchgen.lifecycle import IN_FLIGHT, TRANSITIONS, Record, RetryAsked, State
from batchgen.model import Job, JobKey
from batchgen.plan.matching import match


class Standing(StrEnum):
    """Where a job of the manifest stands before a run."""

    NEW = "new"
    CHANGED = "changed"
    AGAIN = "not accepted yet"
    RETRY = "to be tried again"
    IN_FLIGHT = "in flight"
    IN_DOUBT = "in doubt"
    FAILED = "failed"
    COLLECT = "files missing"
    DONE = "done"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One job with its key and what the journal says of it.

    Attributes:
        changed: whether the journal knows the id with other inputs.
        retry: whether another attempt is asked for, after one that failed.
    """

    key: JobKey
    job: Job
    record: Record = field(default_factory=Record)
    changed: bool = False
    retry: bool = False

    @property
    def standing(self) -> Standing:
        """Say where it stands."""
        match self.record.state:
            case State.PLANNED if self.record.job is None:
                return Standing.CHANGED if self.changed else Standing.NEW
            case State.PLANNED:
                return Standing.AGAIN
            case State.SUBMITTING | State.IN_DOUBT | State.HELD:
                return Standing.IN_DOUBT
            case State.RUNNING:
                return Standing.IN_FLIGHT
            case State.SUCCEEDED:
                return Standing.COLLECT
            case State.COLLECTED:
                return Standing.DONE
            case State.FAILED | State.REFUSED | State.CANCELED | State.ABANDONED:
                return Standing.RETRY if self.retry else Standing.FAILED


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The manifest in the light of the journal.

    Attributes:
        entries: the manifest's jobs, in its order.
        removed: records that the manifest no longer names, oldest first: carried to their
            end, never bought.
    """

    entries: tuple[Entry, ...]
    removed: tuple[Entry, ...] = ()

    @property
    def to_submit(self) -> tuple[Entry, ...]:
        """The jobs that would be bought."""
        return tuple(one for one in self.entries if one.retry or one.record.state is State.PLANNED)

    def counts(self) -> Mapping[Standing, int]:
        """Count the jobs by standing; standings without a job are left out."""
        return Counter(entry.standing for entry in self.entries)

    def paid_twice_by_edit(self) -> tuple[tuple[Entry, Entry], ...]:
        """Give each changed job whose predecessor is in flight: both may be paid for."""
        running = {entry.job.id: entry for entry in self.removed if entry.record.state in IN_FLIGHT}
        return tuple((entry, running[entry.job.id]) for entry in self.to_submit if entry.job.id in running)


def make_plan(jobs: Sequence[Job], records: Mapping[JobKey, Record], *, retry_failed: bool = False) -> Plan:
    """Hold the manifest's jobs against the journal's records.

    Args:
        jobs: the manifest's.
        records: the journal's.
        retry_failed: ask for another attempt at what failed; what moderation stopped stays, for
            it would be stopped, and perhaps charged, again.
    """
    keys, left = match(jobs, records)
    removed = tuple(
        Entry(key=key, job=job, record=records[key])
        for key in left
        if (job := records[key].job) is not None and records[key].state is not State.ABANDONED
    )
    gone = {entry.job.id for entry in removed}
    unknown = Record()
    return Plan(
        entries=tuple(
            Entry(
                key=key,
                job=job,
                record=(record := records.get(key, unknown)),
                changed=job.id in gone,
                retry=retry_failed and RetryAsked in TRANSITIONS[record.state] and not record.moderated,
            )
            for key, job in zip(keys, jobs, strict=True)
        ),
        removed=removed,
    )
