"""Which jobs cost the same, and which of them to ask the service about. Pure.

A price class is a model and the values of those inputs that the model says change its price.
One question a class is enough, and one more shows whether a large one is one; where nearly
every job is a class of its own, a spread of them gives a range.

Of another job's output that moves a price it counts what it is: its kind, pixels and seconds. Before it is
there, what is expected of the job that makes it; then the class is priced by an estimate.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from batchgen.catalog.declared import Declared, declare
from batchgen.identity import Reference, canonical, is_reference, references_in
from batchgen.model import Job, Json, Model

MOST_QUOTES = 200  # a plan
LARGE = 50  # jobs: a class of more is asked about twice
MOST_CLASSES = 40  # of one model: where there are more, they are priced by a spread of them
SPREAD = 20  # jobs between the extremes
_MOST_COST = Decimal(10) ** 9


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """What jobs of one class cost, in compute units.

    Attributes:
        low, high: equal where every answer was the same.
    """

    low: Decimal
    high: Decimal

    def __add__(self, other: "Price") -> "Price":
        return Price(low=self.low + other.low, high=self.high + other.high)

    def __sub__(self, other: "Price") -> "Price":
        return Price(low=self.low - other.low, high=self.high - other.high)

    def times(self, count: int) -> "Price":
        """Return what so many cost."""
        return Price(low=self.low * count, high=self.high * count)


NOTHING = Price(low=Decimal(0), high=Decimal(0))


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceClass:
    """Jobs that cost the same, by what their model declares.

    Attributes:
        name: the canonical form of what moves the price; the same in every plan.
        model: the service's id.
        moving: the inputs that move the price, with their values; of files their number.
        jobs: their places among all that were given, in order.
        is_estimated: whether an output that is not there yet moves the price.
    """

    name: str
    model: str
    moving: Mapping[str, Json]
    jobs: tuple[int, ...]
    is_estimated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Jobs that are given one price: a class, or all of a model whose classes are too many.

    Attributes:
        classes: what is in it; of a spread many.
        asked: for each class that is asked about, the places of the jobs to ask for.
    """

    model: str
    classes: tuple[PriceClass, ...]
    asked: tuple[tuple[PriceClass, tuple[int, ...]], ...]

    @property
    def jobs(self) -> int:
        """How many jobs get this price."""
        return sum(len(one.jobs) for one in self.classes)

    @property
    def name(self) -> str:
        """The name of its first class, which stands for all of them."""
        return self.classes[0].name

    @property
    def is_estimated(self) -> bool:
        """Whether outputs that are not there yet move the price of any of it."""
        return any(one.is_estimated for one in self.classes)

    @property
    def is_spread(self) -> bool:
        """Whether the price was looked for in some of its classes only."""
        return len(self.classes) > 1


class Given(NamedTuple):
    """What another job gives, as far as a price may depend on it.

    Attributes:
        name: the same in every plan for what costs the same.
        shown: for people.
        weight: larger for what is likely to cost more.
        is_there: whether it is the output itself, and not what is expected.
    """

    name: str
    shown: str
    weight: float = 0.0
    is_there: bool = False


class GivenValue(str):
    """The value of an input that other jobs' outputs go into; a text, so that it can be looked up.

    Attributes:
        shown, weight: as of what is given.
        is_there: whether all of it is.
    """

    __slots__ = ("is_there", "shown", "weight")

    shown: str
    weight: float
    is_there: bool

    @classmethod
    def of(cls, name: str, parts: Sequence[Given], shown: str = "") -> "GivenValue":
        """Name what is given."""
        value = cls(name)
        value.shown = shown or ", ".join(sorted({one.shown for one in parts}))
        value.weight = sum(one.weight for one in parts)
        value.is_there = all(one.is_there for one in parts)
        return value


def by_itself(reference: Reference) -> tuple[Given, ...]:
    """Return each output as a kind of its own; what is not there yet goes by what its parent asks for."""
    if reference.assets:
        return tuple(Given(one, one, is_there=True) for one in reference.assets)
    name = canonical([reference.content or reference.job, reference.asked])
    return (Given(name, f"made by {reference.job}"),)


