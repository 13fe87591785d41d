"""Files as text: bounded, in Unicode, and a place for what is wrong with them.

The only module of the manifest that opens a file.
"""

import codecs
from pathlib import Path
from typing import NoReturn

from batchgen import plain_files
from batchgen.errors import ManifestError, Problem
from batchgen.plain_files import FileFaultError

# Excel calls UTF-16 "Unicode text". The longer marks first: one begins with another.
_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_bytes(path: Path, source: str) -> bytes:
    """Read a whole file.

    Args:
        path: the file.
        source: its name in messages.

    Raises:
        InputError: it is not there, cannot be read or is too large.
    """
    try:
        return plain_files.read_bytes(path)
    except FileFaultError as fault:
        _refuse_fault(fault, source)


def decode(raw: bytes, source: str) -> str:
    """Decode UTF-8, with or without a byte order mark.

    Raises:
        InputError: another encoding, or no text at all.
    """
    try:
        return plain_files.decode(raw, Path(source))
    except FileFaultError as fault:
        _refuse_fault(fault, source)


def plain_text(raw: bytes, source: str) -> str:
    """Return the text of a file that is no YAML, each of its lines ended by a line feed.

    Programs on other systems, and a checkout of git there, end lines otherwise: that makes no other text.
    Only ``CR``, ``LF`` and both together end a line; U+2028, form feeds and the like are text.

    Raises:
        InputError: neither UTF-8 nor what its byte order mark says, or no text at all.
    """
    codec = _wide_codec(raw)
    return with_line_feeds(decode(raw, source) if codec is None else _decode_wide(raw, source, codec))


def with_line_feeds(text: str) -> str:
    """Return the text with the line ends of every system as those of one."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def shown_text(raw: bytes) -> str:
    """Return a text to be looked at, with a mark in place of what cannot be read."""
    return with_line_feeds(raw.decode(_wide_codec(raw) or "utf-8-sig", errors="replace"))


def is_wide(raw: bytes) -> bool:
    """Return whether a byte order mark says that the text is UTF-16 or UTF-32."""
    return _wide_codec(raw) is not None


def _wide_codec(raw: bytes) -> str | None:
    return next((name for mark, name in _WIDE if raw.startswith(mark)), None)


def _decode_wide(raw: bytes, source: str, codec: str) -> str:
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError as error:
        before = with_line_feeds(raw[: error.start].decode(codec, errors="ignore"))
        reason = f"is damaged {codec.upper()}; save it as UTF-8"
        refuse(source, reason, line=before.count("\n") + 1, column=len(before) - before.rfind("\n"))
    if (found := text.find("\0")) >= 0:
        line = with_line_feeds(text[:found]).count("\n") + 1
        refuse(source, "a NUL character: this is not a text file", line=line)
    return text


def refuse(source: str, text: str, *, line: int = 0, column: int = 0) -> NoReturn:
    """Raise one problem that leaves nothing to read on with.

    Raises:
        InputError: always.
    """
    raise ManifestError(problems=(Problem(source, line, column, text),))


def _refuse_fault(fault: FileFaultError, source: str) -> NoReturn:
    refuse(source, fault.reason, line=fault.line, column=fault.column)
