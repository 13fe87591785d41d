"""Standard input, output and error: one that is closed or goes away ends the printing, and never the work.

No other module opens or replaces them. What is below the text gives way: whatever prints, a library as well,
needs to know nothing of it.
"""

import codecs
import errno
import io
import os
import select
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TextIO

import click

from batchgen.exits import Exit

# The reader went away, the terminal was hung up, or it was never open: nobody wants to read on.
_GONE: Final = frozenset(
    {errno.EPIPE, errno.EBADF, errno.EIO, errno.ENXIO, errno.ECONNRESET, errno.ESHUTDOWN, errno.ENOTCONN}
)
_ESCAPED: Final = "batchgen.escaped"  # the name under which Python knows how letters are written


class Giving(io.RawIOBase):
    """A descriptor that takes bytes; once it does not, they go nowhere and the reason is kept.

    Attributes:
        error: why it takes no more, None as long as it does.
    """

    def __init__(self, descriptor: int, error: OSError | None = None) -> None:
        self._descriptor = descriptor
        self.error = error

    def writable(self) -> bool:
        """Return that it can be written, whatever becomes of it."""
        return True

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Return whether a person may be looking."""
        return self.error is None and os.isatty(self._descriptor)

    def write(self, data: "io.ReadableBuffer") -> int:  # type: ignore[name-defined]  # typeshed's own name
        """Write what it takes, and return how much that was: all of it once it takes nothing."""
        while self.error is None:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:  # another process shares it and does not want to wait; we do
                select.select([], [self._descriptor], [])
            except OSError as error:
                self.error = error
        return memoryview(data).nbytes


class Shown(io.TextIOWrapper):
    """Text for people, which passes through one place on its way once somebody has put one there."""

    through: Callable[[str], str] | None = None

    def write(self, text: str, /) -> int:
        """Write what the text is turned into; all of it counts as written."""
        super().write(text if self.through is None else self.through(text))
        return len(text)

    def put(self, text: str) -> None:
        """Write the text as it is, at once."""
        super().write(text)
        self.flush()


class Drawn(io.TextIOBase):
    """A way past what text passes through, for what moves a terminal on purpose."""

    def __init__(self, shown: Shown, change: Callable[[str], str]) -> None:
        """Take the stream, and what its text passes through instead."""
        self._shown = shown
        self._change = change

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has it as a variable
        """That of the stream."""
        return self._shown.encoding

    def isatty(self) -> bool:
        """Return whether a person may be looking."""
        return self._shown.isatty()

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._shown.fileno()

    def writable(self) -> bool:
        """Return that it can be written."""
        return True

    def write(self, text: str, /) -> int:
        """Write the text as it moves the terminal."""
        self._shown.put(self._change(text))
        return len(text)

    def flush(self) -> None:
        """Do nothing: all is written at once."""


class Headed(io.TextIOBase):
    """A stream whose lines each begin with a word: of several runs that share one."""

    def __init__(self, stream: TextIO, head: str) -> None:
        """Take the stream, and what its lines begin with."""
        self._stream = stream
        self._head = head

    def writable(self) -> bool:
        """Return that it can be written."""
        return True

    def write(self, text: str, /) -> int:
        """Write whole lines at once, each with its head: other threads write between them."""
        self._stream.write("".join(f"{self._head}{line}" for line in text.splitlines(keepends=True)))
        return len(text)

    def flush(self) -> None:
        """Pass it on."""
        self._stream.flush()


def guard() -> None:
    """Put streams in place that no reader can break, for as long as the process lasts.

    The three numbers are taken first: a journal that got one of them would get what is printed.
    """
    closed = _places_taken()
    if 0 in closed or sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - for as long as the process lasts
    sys.stdout = guarded_stream(sys.stdout, 1, errors=_ESCAPED, closed=1 in closed)
    sys.stderr = guarded_stream(sys.stderr, 2, errors="backslashreplace", closed=2 in closed)  # noqa: PLR2004


def error_of(stream: TextIO) -> OSError | None:
    """Return why a stream takes no more, None as long as it does, or where it is none of ours."""
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw.error if isinstance(raw, Giving) else None


def ended(status: int) -> int:
    """Return the exit status of the process: that of the work, unless what it printed is not whole.

    Args:
        status: of the work.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    error = error_of(sys.stdout)
    if error is None or error.errno in _GONE:
        return status
    why = error.strerror or str(error)
    click.echo(
        f"batchgen: standard output cannot be written: {why}; what is there is not whole "
        f"(the work itself ended with {int(status)})",
        err=True,
    )
    sys.stderr.flush()
    return status or Exit.BUG


def _places_taken() -> frozenset[int]:
    """Return which of the three were closed, and put something harmless in their places."""
    closed = []
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            closed.append(number)
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
    return frozenset(closed)


def guarded_stream(stream: TextIO | None, number: int, *, errors: str, closed: bool) -> TextIO:
    """Return a stream like another one, over a descriptor that gives way.

    Args:
        stream: whose encoding it takes; None where there was none.
        number: the descriptor.
        errors: what becomes of letters that the encoding lacks.
        closed: whether nobody has it open.
    """
    nobody = OSError(errno.EBADF, os.strerror(errno.EBADF)) if closed or stream is None else None
    raw = Giving(number, nobody)
    return Shown(
        io.BufferedWriter(raw),
        encoding=getattr(stream, "encoding", None) or "utf-8",
        errors=errors,
        line_buffering=number != 1 or raw.isatty(),
        write_through=getattr(stream, "write_through", False),
    )


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Write letters that the stream's encoding lacks as JSON does, so that a document stays one."""
    assert isinstance(error, UnicodeEncodeError), "nothing is decoded here"
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
    return "".join(f"\\u{one:04x}" for one in pairs), error.end


codecs.register_error(_ESCAPED, _escaped)
