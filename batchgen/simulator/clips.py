"""Films: a still that drifts, as H.264 in an MP4; written here, for no library at hand writes one.

The first frame holds the picture's samples as they are (I_PCM); every other one moves the whole
of the frame before it (one motion vector) and is some hundred bytes. Every player knows both.
"""

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache

from PIL import Image

LONG_EDGE = 320  # pixels: samples are not packed, and a frame of these is 90 kB
RATE = 12  # frames a second
_BLOCK = 16  # pixels of a macroblock's edge
_TIMESCALE = 1200  # of the file's times, a second
_I_PCM, _P_MOVED = 25, 0  # kinds of macroblocks
_LEVEL = 30  # 3.0: up to 720 pixels wide
_DRIFT = ((1, 0),) * 6 + ((0, 1),) * 4 + ((-1, 0),) * 6 + ((0, -1),) * 4  # pixels a frame, round and round
_NAL_SLICE, _NAL_KEY, _NAL_SEQUENCE, _NAL_PICTURE = 0x41, 0x65, 0x67, 0x68
_UNITY = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)  # the matrix that changes nothing


def size_of(width: int, height: int) -> tuple[int, int]:
    """Return the pixels of a film of a picture of this size: even, and no larger than need be."""
    share = min(1.0, LONG_EDGE / max(width, height, 1))
    return max(_BLOCK, round(width * share / 2) * 2), max(_BLOCK, round(height * share / 2) * 2)


def frames_of(seconds: float) -> int:
    """Return how many frames a film has."""
    return max(1, round(seconds * RATE))


@lru_cache(maxsize=64)
def length_of(size: tuple[int, int], seconds: float) -> int:
    """Return how many bytes a film has, whatever it shows."""
    return len(film(Image.new("RGB", size), size, seconds))


def film(still: Image.Image, size: tuple[int, int], seconds: float) -> bytes:
    """Return an MP4 in which a picture drifts.

    Args:
        still: what is shown; without transparency.
        size: pixels, even.
        seconds: its length.
    """
    width, height = size
    moved = (_moved_frame(one, size, _DRIFT[one % len(_DRIFT)]) for one in range(1, frames_of(seconds)))
    samples = [_sample(unit) for unit in (_key_frame(still.resize(size), size), *moved)]
    movie = _movie(samples, width, height, offset=0)
    start = len(_HEAD) + len(movie) + 8  # the movie is as long wherever the samples begin
    return _HEAD + _movie(samples, width, height, offset=start) + _box(b"mdat", *samples)


class _Bits:
    """Bits in a row, the highest first."""

    def __init__(self) -> None:
        self._text: list[str] = []

    def fixed(self, value: int, count: int) -> "_Bits":
        """Add a number of so many bits."""
        self._text.append(f"{value:0{count}b}")
        return self

    def counted(self, *values: int) -> "_Bits":
        """Add numbers in Exp-Golomb code, unsigned."""
        for value in values:
            self._text.append(f"{value + 1:b}".zfill(2 * (value + 1).bit_length() - 1))
        return self

    def signed(self, value: int) -> "_Bits":
        """Add a number in Exp-Golomb code, signed."""
        return self.counted(2 * value - 1 if value > 0 else -2 * value)

    def repeated(self, text: str, count: int) -> "_Bits":
        """Add the same bits again and again."""
        self._text.append(text * count)
        return self

    def aligned(self) -> bytes:
        """Return bytes, filled up with zeros."""
        text = "".join(self._text)
        text += "0" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8)

    def ended(self) -> bytes:
        """Return bytes, with the stop bit that every unit ends with."""
        self._text.append("1")
        return self.aligned()


