"""The journal of one batch: appends events and keeps the records folded from them.

An append is one transaction that holds the events and the record after them; it is on the
disk itself when it returns if one of the events asks for that, and otherwise in the
write-ahead log, which outlives the process.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from batchgen.account import DISOWNED, Holder, Known
from batchgen.errors import JournalError, RemoteIdTakenError
from batchgen.identity import ASSET
from batchgen.journal import codec, schema
from batchgen.journal.origin_flags import Marks, named_rows
from batchgen.journal.scopes import columns_of, keep_scope
from batchgen.journal.sqlite_errors import explained
from batchgen.journal.totals import Totals
from batchgen.journal.transactions import written
from batchgen.lifecycle import Accepted, Event, Record, State, apply
from batchgen.model import JobKey, Scope
from batchgen.planning.budget import Allowance, committed, counted_at

_SETTLED = (State.RUNNING, State.SUCCEEDED, State.COLLECTED)  # what is paid is in the submissions


_HOLDERS = (
    "SELECT submissions.remote_id, project, batch, slot, content, ordinal FROM submissions "
    "JOIN records ON records.id = submissions.record JOIN scopes ON scopes.id = records.scope "
    "WHERE submissions.origin = ? AND submissions.remote_id"
)

_UNANSWERED = (State.SUBMITTING, State.IN_DOUBT)
_UNANSWERED_EQUALS = f"""
    WITH us (name) AS (
        SELECT :project WHERE :project <> ''
        UNION SELECT owner FROM scopes WHERE origin = :origin AND project = :project AND owner <> ''
    )
    SELECT records.fields FROM records JOIN scopes ON scopes.id = records.scope
    WHERE {{which}} AND state IN ('{State.SUBMITTING}', '{State.IN_DOUBT}')
    AND origin = :origin AND NOT (scope = :scope AND ordinal = :ordinal)
    AND (project = :project OR owner IN us OR project IN us)
