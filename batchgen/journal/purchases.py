"""Submissions that were bought by asking for a price: a fact of an origin, kept for good.

Beside the events, not of them: a job may have been recorded for one of them or not. A service that
took one question for an order is asked no other.
"""

from decimal import Decimal

from batchgen.errors import JournalError
from batchgen.journal.connection import Opener
from batchgen.model import Purchase


class PurchaseRecords:
    """The purchases of one origin in a ``journal.db``, which may not be there yet."""

    def __init__(self, existing: Opener, place: object, *, origin: str) -> None:
        """Name the place; nothing is opened before it is asked."""
        self._existing = existing
        self._place = place
        self._origin = origin

    def known(self) -> list[Purchase]:
        """Return all of them, oldest first.

        Raises:
            JournalError: the file cannot be read.
        """
        with self._existing("ro") as connection:
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
        with self._existing("rw") as connection:
            if connection is None:
                raise JournalError(f"{self._place}: there is no journal that could hold it")
            with connection.written(durable=True):
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
