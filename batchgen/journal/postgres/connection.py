"""A connection to the database that comes back by itself, as the modules of this room speak to it."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, TypeVar

import psycopg

from batchgen.errors import FencedError, InputError, JournalAwayError, JournalError
from batchgen.journal.connection import Rows, Values
from batchgen.journal.postgres.wire import LostError, Wire, connect, first_line, lost

T = TypeVar("T")

PATIENCE = 8.0  # seconds: a restart of the server is shorter, and for longer a run does not stand still
_PAUSE = 0.05  # seconds between two tries
_AT_EACH = 2.0  # seconds for one try of many, where an answer may be lost: the same is sent again after it
_PLACES = re.compile(r"\?|%|(?<!:):([a-z_]+)\b")


class PostgresConnection:
    """A connection to one database; implements ``Connection``.

    A statement by itself is sent again on a new connection, for so long, when nothing is known of it: each of
    this room can be, for what it writes is written once. Within a block of ``written`` the block fails.
    """

    def __init__(
        self,
        url: str,
        *,
        place: str,
        patience: float = PATIENCE,
        opened: Callable[["PostgresConnection"], None] | None = None,
    ) -> None:
        """Name the database; nothing is opened before it is asked.

        Args:
            url: of it.
            place: the same for people.
            patience: seconds for which a server that is away is waited for.
            opened: called with each new connection before anything else; what it raises ends the try.
        """
        self._url = url
        self._place = place
        self._patience = patience
        self._opened = opened
        self._wire: Wire | None = None
        self._within = False  # a transaction
        self._fence: tuple[str, int] | None = None

    def fence(self, batch: str, epoch: int) -> None:
        """Let every block of ``written`` be refused from the moment on when another one leads a batch."""
        self._fence = batch, epoch

    def execute(self, statement: str, values: Values = (), /) -> Rows:
        """Do one statement; see ``Connection``.

        Raises:
            JournalAwayError: the server does not answer.
            JournalError: it will not do it.
        """
        text, given = _translated(statement), _given(values)
        return self.tried(lambda wire: wire.execute(text, given))

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> None:
        """Do one statement for each row of values."""
        text, many = _translated(statement), list(rows)
        if not many:
            return

        def run(wire: Wire) -> None:
            with wire.cursor() as cursor:
                cursor.executemany(text, many)

        if self._within:
            self.tried(run)
            return
        with self.written():
            self.tried(run)

    def execute_script(self, statements: str) -> None:
        """Do several statements in one text, without values: what makes the tables."""
        self.tried(lambda wire: wire.execute(statements))

    def answers(self) -> bool:
        """Return whether the server answers within the patience of this connection."""
        try:
            self.execute("SELECT 1")
        except JournalAwayError:
            return False
        return True

    def tried(self, run: Callable[[Wire], T]) -> T:
        """Do something over the connection, anew where nothing is known of it; once within a transaction.

        Raises:
            JournalAwayError: the server does not answer.
            JournalError: it will not do it.
        """
        if self._within:
            return self._once(run)
        until = time.monotonic() + self._patience
        while True:
            try:
                return self._attempt(run, until)
            except LostError as error:
                self._drop()
                if time.monotonic() + _PAUSE >= until:
                    raise self._away(error) from None
                time.sleep(_PAUSE)

    def _attempt(self, run: Callable[[Wire], T], until: float) -> T:
        wire = self._connected(until)
        wire.patience = max(0.1, min(_AT_EACH, until - time.monotonic()))
        try:
            return run(wire)
        except (psycopg.Error, OSError, LostError) as error:
            raise lost(error, wire) or self.refused(error) from error

    def _once(self, run: Callable[[Wire], T]) -> T:
        if self._wire is None:
            raise self._away(LostError("the connection was lost"))
        try:
            return run(self._wire)
        except (psycopg.Error, OSError, LostError) as error:
            gone = lost(error, self._wire)
            if gone is not None:
                self._drop()
                raise self._away(gone) from None
            raise self.refused(error) from error

    @contextmanager
    def written(self, *, durable: bool | None = None) -> Iterator[None]:
        """Write all that happens in the block, or nothing; see ``Connection``.

        Raises:
            FencedError: another run leads the batch whose lease this is under.
            JournalAwayError: the server went away; whether all is written or nothing is not known.
        """
        self.tried(lambda wire: wire.execute("BEGIN"))
        self._within = True
        try:
            self.execute(
                "SELECT set_config('lock_timeout', '3s', true), set_config('synchronous_commit', "
                "CASE WHEN ? THEN 'off' ELSE current_setting('synchronous_commit') END, true)",
                (durable is False,),
            )
            if self._fence is not None:
                self.execute("SELECT fence(?, ?)", self._fence)
            yield
            self.execute("COMMIT")
        except BaseException:
            if self._wire is not None:
                with suppress(psycopg.Error, OSError, LostError):
                    self._wire.execute("ROLLBACK")
            raise
        finally:
            self._within = False

    def lock_caps(self, origin: str) -> None:
        """Let nobody else commit money of an origin until the transaction ends that this is called in."""
        self.execute("SELECT 1 FROM accounts WHERE origin = ? ORDER BY project FOR UPDATE", (origin,))

    @contextmanager
    def events_may_move(self) -> Iterator[None]:
        """Let events get another scope in the block, within a transaction; see ``Connection``."""
        self.execute("ALTER TABLE events DISABLE TRIGGER events_stay")
        yield
        self.execute("ALTER TABLE events ENABLE TRIGGER events_stay")

    def is_busy(self, error: Exception) -> bool:  # noqa: ARG002 - a server has room for many
        """Return whether an error says no more than that another process is writing at this moment."""
        return False

    def wait_at_most(self, milliseconds: int) -> None:
        """Wait no longer for the server than this, but half a second, from now on."""
        self._patience = max(0.5, milliseconds / 1000)

    def changes(self) -> object:
        """Return a value that is another one each second: what others have written is asked for then."""
        return int(time.monotonic())

    def is_empty(self) -> bool:
        """Return False: a database without the tables is refused when it is opened."""
        return False

    def has(self, table: str) -> bool:  # noqa: ARG002 - as above
        """Return True: a database with other tables is refused when it is opened."""
        return True

    def close(self) -> None:
        """Let go of it."""
        self._drop()

    def refused(self, error: BaseException) -> JournalError:
        """Return what the server said as an error of ours."""
        state = getattr(error, "sqlstate", None)
        text = first_line(error)
        match state:
            case "BG001":
                return FencedError(f"{self._place}: another run leads this batch now")
            case "BG002":
                return JournalError(f"{self._place}: another process has written to this batch meanwhile")
            case "42P01" | "42883":
                return JournalError(
                    f"{self._place}: has no tables of batchgen ({text}); make them: batchgen journal init"
                )
            case "25006":
                return JournalError(f"{self._place}: cannot be written (a standby, or read-only)")
            case "42501":
                return JournalError(f"{self._place}: this user may not do that ({text})")
            case "53100":
                return JournalError(f"{self._place}: the server's disk is full; free some space and go on")
            case _:
                return JournalError(f"{self._place}: {text}")

    def _connected(self, until: float) -> Wire:
        if self._wire is None or self._wire.closed:
            self._drop()
            try:
                wire = connect(self._url, patience=max(0.1, min(_AT_EACH, until - time.monotonic())))
            except InputError as error:
                raise InputError(f"{self._place}: {error}") from error
            self._wire = wire
            if self._opened is not None:
                self._within = True  # what is asked now belongs to the opening: it is not tried by itself
                try:
                    self._opened(self)
                except JournalAwayError as error:
                    raise LostError(str(error)) from error
                except BaseException:
                    self._drop()
                    raise
                finally:
                    self._within = False
        return self._wire

    def _drop(self) -> None:
        if self._wire is not None:
            with suppress(psycopg.Error, OSError):
                self._wire.close()
        self._wire = None

    def _away(self, error: Exception) -> JournalAwayError:
        return JournalAwayError(
            f"{self._place}: the database does not answer ({error}); the same command goes on"
        )


@lru_cache(maxsize=512)
def _translated(statement: str) -> str:
    """Return a statement with the library's places for values: ``?`` and ``:name`` become its own."""

    def place(found: re.Match[str]) -> str:
        if found[0] == "%":
            return "%%"
        return "%s" if found[1] is None else f"%({found[1]})s"

    return _PLACES.sub(place, statement)


def _given(values: Values) -> Values:
    return values if isinstance(values, Mapping) else tuple(values)
