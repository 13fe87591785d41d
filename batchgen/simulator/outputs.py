"""What a job makes: how many assets, of which kind, form and size.

Numbers and forms do not always follow the request, as with the real service: a material is a
texture and its maps, some models give JPEG or WebP whatever is asked for, a mesh may come with a
picture before it, and speech is a WAV (source: docs/service.md outputs).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from batchgen.model import Json
from batchgen.simulator import clips, sounds
from batchgen.simulator.exchange import Effect
from batchgen.simulator.inputs import InputFile
from batchgen.simulator.text import reply

_LONG_EDGE = 512  # pixels of a picture whose size is not asked for: enough to be looked at
_LARGEST_EDGE = 2048  # pixels: more only makes the drawing slow
_LARGEST_ENLARGED = 1024  # pixels, unless the picture was larger before
_OTHER_SIZE = (5, 6)  # of what was asked for
_STILL = 320  # pixels of the picture that comes with a mesh
_FILM_SECONDS = 5.0  # where a model chooses the length
_MIMES: Mapping[str, str] = {
    "model_google-gemini-3-1-flash": "image/jpeg",
    "model_bfl-flux-1-dev": "image/webp",
}
_MAP_TYPES: Mapping[str, str] = {
    "basecolor": "albedo",
    "roughness": "smoothness",  # as recorded: the service calls it that
    "metalness": "metallic",
}
_WITH_STILL = frozenset({"model_rodin-hyper3d-v2-5"})  # meshes that come with a picture before them

Inputs = Mapping[str, Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """One asset to be.

    Attributes:
        kind: the service's word, such as ``image``.
        mime: the form of the file.
        type: the role among several outputs.
        width, height: pixels.
        seconds: its length, where it has one.
        effect: how it is made.
        options: what else moves it, by name.
        text: what it says, where it is a text.
        still_of: how many places further on stands the asset that it is a picture of; 0 for none.
    """

    kind: str
    mime: str
    type: str
    width: int = 0
    height: int = 0
    seconds: float = 0.0
    effect: Effect = Effect.DRAWN
    options: tuple[tuple[str, Json], ...] = ()
    text: str = ""
    still_of: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tool:
    """What works on a picture.

    Attributes:
        type: the service's word for what comes out; which one it uses for hosted tools is not recorded.
        factor: how much larger it gets, from the inputs.
        options: what moves it, from the inputs.
    """

    effect: Effect
    type: str
    mime: str = "image/png"
    factor: Callable[[Inputs], float] = lambda _: 1.0
    options: Callable[[Inputs], Mapping[str, Json]] = lambda _: {}


def _times(inputs: Inputs) -> float:
    """Read ``4x``, ``None`` or a number."""
    text = str(inputs.get("upscaleFactor", 1)).removesuffix("x")
    return 1.0 if text == "None" else float(text)


_TOOLS: Mapping[str, _Tool] = {
    # measured: what is kept has an alpha of 254
    "model_birefnet-background-removal": _Tool(
        effect=Effect.CUT_OUT, type="background-removal", options=lambda _: {"opaque": 254}
    ),
    "model_bria-remove-background": _Tool(effect=Effect.CUT_OUT, type="background-removal"),
    "model_photoroom-background-removal": _Tool(effect=Effect.CUT_OUT, type="background-removal"),
    "model_sc-pixelate": _Tool(
        effect=Effect.PIXELATED,
        type="pixelization",
        options=lambda inputs: {
            "cells": inputs.get("pixelGridSize"),
            "colours": len(inputs.get("colorPalette") or ()) or inputs.get("colorPaletteSize"),
        },
    ),
    "model_topaz-image-upscale": _Tool(effect=Effect.ENLARGED, type="upscale", factor=_times),
    "model_upscale-v3": _Tool(effect=Effect.ENLARGED, type="upscale", factor=_times),
    # measured: it gives WebP
    "model_recraft-crisp-upscale": _Tool(
        effect=Effect.ENLARGED, type="upscale", mime="image/webp", factor=lambda _: 4.0
    ),
    "model_recraft-vectorize": _Tool(effect=Effect.TRACED, type="vectorization", mime="image/svg+xml"),
}


def outputs_of(
    model: str,
    capabilities: Sequence[str],
    inputs: Inputs,
    files: Sequence[InputFile] = (),
    *,
    other_sizes: bool = False,
) -> tuple[Output, ...]:
    """Return the outputs of a job, in order.

    Args:
        model: the service's id.
        capabilities: the model's, such as ``txt2img``.
        inputs: as checked, defaults filled in.
        files: what it was given.
        other_sizes: whether pictures have another size than was asked for.
    """
    made = _outputs(model, capabilities, inputs, files)
    return tuple(map(_otherwise, made)) if other_sizes else made


def pixels_of(model: str, inputs: Inputs, files: Sequence[InputFile]) -> int:
    """Return the pixels that one output of a tool would have at the service, which draws it in full."""
    factor = _TOOLS[model].factor(inputs) if model in _TOOLS else 1.0
    width, height = _given_size(files)
    return round(width * factor) * round(height * factor)


def _outputs(
    model: str, capabilities: Sequence[str], inputs: Inputs, files: Sequence[InputFile]
) -> tuple[Output, ...]:
    if model in _TOOLS:
        return (_worked_on(_TOOLS[model], inputs, files),)
    kind = _role(capabilities, files)
    match kind.partition("2")[2]:
        case "video":
            return (_film(kind, inputs, files),)
        case "3d":
            return _mesh(model, kind, files)
        case "audio":
            return (_speech(kind, inputs),)
        case "txt":
            return _texts(kind, inputs)
        case _:
            return _pictures(model, kind, inputs)


def _role(capabilities: Sequence[str], files: Sequence[InputFile]) -> str:
    """Return the capability that a job is an example of: of words, or of a picture where one is given."""
    first = capabilities[0]
    of_picture = f"img2{first.partition('2')[2]}"
    has_picture = any(one.kind in {"image", ""} for one in files)
    return of_picture if has_picture and of_picture in capabilities else first


def _given_size(files: Sequence[InputFile]) -> tuple[int, int]:
    seen = next((one for one in files if one.width and one.height), None)
    return (seen.width, seen.height) if seen else (_LONG_EDGE, _LONG_EDGE)


def _within(width: float, height: float, most: float) -> tuple[int, int]:
    share = min(1.0, most / max(width, height, 1))
    return max(1, round(width * share)), max(1, round(height * share))


def _worked_on(tool: _Tool, inputs: Inputs, files: Sequence[InputFile]) -> Output:
    width, height = _given_size(files)
    factor = tool.factor(inputs)
    most = min(_LARGEST_EDGE, max(_LARGEST_ENLARGED, width, height))
    width, height = _within(width * factor, height * factor, most)
    return Output(
        kind="image",
        mime=tool.mime,
        type=tool.type,
        width=width,
        height=height,
        effect=tool.effect,
        options=tuple(tool.options(inputs).items()),
    )


def _film(kind: str, inputs: Inputs, files: Sequence[InputFile]) -> Output:
    # a film of somebody who speaks is as long as the sound that was given
    sound = next((one.seconds for one in files if one.kind == "audio" and one.seconds), 0)
    asked = float(inputs.get("duration") or sound)
    has_picture = any(one.width for one in files)
    shape = _given_size(files) if has_picture else _shaped(str(inputs.get("aspectRatio", "16:9")), "16:9")
    width, height = clips.size_of(*shape)
    return Output(
        kind="video",
        mime="video/mp4",
        type=kind,
        width=width,
        height=height,
        seconds=asked if asked > 0 else _FILM_SECONDS,
        effect=Effect.FILMED,
    )


def _mesh(model: str, kind: str, files: Sequence[InputFile]) -> tuple[Output, ...]:
    mesh = Output(kind="3d", mime="model/gltf-binary", type=kind, effect=Effect.RAISED)
    if model not in _WITH_STILL:
        return (mesh,)
    width, height = _within(*_given_size(files), _STILL)
    # measured: a picture in WebP, before the mesh; what its type is called is not recorded
    still = Output(
        kind="image",
        mime="image/webp",
        type=kind,
        width=width,
        height=height,
        effect=Effect.ENLARGED,
        still_of=1,
    )
    return still, mesh


def _speech(kind: str, inputs: Inputs) -> Output:
    text, speed = str(inputs.get("text") or inputs.get("prompt") or ""), float(inputs.get("speed") or 1)
    form, _, rate = str(inputs.get("outputFormat", "")).partition("_")
    return Output(
        kind="audio",
        mime="audio/wav",
        type=kind,
        seconds=sounds.seconds_of(text, speed),
        effect=Effect.SPOKEN,
        options=(
            ("rate", int(rate) if form == "wav" else sounds.RATE),
            ("speed", speed),
            ("voice", str(inputs.get("voiceId") or inputs.get("publicVoice") or "")),
        ),
        text=text,
    )


def _texts(kind: str, inputs: Inputs) -> tuple[Output, ...]:
    said = str(inputs.get("instruction") or inputs.get("prompt") or "")
    texts = [one for one in inputs.get("textInputs") or () if isinstance(one, str)]
    return tuple(
        Output(
            kind="text",
            mime="text/plain",
            type=kind,
            effect=Effect.WRITTEN,
            text=reply(said, texts, number),
        )
        for number in range(int(inputs.get("numOutputs") or 1))
    )


def _pictures(model: str, kind: str, inputs: Inputs) -> tuple[Output, ...]:
    width, height = _size(inputs)
    types = [_type_of(one) for one in inputs.get("maps") or ()]
    mime = _MIMES.get(model, "image/png")
    each = tuple(
        Output(kind="image", mime=mime, type=one, width=width, height=height)
        for one in (kind if not types else "texture", *types)
    )
    return each * int(inputs.get("numOutputs") or 1)


def _otherwise(output: Output) -> Output:
    """Return a picture at another size, as tools that find a picture's own grid make it."""
    if output.kind != "image":
        return output
    share, whole = _OTHER_SIZE
    width, height = (max(1, edge * share // whole) for edge in (output.width, output.height))
    return replace(output, width=width, height=height)


def _type_of(name: str) -> str:
    return f"texture-{_MAP_TYPES.get(name, name)}"


def _size(inputs: Inputs) -> tuple[int, int]:
    width, height = inputs.get("width"), inputs.get("height")
    if width is None and height is None:
        return _shaped(str(inputs.get("aspectRatio", "1:1")), "1:1")
    return _within(float(width or height or 1), float(height or width or 1), _LARGEST_EDGE)


def _shaped(ratio: str, usual: str) -> tuple[int, int]:
    wide, colon, high = ratio.partition(":")
    if not (colon and wide.isdecimal() and high.isdecimal() and int(wide) and int(high)):
        return _shaped(usual, usual)  # "auto", "adaptive": the model chooses
    share = _LONG_EDGE / max(int(wide), int(high))
    return round(int(wide) * share), round(int(high) * share)
