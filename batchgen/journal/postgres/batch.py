"""The journal of one batch in the database: one append is one statement, and only a leader's is taken."""

import json
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeVar

import psycopg

from batchgen.account import Known
from batchgen.errors import BatchgenError, FencedError, JournalAwayError, JournalError, NoRoomError
from batchgen.journal import codec
from batchgen.journal.batch import BatchJournal
from batchgen.journal.changes import Change
from batchgen.journal.postgres.connection import PostgresConnection
from batchgen.journal.postgres.lease import Lease
from batchgen.journal.postgres.spool import Saying, Spool
from batchgen.journal.postgres.wire import Wire
from batchgen.journal.record_rows import counted_by, taken
from batchgen.journal.scopes import columns_of, keep_scope
from batchgen.journal.totals import QUARTER, UNIT, in_units, over_cap
from batchgen.lease_ports import Testimony
from batchgen.lifecycle import Accepted, Event, Record
from batchgen.model import JobKey, Scope
from batchgen.planning.budget import Allowance, Amounts, Committed, Reservation
from batchgen.planning.room import Room

T = TypeVar("T")

_APPEND: Final = (
    "SELECT kept_contents, kept_ordinals, doubts FROM append("
    "%s, %s, %s, %s, %s, %s, %s, %s::uuid, %s, %s, %s::text[], %s::text[], %s, %s::text[], %s::text[], %s, "
    "%s::text[], %s, %s, %s, %s, %s, %s, %s::text[], %s::bigint[], %s::bigint[], %s, %s, "
    "%s::bigint[], %s::bigint[], %s, %s, %s, %s, %s::jsonb)"
)
_TRIES = 3  # of a block of statements whose answer was lost
_MOST = 2**63 - 1  # what a column holds; a cap beyond it is none


class Commits:
    """How the changes of a batch are committed: each by itself, on the disk before the answer comes.

    Implements ``CommitsOf``.
    """

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection

    def transaction(self, *, durable: bool, may_wait: bool = False) -> AbstractContextManager[None]:  # noqa: ARG002
        """Write all that happens in the block, or nothing."""
        return self._connection.written(durable=durable)

    async def durable(self) -> None:
        """Return at once: what must be on the disk was there when the append returned."""

    def check_place(self) -> None:
        """Do nothing: who has a connection speaks to the database that others find."""

    def shorten_log(self) -> None:
        """Do nothing: the server does that."""


