"""A connection to the journal's file, as the modules of this room speak to it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from batchgen.journal.pacing import AccountRow, TurnsGiven, TurnsWanted, give
from batchgen.journal.sqlite_errors import WAIT_FOR_OTHERS


class FileConnection(sqlite3.Connection):
    """A connection to an SQLite file; implements ``Connection``."""

    _synced: bool | None = None  # whether a commit waits for the disk, as far as it was said here

    def sync_commits(self, synced: bool) -> None:  # noqa: FBT001 - the one thing that is said
        """Say whether each commit from now on is on the disk itself, or ends in the log."""
        if synced is not self._synced:
            self.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
            self._synced = synced

    @contextmanager
    def written(self, *, durable: bool | None = None) -> Iterator[None]:
        """Write all that happens in the block, or nothing; see ``Connection``."""
        if durable is not None:
            self.sync_commits(durable)
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self.in_transaction:
                self.execute("ROLLBACK")
            raise

    def lock_caps(self, origin: str) -> None:
        """Do nothing: who writes to a file writes alone."""

    def take_turns(self, origin: str, project: str, wanted: TurnsWanted) -> TurnsGiven | None:
        """Take the next turns of an account that are free, by our clock; see ``Connection``."""
        if not wanted.many and not wanted.hold:
            return give(self._account(origin, project), wanted)[1]
        try:
            with self.written():
                before = self._account(origin, project)
                row, given = give(before, wanted)
                if row != before:
                    self.execute(
                        "INSERT OR REPLACE INTO accounts (origin, project, last_turn, gap, gap_until, "
                        "submit_after) VALUES (?, ?, ?, ?, ?, ?)",
                        (origin, project, *row),
                    )
        except sqlite3.OperationalError as error:
            if self.is_busy(error):
                return None
            raise
        return given

    def _account(self, origin: str, project: str) -> AccountRow:
        found = self.execute(
            "SELECT last_turn, gap, gap_until, submit_after FROM accounts WHERE (origin, project) = (?, ?)",
            (origin, project),
        ).fetchone()
        return AccountRow() if found is None else AccountRow(*found)

    @contextmanager
    def events_may_move(self) -> Iterator[None]:
        """Take away what keeps events from being changed, and put it back; see ``Connection``."""
        (kept,) = self.execute(
            "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = 'events_stay'"
        ).fetchone()
        self.execute("DROP TRIGGER events_stay")
        yield
        self.execute(kept)

    def is_busy(self, error: Exception) -> bool:
        """Return whether an error says no more than that another process is writing at this moment."""
        return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY

    def wait_at_most(self, milliseconds: int) -> None:
        """Wait no longer for other processes, from now on."""
        self.execute(f"PRAGMA busy_timeout = {milliseconds}")

    def changes(self) -> object:
        """Return a value that is another one when another connection has written; costs microseconds."""
        return self.execute("PRAGMA data_version").fetchone()

    def is_empty(self) -> bool:
        """Return whether the tables are not there yet: a reader may come before the first writer."""
        (version,) = self.execute("PRAGMA user_version").fetchone()
        return int(version) == 0

    def has(self, table: str) -> bool:
        """Return whether there is such a table."""
        found = self.execute(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
        ).fetchone()
        return found is not None


def connect(place: object, *, uri: bool = False) -> FileConnection:
    """Connect to a file, each statement a transaction of its own.

    Args:
        place: its path, or its address where ``uri`` is set.
        uri: whether it is one.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    return sqlite3.connect(
        str(place), uri=uri, timeout=WAIT_FOR_OTHERS, isolation_level=None, factory=FileConnection
    )
