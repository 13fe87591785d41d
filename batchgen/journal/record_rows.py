"""The events and records of one scope as rows, each record under the lock of its version.

Every method but ``read`` is for a caller that is within a transaction.
"""

from collections.abc import Iterator
from typing import Any

from batchgen.errors import JournalError, RemoteIdTakenError
from batchgen.journal import codec
from batchgen.journal.connection import Connection
from batchgen.lifecycle import Accepted, Event, Record
from batchgen.model import JobKey

_PAGE = 1000  # rows: some megabytes


class RecordRows:
    """The rows of one scope; what was read and written here is known with its version."""

    def __init__(self, connection: Connection, path: object, origin: str) -> None:
        self._connection = connection
        self._path = path
        self._origin = origin
        self._versions: dict[JobKey, int] = {}

    def read(self, scope_id: int) -> dict[JobKey, Record]:
        """Return every record of a scope, in the order of first events."""
        rows = in_pages(
            self._connection,
            "SELECT id, content, ordinal, version, fields FROM records WHERE scope = ?",
            scope_id,
        )
        records = {}
        for _, content, ordinal, version, text in rows:  # one at a time: all their texts are as large again
            key = JobKey(content, ordinal)
            self._versions[key] = version
            records[key] = codec.load_record(text)
        return records

    def write_events(self, scope_id: int, key: JobKey, events: tuple[Event, ...]) -> None:
        """Add events behind those that are there."""
        self._connection.executemany(
            "INSERT INTO events (scope, content, ordinal, name, fields) VALUES (?, ?, ?, ?, ?)",
            [(scope_id, *key, type(one).__name__, codec.dump(one)) for one in events],
        )

    def write(self, scope_id: int, key: JobKey, record: Record, events: tuple[Event, ...]) -> None:
        """Write a record over the one that the events were applied to, and over no other.

        Raises:
            JournalError: another process has written it meanwhile.
            RemoteIdTakenError: a submission in the events belongs to another job.
        """
        values = (record.state, codec.dump(record), *counted_by(record), scope_id, *key)
        version = self.version(key)
        if version:
            written = self._connection.execute(
                "UPDATE records SET state = ?, fields = ?, model = ?, intent_at = ?, version = version + 1 "
                "WHERE scope = ? AND content = ? AND ordinal = ? AND version = ? RETURNING id",
                (*values, version),
            ).fetchone()
        else:
            written = self._connection.execute(
                "INSERT INTO records (state, fields, model, intent_at, scope, content, ordinal) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (scope, content, ordinal) DO NOTHING RETURNING id",
                values,
            ).fetchone()
        if written is None:
            raise JournalError(f"{self._path}: another process has written to this batch meanwhile")
        for event in events:
            if isinstance(event, Accepted):
                self._own(event.remote_id, written[0])

    def version(self, key: JobKey) -> int:
        """Return how often a record was written, as far as is known here; 0 for none."""
        return self._versions.get(key, 0)

    def is_written(self, key: JobKey) -> None:
        """Learn that the transaction that wrote a record has ended well."""
        self._versions[key] = self._versions.get(key, 0) + 1

    def _own(self, remote_id: str, record: int) -> None:
        free = self._connection.execute(
            "INSERT INTO submissions (origin, remote_id, record) VALUES (?, ?, ?) "
            "ON CONFLICT DO NOTHING RETURNING 1",
            (self._origin, remote_id, record),
        ).fetchone()
        if free is None:
            raise taken(remote_id)


def in_pages(connection: Connection, query: str, scope_id: int) -> Iterator[tuple[Any, ...]]:
    """Return what a query finds of a scope, in the order of the numbers that its rows begin with.

    So many rows at a time: a server's answer has to be here in a few seconds, over whatever way it comes.
    """
    last = 0
    while True:
        rows = connection.execute(
            f"{query} AND id > ? ORDER BY id LIMIT {_PAGE}", (scope_id, last)
        ).fetchall()
        yield from rows
        if len(rows) < _PAGE:
            return
        last = rows[-1][0]


def counted_by(record: Record) -> tuple[str, float | None]:
    """Return by what a record is counted among those in flight: its model, and when its intent was."""
    return record.job.model if record.job is not None else "", record.intent_at


def taken(remote_id: str) -> RemoteIdTakenError:
    """Return the error that says of a submission that it is another job's."""
    return RemoteIdTakenError(f"{remote_id} already belongs to another job of this journal")
