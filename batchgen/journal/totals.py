"""What is committed, summed up as it is recorded: a sum a batch and quarter of an hour.

Amounts are whole billionths of a compute unit, so that SQLite adds them exactly. Every method
is for a caller that is within a transaction.
"""

from decimal import ROUND_UP, Decimal

from batchgen.errors import OverBudgetError
from batchgen.formats import units
from batchgen.journal.connection import Connection
from batchgen.model import Scope
from batchgen.planning.budget import Allowance, Committed, Window

QUARTER = 900  # seconds: the clocks of all zones differ by whole quarters of an hour

UNIT = Decimal("1e-9")


class Totals:
    """The sums of one journal."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def add(self, scope_id: int, at: float, change: Committed) -> None:
        """Count a change, by the moment of the intent that it belongs to."""
        if change == Committed():
            return
        self._connection.execute(
            "INSERT INTO totals (scope, quarter, gross, assumed, confirmed) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (scope, quarter) DO UPDATE SET gross = totals.gross + excluded.gross, "
            "assumed = totals.assumed + excluded.assumed, confirmed = totals.confirmed + excluded.confirmed",
            (scope_id, int(at // QUARTER), *map(in_units, (change.gross, change.assumed, change.confirmed))),
        )

    def check(self, scope_id: int, allowed: Allowance, what: str) -> None:
        """Refuse what is over a cap, itself included.

        Args:
            scope_id: of the batch.
            allowed: the caps.
            what: it is, for people.

        Raises:
            OverBudgetError: names the cap, and what is committed.
        """
        for window, spent in zip(allowed.windows, self.spent(scope_id, allowed), strict=True):
            if spent > window.cap:
                raise over_cap(window, spent, what)

    def spent(self, scope_id: int, allowed: Allowance) -> tuple[Decimal, ...]:
        """Return what counts against each cap, compute units."""
        return tuple(
            self._committed(scope_id, window).net(trust_refunds=allowed.trust_refunds)
            for window in allowed.windows
        )

    def _committed(self, scope_id: int, window: Window) -> Committed:
        columns = "COALESCE(SUM(gross), 0), COALESCE(SUM(assumed), 0), COALESCE(SUM(confirmed), 0)"
        if window.since is None:
            row = self._connection.execute(
                f"SELECT {columns} FROM totals WHERE scope = ?",  # noqa: S608 - a constant
                (scope_id,),
            ).fetchone()
        else:  # a rehearsal costs nothing: each origin has its own
            row = self._connection.execute(
                f"SELECT {columns} FROM totals JOIN scopes ON scopes.id = totals.scope "  # noqa: S608 - a constant
                "WHERE origin = ? AND quarter >= ?",
                (self._scope.origin, int(window.since // QUARTER)),
            ).fetchone()
        gross, assumed, confirmed = (Decimal(one) * UNIT for one in row)
        return Committed(gross=gross, assumed=assumed, confirmed=confirmed)


def over_cap(window: Window, spent: Decimal, what: str) -> OverBudgetError:
    """Return the error that says which cap does not hold.

    Args:
        window: the cap.
        spent: what would count against it, compute units.
        what: it is that does not fit, for people.
    """
    return OverBudgetError(
        f"{what} would bring {window.name} to {units(spent)} CU, charged and reserved; "
        f"the cap is {units(window.cap)}",
        over=spent - window.cap,
    )


def in_units(amount: Decimal) -> int:
    """Return an amount in whole billionths; what is finer counts as one more."""
    return int((amount / UNIT).to_integral_value(rounding=ROUND_UP))
