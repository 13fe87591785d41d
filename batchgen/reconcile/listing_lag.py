"""How far listings lag behind what was accepted."""

from collections.abc import Iterable

from batchgen.ledger import Ledger
from batchgen.lifecycle import Record
from batchgen.model import Submission
from batchgen.reconcile.listing import Listing
from batchgen.reconcile.matching import Doubt


class ListingLag:
    """Remembers over a run which of our submissions a listing has missed.

    Attributes:
        longest: seen from acceptance to first sight, in seconds.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._missed: set[str] = set()
        self.longest = 0.0

    def learn(self, listing: Listing, records: Iterable[Record], *, begun: float) -> None:
        """Compare a complete listing with what we know was accepted.

        Args:
            listing: complete.
            records: of this scope.
            begun: the loop's clock when it was begun.
        """
        for record in records:
            paid = record.submission
            age = None if paid is None else self._age(paid, record, listing, begun)
            if paid is None or age is None or age < 0:
                continue
            if paid.remote_id not in listing.rows:
                self._missed.add(paid.remote_id)
            elif paid.remote_id not in self._missed:
                continue
            # behind by as much as this, whether it is still missing or was until now
            self.longest = max(self.longest, age)
            if paid.remote_id in listing.rows:
                self._missed.discard(paid.remote_id)

    def _age(self, paid: Submission, record: Record, listing: Listing, begun: float) -> float | None:
        """Return the seconds since a submission was accepted, or left; None where no clock can tell."""
        seen = self._ledger.receipt_of(paid.remote_id)
        if seen is not None:
            return begun - seen
        if record.skew is None or record.intent_at is None:
            return None
        # what was found later is dated by the clock of another run; intent and skew are of one moment
        left_at = record.intent_at + record.skew
        return None if left_at < listing.reach else listing.begun_at + listing.skew - left_at


def latest_before(doubt: Doubt, records: Iterable[Record]) -> Submission | None:
    """Return our latest submission to the doubt's model that was accepted before the loss."""
    known = (_of_model(record, doubt) for record in records)
    before = [one for one in known if one is not None and one.at <= doubt.lost_at]
    return max(before, key=lambda one: one.at, default=None)


def _of_model(record: Record, doubt: Doubt) -> Submission | None:
    ours = record.job is not None and record.job.model == doubt.body.model and record.body is not None
    return record.submission if ours else None
