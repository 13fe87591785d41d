"""Every exception batchgen raises on purpose, branched by what the caller does next.

An error is named for the caller's next move, not for where it came from: an HTTP
status, an SQLite code or an ``errno`` never leaves the adapter that saw it.

    BatchgenError
    ├── InputError             what was asked for is wrong; nothing was spent
    │   ├── ManifestError      the manifest, or the inputs of its models: every problem is named
    │   └── GuardError         a guard stopped it: its jobs may have been bought already
    ├── JournalError           the journal cannot be opened, read or written
    │   ├── RemoteIdTakenError a submission already belongs to another job: look again
    │   ├── FencedError        another run leads the batch now: end quietly, and testify
    │   └── JournalAwayError   it did not answer: end in order, the same command goes on
    ├── BatchLockedError         another run holds this batch
    ├── StoodByError           a run that stood by for another one was told to stop
    ├── OverBudgetError        a reservation does not fit under a cap: buy no more
    ├── NoRoomError            the account's limit on what runs at once is reached: wait for an end
    ├── BoughtByQuoteError     a question after a price was taken for an order: tell, and ask no more
    ├── OutputError            a file beside the journal cannot be written
    ├── DownloadError          an asset that is paid for did not arrive; ask again later
    ├── TransitionError        a bug: an event arrived in a state that forbids it
    └── ServiceError           a call to the service did not give its answer
        ├── NotSentError       it never left: send it again when the service is there
        ├── RefusedError       this job's input is at fault: no try will succeed
        ├── StoppedError       credentials, plan or credits: no job will succeed
        │   ├── ModelClosedError   no job of this model will succeed; others may
        │   └── NoRightError       this key may not do this; what it may do goes on
        │       └── NoListingError     jobs may not be listed: what is lost cannot be found again
        ├── DeferredError      ceiling or cooldown: nothing happened, wait
        ├── NotFoundError      an idempotent call named something the service does not show
        ├── TransientError     an idempotent call failed: ask again
        │   └── EndlessError       a listing went on without an end: ask again, and ever more seldom
        └── AmbiguousError     a paid POST may have happened: sending it again may pay twice
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from batchgen.rights import MEANINGS, Right, denied, told


class BatchgenError(Exception):
    """The root: whatever a person can cause or meet is one of these."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file the user wrote.

    Attributes:
        source: the file's path as the user gave it.
        line: from 1; 0 where the file as a whole is meant.
        column: from 1; 0 where the line as a whole is meant.
        text: what is wrong, what was expected, what may have been meant.
    """

    source: str
    line: int
    column: int
    text: str

    @property
    def place(self) -> str:
        """The form editors and terminals turn into a link: ``file:line:column``."""
        return ":".join(str(part) for part in (self.source, self.line, self.column) if part)

    def __str__(self) -> str:
        """Return ``file:line:column: text``."""
        return f"{self.place}: {self.text}"


class InputError(BatchgenError):
    """What the user wrote is wrong; every problem is named at once and nothing was spent.

    Attributes:
        problems: one entry a problem, in the order of the file; empty for an error
            that has no place in a file, such as a flag.
        warnings: what is probably a mistake beside them, and would have stopped nothing.
    """

    def __init__(
        self,
        message: str = "",
        *,
        problems: tuple[Problem, ...] = (),
        warnings: tuple[Problem, ...] = (),
    ) -> None:
        self.problems = problems
        self.warnings = warnings
        super().__init__("\n".join([*([message] if message else []), *(str(one) for one in problems)]))


class ManifestError(InputError):
    """The manifest is wrong, or what its jobs give their models; ``problems`` has each with its place."""


class GuardError(InputError):
    """A guard stopped a run before anything was sent: what it would buy may have been bought already.

    The message names the ways on, and what each of them risks.
    """


class NoRunError(InputError):
    """No run of the batch that is meant is under way, so that none can be ordered about."""


class JournalError(BatchgenError):
    """The journal cannot be opened, read or written; what is in it stays."""


class RemoteIdTakenError(JournalError):
    """The submission already belongs to another job; nothing was written, so look again."""


class FencedError(JournalError):
    """Another run leads the batch now; nothing was written, and nothing of this run will be.

    Whoever meets it ends quietly. What only it knows of its POSTs it says in testimony.
    """

    def __init__(self, message: str = "another run leads the batch now; this one has ended") -> None:
        super().__init__(message)


class JournalAwayError(JournalError):
    """The journal did not answer for longer than a run waits; what was being written may be there or not.

    The same command goes on.
    """

    def __init__(self, message: str = "the journal does not answer") -> None:
        told = "the same command" in message
        super().__init__(message if told else f"{message}; run the same command to continue")


class BatchLockedError(BatchgenError):
    """Another run holds this batch.

    Attributes:
        batch: its name.
        holder: who that is and since when, in words.
    """

    def __init__(self, message: str, *, batch: str = "", holder: str = "another process") -> None:
        super().__init__(message)
        self.batch = batch
        self.holder = holder


class StoodByError(BatchgenError):
    """A run that stood by for another one was told to stop; it had begun nothing.

    Attributes:
        received: the number of the signal.
    """

    def __init__(self, message: str, received: int) -> None:
        super().__init__(message)
        self.received = received


class OverBudgetError(BatchgenError):
    """A reservation does not fit under a cap, or its price is not known; nothing was recorded or sent.

    Attributes:
        over: compute units that the cap would have to be higher; None where that is not known.
        alone: whether it is this job's own price that no cap can hold; others may fit.
    """

    def __init__(self, message: str, *, over: Decimal | None = None, alone: bool = False) -> None:
        super().__init__(message)
        self.over = over
        self.alone = alone


class NoRoomError(BatchgenError):
    """As many jobs are in flight, of all batches, as the service lets run at once; nothing was sent.

    It is no failure: whoever meets it waits until one of them ends, and looks again.
    """

    def __init__(self, message: str = "as many jobs are in flight as the service lets run at once") -> None:
        super().__init__(message)


class BoughtByQuoteError(BatchgenError):
    """A question after a price was taken for an order: it is paid for, and no further one may be asked.

    Attributes:
        remote_id: the submission that nobody wanted.
        charged: what the answer says it took, compute units; None if it does not say.
        author: who it is by in the service's eyes; empty where it does not say.
    """

    def __init__(
        self, remote_id: str, *, charged: Decimal | None = None, author: str = "", kept: str = ""
    ) -> None:
        """Tell of it.

        Args:
            remote_id: the submission.
            charged: compute units.
            author: who it is by.
            kept: what was made of it, a sentence; empty before that is known.
        """
        super().__init__(
            f"a price question was treated as an order: {remote_id} is paid for. This service does not know "
            f"dryRun; nothing more is sent to it{kept and f'. {kept}'}"
        )
        self.remote_id = remote_id
        self.charged = charged
        self.author = author


class OutputError(BatchgenError):
    """A file beside the journal cannot be written; the journal has everything that is in it."""


class WhyMissing(StrEnum):
    """Why an asset did not arrive: what may help, and when."""

    LATE = "late"  # the way is at fault: another try may bring it
    UNFIT = "unfit"  # what came is not its file, or not all of it
    GONE = "gone"  # the service does not show it, or its file server does not have it


class DownloadError(BatchgenError):
    """An asset did not arrive; it is paid for and stays where it is, so ask again later.

    Attributes:
        why: by asset id, for each that did not arrive.
    """

    def __init__(self, message: str, *, why: Mapping[str, WhyMissing] | None = None) -> None:
        self.why = dict(why or {})
        super().__init__(message)


class TransitionError(BatchgenError):
    """A bug: an event arrived in a state that forbids it."""


class ServiceError(BatchgenError):
    """A call to the service did not give its answer."""


class NotSentError(ServiceError):
    """The request never left (DNS, refused, TLS, connect timeout): nothing happened."""


class RefusedError(ServiceError):
    """The service refuses this job's input; it was not paid and no try will succeed."""


