r"""Which jobs the words of a person mean: the one grammar of JOB, ``--only`` and ``--except``. Pure.

A word is the id of a job, or a pattern of ids with ``*``, ``?`` and ``[...]``; ``tag:``, ``entry:``, ``model:``
or ``status:`` with a pattern of what stands there; or a variable with its value, ``rarity=rare``. What commas
join must all be true of a job (a comma that is meant is written ``\,``); of several words any may be. ``@`` and
the name of a file stands for the words in it, any of them. An id always means its own job, whatever
characters it has.

All words are held against a job before the next one is looked at, and nothing of a job is asked that no word
needs: of 100,000 jobs nothing is kept but which ones are meant.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import translate
from functools import partial
from typing import NamedTuple, Protocol, TypeAlias

from batchgen.planning.guesses import meant, some_of

KEYS = ("tag", "entry", "model", "status")
_OF_THE_MANIFEST = ("tag", "entry")
_PATTERN = re.compile(r"[*?\[]")
_COMMA = re.compile(r"(?<!\\),")
_MOST_SAID = 10  # sentences about words


class Facts(Protocol):
    """What a job can be found by; each is worked out when a word asks for it."""

    @property
    def id(self) -> str:
        """Its name, unique among the manifest's jobs."""

    @property
    def entry(self) -> str:
        """The name of the entry that it comes from; empty where that has none."""

    @property
    def model(self) -> str:
        """The service's id of its model."""

    @property
    def tags(self) -> Collection[str]:
        """The words that its entry, or the defaults, give it."""

    @property
    def statuses(self) -> Collection[str]:
        """Every word for where it stands, in small letters with ``_``."""

    @property
    def variables(self) -> "Collection[str]":
        """The names of the variables that made it."""

    def value(self, name: str) -> str | None:
        """Return the value of a variable as a person reads it; None where there is none of that name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """The jobs among which words select.

    Attributes:
        jobs: in order; gone through more than once.
        statuses: every word that a status can be.
        without_manifest: why only the journal's records are known, whose jobs have no entry, tags and
            variables; empty where the manifest is known.
        where: what is searched, in a sentence.
    """

    jobs: Iterable[Facts]
    statuses: Collection[str]
    without_manifest: str = ""
    where: str = "in this manifest"


@dataclass(frozen=True, slots=True)
class Part:
    """One condition of a word.

    Attributes:
        text: as it was typed, its commas plain.
        listed: the words of the file that it names; None where it names none.
        fault: why its file cannot be used.
    """

    text: str
    listed: "tuple[Word, ...] | None" = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """What stands for some jobs.

    Attributes:
        text: as it was typed.
        place: where that was, for messages: ``--only 2``, ``picks.txt:3``.
        parts: its conditions, all of which must hold; none where it can only be an id.
    """

    text: str
    place: str
    parts: tuple[Part, ...] = ()


Read: TypeAlias = Callable[[str], Part]


def parse(text: str, place: str, read: Read) -> Word:
    """Return a word as it was typed; whether it is an id is seen when the jobs are known.

    Args:
        text: the word.
        place: where it was typed.
        read: takes a part that begins with ``@`` and reads the file.
    """
    parts = (one.replace("\\,", ",").strip() for one in _COMMA.split(text))
    return Word(text, place, tuple(read(one) if one.startswith("@") else Part(one) for one in parts))


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
    places, ids, wrong = list[int](), list[str](), list[str]()
    for place, job in enumerate(known.jobs):
        held = [one.held(job) for one in groups]
        if held[2] or any(group and not found for group, found in zip(groups[:2], held[:2], strict=True)):
            continue
        leaves = [leaf for found in held for leaf in found]
        why = unfit(job.id) if unfit is not None else None
        for leaf in leaves:
            leaf.met += 1
            leaf.fit += why is None
        if why is None:
            places.append(place)
            ids.append(job.id)
        elif any(leaf.is_id for leaf in leaves):
            wrong.append(why)
    wrong += _said(groups, known, words, nothing=not ids)
    return Selected(tuple(places), tuple(ids), tuple(wrong))


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
        hits: how many jobs it holds for.
        met: how many of them the other words leave.
        fit: how many of these are fit.
    """

    word: Word
    is_id: bool
    test: "Callable[[Facts], bool] | None" = None
    inside: "tuple[_Group, ...]" = ()
    hits: int = 0
    met: int = 0
    fit: int = 0


