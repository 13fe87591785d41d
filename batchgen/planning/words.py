"""How two texts differ, word by word. Pure.

What is the same on both sides of a word is no part of a difference; texts without spaces between words are
compared letter by letter. Two texts that are not equal never come out as without a difference.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from typing import NamedTuple

_MOST = 4_000_000  # pairs of words that are compared; above that all between the first and the last is new
_LONG = 16  # characters of a word: two such words are compared letter by letter
_ASCII = re.compile(r"\s*\w+|\s*[^\w\s]|\s+")
# scripts that write words without spaces between them
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
_JOINER = "\u200d"


class Kind(StrEnum):
    """What became of a part of a text."""

    SAME = "same"
    GONE = "gone"
    NEW = "new"


class Part(NamedTuple):
    """A part of the old text, of the new one, or of both."""

    kind: Kind
    text: str


class Edit(NamedTuple):
    """One place where something was taken out, put in, or both."""

    gone: str
    new: str


def difference(before: str, after: str) -> tuple[Part, ...]:
    """Return the parts of both texts in their order; of each place what is gone comes before what is new."""
    old, new = words_of(before), words_of(after)
    start = _equal_from(old, new)
    end = min(_equal_from(old[::-1], new[::-1]), len(old) - start, len(new) - start)
    middle = list(_between(old[start : len(old) - end], new[start : len(new) - end]))
    parts = [Part(Kind.SAME, "".join(new[:start])), *middle, Part(Kind.SAME, "".join(new[len(new) - end :]))]
    return _joined(parts)


def edits(parts: Sequence[Part]) -> tuple[Edit, ...]:
    """Return the places where two texts differ, without what is the same, and without spaces around."""
    found, gone = [], ""
    for number, part in enumerate(parts):
        following = parts[number + 1].kind if number + 1 < len(parts) else Kind.SAME
        if part.kind is Kind.GONE and following is Kind.NEW:
            gone = part.text
        elif part.kind is not Kind.SAME:
            new = part.text if part.kind is Kind.NEW else ""
            gone = part.text if part.kind is Kind.GONE else gone
            found.append(_bare(gone, new))
            gone = ""
    return tuple(found)


def _bare(gone: str, new: str) -> Edit:
    """Leave out spaces around, unless they are what differs."""
    if gone.strip() == new.strip():
        return Edit(gone, new)
    return Edit(gone.strip(), new.strip())


def words_of(text: str) -> list[str]:
    """Return the words of a text, each with the white space before it."""
    if text.isascii():
        return _ASCII.findall(text)
    words: list[str] = []
    before = "space"
    for letter in text:
        kind = _kind(letter, before)
        if kind == "more" or (kind == before == "word") or before == "space":
            if words:
                words[-1] += letter
            else:
                words.append(letter)
        else:
            words.append(letter)
        if letter == _JOINER:
            before = "joined"
        elif kind != "more" or before == "joined":
            before = "sign" if kind == "more" else kind
    return words


def _kind(letter: str, before: str) -> str:
    """Return what a letter is for the word that it stands in."""
    if before == "joined" or letter == _JOINER or "\U0001f3fb" <= letter <= "\U0001f3ff":
        return "more"
    if letter.isspace():
        return "space"
    if unicodedata.category(letter).startswith("M"):
        return "more"
    if _UNSPACED.match(letter):
        return "letter"
    return "word" if letter.isalnum() or letter == "_" else "sign"


def _equal_from(old: Sequence[str], new: Sequence[str]) -> int:
    count = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        count += 1
    return count


def _between(old: Sequence[str], new: Sequence[str]) -> Iterator[Part]:
    """Compare words without the white space before them; that counts where nothing else differs."""
    if len(old) * len(new) > _MOST:
        yield from _changed("".join(old), "".join(new))
        return
    bare_old, bare_new = [one.strip() or one for one in old], [one.strip() or one for one in new]
    for what, a, b, c, d in SequenceMatcher(None, bare_old, bare_new, autojunk=False).get_opcodes():
        if what != "equal":
            yield from _changed("".join(old[a:b]), "".join(new[c:d]))
            continue
        for place, (one, other) in enumerate(zip(old[a:b], new[c:d], strict=True)):
            first = place == 0 and (a, c) != (0, 0)
            if one != other and not first:
                space, other_space = one[: -len(one.strip())], other[: -len(other.strip())]
                yield from _changed(space, other_space)
                yield Part(Kind.SAME, other.strip())
            else:
                yield Part(Kind.SAME, other)


def _changed(gone: str, new: str) -> Iterator[Part]:
    """Return one place; of two long words only the letters that differ."""
    start = end = 0
    if gone and new and min(len(gone), len(new)) > _LONG and not (_has_space(gone) and _has_space(new)):
        start = _whole(gone, _equal_from(gone, new))
        room = min(len(gone), len(new)) - start
        end = min(_equal_from(gone[::-1], new[::-1]), room)
        while end and _is_more(gone[len(gone) - end]):
            end -= 1
    yield Part(Kind.SAME, new[:start])
    yield Part(Kind.GONE, gone[start : len(gone) - end])
    yield Part(Kind.NEW, new[start : len(new) - end])
    yield Part(Kind.SAME, new[len(new) - end :])


def _has_space(text: str) -> bool:
    return any(map(str.isspace, text.strip()))


def _whole(text: str, at: int) -> int:
    """Return where the letter begins that a place is in."""
    while 0 < at < len(text) and _is_more(text[at]):
        at -= 1
    return at


def _is_more(letter: str) -> bool:
    return letter == _JOINER or unicodedata.category(letter).startswith("M")


def _joined(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Put together what belongs together: signs alone between two changes belong to them."""
    found: list[Part] = []
    for number, part in enumerate(parts):
        if not part.text:
            continue
        ahead = any(one.text and one.kind is not Kind.SAME for one in parts[number + 1 : number + 3])
        inner = part.kind is Kind.SAME and found and found[-1].kind is not Kind.SAME and ahead
        if inner and not any(map(str.isalnum, part.text)) and not _UNSPACED.search(part.text):
            found += [Part(Kind.GONE, part.text), Part(Kind.NEW, part.text)]
        else:
            found.append(part)
    return tuple(one for one in _merged(found) if one.text)


def _merged(parts: Sequence[Part]) -> Iterator[Part]:
    gone = new = same = ""
    for part in parts:
        if part.kind is Kind.SAME:
            if gone or new:
                yield from _place(same, gone, new)
                gone = new = same = ""
            same += part.text
        elif part.kind is Kind.GONE:
            gone += part.text
        else:
            new += part.text
    yield from _place(same, gone, new)


def _place(same: str, gone: str, new: str) -> Iterator[Part]:
    """Return one place after what is the same; a space before both words is the same too."""
    spaces = _equal_from(gone, new) if gone.strip() and new.strip() else 0
    while spaces and not gone[:spaces].isspace():
        spaces -= 1
    yield from (
        Part(Kind.SAME, same + new[:spaces]),
        Part(Kind.GONE, gone[spaces:]),
        Part(Kind.NEW, new[spaces:]),
    )
