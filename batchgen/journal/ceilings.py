"""What refusals have taught of the service's limits, for every batch of an origin and project.

Beside the events, not of them: what is lost here costs one refusal, which is free.
"""

import json

from batchgen.journal.connection import Connection
from batchgen.journal.sqlite_errors import explained
from batchgen.model import KeptCeiling, Scope


class CeilingRecords:
    """The limits of one origin and project; implements ``ports.CeilingMemory``."""

    def __init__(self, connection: Connection, path: object, scope: Scope) -> None:
        self._connection = connection
        self._path = path
        self._place = (scope.origin, scope.project)

    def ceilings(self) -> list[KeptCeiling]:
        """Return what is kept.

        Raises:
            JournalError: it cannot be read.
        """
        with explained(self._path):
            if self._connection.is_empty():
                return []
            rows = self._connection.execute(
                "SELECT action, models, ceiling, told, refused_at, quiet FROM ceilings "
                "WHERE origin = ? AND project = ? ORDER BY action",
                self._place,
            ).fetchall()
            return [_kept(*row) for row in rows]

    def keep_ceiling(self, kept: KeptCeiling) -> None:
        """Keep one, in place of what was kept of the same limit; of two, what was learned later stays.

        Raises:
            JournalError: it could not be written.
        """
        with explained(self._path):
            self._connection.execute(
                "INSERT INTO ceilings "
                "(origin, project, action, models, ceiling, told, refused_at, quiet) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (origin, project, action) DO UPDATE SET "
                "models = excluded.models, ceiling = excluded.ceiling, told = excluded.told, "
                "refused_at = excluded.refused_at, quiet = excluded.quiet "
                "WHERE ceilings.refused_at <= excluded.refused_at",
                (
                    *self._place,
                    kept.action,
                    json.dumps(kept.models),
                    kept.limit,
                    kept.told,
                    kept.refused_at,
                    kept.quiet,
                ),
            )


def _kept(
    action: str, models: str, limit: int, told: int | None, refused_at: float, quiet: float
) -> KeptCeiling:
    return KeptCeiling(
        action=action,
        models=tuple(json.loads(models)),
        limit=limit,
        told=told,
        refused_at=refused_at,
        quiet=quiet,
    )
