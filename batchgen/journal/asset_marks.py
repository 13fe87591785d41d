"""What a person says of assets. Written without lock or lease, also while a run goes on in another process.

Each command is one transaction. It waits for whoever writes at that moment, as every writer does.
"""

from collections.abc import Sequence

from batchgen.journal.connection import Connection, Opener
from batchgen.journal.scopes import columns_of
from batchgen.journal.sqlite_errors import explained
from batchgen.model import Scope
from batchgen.planning.marks import Change, Mark, Marked, Wanted, change_of

_OF_A_SCOPE = "(origin, project, batch, slot) = (?, ?, ?, ?)"
_READ = f"SELECT asset, mark, note, at FROM asset_marks WHERE {_OF_A_SCOPE}"  # noqa: S608 - our own names
_KEEP = (
    "INSERT INTO asset_marks (origin, project, batch, slot, asset, mark, note, at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (origin, project, batch, slot, asset) "
    "DO UPDATE SET mark = excluded.mark, note = excluded.note, at = excluded.at"
)


class AssetMarks:
    """The marks on one scope's assets, read anew by every look: another process may write them."""

    def __init__(self, connection: Connection, path: object, scope: Scope) -> None:
        self._connection = connection
        self._path = path
        self._place = columns_of(scope)

    def read(self) -> dict[str, Marked]:
        """Return them by asset.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            return _read(self._connection, self._place) if self._connection.has("asset_marks") else {}


def change_marks(existing: Opener, scope: Scope, wanted: Sequence[Wanted], *, at: float) -> Change:
    """Write what a person wants of a scope's marks, all of it or nothing, on the disk itself.

    Args:
        existing: opens the journal; where there is none nothing is written.
        scope: whose assets they are.
        wanted: what is to become of the marks.
        at: seconds since the epoch.

    Raises:
        JournalError: the file does not take it; nothing is written.
    """
    place = columns_of(scope)
    with existing("rw") as connection:
        if connection is None:
            return change_of((), {}, at=at)
        with connection.written(durable=True):
            change = change_of(wanted, _read(connection, place), at=at)
            connection.executemany(
                _KEEP,
                [(*place, asset, str(one.mark), one.note, one.at) for asset, one in change.made.items()],
            )
            connection.executemany(
                f"DELETE FROM asset_marks WHERE {_OF_A_SCOPE} AND asset = ?",  # noqa: S608 - our own names
                [(*place, asset) for asset in change.removed],
            )
        return change


def _read(connection: Connection, place: tuple[str, str, str, str]) -> dict[str, Marked]:
    rows = connection.execute(_READ, place)
    return {asset: Marked(Mark(mark), note, at) for asset, mark, note, at in rows}
