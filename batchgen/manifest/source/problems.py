"""Problems as they are collected: all of them, in the order of the files, repeats cut short.

No other module decides how many of a kind are kept or in which order.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

from batchgen.errors import InputError, ManifestError, Problem

MOST_ALIKE = 20  # places in the manifest of one kind: each may have to be mended by hand
MOST_ROWS = 5  # rows that share one mistake: more are one mistake, made in the column
_FIRST_ROWS = 3  # of more rows than that, those shown
_LEAST = 4  # letters of a word that is looked for in longer ones
_LONGEST_GUESS = 60  # characters: difflib's work grows with the square


class Place(NamedTuple):
    """Where something stands in a file, from 1; 0 where the whole line or file is meant."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return the form editors turn into a link."""
        return ":".join(str(part) for part in self if part)


@dataclass(slots=True)
class _Kind:
    """What was found of one kind in one file: the first few, and how far the others go."""

    most: int
    first: dict[Problem, None] = field(default_factory=dict)
    count: int = 0
    last: tuple[int, int] = (0, 0)

    def add(self, problem: Problem) -> None:
        self.count += 1
        self.last = (problem.line, problem.column)
        if len(self.first) < self.most:
            self.first[problem] = None

    def shown(self) -> Iterable[Problem]:
        first = list(self.first)
        if self.count <= self.most:
            yield from first
        elif self.last[1]:
            yield from first
            text = f"and {self.count - len(first):,} more like it"
            yield Problem(first[-1].source, first[-1].line, first[-1].column, text)
        else:
            yield from first[:_FIRST_ROWS]
            start = first[_FIRST_ROWS]
            lines = f"lines {start.line}-{self.last[0]}"
            text = f"and {self.count - _FIRST_ROWS:,} more rows like this ({lines})"
            yield Problem(start.source, start.line, 0, text)


class _Collection:
    """What was found of one weight, each once, by kinds."""

    def __init__(self, first: str) -> None:
        self.count = 0
        self._first = first
        self._kinds: dict[tuple[str, str, bool], _Kind] = {}

    def add(self, place: Place, text: str, kind: str | None) -> None:
        problem = Problem(place.source, place.line, place.column, text)
        row = bool(place.line) and not place.column
        key = (place.source, text if kind is None else kind, row)
        if key not in self._kinds:
            self._kinds[key] = _Kind(MOST_ROWS if row else MOST_ALIKE)
        if problem not in self._kinds[key].first:
            self._kinds[key].add(problem)
            self.count += 1

    def in_order(self) -> list[Problem]:
        found = [one for kind in self._kinds.values() for one in kind.shown()]
        sources = {self._first: -1}
        for number, (source, _, _) in enumerate(self._kinds):
            sources.setdefault(source, number)
        return sorted(found, key=lambda it: (sources[it.source], it.line, it.column))


class Problems:
    """Everything found wrong so far, and what is probably a mistake and stops nothing.

    Args:
        first: the source whose problems come before those of all others.
    """

    def __init__(self, first: str = "") -> None:
        self._wrong = _Collection(first)
        self._doubtful = _Collection(first)

    def __len__(self) -> int:
        return self._wrong.count

    def add(self, place: Place, text: str, *, kind: str | None = None) -> None:
        """Note a problem once.

        Args:
            place: where it is; a line without a column is a row of a table.
            text: what is wrong, what was expected, what may have been meant.
            kind: what repeats of it share; the text itself by default.
        """
        self._wrong.add(place, text, kind)

    def warn(self, place: Place, text: str, *, kind: str | None = None) -> None:
        """Note once what is probably a mistake; it stops nothing.

        Args:
            place: where it is; a line without a column is a row of a table.
            text: why it is probably not meant, and the line to write.
            kind: what repeats of it share; the text itself by default.
        """
        self._doubtful.add(place, text, kind)

    def take(self, error: InputError, *, named: Place | None = None) -> None:
        """Note the problems of a file that could not be read.

        Args:
            error: what reading it raised.
            named: where the file is named: the place of what is wrong with it as a whole.
        """
        for number, one in enumerate(error.problems):
            if named is not None and not one.line:
                self.add(named, f"{one.source}: {one.text}")
            else:  # cut short already
                self.add(Place(one.source, one.line, one.column), one.text, kind=f"{number} {one.text}")
        self.take_warnings(error.warnings)

    def take_warnings(self, warnings: Iterable[Problem]) -> None:
        """Note the warnings of a file that was read by itself: they are cut short already."""
        for number, one in enumerate(warnings):
            self.warn(Place(one.source, one.line, one.column), one.text, kind=f"{number} {one.text}")

    def raise_any(self) -> None:
        """Raise what was found, if any of it stops.

        Raises:
            InputError: with every problem, and the warnings beside.
        """
        if len(self):
            raise ManifestError(problems=tuple(self.in_order()), warnings=self.warnings)

    def in_order(self) -> list[Problem]:
        """Return the problems in the order of the files, what is too many of a kind as a number."""
        return self._wrong.in_order()

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The warnings in the order of the files, what is too many of a kind as a number."""
        return tuple(self._doubtful.in_order())


def meant(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean X?`` where a known word is close, nothing otherwise."""
    return _meant(word[:_LONGEST_GUESS].lower(), tuple(known))


@lru_cache(maxsize=256)
def _meant(word: str, known: tuple[str, ...]) -> str:
    options = {one.lower(): one for one in known}
    close = (
        _begun(word, options) or get_close_matches(word, options, n=1, cutoff=0.6) or _within(word, options)
    )
    return f"; did you mean {options[close[0]]}?" if close else ""


def _begun(word: str, options: Iterable[str]) -> list[str]:
    """Return the options that a word is the beginning of, which says more than how alike they look."""
    return sorted((one for one in options if one.startswith(word)), key=len) if len(word) >= _LEAST else []


def _within(word: str, options: Iterable[str]) -> list[str]:
    return sorted((one for one in options if word in one), key=len) if len(word) >= _LEAST else []


def listed(words: Iterable[str]) -> str:
    """Join words for people: ``a, b and c``."""
    *rest, last = list(words) or ["none"]
    return f"{', '.join(rest)} and {last}" if rest else last


def shortened(text: str, longest: int = 40) -> str:
    """Cut a user's text so that it fits into a line of a message."""
    return text if len(text) <= longest else text[: longest - 3] + "..."
