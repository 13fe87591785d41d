"""The right to lead a batch, and what is heard from those who had it before: the part of ports about that.

Where a lock of the kernel's is the right to lead, it lasts as long as its process, and nobody is taken over
who is alive. Both are here too, as they do nothing.
"""

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from batchgen.lifecycle import Event
from batchgen.model import JobKey


class Lease(Protocol):
    """The right to lead a batch, and to buy for it; it may end at any time. No method waits for anything."""

    def left(self) -> float:
        """Return the seconds for which the right to buy surely lasts: ``math.inf`` or, once lost, 0 or less.

        By a clock that goes on while the machine sleeps, counted from before the lease was asked for.
        """
        ...

    def silent_since(self) -> float | None:
        """Return since when nothing is heard of a leader before us that may be alive; None if there is none.

        A stamp: until then it led, and it has neither ended, nor testified, nor is it known to be dead.
        """
        ...


class LifelongLease:
    """A lease for as long as the process lives, such as a lock of the kernel's: nobody can take it over."""

    def left(self) -> float:
        """Return that it lasts for ever; see ``Lease``."""
        return math.inf

    def silent_since(self) -> float | None:
        """Return that there is nobody: whoever had it before is dead; see ``Lease``."""
        return None


class Testimony(NamedTuple):
    """What a run that was taken over says of one of its POSTs.

    Attributes:
        number: by which it is called heard.
        key: the job's.
        event: a receipt (``Accepted``) behind its intent (``SubmitStarted``), or that it never left
            (``NotSent``); its ``at`` is the intent's.
    """

    number: int
    key: JobKey
    event: Event


class Testifies(Protocol):
    """What runs that were taken over say of their POSTs, and who leads hears."""

    def testify(self, key: JobKey, *events: Event) -> None:
        """Say what became of a POST, whoever leads the batch now: its leader hears it.

        It refuses nothing, and to say the same twice is to say it once. Where nobody can be taken over it
        does nothing.

        Args:
            key: the job's.
            events: a receipt, or that the POST never left. The ``at`` of each is that of the intent, by which
                the leader knows which POST is meant: a job may have been sent again since.

        Raises:
            JournalError: it could not be kept anywhere.
        """
        ...

    def testimony(self) -> Sequence[Testimony]:
        """Return what was said and not heard yet, oldest first; cheap to ask.

        Raises:
            JournalError: it cannot be read.
        """
        ...

    def heard(self, numbers: Collection[int]) -> None:
        """Remember that these were heard: what follows from them is on record.

        Raises:
            JournalError: it could not be written.
        """
        ...


class NoTestimony:
    """The testimony where nobody is taken over who is alive: none."""

    def testify(self, key: JobKey, *events: Event) -> None:
        """Do nothing; see ``Testifies``."""

    def testimony(self) -> Sequence[Testimony]:
        """Return nothing; see ``Testifies``."""
        return ()

    def heard(self, numbers: Collection[int]) -> None:
        """Do nothing; see ``Testifies``."""
