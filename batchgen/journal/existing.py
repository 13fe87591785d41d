"""Opening the file for one statement or two, where it is there; it is never made."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from batchgen.journal import schema
from batchgen.journal.filesystem import journal_lies_there
from batchgen.journal.sqlite_errors import WAIT_FOR_OTHERS, explained


@contextmanager
def existing(path: Path, how: str) -> Iterator[sqlite3.Connection | None]:
    """Open a journal for as long as the block lasts.

    Args:
        path: the file.
        how: ``ro`` to read, ``rw`` to write.

    Yields:
        A connection; None where there is no file, or none that a writer has made the tables of.

    Raises:
        JournalError: the file is damaged or newer, or a statement in the block fails.
    """
    with explained(path):
        opened = connected_to_read(path) if how == "ro" else _connected(path, f"mode={how}")
        if opened is None:
            yield None
            return
        with closing(opened) as connection:
            connection.execute("PRAGMA wal_autocheckpoint = 0")  # the log is not for it to copy (``commits``)
            connection.execute("PRAGMA fullfsync = ON")
            yield None if schema.is_empty(connection) else connection


def connected_to_read(path: Path) -> sqlite3.Connection | None:
    """Connect to the file without a lock on anybody; None where there is none.

    Raises:
        JournalError: it is newer.
        sqlite3.Error: it is damaged, or cannot be opened.
    """
    try:
        return _connected(path, "mode=ro")
    except sqlite3.OperationalError:  # a read-only folder: there is no place for the index of the log
        return _connected(path, "immutable=1")


def _connected(path: Path, how: str) -> sqlite3.Connection | None:
    if not journal_lies_there(path):
        return None
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?{how}", uri=True, timeout=WAIT_FOR_OTHERS, isolation_level=None
    )
    try:
        schema.refuse_others(connection, path=str(path))
    except BaseException:
        connection.close()
        raise
    return connection
