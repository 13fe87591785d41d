"""Submissions of ours that no record owns, and that are equal to something we sent.

They were likely paid for twice, or paid for and lost. Reads the service's listing and the
journal, and changes nothing; which row is a finding is decided in ``audit``.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from batchgen.errors import ServiceError, StoppedError
from batchgen.lifecycle import Record
from batchgen.model import JobKey
from batchgen.ports import Clock, Generator, Journal
from batchgen.reconcile.audit import BatchHistory, Sent, Situation, Surplus, find_surplus, read_history
from batchgen.reconcile.candidates import Candidates, Listed
from batchgen.reconcile.listing import Listing, read_listing
from batchgen.reconcile.matching import Body, Likeness
from batchgen.reconcile.prompts import Prompts

PATIENCE = 60.0  # seconds for a look after a run: somebody waits for its end


@dataclass(frozen=True, kw_only=True, slots=True)
class Orphans:
    """What a listing showed beside what is on record.

    Attributes:
        surplus: rows that are equal to what was sent for a job.
        others: how many rows that are or may be ours are equal to nothing, or likely another batch's.
        listed: every row, with whose it is.
    """

    surplus: tuple[Surplus, ...] = ()
    others: int = 0
    listed: tuple[Listed, ...] = ()


class OrphanFinder:
    """Looks for orphans; ``troubles`` says what could not be read."""

    def __init__(self, generator: Generator, clock: Clock) -> None:
        self._generator = generator
        self._clock = clock
        self._prompts = Prompts(generator)
        self.troubles: list[str] = []

    async def list(self, since: float) -> Listing:
        """Return the service's jobs, as far back as a date of our clock.

        Raises:
            StoppedError: the service does not let us look.
        """
        listing = await read_listing(self._generator, since=since, clock=self._clock)
        if listing.broken is not None:
            self.troubles.append(f"the listing broke off after {len(listing.rows)} rows: {listing.broken}")
        return listing

    async def find(
        self,
        listing: Listing,
        history: BatchHistory,
        journal: Journal,
        records: Mapping[JobKey, Record],
    ) -> Orphans:
        """Compare a listing with what was sent.

        Args:
            listing: read before the journal was: every row's intent is then in it.
            history: the journal's.
            journal: which knows who has which row, in whatever batch.
            records: of the scope.

        Raises:
            StoppedError: the service does not let us look.
        """
        candidates = Candidates(listing.rows.values(), journal, self._prompts)
        equal = await self._equal_to_what_was_sent(history, candidates)
        free = candidates.free()
        found = find_surplus(free, lambda row: equal.get(row.remote_id, ()), records)
        surplus = [one for one in found if not _may_be_of_another_batch(one, journal, records)]
        return Orphans(
            surplus=tuple(surplus), others=len(free) - len(surplus), listed=tuple(candidates.listed())
        )

    async def _equal_to_what_was_sent(
        self, history: BatchHistory, candidates: Candidates
    ) -> Mapping[str, Sequence[Sent]]:
        """Return what each free row is equal to, by remote id."""
        equal: dict[str, list[Sent]] = defaultdict(list)
        if not candidates.free():
            return equal
        for sent in history.sent:
            body = Body.of(sent.job.model, sent.body)
            await self._read_prompts(body, candidates)
            for row, likeness in candidates.like(body):
                if likeness is Likeness.MATCH:
                    equal[row.remote_id].append(sent)
        return equal

    async def _read_prompts(self, body: Body, candidates: Candidates) -> None:
        try:
            unshown = await candidates.read(body)
        except StoppedError:
            raise
        except ServiceError as error:
            self.troubles.append(f"the prompt of a listed job could not be read: {error}")
            return
        self.troubles += [f"the service does not show the prompt {one} of a listed job" for one in unshown]


def _may_be_of_another_batch(one: Surplus, journal: Journal, records: Mapping[JobKey, Record]) -> bool:
    """Say whether an equal job of another batch misses its answer, and none of ours does."""
    if one.situation not in {Situation.PAID, Situation.UNPAID}:
        return False
    ours = [record for key, record in records.items() if key.content == one.sent.key.content]
    due = (peer for peer in journal.unanswered_equals(one.sent.key) if peer not in ours)
    return any(peer.body == one.sent.body for peer in due)


async def orphans_of_run(
    generator: Generator,
    journal: Journal,
    clock: Clock,
    *,
    since: float,
    known: Sequence[str],
    trouble: Callable[[str], None],
    patience: float = PATIENCE,
) -> list[str]:
    """Look again after a run whose answers were not all received; return a sentence for each orphan.

    Args:
        generator: the service.
        journal: of the batch, up to date.
        clock: ours.
        since: when the run began, seconds since the epoch.
        known: sentences of the run itself; what they name is not named again.
        trouble: is called where the service could not be looked through, which raises nothing.
        patience: seconds until it is given up.
    """
    finder = OrphanFinder(generator, clock)
    try:
        async with asyncio.timeout(patience):
            listing = await finder.list(since)
            history = read_history(journal.history())
            found = await finder.find(listing, history, journal, journal.records())
    except (ServiceError, TimeoutError) as error:
        why = str(error) or f"no answer within {patience:.0f} s"
        trouble(f"after answers were lost the service could not be looked through: {why}")
        return []
    for text in finder.troubles:
        trouble(f"looking again after answers were lost: {text}")
    return [
        _sentence(one)
        for one in found.surplus
        if one.situation in {Situation.PAID, Situation.UNPAID}
        and not any(one.row.remote_id in text for text in known)
    ]


def _sentence(one: Surplus) -> str:
    cost = "of unknown cost" if one.row.cost is None else f"{one.row.cost.normalize():f} CU"
    return (
        f"{one.sent.job.id}: {one.row.remote_id}, {cost}, is equal to what was sent and nobody's: "
        "likely paid twice or lost; `batchgen audit` shows it"
    )
