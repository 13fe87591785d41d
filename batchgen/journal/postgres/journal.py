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
        lease = self._fenced(scope.batch)
        found = PostgresBatch(self._connection, self._name, scope, lease, self._spool)
        self._batches.append(found)
        return found

    def grouped(self, syncer: "Syncer") -> AbstractContextManager[None]:  # noqa: ARG002 - the server groups them
        """Do nothing: each durable fact is on the server's disk when it is appended."""
        return nullcontext()

    def begin(self, scope: Scope) -> None:
        """Keep a scope that has no event yet; see ``OpenJournal``."""
        self._fenced(scope.batch)
        super().begin(scope)

    def drop_reservations(self, batch: str) -> None:
        """Keep nothing any more for later steps of chains of a batch; see ``OpenJournal``."""
        self._fenced(batch)
        super().drop_reservations(batch)

    def _fenced(self, batch: str) -> Lease | None:
        """Let what is written from now on be refused when a batch that this process leads is another's."""
        lease = self._lease_of(batch)
        if lease is not None:
            self._connection.fence(lease.batch, lease.epoch)
        return lease

    def _check_unchanged(self, connection: PostgresConnection) -> None:
        for one in self._batches:
            one.check_unchanged(connection)
