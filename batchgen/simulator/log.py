"""The jobs of a simulated service on disk: a line a job, so that a restarted one knows them.

A line that was cut off by a crash is not a job: its submit was never answered.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from batchgen.errors import OutputError
from batchgen.plain_files import FileFaultError, read_bytes
from batchgen.simulator.jobs import Submission, from_json, to_json


def read_log(path: Path) -> Iterator[Submission]:
    """Return the jobs of a log, the oldest first; none where there is no log.

    Raises:
        OutputError: a line is none of ours.
    """
    text = _whole(path)
    # bytes: a cut may go through a letter, and a text has more ends of lines than this one
    *lines, _ = text.split(b"\n")
    for number, line in enumerate(lines, start=1):
        try:
            yield from_json(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            raise OutputError(
                f"{path}:{number}: no job of a simulated service; move the file away"
            ) from error


def open_log(path: Path) -> TextIO:
    """Open a log to be added to; what a crash left of a last line is cut off.

    Raises:
        OutputError: it cannot be written.
    """
    whole = _whole(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if whole and not whole.endswith(b"\n"):
            path.write_bytes(whole[: whole.rfind(b"\n") + 1])
        return path.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error


def add_to_log(log: TextIO, job: Submission) -> None:
    """Add a job; it is in the file before its submit is answered."""
    log.write(json.dumps(to_json(job), ensure_ascii=False) + "\n")


def _whole(path: Path) -> bytes:
    try:
        return read_bytes(path, largest=None)
    except FileFaultError as fault:
        if fault.missing:
            return b""
        raise OutputError(f"{fault}; name another file, or move it away") from fault
