"""The files that jobs make: drawn from what they show, so that a report looks like something.

Deterministic: equal media give equal bytes. The core only names media; nothing else draws.
"""

import hashlib
import io
from functools import lru_cache
from importlib import resources

from PIL import Image, ImageDraw, ImageFont

from batchgen.simulator.exchange import Medium
from batchgen.simulator.padding import padded

_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
_MARGIN = 0.06  # of the shorter edge
# how long pictures are said to be, in bytes for each 3/4 of a pixel: the ground, and what a full text adds
_LENGTHS = {"image/png": (10.0, 10.0), "image/jpeg": (2.5, 7.5), "image/webp": (1.0, 6.0)}
_FULL_TEXT = 350  # characters; more do not make the file longer, as they find no room
_LEAST = 1024  # bytes of any picture
_CACHED = 64  # files; a download that is tried again gets the same one


def size_of(medium: Medium) -> int:
    """Return how many bytes the file has; of a picture without drawing it, which takes long."""
    if medium.mime not in _FORMATS:
        return len(file_of(medium))
    ground, text = _LENGTHS[medium.mime]
    written = min(1.0, len(medium.text) / _FULL_TEXT)
    length = (ground + text * written) * (medium.width * medium.height) ** 0.75
    return _LEAST + int(length) // 2 * 2  # even, as the parts of a WebP are


@lru_cache(maxsize=_CACHED)
def file_of(medium: Medium) -> bytes:
    """Make the file; takes tens of milliseconds, so call it from a worker thread."""
    if medium.mime in _FORMATS:
        return _picture(medium)
    if medium.mime == "video/mp4":
        # the same two seconds for every clip, told apart by a box that players skip
        note = medium.id.encode()
        return (resources.files(__package__) / "clip.mp4").read_bytes() + _free_box(note)
    return medium.text.encode()


def _free_box(note: bytes) -> bytes:
    return (8 + len(note)).to_bytes(4) + b"free" + note


def _picture(medium: Medium) -> bytes:
    picture = _gradient(medium).convert("RGB")
    plain = picture.copy()
    _write(picture, medium)
    size = size_of(medium)
    try:
        return padded(_encoded(picture, medium.mime), medium.mime, size)
    except ValueError:  # a text that takes more room than any that was tried: the picture is without it
        return padded(_encoded(plain, medium.mime), medium.mime, size)


def _encoded(picture: Image.Image, mime: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=_FORMATS[mime], **_options(mime))
    return buffer.getvalue()


def _options(mime: str) -> dict[str, int]:
    return {"compress_level": 1} if mime == "image/png" else {"quality": 85}


def _gradient(medium: Medium) -> Image.Image:
    """Mix four colours of the prompt's hash, one at each corner; the asset's own moves them a little."""
    digest = hashlib.sha256(medium.text.encode()).digest()
    own = hashlib.sha256(medium.id.encode()).digest()
    corners = Image.new("RGB", (2, 2))
    for number in range(4):
        red, green, blue = (
            (digest[3 * number + channel] * 3 + own[3 * number + channel]) // 4 for channel in range(3)
        )
        corners.putpixel((number % 2, number // 2), (red, green, blue))
    return corners.resize((medium.width, medium.height), Image.Resampling.BICUBIC)


def _write(picture: Image.Image, medium: Medium) -> None:
    """Write the prompt over the lower part, light on dark, in as many lines as it takes."""
    edge = min(picture.size)
    size = max(8, edge // 18)
    margin = max(2, int(edge * _MARGIN))
    font = ImageFont.load_default(size)
    draw = ImageDraw.Draw(picture, "RGBA")
    lines = _wrapped(medium.text, draw, font, picture.width - 2 * margin)
    room = max(1, int((picture.height - 2 * margin) / (size * 1.3)) - 1)
    shown = lines[:room] + ([medium.label] if medium.label else [])
    height = int(len(shown) * size * 1.3) + margin
    top = picture.height - height - margin // 2
    draw.rectangle((0, top - margin // 2, picture.width, picture.height), fill=(0, 0, 0, 120))
    for number, line in enumerate(shown):
        faint = number == len(lines[:room])
        fill = (255, 255, 255, 150 if faint else 235)
        draw.text((margin, top + int(number * size * 1.3)), line, font=font, fill=fill)


def _wrapped(
    text: str, draw: ImageDraw.ImageDraw, font: "ImageFont.FreeTypeFont | ImageFont.ImageFont", width: int
) -> list[str]:
    lines: list[str] = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, font=font) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
