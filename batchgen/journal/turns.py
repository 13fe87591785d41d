"""The turns of an account: one row hands them out to all of its runs, one after the other.

It is asked over the connection of a run that waits for nobody. A request costs one statement, many requests a
second one for several of them; what is not used when it comes is lost, so that nobody can save turns up.
"""

from collections.abc import Callable
from contextlib import suppress

from batchgen.errors import JournalAwayError, JournalError
from batchgen.gate_ports import Turn
from batchgen.journal.connection import Connection
from batchgen.journal.pacing import TurnsGiven, TurnsWanted
from batchgen.journal.sqlite_errors import explained
from batchgen.model import Scope

_AT_ONCE = 0.05  # seconds of turns that are taken with one statement
_AWAY_FOR = (
    1.0  # seconds until a database that did not answer is asked again: the loop stands still meanwhile
)
_DUST = 1e-6  # seconds: what floats of today's date cannot tell apart


class AccountPace:
    """The turns of one account; implements ``ports.Pace``."""

    def __init__(
        self, connection: Connection, path: object, scope: Scope, *, now: Callable[[], float]
    ) -> None:
        """Speak of the account of a scope.

        Args:
            connection: which waits for nobody.
            path: of the journal, for people.
            scope: whose origin and project it is.
            now: gives the seconds since the epoch.
        """
        self._connection = connection
        self._path = path
        self._account = scope.origin, scope.project
        self._now = now
        self._interval = 0.0  # of the turns that are left
        self._next = 0.0  # when the first of them comes
        self._left = 0
        self._held_until = 0.0  # as far as it was heard
        self._unsaid_until = 0.0  # the same that the row does not say yet
        self._away_until = 0.0

    def turn(self, interval: float, *, submit: bool) -> Turn | None:
        """Take the next turn that is free; see ``Pace``.

        Raises:
            JournalError: the journal is at fault.
        """
        now = self._now()
        self._forget_missed(now, interval)
        held = self._held_until - now
        if self._left and submit and held > 0:
            return Turn(wait=held, held=held, taken=False)
        if not self._left:
            many = max(1, int(_AT_ONCE / interval))
            found = self._ask(now, many, interval, submit=submit)
            if found is None or not found.taken:
                return None if found is None else Turn(*found)
            self._interval, self._next, self._left = interval, now + found.wait, many
            held = found.held
        turn = Turn(wait=max(0.0, self._next - now), held=held, taken=True)
        self._left -= 1
        self._next += self._interval
        return turn

    def held(self) -> float:
        """Return the seconds for which nobody may submit, as far as it is known; see ``Pace``."""
        now = self._now()
        with suppress(JournalError):  # whoever takes a turn hears of it
            self._ask(now, 0, 0.0, submit=False)
        return max(0.0, self._held_until - now)

    def hold(self, seconds: float) -> None:
        """Let nobody of the account submit for so long; what cannot be said now is said with a turn."""
        self._unsaid_until = max(self._unsaid_until, self._now() + seconds)
        self.held()

    def _forget_missed(self, now: float, interval: float) -> None:
        """Lose the turns that have passed, and those of another rate."""
        while self._left and (self._next < now - _DUST or self._interval != interval):
            self._left -= 1
            self._next += self._interval

    def _ask(self, now: float, many: int, interval: float, *, submit: bool) -> TurnsGiven | None:
        if now < self._away_until:
            return None
        hold = max(0.0, self._unsaid_until - now)
        wanted = TurnsWanted(many, interval, submit, hold, now)
        try:
            with explained(self._path):
                found = self._connection.take_turns(*self._account, wanted)
        except JournalAwayError:
            self._away_until = now + _AWAY_FOR
            return None
        if found is not None:
            self._unsaid_until = 0.0
            self._held_until = now + found.held
        return found
