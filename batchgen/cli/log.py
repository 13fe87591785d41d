"""The log of a command: a line for everything that happens, to standard error and to a file.

All that the command writes to standard error passes through here: secrets are taken out, and nothing in it
can move a terminal. As JSON each line is an object, also where a library wrote it. A log that cannot be
written ends nothing.
"""

import os
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Final, TextIO, cast

import click

from batchgen import api
from batchgen.cli.streams import Drawn, Shown
from batchgen.errors import OutputError
from batchgen.exits import Exit
from batchgen.formats import harmless

LOG: Final = "log"  # under which the context keeps it
TEXT, JSON = "text", "json"  # in which lines are written to standard error
_FORMAT = "--log-format"


class Log:
    """Where the lines of one call of a command go.

    Attributes:
        run_id: stands in every line of this call.
        is_json: whether standard error has lines of JSON and nothing else.
        is_quiet: whether it has only what a person should know.
        shows_requests: whether requests to the service are lines too.
    """

    def __init__(self, environ: Mapping[str, str], *, is_json: bool = False) -> None:
        """Begin with standard error alone.

        Args:
            environ: whose secrets no line may show.
            is_json: see above.
        """
        self.run_id = os.urandom(6).hex()
        self.is_json = is_json
        self.is_quiet = False
        self.shows_requests = False
        self._environs = [environ]
        self._redaction: api.Redaction | None = None
        self._file: api.LineFile | None = None
        self._has_said_broken = False
        self._place = "", ""  # batch and slot, once they are known
        self._rest = ""  # of a line that has no end yet
        self._last: api.RunEvent | None = None  # how the run ended, which nothing follows
        if isinstance(sys.stderr, Shown):
            sys.stderr.through = self._pass

    def learn(self, environ: Mapping[str, str]) -> None:
        """Take the secrets of a ``.env`` file too."""
        self._environs.append(environ)
        self._redaction = None

    def add_file(self, path: Path) -> None:
        """Write each line to the end of a file, too."""
        self._file = api.line_file(path)

    @property
    def is_kept(self) -> bool:
        """Whether anybody reads its lines."""
        return self.is_json or self._file is not None

    def redact(self, text: str) -> str:
        """Take out of a text what must not be shown."""
        return self._known(text)

    def masked(self, value: "api.Json") -> "api.Json":
        """Take out of a value of JSON what must not be shown."""
        return self._known.of(value)

    def line(self, event: "api.RunEvent") -> str:
        """Return an event as a line of JSON."""
        return api.event_line(event.document(), self._known)

    def mode(self, environ: Mapping[str, str]) -> "api.Mode":
        """Return how a run is shown: not at all beside JSON, and beside requests without moving parts."""
        if self.is_json:
            return api.Mode.SILENT
        mode = api.mode_for(sys.stderr, environ, quiet=self.is_quiet)
        return api.Mode.PLAIN if mode is api.Mode.LIVE and self.shows_requests else mode

    def stream(self, mode: "api.Mode") -> TextIO:
        """Return where a run is shown: what moves goes past what keeps a terminal from moving."""
        if mode is api.Mode.LIVE and isinstance(sys.stderr, Shown):
            return cast("TextIO", Drawn(sys.stderr, self.redact))
        return sys.stderr

    def tell(self, event: "api.RunEvent") -> None:
        """Write a line, that of how the run ended last of all; text for people is not written here."""
        if isinstance(event, api.RunEnded):
            self._last = event
            return
        self._write(event)

    def pass_on(self, event: "api.RunEvent") -> None:
        """Write a line of one of several runs in this process, its end as well."""
        self._put(event)

    def _write(self, event: "api.RunEvent") -> None:
        if isinstance(event, api.RunStarted):
            self._place = event.batch, event.slot
        self._put(event)

    def _put(self, event: "api.RunEvent") -> None:
        line = self.line(event)
        if self.is_json and not (self.is_quiet and event.level == "info"):
            if isinstance(sys.stderr, Shown):
                sys.stderr.put(line)
            else:
                click.echo(line, nl=False, err=True)
        if self._file is not None:
            self._add(self._file, line)

    def say(self, text: str, level: str = "info") -> None:
        """Say a sentence to people."""
        if not self.is_json:
            click.echo(harmless(text, on_one_line=True), err=True)
        if self.is_kept:
            batch, slot = self._place
            self.tell(
                api.Said(
                    at=time.time(),
                    batch=batch,
                    slot=slot,
                    run_id=self.run_id,
                    text=text.strip(),
                    says=api.Level(level),
                )
            )

    def asked(self, request: "api.Request") -> None:
        """Show a request that was made of the service."""
        batch, slot = self._place
        event = api.Requested(
            at=time.time(),
            batch=batch,
            slot=slot,
            run_id=self.run_id,
            method=request.method,
            path=request.path,
            status=request.status,
            seconds=request.seconds,
            attempt=request.attempt,
            error=request.error,
        )
        if not (self.is_json or self.is_quiet):
            click.echo(str(event), err=True)
        if self.is_kept:
            self.tell(event)

    def end_with(
        self,
        text: str,
        status: int,
        *,
        problems: Sequence[Mapping[str, object]] = (),
        warnings: Sequence[Mapping[str, object]] = (),
        hint: str = "",
        bug: BaseException | None = None,
    ) -> None:
        """Write the line of the error that ended the command.

        Args:
            text: what was wrong.
            status: the exit status.
            problems: of a file, each with its place.
            warnings: the same, of what would have stopped nothing.
            hint: what may be the cause.
            bug: what nobody foresaw, with whatever led to it.
        """
        if not self.is_kept:
            return
        batch, slot = self._place
        self.tell(
            api.ErrorTold(
                at=time.time(),
                batch=batch,
                slot=slot,
                run_id=self.run_id,
                exit=int(status),
                text=text,
                problems=problems,
                warnings=warnings,
                hint=hint,
                trace="" if bug is None else "".join(traceback.format_exception(bug)),
            )
        )

    def take_bug(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Show what nobody foresaw; Python calls this with it before it ends with 1."""
        if not self.is_json:
            sys.__excepthook__(kind, error, trace)
        self.end_with(f"{kind.__name__}: {error}", Exit.BUG, bug=error)

    def close(self) -> None:
        """Write what has no end yet, and let the file go."""
        if self._rest:
            self._pass("\n")
        if self._last is not None:
            self._write(self._last)
        if self._file is not None:
            self._file.close()

    @property
    def _known(self) -> "api.Redaction":
        if self._redaction is None:
            self._redaction = api.Redaction.of_environment(*self._environs)
        return self._redaction

    def _pass(self, text: str) -> str:
        """Return what is written to standard error in place of a text."""
        if not self.is_json:
            return harmless(self.redact(text))
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line.strip():
                self.say(line)
        return ""

    def _add(self, file: "api.LineFile", line: str) -> None:
        try:
            file.add(line)
        except OutputError as error:
            if not self._has_said_broken:
                self._has_said_broken = True
                self.say(f"the log cannot be written: {error}; all else goes on", "warning")


def wants_json(arguments: Sequence[str]) -> bool:
    """Return whether a command line asks for lines of JSON: what is wrong with it is one, too."""
    words = list(arguments)
    words = words[: words.index("--")] if "--" in words else words
    return f"{_FORMAT}={JSON}" in words or (_FORMAT, JSON) in pairwise(words)


def current() -> Log:
    """Return the log of the command that is under way."""
    known = click.get_current_context().find_root().ensure_object(dict)
    if LOG not in known:
        known[LOG] = Log({})
    log = known[LOG]
    assert isinstance(log, Log)
    return log
