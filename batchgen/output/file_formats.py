"""Whether a file is whole, told from the structure of its format; nothing is decoded here.

Pure but for reading the file. Each check knows one format and says only what that format makes
certain: a file that it passes may still be of poor quality, one that it refuses is cut or corrupt.
"""

import json
import mmap
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from batchgen.output import picture_formats
from batchgen.output.file_parts import CORRUPT, CUT, Data, FlawError, big, little, take, within

_LARGEST_JSON = 16 << 20  # bytes that are read at once
_UNTOLD = frozenset({0, 0xFFFFFFFF})  # sizes that a writer leaves which cannot go back to fill them in


def flaw_of(path: Path, mime: str) -> str:
    """Return what is wrong with a file that begins like one of this type; empty if nothing is known to be.

    Args:
        path: of the file; an empty one is cut.
        mime: as its first bytes say.

    Raises:
        OSError: it cannot be read.
    """
    check = _CHECKS.get(mime)
    if path.stat().st_size == 0:
        return "it is empty"
    if check is None:
        return _zipped(path) if mime == "application/zip" else ""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            check(data)
        except FlawError as flaw:
            return str(flaw)
    return ""


def is_blank(path: Path) -> bool:
    """Return whether there is nothing but zeros in a file; blocks.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return not any(chunk.strip(b"\x00") for chunk in iter(lambda: file.read(1 << 20), b""))


def _wav(data: Data) -> None:
    """Follow the chunks; a writer that could not go back has left the sizes out."""
    size = little(data, 4)
    if size not in _UNTOLD:
        within(data, 8 + size)
    at, seen = 12, set[bytes]()
    while at + 8 <= len(data):
        name, size = data[at : at + 4], little(data, at + 4)
        seen.add(name)
        if name == b"data" and size in _UNTOLD:
            break
        at = within(data, at + 8 + size)
        at += size & 1
    if not {b"fmt ", b"data"} <= seen:
        raise FlawError(CUT)


def _movie(data: Data) -> None:
    if not {b"moov", b"mdat"} <= _boxes(data):
        raise FlawError(CUT)


def _still(data: Data) -> None:
    if not {b"meta", b"moov"} & _boxes(data):
        raise FlawError(CUT)


def _boxes(data: Data) -> set[bytes]:
    """Follow the outer boxes of an ISO media file to its end; source: ISO 14496-12, 4.2."""
    at, seen = 0, set[bytes]()
    while at < len(data) and data[at : at + 8].strip(b"\x00"):
        size, kind, head = big(data, at), take(data, at + 4, 4), 8
        if size == 1:
            size, head = big(data, at + 8, 8), 16
        elif size == 0:
            size = len(data) - at
        if size < head:
            raise FlawError(CORRUPT)
        seen.add(kind)
        at = within(data, at + size)
    return seen


_SEGMENT, _CLUSTER = b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"


def _matroska(data: Data) -> None:
    """Hold the size of the segment against the file; source: RFC 8794 and RFC 9559."""
    size, at = _varied(data, 4)
    at += size or 0
    if take(data, at, 4) != _SEGMENT:
        raise FlawError(CORRUPT)
    size, at = _varied(data, at + 4)
    if size is not None:
        within(data, at + size)
    elif data.find(_CLUSTER, at) < 0:
        raise FlawError(CUT)


def _varied(data: Data, at: int) -> tuple[int | None, int]:
    """Read a number of varied length; None where it says that it is not known. And where it ends."""
    first = big(data, at, 1)
    length = 9 - first.bit_length()
    if not first:
        raise FlawError(CORRUPT)
    ones = (1 << 7 * length) - 1
    value = big(data, at, length) & ones
    return None if value == ones else value, at + length


_GLB_JSON = b"JSON"


def _glb(data: Data) -> None:
    """Hold the lengths against the file; source: the glTF 2.0 specification, 4.4."""
    version, length = little(data, 4), little(data, 8)
    within(data, length)
    if length != len(data):
        raise FlawError(f"its header says {length} bytes, and it has {len(data)}")
    if version != 2:  # noqa: PLR2004 - version 1 has no chunks
        return
    if take(data, 16, 4) != _GLB_JSON:
        raise FlawError(CORRUPT)
    _parsed(data[20 : 20 + little(data, 12)])
    at = 12
    while at < length:
        at = within(data, at + 8 + little(data, at))


def _json(data: Data) -> None:
    """Read it: one value, or one a line."""
    if len(data) <= _LARGEST_JSON:
        try:
            _parsed(data[:])
        except FlawError:
            lines = [one for one in data[:].splitlines() if one.strip()]
            if len(lines) < 2:  # noqa: PLR2004 - one line that is no JSON
                raise
            for line in lines:
                _parsed(line)


def _parsed(text: bytes) -> None:
    try:
        json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise FlawError("it is no whole JSON") from None


def _ogg(data: Data) -> None:
    """Follow the pages to the last of the stream; source: RFC 3533, section 6."""
    at, ended = 0, False
    while data[at : at + 4] == b"OggS":
        ended = bool(big(data, at + 5, 1) & 4)
        count = big(data, at + 26, 1)
        at = within(data, at + 27 + count + sum(take(data, at + 27, count)))
    if not ended:
        raise FlawError(CUT)


_FLAC_TAIL = 1 << 20  # bytes at the end among which the last frame begins


def _flac(data: Data) -> None:
    """Follow the blocks before the sound, then find its last frame; source: RFC 9639, sections 8 and 9.1.

    Streams with blocks of several sizes, or of a length that is not told, are not judged to their end.
    """
    at, last = 4, False
    while not last:
        last = bool(big(data, at, 1) & 0x80)
        at = within(data, at + 4 + big(data, at + 1, 3))
    if big(data, at, 2) & 0xFFFC != 0xFFF8:  # noqa: PLR2004 - how a frame begins
        raise FlawError(CUT)
    size, samples = big(data, 8, 2), big(data, 21, 5) & (1 << 36) - 1
    if size != big(data, 10, 2) or not size or not samples:
        return
    number = chr(min((samples - 1) // size, 0x10FFFF)).encode("utf-8", "surrogatepass")
    frame = re.compile(rb"\xff\xf8.." + re.escape(number), re.DOTALL)
    if data[at + 1] == 0xF8 and not frame.search(data, max(at, len(data) - _FLAC_TAIL)):  # noqa: PLR2004 - as above
        raise FlawError(CUT)


_MP3_RATES = {  # kilobits a second, by whether it is MPEG 1
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_HERTZ = (44_100, 48_000, 32_000)
_MP3_SEARCHED = 1 << 16  # bytes after a tag in which the sound begins


def _mp3(data: Data) -> None:
    """Follow the frames to the last; source: ISO 11172-3, 2.4. Other layers than III are not judged."""
    at = 0
    while data[at : at + 3] == b"ID3":
        size = take(data, at + 6, 4)
        at = within(data, at + 10 + sum(one << 7 * (3 - place) for place, one in enumerate(size)))
    at = data.find(b"\xff", at, at + _MP3_SEARCHED)
    if at < 0:
        raise FlawError(CUT)
    while (length := _mp3_frame(data, at)) > 0:
        at = within(data, at + length)


def _mp3_frame(data: Data, at: int) -> int:
    """Return the bytes of the frame that begins here; 0 where none does, or its length is not told."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # noqa: PLR2004 - a header of layer III
        return 0
    version, rate, hertz = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or rate in {0, 15} or hertz == 3:  # noqa: PLR2004 - reserved, or of no fixed length
        return 0
    first = version == 3  # noqa: PLR2004 - MPEG 1
    per_second = _MP3_HERTZ[hertz] >> (0 if first else 1 if version == 2 else 2)  # noqa: PLR2004 - MPEG 2
    return (144 if first else 72) * _MP3_RATES[first][rate] * 1000 // per_second + (head[2] >> 1 & 1)


