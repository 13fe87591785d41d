"""A table: rows that become jobs, whatever kind of file they came from, with the line of each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import TypeAlias

from batchgen.errors import Problem
from batchgen.manifest.source.problems import Place, Problems
from batchgen.manifest.source.scalars import as_written
from batchgen.manifest.tables.packing import PackedRows
from batchgen.model import Json

DEEPEST = 100  # levels of a value: what walks it later recurses

_PATHS = frozenset({"path", "folder"})

LINE = "line"  # what the only column of a list of texts is called

Row: TypeAlias = list[str] | dict[str, Json]


@dataclass(frozen=True, kw_only=True)
class Table:
    """The rows of one file.

    Attributes:
        source: the file's name in messages.
        columns: every name that a row has, in the order they first stand.
        rows: cells in the order of the columns, or mappings.
        lines: for each row the line it begins in.
        textual: whether every value is a cell, which is text.
        prompt: the column that is the prompt where the job has none, None where there is no such column.
        named_at: where the manifest names what has no lines of its own, each row a file; None for a table.
        starts: for each row the column it begins in, where rows share lines; empty where they do not.
        marked: whether its text has a mark that errors of spreadsheets have.
        warnings: what is probably a mistake in the file.
    """

    source: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    lines: Sequence[int]
    textual: bool
    prompt: str | None = None
    named_at: Place | None = None
    starts: Sequence[int] = ()
    marked: bool = False
    warnings: tuple[Problem, ...] = ()

    def place(self, row: int) -> Place:
        """Return the place of a row."""
        if self.named_at is not None:
            return self.named_at
        return Place(self.source, self.lines[row], self.starts[row] if self.starts else 0)

    def says(self, row: int) -> str:
        """Return what names a row in a message where its place does not; empty where it does."""
        cells = self.rows[row]
        if self.named_at is None or not isinstance(cells, list):
            return ""
        # a name may hold a line break, which would make two lines of a message
        shown = (one if one.isprintable() else one.encode("unicode_escape").decode() for one in cells[0])
        return f"{''.join(shown)}: "

    def texts(self, name: str) -> Iterator[str]:
        """Return the texts that stand under a name."""
        if self.textual:
            return map(itemgetter(self.columns.index(name)), self.rows)
        values = (cells.get(name) for cells in self.rows if isinstance(cells, dict))
        return (value for value in values if isinstance(value, str))

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    @property
    def is_files(self) -> bool:
        """Whether each row is a file."""
        return self.named_at is not None

    @property
    def is_jobs(self) -> bool:
        """Whether each row is a job of another entry."""
        return False

    @property
    def said(self) -> str:
        """What a column of it is, in a message."""
        return f"a column of {self.source}"

    @property
    def cells(self) -> frozenset[str]:
        """The columns whose values are cells, which are text until they are looked at."""
        return frozenset(self.columns) if self.textual else frozenset()

    @property
    def paths(self) -> frozenset[str]:
        """The columns whose values are paths."""
        return _PATHS if self.is_files else frozenset()

    @property
    def sample(self) -> Mapping[str, Json]:
        """One value of every column."""
        return self.values(0, self.columns)

    def counted(self, shown: str) -> str:
        """Return how many rows there are, for people.

        Args:
            shown: their number.
        """
        return f"{shown} {'file' if self.is_files else 'row'}{'s' * (self.count != 1)}"

    @cached_property
    def packed(self) -> PackedRows:
        """All cells of all rows, as they are written, in few bytes."""
        return PackedRows(self.columns, map(self._cells, self.rows))

    def _cells(self, row: Row) -> list[str] | list[Json]:
        return row if isinstance(row, list) else [as_written(row.get(name)) for name in self.columns]

    def values(self, row: int, names: Sequence[str]) -> dict[str, Json]:
        """Return the values a row has under these names; None where it has none."""
        return next(self.all_values(names, range(row, row + 1)))

    def all_values(self, names: Sequence[str], rows: Iterable[int]) -> Iterator[dict[str, Json]]:
        """Return the values of one row after another."""
        indices = [(name, self.columns.index(name)) for name in names]
        for row in rows:
            cells = self.rows[row]
            if isinstance(cells, list):
                yield {name: cells[index] for name, index in indices}
            elif isinstance(cells, dict):
                yield {name: cells.get(name) for name in names}


def check_name(name: str, shown: str, place: Place, problems: Problems) -> None:
    """Note what keeps a text from naming a column."""
    if not name:
        problems.add(place, f"{shown} has no name")
    elif set("{}\n") & set(name) or name != name.strip():
        problems.add(place, f"{shown} has a brace, a line break or a space at an end in its name")


def check_depth(value: Json, left: int = DEEPEST) -> None:
    """Refuse a value that goes too deep.

    Raises:
        ValueError: it does.
    """
    if not left:
        raise ValueError(f"is nested more than {DEEPEST} levels deep")
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(one, dict | list):
            check_depth(one, left - 1)
