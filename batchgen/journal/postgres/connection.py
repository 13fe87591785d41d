"""A connection to the database that comes back by itself, as the modules of this room speak to it."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg import errors

from batchgen.errors import FencedError, InputError, JournalAwayError, JournalError
from batchgen.journal.connection import Rows, Values
from batchgen.journal.pacing import HORIZON, LONGEST_HOLD, TurnsGiven, TurnsWanted
from batchgen.journal.postgres.outage import Outage
from batchgen.journal.postgres.wire import LostError, Wire, connect, first_line, lost

T = TypeVar("T")

PATIENCE = 8.0  # seconds: a restart of the server is shorter, and for longer a run does not stand still
_PAUSE = 0.05  # seconds between two tries
_AT_EACH = 2.0  # seconds for one try of many, where an answer may be lost: the same is sent again after it
_TURNS = "SELECT wait, held, taken FROM turns(%s, %s, %s, %s, %s, %s, %s, %s)"
_LEAST = 0.1  # seconds: an answer on its way is waited for, however late it is
_IMPATIENCE = 0.5  # seconds, instead of the patience, for a server that was waited for in vain just before

# Nobody waits long for a row: a takeover must not stand behind a process that stopped in the middle of a
# block, nor behind a machine that is gone; so the server ends such a session by itself. Shorter than a try,
# so that whoever has given up does not get the row afterwards.
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_LIMITS = (
    "SELECT set_config('lock_timeout', '1500ms', true), "
    "set_config('idle_in_transaction_session_timeout', '5s', true), set_config('synchronous_commit', "
    "CASE WHEN ? THEN 'off' ELSE current_setting('synchronous_commit') END, true)"
)
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
        outage: Outage | None = None,
        declares: bool = True,
    ) -> None:
        """Name the database; nothing is opened before it is asked.

        Args:
            url: of it.
            place: the same for people.
            patience: seconds for which a server that is away is waited for.
            opened: called with each new connection before anything else; what it raises ends the try.
            outage: what others know of the same server; without it what this connection knows.
            declares: whether others are told of a server that was waited for in vain: not by who waits less
                than they would.
        """
        self._url = url
        self._place = place
        self._patience = patience
        self._opened = opened
        self._wire: Wire | None = None
        self._stood = False  # a connection, once
        self._within = False  # a transaction
        self._until: float | None = None  # when what is being done has to be over, on the monotonic clock
        self._outage = outage or Outage()
        self._declares = declares
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
        if self._outage.lasts:
            return False
        try:
            self.execute("SELECT 1")
        except JournalAwayError:
            return False
        return True

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """Let all that is done in the block take as long together as one statement may alone."""
        if self._until is not None:
            yield
            return
        patience = min(self._patience, _IMPATIENCE) if self._outage.lasts else self._patience
        self._until = time.monotonic() + patience
        try:
            yield
        finally:
            self._until = None

    def tried(self, run: Callable[[Wire], T]) -> T:
        """Do something over the connection, anew where nothing is known of it; once within a transaction.

        Raises:
            JournalAwayError: the server does not answer.
            JournalError: it will not do it.
        """
        if self._within:
            return self._once(run)
        if (away := self._outage.recent()) is not None:
            raise self._away(away)
        with self.bounded():
            while True:
                began = time.monotonic()
                try:
                    done = self._attempt(run)
                except LostError as error:
                    self._drop()
                    # the next try would take as long as this one
                    if self._left() < _PAUSE + time.monotonic() - began:
                        if self._declares:
                            self._outage.began(error)
                        raise self._away(error) from None
                    time.sleep(_PAUSE)
                else:
                    self._outage.ended()
                    return done

    def _attempt(self, run: Callable[[Wire], T]) -> T:
        wire = self._connected()
        wire.patience = max(_LEAST, min(_AT_EACH, self._left()))
        try:
            return run(wire)
        except (psycopg.Error, OSError, LostError) as error:
            raise lost(error, wire) or self.refused(error) from error

    def _once(self, run: Callable[[Wire], T]) -> T:
        if self._wire is None:
            raise self._away(LostError("the connection was lost"))
        self._wire.patience = max(_LEAST, self._left())
        try:
            return run(self._wire)
        except (psycopg.Error, OSError, LostError) as error:
            gone = lost(error, self._wire)
            if gone is not None:
                self._drop()
                raise self._away(gone) from None
            raise self.refused(error) from error

    def _left(self) -> float:
        """Return the seconds that are left for what is being done."""
        return self._patience if self._until is None else self._until - time.monotonic()

    @contextmanager
    def written(self, *, durable: bool | None = None) -> Iterator[None]:
        """Write all that happens in the block, or nothing; see ``Connection``.

        Raises:
            FencedError: another run leads the batch whose lease this is under.
            JournalAwayError: the server went away; whether all is written or nothing is not known.
        """
        self.tried(lambda wire: wire.execute(_BEGIN))
        self._within = True
        try:
            self.execute(_LIMITS, (durable is False,))
            if self._fence is not None:
                self.execute("SELECT fence(?, ?)", self._fence)
            yield
            self._commit()
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._within = False

    def _commit(self) -> None:
        done = self._once(lambda wire: wire.execute("COMMIT")).statusmessage
        if done != "COMMIT":  # the server does so without an error where a statement before has failed
            raise JournalError(f"{self._place}: nothing was written: a statement before had failed")

    def _roll_back(self) -> None:
        if self._wire is None:
            return
        try:
            self._wire.patience = _AT_EACH
            self._wire.execute("ROLLBACK")
        except (psycopg.Error, OSError, LostError):
            self._drop()  # nobody knows in what it is, and the server ends it with the connection

    def lock_caps(self, origin: str) -> None:
        """Let nobody else commit money of an origin until the transaction ends that this is called in."""
        self.execute("SELECT 1 FROM accounts WHERE origin = ? ORDER BY project FOR UPDATE", (origin,))

    def take_turns(self, origin: str, project: str, wanted: TurnsWanted) -> TurnsGiven | None:
        """Take the next turns of an account that are free, by the server's clock; see ``Connection``.

        Where an answer is lost the same is asked again: a turn that nobody has is lost, and that is all.
        """
        many, interval, submit, hold, _ = wanted
        values = (origin, project, many, interval, submit, hold, HORIZON, LONGEST_HOLD)

        def run(wire: Wire) -> TurnsGiven | None:
            try:
                found = wire.execute(_TURNS, values).fetchone()
            except errors.LockNotAvailable:
                return None
            assert found is not None  # a function that gives one row
            return TurnsGiven(*found)

        return self.tried(run)

    @contextmanager
    def events_may_move(self) -> Iterator[None]:
        """Let events get another scope in the block, within a transaction; see ``Connection``.

        The trigger itself lets them pass: to switch it off would lock the table for all batches, and only the
        owner of the table may.
        """
        self.execute("SELECT set_config('batchgen.events_may_move', 'on', true)")
        yield
        self.execute("SELECT set_config('batchgen.events_may_move', '', true)")

    def is_busy(self, error: Exception) -> bool:
        """Return whether an error says no more than that it cannot be written at this moment."""
        return isinstance(error, JournalAwayError)

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

    def _connected(self) -> Wire:
        if self._wire is None or self._wire.closed:
            self._drop()
            if self._left() <= 0:
                raise LostError("the connection was lost")
            try:
                wire = connect(self._url, patience=max(_LEAST, min(_AT_EACH, self._left())))
            except InputError as error:
                raise self._unfit(error) from error
            self._wire = wire
            if self._opened is not None:
                self._within = True  # what is asked now belongs to the opening: it is not tried by itself
                try:
                    self._opened(self)
                except JournalAwayError as error:
                    raise LostError(str(error)) from error
                except InputError as error:
                    self._drop()
                    raise LostError(str(error)) if self._stood else error from error
                except BaseException:
                    self._drop()
                    raise
                finally:
                    self._within = False
            self._stood = True
        return self._wire

    def _unfit(self, error: InputError) -> Exception:
        """Return what a server means that will not have us: for now, where one had us before.

        A failover may lead to a standby for a moment, and a restore to a database that is not there yet.
        """
        return LostError(str(error)) if self._stood else InputError(f"{self._place}: {error}")

    def _drop(self) -> None:
        if self._wire is not None:
            with suppress(psycopg.Error, OSError):
                self._wire.close()
        self._wire = None

    def _away(self, error: Exception) -> JournalAwayError:
        return JournalAwayError(f"{self._place}: the database does not answer ({error})")


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
