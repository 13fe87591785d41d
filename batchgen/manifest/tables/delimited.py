"""Tables of text: CSV and its kin with a header, and plain text with a prompt a line.

A cell is text, whatever it looks like; what it becomes is for the parameter to say.
"""

import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from batchgen.errors import InputError
from batchgen.manifest.source.problems import Place, Problems, listed, shortened
from batchgen.manifest.source.text_files import refuse
from batchgen.manifest.tables.cells import DELIMITERS, Grid, Row, quick_grid, scanned, without_padding
from batchgen.manifest.tables.error_values import may_have_errors
from batchgen.manifest.tables.table import LINE, Table, check_name

_SEPARATOR = re.compile('"?sep=([^"\\w])"?[^\\S\\n]*(?=\n|\\Z)', re.IGNORECASE)  # Excel's own first line
_COMMENT = re.compile(r"#\s|//\s")
_HEADERS = frozenset({"prompt", "prompts", "line", "lines", "text", "description"})
_WHOLE, _FRACTION = re.compile(r"[-+]?\d+"), re.compile(r"\d{1,6}")
_CURLY = frozenset("\u201c\u201d\u201e\u00ab\u00bb")
_LOOKED_AT = 2  # rows that tell the delimiter: the header and the first below it


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
    problems = Problems(source)
    _doubt_lines(rows, lines, problems, source)
    return Table(
        source=source,
        columns=(LINE,),
        rows=rows,
        lines=lines,
        textual=True,
        prompt=LINE,
        marked=may_have_errors(text),
        warnings=problems.warnings,
    )


def _doubt_lines(rows: Sequence[list[str]], lines: Sequence[int], problems: Problems, source: str) -> None:
    if rows[0][0].lower() in _HEADERS:
        text = f'a .txt file has no header: "{rows[0][0]}" is a prompt; delete the line, or save a .csv file'
        problems.warn(Place(source, lines[0]), text)
    for (line,), number in zip(rows, lines, strict=True):
        if line[0] in "#/" and _COMMENT.match(line):
            text = "every line is a prompt, this one too; delete it if it is a comment"
            problems.warn(Place(source, number), text, kind="comment")
    if len(rows) > 1 and all("\t" in line for (line,) in rows):
        text = "every line has tabs, as a table has; name the file .tsv if its first line names the columns"
        problems.warn(Place(source, lines[0]), text)


def read_csv(text: str, source: str, *, usual: str = ",") -> Table:
    """Read a table as spreadsheets and databases write it, whatever separates its cells.

    Args:
        text: with line feeds only.
        source: the file's name in messages.
        usual: what separates its cells where its rows do not show something else.

    Raises:
        InputError: every problem in it.
    """
    if found := _SEPARATOR.match(text):
        text, delimiter = text[found.end() :], found[1]
        text = text or "\n"
    else:
        delimiter = _delimiter(text, usual, source)
    problems = Problems(source)
    grid = quick_grid(text, delimiter) or _uneven_grid(text, delimiter, source, problems)
    if not grid.rows:
        problems.raise_any()
        refuse(source, "is empty; the first line names the columns")
    head = next(row for row in scanned(text, delimiter, source) if any(map(str.strip, row.cells)))
    columns = _columns(head, grid, source, problems)
    _find_headers(grid, source, problems, joined="\n\ufeff" in text)
    problems.raise_any()
    if len(grid.rows) == 1:
        refuse(source, "has a header and no rows")
    named = [number for number, name in enumerate(columns) if name]
    rows = grid.rows[1:]
    if named != list(range(len(named))):
        rows = [[cells[number] for number in named] for cells in rows]
    return Table(
        source=source,
        columns=tuple(filter(None, columns)),
        rows=rows,
        lines=grid.lines[1:],
        textual=True,
        marked=may_have_errors(text),
    )


def _delimiter(text: str, usual: str, source: str) -> str:
    """Return what separates the cells: the usual, unless the first two rows fit another one only."""
    widths = {one: _widths(text, one, source) for one in (usual, *DELIMITERS)}
    several = [one for one, (header, _) in widths.items() if header > 1]
    even = [one for one in several if widths[one][1] in (0, widths[one][0])]
    for found in (even, several):
        if usual in found:
            return usual
        if found:
            return max(found, key=lambda one: widths[one][0])
    return usual


def _widths(text: str, delimiter: str, source: str) -> tuple[int, int]:
    """Count the cells of the header and of the first row, 0 where there is none."""
    counts = []
    try:
        for row in scanned(text, delimiter, source):
            if any(map(str.strip, row.cells)):
                counts.append(len(row.cells))
            if len(counts) == _LOOKED_AT:
                break
    except InputError:  # a quote; named when the table is read
        pass
    return (*counts, 0, 0)[0], (*counts, 0, 0)[1]


def _uneven_grid(text: str, delimiter: str, source: str, problems: Problems) -> Grid:
    """Read rows whose lengths differ: what is too much may be empty, what is missing is a problem."""
    rows, lines = list[list[str]](), array("Q")
    least = most = 0
    try:
        for row in scanned(text, delimiter, source):
            cells = [cell.strip() for cell in row.cells]
            if not any(cells):
                continue
            if not rows:
                least, most = len(_without_empty(cells)), len(cells)
            elif len(_without_empty(cells)) > most:
                _too_many(row, most, delimiter, Place(source, row.line), problems)
            elif len(cells) < least:
                _too_few(row, least, delimiter, Place(source, row.line), problems)
            rows.append((cells + [""] * most)[:most])
            lines.append(row.line)
    except InputError as error:
        problems.take(error)
    return Grid(rows, lines)


