"""Which few jobs stand for many: spread over entries, models, values and words. Pure, always the same.

Each job taken is the one that has most of what the others have not: another entry, another model, another
value of a parameter, another prompt, other words in it. Of those that are equal in this the ones at even
distances come first. Even distances alone would meet one item again and again where the models take turns.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence

from batchgen.identity import canonical
from batchgen.model import Job, Json
from batchgen.planning.words import words_of

_GOLDEN = 0.618033988749895  # of a whole: steps of it never meet the same place, nor keep time with anything
_MOST = 4000  # jobs that are looked at
_STEPS = 20  # of one: what differs by less is equal


def spread(jobs: Sequence[Job], entries: Sequence[Hashable], count: int) -> list[int]:
    """Return the places of some jobs, in their order.

    Args:
        jobs: of which to take.
        entries: for each what tells the entry that it comes from.
        count: how many to take.
    """
    if count >= len(jobs):
        return list(range(len(jobs)))
    rank = _ranks(len(jobs), count)
    looked_at = _candidates(jobs, entries, most=max(_MOST, 2 * count))
    features = {place: _features(jobs[place], entries[place]) for place in looked_at}
    taken: Counter[Hashable] = Counter()

    def worth(place: int) -> int:
        return round(_STEPS * sum(weight / (1 + taken[one]) for one, weight in features[place].items()))

    heap = [(-worth(place), rank[place], place) for place in looked_at]
    heapq.heapify(heap)
    chosen: list[int] = []
    while len(chosen) < count:
        was, order, place = heapq.heappop(heap)
        now = -worth(place)
        if now > was:  # others were taken since: it has less that is new
            heapq.heappush(heap, (now, order, place))
            continue
        chosen.append(place)
        taken.update(features[place].keys())
    return sorted(chosen)


def _ranks(total: int, count: int) -> list[int]:
    """Return in which order places are taken that are equal otherwise: those at even distances first."""
    rank = [total + int((place * _GOLDEN % 1) * total) for place in range(total)]
    for number in range(count):
        rank[number * total // count] = number
    return rank


def _candidates(jobs: Sequence[Job], entries: Sequence[Hashable], *, most: int) -> list[int]:
    """Return the places to look at: all, or of very many some of each entry and model."""
    if len(jobs) <= most:
        return list(range(len(jobs)))
    kinds: dict[Hashable, list[int]] = defaultdict(list)
    for place, job in enumerate(jobs):
        kinds[entries[place], job.model].append(place)
    share = max(1, most // len(kinds))
    return sorted({place for places in kinds.values() for place in _some_of(places, share)})


def _some_of(places: Sequence[int], count: int) -> Iterator[int]:
    if len(places) <= count:
        yield from places
        return
    yield from (places[int((number * _GOLDEN % 1) * len(places))] for number in range(count))


def _features(job: Job, entry: Hashable) -> dict[Hashable, float]:
    """Return what a job has, with how much each counts: in all the same for every job."""
    prompt = job.prompt or ""
    words = {one.strip().lower() for one in words_of(prompt)} or {""}
    inputs = {(name, _written(value)) for name, value in job.params.items() if name != "seed"} or {("", "")}
    return {
        ("entry", entry): 8.0,
        ("model", job.model): 4.0,
        ("both", entry, job.model): 4.0,
        ("prompt", prompt): 2.0,
        **{("input", *one): 2.0 / len(inputs) for one in inputs},
        **{("word", one): 2.0 / len(words) for one in words},
    }


def _written(value: Json) -> str:
    return value if isinstance(value, str) else canonical(value)
