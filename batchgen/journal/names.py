"""Under which names the batches of a journal are known: projects, addresses and manifests.

A batch that is run under another project or address of the same account goes on in the records it
has: its new name is an alias of the old one, for all slots. Where both names have records, those of
the second join those of the first, each equal job under an ordinal that is free.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace

from batchgen.journal import codec
from batchgen.journal.connection import Connection
from batchgen.journal.ordinals import shift_ordinals
from batchgen.journal.origin_flags import NAMES_A_QUERY
from batchgen.journal.reservations import ReservationRows
from batchgen.journal.scopes import keep_scope
from batchgen.journal.sqlite_errors import explained
from batchgen.journal.totals import Totals
from batchgen.lifecycle import Record
from batchgen.model import JobKey, Scope

NO_FILE = ""  # where the manifest of a batch is that was made in Python


class Names:
    """The names in one ``journal.db``."""

    def __init__(self, connection: Connection, path: object) -> None:
        self._connection = connection
        self._path = path

    def resolve(self, scope: Scope) -> Scope:
        """Return the scope whose records those of this name are: another one, where it is an alias.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            if not self._knows_names:
                return scope
            row = self._connection.execute(
                "SELECT kept_origin, kept_project FROM aliases WHERE (origin, project, batch) = (?, ?, ?)",
                (scope.origin, scope.project, scope.batch),
            ).fetchone()
        return scope if row is None else replace(scope, origin=row[0], project=row[1])

    def owners(self) -> Mapping[Scope, str]:
        """Return who has each scope's jobs in the service's eyes, as far as receipts told.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            if not self._knows_names:
                return {}
            rows = self._connection.execute(
                "SELECT origin, project, batch, slot, owner FROM scopes WHERE owner <> '' ORDER BY id"
            )
            return {Scope(origin=row[0], project=row[1], batch=row[2], slot=row[3]): row[4] for row in rows}

    def join(self, name: Scope, kept: Scope, *, at: float) -> None:
        """Make a name an alias of another one of the same batch, for all slots, on the disk itself.

        What is on record under the name joins what is kept. No event is changed but for the scope and
        the ordinal it stands under: so each record is still what its events tell.

        Args:
            name: by which the batch is run from now on.
            kept: whose records it goes on with.
            at: now, seconds since the epoch.

        Raises:
            JournalError: the file does not take it; nothing is changed.
        """
        places = (kept.origin, kept.project, name.origin, name.project, name.batch)
        with explained(self._path), self._transaction():
            self._connection.execute(
                "UPDATE aliases SET kept_origin = ?, kept_project = ? "
                "WHERE (kept_origin, kept_project, batch) = (?, ?, ?)",
                places,
            )
            self._connection.execute(
                "INSERT INTO aliases (kept_origin, kept_project, origin, project, batch, at) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (origin, project, batch) DO UPDATE SET "
                "kept_origin = excluded.kept_origin, kept_project = excluded.kept_project, at = excluded.at",
                (*places, at),
            )
            self._connection.execute(  # an alias leads to a name that is none
                "DELETE FROM aliases WHERE (origin, project, batch) = (?, ?, ?)",
                (kept.origin, kept.project, kept.batch),
            )
            rows = self._connection.execute(
                "SELECT id, slot FROM scopes WHERE (origin, project, batch) = (?, ?, ?) ORDER BY id",
                places[2:],
            ).fetchall()
            with self._connection.events_may_move() if rows else nullcontext():
                for number, slot in rows:
                    self._move(number, replace(name, slot=slot), replace(kept, slot=slot))

    def _move(self, number: int, name: Scope, kept: Scope) -> None:
        """Let what is on record under one scope join another one's."""
        to, execute = keep_scope(self._connection, kept), self._connection.execute
        equals = self._free_ordinals(to, number)
        for content, free in equals.items():
            # from the last one down: no two stand under one ordinal, not even for a moment
            ordinals = execute(
                "SELECT ordinal FROM records WHERE scope = ? AND content = ? ORDER BY ordinal DESC",
                (number, content),
            ).fetchall()
            for (ordinal,) in ordinals:
                for table in ("records", "events"):
                    execute(
                        f"UPDATE {table} SET ordinal = ? "  # noqa: S608 - our own names
                        "WHERE scope = ? AND content = ? AND ordinal = ?",
                        (ordinal + free, number, content, ordinal),
                    )
            execute(
                "UPDATE accepted SET bought_ordinal = bought_ordinal + ? "
                "WHERE (origin, project, batch, slot) = (?, ?, ?, ?) AND bought_content = ?",
                (free, *_columns(name), content),
            )
        if equals:
            shift_ordinals(self._connection, number, equals)
        self._move_all(number, to, name, kept)

    def _free_ordinals(self, to: int, number: int) -> dict[str, int]:
        """Return, by what both scopes ask for, the first ordinal that is free in the one that is kept."""
        rows = self._connection.execute(
            "SELECT content, ordinal, fields FROM records WHERE scope = ? "
            "AND content IN (SELECT content FROM records WHERE scope = ?) ORDER BY id",
            (to, number),
        ).fetchall()
        free: dict[str, int] = {}
        for content, ordinal, text in rows:
            # editions that are asked for have their ordinals before anything is on record of them
            last = max(ordinal, *codec.load_record(text).editions, 0)
            free[content] = max(free.get(content, 0), last + 1)
        return free

    def _move_all(self, number: int, to: int, name: Scope, kept: Scope) -> None:
        execute = self._connection.execute
        # left by a run that was killed; the next one keeps anew what it needs
        ReservationRows(self._connection, Totals(self._connection, name)).drop_all(number)
        for table in ("records", "events"):
            execute(f"UPDATE {table} SET scope = ? WHERE scope = ?", (to, number))  # noqa: S608 - as above
        execute(
            "INSERT INTO totals (scope, quarter, gross, assumed, confirmed) "
            "SELECT CAST(? AS BIGINT), quarter, gross, assumed, confirmed FROM totals WHERE scope = ? "
            "ON CONFLICT (scope, quarter) DO UPDATE SET gross = totals.gross + excluded.gross, "
            "assumed = totals.assumed + excluded.assumed, confirmed = totals.confirmed + excluded.confirmed",
            (to, number),
        )
        execute("DELETE FROM totals WHERE scope = ?", (number,))
        for table, same in (("accepted", ("job", "content")), ("asset_marks", ("asset",)), ("looks", ())):
            equal = "".join(f" AND there.{one} = {table}.{one}" for one in same)
            execute(  # what was said under the name goes before what was said under the one that is kept
                f"DELETE FROM {table} WHERE (origin, project, batch, slot) = (?, ?, ?, ?) "  # noqa: S608 - as above
                f"AND EXISTS (SELECT 1 FROM {table} AS there "
                "WHERE (there.origin, there.project, there.batch, there.slot) = (?, ?, ?, ?)"
                f"{equal})",
                (*_columns(kept), *_columns(name)),
            )
            execute(
                f"UPDATE {table} SET origin = ?, project = ? "  # noqa: S608 - as above
                "WHERE (origin, project, batch, slot) = (?, ?, ?, ?)",
                (kept.origin, kept.project, *_columns(name)),
            )
        if kept.origin != name.origin:  # one service under two addresses
            execute(
                "UPDATE submissions SET origin = ? WHERE origin = ? "
                "AND record IN (SELECT id FROM records WHERE scope = ?) "
                "AND remote_id NOT IN (SELECT remote_id FROM submissions WHERE origin = ?)",
                (kept.origin, name.origin, to, kept.origin),
            )
            execute(
                "INSERT INTO marks (origin, name) SELECT CAST(? AS TEXT), name FROM marks WHERE origin = ? "
                "ON CONFLICT DO NOTHING",
                (kept.origin, name.origin),
            )
        execute(
            "UPDATE scopes SET owner = (SELECT owner FROM scopes WHERE id = ?) WHERE id = ? AND owner = ''",
            (number, to),
        )
        execute("DELETE FROM scopes WHERE id = ?", (number,))

    def alike(self, contents: Collection[str], *, batch: str) -> Iterator[tuple[Scope, JobKey, Record]]:
        """Return the records of other batches that ask for the same, in whatever project and slot.

        Args:
            contents: what is asked for.
            batch: whose records are left out.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            if self._connection.is_empty():
                return
            (others,) = self._connection.execute(
                "SELECT COUNT(*) FROM scopes WHERE batch <> ?", (batch,)
            ).fetchone()
            wanted = sorted(contents) if others else []
            for start in range(0, len(wanted), NAMES_A_QUERY):
                some = wanted[start : start + NAMES_A_QUERY]
                places = ", ".join("?" * len(some))
                rows = self._connection.execute(
                    "SELECT origin, project, batch, slot, content, ordinal, fields "  # noqa: S608 - question marks
                    "FROM records JOIN scopes ON scopes.id = records.scope "
                    f"WHERE batch <> ? AND content IN ({places}) ORDER BY records.id",
                    (batch, *some),
                ).fetchall()
                for origin, project, name, slot, content, ordinal, text in rows:
                    scope = Scope(origin=origin, project=project, batch=name, slot=slot)
                    yield scope, JobKey(content, ordinal), codec.load_record(text)

    def manifests_of(self, batch: str) -> list[str]:
        """Return where the manifests of a batch were when it was run, the latest last.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            if not self._knows_names:
                return []
            rows = self._connection.execute(
                "SELECT path, MAX(at) FROM manifests WHERE batch = ? GROUP BY path ORDER BY 2, 1", (batch,)
            )
            return [path for path, _ in rows]

    def keep_manifest(self, scope: Scope, path: str, *, at: float) -> None:
        """Remember where a batch's manifest is, on the disk itself.

        Raises:
            JournalError: the file does not take it.
        """
        with explained(self._path), self._transaction():
            self._connection.execute(
                "INSERT INTO manifests (origin, project, batch, path, at) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (origin, project, batch, path) DO UPDATE SET at = excluded.at",
                (scope.origin, scope.project, scope.batch, path, at),
            )

    def is_chosen(self, name: str, one: str, other: str) -> bool:
        """Return whether a person has chosen to let two pass beside each other, in whichever order.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            if not self._knows_names:
                return False
            row = self._connection.execute(
                "SELECT 1 FROM choices WHERE (name, one, other) = (?, ?, ?)", (name, *sorted((one, other)))
            ).fetchone()
        return row is not None

    def choose(self, name: str, one: str, other: str, *, at: float) -> None:
        """Remember that a person has chosen so, for good and on the disk itself.

        Raises:
            JournalError: the file does not take it.
        """
        with explained(self._path), self._transaction():
            self._connection.execute(
                "INSERT INTO choices (name, one, other, at) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (name, one, other) DO UPDATE SET at = excluded.at",
                (name, *sorted((one, other)), at),
            )

    @property
    def _knows_names(self) -> bool:
        """Whether a writer of this version has been there: a reader may come first."""
        return not self._connection.is_empty()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._connection.written(durable=True):
            yield


def _columns(scope: Scope) -> tuple[str, str, str, str]:
    return scope.origin, scope.project, scope.batch, scope.slot
