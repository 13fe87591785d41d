"""Which job of the manifest is which record of the journal.

Equal jobs are matched, not numbered: taking one of two equals out of a manifest never
makes the other one look new, which would buy it again.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from batchgen.identity import content_key
from batchgen.lifecycle import Record, State
from batchgen.model import Job, JobKey
from batchgen.planning.editions import Shelf

T = TypeVar("T")

_MOST_PAIRS = 100_000  # of equal jobs and records that are weighed: beyond that any will do

# The better a record stands, the sooner a wanted job takes it: what is done or paid for first.
_STANDING: Mapping[State, int] = {
    State.COLLECTED: 0,
    State.SUCCEEDED: 0,
    State.RUNNING: 1,
    State.SUBMITTING: 1,
    State.IN_DOUBT: 2,
    State.HELD: 2,
    State.PLANNED: 3,
    State.FAILED: 4,
    State.REFUSED: 4,
    State.CANCELED: 4,
    State.ABANDONED: 5,
}


def match(jobs: Sequence[Job], records: Mapping[JobKey, Record]) -> tuple[list[JobKey], list[JobKey]]:
    """Return each job its key, in order, and the keys of the records that no job took.

    Of jobs that no other one feeds: what a chain asks for is known step by step. Of a job with several
    editions it is the key of the first; the others are among those that no job took.
    """
    matching = Matching(records)
    keys = matching.take(list(map(content_key, jobs)), jobs)
    return keys, matching.left()


class Ties(Protocol):
    """What ties jobs to records beyond that they ask for the same."""

    def fits(self, index: int, key: JobKey) -> bool:
        """Return whether the job at this place may have the record of this key."""
        ...

    def rank(self, index: int, key: JobKey) -> tuple[int, int]:
        """Return how well a record suits a job, the best first."""
        ...


class Matching:
    """Matches the jobs of a manifest with records, in one go or step by step; no record serves two jobs."""

    def __init__(self, records: Mapping[JobKey, Record]) -> None:
        """Begin with all records free; the editions of one job are one, by the first of them."""
        self._records = records
        self.shelf = shelf = Shelf(records)
        free = (key for key in records if not shelf.is_later(key)) if shelf else records
        self._recorded = _gathered((key.content, key) for key in free)
        self._taken: set[JobKey] = set()

    def take(self, contents: Sequence[str], jobs: Sequence[Job], ties: Ties | None = None) -> list[JobKey]:
        """Return the keys of some jobs, which are taken from now on.

        Args:
            contents: what each asks for.
            jobs: the same jobs.
            ties: says which records may be whose, and which suit best; None where all are alike.
        """
        wanted = _gathered((content, index) for index, content in enumerate(contents))
        keys: list[JobKey | None] = [None] * len(jobs)
        for content, indices in wanted.items():
            found = self._recorded.get(content)
            if isinstance(indices, int) and not isinstance(found, list):  # nearly all
                key = JobKey(content) if found is None else found
                if key not in self._taken and (found is None or ties is None or ties.fits(indices, key)):
                    keys[indices] = key
                    continue
            places = [indices] if isinstance(indices, int) else indices
            candidates = found if isinstance(found, list) else [] if found is None else [found]
            for index, key in self._match_equals(content, places, jobs, candidates, ties).items():
                keys[index] = key
        made = [key for key in keys if key is not None]
        self._taken.update(made)
        return made

    def keep(self, key: JobKey) -> None:
        """Leave a record to a job that has it for another reason."""
        self._taken.add(key)

    def is_free(self, key: JobKey) -> bool:
        """Return whether there is a record of this key that no job has."""
        return key in self._records and key not in self._taken

    def left(self) -> list[JobKey]:
        """Return the keys of the records that no job took, oldest first."""
        return [key for key in self._records if key not in self._taken]

    def _match_equals(
        self,
        content: str,
        indices: Sequence[int],
        jobs: Sequence[Job],
        candidates: Iterable[JobKey],
        ties: Ties | None,
    ) -> dict[int, JobKey]:
        """Match the jobs that ask for the same: by id first, then best standing first, then new keys."""
        records = self._records
        best = sorted(candidates, key=lambda key: (_STANDING[records[key].state], key.ordinal))
        used = {key.ordinal for key in best} | {one.ordinal for one in self._taken_of(content)}
        used |= self.shelf.ordinals(content)
        best = [key for key in best if key not in self._taken]

        def may(index: int, key: JobKey) -> bool:
            return ties is None or ties.fits(index, key)

        keys = self._found_by_id(indices, jobs, best, may)
        found = set(keys.values())
        best = [key for key in best if key not in found]
        left = [index for index in indices if index not in keys]
        pairs = [(index, key) for index in left for key in best if may(index, key)] if best else []
        if ties is not None and len(pairs) <= _MOST_PAIRS:
            pairs.sort(key=lambda pair: ties.rank(*pair))
        given: set[JobKey] = set()
        for index, key in pairs:
            if index not in keys and key not in given:
                keys[index] = key
                given.add(key)
        free = (one for one in itertools.count() if one not in used)
        for index in indices:
            if index not in keys:
                keys[index] = JobKey(content, next(free))
        return keys

    def _found_by_id(
        self,
        indices: Iterable[int],
        jobs: Sequence[Job],
        best: Iterable[JobKey],
        may: Callable[[int, JobKey], bool],
    ) -> dict[int, JobKey]:
        """Match the jobs that are still called as one of the records, of which there may be thousands."""
        named: defaultdict[str | None, list[JobKey]] = defaultdict(list)
        for key in best:
            named[self._recorded_id(key)].append(key)
        keys: dict[int, JobKey] = {}
        for index in indices:
            same = named.get(jobs[index].id, [])
            found = next((key for key in same if may(index, key)), None)
            if found is not None:
                keys[index] = found
                same.remove(found)
        return keys

    def _recorded_id(self, key: JobKey) -> str | None:
        """Return what the job was called when the latest of its editions was sent."""
        editions = (self._records.get(one) for one in reversed(self.shelf.of(key).all))
        return next((one.job.id for one in editions if one is not None and one.job is not None), None)

    def _taken_of(self, content: str) -> Iterator[JobKey]:
        ordinal = 0
        while (key := JobKey(content, ordinal)) in self._taken:
            yield key
            ordinal += 1


def _gathered(pairs: Iterable[tuple[str, T]]) -> dict[str, T | list[T]]:
    """Return what has each name: a list only where it is more than one, for 100,000 lists weigh 9 MB."""
    found: dict[str, T | list[T]] = {}
    for name, one in pairs:
        before = found.setdefault(name, one)
        if before is one:
            continue
        if isinstance(before, list):
            before.append(one)
        else:
            found[name] = [before, one]
    return found
