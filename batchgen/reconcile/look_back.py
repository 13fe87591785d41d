"""How far back a run looks for jobs that may have been bought without the journal's knowledge. Pure."""

from collections.abc import Iterable

from batchgen.record import Record

MARGIN = 600.0  # seconds before the last that is known of: a copy may lack what came then
BLIND = 24 * 3600.0  # seconds to look back where nothing is known


def looks_back_to(
    records: Iterable[Record], *, began: float | None, now: float, unfinished: float | None = None
) -> float:
    """Say since when jobs may have been bought that the journal does not know; our clock.

    Args:
        records: of the scope.
        began: when the slot did; None where it has no beginning.
        now: our clock.
        unfinished: how far back a look was to go that was cut off; None if none was.
    """
    # what a run records of jobs in doubt before it looks says nothing of what it lost: intents alone count
    intents = [record.intent_at for record in records if record.intent_at is not None]
    # what was bought since a loss must not hide what was lost: a day is looked through whatever is known
    blind = now - BLIND if began is None else max(began, now - BLIND)
    since = min(blind, max(intents) - MARGIN) if intents else (now - BLIND if began is None else began)
    return since if unfinished is None else min(since, unfinished)
