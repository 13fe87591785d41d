"""Tables whose rows become jobs: CSV and JSON lines, with the line of every row.

A cell of a CSV file is text, whatever it looks like; what it becomes is for the parameter to say.
"""

import csv
import io
import json
import math
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeAlias

from batchgen.errors import InputError
from batchgen.manifest.problems import Place, Problems
from batchgen.manifest.scalars import unsendable
from batchgen.manifest.sources import decode, read_bytes, refuse
from batchgen.model import Json

DEEPEST = 100  # levels of a JSON value: what walks it later recurses

Row: TypeAlias = Sequence[str] | Mapping[str, Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """The rows of one file.

    Attributes:
        source: the file's name in messages.
        columns: every name that a row has, in the order they first stand.
        rows: cells in the order of the columns, or mappings.
        lines: for each row the line it begins in.
        textual: whether every value is a cell, which is text.
    """

    source: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    lines: Sequence[int]
    textual: bool

    def place(self, row: int) -> Place:
        """Give the place of a row."""
        return Place(self.source, self.lines[row])

    def values(self, row: int, names: Sequence[str]) -> dict[str, Json]:
        """Give the values a row has under these names; None where it has none."""
        cells = self.rows[row]
        if isinstance(cells, Mapping):
            return {name: cells.get(name) for name in names}
        return {name: cells[self.columns.index(name)] for name in names}


def read_table(path: Path, source: str) -> Table:
    """Read a ``.csv`` or ``.jsonl`` file.

    Args:
        path: the file.
        source: its name in messages.

    Raises:
        InputError: every problem in it.
    """
    read = {".csv": _read_csv, ".jsonl": _read_jsonl}.get(path.suffix.lower())
    if read is None:
        refuse(source, "from takes a .csv or a .jsonl file")
    return read(decode(read_bytes(path, source), source), source)


def _read_csv(text: str, source: str) -> Table:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    problems, rows, lines = Problems(), [], array("Q")
    columns: tuple[str, ...] | None = None
    end = 0
    try:
        for cells in reader:
            line, end = end + 1, reader.line_num
            if not any(map(str.strip, cells)):  # spreadsheets leave rows of commas at the end
                continue
            if columns is None:
                columns = _header(cells, Place(source, line))
            elif len(cells) != len(columns):
                text = (
                    f"has {_cells(len(cells))}, the header has {len(columns)}; text with a comma needs quotes"
                )
                problems.add(Place(source, line), text, kind="ragged")
            else:
                rows.append([cell.strip() for cell in cells])
                lines.append(line)
    except csv.Error as error:
        _refuse_csv(error, Place(source, end + 1))
    problems.raise_any()
    if columns is None:
        refuse(source, "is empty; the first line names the columns")
    if not rows:
        refuse(source, "has a header and no rows")
    return Table(source=source, columns=columns, rows=rows, lines=lines, textual=True)


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def _refuse_csv(error: csv.Error, place: Place) -> NoReturn:
    if "field larger" in str(error):
        reason = f"a cell of more than {csv.field_size_limit():,} characters; is a quote left open?"
    elif "end of data" in str(error):
        reason = "a quote opens in this row and is not closed"
    else:
        reason = 'a quote inside a quoted cell; write it twice ("")'
    refuse(place.source, reason, line=place.line)


def _header(cells: Sequence[str], place: Place) -> tuple[str, ...]:
    columns = tuple(cell.strip() for cell in cells)
    problems = Problems()
    if len(columns) == 1 and (found := {";", "\t"} & set(columns[0])):
        shown = "semicolons" if ";" in found else "tabs"
        problems.add(place, f"the columns are separated by {shown}; save the file with commas")
    for number, name in enumerate(columns, start=1):
        _check_name(name, f"column {number}", place, problems)
    for name, count in Counter(columns).items():
        if count > 1 and name:
            problems.add(place, f"the column {name} is there {count} times")
    problems.raise_any()
    return columns


def _check_name(name: str, shown: str, place: Place, problems: Problems) -> None:
    if not name:
        problems.add(place, f"{shown} has no name")
    elif set("{}\n") & set(name) or name != name.strip():
        problems.add(place, f"{shown} has a brace, a line break or a space at an end in its name")


def _read_jsonl(text: str, source: str) -> Table:
    problems, rows, lines = Problems(), [], array("Q")
    columns: dict[str, None] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = _object(line)
        except ValueError as error:
            problems.add(Place(source, number), str(error), kind="not a JSON object")
            continue
        for name in row:
            if name not in columns:
                _check_name(name, "a key", Place(source, number), problems)
                columns[name] = None
        rows.append(row)
        lines.append(number)
    problems.raise_any()
    if not rows:
        refuse(source, "is empty; every line is a JSON object")
    return Table(source=source, columns=tuple(columns), rows=rows, lines=lines, textual=False)


def _object(line: str) -> dict[str, Json]:
    try:
        value = json.loads(line, object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg} at character {error.colno}") from None
    except RecursionError:
        raise ValueError(f"is nested more than {DEEPEST} levels deep") from None
    if not isinstance(value, dict):
        raise ValueError('is not an object; write {"name": "value", ...}')  # noqa: TRY004 - one kind of problem a line
    if "[" in line or line.count("{") > 1:
        _check_depth(value, DEEPEST)
    if "\\u" in line and (wrong := unsendable(value)):
        raise ValueError(wrong)
    return value


def _check_depth(value: Json, left: int) -> None:
    if not left:
        raise ValueError(f"is nested more than {DEEPEST} levels deep")
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(one, dict | list):
            _check_depth(one, left - 1)


def _pairs(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {twice} is there twice")
    return result


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON; write a finite number")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _constant(text)


class Tables:
    """The tables of one manifest, each read once.

    Attributes:
        folder: what relative paths begin at.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[Path, Table | None] = {}

    def get(self, name: str, named: Place, problems: Problems) -> Table | None:
        """Give a table; None, with its problems noted once, where it cannot be read.

        Args:
            name: its path below the folder, or an absolute one.
            named: where the manifest names it.
            problems: takes what is wrong.
        """
        path = self.folder / name
        if path not in self._read:
            try:
                self._read[path] = read_table(path, str(path))
            except InputError as error:
                problems.take(error, named=named)
                self._read[path] = None
        return self._read[path]