class Classifier:
    """Names the class of a job."""

    def __init__(
        self,
        models: Mapping[str, Model],
        given: Callable[[Reference], Sequence[Given]] = by_itself,
    ) -> None:
        """Read what the models declare.

        Args:
            models: as the service describes them.
            given: says what of another job's output a price may depend on.
        """
        self._costly = {
            name: tuple(one for one in declare(model).inputs.values() if _is_costly(one))
            for name, model in models.items()
        }
        self._given = given
        self._names: dict[tuple[Json, ...], str] = {}
        self._of_parts: dict[tuple[tuple[Given, ...], int], GivenValue] = {}

    def costly(self, model: str) -> tuple[Declared, ...]:
        """Return the inputs of a model that move its price."""
        return self._costly.get(model, ())

    def name(self, job: Job) -> str | None:
        """Name a job's class, None where its model is not known."""
        if job.model not in self._costly:
            return None
        values = self.values(job)
        key = (job.model, *values, *map(type, values))
        try:
            if key not in self._names:
                self._names[key] = self._written(job.model, values)
            return self._names[key]
        except TypeError:  # a list among them: cannot be looked up
            return self._written(job.model, values)

    def values(self, job: Job) -> tuple[Json, ...]:
        """Return what moves a job's price, the model's defaults filled in; of files their number."""
        return tuple(self._value(job, one) for one in self.costly(job.model))

    def moving(self, job: Job) -> dict[str, Json]:
        """Return what moves a job's price, by input, for people; without those that have no value."""
        named = zip(self.costly(job.model), self.values(job), strict=True)
        return {
            one.name: value.shown if isinstance(value, GivenValue) else value
            for one, value in named
            if value is not None
        }

    def is_estimated(self, job: Job) -> bool:
        """Return whether an output that is not there yet moves a job's price."""
        return any(isinstance(one, GivenValue) and not one.is_there for one in self.values(job))

    def moved_by(self, job: Job) -> tuple[Reference, ...]:
        """Return the other jobs whose outputs move a job's price."""
        costly = (job.params.get(one.name) for one in self.costly(job.model))
        return tuple(found for value in costly for found in references_in(value))

    def _written(self, model: str, values: Sequence[Json]) -> str:
        named = zip(self.costly(model), values, strict=True)
        moving = {one.name: value for one, value in named if value is not None}
        return canonical({"model": model, "inputs": moving})

    def _value(self, job: Job, declared: Declared) -> Json:
        """Return the default where nothing is given, as if it were given; of files their number."""
        if declared.name == "prompt":
            return declared.default if job.prompt is None else job.prompt
        value = job.params.get(declared.name, declared.default)
        if isinstance(value, dict | list | tuple | Mapping) and (named := _named_in(value)):
            return self._of_others(value, named, declared)
        if declared.item != "file":
            return value
        return len(value) if isinstance(value, list | tuple) else int(value is not None)

    def _of_others(self, value: Json, named: Sequence[Reference], declared: Declared) -> GivenValue:
        """Return what other jobs give: how many of each that cost the same, and how many files are beside."""
        parts = tuple(part for one in named for part in self._given(one))
        if declared.item != "file":  # it may matter what stands beside it
            return GivenValue.of(canonical(self._with_names(value)), parts)
        files = len(value) - len(named) if isinstance(value, list | tuple) else 0
        if (parts, files) not in self._of_parts:
            counts = Counter(one.name for one in parts)
            name = canonical([files, *sorted(counts.items())])
            self._of_parts[parts, files] = GivenValue.of(name, parts)
        return self._of_parts[parts, files]

    def _with_names(self, value: Json) -> Json:
        if is_reference(value):
            return [one.name for one in self._given(Reference.read(value))]
        if isinstance(value, dict | Mapping):
            return {key: self._with_names(one) for key, one in value.items()}
        return [self._with_names(one) for one in value] if isinstance(value, list | tuple) else value


def _named_in(value: Json) -> tuple[Reference, ...]:
    return (Reference.read(value),) if is_reference(value) else tuple(references_in(value))


def _is_costly(declared: Declared) -> bool:
    return declared.costly or any(one.costly for one in declared.inputs.values())


def price_classes(jobs: Sequence[Job], classifier: Classifier) -> list[PriceClass]:
    """Sort jobs into classes, in the order of their first members; those of unknown models are left out."""
    found: dict[str, list[int]] = defaultdict(list)
    for index, job in enumerate(jobs):
        name = classifier.name(job)
        if name is not None:
            found[name].append(index)
    return [
        PriceClass(
            name=name,
            model=jobs[places[0]].model,
            moving=classifier.moving(jobs[places[0]]),
            jobs=tuple(places),
            is_estimated=classifier.is_estimated(jobs[places[0]]),
        )
        for name, places in found.items()
    ]


def group(jobs: Sequence[Job], classifier: Classifier, *, most: int = MOST_QUOTES) -> list[Group]:
    """Choose what to ask: at most so many questions in all, the models having like shares.

    What is estimated is no part of what is not: it is no word on its price.
    """
    of_model: dict[tuple[str, bool], list[PriceClass]] = defaultdict(list)
    for one in price_classes(jobs, classifier):
        of_model[one.model, one.is_estimated].append(one)
    left, groups = most, list[Group]()
    for number, members in enumerate(of_model.values()):
        share = left // (len(of_model) - number)
        made = _groups(members, jobs, classifier, most=share)
        left -= sum(len(places) for one in made for _, places in one.asked)
        groups += made
    return groups


