"""Opening the file for one statement or two, where it is there; it is never made."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from batchgen.journal import schema
from batchgen.journal.file_connection import FileConnection, connect
from batchgen.journal.filesystem import journal_lies_there
from batchgen.journal.sqlite_errors import explained


@contextmanager
def existing(path: Path, how: str) -> Iterator[FileConnection | None]:
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
            if connection.is_empty():
                yield None
                return
            if how == "rw":
                with connection.written():
                    schema.add_later(connection)  # an earlier version may have made the file
            yield connection


def connected_to_write(path: Path) -> FileConnection | None:
    """Connect to the file for what may be lost with the power; None where there is none, or no table in it.

    Raises:
        JournalError: it is newer.
        sqlite3.Error: it is damaged, or cannot be opened.
    """
    connection = _connected(path, "mode=rw")
    if connection is None:
        return None
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0")  # the log is not for it to copy (``commits``)
    if connection.is_empty():
        connection.close()
        return None
    connection.sync_commits(False)  # noqa: FBT003 - its one word
    return connection


def connected_to_read(path: Path) -> FileConnection | None:
    """Connect to the file without a lock on anybody; None where there is none.

    Raises:
        JournalError: it is newer.
        sqlite3.Error: it is damaged, or cannot be opened.
    """
    try:
        return _connected(path, "mode=ro")
    except sqlite3.OperationalError:  # a read-only folder: there is no place for the index of the log
        return _connected(path, "immutable=1")


def _connected(path: Path, how: str) -> FileConnection | None:
    if not journal_lies_there(path):
        return None
    connection = connect(f"{path.resolve().as_uri()}?{how}", uri=True)
    try:
        schema.refuse_others(connection, path=str(path))
    except BaseException:
        connection.close()
        raise
    return connection
