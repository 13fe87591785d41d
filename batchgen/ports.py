"""What the engine needs from the world, in its own words.

Each port is narrow and says which errors it raises. Adapters implement them by shape and
never import the engine; nothing behind a port may assume that one process is alone.
"""

from asyncio import Future
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from batchgen.account import Holder, Identity, Known
from batchgen.gate_ports import Gate as Gate  # noqa: PLC0414 - who speaks of ports needs one import
from batchgen.gate_ports import Lane as Lane  # noqa: PLC0414 - as above
from batchgen.gate_ports import OwnPace as OwnPace  # noqa: PLC0414 - as above
from batchgen.gate_ports import Pace as Pace  # noqa: PLC0414 - as above
from batchgen.gate_ports import PacedGate as PacedGate  # noqa: PLC0414 - as above
from batchgen.gate_ports import Turn as Turn  # noqa: PLC0414 - as above
from batchgen.lease_ports import Lease as Lease  # noqa: PLC0414 - as above
from batchgen.lease_ports import LifelongLease as LifelongLease  # noqa: PLC0414 - as above
from batchgen.lease_ports import Testifies
from batchgen.lease_ports import Testimony as Testimony  # noqa: PLC0414 - as above
from batchgen.lifecycle import Event, Record
from batchgen.model import (
    Asset,
    File,
    Job,
    JobKey,
    KeptCeiling,
    Model,
    Receipt,
    RemoteJob,
    Scope,
    Text,
)
from batchgen.pages import JobPage
from batchgen.planning.budget import Allowance, Amounts, Reservation
from batchgen.planning.room import Room
from batchgen.room_ports import SharedRoom as SharedRoom  # noqa: PLC0414 - as above


class Clock(Protocol):
    """The wall clock, for stamps only; durations come from the event loop."""

    def now(self) -> float:
        """Return the seconds since the epoch, UTC."""
        ...


class Generator(Protocol):
    """The service. Every call may raise StoppedError; the idempotent ones retry by themselves."""

    async def submit(self, model: str, body: str, *, may_leave: Callable[[], bool] | None = None) -> Receipt:
        """Send one paid POST, once. The caller has passed the gate and journaled the intent.

        Args:
            model: its id.
            body: as it is sent.
            may_leave: asked in the very call that hands the body to the system; after a no, nothing of it
                leaves. None where nothing can forbid it any more.

        Raises:
            NotSentError, RefusedError, StoppedError, DeferredError: nothing was paid; with
                ModelClosedError, other models may be run.
            AmbiguousError: it may have been paid.
        """
        ...

    async def job(self, remote_id: str) -> RemoteJob:
        """Look at one submission.

        Raises:
            NotFoundError, TransientError, RefusedError, StoppedError: nothing is known of its end.
        """
        ...

    async def jobs(self, filters: Mapping[str, str], token: str | None = None) -> JobPage:
        """List one page of submissions.

        Args:
            filters: the service's own query keys, such as ``createdAfter``.
            token: the page to go on with.

        Raises:
            NotFoundError, TransientError, RefusedError, StoppedError: nothing is known.
            NoListingError: these credentials may not list jobs.
        """
        ...

    async def text(self, asset_id: str) -> Text | None:
        """Read a text asset, such as a prompt that a listing shows as an id; None if it is not shown.

        Raises:
            TransientError, StoppedError: nothing is known.
        """
        ...

    async def model(self, model_id: str) -> Model:
        """Describe a model.

        Raises:
            NotFoundError: there is none of that name.
            ModelClosedError: this account may not use it.
            TransientError, RefusedError, StoppedError: nothing is known.
        """
        ...

    async def identify(self) -> Identity | None:
        """Ask who the key is that asks, by sending something tiny that costs nothing.

        Returns:
            None where this key may not do that, or the service does not say.

        Raises:
            TransientError, StoppedError: nothing is known.
        """
        ...

    async def assets(self, asset_ids: Sequence[str]) -> Mapping[str, Asset]:
        """Describe assets, with URLs that are fresh; ids the service does not show are left out.

        Raises:
            TransientError, StoppedError: nothing is known.
        """
        ...