class _Group:
    """Words of which any may hold."""

    def __init__(self, words: Iterable[Word], named: Collection[str], known: Known) -> None:
        self.leaves: list[_Leaf] = []
        self._ids: dict[str, list[_Leaf]] = {}
        self._tested: list[tuple[_Leaf, Callable[[Facts], bool]]] = []
        for word in _spread(words, named):
            leaf = _leaf(word, named, known)
            self.leaves.append(leaf)
            if leaf.is_id:
                self._ids.setdefault(word.text, []).append(leaf)
            elif leaf.test is not None:
                self._tested.append((leaf, leaf.test))

    def __bool__(self) -> bool:
        return bool(self.leaves)

    def held(self, job: Facts) -> list[_Leaf]:
        """Return the words that hold for a job, and count them."""
        found = [*self._ids.get(job.id, ())] if self._ids else []
        found += [leaf for leaf, test in self._tested if test(job)]
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
        return _Leaf(word, is_id=True)
    if not word.parts or _fault(word, named, known):
        return _Leaf(word, is_id=False)
    inside: list[_Group] = []
    tests: list[Callable[[Facts], bool]] = []
    for part in word.parts:
        if part.listed is not None and part.text not in named:
            group = _Group(part.listed, named, known)
            inside.append(group)
            tests.append(partial(_any_holds, group))
        else:
            tests.append(_condition(part.text, named).test())
    if len(tests) == 1:
        return _Leaf(word, is_id=False, test=tests[0], inside=tuple(inside))

    def all_hold(job: Facts) -> bool:
        # each of them is asked, so that the words of a list are counted whatever the others say
        return all([test(job) for test in tests]) if inside else all(test(job) for test in tests)

    return _Leaf(word, is_id=False, test=all_hold, inside=tuple(inside))


def _any_holds(group: _Group, job: Facts) -> bool:
    return bool(group.held(job))


class _Condition(NamedTuple):
    """One condition on what a job has.

    Attributes:
        kind: one of ``KEYS``; ``id``; ``same id``, without patterns; or ``variable``.
        name: of the variable.
        pattern: of what stands there.
    """

    kind: str
    name: str
    pattern: str

    def of(self, job: Facts) -> Collection[str]:
        """Return what the job has where this condition looks."""
        match self.kind:
            case "tag":
                return job.tags
            case "entry":
                return (job.entry,) if job.entry else ()
            case "model":
                return (job.model,)
            case "status":
                return job.statuses
            case "variable":
                value = job.value(self.name)
                return () if value is None else (value,)
            case _:
                return (job.id,)

    @property
    def is_pattern(self) -> bool:
        return self.kind != "same id" and bool(_PATTERN.search(self.pattern))

    def test(self) -> Callable[[Facts], bool]:
        """Return what says of a job whether it holds."""
        pattern, of = self.pattern, self.of
        if not self.is_pattern:
            return lambda job: pattern in of(job)
        like = re.compile(translate(pattern)).match
        if self.kind == "id":
            return lambda job: job.id == pattern or like(job.id) is not None
        return lambda job: any(one == pattern or like(one) is not None for one in of(job))


def _condition(text: str, named: Collection[str]) -> _Condition:
    if text in named:
        return _Condition("same id", "", text)
    key, colon, pattern = text.partition(":")
    if colon and key in KEYS:
        pattern = pattern.strip()
        return _Condition(key, "", _status(pattern) if key == "status" else pattern)
    name, equals, value = text.partition("=")
    return (
        _Condition("variable", name.strip(), value.strip()) if equals and name else _Condition("id", "", text)
    )


def _status(pattern: str) -> str:
    """Return a status as it is compared: ``not bought`` is ``not_bought``."""
    return pattern.lower() if _PATTERN.search(pattern) else re.sub(r"[ -]", "_", pattern.lower())


def _fault(word: Word, named: Collection[str], known: Known) -> str:
    """Return what is wrong with a word whatever jobs there are; empty where nothing is."""
    for part in word.parts:
        if part.text in named:
            continue
        if part.fault:
            return part.fault
        if part.listed is not None:
            continue
        if not part.text:
            before = "between two commas" if len(word.parts) > 1 else "here"
            return f"nothing stands {before}; write an id such as 'tower-*', or tag:NAME"
        one = _condition(part.text, named)
        if one.kind in KEYS and not one.pattern:
            return f"write what is meant behind {part.text!r}, as in '{one.kind}:NAME'"
        if known.without_manifest and one.kind in (*_OF_THE_MANIFEST, "variable"):
            return f"{part.text!r} needs the manifest, and {known.without_manifest}; ids, model: and status: work"
        if one.kind == "status" and not one.is_pattern and one.pattern not in known.statuses:
            hint = meant(one.pattern, known.statuses) or f"; there are {some_of(known.statuses)}"
            return f"no status is called {one.pattern!r}{hint}"
    return ""


