"""Copying a whole journal: from a file or a database into another one, all of it or nothing.

Every row stays as it is but for the numbers of scopes and records, which are the new journal's own. It is
read back and compared before it counts, and each history is replayed. What runs that are under way say of
themselves, and leases, are not copied: there are none.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from batchgen.errors import InputError, JournalError
from batchgen.formats import span
from batchgen.journal import codec, successor
from batchgen.journal.connection import Connection
from batchgen.journal.origin_flags import named_rows
from batchgen.journal.scopes import NAMES, keep_scope, scope_of
from batchgen.journal.store import JournalStore
from batchgen.lease_ports import Lease
from batchgen.lifecycle import replay
from batchgen.model import JobKey, Scope

# Rows with names of their own, and whether another journal may have them already: then its own stay.
_NAMED: Mapping[str, str] = {
    "accepted": "origin, project, batch, slot, job, content, bought_content, bought_ordinal, at",
    "aliases": "origin, project, batch, kept_origin, kept_project, at",
    "asset_marks": "origin, project, batch, slot, asset, mark, note, at",
    "ceilings": "origin, project, action, models, ceiling, told, refused_at, quiet",
    "choices": "name, one, other, at",
    "last_runs": "origin, project, batch, slot, began_at, ended_at, exit, reasons, jobs, removed",
    "looks": "origin, project, batch, slot, since",
    "manifests": "origin, project, batch, path, at",
    "marks": "origin, name",
    "moves": "origin, project, batch, slot, asset, source, via, target, content, ordinal, sha256, stamp",
    "purchases": "origin, project, remote_id, model, job, charged, at",
    "quotes": "origin, project, class, low, high, at",
    "senders": "origin, sender, author, kind",
    "told": "origin, project, batch, slot, content, ordinal",
    "uploads": "origin, project, sha256, asset_id, upload_id, name, bytes, at",
}
_SHARED = frozenset({"ceilings", "choices", "marks", "purchases", "quotes", "senders", "uploads"})

# Rows of a scope, by its number; the first two have numbers of their own, by which they are in order.
_NUMBERED: Mapping[str, str] = {
    "events": "content, ordinal, name, fields",
    "records": "content, ordinal, state, fields, version, model, intent_at",
    "totals": "quarter, gross, assumed, confirmed",
    "reservations": "content, ordinal, amount, at, parent_content, parent_ordinal",
}
_WITH_IDS = frozenset({"events", "records"})
_TAKEN = "SELECT remote_id FROM submissions WHERE origin = ? AND remote_id"
_WHOSE = "SELECT remote_id, record FROM submissions WHERE origin = ? AND remote_id"
_A_TIME = 1000  # rows
_MAY_WAKE = 3600.0  # seconds for which a run may be silent and alive


@dataclass(frozen=True, kw_only=True, slots=True)
class Copied:
    """What was copied.

    Attributes:
        batches: their names.
        slots, records, events, submissions: how many of each.
    """

    batches: Sequence[str]
    slots: int
    records: int
    events: int
    submissions: int


def copy_journal(source: JournalStore, target: JournalStore, *, at: float) -> Copied:
    """Copy everything that one journal has into another one, which has nothing of these batches.

    Nothing is copied, or all of it. From then on the batches go on in the target; a run of one of them in the
    source is refused.

    Args:
        source: from where; it is read, and marked.
        target: where to; made as needed.
        at: now, seconds since the epoch.

    Raises:
        InputError: there is nothing to copy, or the target has something of it.
        BatchLockedError: a run holds one of the batches.
        JournalError: one of the two cannot be read or written, or what was written is not what was read.
    """
    with source.read() as kept:
        scopes = kept.scopes()
    if not scopes:
        raise InputError(f"{source}: there is no journal with anything in it: nothing was copied")
    batches = sorted({one.batch for one in scopes})
    for one in batches:
        if source.is_being_rebuilt(one):
            raise InputError(f"{source}: a rebuild of {one!r} has begun and not ended; finish it first")
    with ExitStack() as held:
        target.opened().close()
        leases = [*held.enter_context(source.hold_all(batches, stamp=at))]
        _refuse_the_silent(leases, batches, source, at=at)
        leases += held.enter_context(target.hold_all(batches, stamp=at))
        ours = held.enter_context(_opened(source))
        theirs = held.enter_context(_opened(target))
        _refuse_a_second_copy(ours, theirs, batches, source, target)
        _refuse_what_nobody_heard(ours, source)
        with _marked(ours, scopes, _lasting(target)), ours.written(), theirs.written(durable=True):
            copied = _Copy(ours, theirs).all()
            if any(one.left() <= 0 for one in leases):
                raise JournalError("it took so long that another run may have begun: nothing was copied")
    return copied


@contextmanager
def _opened(store: JournalStore) -> Iterator[Connection]:
    with store.tables("rw") as connection:
        if connection is None:
            raise JournalError(f"{store}: was removed or replaced meanwhile: nothing was copied")
        yield connection


def _refuse_a_second_copy(
    ours: Connection, theirs: Connection, batches: Sequence[str], source: JournalStore, target: JournalStore
) -> None:
    there = {batch for (batch,) in theirs.execute("SELECT DISTINCT batch FROM scopes")}
    if known := sorted(there & set(batches)):
        raise InputError(
            f"{target} has records of {', '.join(map(repr, known))} already: nothing was copied. Two "
            "journals of one batch are never joined"
        )
    for batch in batches:
        where = successor.successor_of(ours, batch)
        if where not in (None, _lasting(target)):
            raise InputError(
                f"{source}: the batch {batch!r} was copied to {where}, and goes on there: nothing was copied"
            )


def _refuse_the_silent(
    leases: Sequence[Lease], batches: Sequence[str], source: JournalStore, *, at: float
) -> None:
    """Refuse to leave a run behind that was taken over and may wake: nobody would hear its testimony."""
    for lease, batch in zip(leases, batches, strict=True):
        silent = lease.silent_since()
        if silent is not None and at - silent < _MAY_WAKE:
            raise InputError(
                f"{source}: a run of {batch!r} has gone without a word, and may still say what became of "
                f"what it sent: nothing was copied. Copy in {span(_MAY_WAKE - (at - silent))}"
            )


def _lasting(store: JournalStore) -> str:
    """Return the place of a journal in words that mean the same in another folder and on another day."""
    told = str(store)
    return told if "://" in told else str(Path(told).absolute())


def _refuse_what_nobody_heard(ours: Connection, source: JournalStore) -> None:
    """Refuse to leave a testimony behind: the next run of its batch hears it."""
    if not ours.has("testimony"):
        return
    rows = ours.execute(
        "SELECT DISTINCT batch FROM testimony WHERE heard_at IS NULL ORDER BY batch"
    ).fetchall()
    if rows:
        batches = ", ".join(repr(batch) for (batch,) in rows)
        raise InputError(
            f"{source}: a run that was taken over has said what became of what it sent, and none has heard "
            f"it: run {batches} once more, with --collect-only, and copy then"
        )


@contextmanager
def _marked(source: Connection, scopes: Iterable[Scope], where: str) -> Iterator[None]:
    """Say in the source where its batches go on, before they can; taken back where the copy is not made.

    A copy that is killed leaves the marks, and is to be made again: nothing is bought meanwhile.
    """
    marks = {(one.origin, successor.name_of(one.batch, where)) for one in scopes}
    with source.written(durable=True):
        source.executemany(
            "INSERT INTO marks (origin, name) VALUES (?, ?) ON CONFLICT DO NOTHING", sorted(marks)
        )
    try:
        yield
    except BaseException:
        with source.written(durable=True):
            source.executemany("DELETE FROM marks WHERE (origin, name) = (?, ?)", sorted(marks))
        raise


class _Copy:
    """One copy, within a transaction of each side.

    What is much goes a thousand rows at a time: a server has to answer each question within seconds.
    """

    def __init__(self, source: Connection, target: Connection) -> None:
        self._source = source
        self._target = target
        self._counts: dict[str, int] = dict.fromkeys(_NUMBERED, 0)
        self._numbers: dict[tuple[Scope, str, int], int] = {}  # of records in the target

    def all(self) -> Copied:
        """Copy and compare everything.

        Raises:
            InputError: the target has one of the submissions.
            JournalError: what was written is not what was read.
        """
        rows = self._source.execute(f"SELECT id, owner, {NAMES} FROM scopes ORDER BY id").fetchall()  # noqa: S608 - our own names
        for number, owner, *names in rows:
            self._copy_scope(number, owner, scope_of(names))
        submissions = sum(map(self._copy_submissions, _submissions(self._source)))
        for table in _NAMED:
            self._copy_named(table)
        return Copied(
            batches=sorted({scope_of(names).batch for _, _, *names in rows}),
            slots=len(rows),
            records=self._counts["records"],
            events=self._counts["events"],
            submissions=submissions,
        )

    def _copy_scope(self, number: int, owner: str, scope: Scope) -> None:
        to = keep_scope(self._target, scope)
        self._target.execute("UPDATE scopes SET owner = ? WHERE id = ?", (owner, to))
        self._target.execute(  # on a server it is locked while money is committed
            "INSERT INTO accounts (origin, project) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (scope.origin, scope.project),
        )
        for table in _NUMBERED:
            for rows in _pages(self._source, table, number):
                self._put(table, f"scope, {_NUMBERED[table]}", [(to, *row) for _, row in rows])
                self._counts[table] += len(rows)
            both = zip_longest(_pages(self._source, table, number), _pages(self._target, table, to))
            for read, written in both:
                _compare(table, [row for _, row in read or ()], [row for _, row in written or ()])
        self._replay(to, scope)

    def _replay(self, number: int, scope: Scope) -> None:
        """Hold the records that were written against what the events that were written make of them."""
        history = (
            (JobKey(content, ordinal), codec.load_event(name, fields))
            for page in _pages(self._target, "events", number)
            for _, (content, ordinal, name, fields) in page
        )
        lived, records = replay(history), {}
        for page in _pages(self._target, "records", number):
            for row_number, (content, ordinal, _, fields, *_) in page:
                records[JobKey(content, ordinal)] = codec.load_record(fields)
                self._numbers[scope, content, ordinal] = row_number
        if lived != records:
            raise JournalError(
                f"the events of batch {scope.batch!r} do not make its records: nothing was copied. "
                "`batchgen audit` says which"
            )

    def _copy_submissions(self, rows: Sequence[Sequence[Any]]) -> int:
        """Copy whose some submissions are, by the names of their records: their numbers are others there."""
        whose = [
            (origin, remote_id, self._numbers[scope_of(names), content, ordinal])
            for origin, remote_id, *names, content, ordinal in rows
        ]
        for origin in {one[0] for one in whose}:
            ids = [remote_id for own, remote_id, _ in whose if own == origin]
            if taken := named_rows(self._target, _TAKEN, origin, ids):
                raise InputError(
                    f"the target has the submission {taken[0][0]} as another job's: nothing was copied"
                )
            self._put("submissions", "origin, remote_id, record", [one for one in whose if one[0] == origin])
            there = named_rows(self._target, _WHOSE, origin, ids)
            _compare("submissions", sorted(one[1:] for one in whose if one[0] == origin), sorted(there))
        return len(whose)

    def _copy_named(self, table: str) -> None:
        columns = _NAMED[table]
        order = " ORDER BY id" if table == "moves" else ""  # they are undone in their order
        query = f"SELECT {columns} FROM {table}{order}"  # noqa: S608 - our own names
        rows = [tuple(row) for row in self._source.execute(query)]
        if table == "marks":
            rows = [row for row in rows if not successor.is_one(row[1])]
        self._put(table, columns, rows)
        there = {tuple(row) for row in self._target.execute(query)}
        if table not in _SHARED:
            _compare(table, sorted(rows, key=repr), sorted(there & set(rows), key=repr))

    def _put(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        places = ", ".join("?" * len(columns.split(", ")))
        kept = " ON CONFLICT DO NOTHING" if table in _SHARED else ""
        statement = f"INSERT INTO {table} ({columns}) VALUES ({places}){kept}"  # noqa: S608 - as above
        for start in range(0, len(rows), _A_TIME):
            self._target.executemany(statement, rows[start : start + _A_TIME])


def _pages(connection: Connection, table: str, scope: int) -> Iterator[Sequence[tuple[int, tuple[Any, ...]]]]:
    """Return the rows of a scope, each with its number, in their order; without numbers they come at once."""
    columns = _NUMBERED[table]
    if table not in _WITH_IDS:
        rows = connection.execute(
            f"SELECT {columns} FROM {table} WHERE scope = ? ORDER BY {columns}",  # noqa: S608 - our own names
            (scope,),
        ).fetchall()
        yield [(0, tuple(row)) for row in rows]
        return
    last = 0
    query = f"SELECT id, {columns} FROM {table} WHERE scope = ? AND id > ? ORDER BY id LIMIT {_A_TIME}"  # noqa: S608 - as above
    while rows := connection.execute(query, (scope, last)).fetchall():
        yield [(number, tuple(row)) for number, *row in rows]
        last = rows[-1][0]


def _submissions(connection: Connection) -> Iterator[Sequence[Sequence[Any]]]:
    """Return all submissions, each with the names of its record."""
    last = "", ""
    query = (
        "SELECT submissions.origin, remote_id, scopes.origin, project, batch, slot, content, ordinal "  # noqa: S608 - a number of ours
        "FROM submissions JOIN records ON records.id = submissions.record "
        "JOIN scopes ON scopes.id = records.scope WHERE (submissions.origin, remote_id) > (?, ?) "
        f"ORDER BY submissions.origin, remote_id LIMIT {_A_TIME}"
    )
    while rows := connection.execute(query, last).fetchall():
        yield rows
        last = rows[-1][0], rows[-1][1]


def _compare(table: str, read: Iterable[Sequence[Any]], written: Iterable[Sequence[Any]]) -> None:
    if [tuple(row) for row in read] != [tuple(row) for row in written]:
        raise JournalError(f"what was written into {table} is not what was read: nothing was copied")
