"""What a job makes: how many assets, of which kind, form and size.

Numbers and forms do not always follow the request, as with the real service: a material is a
texture and its maps, and some models give JPEG or WebP whatever is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from batchgen.model import Json

_LONG_EDGE = 512  # pixels of a picture whose size is not asked for: enough to be looked at
_LARGEST_EDGE = 2048  # pixels: more only makes the drawing slow
_MIMES: Mapping[str, str] = {
    "model_google-gemini-3-1-flash": "image/jpeg",
    "model_bfl-flux-1-dev": "image/webp",
}
_MAP_TYPES: Mapping[str, str] = {
    "basecolor": "albedo",
    "roughness": "smoothness",  # as recorded: the service calls it that
    "metalness": "metallic",
}
_CLIP = (320, 180)  # pixels of the one clip there is


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """One asset to be.

    Attributes:
        kind: the service's word, such as ``image``.
        mime: the form of the file.
        type: the role among several outputs.
        width, height: pixels.
    """

    kind: str
    mime: str
    type: str
    width: int
    height: int


def outputs_of(model: str, capabilities: tuple[str, ...], inputs: Mapping[str, Json]) -> tuple[Output, ...]:
    """Return the outputs of a job, in order.

    Args:
        model: the service's id.
        capabilities: the model's, such as ``txt2img``.
        inputs: as checked, defaults filled in.
    """
    if any(one.endswith("2video") for one in capabilities):
        width, height = _CLIP
        return (Output(kind="video", mime="video/mp4", type="txt2video", width=width, height=height),)
    width, height = _size(inputs)
    types = [_type_of(one) for one in inputs.get("maps") or ()]
    mime = _MIMES.get(model, "image/png")
    each = tuple(
        Output(kind="image", mime=mime, type=one, width=width, height=height)
        for one in ("txt2img" if not types else "texture", *types)
    )
    return each * int(inputs.get("numOutputs") or 1)


def _type_of(name: str) -> str:
    return f"texture-{_MAP_TYPES.get(name, name)}"


def _size(inputs: Mapping[str, Json]) -> tuple[int, int]:
    width, height = inputs.get("width"), inputs.get("height")
    if width is None and height is None:
        return _shaped(str(inputs.get("aspectRatio", "1:1")))
    wide, high = float(width or height or 1), float(height or width or 1)
    share = min(1.0, _LARGEST_EDGE / max(wide, high))
    return max(1, round(wide * share)), max(1, round(high * share))


def _shaped(ratio: str) -> tuple[int, int]:
    wide, colon, high = ratio.partition(":")
    if not (colon and wide.isdecimal() and high.isdecimal() and int(wide) and int(high)):
        return _LONG_EDGE, _LONG_EDGE  # "auto", "adaptive": the model chooses
    share = _LONG_EDGE / max(int(wide), int(high))
    return round(int(wide) * share), round(int(high) * share)
