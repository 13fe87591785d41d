"""What listings teach a run about the service itself, by the rows that receipts have made certainly ours.

How it names us in rows, what type it gives them, which inputs it echoes otherwise than they
were sent, and which rows nobody can read. Kept for a run; who we are is kept in the journal.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from batchgen.account import Holder, Known
from batchgen.model import RemoteJob
from batchgen.ports import Journal
from batchgen.reconcile.matching import Body, Change, change_of, differences
from batchgen.reconcile.ownership import GENERATION
from batchgen.record import Record

_TWICE = 2  # rows that must show the same change: one may be somebody's slip


class Lessons:
    """Learns from every listing; shared by all who compare in one run."""

    def __init__(self, *, keeps: bool = False) -> None:
        """Begin with nothing.

        Args:
            keeps: whether who we are is kept in the journal; a reader changes nothing there.
        """
        self._keeps = keeps
        self._authors: set[str] = set()
        self._types = set(GENERATION)
        self._seen: dict[Change, set[str]] = defaultdict(set)
        self._changes: set[Change] = set()
        self._taught: set[str] = set()
        self._unreadable: dict[str, float] = {}

    @property
    def types(self) -> Collection[str]:
        """The types that rows of ours have."""
        return self._types

    @property
    def authors(self) -> Collection[str]:
        """Who rows of ours are by."""
        return self._authors

    @property
    def changes(self) -> Collection[Change]:
        """The values that are echoed otherwise than they were sent."""
        return self._changes

    def learn(self, rows: Mapping[str, RemoteJob], holders: Mapping[str, Holder], journal: Journal) -> None:
        """Learn from the rows of what this run's scope has by receipt.

        Args:
            rows: of a listing, by remote id.
            holders: who has them.
            journal: of the scope.

        Raises:
            JournalError: who we are could not be kept.
        """
        records = journal.records()
        for remote_id, holder in holders.items():
            record = records.get(holder.key) if holder.key is not None else None
            if remote_id in self._taught or record is None:
                continue
            paid = next((one for one in record.submissions if one.remote_id == remote_id), None)
            # what was adopted may be taken for ours in error
            if paid is None or paid.adopted:
                continue
            self._taught.add(remote_id)
            self._learn_from(rows[remote_id], record, journal)

    def learn_name(self, rows: Iterable[RemoteJob], sender: str, journal: Journal) -> None:
        """Learn how rows name us from one by whom an upload of ours was: then rows by others are others'.

        Args:
            rows: of a listing.
            sender: fingerprint of the key in use.
            journal: where who we are is kept.

        Raises:
            JournalError: it could not be kept.
        """
        known = journal.known(sender)
        if known.rows or not known.uploads:
            return
        jobs = (row for row in rows if row.job_type in GENERATION and row.inputs)  # uploads show none
        shown = {row.author for row in jobs} & known.uploads
        self._authors |= shown
        if shown and self._keeps:
            journal.learn(sender, Known(rows=frozenset(shown)))

    def _learn_from(self, row: RemoteJob, record: Record, journal: Journal) -> None:
        # an earlier attempt may be the work of another key than the record's
        latest = record.submission is not None and record.submission.remote_id == row.remote_id
        if row.author:
            self._authors.add(row.author)
        if self._keeps and latest and row.author and record.sender:
            journal.learn(record.sender, Known(rows=frozenset({row.author})))
        self._types.add(row.job_type)
        sent = Body.sent_for(record) if latest else None
        for name in differences(sent, row) if sent is not None and row.inputs else ():
            change = change_of(sent, row, name) if sent is not None else None
            if change is not None:
                self._seen[change].add(row.remote_id)
                if len(self._seen[change]) >= _TWICE:
                    self._changes.add(change)

    def note_unreadable(self, mark: str, *, at: float) -> None:
        """Remember when a row that cannot be read was listed first.

        Args:
            mark: the row's.
            at: the loop's clock when the listing was begun.
        """
        self._unreadable.setdefault(mark, at)

    def was_listed_before(self, mark: str, at: float | None) -> bool:
        """Return whether a row that cannot be read was there before a moment of this run.

        Args:
            mark: the row's.
            at: the loop's clock; None for a moment of an earlier run.
        """
        return at is not None and self._unreadable.get(mark, at) < at