"""  # noqa: S608 - our own words
_BY_CONTENT = _UNANSWERED_EQUALS.format(which="content = :content")
_BY_BODY = _UNANSWERED_EQUALS.format(
    which="content <> :content AND json_extract(records.fields, '$.body') = :body"
)


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
        with explained(path):
            self._marks = Marks(connection, scope.origin)
        self._totals = Totals(connection, scope)
        self._owners = frozenset[str]()  # that this process has written, the last of which is kept
        self._synchronous = True

    def append(self, key: JobKey, *events: Event, allowed: Allowance | None = None) -> Record:
        """Record what happened to one job: all of it or nothing.

        Args:
            key: the job's.
            events: in their order.
            allowed: caps that must hold with them; checked under the lock that writes them.

        Raises:
            TransitionError: the events cannot follow what is on record; nothing is written.
            OverBudgetError: a cap would not hold; nothing is written.
            RemoteIdTakenError: a submission in it belongs to another job; nothing is written.
            JournalError: the file does not take it; nothing is written.
        """
        before = self._records.get(key, Record())
        record = before
        for event in events:
            record = apply(record, event)
        # only a receipt proves who we are: a row that was adopted may be taken for ours in error
        authors = frozenset(one.author for one in events if type(one) is Accepted and one.author)
        known = Known(receipts=authors)
        owners = {one.owner for one in events if type(one) is Accepted and one.owner} - self._owners
        durable = any(one.DURABLE for one in events)
        if durable:
            self._check_place()
        with explained(self._path), self._transaction(durable=durable):
            self._write_events(key, events)
            self._write_record(key, record, events)
            self._marks.add_authors(authors)
            if authors and record.sender:
                self._marks.add_known(record.sender, known)
            self._keep_owners(owners)
            self._commit_money(before, record, counted_at(record, events), allowed)
        self._marks.learn(authors)
        self._owners |= owners
        if authors and record.sender:
            self._marks.learn_known(record.sender, known)
        self._records[key] = record
        self._versions[key] = self._versions.get(key, 0) + 1
        return record

    def _keep_owners(self, owners: Collection[str]) -> None:
        """Keep who has the jobs of this scope in the service's eyes, as its latest receipts tell."""
        self._connection.executemany(
            "UPDATE scopes SET owner = ? WHERE id = ?", [(one, self._scope_id) for one in owners]
        )

    def _commit_money(
        self, before: Record, after: Record, at: float | None, allowed: Allowance | None
    ) -> None:
        """Keep the sums that caps are held against.

        Raises:
            OverBudgetError: a cap does not hold.
        """
        if self._scope_id is None or at is None or _costs_the_same(before, after):
            return
        self._totals.add(self._scope_id, at, committed(after) - committed(before))
        if allowed is not None:
            self._totals.check(self._scope_id, allowed)

    def spent(self, allowed: Allowance) -> tuple[Decimal, ...]:
        """Return what is charged and reserved under each cap, in their order.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            if schema.is_empty(self._connection):
                return tuple(Decimal(0) for _ in allowed.windows)
            return self._totals.spent(self._scope_id or 0, allowed)

    def _check_place(self) -> None:
        """Refuse to go on in a file that nobody will find again.

        Raises:
            JournalError: the journal was removed or replaced while it was open.
        """
        if _place_of(self._path) != self._place:
            raise JournalError(f"{self._path}: was removed or replaced during the run; nothing more is sent")

    def records(self) -> Mapping[JobKey, Record]:
        """Return every job of this scope that has an event, in the order of first events."""
        return self._records

    def history(self) -> Iterator[tuple[JobKey, Event]]:
        """Return every event of this scope, in order.

        Raises:
            JournalError: an event cannot be read.
        """
        if self._scope_id is None:
            return
        with explained(self._path):
            rows = self._connection.execute(
                "SELECT content, ordinal, name, fields FROM events WHERE scope = ? ORDER BY id",
                (self._scope_id,),
            )
            for content, ordinal, name, text in rows:
                yield JobKey(content, ordinal), codec.load_event(name, text)

    def holders(self, remote_ids: Collection[str]) -> dict[str, Holder]:
        """Return who has each of the ids in this journal; those that nobody has are left out.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            found: dict[str, Holder] = dict.fromkeys(self._marks.disowned(remote_ids), DISOWNED)
            rows = named_rows(self._connection, _HOLDERS, self._scope.origin, remote_ids)
            for remote_id, project, batch, slot, content, ordinal in rows:
                scope = replace(self._scope, project=project, batch=batch, slot=slot)
                found[remote_id] = Holder(scope, JobKey(content, ordinal))
            return found

    def disown(self, remote_ids: Collection[str]) -> None:
        """Remember for good that a person said of these that they are no job of ours.

        Raises:
            JournalError: it could not be written.
        """
        with explained(self._path), self._transaction(durable=True):
            self._marks.disown(remote_ids)

    def unanswered_equals(self, key: JobKey, body: str = "") -> list[Record]:
        """Return the records of other jobs that ask for the same and are submitting or in doubt.

        Of this origin and account, in whatever batch: a project and the owner of its jobs are one
        account, and so are two projects whose jobs have one owner.

        Raises:
            JournalError: the file cannot be read.
        """
        wanted = {
            "content": key.content,
            "ordinal": key.ordinal,
            "scope": self._scope_id or 0,
            "origin": self._scope.origin,
            "project": self._scope.project,
            "body": body,
        }
        queries = (_BY_CONTENT, _BY_BODY) if ASSET in body else (_BY_CONTENT,)
        with explained(self._path):
            rows = [row for query in queries for row in self._connection.execute(query, wanted)]
            return [codec.load_record(text) for (text,) in rows]

    def neighbours(self, contents: Collection[str]) -> list[tuple[Scope, JobKey]]:
        """Return the jobs of other scopes that ask for one of these and are submitting or in doubt.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            rows = self._connection.execute(
                "SELECT project, batch, slot, content, ordinal FROM records "
                "JOIN scopes ON scopes.id = records.scope "
                "WHERE state IN (?, ?) AND origin = ? AND scopes.id <> ?",
                (*_UNANSWERED, self._scope.origin, self._scope_id or 0),
            )
            return [
                (replace(self._scope, project=project, batch=batch, slot=slot), JobKey(content, ordinal))
                for project, batch, slot, content, ordinal in rows
                if content in contents
            ]

    @property
    def looking_since(self) -> float | None:
        """Since when a look before buying was to find jobs, which was cut off; None if none was."""
        with explained(self._path):
            row = self._connection.execute(
                "SELECT since FROM looks WHERE (origin, project, batch, slot) = (?, ?, ?, ?)",
                columns_of(self._scope),
            ).fetchone()
        return None if row is None else float(row[0])

    def look_began(self, since: float) -> None:
        """Remember that a look before buying has begun, on the disk itself.

        Raises:
            JournalError: it could not be written.
        """
        with explained(self._path), self._transaction(durable=True):
            self._connection.execute(
                "INSERT INTO looks (origin, project, batch, slot, since) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET since = excluded.since",
                (*columns_of(self._scope), since),
            )

    def look_ended(self) -> None:
        """Remember that all it could find is recorded.

        Raises:
            JournalError: it could not be written.
        """
        with explained(self._path), self._transaction(durable=False):
            self._connection.execute(
                "DELETE FROM looks WHERE (origin, project, batch, slot) = (?, ?, ?, ?)",
                columns_of(self._scope),
            )

    @property
    def trusts_absence(self) -> bool:
        """Whether no submission that was shown absent has ever turned up."""
        with explained(self._path):
            return self._marks.trusts_absence

    def distrust_absence(self) -> None:
        """Remember for good that one did.

        Raises:
            JournalError: it could not be written.
        """
        with explained(self._path), self._transaction(durable=True):
            self._marks.distrust_absence()

    @property
    def authors(self) -> frozenset[str]:
        """Who the service says that submissions of this origin were by, in whatever batch."""
        return self._marks.authors

    def known(self, sender: str | None = None) -> Known:
        """Return who a key is in the service's eyes, as far as it has said to any batch of this origin."""
        with explained(self._path):
            return self._marks.known(sender)

    def learn(self, sender: str, known: Known) -> None:
        """Remember who a key is.

        Raises:
            JournalError: it could not be written.
        """
        before = self.known(sender)
        if before.and_also(known) == before:
            return
        with explained(self._path), self._transaction(durable=False):
            self._marks.add_known(sender, known)
            self._marks.add_authors(known.receipts)
        self._marks.learn_known(sender, known)
        self._marks.learn(known.receipts)

    def _find_scope(self) -> int | None:
        with explained(self._path):
            if schema.is_empty(self._connection):
                return None  # a reader came before the first writer
            row = self._connection.execute(
                "SELECT id FROM scopes WHERE (origin, project, batch, slot) = (?, ?, ?, ?)",
                columns_of(self._scope),
            ).fetchone()
        return None if row is None else int(row[0])

    def _read_records(self) -> dict[JobKey, Record]:
        if self._scope_id is None:
            return {}
        with explained(self._path):
            rows = self._connection.execute(
                "SELECT content, ordinal, version, fields FROM records WHERE scope = ? ORDER BY id",
                (self._scope_id,),
            )
            records = {}
            for content, ordinal, version, text in rows:  # one at a time: all their texts are as large again
                key = JobKey(content, ordinal)
                self._versions[key] = version
                records[key] = codec.load_record(text)
            return records

    @contextmanager
    def _transaction(self, *, durable: bool) -> Iterator[None]:
        # said anew for each that asks for it: another journal over this connection may have changed it
        if durable or self._synchronous:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._synchronous = durable
        scope_id = self._scope_id
        try:
            with written(self._connection):
                yield
        except BaseException:
            self._scope_id = scope_id
            raise

    def _write_events(self, key: JobKey, events: tuple[Event, ...]) -> None:
        if self._scope_id is None:
            self._scope_id = keep_scope(self._connection, self._scope)
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


def _costs_the_same(before: Record, after: Record) -> bool:
    """Tell the steps that have nothing to do with money, such as a collection."""
    settled = before.state in _SETTLED and after.state in _SETTLED
    return settled and before.submissions is after.submissions


def _place_of(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
