"""Where the events of a run go: lines of JSON, each written at once, for programs that follow it."""

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from batchgen import api
from batchgen.cli.log import Log
from batchgen.cli.streams import error_of
from batchgen.errors import BatchgenError
from batchgen.exits import status_of

if TYPE_CHECKING:
    Tell = Callable[["api.RunEvent"], None]


class _Lines:
    """Writes events as lines; when that fails it says so once, and the run goes on."""

    def __init__(self, stream: TextIO, name: str, log: Log) -> None:
        self._log = log
        self._stream = stream
        self._name = name
        self._broken = False

    def write(self, event: "api.RunEvent") -> None:
        """Write a line, and let it be read at once."""
        if self._broken:
            return
        try:
            self._stream.write(self._log.line(event))
            self._stream.flush()
            if error := error_of(self._stream):
                raise error
        except (OSError, ValueError) as error:
            self._broken = True
            self._drop()
            self._log.say(f"events to {self._name} end here: {error}; the run goes on", "warning")

    def _drop(self) -> None:
        """Let what is still in the buffer go nowhere: to flush it at the end would be a second failure."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


@contextmanager
def events_to(place: Path | None, log: Log) -> Iterator["Tell | None"]:
    """Open the place where events go for as long as the block lasts; an error that ends it is the last one.

    Args:
        place: a file that lines are added to, ``-`` for standard output, None for nowhere.
        log: of the command; knows what no line may show.
    """
    if place is None:
        yield None
        return
    if place == Path("-"):
        with _until_an_error(_Lines(sys.stdout, "standard output", log), log) as tell:
            yield tell
        return
    try:
        stream = open(place, "a", encoding="utf-8", errors="backslashreplace", opener=_opened)  # noqa: SIM115 - below
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        if getattr(error, "errno", None) == errno.ENXIO:
            why = "nobody reads this pipe; start its reader first"
        raise click.BadParameter(f"{place}: {why}", param_hint="--events") from error
    with stream, _until_an_error(_Lines(stream, str(place), log), log) as tell:
        yield tell


def _opened(path: str, flags: int) -> int:
    """Open a file without waiting for a pipe's reader; it is written as any other."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    os.set_blocking(descriptor, True)
    return descriptor


@contextmanager
def _until_an_error(lines: _Lines, log: Log) -> Iterator["Tell"]:
    try:
        yield lines.write
    except BatchgenError as error:
        ended = api.RunEnded(
            at=time.time(),
            batch="",
            slot="",
            run_id=log.run_id,
            exit=status_of(error),
            reasons=(str(error),),
            summary={},
        )
        lines.write(ended)
        raise
