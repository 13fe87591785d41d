"""Whether a picture is whole, told from the structure of its format; nothing is decoded here."""

import re
import zlib
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


def psd(data: Data) -> None:
    """Follow the sections to the picture; source: Adobe's specification of the format."""
    channels, height, width, depth = (
        big(data, at, size) for at, size in ((12, 2), (14, 4), (18, 4), (22, 2))
    )
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
    flags, at = little(data, 4), 8
    attributes: dict[bytes, bytes] = {}
    while (end := data.find(b"\x00", at)) != at:
        name = take(data, at, end - at if end > at else len(data))
        typed = data.find(b"\x00", end + 1)
        size = little(data, typed + 1) if typed >= 0 else len(data)
        attributes[name] = take(data, typed + 5, size)
        at = typed + 5 + size
    lines = _EXR_LINES.get((attributes.get(b"compression") or b"\xff")[0])
    window = attributes.get(b"dataWindow", b"")
    if flags & _EXR_NOT_PLAIN or lines is None or len(window) < 16:  # noqa: PLR2004 - four numbers
        return
    low, high = (int.from_bytes(window[place : place + 4], "little", signed=True) for place in (4, 12))
    count = -(-(high - low + 1) // lines)
    last = max((little(data, at + 1 + 8 * number, 8) for number in range(count)), default=0)
    within(data, last + 8 + little(data, last + 4))


_HDR_SIZE = re.compile(rb"\n\n[-+]Y (\d{1,6}) [-+]X (\d{1,6})\n")
_HDR_NARROWEST, _HDR_WIDEST, _HDR_RUN = 8, 0x7FFF, 128


def hdr(data: Data) -> None:
    """Follow the lines of pixels; source: Radiance's file formats. Older ways of packing are not judged."""
    found = _HDR_SIZE.search(data[: 1 << 16])
    if found is None:
        raise FlawError(CUT)
    height, width, at = int(found[1]), int(found[2]), found.end()
    if not _HDR_NARROWEST <= width <= _HDR_WIDEST or len(data) > _LARGEST_HDR:
        return
    for _ in range(height):
        if take(data, at, 4) != b"\x02\x02" + width.to_bytes(2, "big"):
            return
        at = _hdr_line(data, at + 4, width)


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