def _said(groups: list[_Group], known: Known, words: JobSelection, *, nothing: bool) -> Iterator[str]:
    """Say of each word that means nothing why, and of all together where that leaves nothing."""
    there, said = _There(known), 0
    bad = [leaf for group in groups for leaf in group.all() if not leaf.hits]
    named = frozenset(leaf.word.text for group in groups for leaf in group.all() if leaf.is_id)
    for leaf in bad[:_MOST_SAID]:
        yield f"{leaf.word.place}: {_fault(leaf.word, named, known) or there.nothing_like(leaf.word, named)}"
    if len(bad) > _MOST_SAID:
        yield f"and {len(bad) - _MOST_SAID} more words that mean no job"
    for leaf in (*groups[0].leaves, *groups[1].leaves):
        if leaf.met and not leaf.fit and not leaf.is_id:
            said += 1
            yield f"of {leaf.met} jobs like {leaf.word.text!r} there is none to do this with"
    if nothing and not bad and not said:
        yield from _left_nothing(groups, words)


def _left_nothing(groups: list[_Group], words: JobSelection) -> Iterator[str]:
    if any(leaf.met for group in groups for leaf in group.all()):
        return  # each was named, and is not fit: that is said
    if words.jobs and words.only:
        rest = ", and left by --except" if words.without else ""
        yield f"no job is meant both by JOB and by --only{rest}"
    elif words.without:
        yield "--except takes away every job that is meant"


class _There:
    """What the jobs have, gathered once something is wrong."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._values: dict[tuple[str, str], dict[str, None]] = {}

    def values(self, one: _Condition) -> Collection[str]:
        """Return all that stands where a condition looks."""
        key = (one.kind, one.name)
        if key not in self._values:
            self._values[key] = {value: None for job in self._known.jobs for value in one.of(job)}
        return self._values[key]

    @property
    def variables(self) -> Collection[str]:
        """The names of all variables."""
        if ("names", "") not in self._values:
            self._values["names", ""] = {name: None for job in self._known.jobs for name in job.variables}
        return self._values["names", ""]

    def nothing_like(self, word: Word, named: Collection[str]) -> str:
        """Return why a word means no job."""
        if not word.parts:
            return self._no_such(_Condition("same id", "", word.text))
        conditions = [_condition(part.text, named) for part in word.parts if part.listed is None]
        for one in conditions:
            if not any(map(one.test(), self._known.jobs)):
                return self._no_such(one)
        return f"no job is all of {' and '.join(repr(part.text) for part in word.parts)}"

    def _no_such(self, one: _Condition) -> str:
        match one.kind:
            case "variable":
                return self._no_such_value(one)
            case "id" | "same id":
                return self._no_such_id(one)
            case "status":
                return f"no job has status {one.pattern!r}; there are {some_of(self.values(one))}"
            case _:
                article = "an" if one.kind == "entry" else "a"
                like = "like " if one.is_pattern else ""
                what = f"{article} {one.kind} {like}{one.pattern!r}"
                hint = meant(one.pattern, self.values(one)) or f"; there are {some_of(self.values(one))}"
                return f"no job has {what}{hint}"

    def _no_such_value(self, one: _Condition) -> str:
        if one.name not in self.variables:
            if one.name in KEYS:
                return f"no variable is called {one.name!r}; did you mean '{one.name}:{one.pattern}'?"
            hint = meant(one.name, self.variables) or f"; there are {some_of(self.variables)}"
            return f"no job has a variable {one.name!r}{hint}"
        values = self.values(one)
        hint = meant(one.pattern, values) or f"; there are {some_of(values)}"
        return f"{one.name} is {one.pattern!r} in no job{hint}"

    def _no_such_id(self, one: _Condition) -> str:
        where = self._known.where
        key, colon, value = one.pattern.partition(":")
        if colon and one.kind == "id" and (told := self._unknown_key(key, value)):
            return f"no job {one.pattern!r} {where}, and {told}"
        if one.is_pattern:
            return f"no job {where} has an id like {one.pattern!r}"
        hint = meant(one.pattern, self.values(one))
        return f"no job {one.pattern!r} {where}{hint}{'' if hint else self._other_kinds(one.pattern)}"

    def _unknown_key(self, key: str, value: str) -> str:
        if key in self.variables:
            return f"'{key}:' is unknown; a variable is written {f'{key}={value}'!r}"
        hint = meant(key.lower(), KEYS, cutoff=0.5)
        there = f"; there are {', '.join(f'{one}:' for one in KEYS)}" if not hint else hint
        return f"{key + ':'!r} is unknown{there}"

    def _other_kinds(self, text: str) -> str:
        """Return how a word is written that is no id, but what a job is found by otherwise."""
        for kind in ("tag", "entry", "status"):
            if text in self.values(_Condition(kind, "", "")):
                return f"; did you mean '{kind}:{text}'?"
        return ""