def _blocks(size: tuple[int, int]) -> tuple[int, int]:
    return -(-size[0] // _BLOCK), -(-size[1] // _BLOCK)


def _sequence(size: tuple[int, int]) -> bytes:
    """Describe the film: baseline, frames in the order they are shown, one reference."""
    wide, high = _blocks(size)
    right, below = (wide * _BLOCK - size[0]) // 2, (high * _BLOCK - size[1]) // 2
    bits = _Bits().fixed(66, 8).fixed(0xC0, 8).fixed(_LEVEL, 8).counted(0, 0, 2, 1).fixed(0, 1)
    bits.counted(wide - 1, high - 1).fixed(0b11, 2)
    if right or below:
        bits.fixed(1, 1).counted(0, right, 0, below)
    else:
        bits.fixed(0, 1)
    return _unit(_NAL_SEQUENCE, bits.fixed(0, 1).ended())


def _picture() -> bytes:
    """Describe a frame: variable codes, one slice, the filter between blocks switched by the slice."""
    bits = _Bits().counted(0, 0).fixed(0, 2).counted(0, 0, 0).fixed(0, 3)
    return _unit(_NAL_PICTURE, bits.signed(0).signed(0).signed(0).fixed(0b100, 3).ended())


def _key_frame(still: Image.Image, size: tuple[int, int]) -> bytes:
    wide, high = _blocks(size)
    head = _Bits().counted(0, 7, 0).fixed(0, 4).counted(0).fixed(0, 2).signed(0).counted(1)
    first = head.counted(_I_PCM).aligned()
    between = _Bits().counted(_I_PCM).aligned()
    return _unit(_NAL_KEY, first + between.join(_samples(still, wide, high)) + b"\x80")


def _samples(still: Image.Image, wide: int, high: int) -> Iterable[bytes]:
    """Return the samples of every macroblock, row by row: brightness, and both colours at half the size."""
    whole = Image.new("RGB", (wide * _BLOCK, high * _BLOCK))
    whole.paste(still.convert("RGB"))
    planes = whole.convert("YCbCr").split()
    half = (wide * _BLOCK // 2, high * _BLOCK // 2)
    # broadcast levels: never 0, so that no samples look like the start of a unit
    bright = planes[0].point(lambda level: 16 + level * 219 / 255)
    colours = [one.resize(half).point(lambda level: 16 + level * 224 / 255) for one in planes[1:]]
    for row in range(high):
        for column in range(wide):
            yield b"".join(
                _cut(plane, column, row, edge)
                for plane, edge in ((bright, _BLOCK), *((one, _BLOCK // 2) for one in colours))
            )


def _cut(plane: Image.Image, column: int, row: int, edge: int) -> bytes:
    return plane.crop((column * edge, row * edge, (column + 1) * edge, (row + 1) * edge)).tobytes()


def _moved_frame(number: int, size: tuple[int, int], by: tuple[int, int]) -> bytes:
    wide, high = _blocks(size)
    bits = _Bits().counted(0, 5, 0).fixed(number % 16, 4).fixed(0, 1).fixed(0, 1).fixed(0, 1)
    bits.signed(0).counted(1)
    # quarters of a pixel; the first block says it, every other has the same as its neighbours
    bits.counted(0, _P_MOVED).signed(4 * by[0]).signed(4 * by[1]).counted(0)
    bits.repeated("11111", wide * high - 1)
    return _unit(_NAL_SLICE, bits.ended())


def _unit(kind: int, payload: bytes) -> bytes:
    """Return a unit; what looks like the start of another one is told apart by a 3."""
    out, zeros = bytearray([kind]), 0
    if kind == _NAL_KEY:  # samples are never 0, and its header is short
        return bytes(out) + payload
    for one in payload:
        if zeros >= 2 and one <= 3:  # noqa: PLR2004 - by the standard
            out.append(3)
            zeros = 0
        out.append(one)
        zeros = zeros + 1 if one == 0 else 0
    return bytes(out)


def _sample(unit: bytes) -> bytes:
    return len(unit).to_bytes(4) + unit


def _box(name: bytes, *parts: bytes) -> bytes:
    return (8 + sum(map(len, parts))).to_bytes(4) + name + b"".join(parts)


def _full(name: bytes, flags: int, *parts: bytes) -> bytes:
    return _box(name, flags.to_bytes(4), *parts)


def _words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


_HEAD = _box(b"ftyp", b"isom", _words(512), b"isomavc1mp41")


def _movie(samples: Sequence[bytes], width: int, height: int, *, offset: int) -> bytes:
    ticks = _TIMESCALE // RATE
    length = ticks * len(samples)
    header = _full(b"mvhd", 0, _words(0, 0, _TIMESCALE, length, 0x10000), b"\1\0", bytes(10),
                   _words(*_UNITY), bytes(24), _words(2))  # fmt: skip
    track = _full(b"tkhd", 3, _words(0, 0, 1, 0, length, 0, 0, 0, 0), _words(*_UNITY),
                  _words(width << 16, height << 16))  # fmt: skip
    media = _box(
        b"mdia",
        _full(b"mdhd", 0, _words(0, 0, _TIMESCALE, length), struct.pack(">HH", 0x55C4, 0)),
        _full(b"hdlr", 0, _words(0), b"vide", bytes(12), b"film\0"),
        _box(
            b"minf",
            _full(b"vmhd", 1, bytes(8)),
            _box(b"dinf", _full(b"dref", 0, _words(1), _full(b"url ", 1))),
            _table(samples, width, height, offset),
        ),
    )
    return _box(b"moov", header, _box(b"trak", track, media))


def _table(samples: Sequence[bytes], width: int, height: int, offset: int) -> bytes:
    sequence, picture = _sequence((width, height)), _picture()
    codec = _box(b"avcC", bytes([1, *sequence[1:4], 0xFF, 0xE1]), struct.pack(">H", len(sequence)), sequence,
                 b"\x01", struct.pack(">H", len(picture)), picture)  # fmt: skip
    shape = struct.pack(">HHIIIH", width, height, 0x480000, 0x480000, 0, 1)
    entry = _box(b"avc1", bytes(7), b"\1", bytes(16), shape, bytes(32), struct.pack(">Hh", 24, -1), codec)
    return _box(
        b"stbl",
        _full(b"stsd", 0, _words(1), entry),
        _full(b"stts", 0, _words(1, len(samples), _TIMESCALE // RATE)),
        _full(b"stss", 0, _words(1, 1)),
        _full(b"stsc", 0, _words(1, 1, len(samples), 1)),
        _full(b"stsz", 0, _words(0, len(samples), *map(len, samples))),
        _full(b"stco", 0, _words(1, offset)),
    )
