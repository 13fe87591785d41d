"""The items of ``exclude`` and ``include``, held against the axes they speak of."""

from collections.abc import Mapping, Sequence

from batchgen.identity import canonical
from batchgen.manifest.expand.axes import MODEL, Axis, Choices, Pattern
from batchgen.manifest.expand.checks import Checks
from batchgen.manifest.origins import Path
from batchgen.manifest.source.problems import listed, meant, shortened
from batchgen.manifest.source.scalars import plain, text_of
from batchgen.model import Json


class Patterns:
    """Reads the items of one entry, and notes what is wrong with them.

    Args:
        checks: takes what is wrong.
        path: the entry's.
        axes: the entry's.
        models: the entry's models as they stand.
    """

    def __init__(self, checks: Checks, path: Path, axes: Sequence[Axis], models: Sequence[str]) -> None:
        self._checks = checks
        self._path = path
        self._axes = axes
        self._models = models
        self._names = [name for axis in axes for name in axis.names]

    def read(self, key: str, items: Sequence[Mapping[str, Json]]) -> list[Pattern]:
        """Return the items that make sense.

        Args:
            key: ``exclude``, whose items say a part of a choice, or ``include``, whose items say all of it.
            items: as they are written.
        """
        if items and not self._axes:
            self._checks.note((*self._path, key), f"{key}: there is no matrix and no zip here to choose from")
            return []
        made = [self._pattern(key, number, item) for number, item in enumerate(items)]
        return [one for one in made if one is not None]

    def _pattern(self, key: str, number: int, item: Mapping[str, Json]) -> Pattern | None:
        before = self._checks.count
        path: Path = (*self._path, key, number)
        by_model = MODEL in item and MODEL not in self._names
        values = {name: value for name, value in item.items() if not (by_model and name == MODEL)}
        for name, value in values.items():
            self._check_value(path, key, name, value)
        missing = [name for name in self._names if name not in values]
        if key == "include" and missing:
            self._checks.note(
                path, f"include: a value for {listed(missing)} is missing; it adds a whole choice"
            )
        models = self._models_of((*path, MODEL), item[MODEL]) if by_model else None
        values = {name: self._checks.spelled(value, (*path, name)) for name, value in values.items()}
        return Pattern(number, values, models) if self._checks.count == before else None

    def _check_value(self, path: Path, key: str, name: str, value: Json) -> None:
        if name not in self._names:
            known = [*self._names, MODEL]
            guess = meant(name, known) or f"; known here are {listed(known)}"
            self._checks.note_key((*path, name), f"{key}: {shortened(name)} is not an axis{guess}")
        elif key == "exclude" and canonical(value) not in (values := self._values(name)):
            guess = meant(text_of(value), values.values())
            self._checks.note(
                (*path, name), f'exclude: "{shortened(text_of(value))}" is not a value of {name}{guess}'
            )

    def _values(self, name: str) -> dict[str, str]:
        return {
            canonical(plain(row[axis.names.index(name)])): text_of(row[axis.names.index(name)])
            for axis in self._axes
            if name in axis.names
            for row in axis.rows
        }

    def _models_of(self, path: Path, model: Json) -> frozenset[int]:
        if model in self._models:
            return frozenset({self._models.index(str(model))})
        guess = meant(text_of(model), self._models) or f"; they are {listed(self._models)}"
        self._checks.note(path, f'"{shortened(text_of(model))}" is none of the models here{guess}')
        return frozenset()

    def complain(self, made: Choices) -> None:
        """Note what the items did not do."""
        for number in made.idle:
            self._checks.note((*self._path, "exclude", number), "exclude: there is no such combination")
        for number in made.twice:
            text = "include: this combination is there already; to buy the same again write repeat: 2"
            self._checks.note((*self._path, "include", number), text)
        if not made.all:
            self._checks.note((*self._path, "exclude"), "exclude: nothing is left of this entry")
