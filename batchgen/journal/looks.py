"""Looks before buying that have begun and not ended, in one scope; for a caller within a transaction."""

from batchgen.journal.connection import Connection
from batchgen.journal.scopes import columns_of
from batchgen.model import Scope


class Looks:
    """The look of one scope, if there is one."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._columns = columns_of(scope)

    @property
    def since(self) -> float | None:
        """How far back it was to go, seconds since the epoch; None where none was cut off."""
        row = self._connection.execute(
            "SELECT since FROM looks WHERE (origin, project, batch, slot) = (?, ?, ?, ?)", self._columns
        ).fetchone()
        return None if row is None else float(row[0])

    def begin(self, since: float) -> None:
        """Keep that one has begun."""
        self._connection.execute(
            "INSERT INTO looks (origin, project, batch, slot, since) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (origin, project, batch, slot) DO UPDATE SET since = excluded.since",
            (*self._columns, since),
        )

    def end(self) -> None:
        """Keep that it has ended."""
        self._connection.execute(
            "DELETE FROM looks WHERE (origin, project, batch, slot) = (?, ?, ?, ?)", self._columns
        )
