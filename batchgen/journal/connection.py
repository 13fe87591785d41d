"""What the tables of a journal are spoken to over: one text of SQL, to a file or to a database.

Statements keep to what SQLite and PostgreSQL both understand. What they do not have in common is behind a
method here, or is done by each in its own module.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from batchgen.journal.pacing import TurnsGiven, TurnsWanted

Values = Sequence[Any] | Mapping[str, Any]


class Rows(Protocol):
    """What a statement found, to be read once."""

    @property
    def rowcount(self) -> int:
        """How many rows a statement has changed."""
        ...

    def fetchone(self) -> Any:
        """Return the next row; None behind the last one."""
        ...

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Go through the rows that are left."""
        ...


class Connection(Protocol):
    """A connection to the tables of a journal.

    What it raises beside ``JournalError`` is for ``explained``.
    """

    def execute(self, statement: str, values: Values = ..., /) -> Rows:
        """Do one statement; its places are ``?``, or ``:name`` where the values have names."""
        ...

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> object:
        """Do one statement for each row of values."""
        ...

    def written(self, *, durable: bool | None = None) -> AbstractContextManager[None]:
        """Write all that happens in the block, or nothing.

        Args:
            durable: whether it must be on the disk itself when the block has ended, or only outlive this
                process; None where the connection was told before, or nothing hangs on it.
        """
        ...

    def lock_caps(self, origin: str) -> None:
        """Let nobody else commit money of an origin until the transaction ends that this is called in."""
        ...

    def take_turns(self, origin: str, project: str, wanted: TurnsWanted) -> TurnsGiven | None:
        """Take the next turns of an account that are free.

        Returns:
            What is given; None where another one has the row at this moment.
        """
        ...

    def events_may_move(self) -> AbstractContextManager[None]:
        """Let events get another scope in the block, within a transaction: when two names are joined."""
        ...

    def is_busy(self, error: Exception) -> bool:
        """Return whether an error says no more than that another process is writing at this moment."""
        ...

    def wait_at_most(self, milliseconds: int) -> None:
        """Wait no longer for other processes, from now on."""
        ...

    def changes(self) -> object:
        """Return a value that is another one when another connection may have written."""
        ...

    def is_empty(self) -> bool:
        """Return whether the tables are not there yet: a reader may come before the first writer."""
        ...

    def has(self, table: str) -> bool:
        """Return whether there is such a table: a journal may be older than it."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class CommitsOf(Protocol):
    """How the changes of a batch are committed."""

    def transaction(self, *, durable: bool, may_wait: bool = False) -> AbstractContextManager[None]:
        """Write all that happens in the block, or nothing.

        Args:
            durable: whether it must be on the disk itself; otherwise it outlives this process.
            may_wait: whether ``durable``, called after it, is soon enough for that.

        Raises:
            JournalError: it cannot be had on the disk itself.
        """
        ...

    async def durable(self) -> None:
        """Return when all that was committed before is on the disk itself; see ``ports.Journal``."""
        ...

    def check_place(self) -> None:
        """Refuse to go on in a journal that nobody will find again.

        Raises:
            JournalError: it was removed or replaced while it was open.
        """
        ...

    def shorten_log(self) -> None:
        """Do what has to be done from time to time, when nothing waits."""
        ...


class Opener(Protocol):
    """Opens a journal for a statement or two, where there is one; it is never made."""

    def __call__(self, how: str, /) -> AbstractContextManager[Connection | None]:
        """Open it for as long as a block lasts.

        Args:
            how: ``ro`` to read, ``rw`` to write.

        Returns:
            A connection; None where no writer has made the tables yet.

        Raises:
            JournalError: it is damaged or newer, or a statement in the block fails.
        """
        ...