class StopCause(StrEnum):
    """Why no job of this run can succeed."""

    CREDENTIALS = "credentials"
    PLAN = "plan"
    CREDITS = "credits"


class StoppedError(ServiceError):
    """The service will take no job of this account as things are; nothing was paid.

    Attributes:
        cause: what has to be mended.
    """

    def __init__(self, message: str, *, cause: StopCause) -> None:
        self.cause = cause
        super().__init__(message)


class ModelClosedError(StoppedError):
    """The service runs this model for nobody of this account; nothing was paid, and others may be run."""

    def __init__(self, message: str) -> None:
        super().__init__(message, cause=StopCause.PLAN)


class NoRightError(StoppedError):
    """This key may not do this; what it may do goes on.

    Attributes:
        right: the one that it lacks.
        reason: in the service's words.
    """

    def __init__(self, right: Right, reason: str) -> None:
        super().__init__(denied(right, reason), cause=StopCause.CREDENTIALS)
        self.right = right
        self.reason = reason

    @property
    def told(self) -> str:
        """The whole sentence: what is missing, what goes on without it, and what to do."""
        return told(self.right, self.reason)


class NoListingError(NoRightError):
    """These credentials may not list jobs: what is lost cannot be found again."""

    def __init__(self, reason: str) -> None:
        super().__init__(Right.LISTING, f"{reason}; {MEANINGS[Right.LISTING].remedy}")


class DeferredError(ServiceError):
    """The service cannot take this now (429); nothing happened and nothing was paid.

    Attributes:
        retry_after: seconds the service asks to wait, None where it names none.
        ceiling: how many it lets run at once, None where the reason is another one.
        action: the service's name for the limit that was met.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        ceiling: int | None = None,
        action: str | None = None,
    ) -> None:
        self.retry_after = retry_after
        self.ceiling = ceiling
        self.action = action
        super().__init__(message)


class NotFoundError(ServiceError):
    """An idempotent call named something that the service does not show us."""


class TransientError(ServiceError):
    """An idempotent call failed and may be made again.

    Attributes:
        retry_after: seconds the service asks to wait, None where it names none.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class EndlessError(TransientError):
    """A listing led nowhere: its pages came round again, or went on and showed nothing."""


class AmbiguousError(ServiceError):
    """A paid POST may have happened; sending it again may pay twice."""
