"""What the other batches of the account have at the service and want there, as a run saw it last.

A run looks when there is no room for it, once a second at most, and says then that it waits. While it has
room it asks nobody: its intents are held against the same as it really is.
"""

from collections.abc import Callable

from batchgen.loop_clock import loop_time
from batchgen.planning.room import Elsewhere, Limit
from batchgen.ports import Clock, SharedRoom

LOOK_EVERY = 1.0  # seconds


class Sharing:
    """The room that a run shares with others; with nobody where it was told of none.

    Attributes:
        elsewhere: what they have and want.
        lacking: the model of a job that was kept from leaving because of them; empty for none.
    """

    def __init__(self, room: SharedRoom | None, clock: Clock | None) -> None:
        """Look for the first time.

        Args:
            room: knows the others; None where there are none.
            clock: the wall's, for stamps; there is one where there is a room.

        Raises:
            JournalError: it cannot be read.
        """
        self._room = room
        self._clock = clock
        self._waits = False  # as far as others were told
        self._refused = False  # an intent, and nothing has changed since
        self._next_look = 0.0
        self.lacking = ""
        self.elsewhere = Elsewhere()
        if room is not None:
            self.look()

    @property
    def is_shared(self) -> bool:
        """Whether there may be others."""
        return self._room is not None

    def look(self) -> None:
        """See what they have and want.

        Raises:
            JournalError: it cannot be read.
        """
        if self._room is not None and self._clock is not None:
            self.elsewhere = self._room.elsewhere(at=self._clock.now())
            self._refused = False

    def was_refused(self, model: str) -> None:
        """Learn that there was no room for a job, whatever was known: look, and wait for a change."""
        self.look()
        self.lacking, self._refused = model, True

    def one_ended(self) -> None:
        """Learn that a job of ours ended: there may be room."""
        self._refused = False

    def has_room(self, model: str, limits: list[Limit]) -> bool:
        """Return whether there is room for one more job of a model beside theirs."""
        if not self._refused and all(one.has_room(self.elsewhere) for one in limits):
            return True
        if self._refused or self.elsewhere.taken or self.elsewhere.waiting:
            self.lacking = model
        return False

    def look_around(self, see: Callable[[], None]) -> bool:
        """Say that we wait, and look, if room was lacking because of others and the last look was long ago.

        Args:
            see: looks, and learns what they were taught.

        Returns:
            Whether it has looked; False where nobody is waited for.

        Raises:
            JournalError: it could not be read or written.
        """
        model, self.lacking = self.lacking, ""
        if not model or self._room is None or self._clock is None or loop_time() < self._next_look:
            return False
        self._next_look = loop_time() + LOOK_EVERY
        self._room.wait(model, at=self._clock.now())
        self._waits = True
        see()
        return True

    def rest(self) -> None:
        """Say that we wait no more, if we said that we did.

        Raises:
            JournalError: it could not be written; it is soon forgotten.
        """
        if self._waits and self._room is not None:
            self._waits = False
            self._room.rest()
