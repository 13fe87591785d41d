"""Copying a whole journal: from a file or a database into another one, all of it or nothing.

Every row stays as it is but for the numbers of scopes and records, which are the new journal's own. It is
read back and compared before it counts, and each history is replayed. What runs that are under way say of
themselves, and leases, are not copied: there are none.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from batchgen.errors import InputError, JournalError
from batchgen.journal import codec, successor
from batchgen.journal.connection import Connection
from batchgen.journal.scopes import NAMES, scope_of
from batchgen.journal.store import JournalStore
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

# Rows of a scope, by its number, in the order in which they are read back.
_NUMBERED: Mapping[str, tuple[str, str]] = {
    "events": ("content, ordinal, name, fields", "id"),
    "records": ("content, ordinal, state, fields, version", "id"),
    "totals": ("quarter, gross, assumed, confirmed", "quarter"),
    "reservations": ("content, ordinal, amount, at, parent_content, parent_ordinal", "content, ordinal"),
}
_A_TIME = 1000  # rows


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
        leases = [
            held.enter_context(store.hold(batch, stamp=at)) for store in (source, target) for batch in batches
        ]
        ours = held.enter_context(_opened(source))
        theirs = held.enter_context(_opened(target))
        _refuse_a_second_copy(ours, theirs, batches, source, target)
        _refuse_what_nobody_heard(ours, source)
        with _marked(ours, scopes, str(target)), ours.written(), theirs.written(durable=True):
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
        if where not in (None, str(target)):
            raise InputError(
                f"{source}: the batch {batch!r} was copied to {where}, and goes on there: nothing was copied"
            )


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
    """One copy, within a transaction of each side."""

    def __init__(self, source: Connection, target: Connection) -> None:
        self._source = source
        self._target = target
        self._counts: dict[str, int] = dict.fromkeys(_NUMBERED, 0)

    def all(self) -> Copied:
        """Copy and compare everything.

        Raises:
            JournalError: what was written is not what was read.
        """
        execute = self._source.execute
        rows = execute(f"SELECT id, owner, {NAMES} FROM scopes ORDER BY id").fetchall()  # noqa: S608 - our own names
        for number, owner, *names in rows:
            self._copy_scope(number, owner, scope_of(names))
        submissions = self._copy_submissions()
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
        names = (scope.origin, scope.project, scope.batch, scope.slot)
        self._target.execute(
            f"INSERT INTO scopes (owner, {NAMES}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608 - our own names
            (owner, *names),
        )
        if self._target.has("accounts"):  # the rows that are locked while money is committed
            self._target.execute(
                "INSERT INTO accounts (origin, project) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (scope.origin, scope.project),
            )
        (to,) = self._target.execute(
            f"SELECT id FROM scopes WHERE ({NAMES}) = (?, ?, ?, ?)",  # noqa: S608 - as above
            names,
        ).fetchone()
        for table, (columns, order) in _NUMBERED.items():
            query = f"SELECT {columns} FROM {table} WHERE scope = ? ORDER BY {order}"  # noqa: S608 - as above
            rows = self._source.execute(query, (number,)).fetchall()
            self._put(table, f"scope, {columns}", [(to, *row) for row in rows])
            self._counts[table] += len(rows)
            _compare(table, rows, self._target.execute(query, (to,)).fetchall())
        self._replay(to, scope)

    def _replay(self, number: int, scope: Scope) -> None:
        """Hold the records that were written against what the events that were written make of them."""
        execute = self._target.execute
        events = execute(
            "SELECT content, ordinal, name, fields FROM events WHERE scope = ? ORDER BY id", (number,)
        )
        history = (
            (JobKey(content, ordinal), codec.load_event(name, fields))
            for content, ordinal, name, fields in events
        )
        lived = replay(history)
        records = {
            JobKey(content, ordinal): codec.load_record(fields)
            for content, ordinal, fields in execute(
                "SELECT content, ordinal, fields FROM records WHERE scope = ?", (number,)
            )
        }
        if lived != records:
            raise JournalError(
                f"the events of batch {scope.batch!r} do not make its records: nothing was copied. "
                "`batchgen audit` says which"
            )

    def _copy_submissions(self) -> int:
        """Copy whose each submission is, by the names of its record: its number is another one there."""
        query = (
            "SELECT submissions.origin, remote_id, scopes.origin, project, batch, slot, content, ordinal "
            "FROM submissions JOIN records ON records.id = submissions.record "
            "JOIN scopes ON scopes.id = records.scope ORDER BY submissions.origin, remote_id"
        )
        rows = self._source.execute(query).fetchall()
        taken = self._taken(rows)
        if taken:
            raise InputError(f"the target has the submission {taken} as another job's: nothing was copied")
        numbers = {
            (tuple(names), content, ordinal): number
            for number, content, ordinal, *names in self._target.execute(
                f"SELECT records.id, content, ordinal, {NAMES} FROM records "  # noqa: S608 - as above
                "JOIN scopes ON scopes.id = records.scope"
            )
        }
        self._put(
            "submissions",
            "origin, remote_id, record",
            [
                (origin, remote_id, numbers[(tuple(names), content, ordinal)])
                for origin, remote_id, *names, content, ordinal in rows
            ],
        )
        there = {tuple(row) for row in self._target.execute(query)}
        _compare("submissions", sorted(rows), sorted(there & {tuple(row) for row in rows}))
        return len(rows)

    def _taken(self, rows: Iterable[Sequence[Any]]) -> str:
        ours = {(origin, remote_id) for origin, remote_id, *_ in rows}
        theirs = self._target.execute("SELECT origin, remote_id FROM submissions")
        return next((str(one[1]) for one in theirs if tuple(one) in ours), "")

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
        self._target.executemany(
            f"INSERT INTO {table} ({columns}) VALUES ({places}){kept}",  # noqa: S608 - as above
            rows,
        )


def _compare(table: str, read: Iterable[Sequence[Any]], written: Iterable[Sequence[Any]]) -> None:
    if [tuple(row) for row in read] != [tuple(row) for row in written]:
        raise JournalError(f"what was written into {table} is not what was read: nothing was copied")
