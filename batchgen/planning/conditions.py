"""Words for jobs and what each asks of one: values and tests, without a word on what is wrong. Pure."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from typing import NamedTuple, Protocol, TypeAlias

from batchgen.identity import ASSET
from batchgen.planning.marks import UNMARKED, Mark

KEYS = ("tag", "entry", "model", "status", "mark")
_WHOLE = ("same id", "asset")
_PATTERN = re.compile(r"[*?\[]")
_OF_OURS = ("status", "mark")  # whose values are words of ours, whatever their letters
_COMMA = re.compile(r"(?<!\\),")


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
    def mark(self) -> Mark | None:
        """What a person says of what came out of it."""

    @property
    def assets(self) -> Collection[str]:
        """The service's ids of what came out of it."""

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
        undecided: by the id of each job that waits for a mark the id of the one that is to be kept.
    """

    jobs: Iterable[Facts]
    statuses: Collection[str]
    without_manifest: str = ""
    where: str = "in this manifest"
    undecided: Mapping[str, str] = field(default_factory=dict)


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


class Condition(NamedTuple):
    """One condition on what a job has.

    Attributes:
        kind: one of ``KEYS``; ``id``; ``same id`` and ``asset``, without patterns; or ``variable``.
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
            case "mark":
                return (str(job.mark or UNMARKED),)
            case "asset":
                return job.assets
            case "variable":
                value = job.value(self.name)
                return () if value is None else (value,)
            case _:
                return (job.id,)

    @property
    def is_pattern(self) -> bool:
        """Whether it means more than one text."""
        return self.kind not in _WHOLE and bool(_PATTERN.search(self.pattern))

    def test(self) -> Callable[[Facts], bool]:
        """Return what says of a job whether it holds."""
        pattern, of = self.pattern, self.of
        if not self.is_pattern:
            return lambda job: pattern in of(job)
        like = re.compile(translate(pattern)).match
        if self.kind == "id":
            return lambda job: job.id == pattern or like(job.id) is not None
        return lambda job: any(one == pattern or like(one) is not None for one in of(job))


def condition_of(text: str, named: Collection[str]) -> Condition:
    """Return what a part of a word asks; ``named`` has the ids of jobs that were typed."""
    if text in named:
        return Condition("same id", "", text)
    key, colon, pattern = text.partition(":")
    if colon and key in KEYS:
        pattern = pattern.strip()
        return Condition(key, "", _status(pattern) if key in _OF_OURS else pattern)
    if is_asset(text):
        return Condition("asset", "", text)
    name, equals, value = text.partition("=")
    return (
        Condition("variable", name.strip(), value.strip()) if equals and name else Condition("id", "", text)
    )


def is_asset(text: str) -> bool:
    """Return whether a part of a word is the id of an asset, where it is not that of a job."""
    return text.startswith(ASSET) and not _PATTERN.search(text) and "=" not in text


def _status(pattern: str) -> str:
    """Return a status as it is compared: ``not bought`` is ``not_bought``."""
    return pattern.lower() if _PATTERN.search(pattern) else re.sub(r"[ -]", "_", pattern.lower())
