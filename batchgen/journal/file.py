"""The SQLite file that holds the journals of all batches: how it is opened, and what is in it.

Only this room speaks SQL.
"""

import sqlite3
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from batchgen.errors import JournalError
from batchgen.journal import schema
from batchgen.journal.batch import BatchJournal
from batchgen.journal.commits import Commits
from batchgen.journal.existing import connected_to_read
from batchgen.journal.file_connection import FileConnection, connect
from batchgen.journal.filesystem import journal_lies_there, refuse_network, sync_folder
from batchgen.journal.opened import OpenJournal
from batchgen.journal.sqlite_errors import DAMAGED, explained
from batchgen.model import Scope

if TYPE_CHECKING:
    from batchgen.ports import Syncer


class JournalFile(OpenJournal):
    """One ``journal.db`` with the records of all batches beside it."""

    _connection: FileConnection

    def __init__(self, connection: FileConnection, path: Path) -> None:
        super().__init__(connection, path)
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
