"""What the service said that jobs cost: by price class, for every batch of an origin and project.

Beside the events, not of them: a price is asked again when it is old, and what is lost here costs
one free question. A file is never made for it.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal

from batchgen.journal.connection import Opener
from batchgen.planning.pricing import Price

_NAMES_A_QUERY = 500


class QuoteRecords:
    """The quotes of one origin and project in a ``journal.db``, which may not be there yet."""

    def __init__(self, existing: Opener, *, origin: str, project: str) -> None:
        """Name the place; nothing is opened before it is asked."""
        self._existing = existing
        self._place = (origin, project)

    def find(self, names: Collection[str], *, since: float) -> Mapping[str, Price]:
        """Return the prices of the classes that were asked about since then; the others are left out.

        Raises:
            JournalError: the file cannot be read.
        """
        wanted, found = list(names), dict[str, Price]()
        with self._existing("ro") as connection:
            if connection is None:
                return found
            for start in range(0, len(wanted), _NAMES_A_QUERY):
                some = wanted[start : start + _NAMES_A_QUERY]
                marks = ", ".join("?" * len(some))
                rows = connection.execute(
                    "SELECT class, low, high FROM quotes "  # noqa: S608 - question marks only
                    f"WHERE origin = ? AND project = ? AND at >= ? AND class IN ({marks})",
                    (*self._place, since, *some),
                )
                found.update({name: Price(low=_amount(low), high=_amount(high)) for name, low, high in rows})
        return found

    def keep(self, prices: Mapping[str, Price], *, at: float) -> None:
        """Put prices on record, in place of what was there of their classes.

        Raises:
            JournalError: the file does not take them.
        """
        with self._existing("rw") as connection:
            if connection is None:
                return
            with connection.written(durable=False):  # a power cut costs a question at most
                connection.executemany(
                    "INSERT INTO quotes (origin, project, class, low, high, at) VALUES (?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT (origin, project, class) DO UPDATE SET "
                    "low = excluded.low, high = excluded.high, at = excluded.at",
                    [(*self._place, name, str(one.low), str(one.high), at) for name, one in prices.items()],
                )


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError as error:
        raise ValueError(text) from error
