"""Jobs that go into other jobs: whether each reference names one of the manifest, and no chain is a circle.

Chains may be as long as a manifest: nothing here goes down them by calling itself.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from batchgen.identity import Reference, is_reference
from batchgen.lineage import Lineage, lineage_of
from batchgen.manifest.expand.sources import way_round
from batchgen.manifest.origins import Origins, Path
from batchgen.manifest.source.problems import MOST_ALIKE, Problems, meant, shortened
from batchgen.manifest.values import Places
from batchgen.model import Job, Json

_MOST_COMPARED = 500  # ids, when one is guessed: to compare one takes some microseconds
_UNKNOWN = "no job of that id"
_CIRCLE = "a circle of jobs"


class Chains:
    """Which jobs of a manifest go into which.

    Args:
        jobs: all of them, each with an id of its own.
        parents: by number the ids that jobs name.
        places, origins: where they come from.
    """

    def __init__(
        self, jobs: Sequence[Job], parents: Mapping[int, Sequence[str]], places: Places, origins: Origins
    ) -> None:
        self._jobs = jobs
        self._parents = parents
        self._places = places
        self._origins = origins
        self._numbers = {job.id: number for number, job in enumerate(jobs)} if parents else {}
        self._names: set[str] | None = None
        self._left_out: Collection[tuple[str, ...]] = ()

    def check(self, problems: Problems, *, left_out: Collection[tuple[str, ...]] = ()) -> None:
        """Note every reference that names no job, and every circle.

        Args:
            problems: takes what is wrong.
            left_out: for jobs that could not be made, and may be meant, what stands in their ids.
        """
        self._left_out = left_out
        before = len(problems)
        numbers, wrong, later = self._numbers, list[int](), False
        for number, names in self._parents.items():
            for name in names:
                parent = numbers.get(name, number)  # a job that names itself is as wrong
                later |= parent > number
                if parent == number and (name in numbers or self._is_unknown(name)):
                    wrong.append(number)
                    break
        # those are called by the wrong name themselves
        known = self._numbers.keys() - {self._jobs[number].id for number in wrong}
        for number in wrong:
            self._note_wrong(number, known if len(problems) - before < MOST_ALIKE else set(), problems)
        if later:  # where every job stands behind those that it names there is no circle
            self._note_circles(lineage_of(self._jobs), problems)

    def _is_unknown(self, name: str) -> bool:
        if name in self._numbers:
            return False
        return not any(all(one in name for one in words) for words in self._left_out)

    def _note_wrong(self, index: int, known: set[str], problems: Problems) -> None:
        job = self._jobs[index]
        for path, one in _references_at(job.params):
            place = self._origins.place(
                index, ("params", *path), model=job.model, fallback=self._places[index]
            )
            if one.job == job.id:
                problems.add(place, f"params.{path[0]}: {_shown(one.job)} goes into itself", kind=_CIRCLE)
            elif self._is_unknown(one.job):
                said = f"params.{path[0]}: no job has the id {_shown(one.job)}{self._instead(one.job, known)}"
                problems.add(place, said, kind=_UNKNOWN)

    def _instead(self, name: str, known: set[str]) -> str:
        """Return what was probably meant by an id that no job has; empty where nothing is near."""
        if self._names is None:
            self._names = {one.name for one in self._origins.entries if one.name}
        if name in self._names:
            return f"; {name} is an entry: from: {{jobs: {name}}} makes a row for each of its jobs"
        return meant(name, sorted(known, key=lambda one: _distance(one, name))[:_MOST_COMPARED])

    def _note_circles(self, lineage: Lineage, problems: Problems) -> None:
        for circle in _circles(lineage):
            if len(circle) == 1:  # into itself: said already
                continue
            index = min(circle)
            turned = circle[circle.index(index) :] + circle[: circle.index(index)]
            job, feeding = self._jobs[index], self._jobs[turned[1]].id
            path = next(path for path, one in _references_at(job.params) if one.job == feeding)
            place = self._origins.place(
                index, ("params", *path), model=job.model, fallback=self._places[index]
            )
            way = [self._jobs[one].id for one in (index, *reversed(turned))]
            said = f"params.{path[0]}: a circle of jobs, of which none can be first: {way_round(way)}"
            problems.add(place, said, kind=_CIRCLE)


def _references_at(value: Json, path: Path = ()) -> Iterator[tuple[Path, Reference]]:
    """Return the references in a value of parameters, each with its path."""
    if is_reference(value):
        yield path, Reference.read(value)
        return
    parts = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, one in parts:
        yield from _references_at(one, (*path, step))


def _circles(lineage: Lineage) -> Iterator[tuple[int, ...]]:
    """Return the circles, at least one of those that hang together, each job of one fed by the next."""
    order = lineage.order
    if len(order) == lineage.count:
        return
    done = set(order)
    seen: dict[int, int] = {}  # by place the walk that came there
    for walk, start in enumerate(one for one in lineage.parents if one not in done):
        place, way = start, list[int]()
        while place not in seen:
            seen[place] = walk
            way.append(place)
            place = next(one for one in lineage.parents[place] if one not in done)
        if seen[place] == walk and way:
            yield tuple(way[way.index(place) :])


def _distance(one: str, name: str) -> tuple[bool, int]:
    """Return what puts ids first that begin as a name does, and are about as long."""
    return one[:2].lower() != name[:2].lower(), abs(len(one) - len(name))


def _shown(name: str) -> str:
    return f'"{shortened(name, 100)}"'
