"""The words of the sheet that a job came from: every variable that made it, whether a text uses it or not."""

from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import prod
from typing import NamedTuple

from batchgen.manifest.source.scalars import as_written
from batchgen.manifest.tables.packing import PackedRows
from batchgen.model import Json


class Steps(NamedTuple):
    """The values of what varies together.

    Attributes:
        names: what gets values.
        rows: for each step a value for every name.
    """

    names: tuple[str, ...]
    rows: Sequence[tuple[Json, ...]]


JOB = "job"  # the id of the job that a row stands for


@dataclass(slots=True)
class MadeJobs:
    """The jobs of an entry, for the entries that go through them: sixteen bytes each.

    Attributes:
        ids: of the jobs, in their order.
        values: by name those that other entries fill in, one for each job; none once all jobs are made.
    """

    ids: list[str] = field(default_factory=list)
    values: dict[str, list[Json]] = field(default_factory=dict)
    _rows: "array[int]" = field(default_factory=lambda: array("I"))
    _combinations: "array[int]" = field(default_factory=lambda: array("I"))

    def add(self, name: str, *, row: int, combination: int) -> None:
        """Take the next job: its id, the number of its row, and that of the values of its axes."""
        self.ids.append(name)
        self._rows.append(row)
        self._combinations.append(combination)

    def source(self, number: int) -> tuple[int, int]:
        """Return the row and the combination that a job was made of."""
        return self._rows[number], self._combinations[number]


class JobRows:
    """The jobs of other entries as rows, read when they are asked for: no row is copied.

    Attributes:
        columns: what a row has: the variables of its job, and the job's id.

    Args:
        sources: the entries, each with its variables and its jobs, which may yet be made.
    """

    def __init__(self, columns: Sequence[str], sources: Sequence[tuple["Variables", MadeJobs]]) -> None:
        self.columns = tuple(columns)
        self._sources = tuple(sources)

    def parent(self, row: int) -> "_Step":
        """Return what the job of a row was made of."""
        ends = list(accumulate(len(made.ids) for _, made in self._sources))
        which = bisect_right(ends, row)
        variables, made = self._sources[which]
        number = row - (ends[which - 1] if which else 0)
        return _Step(variables, *made.source(number), made.ids[number])


@dataclass(frozen=True, kw_only=True, slots=True)
class Variables:
    """The variables of the jobs of one entry; a job has a row and a combination of them.

    Attributes:
        fixed: what is the same in all of its jobs.
        table: what its rows say, or the jobs that are its rows; None where it has none.
        axes: in the order written.
        included: the combinations beside the product of the axes.
    """

    fixed: Mapping[str, Json]
    table: PackedRows | JobRows | None
    axes: tuple[Steps, ...]
    included: tuple[Mapping[str, Json], ...]

    def of(self, row: int, combination: int) -> dict[str, Json]:
        """Return the variables of a job: what is fixed, then its row, then its axes.

        Where the row is a job, that one's variables and its id are the row; so is it down a chain.

        Args:
            row: of the table, from 0.
            combination: its number in the product of the axes; those behind are the included ones.
        """
        steps = [_Step(self, row, combination, "")]
        while isinstance(
            table := steps[-1].variables.table, JobRows
        ):  # no call for each step: chains are long
            steps.append(table.parent(steps[-1].row))
        found: dict[str, Json] = {}
        parent = ""
        for variables, number, chosen, name in reversed(steps):
            found = {**{one: as_written(value) for one, value in variables.fixed.items()}, **found}
            if isinstance(variables.table, JobRows):
                found |= {**dict.fromkeys(variables.table.columns), **found, JOB: parent}
            elif variables.table is not None:
                found.update(zip(variables.table.columns, variables.table[number], strict=True))
            found.update(variables._chosen(chosen))  # noqa: SLF001 - of its own kind
            parent = name
        return found

    def _chosen(self, combination: int) -> dict[str, Json]:
        beyond = combination - prod(len(one.rows) for one in self.axes)
        if self.axes and beyond >= 0:
            values = self.included[beyond]
            return {name: as_written(values[name]) for one in self.axes for name in one.names}
        steps = []
        for one in reversed(self.axes):  # the last axis goes round first
            combination, step = divmod(combination, len(one.rows))
            steps.append(step)
        chosen = zip(self.axes, reversed(steps), strict=True)
        return {
            name: as_written(value)
            for one, step in chosen
            for name, value in zip(one.names, one.rows[step], strict=True)
        }


class _Step(NamedTuple):
    """A job of a chain: what it was made of, and its id."""

    variables: Variables
    row: int
    combination: int
    name: str
