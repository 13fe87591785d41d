"""What a page shows in the place of a file, and whether its thumbnail is there; nothing is drawn here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from batchgen.plain_files import FileFaultError, head_of

FOLDER = "thumbnails"
MISSING = "this file is not where it was"

_PICTURE = re.compile(
    rb'"([0-9a-f]{24})":\[(\d{1,6}),(\d{1,6}),([01]),"((?:data:image/webp;base64,[A-Za-z0-9+/=]*)?)"\],?\n'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a page shows in a file's place.

    Attributes:
        key: of what was drawn small: one picture of one size has one key; empty where nothing was drawn.
        src: a data URI, or a path relative to the page; empty where there is no picture.
        embedded: whether ``src`` is a data URI.
        width, height: of the thumbnail in pixels; 0 where unknown.
        transparent: whether what lies behind the picture is seen.
        excerpt: the beginning of a text.
        trouble: why there is nothing to see; empty if there is.
        is_put_off: whether there was no time to draw it: the file itself stands in its place.
    """

    key: str = ""
    src: str = ""
    embedded: bool = False
    width: int = 0
    height: int = 0
    transparent: bool = False
    excerpt: str = ""
    trouble: str = ""
    is_put_off: bool = False


def is_whole(stored: str) -> bool:
    """Return whether a thumbnail is there from its beginning to its end; looks at its head alone."""
    try:
        head, size = head_of(stored, 12)
    except FileFaultError:
        return False
    return (head[:4], head[8:]) == (b"RIFF", b"WEBP") and int.from_bytes(head[4:8], "little") + 8 == size


def pictures_in(line: bytes) -> Iterator[Preview]:
    """Return the picture that a line of a page shows, if it is one of ours."""
    found = _PICTURE.fullmatch(line)
    if found:
        key, width, height, clear, src = (one.decode("ascii") for one in found.groups())
        yield Preview(
            key=key,
            src=src or f"{FOLDER}/{key}.webp",
            embedded=bool(src),
            width=int(width),
            height=int(height),
            transparent=clear == "1",
        )
