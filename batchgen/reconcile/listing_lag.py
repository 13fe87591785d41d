"""How far listings lag behind what was accepted, and which of our rows can be a witness. Pure.

A witness is a row of ours that a listing shows and that matches what was sent: it proves that
this listing would have shown the row that is missing.
"""

from collections.abc import Iterable, Mapping

from batchgen.lifecycle import Record
from batchgen.model import RemoteJob, Submission
from batchgen.reconcile.listing import Listing
from batchgen.reconcile.matching import Body, Doubt, Likeness, compare


class ListingLag:
    """Remembers over a run which of our submissions a listing has missed.

    Attributes:
        longest: seen from acceptance to first sight, in seconds.
    """

    def __init__(self) -> None:
        self._missed: set[str] = set()
        self.longest = 0.0

    def learn(self, listing: Listing, records: Iterable[Record]) -> None:
        """Compare a complete listing with what we know was accepted.

        Args:
            listing: complete.
            records: of this scope.
        """
        for record in records:
            submission = record.submission
            if submission is None or not listing.since <= submission.at <= listing.begun_at:
                continue
            if submission.remote_id not in listing.rows:
                self._missed.add(submission.remote_id)
            elif submission.remote_id not in self._missed:
                continue
            # behind by as much as this, whether it is still missing or was until now
            self.longest = max(self.longest, listing.begun_at - submission.at)
            if submission.remote_id in listing.rows:
                self._missed.discard(submission.remote_id)


def witness_for(
    doubt: Doubt, shown: Mapping[str, RemoteJob], records: Iterable[Record], *, after: bool
) -> str | None:
    """Return a witness for a doubt that a listing shows: accepted after the loss, or before it."""
    for record in records:
        submission = _of_model(record, doubt)
        if submission is None or (submission.at > doubt.lost_at) is not after:
            continue
        row, sent = shown.get(submission.remote_id), Body.sent_for(record)
        if row is not None and sent is not None and compare(sent, row, {}) is Likeness.MATCH:
            return submission.remote_id
    return None


def latest_before(doubt: Doubt, records: Iterable[Record]) -> Submission | None:
    """Return our latest submission to the doubt's model that was accepted before the loss."""
    known = (_of_model(record, doubt) for record in records)
    before = [one for one in known if one is not None and one.at <= doubt.lost_at]
    return max(before, key=lambda one: one.at, default=None)


def _of_model(record: Record, doubt: Doubt) -> Submission | None:
    ours = record.job is not None and record.job.model == doubt.body.model and record.body is not None
    return record.submission if ours else None
