"""The word that was likely meant, among very many. Pure."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from heapq import nlargest
from itertools import pairwise

_MOST_COMPARED = 200  # words: to compare one takes fifty microseconds
_MOST_NAMED = 8
_LONGEST = 80  # characters that are compared


def meant(word: str, known: Collection[str]) -> str:
    """Return ``; did you mean 'X'?`` where a known word is close, nothing otherwise."""
    close = closest(word, known)
    return "" if close is None else f"; did you mean {close!r}?"


def closest(word: str, known: Collection[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known word that was likely meant, None where none is close.

    Args:
        word: what was typed.
        known: what there is; of very many those are compared that share most pairs of letters with it.
        cutoff: from 0 to 1, how alike they must be.
    """
    wanted = word[:_LONGEST].lower()
    by_text = {one[:_LONGEST].lower(): one for one in _likely(wanted, known)}
    close = get_close_matches(wanted, by_text, n=1, cutoff=cutoff)
    return by_text[close[0]] if close else None


def _likely(word: str, known: Collection[str]) -> Iterable[str]:
    if len(known) <= _MOST_COMPARED:
        return known
    pairs = {first + second for first, second in pairwise(word)} or {word}

    def shared(one: str) -> int:
        text = one.lower()
        return 2 * sum(pair in text for pair in pairs) - abs(len(text) - len(word))

    return nlargest(_MOST_COMPARED, known, key=shared)


def some_of(words: Collection[str]) -> str:
    """Return what there is, in quotes; of many some."""
    some = [repr(one) for one, _ in zip(words, range(_MOST_NAMED), strict=False)]
    more = ", ..." if len(words) > _MOST_NAMED else ""
    return f"{', '.join(some)}{more}" if some else "none"
