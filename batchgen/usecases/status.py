"""Looking at batches without touching them: no lock, no service, nothing written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from batchgen.journal.store import JournalStore
from batchgen.lifecycle import Record, State
from batchgen.model import JobKey, Scope
from batchgen.output.missing_files import missing_among
from batchgen.planning.budget import Committed, committed
from batchgen.planning.yields import YOUNG
from batchgen.usecases.other_slots import carried_notes, not_bought, unbought_notes
from batchgen.wiring.opening import OpenBatch


class OtherSlots(NamedTuple):
    """What is said of the other slots of a batch, and whether a run would carry something of them."""

    notes: Sequence[str]
    to_carry: bool


def notice_slots(opened: OpenBatch) -> OtherSlots:
    """Return what a run would carry of other slots, and which of them have jobs that were not bought.

    Raises:
        JournalError: the journal cannot be read.
    """
    options, here = opened.options, opened.batch.scope.slot
    slots = opened.file.slots(opened.batch.scope)
    states, short = slots.open(), slots.short(since=options.clock.now() - YOUNG)
    notes = carried_notes(options, states, here)
    notes += unbought_notes(options, not_bought(opened))
    others = [set(one) - {State.HELD} for slot, one in states.items() if slot != here]
    return OtherSlots(notes, to_carry=any(slot != here for slot in short) or any(others))


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchStatus:
    """Where the records of one scope stand.

    Attributes:
        scope: whose they are.
        states: how many jobs stand where; states without one are left out.
        quoted: compute units that the service had said all that was, or may have been, paid for would cost.
        committed: what was charged, is reserved, and came back.
        untold: how many charges the service has not told.
        files_missing: how many files that were collected are not on the disk any more.
    """

    scope: Scope
    states: Mapping[State, int]
    quoted: Decimal
    committed: Committed
    untold: int = 0
    files_missing: int = 0

    @property
    def charged(self) -> Decimal:
        """Compute units, as far as the service has said."""
        return self.committed.gross - self.committed.reserved

    @property
    def refunded(self) -> Decimal:
        """What came back of them, in whatever way that is known."""
        return self.committed.assumed + self.committed.confirmed


def status_of_all(journal: JournalStore, output: Path) -> list[BatchStatus]:
    """Sum up every batch of a journal, in the order of their first events.

    Args:
        journal: of all of them.
        output: the folder that has theirs.

    Raises:
        JournalError: the journal cannot be read.
    """
    with journal.read() as file:
        return [_sum_up(scope, file.batch(scope).records(), output) for scope in file.scopes()]


def _sum_up(scope: Scope, records: Mapping[JobKey, Record], output: Path) -> BatchStatus:
    return BatchStatus(
        scope=scope,
        states=Counter(record.state for record in records.values()),
        quoted=sum((record.quoted_in_all or Decimal(0) for record in records.values()), Decimal(0)),
        committed=sum((committed(record) for record in records.values()), Committed()),
        untold=sum(record.untold for record in records.values()),
        files_missing=missing_among(records.values(), output / scope.batch),
    )
