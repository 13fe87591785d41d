"""The runs that are under way: who they are, and since when they were last seen.

Beside the events, not of them: nothing that is paid for hangs on a row here. A run's own
connection waits for nobody, for its event loop stands still meanwhile; what cannot be written
now is written at the next occasion.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType

from batchgen.journal.connection import Connection
from batchgen.journal.orders import OrderRecords
from batchgen.journal.sqlite_errors import explained
from batchgen.journal.turns import AccountPace
from batchgen.model import Scope

SILENT_AFTER = 8.0  # seconds: a run that was not seen for so long counts as gone
_FORGOTTEN_AFTER = 86_400.0  # seconds: a run that stands still for a day makes itself known again
_BUSY_FOR = 20  # milliseconds that a run waits for another process
_BUSY_FOR_AT_LAST = 1000  # the same for its last word, when nothing stands still for it any more

_COLUMNS = "token, origin, project, batch, slot, pid, host, began_at, seen_at"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunKept:
    """One run, as others see it.

    Attributes:
        token: its name for the machine, given to no other run.
        scope: what it works on.
        pid, host: the process.
        began_at, seen_at: seconds since the epoch.
    """

    token: str
    scope: Scope
    pid: int
    host: str
    began_at: float
    seen_at: float

    def __str__(self) -> str:
        """Name the process for people."""
        return f"process {self.pid} on {self.host}"


class RunRecords(AbstractContextManager["RunRecords"]):
    """The runs of a ``journal.db``, over a connection of their own."""

    def __init__(self, connection: Connection, path: object) -> None:
        self._connection = connection
        self._path = path
        self._changes: object = None
        self.orders = OrderRecords(connection, path)

    def begin(self, run: RunKept) -> None:
        """Make a run known that holds the lock of its batch; from then on nothing here waits.

        What else is known of the batch was left by runs that died.

        Raises:
            JournalError: it could not be written.
        """
        with explained(self._path):
            with self._connection.written():
                self._connection.execute(
                    "DELETE FROM runs WHERE batch = ? OR seen_at < ?",
                    (run.scope.batch, run.began_at - _FORGOTTEN_AFTER),
                )
                self.orders.forget(before=run.began_at)
                self._put(run, run.seen_at)
            self._connection.wait_at_most(_BUSY_FOR)

    def beat(self, run: RunKept, *, at: float) -> bool:
        """Say that a run is still there; False where the file was held by somebody else.

        Raises:
            JournalError: it could not be written for another reason.
        """
        with explained(self._path):
            try:
                self._put(run, at)
            except Exception as error:
                if self._connection.is_busy(error):
                    return False
                raise
            return True

    def end(self, run: RunKept) -> None:
        """Strike a run off; what it was ordered and did not take is void.

        Raises:
            JournalError: it could not be written; others see by its silence that it is gone.
        """
        with explained(self._path):
            self._connection.wait_at_most(_BUSY_FOR_AT_LAST)
            self._connection.execute("DELETE FROM runs WHERE token = ?", (run.token,))

    def changed(self) -> bool:
        """Return whether another connection has written since this was asked last; costs microseconds.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            now = self._connection.changes()
        before, self._changes = self._changes, now
        return now != before

    def pace(self, scope: Scope, *, now: Callable[[], float]) -> AccountPace:
        """Return the turns that the runs of a scope's account share.

        Args:
            scope: whose origin and project it is.
            now: gives the seconds since the epoch.
        """
        return AccountPace(self._connection, self._path, scope, now=now)

    def of_batch(self, batch: str) -> list[RunKept]:
        """Return what is known of a batch, of whatever origin, project and slot; the latest first.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM runs WHERE batch = ? ORDER BY began_at DESC",  # noqa: S608 - our own names
                (batch,),
            ).fetchall()
        return [
            RunKept(
                token=token,
                scope=Scope(origin=origin, project=project, batch=batch, slot=slot),
                pid=pid,
                host=host,
                began_at=began,
                seen_at=seen,
            )
            for token, origin, project, batch, slot, pid, host, began, seen in rows
        ]

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _put(self, run: RunKept, seen_at: float) -> None:
        scope = run.scope
        self._connection.execute(
            f"INSERT INTO runs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608 - our own names
            "ON CONFLICT (token) DO UPDATE SET seen_at = excluded.seen_at",
            (
                run.token,
                scope.origin,
                scope.project,
                scope.batch,
                scope.slot,
                run.pid,
                run.host,
                run.began_at,
                seen_at,
            ),
        )
