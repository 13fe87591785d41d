"""What is to be done, job by job, and why.

The plan decides nothing about money by itself: it says where each job of the manifest
stands by the journal, and the engine does what the state calls for.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from batchgen.lifecycle import IN_FLIGHT, TRANSITIONS, Record, RetryAsked, State
from batchgen.lineage import Lineage, lineage_of
from batchgen.model import Job, JobKey
from batchgen.planning.editions import Bought, has_arrived
from batchgen.planning.lanes import Lane, Wait, waits_of
from batchgen.planning.stages import Stage, stage_of

_KEEPABLE = frozenset({*IN_FLIGHT, State.SUCCEEDED, State.COLLECTED} - {State.HELD})


class Standing(StrEnum):
    """Where a job of the manifest stands before a run: its stage, and of what is not bought the reason."""

    NEW = "new"
    CHANGED = "changed"
    AGAIN = "not accepted yet"
    REDO = "to be made again"
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
        along: whether it is bought as another one that is meant needs it, or as it has waited for that one.
        stands: what the job has, where another edition is wanted, which key and record are of; None as soon
            as that one has arrived, and where none is wanted.
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
    along: bool = False
    stands: Bought | None = None

    @property
    def current(self) -> Bought:
        """The edition whose assets are the job's own."""
        return self.stands or Bought(self.key, self.record)

    @property
    def is_asked(self) -> bool:
        """Whether a person means it, or it is bought along with what a person means."""
        return self.selected or self.along

    def as_of(self, records: Mapping[JobKey, Record]) -> "Entry":
        """Return it with what is on record now; another attempt that was asked for is made by then."""
        record = records.get(self.key, self.record)
        stands = self.stands
        if stands is not None:
            known = Bought(stands.key, records.get(stands.key, stands.record))
            stands = None if has_arrived(record) else known
        if record is self.record and stands == self.stands:
            return self
        return replace(self, record=record, retry=self.retry and record is self.record, stands=stands)

    @property
    def standing(self) -> Standing:
        """Return where it stands."""
        stage = stage_of(self.record)
        if stage is Stage.DONE and self.vanished:
            return Standing.COLLECT
        if stage is Stage.NOT_BOUGHT and self.stands is not None:
            return Standing.REDO
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
        earlier: the other editions of jobs that were redone, those that stand for them included: each with
            its job, carried to its end and never bought.
        lineage: which of the entries feed which, by their places.
        at: when it was made, seconds since the epoch: for a day a success may show more assets.
        blocked: why what came out of its parents cannot go into a job, by its place, where a run has found
            that out and records do not say it.
        known_waits: why jobs wait or are blocked, where more jobs than these decide it.
    """

    entries: tuple[Entry, ...]
    removed: tuple[Entry, ...] = ()
    earlier: tuple[Entry, ...] = ()
    lineage: Lineage = field(default_factory=Lineage)
    at: float = float("inf")
    blocked: Mapping[int, str] = field(default_factory=dict)
    known_waits: Mapping[int, Wait] | None = None

    @property
    def carried(self) -> tuple[Entry, ...]:
        """All that a run carries to its end: the jobs, what is removed, and other editions."""
        return (*self.entries, *self.removed, *self.earlier)

    @cached_property
    def to_submit(self) -> tuple[Entry, ...]:
        """The jobs that would be bought: not those that a parent blocks."""
        return tuple(
            one
            for place, one in enumerate(self.entries)
            if one.wanted and (one.retry or one.record.state is State.PLANNED) and not self.is_blocked(place)
        )

    @cached_property
    def waits(self) -> Mapping[int, Wait]:
        """Why jobs that are not bought wait for a parent, or are blocked by one, by place."""
        if self.known_waits is not None:
            return self.known_waits
        return waits_of(self.entries, self.lineage, now=self.at, blocked=self.blocked)

    def as_of(
        self, records: Mapping[JobKey, Record], *, at: float, blocked: Mapping[JobKey, str] | None = None
    ) -> "Plan":
        """Return the same jobs with what is on record of them now, where that matters: see ``is_alive``.

        Args:
            records: the journal's.
            at: seconds since the epoch.
            blocked: what a run has found out; see ``EngineOutcome``.
        """
        if not self.is_alive:
            return self
        found = blocked or {}
        return replace(
            self,
            entries=tuple(one.as_of(records) for one in self.entries),
            at=at,
            blocked={place: found[one.key] for place, one in enumerate(self.entries) if one.key in found},
        )

    @cached_property
    def is_alive(self) -> bool:
        """Whether what comes out of jobs decides about others, or about which edition is theirs."""
        return not self.lineage.is_empty or any(one.stands is not None for one in self.entries)

    def lane_of(self, place: int) -> Lane:
        """Return whether a job that is not bought can be bought now."""
        return self.waits[place].lane if place in self.waits else Lane.READY

    def is_blocked(self, place: int) -> bool:
        """Return whether a parent keeps a job from being bought."""
        return self.lane_of(place) is Lane.BLOCKED

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
        return self._part(lambda one: one.selected)

    @cached_property
    def asked(self) -> "Plan":
        """The same of the jobs that a person means, and of what is bought along with them."""
        return self._part(lambda one: one.is_asked)

    @property
    def along(self) -> tuple[Entry, ...]:
        """What is bought along with the jobs that a person means."""
        return tuple(one for one in self.to_submit if one.along)

    def _part(self, fits: Callable[[Entry], bool]) -> "Plan":
        """Return the same of some jobs; what they wait for is what it is among all."""
        if all(map(fits, self.carried)):
            return self
        places = {place: number for number, place in enumerate(places_of(self.entries, fits))}
        entries = tuple(self.entries[place] for place in places)
        waits = {
            places[place]: replace(
                one,
                parents=tuple(places[parent] for parent in one.parents if parent in places),
                root=None if one.root is None else places.get(one.root),
            )
            for place, one in self.waits.items()
            if place in places
        }
        return replace(
            self,
            entries=entries,
            removed=tuple(filter(fits, self.removed)),
            earlier=tuple(filter(fits, self.earlier)),
            lineage=lineage_of([one.job for one in entries]),
            known_waits=waits,
        )

    def counts(self) -> Mapping[Standing, int]:
        """Count the jobs by standing; standings without a job are left out."""
        return Counter(entry.standing for entry in self.entries)

    def paid_twice_by_edit(self) -> tuple[tuple[Entry, Entry], ...]:
        """Return each changed job whose predecessor is in flight: both may be paid for."""
        beside = (*self.removed, *self.earlier)
        running = {entry.job.id: entry for entry in beside if entry.record.state in IN_FLIGHT}
        return tuple((entry, running[entry.job.id]) for entry in self.to_submit if entry.job.id in running)


def may_be_kept(record: Record) -> bool:
    """Return whether a changed job may keep a record: it is paid for, or may be, and has not failed."""
    return record.state in _KEEPABLE


def places_of(entries: Sequence[Entry], fits: Callable[[Entry], bool]) -> list[int]:
    """Return the places of the jobs that fit."""
    return [place for place, one in enumerate(entries) if fits(one)]


def may_be_unrecorded(entry: Entry) -> bool:
    """Return whether nobody wants this job bought now, and the service may have it all the same."""
    return not entry.wanted and entry.record.state is State.PLANNED


def may_be_retried(record: Record) -> bool:
    """Return whether another attempt may be asked for: after a failure, but not by moderation."""
    return RetryAsked in TRANSITIONS[record.state] and not record.moderated
