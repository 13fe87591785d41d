"""Whether a picture is whole, told from the structure of its format; nothing is decoded here."""

import re
import struct
import zlib
from collections.abc import Mapping
from xml.parsers import expat

from batchgen.output.file_parts import CORRUPT, CUT, Data, FlawError, big, little, take, within

_LARGEST_SVG = 16 << 20  # bytes that are read at once
_LARGEST_HDR = 16 << 20  # bytes of a Radiance picture whose lines are followed


def png(data: Data) -> None:
    """Follow the chunks to the last one; source: the PNG specification, 5.3."""
    at, kind = 8, b""
    while kind != b"IEND":
        kind = take(data, at + 4, 4)
        end = within(data, at + 12 + big(data, at))
        if zlib.crc32(data[at + 4 : end - 4]) != big(data, end - 4):
            raise FlawError("a checksum in it is wrong")
        at = end


_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_JPEG_END, _JPEG_BARE = 0xD9, frozenset({0x01, 0xD8})


def jpeg(data: Data) -> None:
    """Follow the markers to the end of the image; source: ITU T.81, annex B."""
    at = 2
    while (found := _JPEG_MARKER.search(data, at)) is not None:
        at = found.end()
        if data[at - 1] == _JPEG_END:
            return
        if data[at - 1] not in _JPEG_BARE:
            at = within(data, at + big(data, at, 2))
    raise FlawError(CUT)


_GIF_EXTENSION, _GIF_IMAGE, _GIF_END = 0x21, 0x2C, 0x3B


def gif(data: Data) -> None:
    """Follow the blocks to the trailer; source: the GIF 89a specification."""
    at = 13 + _colours(big(data, 10, 1))
    while (kind := big(data, at, 1)) != _GIF_END:
        if kind == _GIF_EXTENSION:
            at += 2
        elif kind == _GIF_IMAGE:
            at += 11 + _colours(big(data, at + 9, 1))
        else:
            raise FlawError(CORRUPT)
        while (size := big(data, at, 1)) != 0:
            at += 1 + size
        at += 1


def _colours(flags: int) -> int:
    """Return the bytes of the colour table that flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def webp(data: Data) -> None:
    """Hold the length in its header against the file."""
    within(data, 8 + little(data, 4))


def psd_size(data: Data) -> tuple[int, int]:
    """Return width and height, in pixels."""
    return big(data, 18), big(data, 14)


def psd(data: Data) -> None:
    """Follow the sections to the picture; source: Adobe's specification of the format."""
    (width, height), channels, depth = psd_size(data), big(data, 12, 2), big(data, 22, 2)
    at = 26
    for _ in range(3):
        at = within(data, at + 4 + big(data, at))
    packing, lines = big(data, at, 2), channels * height
    if packing == 0:
        within(data, at + 2 + lines * ((width * depth + 7) // 8))
    elif packing == 1:
        counts = take(data, at + 2, 2 * lines)
        packed = sum(counts[1::2]) + (sum(counts[0::2]) << 8)
        within(data, at + 2 + 2 * lines + packed)


_EXR_LINES = {0: 1, 1: 1, 2: 1, 3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256}  # of a chunk, by packing
_EXR_NOT_PLAIN = 0x1A00  # flags of tiles, deep data and several parts


def exr(data: Data) -> None:
    """Hold the table of chunks against the file; source: the OpenEXR file layout. Tiles are not judged."""
    attributes, at = _exr_attributes(data)
    lines = _EXR_LINES.get((attributes.get(b"compression") or b"\xff")[0])
    window = _exr_window(attributes, b"dataWindow")
    if little(data, 4) & _EXR_NOT_PLAIN or lines is None or window is None:
        return
    count = -(-window[1] // lines)
    last = max((little(data, at + 1 + 8 * number, 8) for number in range(count)), default=0)
    within(data, last + 8 + little(data, last + 4))


def exr_size(data: Data) -> tuple[int, int] | None:
    """Return width and height of what is to be shown, in pixels; None where the head does not say it."""
    attributes, _ = _exr_attributes(data)
    return _exr_window(attributes, b"displayWindow") or _exr_window(attributes, b"dataWindow")


def _exr_attributes(data: Data) -> tuple[dict[bytes, bytes], int]:
    """Return what stands in the head, by name, and where it ends."""
    at, attributes = 8, dict[bytes, bytes]()
    while (end := data.find(b"\x00", at)) != at:
        name = take(data, at, end - at if end > at else len(data))
        typed = data.find(b"\x00", end + 1)
        size = little(data, typed + 1) if typed >= 0 else len(data)
        attributes[name] = take(data, typed + 5, size)
        at = typed + 5 + size
    return attributes, at


def _exr_window(attributes: Mapping[bytes, bytes], name: bytes) -> tuple[int, int] | None:
    """Return width and height of a window: its first and last columns and lines are inside."""
    box = attributes.get(name, b"")
    if len(box) < 16:  # noqa: PLR2004 - four numbers
        return None
    left, top, right, bottom = struct.unpack("<4i", box[:16])
    return right - left + 1, bottom - top + 1


_HDR_SIZE = re.compile(rb"\n\n[-+]Y (\d{1,6}) [-+]X (\d{1,6})\n")
_HDR_NARROWEST, _HDR_WIDEST, _HDR_RUN = 8, 0x7FFF, 128


def hdr(data: Data) -> None:
    """Follow the lines of pixels; source: Radiance's file formats. Older ways of packing are not judged."""
    (width, height), at = _hdr_head(data)
    if not _HDR_NARROWEST <= width <= _HDR_WIDEST or len(data) > _LARGEST_HDR:
        return
    for _ in range(height):
        if take(data, at, 4) != b"\x02\x02" + width.to_bytes(2, "big"):
            return
        at = _hdr_line(data, at + 4, width)


def hdr_size(data: Data) -> tuple[int, int]:
    """Return width and height, in pixels."""
    return _hdr_head(data)[0]


def _hdr_head(data: Data) -> tuple[tuple[int, int], int]:
    """Return the size, and where the lines of pixels begin."""
    found = _HDR_SIZE.search(data[: 1 << 16])
    if found is None:
        raise FlawError(CUT)
    return (int(found[2]), int(found[1])), found.end()


def _hdr_line(data: Data, at: int, width: int) -> int:
    """Return where a line ends: its four channels, each in runs of equal and of different bytes."""
    for _ in range(4):
        left = width
        while left > 0:
            count = big(data, at, 1)
            left -= count - _HDR_RUN if count > _HDR_RUN else max(1, count)
            at += 2 if count > _HDR_RUN else 1 + count
    return within(data, at)


def svg(data: Data) -> None:
    """Read it as XML."""
    if len(data) <= _LARGEST_SVG:
        try:
            expat.ParserCreate().Parse(data[:], True)  # noqa: FBT003 - positional only
        except expat.ExpatError:
            raise FlawError("it is no whole XML") from None
