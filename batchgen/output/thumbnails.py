"""Small previews of files, for a page: pictures drawn down, texts cut short.

The only module that opens what a service delivered with a decoder: whatever it contains,
the answer is a preview or a sentence, and never an exception.
"""

import base64
import os
import warnings
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from batchgen.output import atomic
from batchgen.plain_files import FileFaultError, open_plain

LONGEST_EDGE = 360  # pixels
MOST_EMBEDDED = 500  # pictures; beyond that a page would be too heavy to open
SMALL_EDGE = 128  # pixels, of a picture that is shown a second time
FOLDER = "thumbnails"
MISSING = "this file is not where it was"

_EXCERPT = 600  # characters
_OPAQUE = 250  # of 255: some tools leave what they keep a little below full
_BROWSER_DRAWS = frozenset({"image/svg+xml", "image/avif"})
_DAMAGED = "this picture is damaged and cannot be drawn"
_TOO_LARGE = "this picture is too large to be drawn small"


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a page shows in a file's place.

    Attributes:
        src: a data URI, or a path relative to the page; empty where there is no picture.
        embedded: whether ``src`` is a data URI.
        width, height: of the thumbnail in pixels; 0 where unknown.
        transparent: whether what lies behind the picture is seen.
        excerpt: the beginning of a text.
        trouble: why there is nothing to see; empty if there is.
    """

    src: str = ""
    embedded: bool = False
    width: int = 0
    height: int = 0
    transparent: bool = False
    excerpt: str = ""
    trouble: str = ""


def previews(
    folder: Path, files: Iterable[Mapping[str, str]], *, within: Path | None = None
) -> dict[str, Preview]:
    """Draw a preview of every file, in worker threads; the mapping goes from path to preview.

    Up to ``MOST_EMBEDDED`` pictures come as data URIs, more come as files in ``thumbnails/``,
    named by content, so that a second page of the same batch draws only what is new.

    Args:
        folder: of the page; paths are relative to it.
        files: elements of a document's ``files``.
        within: nothing outside of it is opened; None for ``folder``.

    Raises:
        OutputError: a thumbnail cannot be written.
    """
    wanted = {file["path"]: file for file in files}
    pictures = sum(file["mime"].startswith("image/") for file in wanted.values())
    beside = folder / FOLDER if pictures > MOST_EMBEDDED else None
    with warnings.catch_warnings(), ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        drawn = pool.map(lambda file: _preview(folder, file, beside, within or folder), wanted.values())
        return dict(zip(wanted, drawn, strict=True))


def _preview(folder: Path, file: Mapping[str, str], beside: Path | None, within: Path) -> Preview:
    path, mime = folder / file["path"], file["mime"]
    if not _inside(within, path) or not path.is_file():
        return Preview(trouble=MISSING)
    if mime.startswith("text/") or mime == "application/json":
        return _excerpt(path)
    if not mime.startswith("image/"):
        return Preview()
    if mime in _BROWSER_DRAWS:
        return Preview(src=file["path"], transparent=mime == "image/svg+xml")
    stored = beside / f"{file['sha256'][:24]}.webp" if beside else None
    return _again(stored) or _drawn(path, stored)


def smaller(preview: Preview) -> Preview:
    """Return a preview for where it is shown once more: a page need not carry it twice at full size."""
    head, _, data = preview.src.partition(";base64,")
    if not (preview.embedded and data):
        return preview
    try:
        with Image.open(BytesIO(base64.b64decode(data))) as image:
            image.thumbnail((SMALL_EDGE, SMALL_EDGE), Image.Resampling.LANCZOS)
            out = BytesIO()
            image.save(out, "WEBP", quality=75, method=2)
            uri = f"{head};base64,{base64.b64encode(out.getvalue()).decode()}"
            return replace(preview, src=uri, width=image.width, height=image.height)
    except (OSError, ValueError):
        return preview


def _inside(folder: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _excerpt(path: Path) -> Preview:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_EXCERPT + 1)
            return Preview(excerpt=text if len(text) <= _EXCERPT else f"{text[:_EXCERPT].rstrip()} …")
    except OSError:
        return Preview(trouble=MISSING)


def _again(stored: Path | None) -> Preview | None:
    """Use the thumbnail that an earlier page left."""
    if stored is None or not is_whole(stored):
        return None
    try:
        with Image.open(stored) as image:
            return Preview(
                src=f"{FOLDER}/{stored.name}",
                width=image.width,
                height=image.height,
                transparent=_transparent(image),
            )
    except (OSError, ValueError):
        return None


def is_whole(stored: Path) -> bool:
    """Return whether a thumbnail is there from its beginning to its end; looks at its head alone."""
    try:
        with open_plain(stored) as file:
            head, size = file.read(12), os.fstat(file.fileno()).st_size
    except (FileFaultError, OSError):
        return False
    return (head[:4], head[8:]) == (b"RIFF", b"WEBP") and int.from_bytes(head[4:8], "little") + 8 == size


def _drawn(path: Path, stored: Path | None) -> Preview:
    try:
        small = _shrunk(path)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError, MemoryError):
        return Preview(trouble=_TOO_LARGE)
    except (OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError):
        return Preview(trouble=_DAMAGED)  # decoders meet hostile bytes with any of these
    out = BytesIO()
    small.save(out, "WEBP", quality=80, method=2)
    drawn = Preview(width=small.width, height=small.height, transparent=_transparent(small))
    if stored is None:
        uri = "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode()
        return replace(drawn, src=uri, embedded=True)
    atomic.write_bytes(stored, out.getvalue(), durable=False)
    return replace(drawn, src=f"{FOLDER}/{stored.name}")


def _transparent(image: Image.Image) -> bool:
    """Return whether one sees through it anywhere; an alpha that is nearly full everywhere is none."""
    if image.mode != "RGBA":
        return False
    lowest, _ = image.getchannel("A").getextrema()
    assert isinstance(lowest, int | float), "one channel"
    return lowest < _OPAQUE


def _shrunk(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.draft("RGB", (2 * LONGEST_EDGE, 2 * LONGEST_EDGE))  # a JPEG decodes at the scale that is needed
        small = _plain(image)
        small.thumbnail((LONGEST_EDGE, LONGEST_EDGE), Image.Resampling.LANCZOS)
        return ImageOps.exif_transpose(small)  # after shrinking: a turn copies every pixel


def _plain(image: Image.Image) -> Image.Image:
    """Give 8 bits a channel; 16 bits are scaled down, since converting would clip them to white."""
    if image.mode.startswith("I;16"):
        image = image.convert("I")
        return image.point(lambda level: level * (1 / 256)).convert("L")
    if image.mode in {"I", "F"}:
        low, high = image.getextrema()
        assert isinstance(low, int | float), "one channel"
        assert isinstance(high, int | float), "one channel"
        scale = 255 / (high - low) if high > low else 1.0
        return image.convert("F").point(lambda level: level * scale - low * scale).convert("L")
    if image.mode == "RGBA" or (image.mode == "RGB" and "transparency" not in image.info):
        return image  # converting would copy it whole
    alpha = image.mode in {"LA", "PA", "La", "RGBa"} or "transparency" in image.info
    return image.convert("RGBA" if alpha else "RGB")
