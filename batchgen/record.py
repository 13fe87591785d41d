"""Where a job stands, and what the journal says of it: the fold over its events.

Which event leads where is ``lifecycle``'s; nothing here changes a record. Field names are on
disk: renaming one is a new version of the journal.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from batchgen.model import File, Job, Submission


class State(StrEnum):
    """Where a job stands; one row of the table each."""

    PLANNED = "planned"
    SUBMITTING = "submitting"
    IN_DOUBT = "in_doubt"
    HELD = "held"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    REFUSED = "refused"
    COLLECTED = "collected"
    ABANDONED = "abandoned"


# Paid for, or possibly so, and without an outcome: what a ceiling counts.
IN_FLIGHT = frozenset({State.SUBMITTING, State.IN_DOUBT, State.HELD, State.RUNNING})

# A body left, or was about to, and what became of it is not known: it may have been charged.
UNANSWERED = frozenset({State.SUBMITTING, State.IN_DOUBT, State.HELD, State.ABANDONED})


# The service has said ``success``.
DONE = frozenset({State.SUCCEEDED, State.COLLECTED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What the journal says of one job now: a fold over its events.

    Attributes:
        state: where it stands; a job without any event is planned.
        attempt: the attempt under way or ended last, from 1.
        job: as the manifest said it when the job was first submitted; None before that.
        body: the exact bytes of this attempt's POST, as text; None before its first intent.
        seed: the seed in the body, derived or given.
        quoted: what the service said this attempt would cost, in compute units; None if it was not asked.
        reserved: what is held against the budget for this attempt; None where nothing is.
        intent_at: when this attempt's latest POST was about to leave.
        sender: fingerprint of the API key that sent it; empty where that is not known.
        skew: seconds by which the service's clock was ahead of ours then; None where that is not known.
        lost_at: when its answer was lost.
        absences: how often this attempt was shown absent and planned again.
        submissions: all that were paid for, oldest first.
        started_at, finished_at: by the service's clock.
        ended_at: when its success was recorded, by our clock; None where it has not succeeded.
        asset_ids: in the service's order.
        expected: how many assets it was to have when it succeeded, as far as was known.
        grown: those that the service showed only after the others were collected, and nobody has fetched.
        files: what lies on disk, or lay there.
        gone: assets that are neither on the disk nor at the service any more.
        error: why it failed, was refused, or is in doubt or held; empty otherwise.
        moderated: whether the failure is the service's judgement of the content.
        editions: of the first that was bought for a job: the ordinals of those that were asked for after it,
            or made the job's own again, the last one last. See ``planning.editions``.
    """

    state: State = State.PLANNED
    attempt: int = 1
    job: Job | None = None
    body: str | None = None
    seed: float | None = None
    quoted: Decimal | None = None
    reserved: Decimal | None = None
    intent_at: float | None = None
    sender: str = ""
    skew: float | None = None
    lost_at: float | None = None
    absences: int = 0
    submissions: tuple[Submission, ...] = ()
    started_at: float | None = None
    finished_at: float | None = None
    ended_at: float | None = None
    asset_ids: tuple[str, ...] = ()
    expected: int = 0
    grown: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    gone: tuple[str, ...] = ()
    error: str = ""
    moderated: bool = False
    editions: tuple[int, ...] = ()

    @property
    def submission(self) -> Submission | None:
        """The submission of the attempt under way or ended last."""
        last = self.submissions[-1] if self.submissions else None
        return last if last is not None and last.attempt == self.attempt else None

    @property
    def remote_id(self) -> str | None:
        """The service's id of that submission."""
        return self.submission.remote_id if self.submission else None

    @property
    def has_derived_seed(self) -> bool:
        """Whether its latest body has a seed that was derived for it, which nobody else would choose."""
        return self.seed is not None and self.job is not None and "seed" not in self.job.params

    @property
    def is_short(self) -> bool:
        """Whether it is a success with fewer assets than it was to have."""
        return self.state in DONE and len(self.asset_ids) < self.expected

    @property
    def lacks_files(self) -> bool:
        """Whether there are assets that a run is to fetch."""
        return self.state is State.SUCCEEDED or (self.state is State.COLLECTED and bool(self.grown))

    @property
    def kept_files(self) -> tuple[File, ...]:
        """The files without those that are gone for good."""
        return tuple(one for one in self.files if one.asset_id not in self.gone) if self.gone else self.files

    def quoted_for(self, paid: Submission) -> Decimal | None:
        """Return what the service had said that one of the submissions would cost; None if unknown."""
        if paid.quoted is not None:
            return paid.quoted
        return self.quoted if paid == self.submission else None

    @property
    def quoted_unanswered(self) -> Decimal | None:
        """What it said of a body that left and has no answer; None where there is none."""
        return self.quoted if self.state in UNANSWERED and self.submission is None else None

    @property
    def quoted_in_all(self) -> Decimal | None:
        """What all that was, or may have been, paid for was to cost; None as long as nothing is known."""
        said = (*map(self.quoted_for, self.submissions), self.quoted_unanswered)
        known = [one for one in said if one is not None]
        return sum(known, Decimal(0)) if known else None

    @property
    def charged(self) -> Decimal | None:
        """What all attempts together were charged; None as long as nothing is known."""
        known = [one.charged for one in self.submissions if one.charged is not None]
        return sum(known, Decimal(0)) if known else None

    @property
    def untold(self) -> int:
        """How many of the attempts were paid for without a word of what they were charged."""
        return sum(one.charged is None for one in self.submissions)

    @property
    def refunded(self) -> Decimal | None:
        """What came back of it, in whatever way it is known; None as long as nothing is known."""
        known = [one.refunded for one in self.submissions if one.refunded is not None]
        return sum(known, Decimal(0)) if known else None
