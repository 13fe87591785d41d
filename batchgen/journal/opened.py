"""A journal that is open: what is in it, of every batch."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from batchgen.journal.accepted import AcceptedRecords
from batchgen.journal.asset_marks import AssetMarks
from batchgen.journal.batch import BatchJournal
from batchgen.journal.ceilings import CeilingRecords
from batchgen.journal.connection import Connection
from batchgen.journal.last_runs import LastRunRecords
from batchgen.journal.moves import MoveRecords
from batchgen.journal.names import Names
from batchgen.journal.origin_flags import named_rows
from batchgen.journal.reservations import drop_of_batch
from batchgen.journal.room import RoomRecords
from batchgen.journal.scopes import NAMES, keep_scope, scope_of
from batchgen.journal.slots import SlotRecords
from batchgen.journal.sqlite_errors import explained
from batchgen.journal.successor import successor_of
from batchgen.model import Scope

if TYPE_CHECKING:
    from batchgen.ports import Syncer


class OpenJournal(ABC):
    """The records of all batches of one place, beside each other."""

    def __init__(self, connection: Connection, place: object) -> None:
        """Speak to the tables of a journal.

        Args:
            connection: to them; closed with this.
            place: of the journal, for people.
        """
        self._connection = connection
        self._place = place

    def scopes(self) -> list[Scope]:
        """Return every scope that has an event or was begun, oldest first."""
        with explained(self._place):
            if self._connection.is_empty():
                return []
            rows = self._connection.execute(f"SELECT {NAMES} FROM scopes ORDER BY id")  # noqa: S608 - our own names
            return list(map(scope_of, rows))

    def has_all(self, remote_ids: Collection[str]) -> bool:
        """Return whether every one of these submissions is on record, of whatever batch.

        Raises:
            JournalError: it cannot be read.
        """
        origins = {one.origin for one in self.scopes()}
        query = "SELECT remote_id FROM submissions WHERE origin = ? AND remote_id"
        with explained(self._place):
            there = {
                str(name)
                for one in origins
                for (name,) in named_rows(self._connection, query, one, remote_ids)
            }
        return there.issuperset(remote_ids)

    @abstractmethod
    def batch(self, scope: Scope) -> BatchJournal:
        """Return the journal of one scope; nothing is written before its first event."""

    @abstractmethod
    def grouped(self, syncer: "Syncer") -> AbstractContextManager[None]:
        """Let the facts of all batches share what waits for the disk, done beside the loop, for a block.

        Args:
            syncer: does what waits for the disk.

        Raises:
            JournalError: the disk does not keep what is written.
        """

    @property
    def names(self) -> Names:
        """Under which names the batches of this journal are known."""
        return Names(self._connection, self._place)

    def ceilings(self, scope: Scope) -> CeilingRecords:
        """Return what is known of the service's limits for the account of a scope."""
        return CeilingRecords(self._connection, self._place, scope)

    def room(self, scope: Scope) -> RoomRecords:
        """Return what the other batches of a scope's account have at the service."""
        return RoomRecords(self._connection, self._place, scope)

    def accepted(self, scope: Scope) -> AcceptedRecords:
        """Return the changed jobs of a scope that keep what was bought before the change."""
        return AcceptedRecords(self._connection, self._place, scope)

    def asset_marks(self, scope: Scope) -> AssetMarks:
        """Return what a person says of a scope's assets."""
        return AssetMarks(self._connection, self._place, scope)

    def moves(self, scope: Scope) -> MoveRecords:
        """Return the renames of a scope's files that have begun and not ended."""
        return MoveRecords(self._connection, self._place, scope)

    def slots(self, scope: Scope) -> SlotRecords:
        """Return what is open in the slots of a scope's batch."""
        return SlotRecords(self._connection, self._place, scope)

    @property
    def last_runs(self) -> LastRunRecords:
        """How the last run of each slot went."""
        return LastRunRecords(self._connection, self._place)

    def successor(self, batch: str) -> str | None:
        """Return in which journal a batch goes on that was copied there, in words; None where it was not.

        Raises:
            JournalError: it cannot be read.
        """
        with explained(self._place):
            return successor_of(self._connection, batch)

    def begin(self, scope: Scope) -> None:
        """Keep a scope that has no event yet, on the disk itself.

        Raises:
            JournalError: it does not take it.
        """
        with explained(self._place), self._connection.written(durable=True):
            keep_scope(self._connection, scope)

    def drop_reservations(self, batch: str) -> None:
        """Keep nothing any more for later steps of chains in any slot of a batch, which no run works on.

        Raises:
            JournalError: it does not take it.
        """
        with explained(self._place), self._connection.written():
            drop_of_batch(self._connection, batch)

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
