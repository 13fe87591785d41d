"""Small previews of files, for a page: pictures drawn down, texts cut short.

The only module that opens what a service delivered with a decoder: whatever it contains,
the answer is a preview or a sentence, and never an exception.
"""

import base64
import hashlib
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from batchgen.model import Json
from batchgen.output import atomic
from batchgen.output.previews import FOLDER, MISSING, Preview, is_whole

LONGEST_EDGE = 360  # pixels
MOST_EMBEDDED = 500  # pictures; beyond that a page would be too heavy to open

_EXCERPT = 600  # characters
_OPAQUE = 250  # of 255: some tools leave what they keep a little below full
_BROWSER_DRAWS = frozenset({"image/svg+xml", "image/avif"})
_DAMAGED = "this picture is damaged and cannot be drawn"
_TOO_LARGE = "this picture is too large to be drawn small"


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """How pictures are drawn small.

    Attributes:
        folder: of the page; paths are relative to it.
        within: nothing outside of it is opened.
        beside: the folder that gets the thumbnails; None where they come as data URIs.
        edge: the longest, in pixels.
        known: what an earlier page shows, by key: it is not drawn again.
        enough: whether no more pictures are to be drawn, as whoever waits has no time; None for all of them.
    """

    folder: Path
    within: Path
    beside: Path | None
    edge: int = LONGEST_EDGE
    known: Mapping[str, Preview] = field(default_factory=dict)
    enough: Callable[[], bool] | None = None


def previews(
    folder: Path,
    files: Iterable[Mapping[str, Json]],
    *,
    within: Path | None = None,
    known: Mapping[str, Preview] | None = None,
    enough: Callable[[], bool] | None = None,
) -> dict[str, Preview]:
    """Draw a preview of every file, in worker threads; the mapping goes from path to preview.

    Up to ``MOST_EMBEDDED`` pictures come as data URIs, more come as files in ``thumbnails/``,
    named by content, so that a second page of the same batch draws only what is new.

    Args:
        folder: of the page; paths are relative to it.
        files: elements of a document's ``files``.
        within: nothing outside of it is opened; None for ``folder``.
        known: what an earlier page shows, by key.
        enough: see ``Drawing``.

    Raises:
        OutputError: a thumbnail cannot be written.
    """
    wanted = {file["path"]: file for file in files}
    pictures = sum(file["mime"].startswith("image/") for file in wanted.values())
    beside = folder / FOLDER if pictures > MOST_EMBEDDED else None
    how = Drawing(folder=folder, within=within or folder, beside=beside, known=known or {}, enough=enough)
    return drawn_all(how, wanted.values())


def drawn_all(how: Drawing, files: Iterable[Mapping[str, Json]]) -> dict[str, Preview]:
    """Draw previews of files as told, in worker threads.

    Raises:
        OutputError: a thumbnail cannot be written.
    """
    wanted, within = {file["path"]: file for file in files}, how.within.resolve()
    with warnings.catch_warnings(), ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        drawn = pool.map(lambda file: _preview(how, file, within), wanted.values())
        return dict(zip(wanted, drawn, strict=True))


def _preview(how: Drawing, file: Mapping[str, Json], within: Path) -> Preview:
    path, mime = how.folder / file["path"], file["mime"]
    try:
        size = path.stat().st_size if path.resolve().is_relative_to(within) and path.is_file() else None
    except OSError:
        size = None
    if size is None:
        return Preview(trouble=MISSING)
    if mime.startswith("text/") or mime == "application/json":
        return _excerpt(path)
    if not mime.startswith("image/"):
        return Preview()
    if mime in _BROWSER_DRAWS:
        return Preview(src=file["path"], transparent=mime == "image/svg+xml")
    key = hashlib.sha256(f"{file['sha256']} {size} {how.edge}".encode()).hexdigest()[:24]
    stored = how.beside / f"{key}.webp" if how.beside else None
    shown = _known(how.known.get(key), stored) or _again(stored, key)
    if shown is None and how.enough is not None and how.enough():
        return Preview(src=file["path"], is_put_off=True)
    return shown or _drawn(path, stored, key, how.edge)


def _known(earlier: Preview | None, stored: Path | None) -> Preview | None:
    """Use what an earlier page shows, where it is shown in the same way."""
    if earlier is None or earlier.embedded != (stored is None):
        return None
    return earlier if stored is None or is_whole(str(stored)) else None


def _excerpt(path: Path) -> Preview:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_EXCERPT + 1)
            return Preview(excerpt=text if len(text) <= _EXCERPT else f"{text[:_EXCERPT].rstrip()} …")
    except OSError:
        return Preview(trouble=MISSING)


def _again(stored: Path | None, key: str) -> Preview | None:
    """Use the thumbnail that an earlier page left."""
    if stored is None or not is_whole(str(stored)):
        return None
    try:
        with Image.open(stored) as image:
            return Preview(
                key=key,
                src=f"{FOLDER}/{stored.name}",
                width=image.width,
                height=image.height,
                transparent=_transparent(image),
            )
    except (OSError, ValueError):
        return None


def _drawn(path: Path, stored: Path | None, key: str, edge: int) -> Preview:
    try:
        small = _shrunk(path, edge)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError, MemoryError):
        return Preview(trouble=_TOO_LARGE)
    except (OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError):
        return Preview(trouble=_DAMAGED)  # decoders meet hostile bytes with any of these
    out = BytesIO()
    small.save(out, "WEBP", quality=80, method=2)
    drawn = Preview(key=key, width=small.width, height=small.height, transparent=_transparent(small))
    if stored is None:
        return replace(drawn, src=as_data("image/webp", out.getvalue()), embedded=True)
    atomic.write_bytes(stored, out.getvalue(), durable=False)
    return replace(drawn, src=f"{FOLDER}/{stored.name}")


def as_data(mime: str, content: bytes) -> str:
    """Return a URI that is the content itself."""
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def _transparent(image: Image.Image) -> bool:
    """Return whether one sees through it anywhere; an alpha that is nearly full everywhere is none."""
    if image.mode != "RGBA":
        return False
    lowest, _ = image.getchannel("A").getextrema()
    assert isinstance(lowest, int | float), "one channel"
    return lowest < _OPAQUE


def _shrunk(path: Path, edge: int = LONGEST_EDGE) -> Image.Image:
    with Image.open(path) as image:
        image.draft("RGB", (2 * edge, 2 * edge))  # a JPEG decodes at the scale that is needed
        small = _plain(image)
        small.thumbnail((edge, edge), Image.Resampling.LANCZOS)
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
