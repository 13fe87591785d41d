"""A job's life: the events that can happen to it, and where each one leads.

Whether a transition is legal is decided in this file and nowhere else, and the decision
is the ``TRANSITIONS`` table. The engine never assigns a state: it does the one thing the
state calls for and reports what happened as an event. Resuming is ``replay``.

Event class names and their fields are on disk: renaming one is a migration of the journal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from batchgen.errors import TransitionError
from batchgen.model import File, Job, Json, Submission

Key = TypeVar("Key")


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What the journal says of one job now: a fold over its events.

    Attributes:
        state: where it stands; a job without any event is planned.
        attempt: the attempt under way or ended last, from 1.
        job: as the manifest said it when the job was first submitted; None before that.
        body: the exact bytes of this attempt's POST, as text; None before its first intent.
        seed: the seed in the body, derived or given.
        quoted: what the service said it would cost, in compute units; None if it was not asked.
        intent_at: when this attempt's latest POST was about to leave.
        lost_at: when its answer was lost.
        absences: how often this attempt was shown absent and planned again.
        submissions: all that were paid for, oldest first.
        started_at, finished_at: by the service's clock.
        asset_ids: in the service's order.
        files: what lies on disk.
        error: why it failed, was refused, or is in doubt or held; empty otherwise.
        moderated: whether the failure is the service's judgement of the content.
    """

    state: State = State.PLANNED
    attempt: int = 1
    job: Job | None = None
    body: str | None = None
    seed: float | None = None
    quoted: Decimal | None = None
    intent_at: float | None = None
    lost_at: float | None = None
    absences: int = 0
    submissions: tuple[Submission, ...] = ()
    started_at: float | None = None
    finished_at: float | None = None
    asset_ids: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    error: str = ""
    moderated: bool = False

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
    def charged(self) -> Decimal | None:
        """What all attempts together were charged; None as long as nothing is known."""
        known = [one.charged for one in self.submissions if one.charged is not None]
        return sum(known, Decimal(0)) if known else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A past-tense fact about one job.

    Attributes:
        at: when it was recorded, seconds since the epoch, UTC.
        DURABLE: whether it must be on the disk itself before anything else happens.
    """

    DURABLE: ClassVar[bool] = False

    at: float

    def changes(self, record: Record) -> dict[str, Any]:  # noqa: ARG002 - those that need it override this
        """Give the fields of the record that this fact changes, the state left out."""
        return {}


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmitStarted(Event):
    """The intent: this exact body is about to be sent, and may be paid for from now on."""

    DURABLE: ClassVar[bool] = True

    job: Job
    attempt: int
    body: str
    seed: float | None = None
    quoted: Decimal | None = None

    def changes(self, record: Record) -> dict[str, Any]:
        """Fix the body; an attempt that already has one may only send the same bytes again."""
        if self.attempt != record.attempt or record.body not in (None, self.body):
            raise TransitionError(f"attempt {self.attempt} of {self.job.id}: another body is on record")
        return {
            "job": self.job,
            "body": self.body,
            "seed": self.seed,
            "quoted": self.quoted,
            "intent_at": self.at,
            "lost_at": None,
            "error": "",
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted(Event):
    """The receipt: the service took the job and charged for it."""

    DURABLE: ClassVar[bool] = True

    remote_id: str
    charged: Decimal | None = None
    author: str = ""

    def changes(self, record: Record) -> dict[str, Any]:
        """Add the submission."""
        paid = Submission(
            remote_id=self.remote_id,
            attempt=record.attempt,
            at=self.at,
            charged=self.charged,
            author=self.author,
        )
        return {"submissions": (*record.submissions, paid), "error": ""}


@dataclass(frozen=True, kw_only=True, slots=True)
class Adopted(Accepted):
    """The job in doubt was found among the service's jobs.

    Attributes:
        evidence: what was compared and seen, for the reader of the journal.
    """

    evidence: Mapping[str, Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Explained(Event):
    """An event that carries the reason people are shown."""

    reason: str

    def changes(self, record: Record) -> dict[str, Any]:  # noqa: ARG002 - the event says it all
        """Keep the reason."""
        return {"error": self.reason}


@dataclass(frozen=True, kw_only=True, slots=True)
class NotSent(_Explained):
    """The POST never left; nothing was paid."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deferred(_Explained):
    """The service had no room (429); nothing was paid and the attempt is not used up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stopped(_Explained):
    """Credentials, plan or credits do not allow any job; nothing was paid."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused(_Explained):
    """The service refused this job's input; nothing was paid."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerLost(_Explained):
    """A POST that may have been paid has no answer we can read."""

    def changes(self, record: Record) -> dict[str, Any]:  # noqa: ARG002 - the event says it all
        """Keep the reason and the moment."""
        return {"error": self.reason, "lost_at": self.at}


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownAbsent(Event):
    """Listings that demonstrably would have shown the submission do not.

    Attributes:
        evidence: the listings and the control, for the reader of the journal.
    """

    DURABLE: ClassVar[bool] = True

    evidence: Mapping[str, Json]

    def changes(self, record: Record) -> dict[str, Any]:
        """Count it: the same bytes may be sent again."""
        return {"absences": record.absences + 1, "lost_at": None, "error": ""}


@dataclass(frozen=True, kw_only=True, slots=True)
class Held(_Explained):
    """A person has to decide what became of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ended(Event):
    """The service's last word on a submission.

    Attributes:
        charged: what it shows as taken, compute units; None where it shows nothing.
        started_at, finished_at: the service's clock.
        asset_ids: in the service's order; a failure may carry some.
        error: the service's words; empty for a success.
        moderated: whether they speak of the content.
    """

    charged: Decimal | None = None
    started_at: float | None = None
    finished_at: float | None = None
    asset_ids: tuple[str, ...] = ()
    error: str = ""
    moderated: bool = False

    def changes(self, record: Record) -> dict[str, Any]:
        """Close the submission."""
        paid = record.submissions
        if self.charged is not None and paid:
            paid = (*paid[:-1], replace(paid[-1], charged=self.charged))
        return {
            "submissions": paid,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "asset_ids": self.asset_ids,
            "error": self.error,
            "moderated": self.moderated,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Succeeded(_Ended):
    """The service says ``success``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed(_Ended):
    """The service says ``failure``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Canceled(_Ended):
    """The service says ``canceled``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Collected(Event):
    """Every asset is on disk with its size and hash, or downloads are off."""

    files: tuple[File, ...] = ()

    def changes(self, record: Record) -> dict[str, Any]:  # noqa: ARG002 - the event says it all
        """Keep the files."""
        return {"files": self.files}


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryAsked(Event):
    """Another attempt is wanted: a new body, and if it is accepted a new charge."""

    DURABLE: ClassVar[bool] = True

    def changes(self, record: Record) -> dict[str, Any]:
        """Open the next attempt; what the earlier ones cost stays."""
        return {
            "attempt": record.attempt + 1,
            "body": None,
            "seed": None,
            "quoted": None,
            "intent_at": None,
            "lost_at": None,
            "absences": 0,
            "started_at": None,
            "finished_at": None,
            "asset_ids": (),
            "error": "",
            "moderated": False,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Abandoned(_Explained):
    """A person gave it up; it is never looked at again."""


TRANSITIONS: Mapping[State, Mapping[type[Event], State]] = {
    State.PLANNED: {SubmitStarted: State.SUBMITTING, Abandoned: State.ABANDONED},
    State.SUBMITTING: {
        # an answer that is already terminal is Accepted and its end, appended in one transaction
        Accepted: State.RUNNING,
        NotSent: State.PLANNED,
        Deferred: State.PLANNED,
        Stopped: State.PLANNED,
        Refused: State.REFUSED,
        AnswerLost: State.IN_DOUBT,
    },
    State.IN_DOUBT: {
        Adopted: State.RUNNING,
        ShownAbsent: State.PLANNED,
        Held: State.HELD,
    },
    State.HELD: {
        Adopted: State.RUNNING,
        ShownAbsent: State.PLANNED,
        Abandoned: State.ABANDONED,
    },
    State.RUNNING: {
        Succeeded: State.SUCCEEDED,
        Failed: State.FAILED,
        Canceled: State.CANCELED,
    },
    State.SUCCEEDED: {Collected: State.COLLECTED},
    State.FAILED: {RetryAsked: State.PLANNED},
    State.REFUSED: {RetryAsked: State.PLANNED},
    State.CANCELED: {RetryAsked: State.PLANNED},
    State.COLLECTED: {},
    State.ABANDONED: {},
}

TERMINAL = frozenset(state for state, exits in TRANSITIONS.items() if not exits)

# Paid for, or possibly so, and without an outcome: what a ceiling counts.
IN_FLIGHT = frozenset({State.SUBMITTING, State.IN_DOUBT, State.HELD, State.RUNNING})

EVENTS: Mapping[str, type[Event]] = {
    event.__name__: event for exits in TRANSITIONS.values() for event in exits
}


def apply(record: Record, event: Event) -> Record:
    """Give the record after the event.

    Raises:
        TransitionError: the table has no such way; the record is as it was.
    """
    state = TRANSITIONS[record.state].get(type(event))
    if state is None:
        raise TransitionError(f"{type(event).__name__} cannot happen to a job that is {record.state}")
    return replace(record, state=state, **event.changes(record))


def replay(history: Iterable[tuple[Key, Event]]) -> dict[Key, Record]:
    """Fold a journal's history into one record a job."""
    records: dict[Key, Record] = {}
    for key, event in history:
        records[key] = apply(records.get(key, Record()), event)
    return records