def _without_empty(cells: Sequence[str]) -> Sequence[str]:
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]


def _too_many(row: Row, width: int, delimiter: str, place: Place, problems: Problems) -> None:
    cells = [cell.strip() for cell in row.cells]
    extra = listed(f'"{shortened(cell)}"' for cell in cells[width:])
    mark = DELIMITERS.get(delimiter, repr(delimiter))
    if any(_CURLY & set(cell) for cell in cells):
        hint = 'curly quotes are text; write straight ones around it: "..."'
    elif any(cell.startswith("'") for cell in cells) and any(cell.endswith("'") for cell in cells):
        hint = 'single quotes are text; write double ones around it: "..."'
    elif delimiter == "," and (number := _decimal(cells)):
        hint = f'is {number} a decimal comma? write {number.replace(",", ".")}, or "{number}" for text'
    else:
        hint = f"text with a {mark} needs quotes: {_quoted(row, cells, width, delimiter)}"
    text = f"has {_cells(len(cells))}, the header has {width}, so {extra} is too much; {hint}"
    problems.add(row.place(place.source, width), text, kind="ragged")


def _decimal(cells: Sequence[str]) -> str | None:
    """Return a number that was probably written with a decimal comma, and became two cells."""
    pairs = [pair for pair in pairwise(cells) if _WHOLE.fullmatch(pair[0]) and _FRACTION.fullmatch(pair[1])]
    small = [pair for pair in pairs if pair[0].strip("+-") == "0"]
    return ",".join((small or pairs)[-1]) if pairs else None


def _quoted(row: Row, cells: Sequence[str], width: int, delimiter: str) -> str:
    """Return the text that was probably meant as one cell, in quotes: behind a comma in prose is a space."""
    numbers = range(1, len(cells))
    prose = [number for number in numbers if row.text[row.starts[number] - 1] == " " and cells[number]]
    last = next(iter(prose), width)
    first = last - 1
    last = max(last, first + len(cells) - width)
    text = f"{delimiter} ".join(cells[first : last + 1]) if prose else delimiter.join(cells[first : last + 1])
    return f'"{shortened(text, 60)}"'


def _too_few(row: Row, width: int, delimiter: str, place: Place, problems: Problems) -> None:
    end = row.text.find("\n", row.starts[0])
    written = row.text[row.starts[0] : end if end >= 0 else None].strip()
    others = [
        mark
        for other, mark in DELIMITERS.items()
        if other != delimiter and len(written.split(other)) == width and len(row.cells) == 1
    ]
    if others:
        hint = f"its cells are separated by {others[0]}s, those of the header by {DELIMITERS[delimiter]}s"
    elif _COMMENT.match(written):
        hint = "a table has no comments; delete the line"
    else:
        filled = shortened(written) + delimiter * (width - len(row.cells))
        hint = (
            f"write {filled} if the others are empty, or quotes around the text above if this belongs to it"
        )
    text = f"has {_cells(len(row.cells))}, the header has {width}; {hint}"
    problems.add(place, text, kind="ragged")


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def _columns(head: Row, grid: Grid, source: str, problems: Problems) -> list[str]:
    """Return the names of the columns, empty for those that have neither name nor text."""
    columns = [without_padding(cell) for cell in head.cells]
    for number, name in enumerate(columns):
        if name:
            check_name(name, f"column {number + 1}", head.place(source, number), problems)
        elif filled := next(_filled(grid, number), None):
            line, cell = filled
            text = f'column {number + 1} has no name, and a text in line {line} ("{shortened(cell)}")'
            problems.add(head.place(source, number), f"{text}; name it in the header, or delete the column")
    for name, count in Counter(columns).items():
        if count > 1 and name:
            numbers = [number for number, one in enumerate(columns) if one == name]
            text = f"the column {name} is there {count} times; rename one"
            problems.add(head.place(source, numbers[1]), text)
    return columns


def _filled(grid: Grid, number: int) -> Iterator[tuple[int, str]]:
    """Return the texts of a column and their lines, the header left out."""
    below = zip(grid.lines[1:], grid.rows[1:], strict=True)
    return ((line, cells[number]) for line, cells in below if cells[number])


def _find_headers(grid: Grid, source: str, problems: Problems, *, joined: bool) -> None:
    """Find the header again among the rows, as where tables were joined: it would be bought.

    Args:
        grid: all rows, the header first.
        source: the file's name in messages.
        problems: takes what is wrong.
        joined: whether a file with a byte order mark of its own was joined to another.
    """
    if grid.rows.count(grid.rows[0]) == 1 and not joined:
        return
    header = [without_padding(cell) for cell in grid.rows[0]]
    for cells, line in zip(grid.rows[1:], grid.lines[1:], strict=True):
        if [without_padding(cell) for cell in cells] == header:
            text = f"is the header again, which is in line {grid.lines[0]}; delete this line"
            problems.add(Place(source, line), text, kind="header")
