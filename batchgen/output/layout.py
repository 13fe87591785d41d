"""Which cards a page shows, in what order, and what all jobs cost: one pass over a results document.

A document of a hundred thousand jobs makes each anew whenever it is looked at: nothing here keeps one.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

from batchgen.model import Json
from batchgen.output.entries import Status

_LATE = {Status.PENDING: 2, Status.BLOCKED: 2, Status.RUNNING: 1}
_ORDER = {"picture": 0, "video": 1, "audio": 2, "mesh": 3, "text": 4, "file": 5, "absent": 6}


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelCost:
    """One line of the table of costs; amounts as text."""

    model: str
    jobs: int
    succeeded: int
    quoted: str
    charged: str
    refunded: str
    net: str


class Spot(NamedTuple):
    """Where a card stands among all, and of what it is one.

    Attributes:
        kind, late: pictures come first, then other files, then jobs without any, the open ones last.
        job: the job's number in the document, what was removed behind the rest.
        asset: the asset's number in the job.
    """

    kind: int
    late: int
    job: int
    asset: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """What of a document a page shows.

    Attributes:
        spots: of the cards, in their order.
        left_out: how many cards more there would be.
        costs: what every model cost, the dearest first.
        numbers: where each job that is in a chain stands in the document, by id.
    """

    spots: Sequence[Spot]
    left_out: int
    costs: Sequence[ModelCost]
    numbers: Mapping[str, int] = field(default_factory=dict)


def lay_out(document: Mapping[str, Json], most: int) -> Layout:
    """Choose the first cards, and add up everything: one pass, for each look at a job makes it anew."""
    sums: dict[str, _Sums] = defaultdict(_Sums)
    count = 0
    ways: Mapping[str, Sequence[str]] = document.get("chains", {})
    in_chains = {*ways, *chain.from_iterable(ways.values())}
    numbers: dict[str, int] = {}

    def spots() -> Iterator[Spot]:
        nonlocal count
        for number, job in enumerate(_jobs(document)):
            sums[job["model"]].add(job)
            if job["id"] in in_chains:
                numbers.setdefault(job["id"], number)
            for spot in _spots(number, job):
                count += 1
                yield spot

    chosen = heapq.nsmallest(most, spots())
    return Layout(spots=chosen, left_out=count - len(chosen), costs=_model_costs(sums), numbers=numbers)


def _jobs(document: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    return chain(document["jobs"], document.get("removed", ()))


def _spots(number: int, job: Mapping[str, Json]) -> Iterator[Spot]:
    late = _LATE.get(job["status"], 0)
    found = files(job)
    for place, asset_id in enumerate(assets(job)):
        yield Spot(_ORDER[shape(found.get(asset_id, {}))], late, number, place)


def assets(job: Mapping[str, Json]) -> Sequence[str]:
    """Return a job's assets; a job that has none has one card all the same."""
    return job["asset_ids"] or [""]


def files(job: Mapping[str, Json]) -> dict[str, Mapping[str, Json]]:
    """Return a job's files by their assets."""
    return {file["asset_id"]: file for file in job["files"]}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What is at the spots of a page, all of them together.

    Attributes:
        files: that cards show, each as often as it is shown.
        models: of their jobs, in the order of their names.
        films: how many of the files are films.
    """

    files: Sequence[Mapping[str, Json]]
    models: Sequence[str]
    films: int


def shown_at(document: Mapping[str, Json], spots: Iterable[Spot]) -> Shown:
    """Look at all spots once: twenty thousand cards are made one by one, and none is kept."""
    found, models, films = [], set[str](), 0
    for spot in spots:
        job = job_at(document, spot)
        models.add(job["model"])
        file = files(job).get(assets(job)[spot.asset])
        if file is not None:
            found.append(file)
            films += shape(file) == "video"
    return Shown(files=found, models=sorted(models), films=films)


def job_at(document: Mapping[str, Json], spot: Spot) -> Mapping[str, Json]:
    """Return the job that a card is of."""
    jobs: Sequence[Mapping[str, Json]] = document["jobs"]
    return jobs[spot.job] if spot.job < len(jobs) else document["removed"][spot.job - len(jobs)]


def shape(file: Mapping[str, Json]) -> str:
    """Return the shape of a file's card; the file may be missing."""
    return shape_of(file.get("mime", "")) if file.get("path") else "absent"


def shape_of(mime: str) -> str:
    """Return the card's shape for a file of this type."""
    family = mime.partition("/")[0]
    if mime in {"image/vnd.radiance", "image/x-exr", "image/heic"}:
        return "file"  # no browser draws them
    if mime == "application/json":
        return "text"
    return {"image": "picture", "video": "video", "audio": "audio", "model": "mesh", "text": "text"}.get(
        family, "file"
    )


@dataclass(slots=True)
class _Sums:
    """What the jobs of one model came to; the text of a number is exact where the number is not."""

    jobs: int = 0
    succeeded: int = 0
    untold: int = 0
    amounts: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, job: Mapping[str, Json]) -> None:
        self.jobs += 1
        self.succeeded += job["status"] == Status.SUCCEEDED
        self.untold += job["cost"].get("untold", 0)
        for name in ("quoted", "charged", "refunded"):
            if units := job["cost"][name]:
                self.amounts[name] += Decimal(str(units))


def _model_costs(sums: Mapping[str, _Sums]) -> list[ModelCost]:
    return [
        ModelCost(
            model=model,
            jobs=one.jobs,
            succeeded=one.succeeded,
            quoted=amount(one.amounts["quoted"]) if one.amounts["quoted"] else "",
            charged=charged(one.amounts["charged"], one.untold),
            refunded=amount(one.amounts["refunded"]),
            net=charged(one.amounts["charged"] - one.amounts["refunded"], one.untold),
        )
        for model, one in sorted(sums.items(), key=lambda item: -item[1].amounts["charged"])
    ]


def charged(units: float | Decimal | None, untold: int) -> str:
    """Return what was charged as far as it is known, and how many charges nobody has told."""
    left = [f"{untold} not told"] if untold else []
    return " + ".join(([amount(units)] if units or not untold else []) + left)


def amount(units: float | Decimal | None) -> str:
    """Return compute units as people read them."""
    if units is None:
        return "unknown"
    text = f"{round(units, 2):,}"
    return text.rstrip("0").rstrip(".") if "." in text else text
