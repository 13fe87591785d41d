"""Hearing what runs that were taken over say of their POSTs: receipts, and that one never left.

Whoever leads the batch hears it at its start and whenever it looks at its doubts. A receipt is adopted, with
the testimony as evidence; that a POST never left ends its doubt at once. A receipt for a job that was sent
again meanwhile is work that was paid for twice, which is named with its cost. To hear it twice changes
nothing.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import chain

from batchgen.errors import RemoteIdTakenError
from batchgen.ledger import Ledger
from batchgen.lifecycle import (
    Accepted,
    Adopted,
    AnswerLost,
    Event,
    NotSent,
    ShownAbsent,
    State,
    SubmitStarted,
)
from batchgen.model import JobKey
from batchgen.planning.plan import Entry
from batchgen.ports import Journal, Testimony
from batchgen.reconcile.late_arrivals import LateArrivals
from batchgen.record import Record

_DOUBTFUL = frozenset({State.IN_DOUBT, State.HELD})


class Hearing:
    """Hears it for one run."""

    def __init__(self, ledger: Ledger, journal: Journal, late_arrivals: LateArrivals) -> None:
        """Take the parts.

        Args:
            ledger: where what follows is recorded.
            journal: which has the testimony.
            late_arrivals: names what was paid for twice.
        """
        self._ledger = ledger
        self._journal = journal
        self._late_arrivals = late_arrivals

    def at_start(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the jobs of a run that has not begun, each as it stands after what was said of it.

        Raises:
            JournalError: it could not be read, or what follows not be recorded.
        """
        mine = {entry.key: entry for entry in entries}
        mine |= self._hear(mine)
        return list(mine.values())

    def of_doubts(self, doubts: Mapping[JobKey, Entry]) -> list[Entry]:
        """Return the jobs in doubt of which something was said that ends their doubts.

        Args:
            doubts: those that this run looks for. What is said of others waits, unless it was paid for twice.

        Raises:
            JournalError: it could not be read, or what follows not be recorded.
        """
        return list(self._hear(doubts).values())

    def _hear(self, entries: Mapping[JobKey, Entry]) -> dict[JobKey, Entry]:
        moved: dict[JobKey, Entry] = {}
        done: list[int] = []
        for one in self._journal.testimony():
            record = self._journal.records().get(one.key, Record())
            events = self._follows(one, record)
            entry = moved.get(one.key, entries.get(one.key))
            if events and entry is None:
                continue  # it is on its way, and judged when it has an answer; or the next run has it
            if events and entry is not None:
                with suppress(RemoteIdTakenError):  # an equal job has it, which is as good an owner
                    moved[one.key] = self._ledger.record(entry, *events)
            done.append(one.number)
        if done:
            self._journal.heard(done)
        return moved

    def _is_owned(self, receipt: Accepted) -> bool:
        return bool(self._journal.holders([receipt.remote_id]))

    def _follows(self, one: Testimony, record: Record) -> tuple[Event, ...]:
        """Return what follows from it for its job; empty if nothing does."""
        match one.event:
            case NotSent() as unsent if unsent.at == record.intent_at:
                return self._never_left(one, unsent, record)
            case Accepted() as receipt if not self._is_owned(receipt):
                return self._paid(one, receipt, record)
            case _:
                return ()

    def _never_left(self, one: Testimony, unsent: NotSent, record: Record) -> tuple[Event, ...]:
        """Return the end of the doubt about a POST that never left."""
        now = self._ledger.now()
        if record.state is State.SUBMITTING:
            return (NotSent(at=now, reason=unsent.reason),)
        if record.state in _DOUBTFUL:
            return (ShownAbsent(at=now, evidence={"testimony": one.number, "reason": unsent.reason}),)
        return ()

    def _paid(self, one: Testimony, receipt: Accepted, record: Record) -> tuple[Event, ...]:
        """Return the adoption of what was paid for; what the job cannot take any more is named."""
        intent = self._intent(one.key, receipt.at)
        fits = intent is not None and intent.attempt == record.attempt and record.body in {None, intent.body}
        if intent is None or not fits or record.state not in _DOUBTFUL | {State.SUBMITTING, State.PLANNED}:
            self._late_arrivals.name(record, receipt.remote_id, receipt.charged)
            return ()
        if record.absences and (record.state is State.PLANNED or receipt.at != record.intent_at):
            self._journal.distrust_absence()
        now = self._ledger.now()
        adopted = Adopted(
            at=now,
            remote_id=receipt.remote_id,
            charged=receipt.charged,
            author=receipt.author,
            owner=receipt.owner,
            quoted=record.quoted,
            evidence={"testimony": one.number, "intent": receipt.at},
        )
        lost = AnswerLost(at=now, reason="the run was taken over during the submit")
        match record.state:
            case State.PLANNED:
                return replace(intent, at=now), lost, adopted
            case State.SUBMITTING:
                return lost, adopted
            case _:
                return (adopted,)

    def _intent(self, key: JobKey, at: float) -> SubmitStarted | None:
        """Return the intent of a job that was made at a moment; None if there is none.

        One that a database has lost, which was set back, comes with its receipt.
        """
        said = ((one.key, one.event) for one in self._journal.testimony())
        for of, event in chain(self._journal.history(), said):
            if of == key and isinstance(event, SubmitStarted) and event.at == at:
                return event
        return None
