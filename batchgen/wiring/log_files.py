"""Opening the file of a log."""

from pathlib import Path

from batchgen.output.event_lines import LineFile


def line_file(path: Path) -> LineFile:
    """Return a file to whose end lines are added; it is opened with the first one."""
    return LineFile(path)
