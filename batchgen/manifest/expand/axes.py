"""Axes, and the choices of a value for each: the product, less what is excluded, plus what is included.

Which choices an entry has is decided here and depends on nothing but the entry.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import NamedTuple

from batchgen.identity import canonical
from batchgen.manifest.source.scalars import plain
from batchgen.model import Json

_LEAST = 3  # letters of a word: a shorter name is an abbreviation

MODEL = "model"  # may stand in a pattern beside the axes


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """What varies together: one name, or several that go in step.

    Attributes:
        names: what it gives values to.
        rows: for each of its steps a value for every name.
        written: how many steps the manifest has; more than there are rows where a sample was drawn.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[Json, ...], ...]
    written: int

    @property
    def noun(self) -> str:
        """What its steps are called in a count."""
        if len(self.names) > 1:
            return f"{'-'.join(self.names)} {'sets' if len(self.rows) != 1 else 'set'}"
        return plural(self.names[0], len(self.rows))


class Choice(NamedTuple):
    """One value for every axis.

    Attributes:
        values: by name.
        models: which of the entry's models it goes with; None for all of them.
        number: its place in the product of the axes before any is excluded; behind them stand the included.
    """

    values: Mapping[str, Json]
    models: frozenset[int] | None = None
    number: int = 0


class Pattern(NamedTuple):
    """What ``exclude`` and ``include`` say in one item.

    Attributes:
        number: its place in the list.
        values: by the axes' names.
        models: those it means; None for all of them.
    """

    number: int
    values: Mapping[str, Json]
    models: frozenset[int] | None


class Choices(NamedTuple):
    """The choices of an entry.

    Attributes:
        all: in the order of their jobs.
        included: how many of them, counted with their models, come from ``include``.
        idle: the patterns of ``exclude`` that exclude nothing.
        twice: the patterns of ``include`` that are a choice already.
    """

    all: tuple[Choice, ...]
    included: int = 0
    idle: tuple[int, ...] = ()
    twice: tuple[int, ...] = ()


NO_AXES = Choices((Choice({}),))


def plural(noun: str, count: int) -> str:
    """Return a noun's form for a count."""
    if count == 1 or noun.endswith("s") or len(noun) < _LEAST or not noun[-1].isalpha():
        return noun
    return noun + "es" if noun.endswith(("x", "z", "ch", "sh")) else noun + "s"


def sampled(name: str, values: Sequence[Json], count: int) -> tuple[Json, ...]:
    """Choose values by their hashes, in the order written: one more to choose from changes one at most."""
    ranks = [hashlib.sha256(f"{name}\0{canonical(plain(value))}".encode()).digest() for value in values]
    kept = set(sorted(ranks)[:count])
    return tuple(value for value, rank in zip(values, ranks, strict=True) if rank in kept)


def product_size(axes: Sequence[Axis]) -> int:
    """Count the choices before anything is excluded."""
    return prod(len(axis.rows) for axis in axes)


def choose(
    axes: Sequence[Axis], models: int, exclude: Sequence[Pattern], include: Sequence[Pattern]
) -> Choices:
    """Make the choices of an entry.

    Args:
        axes: not too many in their product: each is looked at.
        models: how many models the entry has.
        exclude: choices to leave out, told by some of their values.
        include: choices to add, each with a value for every axis.
    """
    if not axes:
        return NO_AXES
    sieve = _Sieve(models, exclude)
    product_ = enumerate(_product(axes))
    kept = [one for number, values in product_ if (one := sieve.passed(values, number)) is not None]
    added, twice = _added(kept, models, include, product_size(axes))
    idle = tuple(one.number for one in exclude if one.number not in sieve.hit)
    return Choices((*kept, *added), sum(_width(one, models) for one in added), idle, twice)


def _product(axes: Sequence[Axis]) -> Iterator[dict[str, Json]]:
    for rows in product(*(axis.rows for axis in axes)):
        yield {
            name: value
            for axis, row in zip(axes, rows, strict=True)
            for name, value in zip(axis.names, row, strict=True)
        }


class _Sieve:
    """Leaves out what is excluded, and notes which patterns ever did."""

    def __init__(self, models: int, exclude: Sequence[Pattern]) -> None:
        self.hit: set[int] = set()
        self._models = models
        self._patterns = [
            (one, {name: canonical(plain(value)) for name, value in one.values.items()}) for one in exclude
        ]

    def passed(self, values: Mapping[str, Json], number: int) -> Choice | None:
        """Return the choice with the models that are left to it, None where none is."""
        left = frozenset(range(self._models)) if self._patterns else frozenset[int]()
        matched = False
        for pattern, wanted in self._patterns:
            if all(canonical(plain(values[name])) == value for name, value in wanted.items()):
                self.hit.add(pattern.number)
                matched = True
                left -= left if pattern.models is None else pattern.models
        if not matched:
            return Choice(values, None, number)
        return Choice(values, left, number) if left else None


def _added(
    kept: Sequence[Choice], models: int, include: Sequence[Pattern], first: int
) -> tuple[list[Choice], tuple[int, ...]]:
    if not include:
        return [], ()
    everything = frozenset(range(models))
    there = {(_key(one.values), number) for one in kept for number in one.models or everything}
    added, twice = [], []
    for number, pattern in enumerate(include, start=first):
        new = {(_key(pattern.values), model) for model in pattern.models or everything}
        if new & there:
            twice.append(pattern.number)
        there |= new
        added.append(Choice(pattern.values, pattern.models, number))
    return added, tuple(twice)


def _key(values: Mapping[str, Json]) -> str:
    return canonical({name: plain(value) for name, value in values.items()})


def _width(choice: Choice, models: int) -> int:
    return models if choice.models is None else len(choice.models)


def width(choices: Choices, models: int) -> int:
    """Count choices together with the models they go with."""
    return sum(_width(one, models) for one in choices.all)
