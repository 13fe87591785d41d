"""The last run of each slot: when it began and ended, how, and of how many jobs.

Beside the events, not of them: nothing that is paid for hangs on a row here. A run that was killed has a
beginning and no end.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from batchgen.journal.connection import Connection
from batchgen.journal.runs import SILENT_AFTER
from batchgen.journal.scopes import NAMES, columns_of, scope_of
from batchgen.journal.sqlite_errors import explained
from batchgen.model import JobKey, Scope


@dataclass(frozen=True, kw_only=True, slots=True)
class LastRun:
    """How the last run of a slot went.

    Attributes:
        began_at: seconds since the epoch.
        ended_at: the same; None for one that goes on, or was killed.
        exit: its exit status; None as long as it has none.
        reasons: for that, a sentence each.
        jobs: how many its manifest has.
        removed: records that its manifest does not name any more.
    """

    began_at: float
    ended_at: float | None = None
    exit: int | None = None
    reasons: tuple[str, ...] = ()
    jobs: int
    removed: frozenset[JobKey] = frozenset()


class LastRunRecords:
    """The last runs of a journal."""

    def __init__(self, connection: Connection, path: object) -> None:
        self._connection = connection
        self._path = path

    def keep(self, scope: Scope, run: LastRun) -> None:
        """Put a run on record in place of the one before it, or of its own beginning.

        Raises:
            JournalError: it could not be written.
        """
        with explained(self._path), self._connection.written():
            self._connection.execute(
                f"INSERT INTO last_runs ({NAMES}, began_at, ended_at, exit, reasons, jobs, removed) "  # noqa: S608 - our own names
                f"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT ({NAMES}) DO UPDATE SET "
                "began_at = excluded.began_at, ended_at = excluded.ended_at, exit = excluded.exit, "
                "reasons = excluded.reasons, jobs = excluded.jobs, removed = excluded.removed",
                (
                    *columns_of(scope),
                    run.began_at,
                    run.ended_at,
                    run.exit,
                    json.dumps(run.reasons),
                    run.jobs,
                    json.dumps(sorted(run.removed)),
                ),
            )

    def read(self) -> Mapping[Scope, LastRun]:
        """Return the last run of every slot; of a journal that is older than this record there is none.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            if not self._connection.has("last_runs"):
                return {}
            rows = self._connection.execute(
                f"SELECT {NAMES}, began_at, ended_at, exit, reasons, jobs, removed FROM last_runs"  # noqa: S608 - our own names
            ).fetchall()
            return {scope_of(row): _run(row[4:]) for row in rows}

    def alive(self, *, at: float) -> frozenset[Scope]:
        """Return what runs are working on that were seen just now.

        Args:
            at: now, seconds since the epoch.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            if not self._connection.has("runs"):
                return frozenset()
            rows = self._connection.execute(
                f"SELECT {NAMES} FROM runs WHERE ABS(seen_at - ?) < ?",  # noqa: S608 - our own names
                (at, SILENT_AFTER),
            ).fetchall()
            return frozenset(map(scope_of, rows))


def _run(row: Sequence[object]) -> LastRun:
    began, ended, status, reasons, jobs, removed = row
    return LastRun(
        began_at=float(str(began)),
        ended_at=None if ended is None else float(str(ended)),
        exit=None if status is None else int(str(status)),
        reasons=tuple(json.loads(str(reasons))),
        jobs=int(str(jobs)),
        removed=frozenset(JobKey(content, ordinal) for content, ordinal in json.loads(str(removed))),
    )
