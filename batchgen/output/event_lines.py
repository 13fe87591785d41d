"""Events as lines of JSON, and the file of a log: whole lines, whatever is done to the file meanwhile.

A line is one object in one write to the end of the file, so that two runs may share it. Before each write
the path is looked at: what logrotate has moved away is left to it, and a new file begun; what it has cut to
nothing goes on at its new end.
"""

import contextlib
import errno
import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from batchgen.errors import OutputError
from batchgen.model import Json
from batchgen.redaction import Redaction

# what a terminal or a reader of lines acts on, although JSON lets it stand: controls, marks of direction and
# ends of lines of Unicode, and halves of letters
_ACTING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def event_line(document: Mapping[str, Json], redact: Redaction) -> str:
    """Return a document as one line, with its end, and without what must not be shown.

    Args:
        document: of an event.
        redact: knows the secrets.
    """
    text = json.dumps(redact.of(dict(document)), ensure_ascii=False)
    return _ACTING.sub(lambda one: f"\\u{ord(one[0]):04x}", text) + "\n"


class LineFile:
    """A file to whose end lines are added, and which may be moved or cut at any time."""

    def __init__(self, path: Path) -> None:
        """Take the path; nothing is opened yet."""
        self._path = path
        self._file: int | None = None
        self._is = (0, 0)
        self._is_whole = True  # whether what stands before the end is a whole line

    def add(self, line: str) -> None:
        """Add a line, with its end.

        Raises:
            OutputError: it is not in the file, or not all of it.
        """
        data = line.encode("utf-8", "backslashreplace")
        try:
            self._look()
            assert self._file is not None, "just opened"
            data = data if self._is_whole else b"\n" + data
            written = os.write(self._file, data)
            self._is_whole = written == len(data) or (self._is_whole and not written)
        except OSError as error:
            raise OutputError(f"{self._path}: {error.strerror or error}") from error
        if written != len(data):
            raise OutputError(f"{self._path}: {os.strerror(errno.ENOSPC)}")

    def close(self) -> None:
        """Let the file go."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = None

    def _look(self) -> None:
        """Open the file anew where the path is another one by now, or none."""
        if self._file is not None:
            try:
                found = self._path.stat()
                if (found.st_dev, found.st_ino) == self._is:
                    return
            except FileNotFoundError:
                pass
            self.close()
        # a pipe that nobody reads is refused, not waited for
        self._file = os.open(
            self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o666
        )
        os.set_blocking(self._file, True)
        opened = os.fstat(self._file)
        self._is = (opened.st_dev, opened.st_ino)
        self._is_whole = not stat.S_ISREG(opened.st_mode) or _ends_whole(self._path)


def _ends_whole(path: Path) -> bool:
    """Return whether a file ends with a whole line: a disk that was full may have cut the last one."""
    try:
        with path.open("rb") as file:
            if file.seek(0, os.SEEK_END) == 0:
                return True
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
    except OSError:  # it may be written and not read
        return True
