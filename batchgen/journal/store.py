"""The SQLite store: appends events and keeps the records folded from them.

Only this room speaks SQL. An append is one transaction that holds the events and the
record after them; it is on the disk itself when it returns if one of the events asks for
that, and otherwise in the write-ahead log, which outlives the process.
"""

import os
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from batchgen.errors import JournalError, RemoteIdTakenError
from batchgen.journal import codec, schema
from batchgen.journal.place import refuse_network
from batchgen.lifecycle import Accepted, Event, Record, State, apply
from batchgen.model import JobKey, Scope

_WAIT_FOR_OTHERS = 30.0  # seconds: other batches' runs and readers hold the file for milliseconds
_IDS_A_QUERY = 500
_UNANSWERED = (State.SUBMITTING, State.IN_DOUBT)
_DISTRUST = "a job shown absent turned up"


class JournalFile:
    """One ``journal.db`` with the records of all batches beside it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file to write, made or migrated as needed.

        Raises:
            JournalError: it is damaged, newer, not writable or on a network file system.
        """
        with _explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            refuse_network(path.parent.resolve(), _mounts())
            fresh = not path.exists()
            connection = sqlite3.connect(path, timeout=_WAIT_FOR_OTHERS, isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = ON")
                # where a plain sync stops at the drive's cache (macOS); of no effect elsewhere
                connection.execute("PRAGMA fullfsync = ON")
                _refuse_damage(connection, path)
                schema.migrate(connection, path=str(path))
            except BaseException:
                connection.close()
                raise
            if fresh:
                _sync_folder(path.parent)
        return cls(connection, path)

    @classmethod
    def open_to_read(cls, path: Path) -> Self:
        """Open the file without a lock on anybody; where there is none yet, an empty one.

        Raises:
            JournalError: it is damaged or newer.
        """
        with _explained(path):
            if not path.exists():
                return cls(sqlite3.connect(":memory:", isolation_level=None), path)
            try:
                return cls._reader(path, "mode=ro")
            except sqlite3.OperationalError:  # a read-only folder: there is no place for the index of the log
                return cls._reader(path, "immutable=1")

    @classmethod
    def _reader(cls, path: Path, how: str) -> Self:
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?{how}", uri=True, timeout=_WAIT_FOR_OTHERS, isolation_level=None
        )
        try:
            schema.refuse_newer(connection, path=str(path))
        except BaseException:
            connection.close()
            raise
        return cls(connection, path)

    def scopes(self) -> list[Scope]:
        """Give every scope that has an event."""
        with _explained(self._path):
            if schema.version_of(self._connection) == 0:
                return []
            rows = self._connection.execute("SELECT origin, project, batch, slot FROM scopes ORDER BY id")
            return [Scope(origin=row[0], project=row[1], batch=row[2], slot=row[3]) for row in rows]

    def batch(self, scope: Scope) -> "BatchJournal":
        """Give the journal of one scope; nothing is written before its first event."""
        return BatchJournal(self._connection, self._path, scope)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class BatchJournal:
    """The journal of one scope; implements ``ports.Journal``."""

    def __init__(self, connection: sqlite3.Connection, path: Path, scope: Scope) -> None:
        self._connection = connection
        self._path = path
        self._scope = scope
        self._place = _place_of(path)
        self._scope_id = self._find_scope()
        self._versions: dict[JobKey, int] = {}
        self._records = self._read_records()
        self._synchronous = True

    def append(self, key: JobKey, *events: Event) -> Record:
        """Record what happened to one job: all of it or nothing.

        Raises:
            TransitionError: the events cannot follow what is on record; nothing is written.
            RemoteIdTakenError: a submission in it belongs to another job; nothing is written.
            JournalError: the file does not take it; nothing is written.
        """
        record = self._records.get(key, Record())
        for event in events:
            record = apply(record, event)
        durable = any(one.DURABLE for one in events)
        if durable:
            self._check_place()
        with _explained(self._path), self._transaction(durable=durable):
            self._write_events(key, events)
            self._write_record(key, record, events)
        self._records[key] = record
        self._versions[key] = self._versions.get(key, 0) + 1
        return record

    def _check_place(self) -> None:
        """Refuse to go on in a file that nobody will find again.

        Raises:
            JournalError: the journal was removed or replaced while it was open.
        """
        if _place_of(self._path) != self._place:
            raise JournalError(f"{self._path}: was removed or replaced during the run; nothing more is sent")

    def records(self) -> Mapping[JobKey, Record]:
        """Give every job of this scope that has an event, in the order of first events."""
        return self._records

    def history(self) -> Iterator[tuple[JobKey, Event]]:
        """Give every event of this scope, in order.

        Raises:
            JournalError: an event cannot be read.
        """
        if self._scope_id is None:
            return
        with _explained(self._path):
            rows = self._connection.execute(
                "SELECT content, ordinal, name, fields FROM events WHERE scope = ? ORDER BY id",
                (self._scope_id,),
            )
            for content, ordinal, name, text in rows:
                yield JobKey(content, ordinal), codec.load_event(name, text)

    def owned(self, remote_ids: Collection[str]) -> set[str]:
        """Give those of the ids that belong to a record of this origin, in whatever batch.

        Raises:
            JournalError: the file cannot be read.
        """
        found: set[str] = set()
        ids = list(remote_ids)
        with _explained(self._path):
            for start in range(0, len(ids), _IDS_A_QUERY):
                some = ids[start : start + _IDS_A_QUERY]
                marks = ", ".join("?" * len(some))
                rows = self._connection.execute(
                    f"SELECT remote_id FROM submissions WHERE origin = ? AND remote_id IN ({marks})",  # noqa: S608 - question marks
                    (self._scope.origin, *some),
                )
                found.update(remote_id for (remote_id,) in rows)
        return found

    def unanswered_equals(self, key: JobKey) -> list[Record]:
        """Give the records of other jobs that ask for the same and are submitting or in doubt.

        Of this origin and project, in whatever batch.

        Raises:
            JournalError: the file cannot be read.
        """
        with _explained(self._path):
            rows = self._connection.execute(
                "SELECT records.fields FROM records JOIN scopes ON scopes.id = records.scope "
                "WHERE content = ? AND state IN (?, ?) "
                "AND origin = ? AND project = ? AND NOT (scope = ? AND ordinal = ?)",
                (
                    key.content,
                    *_UNANSWERED,
                    self._scope.origin,
                    self._scope.project,
                    self._scope_id or 0,
                    key.ordinal,
                ),
            )
            return [codec.load_record(text) for (text,) in rows]

    @property
    def trusts_absence(self) -> bool:
        """Whether no submission that was shown absent has ever turned up."""
        with _explained(self._path):
            row = self._connection.execute(
                "SELECT 1 FROM marks WHERE origin = ? AND name = ?", (self._scope.origin, _DISTRUST)
            ).fetchone()
        return row is None

    def distrust_absence(self) -> None:
        """Remember for good that one did.

        Raises:
            JournalError: it could not be written.
        """
        with _explained(self._path), self._transaction(durable=True):
            self._connection.execute(
                "INSERT INTO marks (origin, name) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (self._scope.origin, _DISTRUST),
            )

    def _find_scope(self) -> int | None:
        with _explained(self._path):
            if schema.version_of(self._connection) == 0:
                return None  # a reader came before the writer's first migration
            row = self._connection.execute(
                "SELECT id FROM scopes WHERE (origin, project, batch, slot) = (?, ?, ?, ?)",
                _columns(self._scope),
            ).fetchone()
        return None if row is None else int(row[0])

    def _read_records(self) -> dict[JobKey, Record]:
        if self._scope_id is None:
            return {}
        with _explained(self._path):
            rows = self._connection.execute(
                "SELECT content, ordinal, version, fields FROM records WHERE scope = ? ORDER BY id",
                (self._scope_id,),
            ).fetchall()
            self._versions = {JobKey(content, ordinal): version for content, ordinal, version, _ in rows}
            return {JobKey(content, ordinal): codec.load_record(text) for content, ordinal, _, text in rows}

    @contextmanager
    def _transaction(self, *, durable: bool) -> Iterator[None]:
        if durable is not self._synchronous:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._synchronous = durable
        self._connection.execute("BEGIN IMMEDIATE")
        scope_id = self._scope_id
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._scope_id = scope_id
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _write_events(self, key: JobKey, events: tuple[Event, ...]) -> None:
        if self._scope_id is None:
            found = self._connection.execute(
                "INSERT INTO scopes (origin, project, batch, slot) VALUES (?, ?, ?, ?) "
                # another run of the scope may have come first; its row serves
                "ON CONFLICT DO UPDATE SET slot = excluded.slot RETURNING id",
                _columns(self._scope),
            ).fetchone()
            self._scope_id = int(found[0])
        self._connection.executemany(
            "INSERT INTO events (scope, content, ordinal, name, fields) VALUES (?, ?, ?, ?, ?)",
            [(self._scope_id, *key, type(one).__name__, codec.dump(one)) for one in events],
        )

    def _write_record(self, key: JobKey, record: Record, events: tuple[Event, ...]) -> None:
        """Write the record over the one that the events were applied to, and over no other."""
        values = (record.state, codec.dump(record), self._scope_id, *key)
        version = self._versions.get(key, 0)
        if version:
            written = self._connection.execute(
                "UPDATE records SET state = ?, fields = ?, version = version + 1 "
                "WHERE scope = ? AND content = ? AND ordinal = ? AND version = ? RETURNING id",
                (*values, version),
            ).fetchone()
        else:
            written = self._connection.execute(
                "INSERT INTO records (state, fields, scope, content, ordinal) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (scope, content, ordinal) DO NOTHING RETURNING id",
                values,
            ).fetchone()
        if written is None:
            raise JournalError(f"{self._path}: another process has written to this batch meanwhile")
        for event in events:
            if isinstance(event, Accepted):
                self._own(event.remote_id, written[0])

    def _own(self, remote_id: str, record: int) -> None:
        try:
            self._connection.execute(
                "INSERT INTO submissions (origin, remote_id, record) VALUES (?, ?, ?)",
                (self._scope.origin, remote_id, record),
            )
        except sqlite3.IntegrityError as error:
            raise RemoteIdTakenError(f"{remote_id} already belongs to another job of this journal") from error


