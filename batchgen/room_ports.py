"""What the batches of an account tell each other of the room at the service: the part of ports about that."""

from typing import Protocol

from batchgen.planning.room import Elsewhere


class SharedRoom(Protocol):
    """Knows what the other batches of an account have in flight, and which of them wait.

    An intent is held against the same when it is recorded; this is what a run goes by until then.
    """

    def elsewhere(self, *, at: float) -> Elsewhere:
        """Return what the others have and want.

        Args:
            at: now, seconds since the epoch.

        Raises:
            JournalError: it cannot be read.
        """
        ...

    def wait(self, model: str, *, at: float) -> None:
        """Say that our own batch waits for room; said again from time to time, for it is soon forgotten.

        Args:
            model: of a job that waits.
            at: now, seconds since the epoch.

        Raises:
            JournalError: it could not be written.
        """
        ...

    def rest(self) -> None:
        """Say that it waits no more.

        Raises:
            JournalError: it could not be written.
        """
        ...
