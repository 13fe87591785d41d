"""Why a run ends, and what it came to."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from batchgen.errors import BatchgenError, FencedError, NoRightError, StoppedError
from batchgen.formats import counted, units
from batchgen.lifecycle import Record, State
from batchgen.model import JobKey
from batchgen.planning.plan import Entry
from batchgen.rights import MEANINGS, Right


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """The jobs that nobody asked this run to buy.

    Attributes:
        jobs: how many.
        of: how many the manifest has.
        cost: compute units for those whose price is known, estimates included.
        unpriced: how many have no price that is known.
        estimated: for how many of them the price is an estimate, as their input does not exist yet.
        estimate: the part of the cost that is an estimate.
    """

    jobs: int
    of: int
    cost: Decimal
    unpriced: int
    estimated: int = 0
    estimate: Decimal = Decimal(0)

    def __str__(self) -> str:
        """Return the sentence for people; it is no reason for an exit status."""
        were = "1 job was" if self.jobs == 1 else f"{self.jobs} jobs were"
        text = f"{were} left out as asked, of {self.of}"
        if self.unpriced == self.jobs:
            return f"{text}; what the rest would cost is not known: `batchgen plan` asks"
        known = self.cost - self.estimate
        parts = [f"{units(known)} CU"] if known or not self.estimated else []
        if self.estimated:
            parts.append(
                f"about {units(self.estimate)} CU for {counted(self.estimated, 'job')} whose input does not "
                "exist yet"
            )
        parts += [f"{counted(self.unpriced, 'job')} more whose price is not known"] if self.unpriced else []
        return f"{text}; the rest would cost {', and '.join(parts)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Closed:
    """A model that the service does not run for this account.

    Attributes:
        reason: in the service's words.
        jobs: how many are left planned for it.
    """

    reason: str
    jobs: int


class Lacking:
    """The rights that a key was found to lack in a run, and the jobs that are left for want of them."""

    def __init__(self) -> None:
        """Know of none."""
        self._errors: dict[Right, NoRightError] = {}
        self._jobs: defaultdict[Right, set[JobKey]] = defaultdict(set)

    def add(self, error: NoRightError, jobs: Iterable[JobKey]) -> None:
        """Leave jobs for want of a right."""
        self._errors.setdefault(error.right, error)
        self._jobs[error.right].update(jobs)

    def error(self, right: Right) -> NoRightError | None:
        """Return what the service said when the right was found missing; None if it was not."""
        return self._errors.get(right)

    def count(self, *rights: Right) -> int:
        """Count the jobs that are left for want of one of these."""
        return len(set().union(*(self._jobs.get(one, ()) for one in rights)))

    def told(self) -> Iterator[str]:
        """Return what each lack leaves, a sentence each."""
        for right, error in self._errors.items():
            if jobs := self._jobs[right]:
                what = (
                    "paid for, with their files left at the service"
                    if right is Right.ASSETS
                    else "not bought"
                )
                yield f"{counted(len(jobs), 'job')} {what}: {error}; {MEANINGS[right].remedy}"


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineOutcome:
    """What one run of the engine came to.

    Attributes:
        stopped: why no further job can be submitted; None where nothing stopped it.
        drained: whether it was asked to submit no more.
        out_of_time: whether it was asked to because it has had its time.
        unreachable: whether it gave up because the service could not be reached, or took no job for an hour.
        out_of_sight: paid and still running when their timeout passed.
        missing: why the assets of these are not all on disk.
        vanished: collected before, gone from the disk, and not fetched again.
        spoiled: of those without all their files the ones for which another try hardly helps: what came
            is not their file, a day after their end and later.
        unwritable: why no further file could be written; empty if they could.
        turned_up: submissions that were shown absent and are there after all, a sentence each.
        lost: answers to submits that were lost in this run.
        over_budget: what the budget has left out, a sentence each.
        waits_for: other batches whose doubts could not be settled, a sentence each.
        unpriced: what waits for a price that the service did not tell, a sentence each.
        failures: how many jobs failed where they were too many to go on; 0 otherwise.
        orphans: what a look after the run found paid for and owned by no record, a sentence each.
        left_out: the jobs that it was not asked to buy; None where it was asked for all.
        closed: models that the service does not run for this account, and what that leaves.
        unlisted: why the service's jobs could not be listed before anything was bought; empty if they could.
        lacking: the rights that this key lacks, and the jobs that are left for want of them.
        blocked: why children of parents that succeeded stay, by what this run has found out.
        anew: whether the look before buying found editions of jobs: a run by another plan goes on.
    """

    stopped: StoppedError | None = None
    drained: bool = False
    out_of_time: bool = False
    unreachable: bool = False
    out_of_sight: frozenset[JobKey] = frozenset()
    missing: Mapping[JobKey, str] = field(default_factory=dict)
    vanished: frozenset[JobKey] = frozenset()
    spoiled: frozenset[JobKey] = frozenset()
    unwritable: str = ""
    turned_up: Sequence[str] = ()
    lost: int = 0
    orphans: Sequence[str] = ()
    over_budget: Sequence[str] = ()
    waits_for: Sequence[str] = ()
    unpriced: Sequence[str] = ()
    failures: int = 0
    left_out: LeftOut | None = None
    closed: Mapping[str, Closed] = field(default_factory=dict)
    unlisted: str = ""
    lacking: Lacking = field(default_factory=Lacking)
    blocked: Mapping[JobKey, str] = field(default_factory=dict)
    anew: bool = False

    @property
    def is_stopped(self) -> bool:
        """Whether too many failures, or a word of the service, kept it from buying: no other round may."""
        return self.failures > 0 or self.stopped is not None


@dataclass(slots=True)
class StopState:
    """What stops a run, and what it leaves.

    Attributes:
        submitting: whether further jobs may leave.
        leaving: whether what runs is left to the next run at once.
        drained: whether a person asked for it.
        unreachable: whether the service could not be reached for too long.
        failures: jobs that failed in this run.
        stopped: why the service lets no job through.
        broken: what made it impossible to go on.
        bug: an error that nobody expected.
        out_of_sight: paid and still running when their timeout passed.
        missing: why the assets of these are not all on disk.
        vanished, spoiled, unwritable: see ``EngineOutcome``.
        unlisted: why jobs could not be listed when the run gave up buying; empty if that was not why.
        lacking: the rights that this key lacks, and the jobs that are left for want of them.
        blocked, anew: see ``EngineOutcome``.
    """

    submitting: bool = True
    leaving: bool = False
    drained: bool = False
    unreachable: bool = False
    failures: int = 0
    stopped: StoppedError | None = None
    broken: BatchgenError | None = None
    bug: BaseExceptionGroup[BaseException] | None = None
    out_of_sight: set[JobKey] = field(default_factory=set)
    missing: dict[JobKey, str] = field(default_factory=dict)
    vanished: set[JobKey] = field(default_factory=set)
    spoiled: set[JobKey] = field(default_factory=set)
    unwritable: str = ""
    unlisted: str = ""
    lacking: Lacking = field(default_factory=Lacking)
    blocked: dict[JobKey, str] = field(default_factory=dict)
    anew: bool = False

    def stop_for(self, error: BatchgenError) -> None:
        """Remember the first of each kind; that another run leads the batch explains all the others."""
        if isinstance(error, StoppedError):
            self.stopped = self.stopped or error
        elif isinstance(error, FencedError):
            self.broken = error
        else:
            self.broken = self.broken or error

    def ending(
        self,
        *,
        turned_up: Sequence[str],
        lost: int,
        over_budget: Sequence[str],
        unpriced: Sequence[str] = (),
        most_failures: int | None,
        closed: Mapping[str, Closed],
        waits_for: Sequence[str] = (),
    ) -> EngineOutcome:
        """Return what the run came to.

        Raises:
            BaseExceptionGroup: the bug.
            BatchgenError: what broke it.
        """
        if self.bug is not None:
            raise self.bug
        if self.broken is not None:
            raise self.broken
        return EngineOutcome(
            stopped=self.stopped,
            drained=self.drained,
            unreachable=self.unreachable,
            out_of_sight=frozenset(self.out_of_sight),
            missing=self.missing,
            vanished=frozenset(self.vanished),
            spoiled=frozenset(self.spoiled),
            unwritable=self.unwritable,
            turned_up=tuple(turned_up),
            lost=lost,
            over_budget=tuple(over_budget),
            waits_for=tuple(waits_for),
            closed=closed,
            unlisted=self.unlisted,
            lacking=self.lacking,
            blocked=dict(self.blocked),
            anew=self.anew and not self.drained,
            unpriced=tuple(unpriced),
            failures=self.failures if self.has_too_many_failures(most_failures) else 0,
        )

    def has_too_many_failures(self, most: int | None) -> bool:
        """Return whether so many have failed that no further job is to be bought."""
        return most is not None and self.failures >= most


def left_closed(
    closed: Mapping[str, str], entries: Iterable[Entry], records: Mapping[JobKey, Record]
) -> dict[str, Closed]:
    """Return what closed models leave.

    Args:
        closed: why each is.
        entries: the jobs of the run.
        records: as they stand now.
    """
    unknown = Record()
    left = Counter(
        one.job.model
        for one in entries
        if one.wanted and records.get(one.key, unknown).state is State.PLANNED
    )
    return {model: Closed(reason=why, jobs=left[model]) for model, why in closed.items()}
