"""The batches that workers are to lead, and who the workers are; a journal on a server alone has them.

This is the truth about what waits: the queue beside it only rings. Beside the events, not of them: nothing
that is paid for hangs on a row here, and one too many or too late costs a look at the batch.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from batchgen.journal.connection import Opener

_FORGOTTEN_AFTER = 3600  # seconds: a worker that was not seen for so long is shown no more
_NOW = "extract(epoch FROM clock_timestamp())::double precision"
_IS_LED = "coalesce(NOT leases.ended AND leases.until > clock_timestamp(), false)"
_COLUMNS = (
    "batch, queue, manifest, text, settings, asked, asked_at, asked_by, state, exit, reasons, ended_at, "
    "tries, again_at, every, zone, due"
)


class Wait(StrEnum):
    """Where an enqueued batch stands."""

    WANTED = "wanted"  # a worker is to lead it, now or later
    DONE = "done"  # everything wanted is done, or has failed
    STOPPED = "stopped"  # nobody leads it before a person has done something


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a person asks of the workers.

    Attributes:
        batch: its name.
        queue: whose workers are to lead it.
        manifest: where its file is, or would be, for what it names.
        text: of the manifest.
        settings: what was agreed besides, as ``wiring.enqueuing`` writes it.
        asked_by: who it was, for people.
        every: five fields of cron at which it is asked for once more; empty for never.
        zone: in which those are.
        due: when that is for the next time, seconds since the epoch; None for never.
    """

    batch: str
    queue: str
    manifest: str
    text: bytes = field(repr=False)
    settings: str = field(repr=False)
    asked_by: str
    every: str = ""
    zone: str = "UTC"
    due: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Enqueued(Wish):
    """A batch that was put into the queue.

    Attributes:
        asked: how often that was, by people and by its times.
        asked_at: when a person did, seconds since the epoch by the server's clock, as all stamps here.
        state: where it stands.
        exit: the status of its last run; None before there was one.
        reasons: for that, a sentence each.
        ended_at: when that was.
        tries: how many runs in a row ended with work left.
        again_at: before when it is not rung for again; None for at once.
    """

    asked: int
    asked_at: float
    state: Wait
    exit: int | None = None
    reasons: tuple[str, ...] = ()
    ended_at: float | None = None
    tries: int = 0
    again_at: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class After:
    """What follows from the end of a run.

    Attributes:
        state: where its batch stands now, unless it was asked for once more meanwhile.
        again_in: seconds after which it is rung for again.
        tries: how many runs in a row have ended so.
    """

    state: Wait
    again_in: float = 0.0
    tries: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerKept:
    """One worker, as others see it.

    Attributes:
        token: its name for the machine, given to no other.
        host, pid: the process.
        queues: what it listens to.
        room: how many batches it leads at most.
        began_at, seen_at: seconds since the epoch.
    """

    token: str
    host: str
    pid: int
    queues: tuple[str, ...]
    room: int
    began_at: float = 0.0
    seen_at: float = 0.0

    def __str__(self) -> str:
        """Name the process for people, as a lease names its holder."""
        return f"process {self.pid} on {self.host}"