def _fbx(data: Data) -> None:
    """Follow the outer nodes to the empty one; text is not judged."""
    if data[:1] != b"K":
        return
    wide = little(data, 23) >= 7500  # noqa: PLR2004 - from this version on offsets have 64 bits
    at = 27
    while (end := little(data, at, 8 if wide else 4)) != 0:
        if end <= at:
            raise FlawError(CORRUPT)
        at = within(data, end)


def _pdf(data: Data) -> None:
    if data.rfind(b"%%EOF", max(0, len(data) - 2048)) < 0:
        raise FlawError(CUT)


def _ply(data: Data) -> None:
    if data.find(b"end_header") < 0:
        raise FlawError(CUT)


def _stl(data: Data) -> None:
    """Hold the count of triangles against the file; a text has its last word."""
    if len(data) >= 84 and 84 + 50 * little(data, 80) == len(data):  # noqa: PLR2004 - the head of a binary one
        return
    if data[:5] != b"solid" or data.rfind(b"endsolid", max(0, len(data) - 1024)) < 0:
        raise FlawError(CUT)


def _zipped(path: Path) -> str:
    """Read the table at the end of an archive, which a half one does not have."""
    try:
        with zipfile.ZipFile(path):
            return ""
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return CUT


_CHECKS: Mapping[str, Callable[[Data], None]] = {
    "image/png": picture_formats.png,
    "image/jpeg": picture_formats.jpeg,
    "image/gif": picture_formats.gif,
    "image/webp": picture_formats.webp,
    "image/avif": _still,
    "image/heic": _still,
    "image/svg+xml": picture_formats.svg,
    "image/vnd.radiance": picture_formats.hdr,
    "image/x-exr": picture_formats.exr,
    "image/vnd.adobe.photoshop": picture_formats.psd,
    "video/mp4": _movie,
    "video/quicktime": _movie,
    "video/webm": _matroska,
    "video/x-matroska": _matroska,
    "audio/mp4": _movie,
    "audio/wav": _wav,
    "audio/mpeg": _mp3,
    "audio/ogg": _ogg,
    "audio/flac": _flac,
    "model/gltf-binary": _glb,
    "model/gltf+json": _json,
    "model/fbx": _fbx,
    "model/ply": _ply,
    "model/stl": _stl,
    "application/pdf": _pdf,
    "application/json": _json,
}
