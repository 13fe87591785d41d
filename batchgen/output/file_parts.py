"""Reading a file by its parts, each of a length that the part before it says."""

import mmap

CUT = "it ends in the middle"
CORRUPT = "it is corrupt"

Data = mmap.mmap


class FlawError(Exception):
    """The file is not whole; the text says how."""


def take(data: Data, at: int, count: int) -> bytes:
    """Return the bytes there; all of them, or the file is cut."""
    taken: bytes = data[at : at + count]
    if len(taken) < count or at < 0:
        raise FlawError(CUT)
    return taken


def big(data: Data, at: int, count: int = 4) -> int:
    """Return the number there, its highest byte first."""
    return int.from_bytes(take(data, at, count), "big")


def little(data: Data, at: int, count: int = 4) -> int:
    """Return the number there, its lowest byte first."""
    return int.from_bytes(take(data, at, count), "little")


def within(data: Data, end: int) -> int:
    """Return where a part ends; beyond the end of the file it is cut."""
    if end > len(data):
        raise FlawError(CUT)
    return end
