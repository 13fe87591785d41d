"""The words of the sheet that a job came from: every variable that made it, whether a text uses it or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Variables:
    """The variables of the jobs of one entry; a job has a row and a combination of them.

    Attributes:
        fixed: what is the same in all of its jobs.
        table: what its rows say, None where it has none.
        axes: in the order written.
        included: the combinations beside the product of the axes.
    """

    fixed: Mapping[str, Json]
    table: PackedRows | None
    axes: tuple[Steps, ...]
    included: tuple[Mapping[str, Json], ...]

    def of(self, row: int, combination: int) -> dict[str, Json]:
        """Return the variables of a job: what is fixed, then its row, then its axes.

        Args:
            row: of the table, from 0.
            combination: its number in the product of the axes; those behind are the included ones.
        """
        found = {name: as_written(value) for name, value in self.fixed.items()}
        if self.table is not None:
            found.update(zip(self.table.columns, self.table[row], strict=True))
        found.update(self._chosen(combination))
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
