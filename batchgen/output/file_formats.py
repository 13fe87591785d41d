"""Whether a file is whole, told from the structure of its format; nothing is decoded here.

Pure but for reading the file. Each check knows one format and says only what that format makes
certain: a file that it passes may still be of poor quality, one that it refuses is cut or corrupt.
"""

import json
import mmap
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.parsers import expat

CUT = "it ends in the middle"
CORRUPT = "it is corrupt"

_LARGEST_TEXT = 64 << 20  # bytes of JSON or SVG that are read at once
_LARGEST_HDR = 16 << 20  # bytes of a Radiance picture whose lines are followed
_UNTOLD = frozenset({0, 0xFFFFFFFF})  # sizes that a writer leaves which cannot go back to fill them in

Data = mmap.mmap


class FlawError(Exception):
    """The file is not whole; the text says how."""


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


def _take(data: Data, at: int, count: int) -> bytes:
    taken: bytes = data[at : at + count]
    if len(taken) < count or at < 0:
        raise FlawError(CUT)
    return taken


def _big(data: Data, at: int, count: int = 4) -> int:
    return int.from_bytes(_take(data, at, count), "big")


def _little(data: Data, at: int, count: int = 4) -> int:
    return int.from_bytes(_take(data, at, count), "little")


def _within(data: Data, end: int) -> int:
    if end > len(data):
        raise FlawError(CUT)
    return end


def _png(data: Data) -> None:
    """Follow the chunks to the last one; source: the PNG specification, 5.3."""
    at, kind = 8, b""
    while kind != b"IEND":
        kind = _take(data, at + 4, 4)
        end = _within(data, at + 12 + _big(data, at))
        if zlib.crc32(data[at + 4 : end - 4]) != _big(data, end - 4):
            raise FlawError("a checksum in it is wrong")
        at = end


_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_JPEG_END, _JPEG_BARE = 0xD9, frozenset({0x01, 0xD8})


def _jpeg(data: Data) -> None:
    """Follow the markers to the end of the image; source: ITU T.81, annex B."""
    at = 2
    while (found := _JPEG_MARKER.search(data, at)) is not None:
        at = found.end()
        if data[at - 1] == _JPEG_END:
            return
        if data[at - 1] not in _JPEG_BARE:
            at = _within(data, at + _big(data, at, 2))
    raise FlawError(CUT)


_GIF_EXTENSION, _GIF_IMAGE, _GIF_END = 0x21, 0x2C, 0x3B


def _gif(data: Data) -> None:
    """Follow the blocks to the trailer; source: the GIF 89a specification."""
    at = 13 + _colours(_big(data, 10, 1))
    while (kind := _big(data, at, 1)) != _GIF_END:
        if kind == _GIF_EXTENSION:
            at += 2
        elif kind == _GIF_IMAGE:
            at += 11 + _colours(_big(data, at + 9, 1))
        else:
            raise FlawError(CORRUPT)
        while (size := _big(data, at, 1)) != 0:
            at += 1 + size
        at += 1


