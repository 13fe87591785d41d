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
        if not journal_lies_there(path):
            yield None
            return
        where = f"{path.resolve().as_uri()}?mode={how}"
        opened = sqlite3.connect(where, uri=True, timeout=WAIT_FOR_OTHERS, isolation_level=None)
        with closing(opened) as connection:
            schema.refuse_others(connection, path=str(path))
            yield None if schema.is_empty(connection) else connection
