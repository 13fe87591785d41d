"""What a person says of assets. Written without lock or lease, also while a run goes on in another process.

Each command is one transaction. It waits for whoever writes at that moment, as every writer does.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from batchgen.journal import schema
from batchgen.journal.existing import existing
from batchgen.journal.scopes import columns_of
from batchgen.journal.sqlite_errors import explained
from batchgen.journal.transactions import written
from batchgen.model import Scope
from batchgen.planning.marks import Change, Mark, Marked, Wanted, change_of

_OF_A_SCOPE = "(origin, project, batch, slot) = (?, ?, ?, ?)"
_READ = f"SELECT asset, mark, note, at FROM asset_marks WHERE {_OF_A_SCOPE}"  # noqa: S608 - our own names
_KEEP = "INSERT OR REPLACE INTO asset_marks (origin, project, batch, slot, asset, mark, note, at)"


class AssetMarks:
    """The marks on one scope's assets, read anew by every look: another process may write them."""

    def __init__(self, connection: sqlite3.Connection, path: Path, scope: Scope) -> None:
        self._connection = connection
        self._path = path
        self._place = columns_of(scope)

    def read(self) -> dict[str, Marked]:
        """Return them by asset.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            return _read(self._connection, self._place) if self._is_there() else {}

    def _is_there(self) -> bool:
        """Return whether a writer has made the table: a reader may come before the first one."""
        found = self._connection.execute(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'asset_marks'"
        ).fetchone()
        return found is not None


def change_marks(path: Path, scope: Scope, wanted: Sequence[Wanted], *, at: float) -> Change:
    """Write what a person wants of a scope's marks, all of it or nothing, on the disk itself.

    Args:
        path: the journal; where there is none nothing is written.
        scope: whose assets they are.
        wanted: what is to become of the marks.
        at: seconds since the epoch.

    Raises:
        JournalError: the file does not take it; nothing is written.
    """
    place = columns_of(scope)
    with existing(path, "rw") as connection:
        if connection is None:
            return change_of((), {}, at=at)
        with written(connection):
            for statement in schema.LATER:  # an earlier version may have made the file
                connection.execute(statement)
            change = change_of(wanted, _read(connection, place), at=at)
            connection.executemany(
                f"{_KEEP} VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(*place, asset, str(one.mark), one.note, one.at) for asset, one in change.made.items()],
            )
            connection.executemany(
                f"DELETE FROM asset_marks WHERE {_OF_A_SCOPE} AND asset = ?",  # noqa: S608 - our own names
                [(*place, asset) for asset in change.removed],
            )
        return change


def _read(connection: sqlite3.Connection, place: tuple[str, str, str, str]) -> dict[str, Marked]:
    rows = connection.execute(_READ, place)
    return {asset: Marked(Mark(mark), note, at) for asset, mark, note, at in rows}
