"""The manifest's values against its schema: every problem in words for people, and what is left.

The only module that reads pydantic's errors; none of its words reaches a person.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from pydantic import ValidationError

from batchgen.manifest.schema import (
    TAGS,
    VERSION,
    AxisText,
    BudgetText,
    DefaultsText,
    DoubtText,
    FromFiles,
    FromJobs,
    JobText,
    LimitsText,
    ManifestText,
    OutputText,
    Part,
    PartOf,
    PromptFile,
    RetryText,
)
from batchgen.manifest.source.characters import unseen_in
from batchgen.manifest.source.document import Document
from batchgen.manifest.source.problems import Problems, listed, meant, shortened
from batchgen.manifest.source.scalars import kind_of
from batchgen.model import Json

Loc: TypeAlias = tuple[str | int, ...]

FREE = "x-"  # keys at the top that begin so are the user's own, for anchors
INCLUDED = ("version", "include", "vars", "defaults", "jobs")  # what a manifest may say that another includes

_PARTS: Mapping[str, type[Part]] = {
    "defaults": DefaultsText,
    "limits": LimitsText,
    "output": OutputText,
    "doubt": DoubtText,
    "retry": RetryText,
    "budget": BudgetText,
}
_HARMLESS = frozenset(
    {"entry", "repeat", "seed", "tags", "unchecked"}
)  # keys of a job that no other key refers to
_MISSING = {
    "version": "version is missing; write version: 1",
    "jobs": "jobs is missing; write jobs: and a list of jobs under it",
    "files": 'files is missing; write the pattern of the files there, as {files: "scans/*.png"}',
    "part_of": "part_of is missing; write the name of the other entry there, as {part_of: icons}",
    "of": "of is missing; write the values of the axis there",
}
_EXPECTED = {
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping of names to values",
    "model_type": "a mapping of keys to values",
    "int_type": "a whole number",
    "bool_type": "true or false",
}


class Validated(NamedTuple):
    """What of a manifest can be read on.

    Attributes:
        text: the whole, less what is wrong with it.
        numbers: for each of its jobs, its place in the file's list.
        defaults: whether its defaults are those of the file.
    """

    text: ManifestText
    numbers: tuple[int, ...]
    defaults: bool


def validate(document: Document, problems: Problems, *, included: bool = False) -> Validated:
    """Check the values one by one and go on with those that are right.

    Args:
        document: the file.
        problems: takes what is wrong.
        included: whether another manifest takes its jobs in, so that it can say nothing of the run.
    """
    data = {key: value for key, value in document.data.items() if not key.startswith(FREE)}
    bad = _blanks(document, data, problems)
    for key in [key for key in data if included and key in ManifestText.model_fields and key not in INCLUDED]:
        said = f"{key} cannot stand in a manifest that another one includes; write it there"
        problems.add(document.key_place((key,)), said)
        del data[key]
    _absent(document, data, problems)
    try:
        text = ManifestText.model_validate(data)
    except ValidationError as error:
        bad |= _report(error, document, problems)
        text = _remains(data, bad)
    else:
        if not text.jobs and "jobs" in data:
            problems.add(document.place(("jobs",)), "jobs is empty; write a list of jobs under it")
        if bad:
            text = _remains(data, bad)
    for one in document.dropped(_is_free):
        problems.warn(one.place, one.text, kind=one.kind)
    given = data.get("jobs")
    count = len(given) if isinstance(given, list) else 0
    numbers = tuple(number for number in range(count) if ("jobs", number) not in bad and ("jobs",) not in bad)
    return Validated(text, numbers, ("defaults",) not in bad)


def _is_free(path: Loc) -> bool:
    """Return whether a value may say anything, so that nothing of it should be missing."""
    match path:
        case ("vars", *_) | ("defaults", "params", *_):
            return True
        case ("jobs", int(), "prompt") | ("jobs", int(), "prompt", int()):
            return True
        case ("jobs", int(), "params" | "vars" | "matrix" | "zip" | "include" | "exclude", *_):
            return True
        case _:
            return False


def _absent(document: Document, data: Mapping[str, Json], problems: Problems) -> None:
    """Find what has to be there and is not, nor as a misspelt key."""
    if not {"jobs", "include"} & set(data) and not _misspelt("jobs", data, ()):
        problems.add(document.place(()), _MISSING["jobs"])


def _misspelt(key: str, data: Mapping[str, Json], path: Loc) -> bool:
    known = list(_keys_at(path))
    return any(meant(one, known) == f"; did you mean {key}?" for one in data if one not in known)


def _blanks(document: Document, data: Mapping[str, Json], problems: Problems) -> set[Loc]:
    """Find the keys that stand without a value: in YAML they look like a default that was asked for."""
    jobs = data.get("jobs")
    parts: list[tuple[Loc, Json]] = [((), data), *(((name,), data.get(name)) for name in _PARTS)]
    for number, one in enumerate(jobs if isinstance(jobs, list) else ()):
        parts.append((("jobs", number), one))
        if isinstance(one, dict):
            parts += ((("jobs", number, key), one.get(key)) for key in ("from", "entry"))
    bad = set()
    for path, part in parts:
        for key, value in part.items() if isinstance(part, dict) else ():
            if value is None and key in _keys_at(path):
                text = f"{key} has no value; write one or leave the key out"
                problems.add(document.key_place((*path, key)), text, kind=text)
                bad.add(_spoilt((*path, key)))
    return bad


def _remains(data: Mapping[str, Json], bad: set[Loc]) -> ManifestText:
    """Read what is left when the bad paths are taken out."""
    jobs = data.get("jobs")
    sound = {
        key: _without((key,), value, bad)
        for key, value in data.items()
        if key in ManifestText.model_fields and (key,) not in bad
    }
    if ("jobs",) not in bad and isinstance(jobs, list):
        numbered = ((("jobs", number), one) for number, one in enumerate(jobs))
        sound["jobs"] = [_without(path, one, bad) for path, one in numbered if path not in bad]
    return ManifestText.model_validate({"jobs": [], **sound, "version": VERSION})


def _without(path: Loc, value: Json, bad: set[Loc]) -> Json:
    if not isinstance(value, dict):
        return value
    return {key: one for key, one in value.items() if (*path, key) not in bad}


def _spoilt(loc: Loc) -> Loc:
    """Return what cannot be read on because of a fault: a key, where the rest makes sense without it."""
    match loc:
        case ("jobs", int(), str() as key, *_) if key in _HARMLESS or not _vital(key):
            return loc[:3]
        case ("jobs", int(), *_):
            return loc[:2]
        case ("limits" | "output" | "vars", str(), *_):
            return loc[:2]
        case _:
            return loc[:1]


def _vital(key: str) -> bool:
    """Return whether a key of a job is, or was meant to be, one that the others refer to."""
    keys = [known for known in _keys_at(("jobs", 0)) if known not in _HARMLESS]
    return key in keys or bool(meant(key, keys))


def _report(error: ValidationError, document: Document, problems: Problems) -> set[Loc]:
    found: list[dict[str, Any]] = [
        {**one, "loc": _as_written(one["loc"], document)} for one in error.errors(include_url=False)
    ]
    intended = _intended(found)
    bad: set[Loc] = set()
    for one in found:
        loc: Loc = one["loc"]
        bad.add(_spoilt(loc))
        if one["type"] == "extra_forbidden":
            name = str(loc[-1])
            said = _beside(name, loc[:-1], document) or _unknown(name, loc[:-1])
            problems.add(document.key_place(loc), said, kind="unknown key")
        elif one["type"] == "missing":
            if loc not in intended and not _blank(loc, document):
                problems.add(document.place(loc[:-1]), _MISSING[str(loc[-1])])
        elif not _blank(loc, document):
            text = f"{_name(loc)}: {_reason(one, document)}"
            problems.add(document.place(loc), text, kind=f"{one['type']} {_name(loc)}")
    return bad


def _as_written(loc: Loc, document: Document) -> Loc:
    """Return the path as the file has it, less what stands for one of several forms of a value."""
    value: Json = document.data
    kept: list[str | int] = []
    for step in loc:
        if step in TAGS or (step == "of" and not isinstance(value, dict)):
            continue
        kept.append(step)
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
    return tuple(kept)


def _blank(loc: Loc, document: Document) -> bool:
    """Return whether the key was named already for having no value."""
    value: Json = document.data
    for step in loc:
        if value is None:
            return True
        if isinstance(value, dict):
            value = value.get(str(step), value)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
    return value is None and isinstance(loc[-1], str) and loc[-1] in _keys_at(loc[:-1])


def _intended(found: Iterable[Any]) -> set[Loc]:
    """Return the keys that unknown ones stand for: such a key is misspelt, not missing."""
    unknown = [one["loc"] for one in found if one["type"] == "extra_forbidden"]
    return {
        (*loc[:-1], key)
        for loc in unknown
        for key in _keys_at(loc[:-1])
        if key in _MISSING and meant(str(loc[-1]), _keys_at(loc[:-1])) == f"; did you mean {key}?"
    }


def _beside(name: str, around: Loc, document: Document) -> str:
    """Return what is wrong with a key of another form of ``from``; empty where that is not the matter."""
    forms = [*FromFiles.model_fields, *FromJobs.model_fields]
    there = document.data["jobs"][around[1]]["from"] if around[2:] == ("from",) else {}
    other = next((one for one in forms if one in there and one != name), None)
    if other is None:
        return ""
    if name in forms:
        return f"{name} cannot stand beside {other}; leave one of them out"
    return f"unknown key {shortened(name)}{unseen_in(name)}; no other key stands beside {other}"


def _unknown(name: str, around: Loc) -> str:
    known = list(_keys_at(around))
    own = "" if around else f"; keys of your own begin with {FREE}"
    guess = meant(name, known) or f"; known here are {listed(known)}{own}"
    return f"unknown key {shortened(name)}{unseen_in(name)}{guess}"


def _keys_at(path: Loc) -> Iterator[str]:
    match path:
        case ():
            part: type[Part] = ManifestText
        case ("jobs", int()):
            part = JobText
        case ("jobs", int(), "matrix", str()):
            part = AxisText
        case ("jobs", int(), "prompt", int()):
            part = PromptFile
        case ("jobs", int(), "from"):
            yield from FromJobs.model_fields
            part = FromFiles
        case ("jobs", int(), "entry"):
            part = PartOf
        case (str() as name,) if name in _PARTS:
            part = _PARTS[name]
        case _:
            return
    yield from (field.alias or name for name, field in part.model_fields.items())


def _reason(error: Any, document: Document) -> str:
    kind, value, loc = error["type"], error["input"], error["loc"]
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind == "too_short":
        return "empty; write at least one value"
    if kind == "greater_than_equal":
        return f"expected a whole number from {error['ctx']['ge']}"
    if kind == "less_than_equal":
        return f"expected a whole number up to {error['ctx']['le']}"
    if kind == "literal_error":
        return f"expected {error['ctx']['expected'].replace(chr(39), '')}"
    expected = f"expected {_EXPECTED[kind]}, not {kind_of(value)}"
    if kind == "model_type" and isinstance(value, str):
        return expected + unseen_in(value)
    return expected + (_quoted_form(value, document, loc) if kind == "string_type" else "")


def _quoted_form(value: Json, document: Document, loc: Loc) -> str:
    """Show how to write what YAML reads as something else than text."""
    if isinstance(value, dict) and list(value.values()) == [None]:
        return f'; text that begins with {{ needs quotes: "{{{next(iter(value))}}}"'
    written = document.written(loc)
    if value is None or written is None:
        return ""
    many = isinstance(loc[-1], int) and document.place(loc) != document.place(loc[:-1])
    return f'; write "{written}"' if many else f'; write {_key(loc)}: "{written}"'


def _key(loc: Loc) -> str:
    return next(str(step) for step in reversed(loc) if isinstance(step, str))


def _name(loc: Loc) -> str:
    """Return the keys below the job, joined by dots."""
    below = loc[2:] if loc[:1] == ("jobs",) and len(loc) > 2 else loc  # noqa: PLR2004 - jobs, its number, the keys
    return ".".join(str(step) for step in below if isinstance(step, str))
