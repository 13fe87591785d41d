"""Which local files the service has: by content, once for every batch of an origin and project.

Beside the events, not of them: an upload is free and belongs to no job, so that what is on
record here may be forgotten and made again.
"""

import sqlite3
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from batchgen.journal import schema
from batchgen.journal.existing import connected_to_read
from batchgen.journal.file import JournalFile
from batchgen.journal.sqlite_errors import explained
from batchgen.model import Upload

_WAIT_FOR_OTHERS = 30.0  # seconds
_NAMES_A_QUERY = 500
_COLUMNS = "sha256, asset_id, upload_id, name, bytes, at"


class UploadRecords:
    """The uploads of one origin and project in a ``journal.db``."""

    def __init__(self, connection: sqlite3.Connection, path: Path, *, origin: str, project: str) -> None:
        self._connection = connection
        self._path = path
        self._place = (origin, project)

    @classmethod
    def open(cls, path: Path, *, origin: str, project: str) -> Self:
        """Open the records to write, in a file made as needed.

        Raises:
            JournalError: the file is damaged, newer, not writable or on a network file system.
        """
        JournalFile.open(path).close()
        with explained(path):
            connection = sqlite3.connect(path, timeout=_WAIT_FOR_OTHERS, isolation_level=None)
            # the worst that a power cut can do is one more upload, which is free
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA fullfsync = ON")
            connection.execute("PRAGMA wal_autocheckpoint = 0")  # the log is not for it to copy (``commits``)
        return cls(connection, path, origin=origin, project=project)

    @classmethod
    def open_to_read(cls, path: Path, *, origin: str, project: str) -> Self:
        """Open the records without a lock on anybody; where there is no file yet, there are none.

        Raises:
            JournalError: the file is damaged or newer.
        """
        with explained(path):
            connection = connected_to_read(path) or sqlite3.connect(":memory:", isolation_level=None)
        return cls(connection, path, origin=origin, project=project)

    def find(self, contents: Collection[str]) -> Mapping[str, Upload]:
        """Return what is on record of the contents, by their SHA-256; the others are left out.

        Raises:
            JournalError: the file cannot be read.
        """
        wanted, found = list(contents), dict[str, Upload]()
        with explained(self._path):
            if schema.is_empty(self._connection):
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
                "INSERT OR REPLACE INTO uploads "
                "(origin, project, sha256, asset_id, upload_id, name, bytes, at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
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
