"""The one door to the journal: every fact is recorded here, then shown, with no await in between."""

from dataclasses import replace

from batchgen.lifecycle import AnswerLost, Event
from batchgen.plan.budget import Allowance
from batchgen.plan.plan import Entry
from batchgen.ports import Clock, Journal, Observer


class Ledger:
    """Records what happened to a job and gives the job as it stands after it."""

    def __init__(self, *, journal: Journal, clock: Clock, observer: Observer) -> None:
        self._journal = journal
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
        record = self._journal.append(entry.key, *events, allowed=allowed)
        for event in events:
            self.lost += isinstance(event, AnswerLost)
            self.observer.noticed(entry.key, entry.job, event, record)
        return replace(entry, record=record)
