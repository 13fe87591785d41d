"""Which changed jobs are changed alike, so that thousands of them are a few lines. Pure.

Jobs are alike if the same inputs differ in the same way: a number from the same to the same value, a text by
the same words, wherever in it these stand. Those that are alike in nothing but the names of what differs are
put together where there would be too many groups.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from batchgen.identity import as_said, canonical, is_file, is_reference
from batchgen.model import Json
from batchgen.planning.changes import Change, Changed, details
from batchgen.planning.words import Edit, difference, edits

_SHORT = 40  # letters: of a longer text without spaces the letters that differ are shown
Sign = tuple[object, ...]  # what jobs that are changed alike have in common


class _Signed(NamedTuple):
    """A changed job with what stands for the way in which it is.

    Attributes:
        parts: what differs.
        exact: the same for all that are changed alike.
        loose: the same for all in which inputs of the same names differ.
    """

    changed: Changed
    parts: tuple[Change, ...]
    exact: Sign
    loose: Sign


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedAlike:
    """Jobs that are changed alike.

    Attributes:
        members: in the manifest's order.
        parts: what differs in the first of them.
        exact: whether it is the same in all of them; else only the names of what differs are.
    """

    members: tuple[Changed, ...]
    parts: tuple[Change, ...]
    exact: bool = True


def changed_alike(changed: Sequence[Changed], *, most: int | None = None) -> tuple[ChangedAlike, ...]:
    """Return the groups, the largest first.

    Args:
        changed: the jobs.
        most: how many groups there may be; above that, the smallest are put together by names; None for any.
    """
    known: dict[Sign, tuple[Edit, ...]] = {}
    signed = [_signed(one, known) for one in changed]
    groups = _grouped(signed, [one.exact for one in signed], exact=True)
    if most is None or len(groups) <= most:
        return groups
    kept = tuple(one for one in groups[: most // 2] if len(one.members) > 1)
    there = {id(one) for group in kept for one in group.members}
    rest = [one for one in signed if id(one.changed) not in there]
    return (*kept, *_grouped(rest, [one.loose for one in rest], exact=False))


def _grouped(signed: Sequence[_Signed], signs: Sequence[Sign], *, exact: bool) -> tuple[ChangedAlike, ...]:
    found: dict[Sign, list[_Signed]] = defaultdict(list)
    for one, sign in zip(signed, signs, strict=True):
        found[sign].append(one)
    groups = [
        ChangedAlike(
            members=tuple(one.changed for one in members),
            parts=members[0].parts,
            exact=exact or len({one.exact for one in members}) == 1,
        )
        for members in found.values()
    ]
    return tuple(sorted(groups, key=lambda one: -len(one.members)))


def _signed(changed: Changed, known: dict[Sign, tuple[Edit, ...]]) -> _Signed:
    parts = tuple(part for change in changed.changes for part in details(change))
    exact = tuple((part.name, *_way(part, known)) for part in parts)
    return _Signed(changed, parts, exact, tuple(dict.fromkeys(change.name for change in changed.changes)))


def _way(part: Change, known: dict[Sign, tuple[Edit, ...]]) -> Sign:
    """Return in which way an input differs.

    Args:
        part: the input.
        known: what texts were found to differ by, by the words that came and went: those of a table's rows
            need not be compared one by one.
    """
    if is_text_change(part):
        sign = _words_sign(part.before, part.after)
        if not sign:
            return ("words", text_edits(part))
        if sign not in known:
            known[sign] = text_edits(part)
        return ("words", known[sign])
    if is_file(part.before) and is_file(part.after):
        return ("file", part.before["file"], part.after["file"])
    if is_reference(part.before) and is_reference(part.after):
        same = part.before["job"] == part.after["job"]
        return ("job", same, *(canonical({**as_said(one), "job": ""}) for one in (part.before, part.after)))
    return (part.added, part.dropped, _written(part.before), _written(part.after))


def _words_sign(before: str, after: str) -> Sign:
    """Return which words came and went; nothing where words alone do not tell."""
    old, new = Counter(before.split()), Counter(after.split())
    gone, came = old - new, new - old
    return (tuple(gone.items()), tuple(came.items())) if gone or came else ()


def _written(value: Json) -> str:
    return str(value["file"]) if is_file(value) else canonical(value)


def is_text_change(part: Change) -> bool:
    """Return whether a text of words was changed into another one: ``16:9`` and a model's id are values."""
    if not (isinstance(part.before, str) and isinstance(part.after, str)) or part.name == "model":
        return False
    longest = max(part.before, part.after, key=len)
    spaced = any(map(str.isspace, part.before + part.after))
    return part.name == "prompt" or spaced or len(longest) > _SHORT


def text_edits(part: Change) -> tuple[Edit, ...]:
    """Return the words by which a changed text differs."""
    return edits(difference(part.before, part.after))
