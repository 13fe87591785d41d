"""That a database was waited for in vain, known to all connections of one run.

Each of them would wait as long, and each try on a network that swallows packets takes two seconds: one after
the other, they would hold the loop for a minute.
"""

import time
from typing import Final

_REST: Final = 2.0  # seconds after such a wait, in which whoever asks is told at once


class Outage:
    """What is known of it; a connection by itself has one of its own."""

    def __init__(self) -> None:
        """Know nothing."""
        self._error: Exception | None = None
        self._until = 0.0  # on the monotonic clock

    @property
    def lasts(self) -> bool:
        """Whether the database has not answered since."""
        return self._error is not None

    def began(self, error: Exception) -> None:
        """Remember that it was waited for, and did not answer."""
        self._error = error
        self._until = time.monotonic() + _REST

    def ended(self) -> None:
        """Remember that it answers."""
        self._error = None

    def recent(self) -> Exception | None:
        """Return why it did not answer a moment ago; None where it is time to ask again."""
        return self._error if time.monotonic() < self._until else None
