"""What is kept for jobs that are not bought yet, because the first steps of their chains were.

A row a job, which counts in the totals as what a body holds does, at the moment for which it was made.
Every method but ``read`` is for a caller that is within a transaction.
"""

from collections.abc import Iterable, Mapping

from batchgen.journal.connection import Connection
from batchgen.journal.totals import UNIT, Totals, in_units
from batchgen.model import JobKey, Scope
from batchgen.planning.budget import Committed, Reservation


class ReservationRows:
    """The reservations of one journal file."""

    def __init__(self, connection: Connection, totals: Totals) -> None:
        self._connection = connection
        self._totals = totals

    def read(self, scope_id: int) -> dict[JobKey, Reservation]:
        """Return those of a scope, by whom they are for; of a journal that is older than they are, none."""
        if not self._connection.has("reservations"):
            return {}
        rows = self._connection.execute(
            "SELECT content, ordinal, amount, at, parent_content, parent_ordinal FROM reservations "
            "WHERE scope = ? ORDER BY at, content, ordinal",
            (scope_id,),
        )
        return {
            JobKey(content, ordinal): Reservation(amount * UNIT, at, JobKey(parent, which))
            for content, ordinal, amount, at, parent, which in rows
        }

    def make(self, scope_id: int, wanted: Mapping[JobKey, Reservation]) -> dict[JobKey, Reservation]:
        """Add those that are not there yet, and return them; a job that has one keeps it as it is."""
        made = {}
        for key, one in wanted.items():
            amount = in_units(one.amount)
            found = self._connection.execute(
                "INSERT INTO reservations "
                "(scope, content, ordinal, amount, at, parent_content, parent_ordinal) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1",
                (scope_id, *key, amount, one.at, *one.parent),
            ).fetchone()
            if found is not None:
                made[key] = one._replace(amount=amount * UNIT)
        self._count(scope_id, ((one.at, in_units(one.amount)) for one in made.values()))
        return made

    def drop(self, scope_id: int, keys: Iterable[JobKey]) -> None:
        """Take some away; it is nothing to have none."""
        gone = []
        for key in keys:
            gone += self._connection.execute(
                "DELETE FROM reservations WHERE (scope, content, ordinal) = (?, ?, ?) RETURNING at, amount",
                (scope_id, *key),
            ).fetchall()
        self._count(scope_id, ((at, -amount) for at, amount in gone))

    def drop_all(self, scope_id: int) -> None:
        """Take all of a scope away."""
        gone = self._connection.execute(
            "DELETE FROM reservations WHERE scope = ? RETURNING at, amount", (scope_id,)
        ).fetchall()
        self._count(scope_id, ((at, -amount) for at, amount in gone))

    def _count(self, scope_id: int, changes: Iterable[tuple[float, int]]) -> None:
        sums: dict[float, int] = {}
        for at, amount in changes:
            sums[at] = sums.get(at, 0) + amount
        for at, amount in sums.items():
            self._totals.add(scope_id, at, Committed(gross=amount * UNIT, reserved=amount * UNIT))


def drop_of_batch(connection: Connection, batch: str) -> None:
    """Take all away of every scope of a batch: what a run that was killed has left."""
    scopes = connection.execute(
        "SELECT DISTINCT id, origin, project, slot FROM scopes JOIN reservations ON scope = scopes.id "
        "WHERE batch = ?",
        (batch,),
    ).fetchall()
    for number, origin, project, slot in scopes:
        scope = Scope(origin=origin, project=project, batch=batch, slot=slot)
        ReservationRows(connection, Totals(connection, scope)).drop_all(number)
