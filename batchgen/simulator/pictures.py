"""The files that jobs make: drawn from what they show and from what they were made of.

Deterministic: equal media give equal bytes. The core only names media; nothing else draws. Whatever
was sent may be broken: what cannot be read is drawn from its name.
"""

import hashlib
import io
import warnings
import wave
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import TypedDict

from PIL import Image, ImageDraw, ImageFont

from batchgen.simulator import clips, effects, meshes, sounds, vectors
from batchgen.simulator.exchange import Effect, Medium
from batchgen.simulator.padding import padded

_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
_MARGIN = 0.06  # of the shorter edge
# how long pictures are said to be, in bytes for each 3/4 of a pixel: the ground, and what a full text adds
_LENGTHS = {"image/png": (10.0, 10.0), "image/jpeg": (2.5, 7.5), "image/webp": (1.0, 6.0)}
_FULL_TEXT = 350  # characters; more do not make the file longer, as they find no room
_LEAST = 1024  # bytes of any picture
_OF_OTHERS = 4096  # bytes of a picture made of others, beside a little more than one a pixel
_FEW_COLOURS = 255
_CACHED = 128  # files; a download that is tried again gets the same one
_USUAL_EDGE = 512  # pixels of a picture that nobody gave a size
_MOST_PIXELS = 50_000_000  # of a picture that is sent: more is not unpacked
_READ_EDGE = 2048  # pixels of the longer edge at which such a picture is worked on
_CELLS = 64  # of a pixelated picture, where nothing is asked for
_MOST_SHOWN = 4  # pictures that a drawn one shows of those it was made of
_STRIDE = 40  # files made one of the other that are made in one go
_UNREADABLE = (OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError)


class _Pace(TypedDict):
    """How a text is said."""

    speed: float
    rate: int


def file_of(medium: Medium) -> bytes:
    """Make the file; takes tens of milliseconds, so call it from a worker thread."""
    for one in _long_before(medium):
        _file(one)
    return _file(medium)


def size_of(medium: Medium) -> int:
    """Return how many bytes the file has, without drawing it, which takes long."""
    if medium.content:
        return len(medium.content)
    match medium.effect:
        case Effect.TRACED:
            return vectors.LENGTH
        case Effect.RAISED:
            return meshes.LENGTH
        case Effect.FILMED:
            film = clips.length_of((medium.width, medium.height), medium.seconds)
            return film + len(_free_box(medium.id.encode()))
        case Effect.SPOKEN:
            return sounds.length_of(medium.text, **_pace(medium))
        case _:
            return _picture_size(medium) if medium.mime in _FORMATS else len(_written(medium))


def _picture_size(medium: Medium) -> int:
    pixels = medium.width * medium.height
    if medium.effect is not Effect.DRAWN or medium.sources:
        return _OF_OTHERS + pixels * 21 // 40 * 2
    ground, text = _LENGTHS[medium.mime]
    written = min(1.0, len(medium.text) / _FULL_TEXT)
    length = (ground + text * written) * pixels**0.75
    return _LEAST + int(length) // 2 * 2  # even, as the parts of a WebP are


def measure(mime: str, content: bytes) -> tuple[int, int, float | None]:
    """Return width, height and seconds of a file, as far as its head tells them: 0, 0, None."""
    try:
        if mime.startswith("image/"):
            with Image.open(io.BytesIO(content)) as picture:
                return picture.width, picture.height, None
        if mime in {"audio/wav", "audio/x-wav"}:
            with wave.open(io.BytesIO(content)) as sound:
                return 0, 0, sound.getnframes() / sound.getframerate()
    except (*_UNREADABLE, EOFError, wave.Error, Image.DecompressionBombError):
        pass
    return 0, 0, _film_seconds(content) if mime.startswith(("video/", "audio/")) else None


