"""What is wrong with words that mean no job, and what may have been meant. Pure."""

from collections.abc import Collection

from batchgen.planning.conditions import KEYS, Condition, Known, Word, condition_of
from batchgen.planning.guesses import closest, meant, some_of
from batchgen.planning.marks import WORDS

_KEYS_TOLD = ", ".join(f"{one}:" for one in KEYS)
_OF_THE_MANIFEST = ("tag", "entry", "variable")


def fault_of(word: Word, named: Collection[str], known: Known) -> str:
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
        one = condition_of(part.text, named)
        if one.kind in KEYS and not one.pattern:
            return f"write what is meant behind {part.text!r}, as in '{one.kind}:NAME'"
        if known.without_manifest and one.kind in _OF_THE_MANIFEST:
            why = known.without_manifest
            return (
                f"{part.text!r} needs the manifest, and {why}. Without it there are ids, model:, status: and "
                "mark:"
            )
        there = {"status": known.statuses, "mark": WORDS}.get(one.kind, ())
        if there and not one.is_pattern and one.pattern not in there:
            hint = meant(one.pattern, there) or f"; there are {some_of(there)}"
            return f"no {one.kind} is called {one.pattern!r}{hint}"
    return ""


class There:
    """What the jobs have, gathered once something is wrong."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._values: dict[tuple[str, str], dict[str, None]] = {}

    def values(self, one: Condition) -> Collection[str]:
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
            return self._no_such(Condition("same id", "", word.text))
        conditions = [condition_of(part.text, named) for part in word.parts if part.listed is None]
        for one in conditions:
            if not any(map(one.test(), self._known.jobs)):
                return self._no_such(one)
        return f"no job is all of {' and '.join(repr(part.text) for part in word.parts)}"

    def _no_such(self, one: Condition) -> str:
        match one.kind:
            case "variable":
                return self._no_such_value(one)
            case "id" | "same id":
                return self._no_such_id(one)
            case "status":
                return f"no job has status {one.pattern!r}; there are {some_of(self.values(one))}"
            case "mark":
                return f"no job has the mark {one.pattern!r}; there are {some_of(self.values(one))}"
            case "asset":
                return f"no job {self._known.where} is called {one.pattern!r} or has an asset of that id"
            case _:
                article = "an" if one.kind == "entry" else "a"
                like = "like " if one.is_pattern else ""
                what = f"{article} {one.kind} {like}{one.pattern!r}"
                hint = meant(one.pattern, self.values(one)) or f"; there are {some_of(self.values(one))}"
                return f"no job has {what}{hint}"

    def _no_such_value(self, one: Condition) -> str:
        if one.name not in self.variables:
            if one.name in KEYS:
                return f"no variable is called {one.name!r}; did you mean '{one.name}:{one.pattern}'?"
            hint = meant(one.name, self.variables) or f"; there are {some_of(self.variables)}"
            return f"no job has a variable {one.name!r}{hint}"
        values = self.values(one)
        hint = meant(one.pattern, values) or f"; there are {some_of(values)}"
        return f"{one.name} is {one.pattern!r} in no job{hint}"

    def _no_such_id(self, one: Condition) -> str:
        where = self._known.where
        if (parent := self._known.undecided.get(one.pattern)) is not None:
            return f"job {one.pattern!r} waits until {parent!r}, which it goes through, is marked kept"
        key, colon, value = one.pattern.partition(":")
        if colon and one.kind == "id" and (told := self._unknown_key(key, value)):
            return f"no job {one.pattern!r} {where}, and {told}"
        if one.is_pattern:
            return f"no job {where} has an id like {one.pattern!r}"
        hint = self._other_kinds(one.pattern) or meant(one.pattern, self.values(one))
        return f"no job {one.pattern!r} {where}{hint}"

    def _unknown_key(self, key: str, value: str) -> str:
        if key in self.variables:
            return f"'{key}:' is unknown; a variable is written {f'{key}={value}'!r}"
        close = closest(key.lower(), KEYS, cutoff=0.5)
        hint = f"there are {_KEYS_TOLD}" if close is None else f"did you mean {f'{close}:{value}'!r}?"
        return f"'{key}:' is unknown; {hint}"

    def _other_kinds(self, text: str) -> str:
        """Return how a word is written that is no id, but what a job is found by otherwise."""
        for kind in ("tag", "entry", "status", "mark"):
            if text in self.values(Condition(kind, "", "")):
                return f"; did you mean '{kind}:{text}'?"
        return ""
