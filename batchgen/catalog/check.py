"""One value against one declared input: what is wrong with it, in words, and where in it.

Pure, and no opinion about which jobs there are. A fault names what was expected and, where it can,
the form that would be right.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from batchgen.catalog.declared import Declared, is_number
from batchgen.catalog.outputs import TEXT
from batchgen.catalog.required import is_given, why_required
from batchgen.identity import EVERY, is_reference
from batchgen.manifest.source.characters import unseen_in
from batchgen.manifest.source.problems import listed, meant, shortened
from batchgen.manifest.source.scalars import kind_of, resolve, text_of
from batchgen.model import Json

_TOLERANCE = 1e-6  # of a step: 0.3 is not quite three times 0.1
_MOST_LISTED = 20  # allowed values in a message; the rest is a number

KINDS: Mapping[str, frozenset[str]] = {
    kind: frozenset(endings.split())
    for kind, endings in {
        "image": "png jpg jpeg webp gif bmp tif tiff avif heic svg",
        "image-hdr": "hdr exr",
        "video": "mp4 mov webm mkv avi m4v",
        "audio": "mp3 wav ogg flac m4a aac opus",
        "3d": "glb gltf obj fbx stl usdz ply blend",
        "json": "json",
        "text": "txt md",
        "document": "pdf doc docx",
    }.items()
}
_ENDINGS: Mapping[str, str] = {ending: kind for kind, endings in KINDS.items() for ending in endings}


class Fault(NamedTuple):
    """One thing wrong with the inputs of a job.

    Attributes:
        path: in the inputs, from the name of one.
        text: what is wrong, what was expected, what would be right.
        if_literal: only if the manifest says the value as it stands: what a table or a variable
            gives is written as text when it is sent.
        is_doubtful: only probably: it is worth a warning.
    """

    path: tuple[str | int, ...]
    text: str
    if_literal: bool = False
    is_doubtful: bool = False


def faults_of(value: Json, declared: Declared, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """Return what is wrong with a value; nothing where it counts as not given."""
    if value is None or not declared.item:
        return
    if not declared.many:
        yield from _faults_of_one(value, declared, path, measured=True)
    elif declared.item == "file" and _is_every(value):
        yield from _faults_of_one(value, declared, path, measured=False)
    elif not isinstance(value, list):
        yield Fault(path, _bare(value))
    else:
        unit = "items" if len(value) != 1 else "item"
        yield from _length(len(value), declared, path, unit, at_least=any(map(_is_every, value)))
        for number, one in enumerate(value):
            yield from _faults_of_one(one, declared, (*path, number), measured=False)


def _bare(value: Json) -> str:
    shown = _written(value) if is_reference(value) else _shown(value)
    right = "[ ] around it" if isinstance(value, dict) and not is_reference(value) else f"[{shown}]"
    return f"must be a list: the service ignores {kind_of(value)} and charges all the same; write {right}"


def _faults_of_one(
    value: Json, declared: Declared, path: tuple[str | int, ...], *, measured: bool
) -> Iterator[Fault]:
    """Check one value or one item of a list, whose length is measured elsewhere."""
    if is_reference(value) and declared.item != "file":
        yield Fault(path, f"takes no file, so nothing that comes out of another job; {_takes(declared)}")
        return
    match declared.item:
        case "number":
            faults = _number(value, declared, path)
        case "boolean":
            faults = _boolean(value, path)
        case "file":
            faults = _file(value, declared, path)
        case "inputs":
            faults = _mapping(value, declared, path)
        case _:
            faults = _text(value, declared, path, measured=measured)
    found = list(faults)
    yield from found
    if all(fault.if_literal for fault in found):
        yield from _allowed(value, declared, path)


def _text(value: Json, declared: Declared, path: tuple[str | int, ...], *, measured: bool) -> Iterator[Fault]:
    if isinstance(value, bool | int | float):
        yield Fault(path, f'must be text, not {_kind(value)}; write "{text_of(value)}"', if_literal=True)
    elif not isinstance(value, str):
        what = "text" if declared.item == "string" else "a model's id"
        yield Fault(path, f"must be {what}, not {kind_of(value)}")
    elif measured and is_given(value):
        yield from _length(len(value), declared, path, "characters")


def _number(value: Json, declared: Declared, path: tuple[str | int, ...]) -> Iterator[Fault]:
    if not is_number(value):
        yield Fault(path, f"must be a number, not {_kind(value)}{_unquoted(value)}")
        return
    shown = _shown(value)
    if declared.low is not None and value < declared.low:
        yield Fault(path, f"{shown} is too low; the minimum is {declared.low:.15g}")
    elif declared.high is not None and value > declared.high:
        yield Fault(path, f"{shown} is too high; the maximum is {declared.high:.15g}")
    elif (near := _nearest(value, declared)) is not None:
        first = declared.low or 0
        steps = f"{first:.15g}, {first + (declared.step or 0):.15g}, ..."
        yield Fault(path, f"must be {steps}; nearest to {shown} is {near}")


def _unquoted(value: Json) -> str:
    if not isinstance(value, str):
        return ""
    try:
        number = resolve(value.strip())
    except ValueError:
        return ""
    return f"; write {value.strip()} without quotes" if is_number(number) else ""


def _nearest(value: float, declared: Declared) -> str | None:
    """Return the nearest value on a step, None where this is one or there are none."""
    step, start = declared.step, declared.low or 0
    if step is None:
        return None
    steps = (value - start) / step
    if abs(steps - round(steps)) < _TOLERANCE:
        return None
    near = start + round(steps) * step
    if declared.high is not None and near > declared.high:
        near = start + math.floor((declared.high - start) / step) * step
    return f"{near:.10g}"


def _boolean(value: Json, path: tuple[str | int, ...]) -> Iterator[Fault]:
    if not isinstance(value, bool):
        right = ""
        if isinstance(value, str) and value.strip().lower() in {"true", "yes", "on", "false", "no", "off"}:
            right = f"; write {'true' if value.strip().lower() in {'true', 'yes', 'on'} else 'false'}"
        yield Fault(path, f"must be true or false, not {_kind(value)}{right}")


def _file(value: Json, declared: Declared, path: tuple[str | int, ...]) -> Iterator[Fault]:
    if isinstance(value, dict):
        yield from _named(value, declared, path)
    elif isinstance(value, list) and not declared.many:
        yield Fault(path, f"takes one file, not a list of {len(value)}; write one of them without the [ ]")
    elif not isinstance(value, str):
        yield Fault(path, _no_file(value))
    elif not is_given(value) or value.startswith(("asset_", "data:")):
        return
    elif value.startswith(("http://", "https://")):
        yield Fault(path, "the service takes no URLs; download it and write {file: path}, or an asset_... id")
    else:
        right = (
            f"write {{file: {shortened(value)}}}" if "." in value or "/" in value else "write {file: path}"
        )
        yield Fault(path, f'"{shortened(value)}" is not an asset_... id; for a file of this machine {right}')


def _named(value: Mapping[str, Json], declared: Declared, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """Check a mapping that is to be a file: a local one, or what comes out of another job."""
    if isinstance(value.get("file"), str):
        yield from _kind_of_file(value["file"], declared, path)
    elif _is_every(value) and not declared.many:
        yield Fault(path, "takes one file, and outputs: all gives as many as there are; write output: 0")
    elif "job" in value and not is_reference(value):
        others = ", ".join(sorted(value.keys() - {"job"}))
        right = "{job: ID}, {job: ID, output: 0} or {job: ID, outputs: all}"
        yield Fault(path, f"another job is written {right} and has no other key; here {others}")
    elif not is_reference(value):
        yield Fault(path, _no_file(value))


def _no_file(value: Json) -> str:
    return f"must be a file, not {_kind(value)}; write an asset_... id, {{file: path}} or {{job: ID}}"


def _kind_of_file(name: str, declared: Declared, path: tuple[str | int, ...]) -> Iterator[Fault]:
    kind = _ENDINGS.get(PurePosixPath(name).suffix.lower().removeprefix("."))
    if kind is None or not declared.kinds or kind in declared.kinds:
        return
    if not declared.kinds <= KINDS.keys():  # a kind that is not known here may hold anything
        return
    endings = sorted(ending for one in declared.kinds for ending in KINDS[one])
    wanted = listed(sorted(declared.kinds))
    yield Fault(path, f'"{shortened(name)}" is {kind}; {wanted} is needed, such as .{", .".join(endings)}')


class MadeBy(NamedTuple):
    """What a job makes, as far as its model says it.

    Attributes:
        model: its id; empty where it is not known.
        kinds: none where they are not known.
        assets: how many are asked for; 0 where nothing says it.
    """

    model: str = ""
    kinds: frozenset[str] = frozenset()
    assets: int = 0


def misfits(
    value: Json,
    declared: Declared,
    path: tuple[str | int, ...],
    made_by: Callable[[str], MadeBy],
) -> Iterator[Fault]:
    """Say where what comes out of another job cannot go in, at whatever depth.

    Args:
        value: of an input.
        declared: the input.
        path: where it stands.
        made_by: says by the id of a job what it makes.
    """
    if is_reference(value):
        if declared.item == "file":
            yield from _misfit(value, declared, path, made_by(value["job"]))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from misfits(one, declared, (*path, number), made_by)
    elif isinstance(value, dict) and declared.inputs:
        for name, one in value.items():
            if name in declared.inputs:
                yield from misfits(one, declared.inputs[name], (*path, name), made_by)


def _misfit(
    value: Mapping[str, Json],
    declared: Declared,
    path: tuple[str | int, ...],
    parent: MadeBy,
) -> Iterator[Fault]:
    model, made, count = parent
    name, last = value["job"], count - 1
    if count > 1 and not {"output", "outputs"} & value.keys():
        first = f"write {{job: {name}, output: 0}} for the first, or keep one of them when they are made"
        text = f"{name} is to make {count} assets, and one goes in; {first}"
        yield Fault(path, text, is_doubtful=True)
    elif count and isinstance(value.get("output"), int) and value["output"] > last:
        text = f"{name} is to make {count} assets, the last of which is output {last}"
        yield Fault(path, text.replace("1 assets, the last", "1 asset, the only one"), is_doubtful=True)
    if made == {TEXT}:
        yield Fault(path, f"{model} makes text, and no text of another job can go in")
    elif made and declared.kinds and declared.kinds <= KINDS.keys() and not _may_fit(made, declared.kinds):
        wanted, given = listed(sorted(declared.kinds)), listed(sorted(made))
        # a mesh or a clip may have a picture beside it
        beside = "output" in value and "image" in declared.kinds
        yield Fault(path, f"{wanted} is needed, and {model} makes {given}", is_doubtful=beside)


def _may_fit(made: frozenset[str], kinds: frozenset[str]) -> bool:
    return not made.isdisjoint(one.partition("-")[0] for one in kinds)


def _is_every(value: Json) -> bool:
    return is_reference(value) and value.get("outputs") == EVERY


def _written(value: Mapping[str, Json]) -> str:
    return f"{{{', '.join(f'{name}: {one}' for name, one in value.items())}}}"


def _takes(declared: Declared) -> str:
    words = {"inputs": "a mapping", "string": "text", "model": "a model's id", "boolean": "true or false"}
    return f"write {words.get(declared.item, 'a number')}"


def _mapping(value: Json, declared: Declared, path: tuple[str | int, ...]) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield Fault(path, f"must be a mapping of {', '.join(declared.inputs)}, not {_kind(value)}")
    elif declared.inputs:
        yield from faults_of_mapping(value, declared.inputs, path)


def faults_of_mapping(
    given: Mapping[str, Json], inputs: Mapping[str, Declared], path: tuple[str | int, ...] = ()
) -> Iterator[Fault]:
    """Check the inputs inside one item of a list: names, values, and what is missing."""
    for name, value in given.items():
        if name not in inputs:
            yield Fault((*path, name), unknown(name, inputs))
        else:
            yield from faults_of(value, inputs[name], (*path, name))
    yield from missing(given, inputs, path)


def unknown(name: str, inputs: Mapping[str, Declared]) -> str:
    """Say that there is no input of that name, and which there are."""
    close = meant(name, inputs)
    return f"there is no such input{unseen_in(name)}" + (close or f"; it takes {listed(inputs)}")


def missing(
    given: Mapping[str, Json], inputs: Mapping[str, Declared], path: tuple[str | int, ...] = ()
) -> Iterator[Fault]:
    """Name the inputs that may not be left out and are; a declared default stands in for one."""
    names = {name for name, value in given.items() if is_given(value)}
    for name, declared in inputs.items():
        if name in names or declared.default is not None:
            continue
        if (why := why_required(declared.required, given, names, known=inputs)) is not None:
            yield Fault((*path, name), f"missing; {_sentence(why)}")


def exclusive(given: Mapping[str, Json], inputs: Mapping[str, Declared]) -> Iterator[Fault]:
    """Name the inputs that are given and that the model's own words allow one of, each pair once."""
    names = [name for name, value in given.items() if name in inputs and is_given(value)]
    seen: set[str] = set()
    for name in names:
        others = [one for one in seen if one in inputs[name].excludes or name in inputs[one].excludes]
        if others:
            told = [inputs[one].description for one in (name, *others) if inputs[one].excludes]
            said = f'the model says of it "{shortened(told[0], 80)}"'
            text = f"given beside {listed(sorted(others))}; {said}: leave one of them out"
            yield Fault((name,), text, is_doubtful=True)
        seen.add(name)


