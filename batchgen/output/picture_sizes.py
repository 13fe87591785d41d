"""How large a picture is in pixels, as its own bytes say; nothing is decoded here.

What opens pictures by Pillow is here too: whoever decodes one takes it from here.
"""

import mmap
import re
import struct
import warnings
from collections.abc import Callable
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

from PIL import Image

from batchgen.output.file_parts import Data, FlawError
from batchgen.output.picture_formats import exr_size, hdr_size, psd_size

# decoders warn of hostile bytes, in the midst of what is shown; no thread can turn that off for one call
warnings.filterwarnings("ignore", module=r"PIL\.")

_BY_PILLOW = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/avif": "AVIF",
    "image/tiff": "TIFF",
    "image/bmp": "BMP",
}

DECODER_ERRORS = (  # what decoders raise where they meet hostile bytes
    OSError,
    EOFError,
    ValueError,
    SyntaxError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    Warning,
    struct.error,
)

_LARGEST_EDGE = 1 << 31  # pixels: what no format of today goes beyond
_SVG_HEAD = 1 << 16  # bytes in which the first element of a drawing stands
_SVG_PIXELS = re.compile(r"\s*\+?(\d{1,9}(?:\.\d{0,9})?)(?:px)?\s*", re.IGNORECASE | re.ASCII)


class Size(NamedTuple):
    """Of a picture, in pixels."""

    width: int
    height: int


def size_of(path: Path, mime: str) -> Size | None:
    """Return the size that a picture's bytes say; None where they do not, or it is no picture. Blocks.

    A picture that is to be turned before it is shown is as large as it is stored.

    Args:
        path: of the file.
        mime: as its first bytes say.

    Raises:
        OSError: it cannot be read.
    """
    opened, reader = opener(mime), _READERS.get(mime)
    found: tuple[int, int] | None = None
    if opened is not None:
        with path.open("rb") as file, suppress(*DECODER_ERRORS, MemoryError), opened(file, "") as image:
            found = image.size
    elif reader is not None and path.stat().st_size:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
            suppress(FlawError),
        ):
            found = reader(data)
    return Size(*found) if found is not None and all(0 < one < _LARGEST_EDGE for one in found) else None


def opener(mime: str) -> "Callable[[BufferedReader, str], Image.Image] | None":
    """Return what opens pictures of this format; not ``Image.open``, which warns of large ones on its own."""
    name = _BY_PILLOW.get(mime)
    if name is None:
        return None
    if name not in Image.OPEN:
        Image.init()
    found = Image.OPEN.get(name)
    return found[0] if found is not None else None


def _svg_size(data: Data) -> tuple[int, int] | None:
    """Return the size of a drawing that says it in pixels; others fit any."""
    said: list[dict[str, str]] = []
    parser = expat.ParserCreate()

    def first(_: str, attributes: dict[str, str]) -> None:
        said.append(attributes)
        parser.StartElementHandler = None

    parser.StartElementHandler = first
    with suppress(expat.ExpatError, ValueError, LookupError):  # an encoding that is none too
        parser.Parse(data[:_SVG_HEAD], False)  # noqa: FBT003 - positional only
    root = said[0] if said else {}
    edges = [_SVG_PIXELS.fullmatch(root.get(name, "")) for name in ("width", "height")]
    width, height = (round(float(one[1])) if one else 0 for one in edges)
    return width, height


_READERS: dict[str, Callable[[Data], tuple[int, int] | None]] = {
    "image/svg+xml": _svg_size,
    "image/vnd.radiance": hdr_size,
    "image/x-exr": exr_size,
    "image/vnd.adobe.photoshop": psd_size,
}
