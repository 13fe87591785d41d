"""The one door to the journal: every fact is recorded here, then shown, with no await in between."""

from dataclasses import replace

from batchgen.lifecycle import (
    Accepted,
    AnswerLost,
    Collected,
    Event,
    OutputsGrew,
    SubmitStarted,
    Succeeded,
)
from batchgen.loop_clock import loop_time
from batchgen.model import JobKey
from batchgen.planning.budget import Allowance, Amounts
from batchgen.planning.plan import Entry
from batchgen.planning.room import Room
from batchgen.ports import Clock, Journal, Observer
from batchgen.record import Record


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
        self._receipts: dict[str, tuple[int, float]] = {}
        self._intents: dict[JobKey, float] = {}

    @property
    def receipts(self) -> int:
        """How many submits this run has seen accepted."""
        return len(self._receipts)

    def is_receipt_after(self, remote_id: str, count: int) -> bool:
        """Return whether this run saw a submission accepted after so many others: no clock is asked."""
        return remote_id in self._receipts and self._receipts[remote_id][0] >= count

    def receipt_of(self, remote_id: str) -> float | None:
        """Return when this run saw a submission accepted, by the loop's clock; None if it did not."""
        return self._receipts[remote_id][1] if remote_id in self._receipts else None

    def intent_of(self, key: JobKey) -> float | None:
        """Return when a job's latest POST was about to leave in this run, by the loop's clock."""
        return self._intents.get(key)

    def now(self) -> float:
        """Return the stamp for an event, seconds since the epoch."""
        return self._clock.now()

    def record_of(self, entry: Entry) -> Record:
        """Return what is on record of a job now: notes may have come since the entry was made."""
        return self._journal.records().get(entry.key, entry.record)

    def record(
        self,
        entry: Entry,
        *events: Event,
        allowed: Allowance | None = None,
        reserves: Amounts | None = None,
        room: Room | None = None,
    ) -> Entry:
        """Record the events, all or none, and give the entry with its new record.

        Args:
            entry: the job.
            events: in their order.
            allowed: caps that must hold with them.
            reserves: what to keep for later steps of its chain.
            room: what an intent takes of the room at the service.

        Raises:
            OverBudgetError: a cap would not hold; nothing was recorded.
            NoRoomError: there is no room at the service; nothing was recorded.
            JournalError: nothing was recorded.
        """
        if not self._collects and isinstance(events[-1], Succeeded | OutputsGrew):
            events = (*events, Collected(at=events[-1].at, files=()))
        record = self._journal.append(entry.key, *events, allowed=allowed, reserves=reserves, room=room)
        for event in events:
            self.lost += isinstance(event, AnswerLost)
            if type(event) is Accepted:
                self._receipts[event.remote_id] = len(self._receipts), loop_time()
            elif isinstance(event, SubmitStarted):
                self._intents[entry.key] = loop_time()
            self.observer.recorded(entry.key, entry.job, event, record)
        return replace(entry, record=record)
