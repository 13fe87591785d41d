"""Problems as they are collected: all of them, in the order of the files, repeats cut short.

No other module decides how many of a kind are printed or in which order.
"""

from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

from batchgen.errors import InputError, Problem

SHOWN = 20  # of one kind: a screenful says it, and a bad column may hold 100,000
_LONGEST_GUESS = 60  # characters: difflib's work grows with the square


class Place(NamedTuple):
    """Where something stands in a file, from 1; 0 where the whole line or file is meant."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Give the form editors turn into a link."""
        return ":".join(str(part) for part in self if part)


class Problems:
    """Everything found wrong so far.

    Args:
        first: the source whose problems come before those of all others.
    """

    def __init__(self, first: str = "") -> None:
        self._first = first
        self._found: dict[Problem, str] = {}
        self._kinds: Counter[str] = Counter()
        self._last: dict[str, Problem] = {}

    def __len__(self) -> int:
        return self._kinds.total()

    def add(self, place: Place, text: str, *, kind: str | None = None) -> None:
        """Note a problem once.

        Args:
            place: where it is.
            text: what is wrong, what was expected, what may have been meant.
            kind: what repeats of it share; the text itself by default.
        """
        kind = text if kind is None else kind
        problem = Problem(place.source, place.line, place.column, text)
        if problem in self._found:
            return
        self._kinds[kind] += 1
        if self._kinds[kind] <= SHOWN:
            self._found[problem] = kind
            self._last[kind] = problem

    def take(self, error: InputError, *, named: Place | None = None) -> None:
        """Note the problems of a file that could not be read.

        Args:
            error: what reading it raised.
            named: where the file is named: the place of what is wrong with it as a whole.
        """
        for one in error.problems:
            if named is not None and not one.line:
                self.add(named, f"{one.source}: {one.text}")
            else:
                self.add(Place(one.source, one.line, one.column), one.text)

    def raise_any(self) -> None:
        """Raise what was found, if anything was.

        Raises:
            InputError: with every problem.
        """
        if self._found:
            raise InputError(problems=tuple(self._in_order()))

    def _in_order(self) -> Iterable[Problem]:
        sources = list(dict.fromkeys([self._first, *(one.source for one in self._found)]))
        for one in sorted(self._found, key=lambda it: (sources.index(it.source), it.line, it.column)):
            yield one
            kind = self._found[one]
            more = self._kinds[kind] - SHOWN
            if more > 0 and one is self._last[kind]:
                yield Problem(one.source, one.line, one.column, f"and {more:,} more like it")


def meant(word: str, known: Iterable[str]) -> str:
    """Give ``; did you mean X?`` where a known word is close, nothing otherwise."""
    return _meant(word[:_LONGEST_GUESS].lower(), tuple(known))


@lru_cache(maxsize=256)
def _meant(word: str, known: tuple[str, ...]) -> str:
    options = {one.lower(): one for one in known}
    close = get_close_matches(word, options, n=1, cutoff=0.6)
    return f"; did you mean {options[close[0]]}?" if close else ""


def listed(words: Iterable[str]) -> str:
    """Join words for people: ``a, b and c``."""
    *rest, last = list(words) or ["none"]
    return f"{', '.join(rest)} and {last}" if rest else last


def shortened(text: str, longest: int = 40) -> str:
    """Cut a user's text so that it fits into a line of a message."""
    return text if len(text) <= longest else text[: longest - 3] + "..."
