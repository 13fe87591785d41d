"""The SQLite file that holds the journals of all batches: how it is opened, and what is in it.

Only this room speaks SQL.
"""

import sqlite3
from collections.abc import Collection
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from batchgen.errors import JournalError
from batchgen.journal import schema
from batchgen.journal.accepted import AcceptedRecords
from batchgen.journal.asset_marks import AssetMarks
from batchgen.journal.batch import BatchJournal
from batchgen.journal.ceilings import CeilingRecords
from batchgen.journal.commits import Commits
from batchgen.journal.existing import connected_to_read
from batchgen.journal.file_connection import FileConnection, connect
from batchgen.journal.filesystem import journal_lies_there, refuse_network, sync_folder
from batchgen.journal.last_runs import LastRunRecords
from batchgen.journal.moves import MoveRecords
from batchgen.journal.names import Names
from batchgen.journal.origin_flags import named_rows
from batchgen.journal.reservations import drop_of_batch
from batchgen.journal.scopes import NAMES, keep_scope, scope_of
from batchgen.journal.slots import SlotRecords
from batchgen.journal.sqlite_errors import DAMAGED, explained
from batchgen.journal.successor import successor_of
from batchgen.model import Scope

if TYPE_CHECKING:
    from batchgen.ports import Syncer


class JournalFile:
    """One ``journal.db`` with the records of all batches beside it."""

    def __init__(self, connection: FileConnection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._commits = Commits(connection, path)

    @classmethod
    def open(cls, path: Path, *, checked: bool = False) -> Self:
        """Open the file to write, made as needed.

        Args:
            path: the file.
            checked: whether this process has looked for damage already, with another connection.

        Raises:
            JournalError: it is damaged, newer, not writable or on a network file system.
        """
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            refuse_network(path.parent.resolve(), _mounts())
            fresh = not journal_lies_there(path)
            connection = connect(path)
            try:
                schema.refuse_others(connection, path=str(path))  # before anything is written
                connection.execute("PRAGMA journal_mode = WAL")
                connection.sync_commits(True)  # noqa: FBT003 - its one word
                connection.execute("PRAGMA foreign_keys = ON")
                # where a plain sync stops at the drive's cache (macOS); of no effect elsewhere
                connection.execute("PRAGMA fullfsync = ON")
                connection.execute("PRAGMA wal_autocheckpoint = 0")  # see ``commits``
                if not checked:
                    _refuse_damage(connection, path)
                schema.create(connection, path=str(path))
            except BaseException:
                connection.close()
                raise
            if fresh:
                sync_folder(path.parent)
        return cls(connection, path)

    @classmethod
    def open_to_read(cls, path: Path) -> Self:
        """Open the file without a lock on anybody; where there is none yet, an empty one.

        Raises:
            JournalError: it is damaged or newer.
        """
        with explained(path):
            return cls(connected_to_read(path) or connect(":memory:"), path)

    def scopes(self) -> list[Scope]:
        """Return every scope that has an event or was begun, oldest first."""
        with explained(self._path):
            if self._connection.is_empty():
                return []
            rows = self._connection.execute(f"SELECT {NAMES} FROM scopes ORDER BY id")  # noqa: S608 - our own names
            return list(map(scope_of, rows))

    def has_all(self, remote_ids: Collection[str]) -> bool:
        """Return whether every one of these submissions is on record, of whatever batch.

        Raises:
            JournalError: the file cannot be read.
        """
        origins = {one.origin for one in self.scopes()}
        query = "SELECT remote_id FROM submissions WHERE origin = ? AND remote_id"
        with explained(self._path):
            there = {
                str(name)
                for one in origins
                for (name,) in named_rows(self._connection, query, one, remote_ids)
            }
        return there.issuperset(remote_ids)

    def batch(self, scope: Scope) -> BatchJournal:
        """Return the journal of one scope; nothing is written before its first event."""
        return BatchJournal(self._connection, self._path, scope, self._commits)

    def grouped(self, syncer: "Syncer") -> AbstractContextManager[None]:
        """Let the facts of all journals of this file share their syncs, done beside the loop, for a block.

        Args:
            syncer: does what waits for the disk.

        Raises:
            JournalError: the disk does not keep what is written.
        """
        return self._commits.grouped(syncer)

    @property
    def names(self) -> Names:
        """Under which names the batches of this file are known."""
        return Names(self._connection, self._path)

    def ceilings(self, scope: Scope) -> CeilingRecords:
        """Return what is known of the service's limits for the account of a scope."""
        return CeilingRecords(self._connection, self._path, scope)

    def accepted(self, scope: Scope) -> AcceptedRecords:
        """Return the changed jobs of a scope that keep what was bought before the change."""
        return AcceptedRecords(self._connection, self._path, scope)

    def asset_marks(self, scope: Scope) -> AssetMarks:
        """Return what a person says of a scope's assets."""
        return AssetMarks(self._connection, self._path, scope)

    def moves(self, scope: Scope) -> MoveRecords:
        """Return the renames of a scope's files that have begun and not ended."""
        return MoveRecords(self._connection, self._path, scope)

    def slots(self, scope: Scope) -> SlotRecords:
        """Return what is open in the slots of a scope's batch."""
        return SlotRecords(self._connection, self._path, scope)

    @property
    def last_runs(self) -> LastRunRecords:
        """How the last run of each slot went."""
        return LastRunRecords(self._connection, self._path)

    def successor(self, batch: str) -> str | None:
        """Return in which journal a batch goes on that was copied there, in words; None where it was not.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            return successor_of(self._connection, batch)

    def begin(self, scope: Scope) -> None:
        """Keep a scope that has no event yet, on the disk itself.

        Raises:
            JournalError: the file does not take it.
        """
        with explained(self._path), self._connection.written(durable=True):
            keep_scope(self._connection, scope)

    def drop_reservations(self, batch: str) -> None:
        """Keep nothing any more for later steps of chains in any slot of a batch, which no run works on.

        Raises:
            JournalError: the file does not take it.
        """
        with explained(self._path), self._connection.written():
            drop_of_batch(self._connection, batch)

    def close(self) -> None:
        """Let go of the file.

        The last to close it copies the log into the database and removes it. Not where a sync has failed: the
        log may be short of what the system dropped, and a sync of the copy would say nothing of that.
        """
        with ExitStack() as stack:
            if self._commits.failed:
                with suppress(sqlite3.Error, JournalError):  # it may be gone
                    # the last to close it is then one that may not write
                    stack.enter_context(JournalFile.open_to_read(self._path)).scopes()
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _refuse_damage(connection: FileConnection, path: Path) -> None:
    """Look at every page: one that is blank would hide what is paid for, and so buy it again."""
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise JournalError(f"{path}: {DAMAGED} ({found})")


def _mounts() -> str:
    try:
        return Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
