"""Submissions that were shown absent and are there after all: they were paid for twice.

Whoever reads a listing asks this; from the first one on nothing is called absent any more in
this journal.
"""

from batchgen.ledger import Ledger
from batchgen.lifecycle import State
from batchgen.model import RemoteJob
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
                    self._name(record, row)

    def _name(self, record: Record, row: RemoteJob) -> None:
        self._journal.distrust_absence()
        name = record.job.id if record.job else "?"
        cost = "unknown" if row.cost is None else f"{row.cost:f} CU"
        sentence = (
            f"{name}: {row.remote_id} turned up after the service had shown it absent; its cost: {cost}"
        )
        self._named[row.remote_id] = sentence
        self._ledger.observer.warned(sentence)