class PostgresBatch(BatchJournal):
    """The journal of one scope; implements ``ports.Journal``."""

    def __init__(
        self, connection: PostgresConnection, place: str, scope: Scope, lease: Lease | None, spool: Spool
    ) -> None:
        """Read what is on record of a scope.

        Args:
            connection: to the database; it alone is used for this journal.
            place: for people.
            scope: which one.
            lease: of its batch, as far as this process has it: without one nothing can be written.
            spool: where is put what the database does not take.
        """
        super().__init__(connection, place, scope, Commits(connection))
        self._database = connection
        self._lease = lease
        self._spool = spool
        self._undoubted: JobKey | None = None  # whose intent was written last, with nothing in doubt then
        self._last: tuple[JobKey, int, str] | None = None  # the last append, its version and its token

    def append(
        self,
        key: JobKey,
        *events: Event,
        allowed: Allowance | None = None,
        reserves: Amounts | None = None,
        room: Room | None = None,
    ) -> Record:
        """Record what happened to one job, all of it or nothing; see ``BatchJournal``."""
        with self._database.bounded():  # the first one of a scope asks more than one question
            return super().append(key, *events, allowed=allowed, reserves=reserves, room=room)

    def _write(self, change: Change) -> dict[JobKey, Reservation]:
        """Write a change in one statement; see ``BatchJournal``."""
        lease = self._led()
        scope_id = self._begun()
        token, version = str(uuid.uuid4()), self._rows.version(change.key)
        values = self._values(change, lease, scope_id, token, version)
        row = self._appended(values, change)
        self._last = (change.key, version + 1, token)
        contents, ordinals, doubts = row
        self._undoubted = change.key if change.begins and not doubts else None
        made = set(map(JobKey, contents or (), ordinals or ()))
        return {
            key: one._replace(amount=in_units(one.amount) * UNIT)
            for key, one in change.reserves.items()
            if key in made
        }

    def _appended(self, values: Sequence[Any], change: Change) -> Any:
        def run(wire: Wire) -> Any:
            try:
                return wire.execute(_APPEND, values).fetchone()
            except psycopg.DatabaseError as error:
                raise self._refusal(error, change) or error from error

        return self._database.tried(run)

    def _values(self, change: Change, lease: Lease, scope_id: int, token: str, version: int) -> list[Any]:
        key, record, cost, allowed = change.key, change.record, change.cost, change.allowed
        at, spent = change.at or 0.0, cost or Committed()
        known = Known(receipts=change.authors)
        return [
            lease.batch, lease.epoch, change.durable, scope_id, *key, version, token,
            str(record.state), codec.dump(record),
            [type(one).__name__ for one in change.events], [codec.dump(one) for one in change.events],
            self._scope.origin, [one.remote_id for one in change.events if isinstance(one, Accepted)],
            self._marks.names_of_new(change.authors),
            record.sender, sorted(self._marks.new_receipts(record.sender, known)) if record.sender else [],
            next(iter(change.owners - self._owners), None),
            change.begins,
            None if cost is None else int(at // QUARTER),
            *map(in_units, (spent.gross, spent.assumed, spent.confirmed)),
            [one.content for one in change.reserves], [one.ordinal for one in change.reserves],
            [in_units(one.amount) for one in change.reserves.values()], at, int(at // QUARTER),
            *_caps(allowed if cost is not None else None),
            *counted_by(record), self._scope.project, _told(change.room),
        ]  # fmt: skip

    def _refusal(self, error: psycopg.DatabaseError, change: Change) -> Exception | None:
        """Return what the server's own function says against a change."""
        match error.sqlstate:
            case "BG003":
                return taken(error.diag.message_detail or "")
            case "BG004" if change.allowed is not None:
                place, spent, kept = map(int, (error.diag.message_detail or "0 0 0").split())
                what = "the next chain" if kept else "the next job"
                return over_cap(change.allowed.windows[place], spent * UNIT, what)
            case "BG005":
                return NoRoomError()
            case _:
                return None

    def bodies_in_doubt(self, key: JobKey, body: str = "") -> frozenset[str]:
        """Return what was sent for equal jobs that are in doubt; see ``BatchJournal``.

        Right behind a job's intent the answer is known, if nothing at all is in doubt: it came with it.
        Whoever asks a second time asks the server.
        """
        told, self._undoubted = self._undoubted, None
        return frozenset() if told == key else super().bodies_in_doubt(key, body)

    def _write_all(self, changes: Mapping[JobKey, Sequence[Event]], after: Mapping[JobKey, Record]) -> None:
        """Write notes of several jobs in one transaction; see ``BatchJournal``.

        A token is put beside them, by which is known after a lost answer that they are there.
        """
        self._led()
        if not changes:
            return
        scope_id, token = self._begun(), str(uuid.uuid4())
        first = next(iter(changes))
        version = self._rows.version(first) + 1

        def write() -> None:
            if self._is_kept(self._database, first, version, token, or_later=False):
                return
            with self._database.written(durable=True):
                for key, events in changes.items():
                    self._rows.write_events(scope_id, key, tuple(events))
                    self._rows.write(scope_id, key, after[key], tuple(events))
                self._database.execute(
                    "UPDATE records SET token = ? WHERE scope = ? AND content = ? AND ordinal = ?",
                    (uuid.UUID(token), scope_id, *first),
                )

        self._again(write, bounded=False)  # there may be ten thousand of them
        self._last = first, version, token

    def reserve(self, wanted: Mapping[JobKey, Reservation], *, allowed: Allowance | None = None) -> None:
        """Keep money for jobs of chains that have begun; see ``BatchJournal``."""
        scope_id = self._begun()
        self._again(partial(super().reserve, wanted, allowed=allowed))
        self._reservations = self._kept.read(scope_id)  # an answer that was lost may have told of them

    def release(self, keys: Collection[JobKey]) -> None:
        """Keep nothing any more for these; see ``BatchJournal``."""
        self._again(partial(super().release, keys))

    def disown(self, remote_ids: Collection[str]) -> None:
        """Remember for good that these are no jobs of ours; see ``BatchJournal``."""
        self._again(partial(super().disown, remote_ids))

    def look_began(self, since: float) -> None:
        """Remember that a look before buying has begun; see ``BatchJournal``."""
        self._again(partial(super().look_began, since))

    def look_ended(self) -> None:
        """Remember that all it could find is recorded; see ``BatchJournal``."""
        self._again(super().look_ended)

    def distrust_absence(self) -> None:
        """Remember for good that a submission turned up that was shown absent; see ``BatchJournal``."""
        self._again(super().distrust_absence)

    def learn(self, sender: str, known: Known) -> None:
        """Remember who a key is; see ``BatchJournal``."""
        self._again(partial(super().learn, sender, known))

    def check_place(self) -> None:
        """Refuse to go on for a batch that another run leads, as far as is known here; nobody is asked.

        Raises:
            FencedError: another run leads it.
        """
        if self._lease is not None and self._lease.is_lost:
            raise FencedError(f"{self._path}: another run leads the batch {self._scope.batch!r} now")

    def testify(self, key: JobKey, *events: Event) -> None:
        """Say what became of a POST of ours, whoever leads the batch now; nothing is refused.

        What the database does not take is put into a file, on the disk itself, which is heard first by the
        next run from this folder.

        Raises:
            JournalError: neither the database nor the file takes it.
        """
        epoch = self._lease.epoch if self._lease is not None else 0
        said = [Saying(self._scope, key, epoch, type(one).__name__, codec.dump(one)) for one in events]
        try:
            self._database.tried(lambda wire: keep_sayings(wire, said))
        except BatchgenError:  # whatever it is: this may be the last trace of what was paid
            self._spool.keep(said)

    def testimony(self) -> list[Testimony]:
        """Return what others have said of POSTs of this scope and nobody has acted on, in order.

        Raises:
            JournalError: it cannot be read.
        """
        rows = self._database.execute(
            "SELECT id, content, ordinal, name, fields FROM testimony "
            "WHERE heard_at IS NULL AND (origin, project, batch, slot) = (?, ?, ?, ?) ORDER BY id",
            columns_of(self._scope),
        )
        return [
            Testimony(number, JobKey(content, ordinal), codec.load_event(name, fields))
            for number, content, ordinal, name, fields in rows
        ]

    def heard(self, numbers: Collection[int]) -> None:
        """Remember that these were acted on.

        Raises:
            JournalError: it could not be written.
        """
        self._again(partial(self._strike, list(numbers)))

    def _strike(self, numbers: list[int]) -> None:
        with self._database.written(durable=False):  # heard twice is heard once
            self._database.execute(
                "UPDATE testimony SET heard_at = clock_timestamp() WHERE id = ANY (?)", (numbers,)
            )

    def check_unchanged(self, connection: PostgresConnection) -> None:
        """Hold a new connection against what was written over the one before it.

        Raises:
            JournalError: the last append is not there any more: the database was set back, or another server
                has taken its place without it.
        """
        if self._last is None:
            return
        if not self._is_kept(connection, *self._last):
            raise JournalAwayError(
                f"{self._path}: what was written last is not there any more: the database was set back, or "
                "another server has taken over without it. Nothing more is sent; the same command looks for "
                "what was paid meanwhile, and goes on"
            )

    def _is_kept(
        self,
        connection: PostgresConnection,
        key: JobKey,
        version: int,
        token: str,
        *,
        or_later: bool = True,
    ) -> bool:
        """Return whether a version of a record that was written with a token is there, or one after it."""
        found = connection.execute(
            "SELECT version, token FROM records WHERE scope = ? AND content = ? AND ordinal = ?",
            (self._scope_id, *key),
        ).fetchone()
        if found is None:
            return False
        return (found[0] > version and or_later) or found == (version, uuid.UUID(token))

    def _led(self) -> Lease:
        if self._lease is None:
            raise JournalError(f"{self._path}: the batch {self._scope.batch!r} is not held by this process")
        return self._lease

    def _begun(self) -> int:
        """Return the number of the scope, which is made with its first row, beside its account."""
        if self._scope_id is None:
            self._scope_id = self._again(self._begin)
        return self._scope_id

    def _begin(self) -> int:
        with self._database.written(durable=True):
            number = keep_scope(self._database, self._scope)
            keep_account(self._database, self._scope)
        return number

    def _again(self, do: Callable[[], T], *, bounded: bool = True) -> T:
        """Do a block of statements that may be done twice, anew where its answer was lost."""
        with self._database.bounded() if bounded else nullcontext():
            for _ in range(_TRIES - 1):
                try:
                    return do()
                except JournalAwayError:
                    if not self._database.answers():
                        raise
            return do()


def keep_account(connection: PostgresConnection, scope: Scope) -> None:
    """Make the row that is locked while money of a scope's account is committed; within a transaction."""
    connection.execute(
        "INSERT INTO accounts (origin, project) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (scope.origin, scope.project),
    )


def keep_sayings(wire: Wire, said: Sequence[Saying]) -> None:
    """Put sayings on record; one that is there stays as it is."""
    with wire.transaction(), wire.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO testimony (origin, project, batch, slot, content, ordinal, epoch, name, fields) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [(*columns_of(one.scope), *one.key, one.epoch, one.name, one.fields) for one in said],
        )


def _told(room: Room | None) -> str | None:
    if room is None:
        return None
    limits = [
        {"most": one.most, "mine": one.mine, "models": sorted(one.models), "but": one.but}
        for one in room.limits
    ]
    return json.dumps({"learned_at": room.learned_at, "limits": limits})


def _caps(allowed: Allowance | None) -> tuple[list[int] | None, list[int | None] | None, bool]:
    if allowed is None:
        return None, None, True
    return (
        [_whole(one.cap) for one in allowed.windows],
        [None if one.since is None else int(one.since // QUARTER) for one in allowed.windows],
        allowed.trust_refunds,
    )


def _whole(cap: Decimal) -> int:
    """Return how many whole units are under a cap."""
    return int(cap // UNIT) if cap < _MOST * UNIT else _MOST
