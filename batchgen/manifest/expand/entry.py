"""An entry that can be expanded: a plain value."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from batchgen.manifest.expand.axes import Axis, Choices, plural, product_size, width
from batchgen.manifest.origins import Origin
from batchgen.manifest.source.problems import Place, shortened
from batchgen.manifest.tables.table import Table
from batchgen.manifest.templates import LocalFile, Template, Tree, Whole
from batchgen.model import TEXT_INPUTS, Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """An entry that can be expanded.

    Attributes:
        number: its place in the file's list.
        place: where it stands in the manifest.
        name: the template of its ids, None where they are made from the prompts or from what goes in.
        prompts: none for jobs without one.
        axes: what varies beside rows, prompts and models, in the order written.
        choices: of the axes' values; None where there are too many to look at.
        table: whose rows it goes through, None where it has none.
        columns: the table's columns that its texts use, in the order they stand.
        origin: what it says, as it is written.
    """

    number: int
    place: Place
    name: Template | None
    prompts: tuple[Template, ...]
    models: tuple[Template, ...]
    params: Tree
    axes: tuple[Axis, ...]
    choices: Choices | None
    table: Table | None
    columns: tuple[str, ...]
    repeat: int
    derive_seed: bool
    origin: Origin

    @property
    def count(self) -> int:
        """How many jobs it stands for."""
        models = len(self.models)
        chosen = product_size(self.axes) * models if self.choices is None else width(self.choices, models)
        return self._around * chosen

    @property
    def _around(self) -> int:
        return self._rows * max(1, len(self.prompts)) * self.repeat

    @property
    def _rows(self) -> int:
        return len(self.table.rows) if self.table is not None else 1

    @property
    def _is_files(self) -> bool:
        return self.table is not None and self.table.named_at is not None

    def uses(self, name: str) -> bool:
        """Return whether every job says something else with another value of a variable."""
        everywhere = (self.prompts, self.models)
        return name in self.params.names or any(
            texts and all(name in one.names for one in texts) for texts in everywhere
        )

    @property
    def preview(self) -> str:
        """What it stands for, for people: ``tower: 2 models x 2 styles - 1 excluded = 3 jobs``."""
        return f"{self._title}: {self.arithmetic}"

    @property
    def _title(self) -> str:
        template = self.name or next(iter(self.prompts), None)
        if template is None and self.table is not None and self._is_files:
            return shortened(self.table.source)
        if template is None:
            subject = subject_of(self.params)
            template = self.models[0] if subject is None else subject.template
        shown = "".join(
            part
            for literal, name in zip(template.literals, (*template.names, ""), strict=True)
            for part in (literal, f"{{{name}}}" if name else "")
        )
        return shortened(" ".join(shown.split()))

    @property
    def arithmetic(self) -> str:
        """How its count comes about; only the count where nothing is multiplied."""
        factors = " x ".join(self._factors())
        included = self.choices.included * self._around if self.choices is not None else 0
        whole = product_size(self.axes) * len(self.models) * self._around
        excluded = whole + included - self.count
        if excluded:
            factors += f" - {excluded:,} excluded"
        if included:
            factors += f" + {included:,} included"
        jobs = f"{self.count:,} {plural('job', self.count)}"
        return f"{factors.strip()} = {jobs}" if factors else jobs

    def _factors(self) -> Iterator[str]:
        counts = (self._rows, max(1, len(self.prompts)), len(self.models))
        for count, noun in zip(counts, ("file" if self._is_files else "row", "prompt", "model"), strict=True):
            if count != 1:
                yield f"{count:,} {plural(noun, count)}"
        for axis in self.axes:
            if axis.written != len(axis.rows):
                yield f"{len(axis.rows):,} of {axis.written:,} {plural(axis.names[0], axis.written)}"
            elif len(axis.rows) != 1:
                yield f"{len(axis.rows):,} {axis.noun}"
        if self.repeat != 1:
            yield f"{self.repeat:,} repeats"


class Subject(NamedTuple):
    """What a job without a prompt is about: the path of its first local file, else its text."""

    template: Template
    is_path: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that tell it apart: of a path those in the file's own name."""
        if not self.is_path:
            return self.template.names
        folders = [number for number, one in enumerate(self.template.literals) if "/" in one]
        return self.template.names[folders[-1] if folders else 0 :]


def subject_of(params: Tree) -> Subject | None:
    """Return what a job without a prompt is about; None where it has neither file nor text."""
    path = next(_paths(params.shape), None)
    if path is not None:
        return Subject(path, is_path=True)
    found = (params.shape.get(name) for name in TEXT_INPUTS) if isinstance(params.shape, dict) else ()
    text = next((one for one in map(_template, found) if one is not None), None)
    return None if text is None else Subject(text, is_path=False)


def _paths(shape: Json) -> Iterator[Template]:
    match shape:
        case LocalFile():
            yield shape.path
        case {"file": str(path), "sha256": str()}:
            yield Template((path,), ())
        case dict():
            for one in shape.values():
                yield from _paths(one)
        case list():
            for one in shape:
                yield from _paths(one)
        case _:
            return


def _template(shape: Json) -> Template | None:
    match shape:
        case str():
            return Template((shape,), ())
        case Template():
            return shape
        case Whole():
            return Template(("", ""), (shape.name,))
        case _:
            return None