class EnqueuedRecords:
    """The enqueued batches of a database; every call opens a connection of its own, for any thread."""

    def __init__(self, existing: Opener) -> None:
        """Name the place; nothing is opened before it is asked."""
        self._existing = existing

    def ask(self, wish: Wish) -> Wait | None:
        """Put a batch into the queue, in place of what was asked before; return where that stood.

        Args:
            wish: what is asked.

        Returns:
            Where the batch stood before; None where it is new.

        Raises:
            JournalError: it could not be written; asking again does no harm.
        """
        with self._existing("rw") as connection:
            assert connection is not None
            with connection.written(durable=True):
                row = connection.execute(
                    "SELECT state FROM enqueued WHERE batch = ? FOR UPDATE", (wish.batch,)
                ).fetchone()
                connection.execute(
                    "INSERT INTO enqueued (batch, queue, manifest, text, settings, asked_by, every, zone, "  # noqa: S608 - ours
                    f"due, asked, asked_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, {_NOW}, 'wanted') "
                    "ON CONFLICT (batch) DO UPDATE SET queue = excluded.queue, manifest = excluded.manifest, "
                    "text = excluded.text, settings = excluded.settings, asked_by = excluded.asked_by, "
                    "every = excluded.every, zone = excluded.zone, due = excluded.due, "
                    "asked = enqueued.asked + 1, asked_at = excluded.asked_at, state = 'wanted', tries = 0, "
                    "again_at = NULL",
                    (
                        wish.batch,
                        wish.queue,
                        wish.manifest,
                        wish.text,
                        wish.settings,
                        wish.asked_by,
                        wish.every,
                        wish.zone,
                        wish.due,
                    ),
                )
        return None if row is None else Wait(row[0])

    def all(self) -> list[Enqueued]:
        """Return every batch that was put into the queue and not taken out, by name.

        Raises:
            JournalError: they cannot be read.
        """
        with self._existing("ro") as connection:
            assert connection is not None
            rows = connection.execute(f"SELECT {_COLUMNS} FROM enqueued ORDER BY batch").fetchall()  # noqa: S608 - as above
        return [_enqueued(row) for row in rows]

    def wanted(self, batch: str) -> Enqueued | None:
        """Return a batch that is to be led now; None where a bell was rung for nothing.

        Raises:
            JournalError: it cannot be read.
        """
        with self._existing("ro") as connection:
            assert connection is not None
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM enqueued WHERE batch = ? AND state = 'wanted' "  # noqa: S608 - as above
                f"AND coalesce(again_at <= {_NOW}, true)",
                (batch,),
            ).fetchone()
        return None if row is None else _enqueued(row)

    def to_ring(self) -> list[tuple[str, str]]:
        """Return the batches that are to be led now, and that nobody leads, each with its queue.

        Raises:
            JournalError: they cannot be read.
        """
        with self._existing("ro") as connection:
            assert connection is not None
            rows = connection.execute(
                "SELECT enqueued.batch, queue FROM enqueued "  # noqa: S608 - as above
                "LEFT JOIN leases ON leases.batch = enqueued.batch "
                f"WHERE state = 'wanted' AND coalesce(again_at <= {_NOW}, true) AND NOT {_IS_LED} "
                "ORDER BY asked_at"
            ).fetchall()
        return [(batch, queue) for batch, queue in rows]

    def ended(self, one: Enqueued, *, status: int, reasons: Sequence[str], after: After) -> None:
        """Keep how a run of a batch ended; whoever asked for it meanwhile gets one more.

        Args:
            one: as it was when the run began.
            status: its exit status.
            reasons: for that.
            after: what follows from it.

        Raises:
            JournalError: it could not be written; the batch is rung for once more then.
        """
        with self._existing("rw") as connection:
            assert connection is not None
            connection.execute(
                f"UPDATE enqueued SET exit = ?, reasons = ?, ended_at = {_NOW}, "  # noqa: S608 - as above
                "state = CASE WHEN asked = ? THEN ? ELSE state END, "
                "tries = CASE WHEN asked = ? THEN ? ELSE tries END, "
                f"again_at = CASE WHEN asked = ? THEN {_NOW} + ? ELSE again_at END WHERE batch = ?",
                (
                    status,
                    json.dumps(list(reasons)),
                    one.asked,
                    str(after.state),
                    one.asked,
                    after.tries,
                    one.asked,
                    after.again_in,
                    one.batch,
                ),
            )

    def due(self) -> list[Enqueued]:
        """Return the batches whose time has come.

        Raises:
            JournalError: they cannot be read.
        """
        with self._existing("ro") as connection:
            assert connection is not None
            rows = connection.execute(f"SELECT {_COLUMNS} FROM enqueued WHERE due <= {_NOW}").fetchall()  # noqa: S608 - as above
        return [_enqueued(row) for row in rows]

    def fire(self, one: Enqueued, *, following: float) -> bool:
        """Ask for a batch whose time has come, once whoever else does; return whether it was here.

        Args:
            one: as ``due`` gave it.
            following: when it is due for the next time.

        Raises:
            JournalError: it could not be written.
        """
        with self._existing("rw") as connection:
            assert connection is not None
            done = connection.execute(
                "UPDATE enqueued SET due = ?, asked = asked + 1, state = 'wanted', tries = 0, "
                "again_at = NULL WHERE batch = ? AND due = ?",
                (following, one.batch, one.due),
            )
            return done.rowcount == 1

    def remove(self, batch: str) -> bool:
        """Take a batch out of the queue, with its times; return whether it was there.

        Raises:
            JournalError: it could not be written.
        """
        with self._existing("rw") as connection:
            assert connection is not None
            return connection.execute("DELETE FROM enqueued WHERE batch = ?", (batch,)).rowcount == 1

    def see(self, worker: WorkerKept) -> None:
        """Keep that a worker is there; those of long ago are forgotten.

        Raises:
            JournalError: it could not be written.
        """
        with self._existing("rw") as connection:
            assert connection is not None
            connection.execute(
                f"INSERT INTO workers (token, host, pid, queues, room, began_at, seen_at) "  # noqa: S608 - as above
                f"VALUES (?, ?, ?, ?, ?, {_NOW}, {_NOW}) "
                f"ON CONFLICT (token) DO UPDATE SET seen_at = {_NOW}",
                (worker.token, worker.host, worker.pid, json.dumps(worker.queues), worker.room),
            )
            connection.execute(f"DELETE FROM workers WHERE seen_at < {_NOW} - ?", (_FORGOTTEN_AFTER,))  # noqa: S608 - as above

    def leave(self, worker: WorkerKept) -> None:
        """Strike a worker off.

        Raises:
            JournalError: it could not be written; others see by its silence that it is gone.
        """
        with self._existing("rw") as connection:
            assert connection is not None
            connection.execute("DELETE FROM workers WHERE token = ?", (worker.token,))

    def workers(self) -> tuple[list[WorkerKept], float]:
        """Return the workers, the oldest first, and what time it is by the server.

        Raises:
            JournalError: they cannot be read.
        """
        with self._existing("ro") as connection:
            assert connection is not None
            rows = connection.execute(
                "SELECT token, host, pid, queues, room, began_at, seen_at FROM workers ORDER BY began_at"
            ).fetchall()
            (now,) = connection.execute(f"SELECT {_NOW}").fetchone()
        found = [
            WorkerKept(
                token=token,
                host=host,
                pid=pid,
                queues=tuple(json.loads(queues)),
                room=room,
                began_at=began,
                seen_at=seen,
            )
            for token, host, pid, queues, room, began, seen in rows
        ]
        return found, now


