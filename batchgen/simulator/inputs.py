"""The files that a job is given: whether they are what its inputs take, and what they are in.

How the service words its refusals of files is not recorded; only that it checks their kind, their
size and their length when a job is created (source: docs/service.md files).
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from batchgen.model import Json
from batchgen.simulator.checks import Element, InvalidInputError
from batchgen.simulator.exchange import Medium
from batchgen.simulator.pictures import measure

_USUAL_KIND = "image"  # of an input that names none
_FAMILIES: Mapping[str, str] = {
    "audio": "audio",
    "video": "video",
    "model": "3d",
    "text": "text",
    "image": "image",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class InputFile:
    """A file that a job is given.

    Attributes:
        kind: the service's word, such as ``image``; empty where it is not known.
        medium: the file; None where it is not known.
        size: bytes; None where it is not known.
        width, height: pixels; 0 where it has none or they are not known.
        seconds: its length; None where it has none.
    """

    kind: str = ""
    medium: Medium | None = None
    size: int | None = None
    width: int = 0
    height: int = 0
    seconds: float | None = None


UNSEEN = InputFile()  # a file that will be there


def sent_file(asset_id: str, kind: str, mime: str, content: bytes, name: str = "") -> InputFile:
    """Describe a file that was sent."""
    width, height, seconds = measure(mime, content)
    medium = Medium(id=asset_id, mime=mime, text=name, width=width, height=height, content=content)
    return InputFile(kind=kind, medium=medium, size=len(content), width=width, height=height, seconds=seconds)


def asset_kind(kind: str, mime: str) -> str:
    """Return the kind of an asset by the word of its upload, or by its type where no asset has that word."""
    return kind if kind in _FAMILIES.values() else _FAMILIES.get(mime.partition("/")[0], "document")


def files_of(
    inputs: Mapping[str, Json], elements: Sequence[Element], find: Callable[[str], InputFile | None]
) -> tuple[InputFile, ...]:
    """Return the files among the inputs, in the order the inputs are declared; what is not there is left out.

    Args:
        inputs: as checked.
        elements: the inputs of the model that take files.
        find: describes an asset by its id.
    """
    return tuple(file for _, file in _given(inputs, elements, find))


def check_files(
    inputs: Mapping[str, Json], elements: Sequence[Element], find: Callable[[str], InputFile | None]
) -> tuple[InputFile, ...]:
    """Return the files among the inputs; see ``files_of``.

    Raises:
        InvalidInputError: one is of another kind than its input takes, too large, too short or too long.
    """
    given = list(_given(inputs, elements, find))
    for element, file in given:
        if file.kind:
            _check(element, file)
    return tuple(file for _, file in given)


def parent_of(inputs: Mapping[str, Json], elements: Sequence[Element]) -> str | None:
    """Return the asset that outputs have as their parent: the first of the input that is declared as one."""
    for element, value in _named(inputs, elements):
        if element.get("parent") and not value.startswith("data:"):
            return value
    return None


def _given(
    inputs: Mapping[str, Json], elements: Sequence[Element], find: Callable[[str], InputFile | None]
) -> Iterator[tuple[Element, InputFile]]:
    for element, value in _named(inputs, elements):
        file = _unpacked(value) if value.startswith("data:") else find(value)
        if file is not None:
            yield element, file


def _named(inputs: Mapping[str, Json], elements: Sequence[Element]) -> Iterator[tuple[Element, str]]:
    for element in elements:
        value, kind = inputs.get(element["name"]), element["type"]
        values = value if isinstance(value, list) else [value]
        if kind in {"file", "file_array"}:
            yield from ((element, one) for one in values if isinstance(one, str) and one)
        elif kind == "inputs_array":
            inner = element.get("inputs") or ()
            for one in values:
                yield from _named(one, inner) if isinstance(one, dict) else ()


def _unpacked(url: str) -> InputFile | None:
    """Read a data URL in base64; None where it is none."""
    head, _, data = url.removeprefix("data:").partition(";base64,")
    mime = head.partition(";")[0]
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
    name = hashlib.sha256(content).hexdigest()[:24]
    return sent_file(f"data_{name}", asset_kind("", mime), mime, content)


def _check(element: Element, file: InputFile) -> None:
    name, declared = element["name"], element.get("kind", _USUAL_KIND)
    kinds = declared if isinstance(declared, list) else [declared]
    if file.kind not in kinds:
        raise InvalidInputError(
            f"Input {name} must be an asset of kind {' or '.join(kinds)}, not {file.kind}"
        )
    largest, shortest, longest = (element.get(key) for key in ("maxSize", "minDuration", "maxDuration"))
    if largest is not None and file.size is not None and file.size > largest:
        raise InvalidInputError(f"Input {name} must be at most {largest} bytes")
    if file.seconds is None:
        return
    if shortest is not None and file.seconds < shortest:
        raise InvalidInputError(f"Input {name} must be at least {shortest} seconds long")
    if longest is not None and file.seconds > longest:
        raise InvalidInputError(f"Input {name} must be at most {longest} seconds long")
