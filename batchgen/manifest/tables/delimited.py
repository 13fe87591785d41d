"""Tables of text: CSV with a header, and plain text with a prompt a line.

A cell is text, whatever it looks like; what it becomes is for the parameter to say.
"""

import csv
import io
from array import array
from collections import Counter
from collections.abc import Sequence
from typing import NoReturn

from batchgen.manifest.source.problems import Place, Problems
from batchgen.manifest.source.text_files import refuse
from batchgen.manifest.tables.table import Table, check_name

LINE = "line"  # what the only column of a text file is called


def read_lines(text: str, source: str) -> Table:
    """Read a prompt from every line that has any text.

    Raises:
        InputError: there is none.
    """
    rows, lines = [], array("Q")
    for number, line in enumerate(text.split("\n"), start=1):
        if stripped := line.strip():
            rows.append([stripped])
            lines.append(number)
    if not rows:
        refuse(source, "is empty; every line is a prompt")
    return Table(source=source, columns=(LINE,), rows=rows, lines=lines, textual=True, prompt=LINE)


def read_csv(text: str, source: str) -> Table:
    """Read CSV as spreadsheets write it.

    Raises:
        InputError: every problem in it.
    """
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
        check_name(name, f"column {number}", place, problems)
    for name, count in Counter(columns).items():
        if count > 1 and name:
            problems.add(place, f"the column {name} is there {count} times")
    problems.raise_any()
    return columns