def _sentence(text: str) -> str:
    return text.rstrip(".")


def _allowed(value: Json, declared: Declared, path: tuple[str | int, ...]) -> Iterator[Fault]:
    if declared.allowed is None or not is_given(value):
        return
    sent = text_of(value) if declared.item == "string" and isinstance(value, bool | int | float) else value
    if not _is_among(sent, declared.allowed):
        words = [_shown(one) for one in declared.allowed]
        close = meant(sent, words) if isinstance(sent, str) else ""
        more = [f"{len(words) - _MOST_LISTED} more"] if len(words) > _MOST_LISTED else []
        among = f"; allowed are {listed([*words[:_MOST_LISTED], *more])}"
        yield Fault(path, f"{_quoted(sent)} is not allowed{close or among}")


def _is_among(value: Json, allowed: tuple[Json, ...]) -> bool:
    return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in allowed)


def _length(
    length: int, declared: Declared, path: tuple[str | int, ...], unit: str, *, at_least: bool = False
) -> Iterator[Fault]:
    if declared.longest is not None and length > declared.longest:
        yield Fault(path, f"{length} {unit}; the maximum is {declared.longest}")
    elif length and declared.shortest is not None and length < declared.shortest and not at_least:
        yield Fault(path, f"{length} {unit}; the minimum is {declared.shortest}")


def _kind(value: Json) -> str:
    return f'the text "{shortened(value)}"' if isinstance(value, str) else kind_of(value)


def _quoted(value: Json) -> str:
    return f'"{shortened(value)}"' if isinstance(value, str) else shortened(_shown(value))


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
