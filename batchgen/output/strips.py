"""The steps before the last job of a chain, as its card shows them: pure, and without a word of HTML."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from batchgen.model import Json
from batchgen.output.cards import duration
from batchgen.output.layout import amount, assets, charged, files, shape
from batchgen.output.previews import Preview

_MOST_BESIDE = 6  # jobs of one step that are shown
_MOST_STEPS = 12  # of one chain


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One job on the way to a last one.

    Attributes:
        id, status: the job's.
        card: the number of its card among all jobs, for a link; None where the page does not show it.
        shape: of the file that went on, as of a card.
        preview: of it, if it has any.
        asset_id: what went on, or came out; empty where nothing did.
        cost, time: for people; empty where they are not known.
        error: why it has no result.
    """

    id: str
    status: str
    card: int | None
    shape: str
    preview: Preview
    asset_id: str
    cost: str
    time: str
    error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Strip:
    """What stands before a last job.

    Attributes:
        steps: the jobs of each step, which feed the next one, with how many more there are.
        before: how many steps more there are before the first.
        count: how many jobs the chain has, the last one included.
        cost: what all of them cost, for people; empty where nothing is known.
    """

    steps: Sequence[tuple[Sequence[Step], int]]
    before: int
    count: int
    cost: str


class Strips:
    """The strips of a document, made one at a time."""

    def __init__(
        self,
        document: Mapping[str, Json],
        numbers: Mapping[str, int],
        shown: Collection[int],
        previews: Mapping[str, Preview],
    ) -> None:
        """Take the parts.

        Args:
            document: of results.
            numbers: where each job of a chain stands in it, by id.
            shown: the numbers of the jobs that have a card.
            previews: what was drawn of their files, by path.
        """
        self._jobs: Sequence[Mapping[str, Json]] = document["jobs"]
        self._chains: Mapping[str, Sequence[str]] = document.get("chains", {})
        self._numbers = numbers
        self._shown = shown
        self._previews = previews

    def of(self, last: Mapping[str, Json]) -> Strip | None:
        """Return what stands before a job of the manifest; None where it is not the last of a chain."""
        if not self._chains.get(last["id"]):
            return None
        way = [one for one in self._chains[last["id"]] if one in self._numbers]
        jobs = {one: self._jobs[self._numbers[one]] for one in way}
        goes_on = {
            parent["job"]: parent["asset_id"]
            for job in (*jobs.values(), last)
            for parent in job.get("parents", ())
            if parent["asset_id"]
        }
        levels = list(_levels(jobs))
        steps = [
            ([self._step(jobs[one], goes_on.get(one)) for one in names[:_MOST_BESIDE]], len(names))
            for names in levels[-_MOST_STEPS:]
        ]
        return Strip(
            steps=[(made, count - len(made)) for made, count in steps],
            before=max(0, len(levels) - _MOST_STEPS),
            count=len(way) + 1,
            cost=_cost_of((*jobs.values(), last)),
        )

    def _step(self, job: Mapping[str, Json], asset_id: str | None) -> Step:
        number, times = self._numbers[job["id"]], job["times"]
        which = asset_id or assets(job)[0]
        file = files(job).get(which, {})
        return Step(
            id=job["id"],
            status=job["status"],
            card=number if number in self._shown else None,
            shape=shape(file),
            preview=self._picture(job, file),
            asset_id=which,
            cost=_cost_of([job]),
            time=duration(times["started"] or times["submitted"], times["finished"]),
            error=(job["error"] or {}).get("message", ""),
        )

    def _picture(self, job: Mapping[str, Json], file: Mapping[str, Json]) -> Preview:
        """Return the picture of a file, or of what came with it."""
        drawn = (self._previews.get(one.get("path", ""), Preview()) for one in (file, *job["files"]))
        return next((one for one in drawn if one.src), Preview())


def _levels(jobs: Mapping[str, Mapping[str, Json]]) -> Iterator[list[str]]:
    """Return the ids of the jobs by step, those first that feed others; they come parents first."""
    depth: dict[str, int] = {}
    for name, job in jobs.items():
        before = [depth[one["job"]] for one in job.get("parents", ()) if one["job"] in depth]
        depth[name] = 1 + max(before, default=-1)
    for level in sorted(set(depth.values())):
        yield [name for name, one in depth.items() if one == level]


def _cost_of(jobs: Collection[Mapping[str, Json]]) -> str:
    """Return what jobs cost together, or are to cost; empty where nothing is known."""
    told = [one["cost"] for one in jobs]
    untold = sum(one.get("untold", 0) for one in told)
    known = [Decimal(str(one["charged"])) for one in told if one["charged"] is not None]
    if known or untold:
        return f"{charged(sum(known, Decimal(0)), untold)} CU"
    quoted = [Decimal(str(one["quoted"])) for one in told if one["quoted"] is not None]
    return f"{amount(sum(quoted, Decimal(0)))} CU quoted" if quoted else ""