def _groups(
    members: Sequence[PriceClass], jobs: Sequence[Job], classifier: Classifier, *, most: int
) -> list[Group]:
    model = members[0].model
    if len(members) <= min(MOST_CLASSES, most // 2):
        return [Group(model=model, classes=(one,), asked=((one, _two_of(one, jobs)),)) for one in members]
    chosen = _spread(members, jobs, classifier)[:most]
    asked = tuple((one, (one.jobs[0],)) for one in chosen)
    return [Group(model=model, classes=tuple(members), asked=asked)]


def _two_of(one: PriceClass, jobs: Sequence[Job]) -> tuple[int, ...]:
    """Take the job that asks for most, and of a large class the one that asks for least too."""
    if len(one.jobs) <= LARGE:
        return one.jobs[:1]
    by_size = sorted(one.jobs, key=lambda place: _weight(jobs[place]))
    return tuple(dict.fromkeys((by_size[-1], by_size[0])))


def _weight(job: Job) -> tuple[int, float, int]:
    values = job.params.values()
    items = sum(len(one) for one in values if isinstance(one, list | tuple))
    numbers = sum(one for name, one in job.params.items() if isinstance(one, int | float) and name != "seed")
    return items, numbers, len(job.prompt or "")


def _spread(members: Sequence[PriceClass], jobs: Sequence[Job], classifier: Classifier) -> list[PriceClass]:
    """Take the extremes, of all inputs together and of each, and some between."""
    inputs = classifier.costly(members[0].model)
    sizes = {one.name: _sizes(classifier.values(jobs[one.jobs[0]]), inputs) for one in members}
    ranked = {
        number: {size: rank for rank, size in enumerate(sorted({row[number] for row in sizes.values()}))}
        for number in range(len(inputs))
    }

    def rank(one: PriceClass) -> float:
        row = sizes[one.name]
        return sum(ranks[row[number]] / max(1, len(ranks) - 1) for number, ranks in ranked.items())

    by_rank = sorted(members, key=rank)
    chosen = [by_rank[-1], by_rank[0]]
    for number in range(len(inputs)):
        chosen.append(max(by_rank, key=lambda one: (sizes[one.name][number], rank(one))))
        chosen.append(min(by_rank, key=lambda one: (sizes[one.name][number], rank(one))))
    step = max(1, len(by_rank) - 1) / (SPREAD + 1)
    chosen += [by_rank[min(len(by_rank) - 1, round(step * number))] for number in range(1, SPREAD + 1)]
    return list({one.name: one for one in chosen}.values())


def _sizes(values: Iterable[Json], inputs: Iterable[Declared]) -> tuple[float, ...]:
    return tuple(_size(value, one) for value, one in zip(values, inputs, strict=True))


def _size(value: Json, declared: Declared) -> float:
    """Guess how much a value asks for: models name their choices from the least to the most."""
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, GivenValue):
        return value.weight
    if declared.allowed is not None and not declared.many and value in declared.allowed:
        return float(declared.allowed.index(value))
    return float(len(value)) if isinstance(value, str | list | tuple | Mapping) else -1.0


def price_of(amounts: Iterable[Price]) -> Price | None:
    """Return one price for many; None for none."""
    known = list(amounts)
    if not known:
        return None
    return Price(low=min(one.low for one in known), high=max(one.high for one in known))


def published(model: Model, job: Job) -> Price | None:
    """Return what a model says that its assets cost: what others paid, no promise. None if it says nothing.

    ``performanceStats.variants[]`` has ``costPerAssetMinCU`` and ``costPerAssetMaxCU``.
    """
    stats = model.raw.get("performanceStats")
    variants = stats.get("variants") if isinstance(stats, Mapping) else None
    rows = [one for one in variants if isinstance(one, Mapping)] if isinstance(variants, list) else []
    lows = [one for row in rows if (one := _amount(row.get("costPerAssetMinCU"))) is not None]
    highs = [one for row in rows if (one := _amount(row.get("costPerAssetMaxCU"))) is not None]
    if not lows or not highs:
        return None
    asked = job.params.get("numOutputs", next(_defaults(model, "numOutputs"), 1))
    outputs = asked if isinstance(asked, int) and asked > 0 else 1
    return Price(low=min(lows) * outputs, high=max(highs) * outputs)


def _defaults(model: Model, name: str) -> Iterator[Json]:
    return (one.raw.get("default") for one in model.inputs if one.name == name)


def _amount(value: Json) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    amount = Decimal(str(value))
    return amount if amount.is_finite() and 0 <= amount <= _MOST_COST else None