class Spends(Protocol):
    """What was charged, and what is held for what may have been."""

    def spent(self, allowed: Allowance) -> Sequence[Decimal]:
        """Return what is charged and reserved under each cap, in their order; compute units."""
        ...

    def records(self) -> Mapping[JobKey, Record]:
        """Return every job of this scope that has an event, in the order of first events."""
        ...

    def reservations(self) -> Mapping[JobKey, Reservation]:
        """Return what is kept for steps of chains that are not bought yet, by whom it is for."""
        ...


class Journal(Spends, Testifies, Protocol):
    """The durable record of one scope.

    Deliberately not async: between an answer from the service and the line that records it
    there is no point at which a task can be cancelled.
    """

    def append(
        self,
        key: JobKey,
        *events: Event,
        allowed: Allowance | None = None,
        reserves: Amounts | None = None,
        room: Room | None = None,
    ) -> Record:
        """Record what happened to one job, all or nothing, and give the record after it.

        It survives the end of this process when this returns. Events marked ``DURABLE`` are on the disk
        itself when ``durable`` has returned. An intent takes the place of what was kept for its job.

        Args:
            key: the job's.
            events: in their order.
            allowed: caps that must hold with them, checked in the same transaction.
            reserves: what to keep for later steps of its chain; what is kept for one already stays.
            room: what an intent takes of the room at the service; None where nothing limits it. Checked in
                the same transaction, against what is on record of all batches of the account.

        Raises:
            TransitionError: the events cannot follow what is on record; nothing is written.
            OverBudgetError: a cap would not hold; nothing is written.
            NoRoomError: there is no room, or other limits hold by now; nothing is written.
            FencedError: another run leads the batch now; nothing is written.
            JournalAwayError: it did not answer; nothing is written, or all of it.
            JournalError: nothing is written, whatever the reason.
        """
        ...

    async def durable(self) -> None:
        """Return when all that was appended before this call is on the disk itself.

        One sync may serve many who wait. What is appended meanwhile is not covered.

        Raises:
            JournalError: a sync has failed, now or before: what came since the last good one may be lost.
        """
        ...

    def check_place(self) -> None:
        """Refuse to go on in a journal that nobody would find again, or that is no longer ours to write.

        Raises:
            FencedError: it is known that another run leads the batch now.
            JournalAwayError: it does not answer.
            JournalError: it was removed or replaced while it was open.
        """
        ...

    def reserve(self, wanted: Mapping[JobKey, Reservation], *, allowed: Allowance | None = None) -> None:
        """Keep money for steps of chains that have begun, all or none; what is kept for one already stays.

        Raises:
            OverBudgetError: a cap of those that must hold would not; nothing is written.
        """
        ...

    def release(self, keys: Collection[JobKey]) -> None:
        """Keep nothing any more for these; it is nothing to have none."""
        ...

    def history(self) -> Iterable[tuple[JobKey, Event]]:
        """Return every event of this scope, in order."""
        ...

    def holders(self, remote_ids: Collection[str]) -> Mapping[str, Holder]:
        """Return who has each of the ids in this journal; those that nobody has are left out.

        Of this origin, in whatever project, batch and slot. What a person disowned has a holder too.
        """
        ...

    def disown(self, remote_ids: Collection[str]) -> None:
        """Remember for good that a person said of these that they are no job of ours."""
        ...

    def unanswered_equals(self, key: JobKey, body: str = "") -> Iterable[Record]:
        """Return the records of other jobs that ask for the same and are submitting or in doubt.

        Of this origin and account, in whatever batch: by whichever name of a project it is meant.

        Args:
            key: the job's.
            body: what is sent for it, or would be. Where assets go in, those that were sent the same are
                among them too, in whatever words their manifest asks for it. Empty where that is not known.
        """
        ...

    def bodies_in_doubt(self, key: JobKey, body: str = "") -> frozenset[str]:
        """Return what was sent for those of ``unanswered_equals`` that are in doubt.

        It is asked before each submit, when hundreds of equal jobs may be submitting.
        """
        ...

    @property
    def authors(self) -> frozenset[str]:
        """Who the service says that submissions of this origin were by, in whatever batch.

        Only receipts tell, never a row that was adopted; empty as long as none did.
        """
        ...

    def neighbours(self, contents: Collection[str]) -> Iterable[tuple[Scope, JobKey]]:
        """Return the jobs of other scopes that ask for one of these and are submitting or in doubt.

        Of this origin, in whatever project, batch and slot.
        """
        ...

    def known(self, sender: str | None = None) -> Known:
        """Return who a key is in the service's eyes, as far as it has said to any batch of this origin.

        Args:
            sender: the key's fingerprint; None for all keys that were ever used.
        """
        ...

    def learn(self, sender: str, known: Known) -> None:
        """Remember who a key is, by its fingerprint; what is known of it stays.

        Raises:
            JournalError: it could not be written.
        """
        ...

    @property
    def looking_since(self) -> float | None:
        """Since when a look before buying was to find jobs, which was cut off; None if none was."""
        ...

    def look_began(self, since: float) -> None:
        """Remember that a look before buying has begun: what it adopts hides what it has not come to."""
        ...

    def look_ended(self) -> None:
        """Remember that all it could find is recorded."""
        ...

    @property
    def trusts_absence(self) -> bool:
        """Whether no submission that was shown absent has ever turned up."""
        ...

    def distrust_absence(self) -> None:
        """Remember for good that one did."""
        ...


