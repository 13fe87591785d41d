"""Files that somebody else may have put there, opened to be read: none waits, and each fault has a sentence.

The only way by which text that people write, and text that an earlier run left, comes in. A pipe would be
waited for, a device never ends, a folder has no text: what is not a plain file is not opened at all.
"""

import codecs
import errno
import json
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Any, Final

LARGEST: Final = 64 * 1024 * 1024  # bytes
_HEAD = 256  # bytes
_LOOKED_AT = 100_000  # bytes
_ASCII = 128  # so many bytes of UTF-8 are a character by themselves

_REASONS = {
    errno.ELOOP: "the links that lead to it go in a circle",
    errno.EACCES: "permission denied; let the user who runs batchgen read it",
    errno.EPERM: "permission denied; let the user who runs batchgen read it",
    errno.ENOTDIR: "a part of its path is a file, not a folder",
    errno.ENAMETOOLONG: "its name is too long",
}
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class FileFaultError(Exception):
    """A file cannot be read, or is no text; whoever asked for it makes an error of its own of this.

    Attributes:
        path: the file.
        reason: what is wrong with it and what to do, without its name.
        line, column: where, from 1; 0 where the file as a whole is meant.
        missing: whether there is no such file.
    """

    def __init__(
        self, path: Path, reason: str, *, line: int = 0, column: int = 0, missing: bool = False
    ) -> None:
        place = ":".join(str(part) for part in (path, line, column) if part)
        super().__init__(f"{place}: {reason}")
        self.path = path
        self.reason = reason
        self.line = line
        self.column = column
        self.missing = missing


_TO_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # to open a pipe must not wait


def open_plain(path: Path) -> BufferedReader:
    """Open a plain file to be read.

    Raises:
        FileFaultError: it is not there, is of another kind, or cannot be read.
    """
    try:
        _insist_on_plain(path, path.stat())
        # it may be another one by now
        return _checked(path, os.open(path, _TO_READ))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise fault_of(path, error) from error


def head_of(name: str, count: int) -> tuple[bytes, int]:
    """Return the first bytes of a plain file, and its size; quick, for thousands of them.

    Args:
        name: where it is.
        count: how many bytes.

    Raises:
        FileFaultError: it is not there, is of another kind, or cannot be read.
    """
    try:
        _insist_on_plain(name, os.stat(name))  # noqa: PTH116 - see above
        descriptor = os.open(name, _TO_READ)
        try:
            status = os.fstat(descriptor)
            _insist_on_plain(name, status)
            return os.read(descriptor, count), status.st_size
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise fault_of(Path(name), error) from error


def open_plain_at(name: str, folder: int) -> BufferedReader:
    """Open a plain file of a folder to be read; a link is not followed.

    Args:
        name: of the file.
        folder: the descriptor of the folder.

    Raises:
        FileFaultError: it is not there, is of another kind, or cannot be read.
    """
    path = Path(name)
    try:
        return _checked(path, os.open(name, _TO_READ | os.O_NOFOLLOW, dir_fd=folder))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise fault_of(path, error) from error


