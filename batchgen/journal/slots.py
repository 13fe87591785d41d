"""What is open in the slots of a batch, and what was told of it: read without reading a year of records."""

from collections import Counter
from collections.abc import Collection, Mapping

from batchgen.journal.connection import Connection
from batchgen.journal.sqlite_errors import explained
from batchgen.lifecycle import State
from batchgen.model import JobKey, Scope

# as the partial index has it: paid for, or possibly so, and not collected
OPEN = (State.SUBMITTING, State.IN_DOUBT, State.HELD, State.RUNNING, State.SUCCEEDED)
_IS_OPEN = "state IN ('submitting', 'in_doubt', 'held', 'running', 'succeeded')"
_LATELY_BEGUN = 60  # slots: one an hour makes a day, and as many may have been missed and made up for


class SlotRecords:
    """The slots of one batch, of one origin and project."""

    def __init__(self, connection: Connection, path: object, scope: Scope) -> None:
        self._connection = connection
        self._path = path
        self._scope = scope

    def open(self) -> Mapping[str, Counter[State]]:
        """Count by slot, those begun first first, the jobs that are paid for, or may be, and not collected.

        Raises:
            JournalError: the file cannot be read.
        """
        found: dict[str, Counter[State]] = {}
        with explained(self._path):
            if self._connection.is_empty():
                return {}
            rows = self._connection.execute(
                "SELECT slot, state, COUNT(*) FROM records JOIN scopes ON scopes.id = records.scope "  # noqa: S608 - our own words
                f"WHERE {_IS_OPEN} AND (origin, project, batch) = (?, ?, ?) "
                "GROUP BY scopes.id, state ORDER BY scopes.id",
                (self._scope.origin, self._scope.project, self._scope.batch),
            )
            for slot, state, count in rows:
                found.setdefault(slot, Counter())[State(state)] = count
        return found

    def short(self, *, since: float) -> Counter[str]:
        """Count by slot the successes that lack assets and ended lately, and those whose files are to come.

        Only the slots begun last are read: what ended lately is of them.

        Args:
            since: seconds since the epoch, by our clock: what ended before is not asked again.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            if self._connection.is_empty():
                return Counter()
            rows = self._connection.execute(
                "SELECT slot, COUNT(*) FROM records JOIN scopes ON scopes.id = records.scope "
                "WHERE scopes.id IN (SELECT id FROM scopes WHERE (origin, project, batch) = (?, ?, ?) "
                "ORDER BY id DESC LIMIT ?) AND state = ? AND ("
                "COALESCE(json_array_length(fields, '$.grown'), 0) > 0 OR "
                "CAST(json_extract(fields, '$.ended_at') AS DOUBLE PRECISION) > ? AND "
                "COALESCE(CAST(json_extract(fields, '$.expected') AS INTEGER), 0) > "
                "COALESCE(json_array_length(fields, '$.asset_ids'), 0)) GROUP BY scopes.id",
                (
                    self._scope.origin,
                    self._scope.project,
                    self._scope.batch,
                    _LATELY_BEGUN,
                    State.COLLECTED,
                    since,
                ),
            )
            return Counter(dict(rows.fetchall()))

    def to_carry(self, *, since: float) -> Mapping[str, int]:
        """Return the slots that a run can do something for, each with the number of its short ones.

        Args:
            since: as for ``short``.

        Raises:
            JournalError: the file cannot be read.
        """
        short = self.short(since=since)
        return {slot: short[slot] for slot in dict.fromkeys((*self.open(), *short))}

    def bought(self) -> Counter[str]:
        """Count by slot the jobs that were bought, or may have been.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            if self._connection.is_empty():
                return Counter()
            rows = self._connection.execute(
                "SELECT slot, COUNT(*) FROM records JOIN scopes ON scopes.id = records.scope "
                "WHERE state <> ? AND (origin, project, batch) = (?, ?, ?) GROUP BY scopes.id",
                (State.PLANNED, self._scope.origin, self._scope.project, self._scope.batch),
            )
            return Counter(dict(rows.fetchall()))

    def told(self, slot: str) -> frozenset[JobKey]:
        """Return the held jobs of a slot that a run of another one has ended with a word on.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            if self._connection.is_empty():
                return frozenset()
            rows = self._connection.execute(
                "SELECT content, ordinal FROM told WHERE (origin, project, batch, slot) = (?, ?, ?, ?)",
                self._place(slot),
            )
            return frozenset(JobKey(content, ordinal) for content, ordinal in rows)

    def tell(self, slot: str, keys: Collection[JobKey]) -> None:
        """Remember that a run has ended with a word on these.

        Raises:
            JournalError: it could not be written.
        """
        with explained(self._path):
            self._connection.executemany(
                "INSERT INTO told (origin, project, batch, slot, content, ordinal) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [(*self._place(slot), *key) for key in keys],
            )

    def _place(self, slot: str) -> tuple[str, str, str, str]:
        return self._scope.origin, self._scope.project, self._scope.batch, slot
