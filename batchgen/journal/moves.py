"""The renames of files that have begun: on the disk before the first of them, struck off after the last.

Whoever is cut off in between finds here where each file may lie.
"""

from collections.abc import Sequence

from batchgen.journal.connection import Connection
from batchgen.journal.scopes import columns_of
from batchgen.journal.sqlite_errors import explained
from batchgen.model import JobKey, Scope
from batchgen.planning.file_moves import Move

_COLUMNS = "asset, source, via, target, content, ordinal, sha256, stamp"


class MoveRecords:
    """The renames of one scope's files that have begun and not ended."""

    def __init__(self, connection: Connection, path: object, scope: Scope) -> None:
        self._connection = connection
        self._path = path
        self._place = columns_of(scope)

    def pending(self) -> list[Move]:
        """Return them in the order in which they are made.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            if not self._connection.has("moves"):
                return []
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM moves "  # noqa: S608 - our own names
                "WHERE (origin, project, batch, slot) = (?, ?, ?, ?) ORDER BY id",
                self._place,
            )
            return [_move(row) for row in rows]

    def slots(self) -> list[str]:
        """Return the slots of the batch that have such renames.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            if not self._connection.has("moves"):
                return []
            rows = self._connection.execute(
                "SELECT DISTINCT slot FROM moves WHERE (origin, project, batch) = (?, ?, ?) ORDER BY slot",
                self._place[:3],
            )
            return [slot for (slot,) in rows]

    def begin(self, moves: Sequence[Move]) -> None:
        """Put renames on record that are about to be made, all or none, on the disk itself.

        Raises:
            JournalError: the file does not take them; nothing may be renamed.
        """
        rows = [
            (
                *self._place,
                one.asset_id,
                one.source,
                one.via,
                one.target,
                *(one.copy_for or ("", 0)),
                one.sha256,
                one.stamp,
            )
            for one in moves
        ]
        with explained(self._path), self._connection.written(durable=True):
            self._connection.executemany(
                f"INSERT INTO moves (origin, project, batch, slot, {_COLUMNS}) "  # noqa: S608 - our own names
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def end(self) -> None:
        """Strike off all of them: the records say where the files lie.

        Raises:
            JournalError: the file does not take it; the next run looks again, which changes nothing.
        """
        with explained(self._path), self._connection.written():
            self._connection.execute(
                "DELETE FROM moves WHERE (origin, project, batch, slot) = (?, ?, ?, ?)", self._place
            )


def _move(row: tuple[str, str, str, str, str, int, str, str]) -> Move:
    asset_id, source, via, target, content, ordinal, sha256, stamp = row
    return Move(
        asset_id=asset_id,
        source=source,
        via=via,
        target=target,
        copy_for=JobKey(content, ordinal) if content else None,
        sha256=sha256,
        stamp=stamp,
    )
