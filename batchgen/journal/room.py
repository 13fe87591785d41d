"""What the batches of an account have in flight, counted from their records, and which of them wait for room.

Jobs that run or may run count as long as a run of their batch is under way. Those that nobody watches count
for half an hour after their intent: that is what a job is given at least, and an error costs a refusal, which
is free. Held jobs do not count: they wait for a person, and what ran has long ended.
"""

from typing import Any

from batchgen.errors import NoRoomError
from batchgen.journal.connection import Connection
from batchgen.journal.runs import SILENT_AFTER
from batchgen.journal.sqlite_errors import explained
from batchgen.model import Scope
from batchgen.planning.room import MAY_RUN_FOR, WAITS_FOR, Elsewhere, Room, Taken, Waiting

OPEN = "state IN ('submitting', 'in_doubt', 'running')"  # word for word as the index has it
# The scopes of other batches with something at the service, and since when their intents count. From scope to
# scope over the index, for few of thousands are among them.
SCOPES = f"""
    WITH RECURSIVE busy (scope) AS (
        SELECT min(scope) FROM records WHERE {OPEN}
        UNION ALL
        SELECT (SELECT min(scope) FROM records WHERE {OPEN} AND scope > busy.scope)
        FROM busy WHERE busy.scope IS NOT NULL
    ),
    us (name) AS (
        SELECT :project WHERE :project <> ''
        UNION SELECT owner FROM scopes WHERE origin = :origin AND project = :project AND owner <> ''
    )
    SELECT scopes.id AS scope, scopes.batch AS batch, CASE WHEN EXISTS (
        SELECT 1 FROM runs
        WHERE runs.batch = scopes.batch AND runs.origin = scopes.origin AND runs.seen_at > :alive
    ) THEN 0 ELSE :young END AS since
    FROM busy CROSS JOIN scopes
    WHERE scopes.id = busy.scope AND scopes.origin = :origin AND scopes.batch <> :batch
    AND (scopes.project = :project OR scopes.owner IN (SELECT name FROM us)
        OR scopes.project IN (SELECT name FROM us))
"""  # noqa: S608 - our own words
MODELS = f"""
    SELECT model, count(*) AS jobs FROM records
    WHERE scope = :scope AND {OPEN} AND intent_at > :since GROUP BY model
"""  # noqa: S608 - as above
WAITERS = """
    SELECT batch, model, since FROM waiting WHERE origin = :origin AND seen_at > :waits
    AND (project = :project OR project IN (
        SELECT owner FROM scopes WHERE origin = :origin AND project = :project AND owner <> ''
    ))
"""
NEWEST = "SELECT coalesce(max(refused_at), 0) FROM ceilings WHERE origin = :origin AND project = :project"


class RoomRows:
    """What is on record of the room of one scope's account; for a caller that is within a transaction."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def elsewhere(self, at: float) -> Elsewhere:
        """Return what the other batches have and want."""
        wanted = self._values(at)
        taken = [
            Taken(batch, model, jobs)
            for scope, batch, since in self._connection.execute(SCOPES, wanted).fetchall()
            for model, jobs in self._connection.execute(MODELS, {"scope": scope, "since": since})
        ]
        waiting = self._connection.execute(WAITERS, wanted).fetchall()
        since = [one for batch, _, one in waiting if batch == self._scope.batch]
        return Elsewhere(
            taken=taken,
            waiting=[Waiting(*row) for row in waiting if row[0] != self._scope.batch],
            since=since[0] if since else None,
        )

    def take(self, room: Room, at: float) -> None:
        """Take room for one job, by whose intent it is counted from then on.

        Raises:
            NoRoomError: there is none, or other limits hold by now.
        """
        (newest,) = self._connection.execute(
            NEWEST, {"origin": self._scope.origin, "project": self._scope.project}
        ).fetchone()
        if newest != room.learned_at:
            raise NoRoomError
        if not room.limits:
            return
        elsewhere = self.elsewhere(at)
        if not room.has_room(elsewhere):
            raise NoRoomError
        if elsewhere.since is not None:  # whoever waits has its turn before us now
            self._connection.execute(
                "UPDATE waiting SET since = ? WHERE origin = ? AND project = ? AND batch = ?",
                (at, self._scope.origin, self._scope.project, self._scope.batch),
            )

    def _values(self, at: float) -> dict[str, Any]:
        scope = self._scope
        return {
            "origin": scope.origin,
            "project": scope.project,
            "batch": scope.batch,
            "young": at - MAY_RUN_FOR,
            "alive": at - SILENT_AFTER,
            "waits": at - WAITS_FOR,
        }


class RoomRecords:
    """The same for a run that looks around; implements ``room_ports.SharedRoom``."""

    def __init__(self, connection: Connection, path: object, scope: Scope) -> None:
        self._connection = connection
        self._path = path
        self._place = (scope.origin, scope.project, scope.batch)
        self._rows = RoomRows(connection, scope)

    def elsewhere(self, *, at: float) -> Elsewhere:
        """Return what the other batches have and want; see ``SharedRoom``."""
        with explained(self._path):
            return Elsewhere() if self._connection.is_empty() else self._rows.elsewhere(at)

    def wait(self, model: str, *, at: float) -> None:
        """Say that the batch waits for room; see ``SharedRoom``."""
        with explained(self._path):
            self._connection.execute(
                "INSERT INTO waiting (origin, project, batch, model, since, seen_at) "
                "VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (origin, project, batch) DO UPDATE SET model = excluded.model, "
                # one that was silent for too long begins anew
                "since = CASE WHEN waiting.seen_at > ? THEN waiting.since ELSE excluded.since END, "
                "seen_at = excluded.seen_at",
                (*self._place, model, at, at, at - WAITS_FOR),
            )

    def rest(self) -> None:
        """Say that it waits no more; see ``SharedRoom``."""
        with explained(self._path):
            self._connection.execute(
                "DELETE FROM waiting WHERE origin = ? AND project = ? AND batch = ?", self._place
            )
