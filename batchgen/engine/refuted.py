"""Submissions that were shown absent and are there after all: they were paid for twice.

Whoever reads a listing tells this; from the first one on nothing is called absent any more in
this journal.
"""

from collections.abc import Iterable, Mapping

from batchgen.engine.ledger import Ledger
from batchgen.engine.likeness import Likeness, compare
from batchgen.lifecycle import Record, State
from batchgen.model import RemoteJob, Text
from batchgen.plan.auditing import is_ours
from batchgen.ports import Journal


class Refuted:
    """Names them once each, with what they cost."""

    def __init__(self, ledger: Ledger, journal: Journal) -> None:
        self._ledger = ledger
        self._journal = journal
        self._told: dict[str, str] = {}

    @property
    def sentences(self) -> tuple[str, ...]:
        """One for each."""
        return tuple(self._told.values())

    def notice(self, free: Iterable[RemoteJob], texts: Mapping[str, Text]) -> None:
        """Look among rows that belong to no record.

        Args:
            free: of one listing; what a job in doubt or a planned one may still take is not among them.
            texts: prompts that became assets, as far as they were fetched.

        Raises:
            JournalError: it could not be remembered.
        """
        absent = [one for one in self._journal.records().values() if one.absences and one.state not in _OPEN]
        ours = (row for row in free if is_ours(row, self._journal.authors))
        for row in ours if absent else ():
            for record in absent:
                if row.remote_id not in self._told and _is_of(record, row, texts):
                    self._tell(record, row)

    def _tell(self, record: Record, row: RemoteJob) -> None:
        self._journal.distrust_absence()
        name = record.job.id if record.job else "?"
        cost = "unknown" if row.cost is None else f"{row.cost:f} CU"
        told = f"{name}: {row.remote_id} turned up after it was shown absent; its cost: {cost}"
        self._told[row.remote_id] = told
        self._ledger.observer.troubled(told)


# the row may be that of such a job's latest body: it is adopted, or holds the job
_OPEN = frozenset({State.PLANNED, State.SUBMITTING, State.IN_DOUBT, State.HELD})


def _is_of(record: Record, row: RemoteJob, texts: Mapping[str, Text]) -> bool:
    if record.job is None or record.body is None:
        return False
    return compare(record.body, record.job.model, row, texts) is Likeness.MATCH