def _colours(flags: int) -> int:
    """Return the bytes of the colour table that flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(data: Data) -> None:
    _within(data, 8 + _little(data, 4))


def _wav(data: Data) -> None:
    """Follow the chunks; a writer that could not go back has left the sizes out."""
    size = _little(data, 4)
    if size not in _UNTOLD:
        _within(data, 8 + size)
    at, seen = 12, set[bytes]()
    while at + 8 <= len(data):
        name, size = data[at : at + 4], _little(data, at + 4)
        seen.add(name)
        if name == b"data" and size in _UNTOLD:
            break
        at = _within(data, at + 8 + size)
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
        size, kind, head = _big(data, at), _take(data, at + 4, 4), 8
        if size == 1:
            size, head = _big(data, at + 8, 8), 16
        elif size == 0:
            size = len(data) - at
        if size < head:
            raise FlawError(CORRUPT)
        seen.add(kind)
        at = _within(data, at + size)
    return seen


_SEGMENT, _CLUSTER = b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"


def _matroska(data: Data) -> None:
    """Hold the size of the segment against the file; source: RFC 8794 and RFC 9559."""
    size, at = _varied(data, 4)
    at += size or 0
    if _take(data, at, 4) != _SEGMENT:
        raise FlawError(CORRUPT)
    size, at = _varied(data, at + 4)
    if size is not None:
        _within(data, at + size)
    elif data.find(_CLUSTER, at) < 0:
        raise FlawError(CUT)


def _varied(data: Data, at: int) -> tuple[int | None, int]:
    """Read a number of varied length; None where it says that it is not known. And where it ends."""
    first = _big(data, at, 1)
    length = 9 - first.bit_length()
    if not first:
        raise FlawError(CORRUPT)
    ones = (1 << 7 * length) - 1
    value = _big(data, at, length) & ones
    return None if value == ones else value, at + length


_GLB_JSON = b"JSON"


def _glb(data: Data) -> None:
    """Hold the lengths against the file; source: the glTF 2.0 specification, 4.4."""
    version, length = _little(data, 4), _little(data, 8)
    _within(data, length)
    if length != len(data):
        raise FlawError(f"its header says {length} bytes, and it has {len(data)}")
    if version != 2:  # noqa: PLR2004 - version 1 has no chunks
        return
    if _take(data, 16, 4) != _GLB_JSON:
        raise FlawError(CORRUPT)
    _parsed(data[20 : 20 + _little(data, 12)])
    at = 12
    while at < length:
        at = _within(data, at + 8 + _little(data, at))


def _json(data: Data) -> None:
    """Read it: one value, or one a line."""
    if len(data) <= _LARGEST_TEXT:
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


def _svg(data: Data) -> None:
    if len(data) <= _LARGEST_TEXT:
        try:
            expat.ParserCreate().Parse(data[:], True)  # noqa: FBT003 - positional only
        except expat.ExpatError:
            raise FlawError("it is no whole XML") from None


def _ogg(data: Data) -> None:
    """Follow the pages to the last of the stream; source: RFC 3533, section 6."""
    at, ended = 0, False
    while data[at : at + 4] == b"OggS":
        ended = bool(_big(data, at + 5, 1) & 4)
        count = _big(data, at + 26, 1)
        at = _within(data, at + 27 + count + sum(_take(data, at + 27, count)))
    if not ended:
        raise FlawError(CUT)


_FLAC_TAIL = 1 << 20  # bytes at the end among which the last frame begins


def _flac(data: Data) -> None:
    """Follow the blocks before the sound, then find its last frame; source: RFC 9639, sections 8 and 9.1.

    Streams with blocks of several sizes, or of a length that is not told, are not judged to their end.
    """
    at, last = 4, False
    while not last:
        last = bool(_big(data, at, 1) & 0x80)
        at = _within(data, at + 4 + _big(data, at + 1, 3))
    if _big(data, at, 2) & 0xFFFC != 0xFFF8:  # noqa: PLR2004 - how a frame begins
        raise FlawError(CUT)
    size, samples = _big(data, 8, 2), _big(data, 21, 5) & (1 << 36) - 1
    if size != _big(data, 10, 2) or not size or not samples:
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
        size = _take(data, at + 6, 4)
        at = _within(data, at + 10 + sum(one << 7 * (3 - place) for place, one in enumerate(size)))
    at = data.find(b"\xff", at, at + _MP3_SEARCHED)
    if at < 0:
        raise FlawError(CUT)
    while (length := _mp3_frame(data, at)) > 0:
        at = _within(data, at + length)


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
    wide = _little(data, 23) >= 7500  # noqa: PLR2004 - from this version on offsets have 64 bits
    at = 27
    while (end := _little(data, at, 8 if wide else 4)) != 0:
        if end <= at:
            raise FlawError(CORRUPT)
        at = _within(data, end)


def _pdf(data: Data) -> None:
    if data.rfind(b"%%EOF", max(0, len(data) - 2048)) < 0:
        raise FlawError(CUT)


def _psd(data: Data) -> None:
    """Follow the sections to the picture; source: Adobe's specification of the format."""
    channels, height, width, depth = (
        _big(data, at, size) for at, size in ((12, 2), (14, 4), (18, 4), (22, 2))
    )
    at = 26
    for _ in range(3):
        at = _within(data, at + 4 + _big(data, at))
    packing, lines = _big(data, at, 2), channels * height
    if packing == 0:
        _within(data, at + 2 + lines * ((width * depth + 7) // 8))
    elif packing == 1:
        counts = _take(data, at + 2, 2 * lines)
        packed = sum(counts[1::2]) + (sum(counts[0::2]) << 8)
        _within(data, at + 2 + 2 * lines + packed)


_EXR_LINES = {0: 1, 1: 1, 2: 1, 3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256}  # of a chunk, by packing
_EXR_NOT_PLAIN = 0x1A00  # flags of tiles, deep data and several parts


def _exr(data: Data) -> None:
    """Hold the table of chunks against the file; source: the OpenEXR file layout. Tiles are not judged."""
    flags, at = _little(data, 4), 8
    attributes: dict[bytes, bytes] = {}
    while (end := data.find(b"\x00", at)) != at:
        name = _take(data, at, end - at if end > at else len(data))
        typed = data.find(b"\x00", end + 1)
        size = _little(data, typed + 1) if typed >= 0 else len(data)
        attributes[name] = _take(data, typed + 5, size)
        at = typed + 5 + size
    lines = _EXR_LINES.get((attributes.get(b"compression") or b"\xff")[0])
    window = attributes.get(b"dataWindow", b"")
    if flags & _EXR_NOT_PLAIN or lines is None or len(window) < 16:  # noqa: PLR2004 - four numbers
        return
    low, high = (int.from_bytes(window[place : place + 4], "little", signed=True) for place in (4, 12))
    count = -(-(high - low + 1) // lines)
    last = max((_little(data, at + 1 + 8 * number, 8) for number in range(count)), default=0)
    _within(data, last + 8 + _little(data, last + 4))


_HDR_SIZE = re.compile(rb"\n\n[-+]Y (\d{1,6}) [-+]X (\d{1,6})\n")
_HDR_NARROWEST, _HDR_WIDEST, _HDR_RUN = 8, 0x7FFF, 128


def _hdr(data: Data) -> None:
    """Follow the lines of pixels; source: Radiance's file formats. Older ways of packing are not judged."""
    found = _HDR_SIZE.search(data[: 1 << 16])
    if found is None:
        raise FlawError(CUT)
    height, width, at = int(found[1]), int(found[2]), found.end()
    if not _HDR_NARROWEST <= width <= _HDR_WIDEST or len(data) > _LARGEST_HDR:
        return
    for _ in range(height):
        if _take(data, at, 4) != b"\x02\x02" + width.to_bytes(2, "big"):
            return
        at = _hdr_line(data, at + 4, width)


def _hdr_line(data: Data, at: int, width: int) -> int:
    """Return where a line ends: its four channels, each in runs of equal and of different bytes."""
    for _ in range(4):
        left = width
        while left > 0:
            count = _big(data, at, 1)
            left -= count - _HDR_RUN if count > _HDR_RUN else max(1, count)
            at += 2 if count > _HDR_RUN else 1 + count
    return _within(data, at)


def _ply(data: Data) -> None:
    if data.find(b"end_header") < 0:
        raise FlawError(CUT)


def _stl(data: Data) -> None:
    """Hold the count of triangles against the file; a text has its last word."""
    if len(data) >= 84 and 84 + 50 * _little(data, 80) == len(data):  # noqa: PLR2004 - the head of a binary one
        return
    if data[:5] != b"solid" or data.rfind(b"endsolid", max(0, len(data) - 1024)) < 0:
        raise FlawError(CUT)


def _zipped(path: Path) -> str:
    """Read the table at the end of an archive, which a half one does not have."""
    try:
        with zipfile.ZipFile(path):
            return ""
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return CUT


_CHECKS: Mapping[str, Callable[[Data], None]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/gif": _gif,
    "image/webp": _webp,
    "image/avif": _still,
    "image/heic": _still,
    "image/svg+xml": _svg,
    "image/vnd.radiance": _hdr,
    "image/x-exr": _exr,
    "image/vnd.adobe.photoshop": _psd,
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
