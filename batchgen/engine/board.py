"""Who is open in a run, what stops it, and whether it has ended: the only place that says so."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from batchgen.engine.limits.flow import Flow
from batchgen.engine.outcome import StopState
from batchgen.errors import BatchgenError
from batchgen.model import JobKey
from batchgen.reconcile.neighbours import Neighbours


class Waits(Protocol):
    """The jobs that wait to be bought, as far as the end of a run depends on them."""

    def __len__(self) -> int:
        """Count the jobs that may still be submitted."""
        ...

    @property
    def unlisted(self) -> str:
        """Why the last look before buying failed; empty if it did not."""
        ...

    @property
    def has_room(self) -> bool:
        """Whether there is room for one of them."""
        ...

    @property
    def has_blocked(self) -> bool:
        """Whether some stepped aside for a job in doubt."""
        ...

    @property
    def budget_exhausted(self) -> bool:
        """Whether nothing may be bought until money is free."""
        ...

    def wake(self) -> None:
        """Look again: something has changed."""
        ...


class Board:
    """The open jobs of one run."""

    def __init__(
        self, *, flow: Flow, neighbours: Neighbours | None, most_failures: int | None, last_moment: float
    ) -> None:
        """Begin with none; the run cannot end before ``begin``.

        Args:
            flow: whether the service can be reached, and whether there is room.
            neighbours: whose doubts may still be settled; None where there are no others.
            most_failures: after so many failures no further job is bought; None for any number.
            last_moment: seconds that submits have which are under way when the run is to be left at once.
        """
        self.stops = StopState()
        self.ended = asyncio.Event()
        self.quiet = asyncio.Event()  # nothing is under way any more but files that were tried in vain
        self.last_moment = last_moment
        self._flow = flow
        self._neighbours = neighbours
        self._most_failures = most_failures
        self._waits: Waits | None = None
        self._open: set[JobKey] = set()
        self._lingering: set[JobKey] = set()  # of these, those whose files were tried in vain

    @property
    def has_begun(self) -> bool:
        """Whether every job of the plan has been routed once."""
        return self._waits is not None

    @property
    def submitting(self) -> bool:
        """Whether further jobs may leave."""
        return self.stops.submitting

    def begin(self, waits: Waits) -> None:
        """Learn that every job was routed once: from now on the run may end."""
        self._waits = waits
        self.look()

    def open(self, keys: Iterable[JobKey]) -> None:
        """Count these as under way."""
        opened = tuple(keys)
        self._open.update(opened)
        self._lingering.difference_update(opened)
        if len(self._open) > len(self._lingering):
            self.quiet.clear()

    def linger(self, key: JobKey) -> None:
        """Count a job as one that waits for nothing but its files, which were tried in vain."""
        if key in self._open:
            self._lingering.add(key)
            self.look()

    def close(self, key: JobKey) -> None:
        """Count a job as under way no longer."""
        self._open.discard(key)
        self._lingering.discard(key)
        self.look()

    def out_of_sight(self, key: JobKey) -> None:
        """Remember a job that is paid for and has outlasted its timeout."""
        self.stops.out_of_sight.add(key)

    def is_out_of_sight(self, key: JobKey) -> bool:
        """Return whether a job has outlasted its timeout: it still runs at the service."""
        return key in self.stops.out_of_sight

    def failed(self) -> None:
        """Count a job that failed in this run; too many stop it in order."""
        self.stops.failures += self.has_begun
        if self.stops.has_too_many_failures(self._most_failures):
            self.stop()

    def look_at_reach(self) -> None:
        """Buy no more where the service could not be reached for too long."""
        if self._flow.unreachable:
            self.stops.unreachable = True
            self.stops.unlisted = self._waits.unlisted if self._waits is not None else ""
            self.stop()

    def stop(self) -> None:
        """Buy no more, and end when nothing is open."""
        self.stops.submitting = False
        if self._waits is not None:
            self._waits.wake()
        self.look()

    def stop_for(self, cause: BatchgenError) -> None:
        """Buy no more for this reason."""
        self.stops.stop_for(cause)
        self.stop()

    def end(self) -> None:
        """Buy no more, and end now; what is open is left to the next run."""
        self.stop()
        self.ended.set()

    def look(self) -> None:
        """Find out whether the run has ended; ``ended`` is set if it has, ``quiet`` if but for late files."""
        waits, neighbours = self._waits, self._neighbours
        if waits is None or len(self._open) > len(self._lingering):
            self.quiet.clear()
            return
        awaited = self.submitting and neighbours is not None and neighbours.is_busy
        if awaited and waits.has_blocked:
            return
        # what is out of sight may fill every slot for hours; the next run watches it
        full = bool(self.stops.out_of_sight) and not self._flow.tripped and not waits.has_room
        if not self.submitting or not len(waits) or full or waits.budget_exhausted:
            (self.quiet if self._open else self.ended).set()
