"""What people order a run to do while it goes on, and what the run answers.

An order is for one run, by its token, and never for the next one. Several that are given together
are taken together or withdrawn together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from batchgen.journal.connection import Connection
from batchgen.journal.sqlite_errors import explained

_READ_WITHIN = 60.0  # seconds: whoever has not read an answer by then has gone away


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderKept:
    """An order that waits to be taken.

    Attributes:
        id: its number, given to no other.
        name: what is to be done or set.
        value: to what; empty where the name says it all.
    """

    id: int
    name: str
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a run says of an order.

    Attributes:
        met: whether it is so now.
        said: a sentence for people.
    """

    met: bool
    said: str


class OrderRecords:
    """The orders of a ``journal.db``."""

    def __init__(self, connection: Connection, path: object) -> None:
        self._connection = connection
        self._path = path

    def give(self, token: str, orders: Sequence[tuple[str, str]], *, at: float) -> list[int]:
        """Order a run to do something, by name and value, and give the numbers of the orders.

        Raises:
            JournalError: it could not be written; nothing is ordered.
        """
        with explained(self._path), self._connection.written():
            rows = [
                self._connection.execute(
                    "INSERT INTO orders (run, name, value, at) VALUES (?, ?, ?, ?) RETURNING id",
                    (token, name, value, at),
                ).fetchone()
                for name, value in orders
            ]
        return [int(number) for (number,) in rows]

    def due(self, token: str) -> list[OrderKept]:
        """Return what a run was ordered and has not taken, in the order in which it was given.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            rows = self._connection.execute(
                "SELECT id, name, value FROM orders WHERE run = ? AND taken_at IS NULL ORDER BY id", (token,)
            ).fetchall()
        return [OrderKept(id=number, name=name, value=value) for number, name, value in rows]

    def take(self, answers: Mapping[int, Answer], *, at: float) -> bool:
        """Answer all of these orders; False where that cannot be now, or one of them was withdrawn.

        Raises:
            JournalError: it could not be written for another reason; none is taken.
        """
        with explained(self._path):
            try:
                with self._connection.written():
                    for number, one in answers.items():
                        self._answer(number, one, at)
            except _WithdrawnError:
                return False
            except Exception as error:
                if self._connection.is_busy(error):
                    return False
                raise
        return True

    def answers(self, numbers: Sequence[int]) -> list[Answer] | None:
        """Return what was answered to orders that were given together; None while they are not taken.

        Raises:
            JournalError: the file cannot be read.
        """
        with explained(self._path):
            rows = self._connection.execute(
                f"SELECT met, answer FROM orders WHERE id IN ({_marks(numbers)}) "  # noqa: S608 - question marks only
                "AND taken_at IS NOT NULL ORDER BY id",
                tuple(numbers),
            ).fetchall()
        return [Answer(met=bool(met), said=said) for met, said in rows] or None

    def withdraw(self, numbers: Sequence[int]) -> bool:
        """Take back orders that were given together; False where they were taken before.

        Raises:
            JournalError: it could not be written.
        """
        with explained(self._path):
            struck = self._connection.execute(
                f"DELETE FROM orders WHERE id IN ({_marks(numbers)}) AND taken_at IS NULL",  # noqa: S608 - as above
                tuple(numbers),
            ).rowcount
        return struck > 0

    def _answer(self, number: int, answer: Answer, at: float) -> None:
        taken = self._connection.execute(
            "UPDATE orders SET taken_at = ?, met = ?, answer = ? WHERE id = ? AND taken_at IS NULL",
            (at, int(answer.met), answer.said, number),
        ).rowcount
        if not taken:
            raise _WithdrawnError

    def forget(self, *, before: float) -> None:
        """Strike off what was ordered of runs that are gone, unless somebody may wait for the answer."""
        self._connection.execute(
            "DELETE FROM orders WHERE run NOT IN (SELECT token FROM runs) AND at < ?",
            (before - _READ_WITHIN,),
        )


class _WithdrawnError(Exception):
    """An order was taken back before it could be answered; it never leaves this module."""


def _marks(numbers: Sequence[int]) -> str:
    return ", ".join("?" * len(numbers))
