"""Which jobs feed which: a job whose output goes into another one is its parent. Pure.

Chains may be as long as a manifest: nothing here goes down them by calling itself.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from batchgen.identity import Reference, content_key, references_of, with_references
from batchgen.model import Job


@dataclass(frozen=True, kw_only=True)  # no slots: what is worked out once is kept
class Lineage:
    """The parents and children of jobs, all by their places.

    Attributes:
        count: how many jobs there are.
        parents: of each job that has any, in the order in which it names them, each once.
        children: of each job that has any, in their order.
    """

    count: int = 0
    parents: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    children: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether no job feeds another one."""
        return not self.parents

    @cached_property
    def order(self) -> tuple[int, ...]:
        """All places, parents before their children, and otherwise in their order; a circle is left out."""
        if self.is_empty:
            return tuple(range(self.count))
        missing = {place: len(parents) for place, parents in self.parents.items()}
        found: list[int] = []
        for place in range(self.count):
            if place not in self.parents:
                found += self._freed_by(place, missing)
        return tuple(found)

    def _freed_by(self, place: int, missing: dict[int, int]) -> Iterator[int]:
        """Return a place that waits for none, and all that wait for none once it is there."""
        ready = deque([place])
        while ready:
            one = ready.popleft()
            yield one
            for child in self.children.get(one, ()):
                missing[child] -= 1
                if not missing[child]:
                    ready.append(child)

    @property
    def cycle(self) -> tuple[int, ...]:
        """The places of one circle, each fed by the next; none where there is none."""
        if len(self.order) == self.count:
            return ()
        done = set(self.order)
        place = next(one for one in range(self.count) if one not in done)
        seen: dict[int, int] = {}
        while place not in seen:
            seen[place] = len(seen)
            place = next(one for one in self.parents[place] if one not in done)
        return tuple(seen)[seen[place] :]

    @cached_property
    def last(self) -> tuple[int, ...]:
        """The places where chains end, in their order: jobs with parents and without children."""
        return tuple(place for place in sorted(self.parents) if place not in self.children)

    @cached_property
    def depth(self) -> Mapping[int, int]:
        """How many steps stand before each job that has parents, along its longest way."""
        found: dict[int, int] = {}
        for place in self.order:
            if (parents := self.parents.get(place)) is not None:
                steps = found.get(parents[0], 0)
                found[place] = 1 + (steps if len(parents) == 1 else max(found.get(one, 0) for one in parents))
        return found

    def ancestors(self, place: int) -> tuple[int, ...]:
        """Return all that a job needs, however far back, each once, parents before their children."""
        return self._all_from(place, self.parents)

    def descendants(self, place: int) -> tuple[int, ...]:
        """Return all that need a job, however far on, each once, parents before their children."""
        return self._all_from(place, self.children)

    def _all_from(self, place: int, ways: Mapping[int, tuple[int, ...]]) -> tuple[int, ...]:
        found: dict[int, None] = {}
        ahead = deque(ways.get(place, ()))
        while ahead:
            one = ahead.popleft()
            if one not in found:
                found[one] = None
                ahead.extend(ways.get(one, ()))
        depth = self.depth
        return tuple(sorted(found, key=lambda one: (depth.get(one, 0), one)))


def lineage_of(jobs: Sequence[Job]) -> Lineage:
    """Return who feeds whom.

    Names that are no job's are left out, and of two jobs of one name the first counts.
    """
    named = {place: found for place, job in enumerate(jobs) if (found := references_of(job))}
    if not named:
        return Lineage(count=len(jobs))
    wanted = {one.job for found in named.values() for one in found}
    places: dict[str, int] = {}
    for place, job in enumerate(jobs):
        if job.id in wanted:
            places.setdefault(job.id, place)
    parents = {
        place: tuple(dict.fromkeys(places[one.job] for one in found if one.job in places))
        for place, found in named.items()
    }
    parents = {place: fed_by for place, fed_by in parents.items() if fed_by}
    children: defaultdict[int, list[int]] = defaultdict(list)
    for place, fed_by in parents.items():
        for one in fed_by:
            children[one].append(place)
    return Lineage(
        count=len(jobs), parents=parents, children={place: tuple(one) for place, one in children.items()}
    )


One = TypeVar("One")


def content_beside_parents(job: Job) -> str:
    """Name what a job asks for beside its parents."""
    return content_key(with_references(job, lambda _: Reference("")))


def contents_behind(
    first: One, *, children: Callable[[One], Sequence[One]], job: Callable[[One], Job | None]
) -> Counter[str]:
    """Count what hangs on a job by what it asks for beside its parents, whichever outputs go in.

    Args:
        first: the job, or its record.
        children: gives those that it feeds.
        job: gives what is asked for.
    """
    found: dict[One, str] = {}
    ahead = [first]
    while ahead:
        for one in children(ahead.pop()):
            asked = job(one)
            if one not in found and asked is not None:
                found[one] = content_beside_parents(asked)
                ahead.append(one)
    return Counter(found.values())
