"""The one door to the journal: every fact is recorded here, then shown, with no await in between."""

from dataclasses import replace

from batchgen.lifecycle import AnswerLost, Collected, Event, OutputsGrew, Succeeded
from batchgen.plan.budget import Allowance
from batchgen.plan.plan import Entry
from batchgen.ports import Clock, Journal, Observer


class Ledger:
    """Records what happened to a job and gives the job as it stands after it."""

    def __init__(self, *, journal: Journal, clock: Clock, observer: Observer, collects: bool = True) -> None:
        """Take the parts.

        Args:
            journal: where facts are recorded.
            clock: the wall's.
            observer: is shown each.
            collects: whether somebody fetches assets; else a success needs nothing more.
        """
        self._journal = journal
        self._collects = collects
        self._clock = clock
        self.observer = observer
        self.lost = 0  # answers to submits in this run

    def now(self) -> float:
        """Give the stamp for an event, seconds since the epoch."""
        return self._clock.now()

    def record(self, entry: Entry, *events: Event, allowed: Allowance | None = None) -> Entry:
        """Record the events, all or none, and give the entry with its new record.

        Raises:
            OverBudgetError: a cap would not hold; nothing was recorded.
            JournalError: nothing was recorded.
        """
        if not self._collects and isinstance(events[-1], Succeeded | OutputsGrew):
            events = (*events, Collected(at=events[-1].at, files=()))
        record = self._journal.append(entry.key, *events, allowed=allowed)
        for event in events:
            self.lost += isinstance(event, AnswerLost)
            self.observer.noticed(entry.key, entry.job, event, record)
        return replace(entry, record=record)