def _film_seconds(content: bytes) -> float | None:
    """Read the length out of the movie header of an MP4."""
    start = content.find(b"mvhd") + 4
    head = content[start : start + 20]
    if start == 3 or len(head) < 20 or head[0]:  # noqa: PLR2004 - version 0, up to its length
        return None
    scale, length = int.from_bytes(head[12:16]), int.from_bytes(head[16:20])
    return length / scale if scale else None


def _long_before(medium: Medium) -> list[Medium]:
    """Return some of the files that it took to come to this one, the first first.

    Making one makes what it is made of, and so on: by these steps never more than some at once.
    """
    if medium.depth < _STRIDE:
        return []
    seen, open_ = {id(medium)}, [medium]
    steps: list[Medium] = []
    while open_:
        for one in open_.pop().sources:
            if id(one) not in seen:
                seen.add(id(one))
                open_.append(one)
                steps += [one] if one.depth % _STRIDE == 0 else []
    return sorted(steps, key=lambda one: one.depth)


@lru_cache(maxsize=_CACHED)
def _file(medium: Medium) -> bytes:
    return medium.content or _MAKERS[medium.effect](medium)


def forget() -> None:
    """Make every file anew from now on."""
    _file.cache_clear()


def _drawn(medium: Medium) -> bytes:
    if medium.mime not in _FORMATS:
        return _written(medium)
    picture = _gradient(medium).convert("RGB")
    plain = picture.copy()
    _show_sources(picture, medium)
    _write(picture, medium)
    # a text may take more room than any that was tried: the picture is without it then
    return _packed(medium, picture, plain)


def _packed(medium: Medium, picture: Image.Image, plainer: Image.Image | None = None) -> bytes:
    """Return a picture as a file of the size that was said, of fewer colours where it takes more room."""
    size, mime = size_of(medium), medium.mime
    try:
        return padded(_encoded(picture, mime, _quick(mime)), mime, size)
    except ValueError:
        if plainer is not None and not medium.sources:
            return padded(_encoded(plainer, mime, _quick(mime)), mime, size)
    if mime == "image/png":
        few = picture.convert("RGBA").quantize(_FEW_COLOURS, kmeans=0)
        return padded(_encoded(few, mime, _quick(mime)), mime, size)
    return padded(_encoded(picture, mime, {"quality": 5, "alpha_quality": 0}), mime, size)


def _encoded(picture: Image.Image, mime: str, options: Mapping[str, int]) -> bytes:
    buffer = io.BytesIO()
    plain = picture.convert("RGB") if mime == "image/jpeg" else picture
    plain.save(buffer, format=_FORMATS[mime], **options)
    return buffer.getvalue()


def _quick(mime: str) -> Mapping[str, int]:
    """Return the quickest ways to pack: nobody keeps these files."""
    return {"image/png": {"compress_level": 1}, "image/webp": {"quality": 85, "method": 0}}.get(
        mime, {"quality": 85}
    )


def _cut_out(medium: Medium) -> bytes:
    picture = effects.cut_out(_sized(medium), int(_option(medium, "opaque", 255)))
    return _packed(medium, picture)


def _enlarged(medium: Medium) -> bytes:
    return _packed(medium, _sized(medium))


def _pixelated(medium: Medium) -> bytes:
    picture = _sized(medium)
    cells, colours = int(_option(medium, "cells", _CELLS)), int(_option(medium, "colours", 0))
    block = max(1, round(max(picture.size) / cells))
    return _packed(medium, effects.pixelate(picture, block, min(colours, 256)))


def _sized(medium: Medium) -> Image.Image:
    """Return the picture that a file is made of, of the size that was said."""
    picture, size = _source(medium), (medium.width, medium.height)
    return picture if picture.size == size else effects.enlarge(picture, size)


def _traced(medium: Medium) -> bytes:
    return vectors.traced(_source(medium), (medium.width, medium.height))


def _raised(medium: Medium) -> bytes:
    return meshes.relief(_source(medium))


def _filmed(medium: Medium) -> bytes:
    size = medium.width, medium.height
    # each has bytes of its own, in a box that players skip
    return clips.film(_flat(_source(medium)), size, medium.seconds) + _free_box(medium.id.encode())


