"""An entry that can be expanded: a plain value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from batchgen.manifest.expand.axes import Axis, Choices, plural, product_size, width
from batchgen.manifest.expand.subject import subject_of
from batchgen.manifest.origins import Origin
from batchgen.manifest.source.problems import Place, shortened
from batchgen.manifest.tables.error_values import has_word_for_nothing, is_error
from batchgen.manifest.tables.table import Table
from batchgen.manifest.templates import Template
from batchgen.manifest.trees import Tree
from batchgen.manifest.variables import MadeJobs
from batchgen.model import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """An entry that can be expanded.

    Attributes:
        number: its place in the file's list.
        title: what the user calls it; empty where it is called by its ids.
        place: where it stands in the manifest.
        name: the template of its ids, None where they are made from the prompts or from what goes in.
        prompts: none for jobs without one.
        axes: what varies beside rows, prompts and models, in the order written.
        choices: of the axes' values; None where there are too many to look at.
        table: whose rows it goes through, None where it has none.
        columns: the table's columns that its texts use, in the order they stand.
        known: every variable that its texts may name, each with one of its values.
        needed: those of the columns that must have a value in every row.
        origin: what it says, as it is written.
        made: its jobs, as far as others go through them.
        is_source: whether any entry does.
    """

    number: int
    title: str
    place: Place
    name: Template | None
    prompts: tuple[Template, ...]
    models: tuple[Template, ...]
    params: Tree
    axes: tuple[Axis, ...]
    choices: Choices | None
    table: Table | None
    columns: tuple[str, ...]
    known: Mapping[str, Json]
    needed: frozenset[str]
    repeat: int
    derive_seed: bool
    origin: Origin
    made: MadeJobs
    is_source: bool

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
        return self.table.count if self.table is not None else 1

    @property
    def is_suspect(self) -> bool:
        """Whether any cell that is used, here or by others, has something in place of a value.

        That is a look at whole columns.
        """
        table = self.table
        if table is None or table.is_files:
            return False
        return any(
            has_word_for_nothing(table.texts(name))
            or (table.marked and any(map(is_error, table.texts(name))))
            for name in (*self.columns, *self.made.values)
            if name in table.columns
        )

    def tells(self, name: str) -> bool:
        """Return whether every prompt or every model has a variable in it, as a text."""
        return any(texts and all(name in one.names for one in texts) for texts in (self.prompts, self.models))

    def uses(self, name: str) -> bool:
        """Return whether every job says something else with another value of a variable."""
        return name in self.params.names or self.tells(name)

    @property
    def preview(self) -> str:
        """What it stands for, for people: ``tower: 2 models x 2 styles - 1 excluded = 3 jobs``."""
        return f"{self._title}: {self.arithmetic}"

    @property
    def _title(self) -> str:
        if self.title:
            return self.title
        template = self.name or next(iter(self.prompts), None)
        if template is None and self.table is not None and self.table.is_files:
            return shortened(self.table.source)
        if template is None:
            subject = subject_of(self.params)
            template = self.models[0] if subject is None else subject.template
        shown = "".join(
            part
            for literal, name in zip(template.literals, (*template.names, ""), strict=True)
            for part in (literal, f"{{{name}{'?' * (name in template.optional)}}}" if name else "")
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
        if self.table is not None and (self._rows != 1 or self.table.is_jobs):
            yield self.table.counted(f"{self._rows:,}")
        for count, noun in ((max(1, len(self.prompts)), "prompt"), (len(self.models), "model")):
            if count != 1:
                yield f"{count:,} {plural(noun, count)}"
        for axis in self.axes:
            if axis.written != len(axis.rows):
                yield f"{len(axis.rows):,} of {axis.written:,} {plural(axis.names[0], axis.written)}"
            elif len(axis.rows) != 1:
                yield f"{len(axis.rows):,} {axis.noun}"
        if self.repeat != 1:
            yield f"{self.repeat:,} repeats"
