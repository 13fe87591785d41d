"""Jobs that stepped aside: while a body is in doubt nothing equal to it is submitted."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from batchgen.engine.doubts import Doubts
from batchgen.identity import has_asset, references_of
from batchgen.planning.plan import Entry
from batchgen.ports import Journal


class Aside:
    """The jobs of one run that wait for an equal one in doubt."""

    def __init__(self, journal: Journal, body_of: Callable[[Entry], str]) -> None:
        """Begin with none.

        Args:
            journal: knows what is in doubt.
            body_of: gives the body that would be sent for a job.
        """
        self._journal = journal
        self._body_of = body_of
        self._jobs: list[Entry] = []
        self._others: tuple[Doubts, ...] = ()
        self._patience = 0.0

    def __len__(self) -> int:
        """Count those for which a run goes on: they wait for a job of another slot that is looked for."""
        return 0 if all(one.clear for one in self._others) else len(self._jobs)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._jobs)

    @property
    def any(self) -> bool:
        """Whether some stepped aside."""
        return bool(self._jobs)

    def add(self, entry: Entry) -> None:
        """Let one wait."""
        self._jobs.append(entry)

    def drop(self, model: str) -> None:
        """Let those of a model wait no longer."""
        self._jobs = [one for one in self._jobs if one.job.model != model]

    def release(self) -> list[Entry]:
        """Return all of them: what they waited for may be settled."""
        released, self._jobs = self._jobs, []
        return released

    def must(self, entry: Entry) -> bool:
        """Return whether a job has to step aside."""
        fed = bool(references_of(entry.job)) or any(map(has_asset, entry.job.params.values()))
        body = self._body_of(entry) if fed else ""
        bodies = self._journal.bodies_in_doubt(entry.key, body)
        return bool(bodies) and (body or self._body_of(entry)) in bodies

    def follow(self, others: Iterable[Doubts], settled: Callable[[], None], *, patience: float) -> None:
        """Learn of the doubts of other slots, and have somebody told when one of them is settled.

        Args:
            others: the doubts.
            settled: called then.
            patience: seconds for which nothing at all is bought because of them.
        """
        self._others, self._patience = tuple(others), patience
        for one in self._others:
            one.tell(settled)

    async def let_others_settle(self) -> None:
        """Wait for the doubts of other slots, for as long as the patience goes."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                for one in self._others:
                    await one.wait()
