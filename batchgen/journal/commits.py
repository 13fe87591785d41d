"""How changes are committed: each with a sync of its own, or with one sync for many beside the loop.

All that write to a journal leave its log alone but this. SQLite would copy it into the database by itself,
beside whoever writes, and before 3.51.3 that can lose a commit. Here it is done under the lock of writers.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from batchgen.errors import JournalError
from batchgen.journal.file_connection import FileConnection
from batchgen.journal.filesystem import place_of
from batchgen.journal.sqlite_errors import WAIT_FOR_OTHERS, explained

if TYPE_CHECKING:
    from batchgen.journal.group_sync import GroupSync
    from batchgen.journal.log_file import LogFile
    from batchgen.ports import Syncer

EVERY = (
    2048  # commits, of some 20 kB each: the log is read at the next start, and copied while all stand still
)
_AGAIN_AFTER = 512  # commits more, where a reader was in the way
_NOT_KEPT = frozenset({sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC})
_PATIENCE = 20  # milliseconds that a run waits for one


class Commits:
    """The commits over one connection to a journal."""

    def __init__(self, connection: FileConnection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._place = place_of(path)
        self._group: GroupSync | None = None
        self._left = EVERY  # commits until the log is begun anew
        self._failed = ""

    @property
    def failed(self) -> str:
        """What the disk said when it did not keep something; empty as long as it has not."""
        return self._failed or (self._group.failed if self._group is not None else "")

    @contextmanager
    def grouped(self, syncer: "Syncer") -> Iterator[None]:
        """Let facts share their syncs, beside the loop, for as long as the block lasts.

        What a new log costs is done here and now: SQLite syncs its header and its name in the folder with the
        first write, which is to be none of the run's.

        Raises:
            JournalError: the disk does not keep what is written.
        """
        # most commands have no use for a loop
        from batchgen.journal.group_sync import GroupSync  # noqa: PLC0415
        from batchgen.journal.log_file import LogFile  # noqa: PLC0415

        (mode,) = self._connection.execute("PRAGMA journal_mode").fetchone()
        if mode != "wal":  # a file system on which there is none: a sync each, as without this
            yield
            return
        with explained(self._path), self._noted():
            self._connection.sync_commits(True)  # noqa: FBT003 - its one word
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            self._connection.execute(f"PRAGMA user_version = {version}")
            log = LogFile.open(self._path)
        self._group = GroupSync(syncer, log.sync, place=str(self._path))
        try:
            yield
        finally:
            self._failed, self._group = self.failed, None
            try:
                self._keep_the_rest(log)
            finally:
                log.close()

    def _keep_the_rest(self, log: "LogFile") -> None:
        """Have the disk keep what nobody has waited for: what is told of a run is true after a power cut too.

        Raises:
            JournalError: it did not.
        """
        if self._failed:
            return
        with explained(self._path):
            try:
                log.sync()
            except OSError as error:
                self._failed = f"{error.strerror}"
                raise

    def check_place(self) -> None:
        """Refuse to go on in a file that nobody will find again.

        Raises:
            JournalError: the journal was removed or replaced while it was open.
        """
        if place_of(self._path) != self._place:
            raise JournalError(f"{self._path}: was removed or replaced during the run; nothing more is sent")

    async def durable(self) -> None:
        """Return when all that was committed before is on the disk itself; see ``ports.Journal``."""
        if self._group is not None:
            await self._group.wait()

    @contextmanager
    def transaction(self, *, durable: bool, may_wait: bool = False) -> Iterator[None]:
        """Write all that happens in the block, or nothing.

        Args:
            durable: whether it must be on the disk itself; otherwise it outlives this process.
            may_wait: whether ``durable``, called after it, is soon enough for that.

        Raises:
            JournalError: it cannot be had on the disk itself, because a sync has failed before.
        """
        synced = durable and not (may_wait and self._group is not None)
        if synced and self.failed:
            raise JournalError(f"{self._path}: the disk did not keep what was written ({self.failed})")
        with self._noted(), self._connection.written(durable=synced):
            yield
        self._left -= 1

    def shorten_log(self) -> None:
        """Copy the log into the database and begin it anew, if it has become long.

        SQLite syncs the log before and the database after that. Nobody writes meanwhile. Readers that look at
        an earlier state are waited for a moment; then it is done another time.

        Raises:
            JournalError: the disk did not keep what is copied: none of it may be tried again.
        """
        if self._left > 0 or self.failed:
            return
        with explained(self._path), self._noted():
            self._left = EVERY if self._copy() else _AGAIN_AFTER

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Try no further sync once one of SQLite's own has failed."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in _NOT_KEPT:
                self._failed = self.failed or str(error)
                if self._group is not None:
                    self._group.fail(self._failed)
            raise

    def _copy(self) -> bool:
        """Return whether all of the log was copied, with nobody in the way."""
        self._connection.wait_at_most(_PATIENCE)
        try:
            busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                return False
            raise
        finally:
            self._connection.wait_at_most(int(1000 * WAIT_FOR_OTHERS))
        return not busy
