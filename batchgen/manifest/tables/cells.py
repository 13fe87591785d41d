"""Delimited text to rows of cells: by the library, and with the place of each cell where that is not enough.

The only module that knows how cells are quoted. What a row means is not known here.
"""

import csv
import io
import re
from array import array
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, NoReturn

from batchgen.manifest.source.problems import Place
from batchgen.manifest.source.text_files import refuse

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}

_INVISIBLE = "\u200b\u2060\ufeff"
_PADS = f"\t\v\f\xa0\u202f\u3000{''.join(map(chr, range(0x2000, 0x200B)))}{_INVISIBLE}"
_QUOTED = re.compile('"[^"]*(?:""[^"]*)*"')


class Grid(NamedTuple):
    """The rows that have any text, without the space around each cell.

    Attributes:
        rows: the cells of each.
        lines: for each row the line it begins in.
    """

    rows: list[list[str]]
    lines: "array[int]"


class Row(NamedTuple):
    """One row with its places.

    Attributes:
        text: all of the text it stands in.
        line: the line it begins in, from 1.
        cells: the texts, the space around them kept.
        starts: where in the text each begins.
    """

    text: str
    line: int
    cells: list[str]
    starts: list[int]

    def place(self, source: str, number: int) -> Place:
        """Return the place of a cell."""
        start = self.starts[number]
        line_start = self.text.rfind("\n", 0, start) + 1
        line = self.line + self.text.count("\n", self.starts[0], start)
        return Place(source, line, start - line_start + 1)


def quick_grid(text: str, delimiter: str) -> Grid | None:
    """Read rows of equal length; None where the library finds anything that is to be looked at closely."""
    if '"' in text and _pads_quotes(text, delimiter):
        return None
    file = io.StringIO(text, newline="")
    reader = csv.reader(file, delimiter=delimiter, strict=True, skipinitialspace=True)
    rows, lines, end = [], array("Q"), 0
    try:
        for cells in reader:
            line, end = end + 1, reader.line_num
            stripped = list(map(str.strip, cells))
            if any(stripped):  # spreadsheets leave rows of commas at the end
                rows.append(stripped)
                lines.append(line)
    except csv.Error:  # a quote that is wrong, or a cell longer than the library's limit
        return None
    return Grid(rows, lines) if len(set(map(len, rows))) < 2 else None  # noqa: PLR2004 - no or one length


def scanned(text: str, delimiter: str, source: str) -> Iterator[Row]:
    """Read one row after another, with the place of each cell.

    Raises:
        InputError: a quote that is not closed, or closed before the end of its cell.
    """
    cell = _cell(delimiter)
    position, line = 0, 1
    while position < len(text):
        row, end = Row(text, line, [], []), position
        while True:
            found = cell.match(text, end)
            if found is None:  # the pattern matches no text, too
                break
            padding, quoted, plain = found.groups()
            row.cells.append(plain if quoted is None else quoted.replace('""', '"'))
            row.starts.append(found.start() + len(padding))
            if quoted is None and plain.startswith('"'):
                _refuse_quote(row, source)
            end = found.end()
            if not text.startswith(delimiter, end):
                break
            end += len(delimiter)
        yield row
        line += text.count("\n", position, end + 1)
        position = end + 1


@lru_cache
def _cell(delimiter: str) -> re.Pattern[str]:
    mark = re.escape(delimiter)
    padding = f"(?:[^\\S\\n{mark}]|[{_INVISIBLE}])*"
    quoted = f'"([^"]*(?:""[^"]*)*)"{padding}(?={mark}|\\n|\\Z)'
    return re.compile(f"({padding})(?:{quoted}|([^{mark}\\n]*))")


def _pads_quotes(text: str, delimiter: str) -> bool:
    """Return whether there may be padding that the library does not skip before a quote."""
    there = "".join(one for one in _PADS if one != delimiter and one in text)
    return bool(there) and re.search(f'[{there}] *"', text) is not None


def without_padding(name: str) -> str:
    """Return a column's name without space and invisible characters around it."""
    return name.strip().strip(_INVISIBLE).strip()


def _refuse_quote(row: Row, source: str) -> NoReturn:
    number = len(row.cells) - 1
    place = row.place(source, number)
    closed = _QUOTED.match(row.text, row.starts[number])
    if closed is None:
        reason = 'a quote opens here and is not closed; write " behind the text, and "" for a quote inside it'
    elif "\n" in closed[0]:
        last = place.line + closed[0].count("\n")
        reason = f"a quote opens here and is closed in line {last} only, with text behind it; is one missing?"
    else:
        place = place._replace(column=place.column + len(closed[0]) - 1)
        reason = 'a quote inside a quoted cell; write it twice ("")'
    refuse(source, reason, line=place.line, column=place.column)
