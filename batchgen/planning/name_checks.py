"""Whether every job has a name for its files, safe and its own, told before anything is bought.

Pure. What the text of the template itself is wrong with was found when the manifest was read. What the
service calls an asset is not known here: of that, ``file_names`` makes what is safe.
"""

import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Final

from batchgen.errors import Problem
from batchgen.manifest.file_templates import (
    FIXED,
    LONGEST,
    LONGEST_FOLDER,
    LONGEST_STEM,
    TYPE,
    WITH_FOLDERS,
    unsafe_in,
    wrong_with_part,
)
from batchgen.manifest.source.problems import Problems, shortened
from batchgen.manifest.source.scalars import kind_of as named_kind
from batchgen.manifest.values import Manifest
from batchgen.planning.file_names import SUSPECT, NameParts, folded, value_of
from batchgen.planning.job_words import JobWords, names_of
from batchgen.planning.periods import is_calendar
from batchgen.planning.slots import slot_at
from batchgen.planning.yields import kind_of

# what stands for an asset: ids of the service have about 30 characters
_ASSET: Final = {"index": "0", "asset_id": "asset_" + "x" * 26, "kind": "image"}
_DAY: Final = "2026-12-01"
_MOMENT: Final = 1_796_083_200.0  # its first
_FRESH: Final = ".fresh-20261201T000000Z"  # what may stand behind a period's own slot
_NUMBERED = re.compile(r"(.+)_([2-9]|[1-9][0-9]+)", re.DOTALL)
_SHORT = LONGEST_STEM // 4  # characters: of so many no part is too long
_TAIL = LONGEST - LONGEST_STEM  # bytes: a number and a type
_MOST_VALUE = 60  # characters of a value that are shown
_MOST_WORD = 40  # characters of a value that may tell jobs apart
_MOST_TOLD_APART = 24  # jobs of one name that are held against each other
_MOST_GROUPS = 30  # names for which it is worked out what tells their jobs apart
_SPECIAL = FIXED | {"prompt", "model"}  # those that are not in a name as the sheet has them
_CHANGE = "change it there, or name the files by another variable"


def check_names(
    manifest: Manifest,
    *,
    period: str | None,
    room: int,
    only: Sequence[int] | None = None,
    called: str = "output.files",
) -> tuple[Problem, ...]:
    """Refuse a manifest in which a job's files have no name of their own.

    Args:
        manifest: that was read.
        period: of the run, of the calendar or a name; None for a batch that does not repeat.
        room: bytes that a path below ``assets/`` may have.
        only: the numbers of the jobs that are looked at, in their order; None for all.
        called: what people call the template.

    Returns:
        The manifest's warnings, and those of the names.

    Raises:
        ManifestError: names what is wrong, each with the place of its job.
    """
    problems = Problems(str(manifest.path))
    problems.take_warnings(manifest.warnings)
    if not _has_slot(manifest, problems, period, called):
        period = "day"  # to find in one go what else is wrong
    slot = "" if period is None else slot_at(period, _MOMENT, UTC) + _FRESH
    words = JobWords(manifest, slot=slot, date=_DAY if is_calendar(period) else "")
    jobs = range(len(manifest.jobs)) if only is None else only
    check = _Check(manifest, words, problems, room, jobs, called)
    names = frozenset(words.names.names)
    if names <= FIXED and ("asset_id" in names or {"id", "index"} <= names):
        # ids are safe and each is there once: the longest stands for all
        check.longest()
    else:
        check.all()
    problems.raise_any()
    return problems.warnings


def _has_slot(manifest: Manifest, problems: Problems, period: str | None, called: str) -> bool:
    """Return whether a period gives what the template says of the slot, and note what it does not."""
    before = len(problems)
    names = JobWords(manifest).names
    for name in ("slot", "date"):
        if name not in names.names or name in names.optional:
            continue
        if all(name in names_of(one.variables) for one in manifest.origins.entries):
            continue  # it is the sheet's
        if period is None:
            text = f"{{{name}}} is that of the slot, and without period there is none; write period: day"
        elif name == "date" and not is_calendar(period):
            text = (
                f'{{date}} is the day on which a slot begins, and "{period}" begins on none; write {{slot}}'
            )
        else:
            continue
        problems.add(manifest.output.place, f"{called}: {text}")
    return len(problems) == before


class _WrongNameError(Exception):
    """What keeps a job's files from having a name."""

    def __init__(self, text: str, kind: str) -> None:
        self.kind = kind
        super().__init__(text)


