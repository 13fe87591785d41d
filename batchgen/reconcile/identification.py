"""Asking the service who we are, by something tiny that costs nothing and names its author.

Before the first receipt a key does not know its own author, so that a row that echoes all that
was sent may still be somebody else's; and a batch of one job has no other that could be a witness.
"""

from batchgen.account import Known
from batchgen.errors import ServiceError, StoppedError
from batchgen.ledger import Ledger
from batchgen.loop_clock import loop_time
from batchgen.ports import Generator, Journal

_MOST = 20  # uploads in a run; each costs nothing, and proves what was lost before it


class Identification:
    """Asks a bounded number of times in a run, and only where the answer decides something."""

    def __init__(self, *, generator: Generator, journal: Journal, ledger: Ledger, sender: str) -> None:
        """Take the parts.

        Args:
            generator: asked.
            journal: where the answer is kept.
            ledger: for our clock, and whom to tell.
            sender: fingerprint of the key that this run uses; empty where that is not known.
        """
        self._generator = generator
        self._journal = journal
        self._ledger = ledger
        self._sender = sender
        self._refused = False
        self._wanted = False
        self._uploads: list[tuple[float, float]] = []  # the loop's clock and ours, before each

    def is_wanted_by(self, sender: str) -> bool:
        """Return whether the service is to be asked before a job by this sender can be judged."""
        if self._refused or len(self._uploads) >= _MOST:
            return False
        unknown = bool(sender) and sender == self._sender and not self._is_known(sender)
        return unknown or self._wanted

    def _is_known(self, sender: str) -> bool:
        known = self._journal.known(sender)
        return bool(known.receipts or known.uploads)

    def want(self, *, after: float) -> None:
        """Want an upload as a witness, unless there was one since a moment of the loop's clock."""
        self._wanted = self._wanted or not any(at >= after for at, _ in self._uploads)

    async def ask(self) -> None:
        """Ask; what cannot be had is done without.

        Raises:
            JournalError: the answer could not be kept.
        """
        self._wanted = False
        at = loop_time(), self._ledger.now()
        try:
            identity = await self._generator.identify()
        except StoppedError:
            self._refused = True
            return
        except ServiceError as error:
            self._ledger.observer.warned(f"asking who we are: {error}")
            return
        if identity is None:
            self._refused = True
            return
        self._uploads.append(at)
        if self._sender and identity.author:
            self._journal.learn(self._sender, Known(uploads=frozenset({identity.author})))

    def uploaded_at(self, *, after: float, skew: float) -> float | None:
        """Return the service's date of the latest upload since a moment; None where there was none.

        Args:
            after: the loop's clock.
            skew: seconds by which the service's clock is ahead of ours.
        """
        dates = [wall + skew for at, wall in self._uploads if at >= after]
        return dates[-1] if dates else None