def _checked(path: Path, descriptor: int) -> BufferedReader:
    """Return what was opened as a file, if it is a plain one; otherwise it is closed."""
    try:
        _insist_on_plain(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def real_path(path: Path) -> Path:
    """Return a path with its links followed; one that goes in a circle stays."""
    return Path(os.path.realpath(path))


def read_bytes(path: Path, *, largest: int | None = LARGEST) -> bytes:
    """Read a whole file.

    Args:
        path: the file.
        largest: bytes that it may have at most; None for what is as large as it has to be.

    Raises:
        FileFaultError: it is not there, is of another kind, cannot be read or is too large.
    """
    with open_plain(path) as file:
        try:
            raw = file.read() if largest is None else file.read(largest + 1)
        except OSError as error:
            raise fault_of(path, error) from error
    if largest is not None and len(raw) > largest:
        raise FileFaultError(path, f"is larger than {largest // 1024 // 1024} MB; split it")
    return raw


def decode(raw: bytes, path: Path) -> str:
    """Decode UTF-8, with or without a byte order mark.

    Raises:
        FileFaultError: another encoding, or no text at all; the place is named, and never what stands there.
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise FileFaultError(path, "is UTF-16; save it as UTF-8", line=1, column=1)
    if (found := raw.find(0)) >= 0:
        if _looks_wide(raw):
            reason = "is UTF-16 without a byte order mark; save it as UTF-8"
            raise FileFaultError(path, reason, line=1, column=1)
        line = _lines_before(raw, found) + 1
        raise FileFaultError(path, "a NUL byte: this is not a text file", line=line)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # the codec counts from behind the byte order mark
        start = error.start + (len(codecs.BOM_UTF8) if raw.startswith(codecs.BOM_UTF8) else 0)
        line_start = max(raw.rfind(end, 0, start) for end in (b"\n", b"\r")) + 1
        before = raw[line_start:start].removeprefix(codecs.BOM_UTF8)
        raise FileFaultError(
            path,
            _wrong_byte(raw, error, start, path),
            line=_lines_before(raw, start) + 1,
            column=len(before.decode()) + 1,
        ) from error


def read_text(path: Path, *, largest: int | None = LARGEST) -> str:
    """Read a whole text.

    Raises:
        FileFaultError: it is not there, cannot be read, or is no UTF-8.
    """
    return decode(read_bytes(path, largest=largest), path)


def parse_json(text: str, path: Path) -> Any:
    """Read a text as JSON.

    Raises:
        FileFaultError: it is none.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise FileFaultError(
            path, f"is not JSON: {error.msg}", line=error.lineno, column=error.colno
        ) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; brackets without end
        raise FileFaultError(path, "is not JSON that can be read") from error


def fault_of(path: Path, error: OSError | ValueError) -> FileFaultError:
    """Return what the system's error means for a person."""
    if isinstance(error, FileNotFoundError):
        return FileFaultError(path, "there is no such file", missing=True)
    if isinstance(error, OSError):
        reason = _REASONS.get(error.errno or 0) or error.strerror or str(error)
        return FileFaultError(path, f"cannot be read: {reason}")
    return FileFaultError(path, f"cannot be read: {error}")


def kind_of_other(mode: int) -> str | None:
    """Return what a file is that is not a plain one, by its mode; None for a plain one."""
    return None if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "something else")


def _insist_on_plain(path: Path | str, status: os.stat_result) -> None:
    kind = kind_of_other(status.st_mode)
    if kind == _KINDS[stat.S_IFDIR]:
        raise FileFaultError(Path(path), "cannot be read: Is a directory, not a file")
    if kind is not None:
        raise FileFaultError(
            Path(path), f"is not a regular file, but {kind}: save what it gives as a file first"
        )


def _looks_wide(raw: bytes) -> bool:
    """Return whether nearly every second byte at the beginning is none, as in Latin text of UTF-16."""
    head = raw[:_HEAD]
    return any(half.count(0) * 10 > len(half) * 9 for half in (head[::2], head[1::2]) if len(half) > 1)


def _lines_before(raw: bytes, end: int) -> int:
    count = raw.count
    return count(b"\n", 0, end) + count(b"\r", 0, end) - count(b"\r\n", 0, end)


def _wrong_byte(raw: bytes, error: UnicodeDecodeError, start: int, path: Path) -> str:
    """Say what a byte is that is no UTF-8: accents in Western texts of Windows are few and stand alone."""
    if error.reason == "unexpected end of data" and (start < len(raw) - 1 or not raw[:start].isascii()):
        return "the file ends in the middle of a character, so a part of it is missing; save it again"
    around = raw[max(0, start - 1) : start] + raw[start + 1 : start + 2]
    letter = raw[start : start + 1].decode("cp1252", errors="ignore")
    others = sum(one >= _ASCII for one in raw[:_LOOKED_AT])
    is_western = around.isascii() and letter.isprintable() and letter and others * 4 < len(raw[:_LOOKED_AT])
    guess = f'in Windows-1252 it is "{letter}"' if is_western else "so the file has an older encoding"
    excel = ' (in Excel: "CSV UTF-8")' if path.suffix.lower() in {".csv", ".tsv"} else ""
    return f"the byte 0x{raw[start]:02x} is not UTF-8, {guess}; save the file as UTF-8{excel}"
