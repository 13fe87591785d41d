"""Where every part of a job is written, and whether it stands there as it is.

Jobs of one entry share what is kept of it. The file itself is read again when a place in it is
asked for: that happens when something is wrong, and its nodes weigh more than all jobs.
"""

import hashlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TypeAlias

from batchgen.errors import InputError
from batchgen.manifest.parameters import mergeable
from batchgen.manifest.source.document import Document, read_document
from batchgen.manifest.source.problems import Place, Problems
from batchgen.manifest.source.text_files import read_bytes
from batchgen.manifest.templates import parse, strings_in
from batchgen.manifest.variables import JobRows, Variables
from batchgen.model import Json

Path: TypeAlias = tuple[str | int, ...]


class SourceFile:
    """A manifest's file, to be opened again.

    Attributes:
        source: its name in messages.
    """

    def __init__(self, path: FilePath, source: str, raw: bytes) -> None:
        self.source = source
        self._path = path
        self._sha256 = hashlib.sha256(raw).digest()
        self._document: Document | None = None
        self._gone = False

    def place(self, path: Path) -> Place | None:
        """Return the place of a value; None where the file is not what it was."""
        if self._document is None and not self._gone:
            self._document = self._opened()
            self._gone = self._document is None
        return None if self._document is None else self._document.place(path)

    def _opened(self) -> Document | None:
        try:
            raw = read_bytes(self._path, self.source)
            if hashlib.sha256(raw).digest() == self._sha256:
                return read_document(raw, self.source, Problems(self.source))
        except InputError:
            return None
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """What one entry says of its jobs, as it is written.

    Attributes:
        path: where the entry stands in its file.
        prompts, models: one or many texts; a prompt that is a file's text is None.
        own_model: whether the models are the entry's own and not the default ones.
        params, default_params: as written.
        columns: the variables whose values come from the rows of a table.
        variables: of its jobs.
        name: what it is called; empty where it has no name.
        only_kept: whether it goes through those jobs of another entry alone that a person keeps.
    """

    paper: SourceFile
    path: Path
    prompts: tuple[str | None, ...]
    models: tuple[str, ...]
    own_model: bool
    params: Mapping[str, Json]
    default_params: Mapping[str, Json]
    columns: frozenset[str]
    variables: Variables
    name: str = ""
    tags: tuple[str, ...] = ()
    unchecked: frozenset[str] = frozenset()
    only_kept: bool = False

    def find(self, path: Path, *, prompt: int, model: str) -> tuple[Path, Json]:
        """Return where a part of a job is written, and what is written there."""
        match path:
            case ("params", *steps):
                return self._param(tuple(steps))
            case ("model", *_):
                number, text = self._model(model)
                base: Path = (*self.path, "model") if self.own_model else ("defaults", "model")
                return (*base, number), text
            case ("prompt", *_):
                text_or_none = self.prompts[prompt] if prompt < len(self.prompts) else None
                return (*self.path, "prompt", prompt), text_or_none
            case _:
                return (*self.path, *path), None

    def _model(self, model: str) -> tuple[int, str]:
        templates = [(number, text) for number, text in enumerate(self.models) if "{" in text]
        found = next(((number, text) for number, text in enumerate(self.models) if text == model), None)
        return found or next(iter(templates), (0, model))

    def _param(self, steps: Path) -> tuple[Path, Json]:
        own: Json = self.params
        default: Json = self.default_params
        base: Path = (*self.path, "params")
        value: Json = None
        walked: Path = ()
        for step in steps:
            inherited = default.get(step) if isinstance(default, dict) and isinstance(step, str) else None
            if (found := _child(own, step)) is not None:
                base, value = (*self.path, "params"), found
                own, default = found, inherited if mergeable(inherited, found) else None
            elif (found := _child(default, step)) is not None:
                base, value = ("defaults", "params"), found
                own, default = None, found
            else:
                break
            walked = (*walked, step)
        return (*base, *walked), value


def _child(value: Json, step: str | int) -> Json:
    if isinstance(value, dict):
        return value.get(step) if isinstance(step, str) else None
    return value[step] if isinstance(value, list) and isinstance(step, int) and step < len(value) else None


@dataclass(slots=True)
class Origins:
    """For each job its entry, and which of the entry's prompts, rows and combinations it has.

    Sixteen bytes a job: its variables are worked out when they are asked for.
    """

    entries: list[Origin] = field(default_factory=list)
    _owners: "array[int]" = field(default_factory=lambda: array("I"))
    _prompts: "array[int]" = field(default_factory=lambda: array("I"))
    _rows: "array[int]" = field(default_factory=lambda: array("I"))
    _combinations: "array[int]" = field(default_factory=lambda: array("I"))

    def add(self, origin: Origin, prompt: int, *, row: int = 0, combination: int = 0) -> None:
        """Take what the next job comes from.

        Args:
            origin: its entry.
            prompt: the number of the entry's prompt.
            row: the number of its table's row.
            combination: the number of the values of its axes.
        """
        if not self.entries or self.entries[-1] is not origin:
            self.entries.append(origin)
        self._owners.append(len(self.entries) - 1)
        self._prompts.append(prompt)
        self._rows.append(row)
        self._combinations.append(combination)

    def in_order(self, order: Sequence[int]) -> "Origins":
        """Return the same for the jobs in another order, each told by its number in this one."""
        columns = (self._owners, self._prompts, self._rows, self._combinations)
        return Origins(self.entries, *(array("I", map(column.__getitem__, order)) for column in columns))

    @property
    def owners(self) -> Sequence[int]:
        """For each job the number of its entry."""
        return self._owners

    def __getitem__(self, index: int) -> Origin:
        return self.entries[self._owners[index]]

    def variables(self, index: int) -> dict[str, Json]:
        """Return every variable that made a job, with its value as the manifest has it."""
        return self[index].variables.of(self._rows[index], self._combinations[index])

    def row_job(self, index: int) -> str:
        """Return the id of the job that is a job's row; empty where its row is none."""
        table = self[index].variables.table
        return table.parent(self._rows[index]).name if isinstance(table, JobRows) else ""

    def place(self, index: int, path: Path, *, model: str, fallback: Place) -> Place:
        """Return the most exact place of a part of a job.

        Args:
            index: the job's number.
            path: such as ``("params", "aspectRatio")``.
            model: the job's.
            fallback: where the job comes from, its row where it has one.
        """
        origin = self[index]
        where, value = origin.find(path, prompt=self._prompts[index], model=model)
        is_row = not isinstance(origin.variables.table, JobRows)  # a job has no line of its own here
        if is_row and not origin.columns.isdisjoint(_names(value)):
            return fallback
        return origin.paper.place(where) or fallback

    def literal(self, index: int, path: Path, *, model: str) -> bool:
        """Return whether a part of a job stands in the manifest as it is."""
        value = self.written(index, path, model=model)
        return value is not None and not _names(value)

    def written(self, index: int, path: Path, *, model: str) -> Json:
        """Return what the manifest says of a part of a job; None where it says nothing."""
        return self[index].find(path, prompt=self._prompts[index], model=model)[1]


def _names(value: Json) -> set[str]:
    return {name for _, text in strings_in(value) if "{" in text for name in parse(text).names}
