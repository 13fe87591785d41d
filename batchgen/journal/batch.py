"""The journal of one batch: appends events and keeps the records folded from them.

An append is one transaction that holds the events and the record after them. When it returns they are in the
write-ahead log, which outlives the process; what has to be on the disk itself is there too, or is after
``durable``, where syncs are shared (``commits``).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import reduce

from batchgen.account import Holder, Known
from batchgen.journal import codec
from batchgen.journal.changes import Change
from batchgen.journal.connection import CommitsOf, Connection
from batchgen.journal.equals import Equals
from batchgen.journal.looks import Looks
from batchgen.journal.origin_flags import Marks
from batchgen.journal.record_rows import RecordRows, in_pages
from batchgen.journal.reservations import ReservationRows
from batchgen.journal.room import RoomRows
from batchgen.journal.scopes import columns_of, keep_scope
from batchgen.journal.sqlite_errors import explained
from batchgen.journal.totals import Totals
from batchgen.lease_ports import NoTestimony
from batchgen.lifecycle import Event, Record, apply
from batchgen.model import JobKey, Scope
from batchgen.planning.budget import Allowance, Amounts, Reservation
from batchgen.planning.room import Room


class BatchJournal(NoTestimony):
    """The journal of one scope; implements ``ports.Journal``."""

    def __init__(self, connection: Connection, path: object, scope: Scope, commits: CommitsOf) -> None:
        self._connection = connection
        self._path = path
        self._scope = scope
        self._commits = commits
        self._scope_id = self._find_scope()
        self._totals = Totals(connection, scope)
        self._rows = RecordRows(connection, path, scope.origin)
        self._kept = ReservationRows(connection, self._totals)
        self._equals = Equals(connection, scope)
        self._looks = Looks(connection, scope)
        self._room = RoomRows(connection, scope)
        self._records: dict[JobKey, Record] = {}
        self._reservations: dict[JobKey, Reservation] = {}
        with explained(path):
            if self._scope_id is not None:
                self._records = self._rows.read(self._scope_id)
                self._reservations = self._kept.read(self._scope_id)
            self._marks = Marks(connection, scope.origin)
        self._owners = frozenset[str]()  # that this process has written, the last of which is kept

    def append(
        self,
        key: JobKey,
        *events: Event,
        allowed: Allowance | None = None,
        reserves: Amounts | None = None,
        room: Room | None = None,
    ) -> Record:
        """Record what happened to one job: all of it or nothing.

        An intent takes the place of what was kept for its job.

        Args:
            key: the job's.
            events: in their order.
            allowed: caps that must hold with them; checked under the lock that writes them.
            reserves: compute units to keep for later steps of its chain, by their keys; for those that
                have something already, that stays.
            room: what an intent takes of the room at the service; checked under the same lock.

        Raises:
            TransitionError: the events cannot follow what is on record; nothing is written.
            OverBudgetError: a cap would not hold; nothing is written.
            NoRoomError: there is no room at the service; nothing is written.
            RemoteIdTakenError: a submission in it belongs to another job; nothing is written.
            JournalError: the file does not take it; nothing is written.
        """
        before = self._records.get(key, Record())
        record = reduce(apply, events, before)
        change = Change.of(key, before, record, events, allowed, reserves or {}, room)
        if not change.is_receipt:  # a receipt waits for nothing
            self._commits.shorten_log()
        if change.durable:
            self.check_place()
        made = self._write(change)
        self._owners |= change.owners
        if change.authors and record.sender:
            self._marks.learn_known(record.sender, Known(receipts=change.authors))
        self._marks.learn(change.authors)
        if change.begins:
            self._reservations.pop(key, None)
        self._reservations |= made
        self._records[key] = record
        self._rows.is_written(key)
        return record

    def _write(self, change: Change) -> dict[JobKey, Reservation]:
        """Write a change, all of it or nothing, and return what was kept for later steps.

        Raises:
            OverBudgetError, NoRoomError, RemoteIdTakenError, JournalError: as ``append`` does.
        """
        with explained(self._path), self._transaction(durable=change.durable, may_wait=True):
            scope_id, key = self._known_scope(), change.key
            if change.room is not None and change.at is not None:
                self._room.take(change.room, change.at)
            self._rows.write_events(scope_id, key, change.events)
            self._rows.write(scope_id, key, change.record, change.events)
            self._marks.add_authors(change.authors)
            if change.authors and change.record.sender:
                self._marks.add_known(change.record.sender, Known(receipts=change.authors))
            self._keep_owners(change.owners - self._owners)
            if change.begins:
                self._kept.drop(scope_id, [key])
            made = self._kept.make(scope_id, change.reserves)
            if change.cost is not None and change.at is not None:
                self._totals.add(scope_id, change.at, change.cost)
                if change.allowed is not None:
                    what = "the next chain" if made else "the next job"
                    self._totals.check(scope_id, change.allowed, what)
        return made

    def append_to_all(self, changes: Mapping[JobKey, Sequence[Event]]) -> None:
        """Record notes of several jobs, which move none of them and cost nothing: all of them or none.

        Raises:
            TransitionError: they cannot follow what is on record; nothing is written.
            JournalError: the file does not take it; nothing is written.
        """
        after: dict[JobKey, Record] = {}
        for key, events in changes.items():
            after[key] = reduce(apply, events, self._records.get(key, Record()))
        self.check_place()
        self._commits.shorten_log()
        self._write_all(changes, after)
        for key in after:
            self._rows.is_written(key)
        self._records |= after

    def _write_all(self, changes: Mapping[JobKey, Sequence[Event]], after: Mapping[JobKey, Record]) -> None:
        with explained(self._path), self._transaction(durable=True):
            for key, events in changes.items():
                self._rows.write_events(self._known_scope(), key, tuple(events))
                self._rows.write(self._known_scope(), key, after[key], tuple(events))

    def reserve(self, wanted: Mapping[JobKey, Reservation], *, allowed: Allowance | None = None) -> None:
        """Keep money for jobs of chains that have begun, all of it or none.

        Not durable by itself: a run begins with none.

        Args:
            wanted: by whom it is for; for those that have something already, that stays.
            allowed: caps that must hold with them; checked under the lock that writes them.

        Raises:
            OverBudgetError: a cap would not hold; nothing is written.
            JournalError: the file does not take it; nothing is written.
        """
        with explained(self._path), self._transaction(durable=False):
            scope_id = self._known_scope()
            if allowed is not None:
                self._connection.lock_caps(self._scope.origin)
            made = self._kept.make(scope_id, wanted)
            if made and allowed is not None:
                self._totals.check(scope_id, allowed, "what is left of chains")
        self._reservations |= made

    def release(self, keys: Collection[JobKey]) -> None:
        """Keep nothing any more for these; it is nothing to have none.

        Raises:
            JournalError: the file does not take it; nothing is written.
        """
        gone = self._reservations.keys() & set(keys)
        if not gone:
            return
        with explained(self._path), self._transaction(durable=False):
            self._kept.drop(self._known_scope(), gone)
        for key in gone:
            del self._reservations[key]

    def reservations(self) -> Mapping[JobKey, Reservation]:
        """Return what is kept in this scope for jobs that are not bought yet, by whom it is for."""
        return self._reservations

    def _keep_owners(self, owners: Collection[str]) -> None:
        """Keep who has the jobs of this scope in the service's eyes, as its latest receipts tell."""
        self._connection.executemany(
            "UPDATE scopes SET owner = ? WHERE id = ?", [(one, self._scope_id) for one in owners]
        )

    def spent(self, allowed: Allowance) -> tuple[Decimal, ...]:
        """Return what is charged and reserved under each cap, in their order.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            if self._connection.is_empty():
                return tuple(Decimal(0) for _ in allowed.windows)
            return self._totals.spent(self._scope_id or 0, allowed)

    async def durable(self) -> None:
        """Return when all that was appended before this call is on the disk itself.

        Raises:
            JournalError: a sync has failed, now or before.
        """
        await self._commits.durable()

    def check_place(self) -> None:
        """Refuse to go on in a file that nobody will find again.

        Raises:
            JournalError: the journal was removed or replaced while it was open.
        """
        self._commits.check_place()

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
            rows = in_pages(
                self._connection,
                "SELECT id, content, ordinal, name, fields FROM events WHERE scope = ?",
                self._scope_id,
            )
            for _, content, ordinal, name, text in rows:
                yield JobKey(content, ordinal), codec.load_event(name, text)

    def holders(self, remote_ids: Collection[str]) -> dict[str, Holder]:
        """Return who has each of the ids in this journal; those that nobody has are left out.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            return self._marks.holders(remote_ids, self._scope)

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
        with explained(self._path):
            return self._equals.unanswered(key, body, self._scope_id or 0)

    def bodies_in_doubt(self, key: JobKey, body: str = "") -> frozenset[str]:
        """Return what was sent for those of ``unanswered_equals`` that are in doubt.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            return self._equals.bodies_in_doubt(key, body, self._scope_id or 0)

    def neighbours(self, contents: Collection[str]) -> list[tuple[Scope, JobKey]]:
        """Return the jobs of other scopes that ask for one of these and are submitting or in doubt.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            return self._equals.neighbours(contents, self._scope_id or 0)

    @property
    def looking_since(self) -> float | None:
        """Since when a look before buying was to find jobs, which was cut off; None if none was."""
        with explained(self._path):
            return self._looks.since

    def look_began(self, since: float) -> None:
        """Remember that a look before buying has begun, on the disk itself.

        Raises:
            JournalError: it could not be written.
        """
        with explained(self._path), self._transaction(durable=True):
            self._looks.begin(since)

    def look_ended(self) -> None:
        """Remember that all it could find is recorded.

        Raises:
            JournalError: it could not be written.
        """
        with explained(self._path), self._transaction(durable=False):
            self._looks.end()

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
            if self._connection.is_empty():
                return None  # a reader came before the first writer
            row = self._connection.execute(
                "SELECT id FROM scopes WHERE (origin, project, batch, slot) = (?, ?, ?, ?)",
                columns_of(self._scope),
            ).fetchone()
        return None if row is None else int(row[0])

    def _known_scope(self) -> int:
        """Return the number of the scope, which is made with its first row."""
        if self._scope_id is None:
            self._scope_id = keep_scope(self._connection, self._scope)
        return self._scope_id

    @contextmanager
    def _transaction(self, *, durable: bool, may_wait: bool = False) -> Iterator[None]:
        scope_id = self._scope_id
        try:
            with self._commits.transaction(durable=durable, may_wait=may_wait):
                yield
        except BaseException:
            self._scope_id = scope_id
            raise
