"""Renames of files, and in which order none of them meets a file that is still to leave. Pure."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from batchgen.model import JobKey
from batchgen.planning.file_names import folded


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One rename of a file; paths are relative to the batch's folder.

    Attributes:
        asset_id: whose file it is; empty where it is nobody's here.
        source: where it lies.
        via: where it lies in between, as others have to leave its target first; empty where none has.
        target: where it goes.
        copy_for: the job that gets a copy, as two have one file; None where the file itself moves.
        sha256: on record; empty where it is nobody's.
        stamp: what tells the file itself, as the disk showed it before the move.
    """

    asset_id: str
    source: str
    target: str
    via: str = ""
    copy_for: JobKey | None = None
    sha256: str = ""
    stamp: str = ""


def in_order(
    moves: Sequence[Move], copies: Sequence[Move], free: Callable[[Move], str]
) -> tuple[tuple[Move, ...], ...]:
    """Put each rename behind those that free its target; in a circle one goes another way.

    Renames that wait for each other stay in one group. Copies are made before anything moves.
    """
    above: dict[str, str] = {}

    def top(name: str) -> str:
        while (up := above.setdefault(name, name)) != name:
            above[name] = name = above[up]
        return name

    for one in moves:
        above[top(folded(one.source))] = top(folded(one.target))
    groups: dict[str, list[Move]] = {}
    for one in moves:
        groups.setdefault(top(folded(one.target)), []).append(one)
    return _with_copies([_one_by_one(one, free) for one in groups.values()], copies, free)


def _one_by_one(moves: Sequence[Move], free: Callable[[Move], str]) -> tuple[Move, ...]:
    """Return the renames of a group in their order."""
    held = Counter(folded(one.source) for one in moves)
    waits = {folded(one.target): one for one in moves}
    ready = deque(one for one in moves if not held[folded(one.target)])
    made: list[Move] = []

    def make(one: Move) -> None:
        made.append(one)
        del waits[folded(one.target)]
        source = folded(one.source)
        held[source] -= 1
        if not held[source] and source in waits:
            ready.append(waits[source])

    for first in moves:
        while ready:
            make(ready.popleft())
        if folded(first.target) in waits:  # all that are left wait for each other
            make(replace(first, via=free(first)))
    while ready:
        make(ready.popleft())
    return tuple(made)


def _with_copies(
    groups: Sequence[tuple[Move, ...]], copies: Sequence[Move], free: Callable[[Move], str]
) -> tuple[tuple[Move, ...], ...]:
    """Put copies with what frees their targets, and with the file that they are made of."""
    if not copies:
        return tuple(groups)
    every = [replace(one, via=free(one)) for one in copies]
    return ((*every, *chain.from_iterable(groups)),)
