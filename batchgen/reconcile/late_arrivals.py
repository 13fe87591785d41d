"""Submissions that were shown absent and are there after all: they were paid for twice.

Whoever reads a listing asks this; from the first one on nothing is called absent any more in
this journal.
"""

from decimal import Decimal

from batchgen.ledger import Ledger
from batchgen.lifecycle import State
from batchgen.ports import Journal
from batchgen.reconcile.candidates import Candidates
from batchgen.reconcile.matching import Body, Likeness
from batchgen.record import Record

# the row may be that of such a job's latest body: it is adopted, or holds the job
_OPEN = frozenset({State.PLANNED, State.SUBMITTING, State.IN_DOUBT, State.HELD})


class LateArrivals:
    """Names them once each, with what they cost."""

    def __init__(self, ledger: Ledger, journal: Journal) -> None:
        self._ledger = ledger
        self._journal = journal
        self._named: dict[str, str] = {}

    @property
    def sentences(self) -> tuple[str, ...]:
        """One for each."""
        return tuple(self._named.values())

    def notice(self, candidates: Candidates) -> None:
        """Look among the rows of one listing.

        Args:
            candidates: what a job in doubt or a planned one may still take was taken from them.

        Raises:
            JournalError: it could not be remembered.
        """
        absent = [one for one in self._journal.records().values() if one.absences and one.state not in _OPEN]
        for record in absent:
            sent = Body.sent_for(record)
            like = candidates.like(sent) if sent is not None else ()
            for row, likeness in like:
                if likeness is Likeness.MATCH and row.remote_id not in self._named:
                    self.name(record, row.remote_id, row.cost)

    def name(self, record: Record, remote_id: str, cost: Decimal | None) -> None:
        """Name one that no record can own any more.

        Args:
            record: of the job that it was for.
            remote_id: the submission.
            cost: compute units; None where nothing says.

        Raises:
            JournalError: it could not be remembered.
        """
        name = record.job.id if record.job else "?"
        told = "unknown" if cost is None else f"{cost:f} CU"
        how = "was paid for by a run that was taken over, and belongs to no job any more"
        if record.absences:
            self._journal.distrust_absence()
            how = "turned up after the service had shown it absent"
        sentence = f"{name}: {remote_id} {how}; its cost: {told}"
        self._named[remote_id] = sentence
        self._ledger.observer.warned(sentence)
