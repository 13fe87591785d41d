"""Which local files the service has: by content, once for every batch of an origin and project.

Beside the events, not of them: an upload is free and belongs to no job, so that what is on
record here may be forgotten and made again.
"""

from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Self

from batchgen.journal.connection import Connection
from batchgen.journal.sqlite_errors import explained
from batchgen.model import Upload

_NAMES_A_QUERY = 500
_COLUMNS = "sha256, asset_id, upload_id, name, bytes, at"


class UploadRecords:
    """The uploads of one origin and project in a ``journal.db``."""

    def __init__(self, connection: Connection, path: object, *, origin: str, project: str) -> None:
        self._connection = connection
        self._path = path
        self._place = (origin, project)

    def find(self, contents: Collection[str]) -> Mapping[str, Upload]:
        """Return what is on record of the contents, by their SHA-256; the others are left out.

        Raises:
            JournalError: the file cannot be read.
        """
        wanted, found = list(contents), dict[str, Upload]()
        with explained(self._path):
            if self._connection.is_empty():
                return found  # a reader came before the first writer
            for start in range(0, len(wanted), _NAMES_A_QUERY):
                some = wanted[start : start + _NAMES_A_QUERY]
                marks = ", ".join("?" * len(some))
                rows = self._connection.execute(
                    f"SELECT {_COLUMNS} FROM uploads "  # noqa: S608 - our own names and question marks
                    f"WHERE origin = ? AND project = ? AND sha256 IN ({marks})",
                    (*self._place, *some),
                )
                found.update({row[0]: _upload(row) for row in rows})
        return found

    def keep(self, upload: Upload) -> None:
        """Put an upload on record, in place of what was there of its content.

        Raises:
            JournalError: it could not be written.
        """
        with explained(self._path):
            self._connection.execute(
                "INSERT INTO uploads "
                "(origin, project, sha256, asset_id, upload_id, name, bytes, at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (origin, project, sha256) DO UPDATE SET "
                "asset_id = excluded.asset_id, upload_id = excluded.upload_id, name = excluded.name, "
                "bytes = excluded.bytes, at = excluded.at",
                (
                    *self._place,
                    upload.sha256,
                    upload.asset_id,
                    upload.upload_id,
                    upload.name,
                    upload.bytes,
                    upload.at,
                ),
            )

    def forget(self, asset_ids: Collection[str]) -> None:
        """Strike the uploads that became these assets; what was sent again since is another asset.

        Raises:
            JournalError: it could not be written.
        """
        with explained(self._path):
            self._connection.executemany(
                "DELETE FROM uploads WHERE origin = ? AND project = ? AND asset_id = ? AND asset_id <> ''",
                [(*self._place, one) for one in asset_ids],
            )

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _upload(row: tuple[str, str, str, str, int, float]) -> Upload:
    sha256, asset_id, upload_id, name, size, at = row
    return Upload(sha256=sha256, asset_id=asset_id, upload_id=upload_id, name=name, bytes=size, at=at)
