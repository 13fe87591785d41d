"""The one door to the journal: where it lies, who holds its batches, and everything that is kept in it.

Nobody outside this room knows a path, a connection or a table of it.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING

from batchgen.journal.asset_marks import change_marks
from batchgen.journal.connection import Opener
from batchgen.journal.enqueued import EnqueuedRecords
from batchgen.journal.opened import OpenJournal
from batchgen.journal.purchases import PurchaseRecords
from batchgen.journal.runs import RunRecords
from batchgen.journal.uploads import UploadRecords
from batchgen.lease_ports import Lease
from batchgen.model import Scope
from batchgen.planning.marks import Change, Wanted

if TYPE_CHECKING:
    from batchgen.journal.health import Health
    from batchgen.journal.quotes import QuoteRecords
    from batchgen.ports import Clock


class JournalStore(ABC):
    """The journals of all batches of one place; its text is what people are told of where that is."""

    @abstractmethod
    def exists(self) -> bool:
        """Return whether anything was ever kept.

        Raises:
            JournalError: what is there is no journal.
        """

    @abstractmethod
    def clock(self, base: "Clock") -> "Clock":
        """Return by which clock slots and stamps are: that of the machine on which the journal is.

        Args:
            base: this machine's.
        """

    @abstractmethod
    def hold(self, batch: str, *, stamp: float) -> AbstractContextManager[Lease]:
        """Hold a batch, as its only writer, for as long as the block lasts.

        Gives the lease, by which it is known for how long one may buy: here for ever.

        Args:
            batch: its name.
            stamp: now, seconds since the epoch: since when it is held.

        Raises:
            BatchLockedError: another run holds it; says who and since when.
            JournalError: the place cannot be written.
        """

    @contextmanager
    def hold_all(self, batches: Collection[str], *, stamp: float) -> Iterator[Sequence[Lease]]:
        """Hold several batches for as long as the block lasts, which is minutes at most.

        Args:
            batches: their names.
            stamp: now, seconds since the epoch.

        Raises:
            BatchLockedError: a run holds one of them.
            JournalError: the place cannot be written.
        """
        with ExitStack() as held:
            yield [held.enter_context(self.hold(one, stamp=stamp)) for one in batches]

    @abstractmethod
    def is_held(self, batch: str) -> bool:
        """Return whether a run holds a batch; nothing is held afterwards."""

    @abstractmethod
    def is_being_rebuilt(self, batch: str) -> bool:
        """Return whether a rebuild of a batch has begun and not ended: what is on record is not all.

        Raises:
            JournalError: it cannot be looked at.
        """

    @abstractmethod
    def rebuilding(self, batch: str) -> AbstractContextManager[None]:
        """Mark a batch as being rebuilt until all is recorded; a rebuild that is cut off leaves the mark.

        Raises:
            JournalError: the mark cannot be made or taken away.
        """

    @abstractmethod
    def opened(self, *, checked: bool = False) -> OpenJournal:
        """Open it to write; a file is made as needed.

        Args:
            checked: whether this process has looked for damage already.

        Raises:
            JournalError: it is damaged, newer or not writable.
        """

    @abstractmethod
    def read(self) -> OpenJournal:
        """Open it without a lock on anybody; where there is none yet, an empty one.

        Raises:
            JournalError: it is damaged or newer.
        """

    @abstractmethod
    def runs(self) -> RunRecords | None:
        """Open what is known of the runs under way; None where nothing was ever kept.

        Raises:
            JournalError: it is damaged, newer or not writable.
        """

    @abstractmethod
    def uploads(self, *, origin: str, project: str) -> UploadRecords:
        """Open what is known of uploads to write; a file is made as needed.

        Raises:
            JournalError: it is damaged, newer or not writable.
        """

    @abstractmethod
    def uploads_to_read(self, *, origin: str, project: str) -> UploadRecords:
        """Open what is known of uploads; where there is nothing yet, there are none.

        Raises:
            JournalError: it is damaged or newer.
        """

    @property
    @abstractmethod
    def _existing(self) -> Opener:
        """What opens it for a statement or two."""

    @property
    def tables(self) -> Opener:
        """What opens its tables for a statement or two; for this room alone."""
        return self._existing

    def change_marks(self, scope: Scope, wanted: Sequence[Wanted], *, at: float) -> Change:
        """Write what a person wants of a scope's marks, whoever holds the batch; see ``asset_marks``."""
        return change_marks(self._existing, scope, wanted, at=at)

    def quotes(self, *, origin: str, project: str) -> "QuoteRecords":
        """Return the prices that an origin told a project; nothing is opened before it is asked."""
        from batchgen.journal.quotes import QuoteRecords  # noqa: PLC0415 - brings all that prices hang on

        return QuoteRecords(self._existing, origin=origin, project=project)

    def purchases(self, *, origin: str) -> PurchaseRecords:
        """Return what was bought by asking an origin for a price; nothing is opened before it is asked."""
        return PurchaseRecords(self._existing, self, origin=origin)


class ServerStore(JournalStore):
    """The same in a database on a server, which several hosts share: it is made before it is used."""

    @abstractmethod
    def prepare(self, *, lease: float | None = None) -> None:
        """Make the tables where they are not there yet.

        Args:
            lease: seconds that a lease lasts, for all hosts; None leaves it as it is, 30 to begin with.

        Raises:
            InputError: the database is wrong, or cannot be relied on.
            JournalAwayError: it does not answer.
            JournalError: they cannot be made, or are of another version.
        """

    @abstractmethod
    def health(self) -> "Health":
        """Return what the server says of itself; nothing is changed, and no table has to be there.

        Raises:
            InputError: there is no such database, or it lets us not in.
            JournalAwayError: it does not answer.
        """

    def enqueued(self) -> EnqueuedRecords:
        """Return the batches that workers are to lead; nothing is opened before it is asked."""
        return EnqueuedRecords(self._existing)