def _enqueued(row: Sequence[object]) -> Enqueued:
    named = dict(zip(_COLUMNS.split(", "), row, strict=True))
    text = named["text"]
    assert isinstance(text, bytes | memoryview)
    kept = {**named, "text": bytes(text), "reasons": tuple(json.loads(str(named["reasons"])))}
    return replace(Enqueued(**kept), state=Wait(str(named["state"])))  # type: ignore[arg-type]  # a row of ours


TABLES = (
    # batches that workers are to lead: the queue only rings for what is here
    """
    CREATE TABLE enqueued (
        batch text COLLATE "C" PRIMARY KEY,
        queue text NOT NULL, manifest text NOT NULL, text bytea NOT NULL, settings text NOT NULL,
        asked bigint NOT NULL, asked_at double precision NOT NULL, asked_by text NOT NULL,
        state text NOT NULL, exit int, reasons text NOT NULL DEFAULT '[]', ended_at double precision,
        tries int NOT NULL DEFAULT 0, again_at double precision,
        every text NOT NULL, zone text NOT NULL, due double precision
    )
    """,
    """
    CREATE TABLE workers (
        token text PRIMARY KEY, host text NOT NULL, pid bigint NOT NULL, queues text NOT NULL,
        room int NOT NULL, began_at double precision NOT NULL, seen_at double precision NOT NULL
    )
    """,
)
