"""Which jobs are known under another id: as they were bought, or changed besides. Pure.

An id that nobody wrote is made of the prompt's words, so that an edit changes it too: a new job then stands
in the place of one that is gone. As in git this is found by likeness, is for people, and decides nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from batchgen.model import Job
from batchgen.planning.changes import Changed, changes
from batchgen.planning.plan import Entry, Plan, Standing
from batchgen.planning.words import words_of

_ALIKE = 0.5  # of the letters of both texts
_COMMON = 30  # jobs that have a word: one that more have tells them not apart
_RAREST = 5  # words of a text by which others are looked for
_MOST = 20_000  # new jobs: of more nobody reads a list
_LOOKED_AT = 2000  # jobs whose prompts tell which words are common


def renamed(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Return the old and the new id of each job that has another one, and is the same in all else."""
    known = ((one.record.job, one) for one in plan.entries if not one.accepted)
    return tuple((old.id, one.job.id) for old, one in known if old is not None and old.id != one.job.id)


def changed_under_new_ids(plan: Plan) -> tuple[Changed, ...]:
    """Return each new job that would be bought and looks like one that the manifest no longer has."""
    ids = {one.job.id for one in plan.entries}
    gone = [one for one in plan.removed if one.job.id not in ids]
    new = [one for one in plan.to_submit if one.standing is Standing.NEW]
    if not gone or len(new) > _MOST:
        return ()
    found, index = [], _Index([one.job for one in gone], _counts_of([one.job for one in plan.entries]))
    for number, entry in enumerate(new):
        place = index.take(entry.job, near=number * len(gone) // len(new))
        if place is not None:
            found.append(_pair(gone[place], entry))
    return tuple(found)


def _pair(before: Entry, entry: Entry) -> Changed:
    return Changed(entry=entry, before=before, changes=changes(before.job, entry.job))


class _Index:
    """Jobs that can be found by words of their prompts, each once."""

    def __init__(self, jobs: Sequence[Job], counts: Mapping[str, float]) -> None:
        """Take the jobs.

        Args:
            jobs: that are to be found.
            counts: how many jobs of the manifest have a word: one that all have tells nothing.
        """
        own = _counts_of(jobs)
        self._counts = {word: max(own.get(word, 1), counts.get(word, 1)) for word in {*own, *counts}}
        self._words = [self._weights(one) for one in jobs]
        self._models = [one.model for one in jobs]
        self._free = set(range(len(jobs)))
        self._having: dict[str, list[int]] = defaultdict(list)
        for place, words in enumerate(self._words):
            for word in words:
                self._having[word].append(place)

    def take(self, job: Job, *, near: int) -> int | None:
        """Return the number of the one that is most alike, of several the nearest; None where none is."""
        words = self._weights(job)
        rarest = sorted((one for one in words if one in self._having), key=lambda one: len(self._having[one]))
        there = {place for word in rarest[:_RAREST] for place in self._having[word][:_COMMON]}
        there |= set(range(near - 2, near + 3))
        best = max(
            (
                (self._alike(place, job.model, words), -abs(place - near), place)
                for place in there & self._free
            ),
            default=(0.0, 0, 0),
        )
        if best[0] < _ALIKE:
            return None
        self._free.discard(best[2])
        return best[2]

    def _weights(self, job: Job) -> dict[str, float]:
        return {word: len(word) / self._counts.get(word, 1) for word in _words_in(job)}

    def _alike(self, place: int, model: str, words: Mapping[str, float]) -> float:
        other = self._words[place]
        both = sum(words.values()) + sum(other.values())
        shared = sum(weight for word, weight in words.items() if word in other)
        if not both:
            return 0.0
        return 2 * shared / both - (0.0 if model == self._models[place] else 0.2)


def _words_in(job: Job) -> set[str]:
    """Return the words of a prompt: signs alone count for nothing."""
    words = {one.strip().lower() for one in words_of(job.prompt or "")}
    return {one for one in words if any(map(str.isalnum, one))}


def _counts_of(jobs: Sequence[Job]) -> dict[str, float]:
    """Return how many jobs have each word; of many jobs a part of them tells."""
    step = max(1, len(jobs) // _LOOKED_AT)
    counts = Counter(word for job in jobs[::step] for word in _words_in(job))
    return {word: float(count * step) for word, count in counts.items()}
