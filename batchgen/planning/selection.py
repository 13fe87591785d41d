r"""Which jobs the words of a person mean: the one grammar of JOB, ``--only`` and ``--except``. Pure.

A word is the id of a job, or a pattern of ids with ``*``, ``?`` and ``[...]``; ``tag:``, ``entry:``,
``model:``, ``status:`` or ``mark:`` with a pattern of what stands there; the id of an asset that came out of
it; or a variable with its value, ``rarity=rare``.
What commas join must all be true of a job (a comma that is meant is written ``\,``); of several words any may
be. ``@`` and the name of a file stands for the words in it, any of them. An id always means its own job,
whatever characters it has.

All words are held against a job before the next one is looked at, and nothing of a job is asked that no word
needs: of 100,000 jobs nothing is kept but which ones are meant.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeAlias

from batchgen.planning.conditions import Condition, Facts, Known, Word, condition_of
from batchgen.planning.selection_faults import There, fault_of

_MOST_SAID = 10  # sentences about words


@dataclass(frozen=True, slots=True)
class JobSelection:
    """What a person says of the jobs that are meant.

    Attributes:
        jobs: the words of JOB; a job must be one of them, where there are any.
        only: the words of ``--only``; the same.
        without: the words of ``--except``; a job must be none of them.
    """

    jobs: tuple[Word, ...] = ()
    only: tuple[Word, ...] = ()
    without: tuple[Word, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.jobs or self.only or self.without)

    @property
    def names_any(self) -> bool:
        """Whether jobs are named, and not only taken away."""
        return bool(self.jobs or self.only)

    def __str__(self) -> str:
        """Return it as it would be typed."""
        told = [one.text for one in self.jobs]
        told += [f"--only {one.text}" for one in self.only]
        told += [f"--except {one.text}" for one in self.without]
        return " ".join(told)


def of_ids(ids: Iterable[str]) -> JobSelection:
    """Return what means the jobs of these ids and no other."""
    return JobSelection(jobs=tuple(Word(one, one) for one in ids))


class Selected(NamedTuple):
    """What some words mean.

    Attributes:
        places: of the jobs that are meant, among all that are known, in their order.
        ids: of the same jobs.
        wrong: a sentence for each word that means nothing.
    """

    places: tuple[int, ...]
    ids: tuple[str, ...]
    wrong: tuple[str, ...]


Unfit: TypeAlias = Callable[[str], str | None]


def selected(words: JobSelection, known: Known, *, unfit: Unfit | None = None) -> Selected:
    """Return the jobs that are meant: those that are named by id must be fit, the others may be.

    Args:
        words: what a person says.
        known: all jobs, in their order.
        unfit: says why the job of an id is not one for what is to be done, None where it is; without it
            every job is fit.
    """
    named = _named(words, known)
    groups = [_Group(one, named, known) for one in (words.jobs, words.only, words.without)]
    wanted, taken = [one for one in groups[:2] if one], groups[2]
    places, ids, wrong = list[int](), list[str](), list[str]()
    for place, job in enumerate(known.jobs):
        held = [one.held(job) for one in wanted]
        if (taken and taken.held(job)) or not all(held):
            continue
        why = unfit(job.id) if unfit is not None else None
        leaves = [leaf for found in held for leaf in found]
        for leaf in leaves:
            leaf.met += 1
            leaf.fit += why is None
        if why is None:
            places.append(place)
            ids.append(job.id)
        elif any(leaf.is_id for leaf in leaves):
            wrong.append(why)
    if len(wrong) > _MOST_SAID:
        wrong[_MOST_SAID:] = [f"and {len(wrong) - _MOST_SAID} more jobs that this cannot be done with"]
    wrong += _said(groups, named, known)
    if not (ids or wrong):
        wrong.append(_left_nothing(words))
    return Selected(tuple(places), tuple(ids), tuple(wrong))


def holding(words: JobSelection, known: Known) -> Callable[[Facts], bool]:
    """Return what says whether a job is meant: of one asset, it is asked as of a job that has no other.

    Args:
        words: what a person says, which means some job.
        known: all jobs.
    """
    named = _named(words, known)
    wanted = [group for one in (words.jobs, words.only) if (group := _Group(one, named, known))]
    taken = _Group(words.without, named, known)

    def holds(job: Facts) -> bool:
        return all(one.held(job) for one in wanted) and not (taken and taken.held(job))

    return holds


def _named(words: JobSelection, known: Known) -> frozenset[str]:
    """Return the texts that are ids of jobs."""
    texts = frozenset(_texts((*words.jobs, *words.only, *words.without)))
    return texts.intersection(job.id for job in known.jobs)


def _texts(words: Iterable[Word]) -> Iterator[str]:
    for word in words:
        yield word.text
        for part in word.parts:
            yield part.text
            yield from _texts(part.listed or ())


@dataclass(slots=True, eq=False)
class _Leaf:
    """A word of which it is counted how often it holds.

    Attributes:
        is_id: whether it is the id of a job.
        exact: what it asks, where that is one condition without a pattern; then it has no test.
        hits: how many jobs it holds for.
        met: how many of them the other words leave.
        fit: how many of these are fit.
    """

    word: Word
    is_id: bool = False
    exact: Condition | None = None
    test: "Callable[[Facts], bool] | None" = None
    inside: "tuple[_Group, ...]" = ()
    hits: int = 0
    met: int = 0
    fit: int = 0


class _Group:
    """Words of which any may hold."""

    def __init__(self, words: Iterable[Word], named: Collection[str], known: Known) -> None:
        self.leaves: list[_Leaf] = []
        self._exact: dict[Condition, dict[str, list[_Leaf]]] = {}
        self._tested: list[tuple[_Leaf, Callable[[Facts], bool]]] = []
        for word in _spread(words, named):
            leaf = _leaf(word, named, known)
            self.leaves.append(leaf)
            if (one := leaf.exact) is not None:  # of thousands of these only the right one is looked up
                same = self._exact.setdefault(one._replace(pattern=""), {})
                same.setdefault(one.pattern, []).append(leaf)
            elif leaf.test is not None:
                self._tested.append((leaf, leaf.test))

    def __bool__(self) -> bool:
        return bool(self.leaves)

    def held(self, job: Facts) -> list[_Leaf]:
        """Return the words that hold for a job, and count them."""
        found = [leaf for leaf, test in self._tested if test(job)]
        for condition, leaves in self._exact.items():
            for value in dict.fromkeys(condition.of(job)):
                found += leaves.get(value, ())
        for leaf in found:
            leaf.hits += 1
        return found

    def all(self) -> Iterator[_Leaf]:
        """Return every word, those of lists inside others included."""
        for leaf in self.leaves:
            yield leaf
            for group in leaf.inside:
                yield from group.all()


def _spread(words: Iterable[Word], named: Collection[str]) -> Iterator[Word]:
    """Return the words, those of a file in its place."""
    for word in words:
        listed = word.parts[0].listed if len(word.parts) == 1 else None
        if listed is None or word.text in named:
            yield word
        else:
            yield from listed


def _leaf(word: Word, named: Collection[str], known: Known) -> _Leaf:
    if word.text in named:
        return _Leaf(word, is_id=True, exact=condition_of(word.text, named))
    if not word.parts or fault_of(word, named, known):
        return _Leaf(word)
    inside: list[_Group] = []
    tests: list[Callable[[Facts], bool]] = []
    if len(word.parts) == 1 and not (one := condition_of(word.parts[0].text, named)).is_pattern:
        return _Leaf(word, exact=one)
    for part in word.parts:
        if part.listed is not None and part.text not in named:
            group = _Group(part.listed, named, known)
            inside.append(group)
            tests.append(partial(_any_holds, group))
        else:
            tests.append(condition_of(part.text, named).test())
    if len(tests) == 1:
        return _Leaf(word, test=tests[0])

    def all_hold(job: Facts) -> bool:
        if not inside:
            return all(test(job) for test in tests)
        held = [test(job) for test in tests]  # the words of a list are counted whatever the others say
        return all(held)

    return _Leaf(word, test=all_hold, inside=tuple(inside))


def _any_holds(group: _Group, job: Facts) -> bool:
    return bool(group.held(job))


def _said(groups: Iterable[_Group], named: Collection[str], known: Known) -> Iterator[str]:
    """Say of each word that means no job why."""
    leaves = [leaf for group in groups for leaf in group.all()]
    bad, there = [leaf.word for leaf in leaves if not leaf.hits], There(known)
    for word in bad[:_MOST_SAID]:
        yield f"{word.place}: {fault_of(word, named, known) or there.nothing_like(word, named)}"
    if len(bad) > _MOST_SAID:
        yield f"and {len(bad) - _MOST_SAID} more words that mean no job"
    for leaf in leaves:
        if leaf.met and not leaf.fit and not leaf.is_id:
            yield f"of {leaf.met} jobs like {leaf.word.text!r} there is none to do this with"


def _left_nothing(words: JobSelection) -> str:
    """Return why words that each mean some job mean none together."""
    if words.jobs and words.only:
        rest = ", and left by --except" if words.without else ""
        return f"no job is meant both by JOB and by --only{rest}"
    return "--except takes away every job that is meant"
