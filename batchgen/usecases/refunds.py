"""Recording charges and refunds that the service's history shows, so that nothing need be assumed any more.

A batch that is being run is left to a later time; where there is nothing new, nothing is touched.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from batchgen.errors import BatchLockedError, JournalError
from batchgen.journal.batch import BatchJournal
from batchgen.lifecycle import ChargeShown, RefundShown
from batchgen.model import JobKey, Scope
from batchgen.reconcile.billing import Shown, to_record
from batchgen.wiring.options import Options


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundsRecorded:
    """What was made of refunds and charges that the service shows.

    Attributes:
        count: how many refunds were put on record.
        units: compute units of them all.
        corrected: how many charges were put right.
        left: why some were not, a sentence a batch.
    """

    count: int = 0
    units: Decimal = Decimal(0)
    corrected: int = 0
    left: tuple[str, ...] = ()


def record_refunds(
    options: Options, scopes: Iterable[Scope], shown: Mapping[str, Shown], *, at: float
) -> RefundsRecorded:
    """Record what is shown of charges and refunds of these scopes; again, it changes nothing.

    Args:
        options: where the journal is.
        scopes: whose records are written.
        shown: what the service shows, by remote id.
        at: now, seconds since the epoch.

    Raises:
        JournalError: the journal cannot be read.
    """
    done, left = list[ChargeShown | RefundShown](), list[str]()
    with options.journal.read() as file:
        # where a batch goes on in a copy of this journal, that is the one to record them
        here = [scope for scope in scopes if file.successor(scope.batch) is None]
        due = [scope for scope in here if any(_due(file.batch(scope), shown, at))]
    for scope in due:
        try:
            with (
                options.journal.hold(scope.batch, stamp=at),
                options.journal.opened() as file,
            ):
                journal = file.batch(scope)
                for key, event in list(_due(journal, shown, at)):
                    journal.append(key, event)
                    done.append(event)
        except (BatchLockedError, JournalError) as error:
            left.append(f"the refunds of {scope.batch!r} are not recorded: {error}")
    refunds = [one.refunded for one in done if isinstance(one, RefundShown)]
    return RefundsRecorded(
        count=len(refunds),
        units=sum(refunds, Decimal(0)),
        corrected=len(done) - len(refunds),
        left=tuple(left),
    )


def _due(
    journal: BatchJournal, shown: Mapping[str, Shown], at: float
) -> Iterator[tuple[JobKey, ChargeShown | RefundShown]]:
    for key, record in journal.records().items():
        yield from ((key, event) for event in to_record(record, shown, at=at))
