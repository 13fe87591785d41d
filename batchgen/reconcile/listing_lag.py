"""How far listings lag behind what was accepted."""

import math
from collections.abc import Iterable

from batchgen.ledger import Ledger
from batchgen.lifecycle import Record
from batchgen.model import RemoteJob, Submission
from batchgen.reconcile.listing import Listing
from batchgen.reconcile.matching import Doubt

_ROUGH = 2.0  # seconds: the clocks' difference is known by dates in whole seconds, then and now


class ListingLag:
    """Remembers over a run which of our submissions a listing has missed, and for how long."""

    def __init__(self, ledger: Ledger, *, closely: float = math.inf) -> None:
        """Begin with no lag.

        Args:
            ledger: knows when receipts came.
            closely: seconds between two looks that tell together when a row came; what came while nobody
                looked for longer is no sign of so long a lag.
        """
        self._ledger = ledger
        self._closely = closely
        self._missing: dict[str, tuple[float, float]] = {}  # ages in seconds, and the loop's clock then
        self._seen = 0.0

    @property
    def pending(self) -> bool:
        """Whether something that was accepted has not been listed yet."""
        return bool(self._missing)

    @property
    def longest(self) -> float:
        """The longest seen, in seconds; what is missing still counts with its age."""
        return max(self._seen, *(age for age, _ in self._missing.values()), 0.0)

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
            row = listing.rows.get(paid.remote_id)
            if row is None:
                self._missing[paid.remote_id] = age, begun
            elif (missed := self._missing.pop(paid.remote_id, None)) is not None:
                at_most = missed[0] + min(begun - missed[1], self._closely)
                self._seen = max(self._seen, min(at_most, self._age_of(row, age, listing)))
        self._learn_of_others(listing, begun)

    def _learn_of_others(self, listing: Listing, begun: float) -> None:
        """Note what was missed and is listed now though its job has moved on, or no clock tells its age."""
        for remote_id in [one for one in self._missing if one in listing.rows]:
            age, since = self._missing.pop(remote_id)
            self._seen = max(self._seen, age + min(begun - since, self._closely))

    def _age_of(self, row: RemoteJob, age: float, listing: Listing) -> float:
        """Return the age of a row that is listed at last: a POST may take long before it is accepted."""
        if row.created_at is None or self._ledger.receipt_of(row.remote_id) is not None:
            return age
        return min(age, listing.begun_at + listing.skew - row.created_at)

    def _age(self, paid: Submission, record: Record, listing: Listing, begun: float) -> float | None:
        """Return the seconds since a submission was accepted, or left.

        None where no clock can tell, or where it is older than what the listing was asked for.
        """
        # what was found later is dated by the clock of another run; intent and skew are of one moment
        dated = record.skew is not None and record.intent_at is not None
        left_at = record.intent_at + record.skew if dated else None  # type: ignore[operator]  # dated
        if left_at is not None and left_at < listing.reach + _ROUGH:
            return None
        seen = self._ledger.receipt_of(paid.remote_id)
        if seen is not None:
            return begun - seen
        return None if left_at is None else listing.begun_at + listing.skew - left_at


def latest_before(doubt: Doubt, records: Iterable[Record], *, skew: float) -> float | None:
    """Return when our latest submission to the doubt's model left before the doubt's own did.

    Intents are compared, each by the difference of the clocks at its moment: what was found later is
    dated by the run that found it.

    Args:
        doubt: what is missing.
        records: of its scope.
        skew: seconds by which the service's clock is ahead of ours now.

    Returns:
        Seconds since the epoch, by our clock now; None where there is none.
    """
    own = doubt.intent_at + (skew if doubt.skew is None else doubt.skew)
    left = (_left_at(record, skew) for record in records if _is_of_model(record, doubt))
    return max((one - skew for one in left if one is not None and one <= own), default=None)


def _left_at(record: Record, skew: float) -> float | None:
    """Return the service's date at which a submission's body left; None where none is on record."""
    paid = record.submission
    if paid is None or record.intent_at is None or paid.attempt != record.attempt:
        return None
    return record.intent_at + (skew if record.skew is None else record.skew)


def _is_of_model(record: Record, doubt: Doubt) -> bool:
    return record.job is not None and record.job.model == doubt.body.model and record.body is not None
