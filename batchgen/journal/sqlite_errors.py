"""What SQLite, the disk and the decoder say, turned into our error with what to do about it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from batchgen.errors import JournalError

WAIT_FOR_OTHERS = 30.0  # seconds: other batches' runs and readers hold the file for milliseconds
DAMAGED = "the file is damaged: keep a copy of it, and put back a backup or another output folder with -o"


@contextmanager
def explained(place: object) -> Iterator[None]:
    """Turn the failures of file and library into ours, with what to do about them.

    Args:
        place: of the journal, for people.

    Raises:
        JournalError: whatever SQLite, the disk or the decoder said.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise JournalError(f"{place}: {_advice(error)}") from error
    except OSError as error:
        raise JournalError(f"{place}: {error.strerror or error}") from error
    except (KeyError, ValueError, TypeError) as error:
        raise JournalError(f"{place}: holds a row that cannot be read ({error!r}); {DAMAGED}") from error


def _advice(error: sqlite3.Error) -> str:
    """Return what SQLite's primary result code means for a person."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return "the disk is full; free some space and run the same command again"
        case sqlite3.SQLITE_READONLY:
            return "cannot be written (read-only); nothing was changed"
        case sqlite3.SQLITE_CANTOPEN:
            return "cannot be opened; check the folder's permissions"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"is held by another process for more than {WAIT_FOR_OTHERS:.0f} s"
        case sqlite3.SQLITE_NOTADB:
            return "is not a journal of batchgen; move it away, or give another output folder with -o"
        case sqlite3.SQLITE_CORRUPT:
            return DAMAGED
        case sqlite3.SQLITE_IOERR:
            return f"cannot be read or written ({error}); check the disk"
        case _:
            return f"{error}"
