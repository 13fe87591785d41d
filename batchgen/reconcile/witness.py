"""Which row of ours proves that a listing would have shown the one that is missing. Pure.

A witness is a row that would itself be found if its answer were lost: by the same sender, of a
known type, and echoing what was sent for it. One of the same model proves it for its model;
one of another model does where no row in the window could be the missing one at all.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from batchgen.account import Known
from batchgen.lifecycle import Record
from batchgen.model import RemoteJob, Submission
from batchgen.reconcile.candidates import Candidates
from batchgen.reconcile.matching import BEFORE, Body, Doubt, Likeness, Window
from batchgen.reconcile.ownership import owner_of

UPLOAD = "upload"  # the type of the rows that uploads make


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A submission of ours that a listing shows.

    Attributes:
        paid: as recorded.
        sent: its body.
        row: as listed.
    """

    paid: Submission
    sent: Body
    row: RemoteJob


def shown_of(records: Iterable[Record], candidates: Candidates) -> list[Shown]:
    """Return our latest submissions that a listing shows as they were sent."""
    rows = candidates.by_id
    found = []
    for record in records:
        paid = record.submission
        row = rows.get(paid.remote_id) if paid is not None else None
        if paid is None or row is None or (sent := Body.sent_for(record)) is None:
            continue
        if candidates.compare(sent, row) is Likeness.MATCH:
            found.append(Shown(paid=paid, sent=sent, row=row))
    return found


def newest_of(model: str, records: Iterable[Record]) -> list[tuple[str, Body]]:
    """Return our submissions, those to a model first and of those the latest, with what was sent for each."""
    paid = ((one.submission, Body.sent_for(one)) for one in records)
    found = [(one, sent) for one, sent in paid if one is not None and sent is not None]
    found.sort(key=lambda pair: (pair[1].model == model, pair[0].at), reverse=True)
    return [(one.remote_id, sent) for one, sent in found]


@dataclass(frozen=True, kw_only=True, slots=True)
class Court:
    """What one listing has to say about one doubt.

    Attributes:
        doubt: what is missing.
        known: who sent it.
        shown: our submissions in the listing.
        candidates: its rows.
        window: when the missing one would have been accepted.
        is_after: whether this run saw a submission accepted after the loss.
        lost_before: the service's date after which all that it accepted came after the loss; None where
            no clock can tell.
        probe: the service's date from which on an upload row by our author is our own; None where
            nothing was uploaded.
    """

    doubt: Doubt
    known: Known
    shown: Iterable[Shown]
    candidates: Candidates
    window: Window
    is_after: Callable[[str], bool]
    lost_before: float | None = None
    probe: float | None = None

    def witness(self) -> str | None:
        """Return a submission accepted after the loss that proves what the listing would show."""
        after = [one for one in self._admitted() if self._came_after(one)]
        same = next((one for one in after if one.sent.model == self.doubt.body.model), None)
        if same is not None:
            return same.paid.remote_id
        if not self._nothing_could_be_it():
            return None
        return next((one.paid.remote_id for one in after), None) or self._upload()

    def older_witness(self) -> str | None:
        """Return one of the doubt's model that was accepted before the loss, or maybe before."""
        same = (one for one in self._admitted() if one.sent.model == self.doubt.body.model)
        return next((one.paid.remote_id for one in same if not self._came_after(one)), None)

    def _admitted(self) -> Iterator[Shown]:
        """Leave out what would not be found itself: a row by another key says nothing of this one's."""
        for one in self.shown:
            # its own record has it: what counts is whose it would be without
            whose = owner_of(one.row, self.known, types=self.candidates.types)
            if whose.is_free and whose.decisive:
                yield one

    def _came_after(self, one: Shown) -> bool:
        if self.is_after(one.paid.remote_id):
            return True
        dated = one.row.created_at is not None and self.lost_before is not None
        return dated and one.row.created_at > self.lost_before + BEFORE  # type: ignore[operator]  # dated

    def _nothing_could_be_it(self) -> bool:
        """Return whether no row in the window could be the missing one, however it may be echoed."""
        free = [row for row in self.candidates.free(self.known) if self._is_in_question(row)]
        if any(_may_be_of(self.doubt.body.model, row) for row in free):
            return False
        literal = any(one.sent.model == self.doubt.body.model for one in self.shown)
        return literal or not free

    def _is_in_question(self, row: RemoteJob) -> bool:
        return self.window.has(row) and not self.candidates.ownership(row, self.known).is_other_work

    def _upload(self) -> str | None:
        if self.probe is None:
            return None
        ours = self.known.ours
        return next(
            (
                row.remote_id
                for row in self.candidates.by_id.values()
                if row.job_type == UPLOAD
                and row.author in ours
                and row.created_at is not None
                and row.created_at >= self.probe - BEFORE
            ),
            None,
        )


def _may_be_of(model: str, row: RemoteJob) -> bool:
    """Return whether a row is of a model, or does not say of which."""
    return not row.inputs or row.inputs.get("modelId", model) == model
