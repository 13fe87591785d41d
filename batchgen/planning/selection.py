"""Which jobs a word of the command line means: the one grammar of JOB, wherever it is typed.

A word is the id of a job, or a pattern of ids with ``*``, ``?`` and ``[...]``. An id always means its own
job, whatever characters it has. ``name:value``, ``name=value``, ``@file`` and commas are kept free: no word
of such a form is ever taken for a pattern or for something like an id.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import NamedTuple

from batchgen.planning.plan import Plan, wrong_with_retry

_PATTERN = re.compile(r"[*?\[]")
_KEPT_FREE = re.compile(r"^@|[:=,]")


class Selected(NamedTuple):
    """What some words mean.

    Attributes:
        ids: of the jobs that are meant, each once, in the order of the manifest.
        wrong: a sentence for each word that means nothing.
    """

    ids: tuple[str, ...]
    wrong: tuple[str, ...]


def selected(words: Iterable[str], ids: Sequence[str], *, unfit: Callable[[str], str | None]) -> Selected:
    """Return the jobs that words mean: those that are named must be fit, those of a pattern may be.

    Args:
        words: as they were typed.
        ids: of all jobs of the manifest, in its order.
        unfit: says why the job of an id is not one for what is to be done; None where it is.
    """
    known, chosen, wrong = frozenset(ids), set[str](), list[str]()
    for word in dict.fromkeys(words):
        if word in known:
            why = unfit(word)
            wrong += [why] if why is not None else []
            chosen.add(word)
            continue
        alike = _alike(word, ids)
        fit = {one for one in alike if unfit(one) is None}
        wrong += [] if fit else [_nothing(word, ids, alike)]
        chosen |= fit
    return Selected(tuple(one for one in dict.fromkeys(ids) if one in chosen), tuple(wrong))


def to_retry(words: Iterable[str], plan: Plan) -> Selected:
    """Return the jobs of a plan that are to be tried again."""
    return selected(words, ids_of(plan), unfit=lambda name: wrong_with_retry(plan, name))


def ids_of(plan: Plan) -> list[str]:
    """Return the ids of the manifest's jobs, in its order."""
    return [one.job.id for one in plan.entries]


def _alike(word: str, ids: Sequence[str]) -> list[str]:
    if not _PATTERN.search(word) or _KEPT_FREE.search(word):
        return []
    return [one for one in ids if fnmatchcase(one, word)]


def _nothing(word: str, ids: Sequence[str], alike: Sequence[str]) -> str:
    """Return why a word means no job."""
    if alike:
        return f"of {len(alike)} jobs like {word!r} there is none to do this with"
    if _KEPT_FREE.search(word):
        return f"{word!r} is not a job of this manifest; name jobs by id or by pattern, as 'tower-*'"
    if _PATTERN.search(word):
        return f"no job of this manifest has an id like {word!r}"
    close = get_close_matches(word, ids, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"no job {word!r} in this manifest{hint}"
