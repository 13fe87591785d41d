"""Entries that go through the jobs of other entries: which those are, and in which order all are made.

Nothing but what entries say is looked at, before any of them is made ready.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from batchgen.manifest.source.problems import Place, Problems, meant, shortened

_MOST_SHOWN = 6  # entries of a circle


class Called(NamedTuple):
    """What an entry is called by, and whose jobs it goes through.

    Attributes:
        title: its name; empty where it has none of its own.
        id: as it is written; empty where there is none.
        start: what its ids begin with; empty where that is a variable.
        words: what stands in every one of its ids; none where it has no id.
        place: where it stands.
        source: the entry that it names; None where it goes through no jobs.
        named: where it names that.
    """

    title: str
    id: str
    start: str
    words: tuple[str, ...]
    place: Place
    source: str | None
    named: Place

    @property
    def shown(self) -> str:
        """What it is called in a message."""
        return shortened(self.title or self.id or f"the entry at {self.place}", 60)


class Sources(NamedTuple):
    """Which entries go through which, all by their places in the list of them.

    Attributes:
        of: for each entry those whose jobs it goes through; None where that cannot be told.
        order: all entries, those that others go through before them, and otherwise as they stand.
    """

    of: Sequence[Sequence[int] | None]
    order: Sequence[int]


def sources_of(entries: Sequence[Called], problems: Problems, *, complete: bool) -> Sources:
    """Find the entries whose jobs others go through, and note what is wrong with how they are named.

    Args:
        entries: of all files, in their order.
        problems: takes what is wrong.
        complete: whether these are all; the entry that is meant may be among those that cannot be read.
    """
    if all(one.source is None for one in entries):
        return Sources([()] * len(entries), range(len(entries)))
    names = _Names(entries)
    found: list[Sequence[int] | None] = []
    for one in entries:
        of: Sequence[int] | None = () if one.source is None else names.find(one.source)
        if not of and one.source is not None:
            if complete:
                said = f'no entry has the name "{shortened(one.source)}"{names.near(one.source)}'
                problems.add(one.named, f"from: {said}")
            of = None
        elif of and one.source is not None and (twice := names.ambiguous(of)):
            problems.add(one.named, f'from: "{shortened(one.source)}" may be {twice}')
            of = None
        found.append(of)
    order, circles = _ordered(found)
    for circle in circles:
        first = entries[min(circle)]
        problems.add(first.named, f"from: {_around(entries, circle)}")
        for number in circle:
            found[number] = None
    return Sources(found, order)


class _Names:
    """What entries may be named by: their own names go first."""

    def __init__(self, entries: Sequence[Called]) -> None:
        self._entries = entries
        self._titles: defaultdict[str, list[int]] = defaultdict(list)
        self._others: defaultdict[str, list[int]] = defaultdict(list)
        for number, one in enumerate(entries):
            if one.title:
                self._titles[one.title].append(number)
            else:
                for name in {one.id, one.start} - {""}:
                    self._others[name].append(number)

    def find(self, name: str) -> Sequence[int]:
        """Return the entries of a name, none where nothing is called so."""
        return self._titles.get(name) or self._others.get(name) or ()

    def near(self, name: str) -> str:
        """Return what was probably meant."""
        known = [*self._titles, *self._others]
        return meant(name, known) or "; write entry: with that name in the one whose jobs go in"

    def ambiguous(self, found: Collection[int]) -> str:
        """Return which entries may be meant, and what to write; empty where one name has them all."""
        several = [self._entries[number] for number in found]
        if len(several) == 1 or several[0].title:
            return ""
        shown = " or ".join(f"the entry at {one.place}" for one in several[:_MOST_SHOWN])
        return f"{shown}; write entry: and a name in the one that is meant, and that name here"


def _ordered(of: Sequence[Sequence[int] | None]) -> tuple[list[int], list[list[int]]]:
    """Return the entries, those that others go through first, and the circles in which none can be."""
    order: list[int] = []
    circles: list[list[int]] = []
    done, open_ = set[int](), set[int]()
    for start in range(len(of)):
        if start in done:
            continue
        way: list[tuple[int, Iterator[int]]] = [(start, iter(of[start] or ()))]
        open_.add(start)
        while way:
            number, left = way[-1]
            following = next((one for one in left if one not in done), None)
            if following is None:
                way.pop()
                open_.discard(number)
                done.add(number)
                order.append(number)
            elif following in open_:
                numbers = [one for one, _ in way]
                circles.append(numbers[numbers.index(following) :])
            else:
                way.append((following, iter(of[following] or ())))
                open_.add(following)
    return order, circles


def _around(entries: Sequence[Called], circle: Sequence[int]) -> str:
    """Return the way round a circle, each entry of it going through the one before."""
    if len(circle) == 1:
        return f"{entries[circle[0]].shown} cannot go through its own jobs"
    turn = list(circle).index(min(circle))
    numbers = [*circle[turn:], *circle[:turn]]
    way = [entries[one].shown for one in (numbers[0], *reversed(numbers))]
    return f"a circle of entries, of which none can be first: {way_round(way)}"


def way_round(names: Sequence[str]) -> str:
    """Return a way from name to name, what is too long of it as a number."""
    left_out = len(names) - _MOST_SHOWN - 1
    some = [*names[: _MOST_SHOWN - 1], f"... {left_out:,} more ...", *names[-2:]] if left_out > 0 else names
    return " -> ".join(some)
