"""Submissions that were bought by asking for a price: a fact of an origin, kept for good.

Beside the events, not of them: a job may have been recorded for one of them or not. A service that
took one question for an order is asked no other.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

from batchgen.errors import JournalError
from batchgen.journal import schema
from batchgen.journal.faults import WAIT_FOR_OTHERS, explained
from batchgen.model import Purchase


class PurchaseRecords:
    """The purchases of one origin in a ``journal.db``, which may not be there yet."""

    def __init__(self, path: Path, *, origin: str) -> None:
        """Name the place; nothing is opened before it is asked."""
        self._path = path
        self._origin = origin

    def known(self) -> list[Purchase]:
        """Give all of them, oldest first.

        Raises:
            JournalError: the file cannot be read.
        """
        with self._opened("ro") as connection:
            if connection is None:
                return []
            rows = connection.execute(
                "SELECT project, remote_id, model, job, charged, at FROM purchases "
                "WHERE origin = ? ORDER BY at",
                (self._origin,),
            )
            return [
                Purchase(
                    project=project,
                    remote_id=remote_id,
                    model=model,
                    job=job,
                    charged=None if charged is None else Decimal(charged),
                    at=at,
                )
                for project, remote_id, model, job, charged, at in rows
            ]

    def keep(self, purchase: Purchase) -> None:
        """Put one on record, on the disk itself; one that is there stays as it is.

        Raises:
            JournalError: the file does not take it, or no run or plan has made it yet.
        """
        charged = None if purchase.charged is None else str(purchase.charged)
        with self._opened("rw") as connection:
            if connection is None:
                raise JournalError(f"{self._path}: there is no journal that could hold it")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(
                "INSERT INTO purchases (origin, project, remote_id, model, job, charged, at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    self._origin,
                    purchase.project,
                    purchase.remote_id,
                    purchase.model,
                    purchase.job,
                    charged,
                    purchase.at,
                ),
            )

    @contextmanager
    def _opened(self, how: str) -> Iterator[sqlite3.Connection | None]:
        """Open the file; None where there is none, or none that has been brought up to date yet."""
        with explained(self._path):
            if not self._path.exists():
                yield None
                return
            where = f"{self._path.resolve().as_uri()}?mode={how}"
            opened = sqlite3.connect(where, uri=True, timeout=WAIT_FOR_OTHERS, isolation_level=None)
            with closing(opened) as connection:
                schema.refuse_others(connection, path=str(self._path))
                yield connection if not schema.is_empty(connection) else None
