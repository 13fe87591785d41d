"""Files as text: bounded, UTF-8, and a place for what is wrong with them.

The only module of the manifest that opens a file.
"""

import codecs
from pathlib import Path
from typing import NoReturn

from batchgen.errors import ManifestError, Problem

LARGEST = 64 * 1024 * 1024  # bytes


def read_bytes(path: Path, source: str) -> bytes:
    """Read a whole file.

    Args:
        path: the file.
        source: its name in messages.

    Raises:
        InputError: it is not there, cannot be read or is too large.
    """
    try:
        if not (path.is_file() or path.is_dir()) and path.exists():  # a pipe would be waited for
            refuse(source, "is not a regular file")
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except FileNotFoundError:
        refuse(source, "there is no such file")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        refuse(source, f"cannot be read: {reason}")
    if len(raw) > LARGEST:
        refuse(source, f"is larger than {LARGEST // 1024 // 1024} MB; split it into batches")
    return raw


def decode(raw: bytes, source: str) -> str:
    """Decode UTF-8, with or without a byte order mark.

    Raises:
        InputError: another encoding, or no text at all.
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        refuse(source, "is UTF-16; save it as UTF-8", line=1, column=1)
    if (found := raw.find(0)) >= 0:
        refuse(source, "a NUL byte: this is not a text file", line=raw.count(b"\n", 0, found) + 1)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # the codec counts from behind the byte order mark
        start = error.start + (len(codecs.BOM_UTF8) if raw.startswith(codecs.BOM_UTF8) else 0)
        before = raw[raw.rfind(b"\n", 0, start) + 1 : start].removeprefix(codecs.BOM_UTF8)
        refuse(
            source,
            f"the byte 0x{raw[start]:02x} is not UTF-8; save the file as UTF-8",
            line=raw.count(b"\n", 0, start) + 1,
            column=len(before.decode()) + 1,
        )


def refuse(source: str, text: str, *, line: int = 0, column: int = 0) -> NoReturn:
    """Raise one problem that leaves nothing to read on with.

    Raises:
        InputError: always.
    """
    raise ManifestError(problems=(Problem(source, line, column, text),))
