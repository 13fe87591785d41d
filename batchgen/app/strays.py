"""Submissions of ours that no record owns, and that are equal to something we sent.

They were likely paid for twice, or paid for and lost. Reads the service's listing and the
journal, and changes nothing; which row is a finding gets decided in ``plan.auditing``.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from batchgen.app.clock import SystemClock
from batchgen.engine.likeness import Likeness, compare
from batchgen.engine.listing import read_listing
from batchgen.errors import ServiceError, StoppedError
from batchgen.lifecycle import Record
from batchgen.model import JobKey, RemoteJob, Text
from batchgen.plan.auditing import Bodies, Sent, Situation, Story, Surplus, find_surplus, is_ours, read_story
from batchgen.ports import Generator, Journal

MARGIN = 600.0  # seconds by which the service's clock may be behind before it is asked again

PATIENCE = 60.0  # seconds for a look after a run: somebody waits for its end


@dataclass(frozen=True, kw_only=True, slots=True)
class Strays:
    """What a listing showed beside what is on record.

    Attributes:
        surplus: rows that are equal to what was sent for a job.
        others: how many rows of ours are equal to nothing, or likely another batch's.
    """

    surplus: tuple[Surplus, ...] = ()
    others: int = 0


class StrayFinder:
    """Looks for strays; ``troubles`` says what could not be read."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._texts: dict[str, Text] = {}
        self.troubles: list[str] = []

    async def list(self, since: float) -> dict[str, RemoteJob]:
        """Give the service's jobs by remote id, as far back as a date of our clock.

        Raises:
            StoppedError: the service does not let us look.
        """
        listing = await read_listing(self._generator, since=since, clock=SystemClock())
        if listing.skew < -MARGIN / 2:  # its clock is behind: by its dates it was earlier
            listing = await read_listing(self._generator, since=since, clock=SystemClock(), skew=listing.skew)
        if listing.broken is not None:
            self.troubles.append(f"the listing broke off after {len(listing.rows)} rows: {listing.broken}")
        return {row.remote_id: row for row in listing.rows}

    async def find(
        self,
        rows: Mapping[str, RemoteJob],
        story: Story,
        journal: Journal,
        records: Mapping[JobKey, Record],
    ) -> Strays:
        """Hold rows against what was sent.

        Args:
            rows: listed before the journal was read: every row's intent is then in it.
            story: the journal's.
            journal: which knows what is owned, in whatever batch.
            records: of the scope.

        Raises:
            StoppedError: the service does not let us look.
        """
        owned, authors = set(journal.owned(list(rows))), journal.authors
        free = [row for row in rows.values() if row.remote_id not in owned and is_ours(row, authors)]
        found = find_surplus(free, await self._comparer(story, free), records)
        surplus = [one for one in found if not _may_be_of_another_batch(one, journal, records)]
        return Strays(surplus=tuple(surplus), others=len(free) - len(surplus))

    async def _comparer(
        self, story: Story, free: Iterable[RemoteJob]
    ) -> Callable[[RemoteJob], Sequence[Sent]]:
        """Fetch the prompts that a comparison of these rows needs, and give what compares."""
        bodies = Bodies(story.sent)

        def equals(row: RemoteJob, wanted: Likeness = Likeness.MATCH) -> Sequence[Sent]:
            like = bodies.like(row)
            return [one for one in like if compare(one.body, one.job.model, row, self._texts) is wanted]

        for row in free:
            if equals(row, Likeness.UNREAD):
                await self._read_prompt(row)
        return equals

    async def _read_prompt(self, row: RemoteJob) -> None:
        prompt = str((row.inputs or {}).get("prompt"))
        try:
            text = await self._generator.text(prompt)
        except StoppedError:
            raise
        except ServiceError as error:
            self.troubles.append(f"{row.remote_id}: its prompt could not be read: {error}")
            return
        if text is None:
            self.troubles.append(f"{row.remote_id}: the service does not show its prompt {prompt}")
        else:
            self._texts[prompt] = text


def _may_be_of_another_batch(one: Surplus, journal: Journal, records: Mapping[JobKey, Record]) -> bool:
    """Tell whether an equal job of another batch misses its answer, and none of ours does."""
    if one.situation not in {Situation.PAID, Situation.UNPAID}:
        return False
    ours = [record for key, record in records.items() if key.content == one.sent.key.content]
    due = (peer for peer in journal.unanswered_equals(one.sent.key) if peer not in ours)
    return any(peer.body == one.sent.body for peer in due)


async def strays_of_a_run(
    generator: Generator,
    journal: Journal,
    *,
    since: float,
    told: Sequence[str],
    trouble: Callable[[str], None],
    patience: float = PATIENCE,
) -> list[str]:
    """Look again after a run whose answers were not all received; give a sentence for each stray.

    Args:
        generator: the service.
        journal: of the batch, up to date.
        since: when the run began, seconds since the epoch.
        told: sentences of the run itself; what they name is not named again.
        trouble: is told where the service could not be looked through, which raises nothing.
        patience: seconds until it is given up.
    """
    finder = StrayFinder(generator)
    try:
        async with asyncio.timeout(patience):
            rows = await finder.list(since)
            found = await finder.find(rows, read_story(journal.history()), journal, journal.records())
    except (ServiceError, TimeoutError) as error:
        why = str(error) or f"no answer within {patience:.0f} s"
        trouble(f"after answers were lost the service could not be looked through: {why}")
        return []
    for text in finder.troubles:
        trouble(f"looking again after answers were lost: {text}")
    return [
        _told(one)
        for one in found.surplus
        if one.situation in {Situation.PAID, Situation.UNPAID}
        and not any(one.row.remote_id in text for text in told)
    ]


def _told(one: Surplus) -> str:
    cost = "of unknown cost" if one.row.cost is None else f"{one.row.cost.normalize():f} CU"
    return (
        f"{one.sent.job.id}: {one.row.remote_id}, {cost}, is equal to what was sent and nobody's: "
        "likely paid twice or lost; `batchgen audit` shows it"
    )