def _columns(scope: Scope) -> tuple[str, str, str, str]:
    return scope.origin, scope.project, scope.batch, scope.slot


def _refuse_damage(connection: sqlite3.Connection, path: Path) -> None:
    """Look at every page: one that is blank would hide what is paid for, and so buy it again."""
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise JournalError(f"{path}: {_DAMAGED} ({found})")


def _place_of(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _mounts() -> str:
    try:
        return Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn the failures of file and library into ours, with what to do about them.

    Raises:
        JournalError: whatever SQLite, the disk or the decoder said.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise JournalError(f"{path}: {_advice(error)}") from error
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror or error}") from error
    except (KeyError, ValueError, TypeError) as error:
        raise JournalError(f"{path}: holds a row that cannot be read ({error!r}); {_DAMAGED}") from error


_DAMAGED = "the file is damaged: keep a copy of it, and put back a backup or another output folder with -o"


def _advice(error: sqlite3.Error) -> str:
    """Say what SQLite's primary result code means for a person."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return "the disk is full; free some space and run the same command again"
        case sqlite3.SQLITE_READONLY:
            return "cannot be written (read-only); nothing was changed"
        case sqlite3.SQLITE_CANTOPEN:
            return "cannot be opened; check the folder's permissions"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"is held by another process for more than {_WAIT_FOR_OTHERS:.0f} s"
        case sqlite3.SQLITE_NOTADB:
            return "is not a journal of batchgen; move it away, or give another output folder with -o"
        case sqlite3.SQLITE_CORRUPT:
            return _DAMAGED
        case _:
            return f"{error}"
