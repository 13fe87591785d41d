"""A journal in a database that is open: what is in it, of every batch."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from batchgen.journal.opened import OpenJournal
from batchgen.journal.postgres.batch import PostgresBatch
from batchgen.journal.postgres.connection import PostgresConnection
from batchgen.journal.postgres.lease import Lease
from batchgen.journal.postgres.spool import Spool
from batchgen.model import Scope

if TYPE_CHECKING:
    from batchgen.ports import Syncer


class PostgresJournal(OpenJournal):
    """The records of all batches of one database, over a connection of its own."""

    _connection: PostgresConnection

    def __init__(
        self,
        connect: Callable[[Callable[[PostgresConnection], None]], PostgresConnection],
        place: str,
        lease_of: Callable[[str], Lease | None],
        spool: Spool,
    ) -> None:
        """Open it.

        Args:
            connect: makes the connection, which calls what it is given whenever it is a new one.
            place: for people.
            lease_of: gives the lease of a batch that this process has.
            spool: where is put what the database does not take.
        """
        super().__init__(connect(self._check_unchanged), place)
        self._name = place
        self._lease_of = lease_of
        self._spool = spool
        self._batches: list[PostgresBatch] = []

    def batch(self, scope: Scope) -> PostgresBatch:
        """Return the journal of one scope; nothing is written before its first event."""
        lease = self._lease_of(scope.batch)
        if lease is not None:
            self._connection.fence(lease.batch, lease.epoch)
        found = PostgresBatch(self._connection, self._name, scope, lease, self._spool)
        self._batches.append(found)
        return found

    def grouped(self, syncer: "Syncer") -> AbstractContextManager[None]:  # noqa: ARG002 - the server groups them
        """Do nothing: each durable fact is on the server's disk when it is appended."""
        return nullcontext()

    def _check_unchanged(self, connection: PostgresConnection) -> None:
        for one in self._batches:
            one.check_unchanged(connection)
