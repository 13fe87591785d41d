"""The changed jobs of one batch that keep what was bought before the change.

A person's word, beside the events and not of them: it moves no state and no money, and it can
be taken back.
"""

from collections.abc import Iterable, Mapping

from batchgen.journal.connection import Connection
from batchgen.journal.sqlite_errors import explained
from batchgen.model import Acceptance, JobKey, Scope


class AcceptedRecords:
    """What was accepted in one scope."""

    def __init__(self, connection: Connection, path: object, scope: Scope) -> None:
        self._connection = connection
        self._path = path
        self._place = (scope.origin, scope.project, scope.batch, scope.slot)

    def read(self) -> Mapping[Acceptance, JobKey]:
        """Return the key of the record that each changed job keeps, the latest word last.

        Raises:
            JournalError: it cannot be read.
        """
        with explained(self._path):
            if self._connection.is_empty():
                return {}
            rows = self._connection.execute(
                "SELECT job, content, bought_content, bought_ordinal FROM accepted "
                "WHERE (origin, project, batch, slot) = (?, ?, ?, ?) ORDER BY at, job",
                self._place,
            )
            return {
                Acceptance(job, content): JobKey(bought, ordinal) for job, content, bought, ordinal in rows
            }

    def keep(self, accepted: Mapping[Acceptance, JobKey], *, at: float) -> None:
        """Put some on record, all or none, on the disk itself.

        Raises:
            JournalError: the file does not take them.
        """
        with explained(self._path):
            self._write(
                "INSERT INTO accepted (origin, project, batch, slot, job, content, "
                "bought_content, bought_ordinal, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (origin, project, batch, slot, job, content) DO UPDATE SET "
                "bought_content = excluded.bought_content, bought_ordinal = excluded.bought_ordinal, "
                "at = excluded.at",
                [(*self._place, *changed, *bought, at) for changed, bought in accepted.items()],
            )

    def forget(self, accepted: Iterable[Acceptance]) -> None:
        """Take some back, all or none, on the disk itself.

        Raises:
            JournalError: the file does not take it.
        """
        with explained(self._path):
            self._write(
                "DELETE FROM accepted "
                "WHERE (origin, project, batch, slot, job, content) = (?, ?, ?, ?, ?, ?)",
                [(*self._place, *one) for one in accepted],
            )

    def _write(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        with self._connection.written(durable=True):
            self._connection.executemany(statement, rows)
