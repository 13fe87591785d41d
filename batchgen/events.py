"""What can happen to a job, as facts: each event says what it changes in the record.

Which event may follow which is ``lifecycle``'s. Class names and fields are on disk: renaming
one is a new version of the journal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, ClassVar

from batchgen.errors import TransitionError
from batchgen.model import File, Job, Json, Refund, Submission
from batchgen.record import Record


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
        """Return the fields of the record that this fact changes, the state left out."""
        return {}


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmitStarted(Event):
    """The intent: this exact body is about to be sent, and may be paid for from now on.

    Attributes:
        sender: fingerprint of the API key that sends it; empty where that is not known.
        skew: seconds by which the service's clock was ahead of ours; None where that is not known.
    """

    DURABLE: ClassVar[bool] = True

    job: Job
    attempt: int
    body: str
    seed: float | None = None
    quoted: Decimal | None = None
    reserved: Decimal | None = None
    sender: str = ""
    skew: float | None = None

    def changes(self, record: Record) -> dict[str, Any]:
        """Fix the body; an attempt that already has one may only send the same bytes again."""
        if self.attempt != record.attempt or record.body not in (None, self.body):
            raise TransitionError(f"attempt {self.attempt} of {self.job.id}: another body is on record")
        return {
            "job": self.job,
            "body": self.body,
            "seed": self.seed,
            "quoted": self.quoted,
            "reserved": self.reserved,
            "intent_at": self.at,
            "sender": self.sender,
            "skew": self.skew,
            "lost_at": None,
            "error": "",
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted(Event):
    """The receipt: the service took the job and charged for it.

    Attributes:
        owner: the project or team that has it in the service's eyes; empty where it does not say.
        quoted: what its intent says that it would cost; None where nobody asked.
    """

    DURABLE: ClassVar[bool] = True
    BY_ROW: ClassVar[bool] = False  # whether only its row tells of the charge

    remote_id: str
    charged: Decimal | None = None
    author: str = ""
    quoted: Decimal | None = None
    owner: str = ""

    def changes(self, record: Record) -> dict[str, Any]:
        """Add the submission."""
        paid = Submission(
            remote_id=self.remote_id,
            attempt=record.attempt,
            at=self.at,
            charged=self.charged,
            author=self.author,
            reserved=record.reserved,
            quoted=self.quoted,
            adopted=isinstance(self, Adopted),
            by_row=self.BY_ROW,
        )
        return {"submissions": (*record.submissions, paid), "error": ""}


@dataclass(frozen=True, kw_only=True, slots=True)
class Adopted(Accepted):
    """The job in doubt was found among the service's jobs.

    Attributes:
        evidence: what was compared and seen, for the reader of the journal.
    """

    BY_ROW: ClassVar[bool] = True

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
        refund: whether the whole charge came back.
        discount: what it shows to have been taken off; what is above the receipt by that is no other word.
        itemized: whether it lists add-ons, so that what came back of them can be seen.
    """

    charged: Decimal | None = None
    started_at: float | None = None
    finished_at: float | None = None
    asset_ids: tuple[str, ...] = ()
    error: str = ""
    moderated: bool = False
    refund: Refund = Refund.NONE
    discount: Decimal = Decimal(0)
    itemized: bool = True

    def changes(self, record: Record) -> dict[str, Any]:
        """Close the submission."""
        paid = record.submissions
        return {
            "submissions": (*paid[:-1], self._settled(paid[-1])) if paid else (),
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "asset_ids": self.asset_ids,
            "error": self.error,
            "moderated": self.moderated,
        }

    def _settled(self, paid: Submission) -> Submission:
        """Return what it took, and what of that came back."""
        told = [one for one in (paid.charged, self._shown_beside(paid.charged)) if one is not None]
        if not told:
            return paid
        charged, refund, refunded = self._balance(told, self.refund)
        return replace(paid, charged=charged, refund=refund, refunded=refunded)

    def _shown_beside(self, receipt: Decimal | None) -> Decimal | None:
        """Return what it shows, the receipt's own word where it is the same before a discount."""
        if receipt is not None and self.charged is not None and self.charged - self.discount == receipt:
            return receipt
        return self.charged

    def _balance(self, told: Sequence[Decimal], refund: Refund) -> tuple[Decimal, Refund, Decimal]:
        """Return charge and refund by what the service told, oldest first; what bore fruit is kept.

        Of two words the higher counts: a job's own record may leave add-ons out.
        """
        del refund
        return max(told), Refund.NONE, Decimal(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fruitless(_Ended):
    """An end without what was paid for: add-ons come back and then read 0, the rest may."""

    def _balance(self, told: Sequence[Decimal], refund: Refund) -> tuple[Decimal, Refund, Decimal]:
        charged = max(told)
        if refund is not Refund.NONE:
            return charged, refund, charged
        came_back = charged - told[-1] if self.itemized else Decimal(0)
        return charged, Refund.CONFIRMED if came_back else Refund.NONE, came_back


@dataclass(frozen=True, kw_only=True, slots=True)
class Succeeded(_Ended):
    """The service says ``success``.

    Attributes:
        expected: how many assets it was to have, as far as was known; with fewer it is short.
    """

    expected: int = 0

    def changes(self, record: Record) -> dict[str, Any]:
        """Close the submission; what else came out may be shown later."""
        closed = _Ended.changes(self, record)
        return {**closed, "ended_at": self.at, "expected": self.expected, "grown": ()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed(_Fruitless):
    """The service says ``failure``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Canceled(_Fruitless):
    """The service says ``canceled``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenOff(_Explained):
    """A person waits no longer for a submission that does not end; it stays paid for."""

    DURABLE: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Collected(Event):
    """Every asset is on disk with its size and hash, or downloads are off."""

    files: tuple[File, ...] = ()

    def changes(self, record: Record) -> dict[str, Any]:
        """Keep the files, and those of before where downloads are off; what is there is not gone."""
        there = {one.asset_id for one in self.files}
        gone = tuple(one for one in record.gone if one not in there)
        return {"files": self.files or record.files, "grown": (), "gone": gone}


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
            "sender": "",
            "skew": None,
            "lost_at": None,
            "absences": 0,
            "started_at": None,
            "finished_at": None,
            "ended_at": None,
            "asset_ids": (),
            "expected": 0,
            "grown": (),
            "gone": (),
            "error": "",
            "moderated": False,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Abandoned(_Explained):
    """A person gave it up; it is never looked at again."""
