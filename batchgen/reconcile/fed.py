"""Which listed rows are a child's for certain: by the assets that went in, which nobody but us gave it. Pure.

Tools take no seed. What they are known by is the asset that went in: where a job of this very batch made it,
and the row is by whoever that job is by, it is this child's.
"""

from collections.abc import Callable, Iterable, Mapping

from batchgen.identity import references_of
from batchgen.lifecycle import Record
from batchgen.model import JobKey, RemoteJob
from batchgen.reconcile.history import Attempt
from batchgen.reconcile.matching import Likeness, Window, may_be_bought
from batchgen.reconcile.ownership import Ownership


def fed_by_us(
    attempt: Attempt,
    alike: Iterable[tuple[RemoteJob, Likeness]],
    ownership: Callable[[RemoteJob], Ownership],
    *,
    records: Mapping[JobKey, Record],
    window: Window,
) -> tuple[RemoteJob, ...]:
    """Return the rows that a child was sent as, oldest first; none where any of those that may be is unsure.

    Args:
        attempt: of a job without a seed of its own, what came out of its parents in it.
        alike: listed rows, each with what it is by what it echoes.
        ownership: says whose a row is, as far as authors tell.
        records: of this batch.
        window: when they would have been accepted.
    """
    parents = [records.get(one.key) for one in references_of(attempt.job) if one.key is not None]
    authors = {paid.author for one in parents if one is not None for paid in one.submissions if paid.author}
    rows = []
    for row, likeness in alike:
        if not may_be_bought(attempt.sent, row, likeness, attempt.files):
            continue
        whose = ownership(row)
        is_ours = whose.is_free and not whose.is_other_work and row.author in authors
        if likeness is not Likeness.MATCH or not is_ours or not window.has(row):
            return ()
        rows.append(row)
    return tuple(rows)
