"""Recording refunds that the service shows, so that budgets and results need assume them no longer.

A batch that is being run is left to a later time; where there is nothing new, nothing is touched.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from batchgen.app.settings import Options
from batchgen.errors import BatchHeldError, JournalError
from batchgen.journal.batch import BatchJournal
from batchgen.journal.lock import hold_batch
from batchgen.journal.store import JournalFile
from batchgen.lifecycle import RefundShown
from batchgen.model import JobKey, Scope
from batchgen.reconcile.billing import Shown, refunds_to_record


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundsRecorded:
    """What was made of refunds that the service shows.

    Attributes:
        count: how many were put on record.
        units: compute units of them all.
        left: why some were not, a sentence a batch.
    """

    count: int = 0
    units: Decimal = Decimal(0)
    left: tuple[str, ...] = ()


def record_refunds(
    options: Options, scopes: Iterable[Scope], shown: Mapping[str, Shown], *, at: float
) -> RefundsRecorded:
    """Record what is shown to have come back of submissions of these scopes; again, it changes nothing.

    Args:
        options: where the journal is.
        scopes: whose records are written.
        shown: what the service shows, by remote id.
        at: now, seconds since the epoch.

    Raises:
        JournalError: the journal cannot be read.
    """
    count, units, left = 0, Decimal(0), list[str]()
    with JournalFile.open_to_read(options.journal) as file:
        due = [scope for scope in scopes if any(_due(file.batch(scope), shown, at))]
    for scope in due:
        try:
            with (
                hold_batch(options.lock_of(scope.batch), stamp=at),
                JournalFile.open(options.journal) as file,
            ):
                journal = file.batch(scope)
                for key, event in list(_due(journal, shown, at)):
                    journal.append(key, event)
                    count, units = count + 1, units + event.refunded
        except (BatchHeldError, JournalError) as error:
            left.append(f"the refunds of {scope.batch!r} are not recorded: {error}")
    return RefundsRecorded(count=count, units=units, left=tuple(left))


def _due(
    journal: BatchJournal, shown: Mapping[str, Shown], at: float
) -> Iterator[tuple[JobKey, RefundShown]]:
    for key, record in journal.records().items():
        yield from ((key, event) for event in refunds_to_record(record, shown, at=at))
