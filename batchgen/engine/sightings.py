"""What listings have shown of submissions that are ours: how far they lag, and who can be a control.

Pure. A control is a row of ours that a listing shows and that matches what was sent: it
proves that this listing would have shown the row that is missing.
"""

from collections.abc import Iterable, Mapping

from batchgen.engine.likeness import Doubt, Likeness, compare
from batchgen.lifecycle import Record
from batchgen.model import RemoteJob, Submission


class Sightings:
    """Remembers over a run which of our submissions a listing has missed."""

    def __init__(self) -> None:
        self._missed: set[str] = set()
        self.lag = 0.0

    def saw(
        self, begun_at: float, since: float, shown: Mapping[str, RemoteJob], records: Iterable[Record]
    ) -> None:
        """Learn how far a complete listing lags behind what we know was accepted.

        Args:
            begun_at: our clock when it was asked for.
            since: the date it reaches back to, by our clock.
            shown: its rows by remote id.
            records: of this scope.
        """
        for record in records:
            submission = record.submission
            if submission is None or not since <= submission.at <= begun_at:
                continue
            if submission.remote_id not in shown:
                self._missed.add(submission.remote_id)
            elif submission.remote_id not in self._missed:
                continue
            # behind by as much as this, whether it is still missing or was until now
            self.lag = max(self.lag, begun_at - submission.at)
            if submission.remote_id in shown:
                self._missed.discard(submission.remote_id)


def control_of(
    doubt: Doubt, shown: Mapping[str, RemoteJob], records: Iterable[Record], *, after: bool
) -> str | None:
    """Give a control for a doubt that a listing shows: accepted after the loss, or before it."""
    for record in records:
        submission = _of_model(record, doubt)
        if submission is None or (submission.at > doubt.lost_at) is not after:
            continue
        row = shown.get(submission.remote_id)
        if row is not None and compare(record.body or "", doubt.model, row, {}) is Likeness.MATCH:
            return submission.remote_id
    return None


def latest_before(doubt: Doubt, records: Iterable[Record]) -> Submission | None:
    """Give our latest submission to the doubt's model that was accepted before the loss."""
    known = (_of_model(record, doubt) for record in records)
    before = [one for one in known if one is not None and one.at <= doubt.lost_at]
    return max(before, key=lambda one: one.at, default=None)


def _of_model(record: Record, doubt: Doubt) -> Submission | None:
    ours = record.job is not None and record.job.model == doubt.model and record.body is not None
    return record.submission if ours else None
