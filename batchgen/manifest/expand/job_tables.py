"""The jobs of other entries as a table: ``from: {jobs: ENTRY}``, a row for each.

There are no jobs yet when an entry is made ready. How many there will be is known then, and which variables
they have; the rows are there once those entries are expanded.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, repeat

from batchgen.manifest.expand.axes import plural
from batchgen.manifest.expand.entry import Entry
from batchgen.manifest.source.problems import Place
from batchgen.manifest.tables.table import Table
from batchgen.manifest.variables import JOB, JobRows
from batchgen.model import Json


@dataclass(frozen=True, kw_only=True)
class JobTable(Table):
    """The jobs of entries as rows: the variables of each, and its id.

    Attributes:
        entries: those whose jobs these are, in their order.
        planned: how many jobs those stand for.
        textual_columns, path_columns: those of their columns; kept, for a chain of entries may be long.
    """

    entries: tuple[Entry, ...]
    planned: int
    textual_columns: frozenset[str]
    path_columns: frozenset[str]

    @property
    def count(self) -> int:
        """How many rows there are, or will be."""
        return sum(len(one.made.ids) for one in self.entries) or self.planned

    @property
    def is_files(self) -> bool:
        """Whether each row is a file."""
        return False

    @property
    def is_jobs(self) -> bool:
        """Whether each row is a job of another entry."""
        return True

    @property
    def said(self) -> str:
        """What a column of it is, in a message."""
        return f"a variable of the jobs of {self.source}"

    @property
    def cells(self) -> frozenset[str]:
        """The columns whose values are cells, which are text until they are looked at."""
        return self.textual_columns

    @property
    def paths(self) -> frozenset[str]:
        """The columns whose values are paths."""
        return self.path_columns

    @property
    def sample(self) -> Mapping[str, Json]:
        """One value of every column; the id is not known yet."""
        known = {name: value for one in self.entries for name, value in one.known.items()}
        return {**{name: known.get(name) for name in self.columns}, JOB: JOB}

    def counted(self, shown: str) -> str:
        """Return how many rows there are, for people.

        Args:
            shown: their number.
        """
        return f"{shown} {plural('job', self.count)} of {self.source}"

    def says(self, row: int) -> str:
        """Return what names a row in a message where its place does not."""
        return f"{self.job_rows.parent(row).name}: "

    def texts(self, name: str) -> Iterator[str]:  # noqa: ARG002 - as of any table
        """Return no text: what the rows say is looked at where it comes from."""
        return iter(())

    @cached_property
    def job_rows(self) -> JobRows:
        """The rows, read when they are asked for."""
        return JobRows(self.columns, [(one.origin.variables, one.made) for one in self.entries])

    def all_values(self, names: Sequence[str], rows: Iterable[int]) -> Iterator[dict[str, Json]]:
        """Return the values of one row after another, from the first.

        Args:
            names: those that entries were to keep of their jobs, and the id.
            rows: a number for each row that is wanted.
        """
        columns = [self._column(name) for name in names]
        cells = zip(*columns, strict=True) if columns else repeat(())
        for _, row in zip(rows, cells, strict=False):
            yield dict(zip(names, row, strict=True))

    def _column(self, name: str) -> Iterator[Json]:
        if name == JOB:
            return chain.from_iterable(one.made.ids for one in self.entries)
        return chain.from_iterable(
            one.made.values.get(name) or repeat(None, len(one.made.ids)) for one in self.entries
        )


def job_table(name: str, named: Place, entries: Sequence[Entry], bound: Mapping[str, Json]) -> JobTable:
    """Return the jobs of entries as a table.

    Args:
        name: what the entries are called.
        named: where they are named.
        entries: at least one, made ready.
        bound: the variables of whoever goes through the jobs: one that is the same there is no column.
    """
    columns = dict.fromkeys(
        variable
        for one in entries
        for variable in one.known
        if variable != JOB and not _is_same(variable, one.origin.variables.fixed, bound)
    )
    tables = [one.table for one in entries if one.table is not None]
    return JobTable(
        source=name,
        columns=(*columns, JOB),
        planned=sum(one.count for one in entries),
        textual_columns=frozenset(columns).intersection(chain.from_iterable(one.cells for one in tables)),
        path_columns=frozenset(columns).intersection(chain.from_iterable(one.paths for one in tables)),
        rows=(),
        lines=array("Q"),
        textual=False,
        named_at=named,
        entries=tuple(entries),
    )


def keep_for_children(entries: Iterable[Entry]) -> None:
    """Let each entry keep of its jobs what those that go through them fill in, or hand on.

    Args:
        entries: each behind those that it goes through.
    """
    for entry in reversed(list(entries)):
        table = entry.table
        if isinstance(table, JobTable):
            needed = dict.fromkeys([*entry.columns, *entry.made.values])
            for one in table.entries:
                for name in needed:
                    if name in one.known and name != JOB:
                        one.made.values.setdefault(name, [])


def _is_same(name: str, fixed: Mapping[str, Json], bound: Mapping[str, Json]) -> bool:
    if name not in fixed or name not in bound:
        return False
    return type(fixed[name]) is type(bound[name]) and bool(fixed[name] == bound[name])