def _spoken(medium: Medium) -> bytes:
    return sounds.spoken(medium.text, voice=str(_option(medium, "voice", "")), **_pace(medium))


def _pace(medium: Medium) -> "_Pace":
    return {"speed": float(_option(medium, "speed", 1)), "rate": int(_option(medium, "rate", sounds.RATE))}


def _written(medium: Medium) -> bytes:
    return medium.text.encode("utf-8", "replace")


_MAKERS: Mapping[Effect, Callable[[Medium], bytes]] = {
    Effect.DRAWN: _drawn,
    Effect.CUT_OUT: _cut_out,
    Effect.ENLARGED: _enlarged,
    Effect.PIXELATED: _pixelated,
    Effect.TRACED: _traced,
    Effect.RAISED: _raised,
    Effect.FILMED: _filmed,
    Effect.SPOKEN: _spoken,
    Effect.WRITTEN: _written,
}


def _option(medium: Medium, name: str, usual: float | str) -> float | str:
    return dict(medium.options).get(name) or usual


def _free_box(note: bytes) -> bytes:
    return (8 + len(note)).to_bytes(4) + b"free" + note


def _source(medium: Medium) -> Image.Image:
    """Return the picture that a file is made of; drawn from its words where there is none to be read."""
    found = next(_pictures(medium), None)
    if found is not None:
        return found
    picture = _gradient(medium)
    _write(picture, medium)
    return picture


def _pictures(medium: Medium) -> Iterator[Image.Image]:
    """Return the pictures among what a file is made of: what is no picture stands for those behind it."""
    for one in medium.sources:
        picture = _opened(_file(one)) if one.mime.startswith("image/") else None
        if picture is not None:
            yield picture
        else:
            yield from _pictures(one)


def _opened(content: bytes) -> Image.Image | None:
    """Read a picture, no larger than it is worked on; None where it cannot be read."""
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(content)) as picture:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            if picture.width * picture.height > _MOST_PIXELS:
                return None
            picture.draft("RGB", (_READ_EDGE, _READ_EDGE))
            plain = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
            plain.thumbnail((_READ_EDGE, _READ_EDGE))
            return plain
    except (*_UNREADABLE, Image.DecompressionBombError):
        return None


def _flat(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "#202020"), picture).convert("RGB")


def _gradient(medium: Medium) -> Image.Image:
    """Mix four colours of the prompt's hash, one at each corner; the asset's own moves them a little."""
    digest = hashlib.sha256(medium.text.encode("utf-8", "replace")).digest()
    own = hashlib.sha256(medium.id.encode()).digest()
    corners = Image.new("RGB", (2, 2))
    for number in range(4):
        red, green, blue = (
            (digest[3 * number + channel] * 3 + own[3 * number + channel]) // 4 for channel in range(3)
        )
        corners.putpixel((number % 2, number // 2), (red, green, blue))
    size = medium.width or _USUAL_EDGE, medium.height or _USUAL_EDGE
    return corners.resize(size, Image.Resampling.BICUBIC)


def _show_sources(picture: Image.Image, medium: Medium) -> None:
    """Put what it was made of in a row, on the upper part."""
    count = min(_MOST_SHOWN, len(medium.sources))
    wide, high = picture.width // max(count, 1), picture.height * 11 // 20
    margin = int(min(picture.size) * _MARGIN)
    if not count or min(wide, high) <= 2 * margin + 1:
        return
    for number, one in zip(range(count), _pictures(medium), strict=False):
        one = one.crop(one.getbbox())  # noqa: PLW2901 - without its transparent edges
        one.thumbnail((wide - 2 * margin, high - 2 * margin))
        left, top = number * wide + (wide - one.width) // 2, margin + (high - 2 * margin - one.height) // 2
        picture.paste(one, (left, top), one if one.mode == "RGBA" else None)


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
