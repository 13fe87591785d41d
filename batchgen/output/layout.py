"""Which cards a page shows, and what all jobs cost: one pass over a results document.

A document of a hundred thousand jobs makes each anew whenever it is looked at: nothing here keeps one.
"""

import heapq
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

from batchgen.model import Json
from batchgen.output.entries import Status

_LATE = {Status.PENDING: 2, Status.BLOCKED: 2, Status.RUNNING: 1}
_MOST_VALUES = 60  # of a variable, for a table of its costs
_ORDER = {"picture": 0, "video": 1, "audio": 2, "mesh": 3, "text": 4, "file": 5, "absent": 6}


@dataclass(frozen=True, kw_only=True, slots=True)
class CostLine:
    """One line of a table of costs; amounts as text.

    Attributes:
        name: what it is of: a model, an entry, a day, a value of a variable.
        jobs, succeeded: how many of its jobs there are, and how many are done.
    """

    name: str
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
        spots: of the cards, the first of all in this order.
        left_out: how many cards more there would be.
        costs: tables by what they are of, ``model``, ``day``, ``entry`` and ``var.NAME``; models, entries and
            values the dearest first, days in their order. A table of one line says nothing and is left out,
            but for models.
        numbers: where each job that is in a chain stands in the document, by id.
    """

    spots: Sequence[Spot]
    left_out: int
    costs: Mapping[str, Sequence[CostLine]]
    numbers: Mapping[str, int] = field(default_factory=dict)


def lay_out(document: Mapping[str, Json], most: int) -> Layout:
    """Choose the first cards, and add up everything: one pass, for each look at a job makes it anew."""
    tables = _Tables(document)
    count = 0
    ways: Mapping[str, Sequence[str]] = document.get("chains", {})
    in_chains = {*ways, *chain.from_iterable(ways.values())}
    numbers: dict[str, int] = {}

    def spots() -> Iterator[Spot]:
        nonlocal count
        for number, job in enumerate(_jobs(document)):
            tables.add(job)
            if job["id"] in in_chains:
                numbers.setdefault(job["id"], number)
            for spot in _spots(number, job):
                count += 1
                yield spot

    chosen = heapq.nsmallest(most, spots())
    return Layout(spots=chosen, left_out=count - len(chosen), costs=tables.lines(), numbers=numbers)


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


def job_number(document: Mapping[str, Json], number: int) -> Mapping[str, Json]:
    """Return a job by its number; those that were removed are behind the rest."""
    jobs: Sequence[Mapping[str, Json]] = document["jobs"]
    return jobs[number] if number < len(jobs) else document["removed"][number - len(jobs)]


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
    """What some jobs came to; the text of a number is exact where the number is not."""

    jobs: int = 0
    succeeded: int = 0
    untold: int = 0
    quoted: Decimal = Decimal(0)
    charged: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)

    def count(self, job: Mapping[str, Json]) -> None:
        self.jobs += 1
        self.succeeded += job["status"] == Status.SUCCEEDED

    def add(self, cost: Mapping[str, Json]) -> None:
        self.untold += cost.get("untold", 0)
        self.quoted += Decimal(str(cost["quoted"] or 0))
        self.charged += Decimal(str(cost["charged"] or 0))
        self.refunded += Decimal(str(cost["refunded"] or 0))

    def line(self, name: str) -> CostLine:
        return CostLine(
            name=name,
            jobs=self.jobs,
            succeeded=self.succeeded,
            quoted=amount(self.quoted) if self.quoted else "",
            charged=charged(self.charged, self.untold),
            refunded=amount(self.refunded),
            net=charged(self.charged - self.refunded, self.untold),
        )


class _Tables:
    """The costs of all jobs by model, by day, by entry and by each variable of few values."""

    def __init__(self, document: Mapping[str, Json]) -> None:
        self._tables: dict[str, dict[str, _Sums]] = defaultdict(lambda: defaultdict(_Sums))
        self._wide: set[str] = set()
        self._counted = {one["job_id"] for one in document.get("removed", ())}

    def add(self, job: Mapping[str, Json]) -> None:
        """Count a job with all that was paid for it; what was removed has its own place in the document."""
        places = [("entry", job.get("entry") or ""), ("day", (job["times"]["submitted"] or "")[:10])]
        places += [(f"var.{name}", word(value)) for name, value in job.get("vars", {}).items()]
        costs = [(job["model"], job["cost"]), *self._other_costs(job)]
        self._sums("model", job["model"]).count(job)
        for model, cost in costs:
            self._sums("model", model).add(cost)
        for table, name in places:
            if table in self._wide or (table == "day" and not name):
                continue
            sums = self._sums(table, name)
            sums.count(job)
            for _, cost in costs:
                sums.add(cost)
            if table.startswith("var.") and len(self._tables[table]) > _MOST_VALUES:  # names are no axis
                del self._tables[table]
                self._wide.add(table)

    def _sums(self, table: str, name: str) -> _Sums:
        return self._tables[table][name]

    def _other_costs(self, job: Mapping[str, Json]) -> Iterator[tuple[str, Mapping[str, Json]]]:
        """Return what else was paid for a job: what is made in its place, and what it was before."""
        if redo := job.get("redo"):
            yield job["model"], redo["cost"]
        for one in job.get("earlier", ()):
            if "cost" in one and one["job_id"] is not None and one["job_id"] not in self._counted:
                self._counted.add(one["job_id"])
                yield one["model"], one["cost"]

    def lines(self) -> dict[str, Sequence[CostLine]]:
        tables = {name: one for name, one in self._tables.items() if name == "model" or len(one) > 1}
        return {name: [sums.line(key) for key, sums in _ordered(name, one)] for name, one in tables.items()}


def _ordered(table: str, sums: Mapping[str, _Sums]) -> list[tuple[str, _Sums]]:
    if table == "day":
        return sorted(sums.items())
    return sorted(sums.items(), key=lambda item: -item[1].charged)


def word(value: Json) -> str:
    """Return a variable's value as people and filters know it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


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
