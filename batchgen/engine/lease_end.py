"""The end of a lease, which is the end of its run: nothing more is bought, and what is known is recorded.

A lease that nobody has taken over may be renewed late, and its appends are still good. But whoever could not
renew it in time cannot know that, so the run ends in order, and the same command goes on.
"""

import asyncio

from batchgen.errors import JournalAwayError, JournalError
from batchgen.ports import Journal, Lease

_GLANCE = 1.0  # seconds between looks at most: a lease ends in a machine that sleeps, too


async def until_over(lease: Lease, journal: Journal) -> None:
    """Wait until the right to buy has run out.

    Raises:
        FencedError: another run leads the batch now.
        JournalAwayError: it could not be renewed in time.
    """
    while (left := lease.left()) > 0:  # noqa: ASYNC110 - it ends by the passing of time, and tells nobody
        await asyncio.sleep(min(left, _GLANCE))
    raise why_over(journal)


def why_over(journal: Journal) -> JournalError:
    """Return what a lease that has run out means: as much as the journal knows of it."""
    try:
        journal.check_place()
    except JournalError as error:
        return error
    return JournalAwayError("the right to lead the batch could not be renewed in time")
