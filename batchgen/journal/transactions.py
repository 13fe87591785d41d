"""All of a change to the journal, or nothing of it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def written(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all that happens in the block, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
