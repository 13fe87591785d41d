"""Files that are as long as was said before they were drawn: a part that viewers skip fills them up. Pure.

The service says how long a file is long before anybody fetches it, and drawing takes tens of milliseconds.
"""

import zlib

_COMMENT = 65_533  # bytes that one comment of a JPEG holds, beside the four that announce it
_IEND = 12  # bytes of the chunk that ends a PNG


def padded(content: bytes, mime: str, size: int) -> bytes:
    """Return a picture of exactly that many bytes.

    Args:
        content: a PNG, JPEG or WebP.
        mime: which of them.
        size: bytes; at least 12 more than the content has, and even where it is a WebP.

    Raises:
        ValueError: there is no room.
    """
    room = size - len(content)
    if room < _IEND:
        raise ValueError(f"{len(content)} bytes do not fit into {size}")
    match mime:
        case "image/png":
            return content[:-_IEND] + _chunk(b"siZe", room - 12) + content[-_IEND:]
        case "image/jpeg":
            return content[:2] + _comments(room) + content[2:]
        case _:
            filled = content + b"siZe" + (room - 8).to_bytes(4, "little") + bytes(room - 8)
            return filled[:4] + (size - 8).to_bytes(4, "little") + filled[8:]


def _chunk(name: bytes, length: int) -> bytes:
    body = name + bytes(length)
    return length.to_bytes(4) + body + zlib.crc32(body).to_bytes(4)


def _comments(room: int) -> bytes:
    """Fill with comments; the last two share what is left, as none can be shorter than four bytes."""
    comments = bytearray()
    while room:
        length = min(room - 4, _COMMENT)
        if 0 < room - 4 - length < 4:  # noqa: PLR2004 - what announces a comment
            length -= 4
        comments += b"\xff\xfe" + (length + 2).to_bytes(2) + bytes(length)
        room -= 4 + length
    return bytes(comments)
