"""The door to a journal that is a file of an output folder."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from batchgen.errors import JournalError
from batchgen.journal import lock
from batchgen.journal.connection import Opener
from batchgen.journal.existing import connected_to_read, connected_to_write, existing
from batchgen.journal.file import JournalFile
from batchgen.journal.file_connection import connect
from batchgen.journal.filesystem import journal_lies_there, lies_there
from batchgen.journal.runs import RunRecords
from batchgen.journal.sqlite_errors import explained
from batchgen.journal.store import JournalStore
from batchgen.journal.uploads import UploadRecords
from batchgen.lease_ports import Lease

if TYPE_CHECKING:
    from batchgen.ports import Clock


class FileStore(JournalStore):
    """The journals of all batches of one output folder."""

    def __init__(self, folder: Path) -> None:
        """Name the place; nothing is opened or made before it is asked.

        Args:
            folder: the output folder.
        """
        self._folder = folder
        self._path = folder / "journal.db"

    def __str__(self) -> str:
        """Name the place for people."""
        return str(self._path)

    def exists(self) -> bool:
        """Return whether anything was ever kept.

        Raises:
            JournalError: what is there is no file.
        """
        return journal_lies_there(self._path)

    def clock(self, base: "Clock") -> "Clock":
        """Return by which clock slots and stamps are: that of the machine on which the file is."""
        return base

    def hold(self, batch: str, *, stamp: float) -> AbstractContextManager[Lease]:
        """Hold a batch, as its only writer, for as long as the block lasts.

        Args:
            batch: its name.
            stamp: now, seconds since the epoch: since when it is held.

        Raises:
            BatchLockedError: another run holds it; says who and since when.
            JournalError: the place cannot be written.
        """
        return lock.hold_batch(self._lock_of(batch), stamp=stamp)

    def is_held(self, batch: str) -> bool:
        """Return whether a run holds a batch; see ``lock.is_held``."""
        return lock.is_held(self._lock_of(batch))

    def is_being_rebuilt(self, batch: str) -> bool:
        """Return whether a rebuild of a batch has begun and not ended: what is on record is not all.

        Raises:
            JournalError: what is there is no file.
        """
        return lies_there(self._mark_of(batch))

    @contextmanager
    def rebuilding(self, batch: str) -> Iterator[None]:
        """Mark a batch as being rebuilt until all is recorded; a rebuild that is cut off leaves the mark.

        Raises:
            JournalError: the mark cannot be made or taken away.
        """
        mark = self._mark_of(batch)
        lock.make_mark(mark, "a rebuild of the journal has begun\n")
        yield
        lock.remove_mark(mark)

    def opened(self, *, checked: bool = False) -> JournalFile:
        """Open it to write, made as needed; see ``JournalFile.open``."""
        return JournalFile.open(self._path, checked=checked)

    def read(self) -> JournalFile:
        """Open it without a lock on anybody; where there is none yet, an empty one.

        Raises:
            JournalError: it is damaged or newer.
        """
        return JournalFile.open_to_read(self._path)

    def runs(self) -> RunRecords | None:
        """Open what is known of the runs under way; None where nothing was ever kept.

        Raises:
            JournalError: it is damaged, newer or not writable.
        """
        with explained(self._path):
            connection = connected_to_write(self._path)
        return None if connection is None else RunRecords(connection, self._path)

    def uploads(self, *, origin: str, project: str) -> UploadRecords:
        """Open what is known of uploads to write, in a file made as needed.

        Raises:
            JournalError: the file is damaged, newer, not writable or on a network file system.
        """
        self.opened().close()
        with explained(self._path):
            # the worst that a power cut can do is one more upload, which is free
            connection = connected_to_write(self._path)
        if connection is None:
            raise JournalError(f"{self._path}: was removed as it was opened")
        return UploadRecords(connection, self._path, origin=origin, project=project)

    def uploads_to_read(self, *, origin: str, project: str) -> UploadRecords:
        """Open what is known of uploads; where there is nothing yet, there are none.

        Raises:
            JournalError: it is damaged or newer.
        """
        with explained(self._path):
            connection = connected_to_read(self._path) or connect(":memory:")
        return UploadRecords(connection, self._path, origin=origin, project=project)

    @property
    def _existing(self) -> Opener:
        return partial(existing, self._path)

    def _lock_of(self, batch: str) -> Path:
        """Beside the journal: a batch's own folder may be removed to begin anew."""
        return self._folder / "locks" / f"{batch}.lock"

    def _mark_of(self, batch: str) -> Path:
        return self._lock_of(batch).with_suffix(".recovering")