class Syncer(Protocol):
    """Has the disk keep what was written, beside everything else that goes on."""

    def start(self, sync: Callable[[], None]) -> Future[None]:
        """Begin what waits for the disk, and raises ``OSError`` where that does not keep what was written."""
        ...


class CeilingMemory(Protocol):
    """Keeps what refusals have taught of the service's limits, for every batch of an account."""

    def ceilings(self) -> Iterable[KeptCeiling]:
        """Return what is kept.

        Raises:
            JournalError: it cannot be read.
        """
        ...

    def keep_ceiling(self, kept: KeptCeiling) -> None:
        """Keep one, in place of what was kept of the same limit.

        Raises:
            JournalError: it could not be written.
        """
        ...


class Uploader(Protocol):
    """Gets local files to the service, each content once."""

    async def ensure(self, files: Collection[str]) -> Mapping[str, str]:
        """Return the asset id of every file; what the service does not have yet is sent.

        Idempotent and free; equal contents that are asked for at once are sent once.

        Args:
            files: the SHA-256 of each.

        Raises:
            InputError: a file is gone, cannot be an input, or is not what it was.
            RefusedError: the service does not take a file.
            TransientError, NotFoundError, StoppedError: it is not known whether it took it; ask again.
            JournalError: it could not be recorded.
        """
        ...

    def known(self, files: Collection[str]) -> Mapping[str, str] | None:
        """Return the asset id of every file, None if one is not on record; the service is not asked."""
        ...

    def forget(self, asset_ids: Collection[str]) -> None:
        """Strike uploads that the service no longer shows off the record, so that they are sent again."""
        ...


class Collector(Protocol):
    """Gets the assets of a finished job onto the disk."""

    async def collect(self, job: Job, asset_ids: Sequence[str]) -> tuple[File, ...]:
        """Put every asset on disk and describe the files, in the order of the ids.

        Idempotent: a file that is already there with the right bytes is not written again.

        Raises:
            DownloadError: at least one did not arrive; those that did may stay on disk.
            OutputError: the disk is at fault.
            StoppedError: the service does not let us ask for the URLs.
        """
        ...


class Observer(Protocol):
    """Watches a run without a say in it: every method returns at once and raises nothing."""

    def recorded(self, key: JobKey, job: Job, event: Event, record: Record) -> None:
        """Called after the event was recorded."""
        ...

    def polled(self, job: Job, remote: RemoteJob) -> None:
        """Called when a look found the submission still running."""
        ...

    def warned(self, text: str) -> None:
        """Called when something went wrong that the run deals with by itself."""
        ...
