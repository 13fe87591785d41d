"""Files as text: bounded, in Unicode, and a place for what is wrong with them.

The only module of the manifest that opens a file.
"""

import codecs
from pathlib import Path
from typing import NoReturn

from batchgen.errors import ManifestError, Problem

LARGEST = 64 * 1024 * 1024  # bytes
_HEAD = 256  # bytes
_LOOKED_AT = 100_000  # bytes
_ASCII = 128  # so many bytes of UTF-8 are a character by themselves
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
        if _looks_wide(raw):
            refuse(source, "is UTF-16 without a byte order mark; save it as UTF-8", line=1, column=1)
        refuse(source, "a NUL byte: this is not a text file", line=_lines_before(raw, found) + 1)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # the codec counts from behind the byte order mark
        start = error.start + (len(codecs.BOM_UTF8) if raw.startswith(codecs.BOM_UTF8) else 0)
        line_start = max(raw.rfind(end, 0, start) for end in (b"\n", b"\r")) + 1
        before = raw[line_start:start].removeprefix(codecs.BOM_UTF8)
        refuse(
            source,
            _wrong_byte(raw, error, start, source),
            line=_lines_before(raw, start) + 1,
            column=len(before.decode()) + 1,
        )


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


def _looks_wide(raw: bytes) -> bool:
    """Return whether nearly every second byte at the beginning is none, as in Latin text of UTF-16."""
    head = raw[:_HEAD]
    return any(half.count(0) * 10 > len(half) * 9 for half in (head[::2], head[1::2]) if len(half) > 1)


def _lines_before(raw: bytes, end: int) -> int:
    count = raw.count
    return count(b"\n", 0, end) + count(b"\r", 0, end) - count(b"\r\n", 0, end)


def _wrong_byte(raw: bytes, error: UnicodeDecodeError, start: int, source: str) -> str:
    """Say what a byte is that is no UTF-8: accents in Western texts of Windows are few and stand alone."""
    if error.reason == "unexpected end of data" and (start < len(raw) - 1 or not raw[:start].isascii()):
        return "the file ends in the middle of a character, so a part of it is missing; save it again"
    around = raw[max(0, start - 1) : start] + raw[start + 1 : start + 2]
    letter = raw[start : start + 1].decode("cp1252", errors="ignore")
    others = sum(one >= _ASCII for one in raw[:_LOOKED_AT])
    is_western = around.isascii() and letter.isprintable() and letter and others * 4 < len(raw[:_LOOKED_AT])
    guess = f'in Windows-1252 it is "{letter}"' if is_western else "so the file has an older encoding"
    excel = ' (in Excel: "CSV UTF-8")' if source.lower().endswith((".csv", ".tsv")) else ""
    return f"the byte 0x{raw[start]:02x} is not UTF-8, {guess}; save the file as UTF-8{excel}"


def refuse(source: str, text: str, *, line: int = 0, column: int = 0) -> NoReturn:
    """Raise one problem that leaves nothing to read on with.

    Raises:
        InputError: always.
    """
    raise ManifestError(problems=(Problem(source, line, column, text),))