class _Check:
    """One look at the names of all jobs."""

    def __init__(
        self,
        manifest: Manifest,
        words: JobWords,
        problems: Problems,
        room: int,
        jobs: Sequence[int],
        called: str,
    ) -> None:
        self._manifest = manifest
        self._jobs = jobs
        self._called = called
        self._words = words
        self._names = words.names
        self._problems = problems
        self._room = room
        self._short = min(_SHORT, (room - _TAIL) // 4)
        self._taken: dict[str, int] = {}
        self._folders: dict[str, str] = {}

    def longest(self) -> None:
        """Check only the job with the longest id."""
        if self._jobs:
            self._checked(max(self._jobs, key=lambda index: len(self._manifest.jobs[index].id)))

    def all(self) -> None:
        """Check every job by itself and against the others."""
        apart = "asset_id" in self._names.names
        by_model = "kind" in self._names.names  # a model gives one kind, and two may give two
        twins: dict[str, list[int]] = {}
        for index in self._jobs:
            path = self._checked(index)
            if path is None:
                continue
            if "." in path[-5:] and TYPE.search(path):
                self._warn_of_type(index, path)
            folder = path.rpartition("/")[0]
            if folder and self._folders.setdefault(folded(folder), folder) != folder:
                self._warn_of_folder(index, folder)
            key = f"{self._manifest.jobs[index].model}\n{folded(path)}" if by_model else folded(path)
            first = index if apart else self._taken.setdefault(key, index)
            if first != index:
                twins.setdefault(key, [first]).append(index)
        self._note_twins(twins.values())
        if not self._names.tells_apart:
            self._note_numbered()

    def _checked(self, index: int) -> str | None:
        """Return where a job's first file lies, without its type; None where something is wrong with it."""
        try:
            return self._path(self._words.parts(index))
        except _WrongNameError as error:
            self._note(index, str(error), error.kind)
            return None

    def _path(self, parts: NameParts) -> str:
        values: dict[str, str] = {}
        for name in self._names.names:
            value = parts.variables.get(name)
            if type(value) is str and value and name not in _SPECIAL and "/" not in value:
                values[name] = value  # as most are
            else:
                values[name] = self._value(name, parts)
        path = self._names.filled(values)
        if not path.isascii():
            path = unicodedata.normalize("NFC", path)
        if SUSPECT.search(path):
            _refuse(values, path)
        if len(path) > self._short:
            self._refuse_long(values, path)
        return path

    def _value(self, name: str, parts: NameParts) -> str:
        try:
            value = value_of(name, parts, _ASSET)
        except ValueError:
            kind = named_kind(parts.variables[name])
            said = f"{name} is {kind}, which is no part of a file name; {_CHANGE}"
            raise _WrongNameError(said, f"{name} no text") from None
        if not value and name not in self._names.optional:
            raise _WrongNameError(_missing(name, parts), f"{name} is empty")
        if "/" in value and name not in WITH_FOLDERS:
            said = f"{_shown(name, value)}, and only {{folder}} and {{path}} have a / in them; {_CHANGE}"
            raise _WrongNameError(said, f"{name} unsafe")
        return value

    def _refuse_long(self, values: Mapping[str, str], path: str) -> None:
        *folders, name = (len(part.encode()) for part in path.split("/"))
        for what, size, most in (
            ("the file's name", name, LONGEST_STEM),
            ("a folder's name", max(folders, default=0), LONGEST_FOLDER),
            ("the path to the file", len(path.encode()) + _TAIL, self._room),
        ):
            if size > most:
                longest = max(values, key=lambda one: len(values[one]), default="id")
                said = f"{what} would have {size:,} bytes, and {most:,} may be; shorten {{{longest}}}"
                shown = shortened(path, _MOST_VALUE)
                raise _WrongNameError(f'{said}, or leave it out: "{shown}"', f"{what} long")

    def _note(self, index: int, text: str, kind: str) -> None:
        place = self._manifest.places[index]
        self._problems.add(place, f"{self._called}: {text}", kind=f"output.files: {kind}")

    def _warn_of_type(self, index: int, path: str) -> None:
        if TYPE.search(self._manifest.output.files):
            return  # warned of already, at the template
        shown = shortened(path, _MOST_VALUE)
        said = f'the type is added to every name, so this file will be "{shown}.png" or the like'
        text = f"{self._called}: {said}; name it by something without a type, as {{stem}} of a file"
        self._problems.warn(self._manifest.places[index], text, kind="output.files: type")

    def _warn_of_folder(self, index: int, folder: str) -> None:
        other = self._folders[folded(folder)]
        said = f'the folders "{other}" and "{folder}" are one on some systems and two on others'
        text = f"{self._called}: {said}; write them alike"
        self._problems.warn(self._manifest.places[index], text, kind="output.files: folders")

    def _note_twins(self, groups: Collection[Sequence[int]]) -> None:
        """Note the jobs whose files would have one name."""
        apart = ""
        for number, (first, *others) in enumerate(groups):
            if number < _MOST_GROUPS:
                apart = self._apart((first, *others[: _MOST_TOLD_APART - 1]))
            path, where = self._shown_path(first), self._where(first)
            for index in others:
                names = f'{where} and "{self._manifest.jobs[index].id}"'
                said = f'{names} would both be "{path}"; tell them apart: "{apart}"'
                self._note(index, said, "one name")

    def _apart(self, jobs: Sequence[int]) -> str:
        """Return the template with what tells jobs apart that it gives one name."""
        parts = [self._words.parts(index, whole=True) for index in jobs]
        found: dict[str, list[str]] = {}
        for name in self._candidates(jobs):
            texts = [text for one in parts if (text := _word(name, one)) is not None]
            more = {**found, name: texts}
            if len(texts) == len(parts) and _count(more) > _count(found):
                found = more
        for name in tuple(found):  # one that came later may do alone what an earlier one did in part
            fewer = {other: texts for other, texts in found.items() if other != name}
            found = fewer if _count(fewer) == len(jobs) else found
        names = found if _count(found) == len(jobs) else ["id"]
        return self._manifest.output.files + "".join(f"_{{{name}}}" for name in names)

    def _candidates(self, jobs: Sequence[int]) -> Iterator[str]:
        """Return the variables that may tell jobs apart, those first that were meant to."""
        used = frozenset(self._names.names)
        entries = {id(one): one for one in (self._manifest.origins[index] for index in jobs)}.values()
        axes = (name for one in entries for steps in one.variables.axes for name in steps.names)
        others = (name for one in entries for name in names_of(one.variables))
        for name in dict.fromkeys((*axes, "entry", "model", *others, "prompt")):
            if name not in used and name not in FIXED:
                yield name

    def _note_numbered(self) -> None:
        """Note where a job gives so many files that one of them has the name of another job's."""
        for key, index in self._taken.items():
            found = _NUMBERED.fullmatch(key) if key[-1].isdecimal() else None
            other = self._taken.get(found[1]) if found else None
            if found and other is not None and self._count_of(other) >= int(found[2]):
                name = key.rpartition("\n")[2]
                said = f'{self._where(other)} gives more than one file, and one of them would be "{name}" too'
                self._note(index, f'{said}; write "{self._manifest.output.files}_{{index}}"', "numbered")

    def _count_of(self, index: int) -> int:
        """Return how many files a job asks for, as far as it says so itself."""
        job = self._manifest.jobs[index]
        return kind_of(job.model, json.dumps(job.inputs, default=str)).asked

    def _shown_path(self, index: int) -> str:
        parts = self._words.parts(index)
        return self._names.filled({name: value_of(name, parts, _ASSET) for name in self._names.names})

    def _where(self, index: int) -> str:
        return f'"{self._manifest.jobs[index].id}" ({self._manifest.places[index]})'


def _refuse(values: Mapping[str, str], path: str) -> None:
    """Say what of a path cannot be a name: a value by itself, or what became of several.

    Raises:
        _WrongNameError: always, as long as anything is wrong.
    """
    for name, value in values.items():
        if wrong := unsafe_in(value.replace("/", "")):
            raise _WrongNameError(f"{_shown(name, value)}, and {wrong}; {_CHANGE}", f"{name} unsafe")
        if name in WITH_FOLDERS and (value.startswith("/") or ".." in value.split("/")):
            said = f"{_shown(name, value)}, which leads out of the folder of the files; leave it out"
            raise _WrongNameError(said, f"{name} leads out")
    for part in path.split("/"):
        if wrong := wrong_with_part(part):
            said = f'the file would be "{shortened(path, _MOST_VALUE)}", and {wrong}'
            raise _WrongNameError(said, wrong)


def _missing(name: str, parts: NameParts) -> str:
    optional = f"write {{{name}?}}"
    if name in parts.variables:
        return f"{name} is empty; where it may be, {optional}"
    if name == "entry":
        return f"this job's entry has no name; write entry: there, or where it need not have one {optional}"
    if name == "prompt":
        return f"this job has no prompt; where it need not have one, {optional}"
    return f"this job has no variable {name}; add it to its entry, or where it need not have one {optional}"


def _shown(name: str, value: str) -> str:
    return f'{name} is "{shortened(" ".join(value.split()), _MOST_VALUE)}"'


def _word(name: str, parts: NameParts) -> str | None:
    """Return the value of a variable, folded, if it may stand in any name."""
    try:
        text = value_of(name, parts, _ASSET)
    except ValueError:
        return None
    fits = len(text) <= _MOST_WORD and wrong_with_part(text) is None
    return folded(text) if fits else None


def _count(texts: Mapping[str, Sequence[str]]) -> int:
    """Return how many jobs some texts tell apart."""
    return len(set(zip(*texts.values(), strict=True))) if texts else 1
