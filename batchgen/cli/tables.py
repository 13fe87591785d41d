"""Tables as lines of text: as wide as the terminal, and as wide as they need to be in a pipe."""

import io
import shutil
import sys
from collections.abc import Iterator, Sequence

_ENDLESS = 100_000  # characters of a line: a program that reads the lines wants them whole


def lines_of(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> Iterator[str]:
    """Return the lines of a table; its first row has the heads.

    Args:
        rows: of equal length.
        right: which columns stand to the right, such as numbers.
    """
    from rich.console import Console  # noqa: PLC0415 - a third of the start-up time, and not for --help
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for column in range(len(rows[0])):
        table.add_column(justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _ENDLESS
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None, highlight=False).print(table)
    yield from (line.rstrip() for line in stream.getvalue().splitlines())
