"""What ``output.files`` may say: which variables it has, and what keeps its own text from naming files.

What the values of single jobs make of it is found when there are jobs, by ``planning/name_checks``.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple

from batchgen.filenames import EDGES, UNSAFE, is_device
from batchgen.manifest.expand.braces import bare_name, foreign
from batchgen.manifest.source.characters import named
from batchgen.manifest.source.problems import meant, shortened
from batchgen.manifest.templates import BraceError, Template, parse
from batchgen.model import Json

OURS: Final = ("id", "index", "asset_id", "entry", "model", "prompt", "kind", "slot", "date")
FIXED: Final = frozenset({"id", "index", "asset_id"})  # these are ours whatever the sheet has
WITH_FOLDERS: Final = frozenset({"folder", "path"})  # a / in one of these makes a folder
LONGEST: Final = 200  # bytes of a file's name; systems take 255, and `.part` and the tail of an id must fit
LONGEST_FOLDER: Final = 255  # bytes
LONGEST_STEM: Final = LONGEST - 16  # bytes: a number and a type must fit as well
# what a person takes for the type of a file
TYPE: Final = re.compile(
    r"\.(png|jpe?g|webp|gif|svg|avif|exr|mp[34]|webm|mov|wav|ogg|glb|gltf|fbx|obj|txt|json)$", re.IGNORECASE
)

_UNSAFE = re.compile(UNSAFE)
_VARIABLE = re.compile(r"\{([^{}\n]*)\}")
_DRIVE = re.compile(r"[A-Za-z]:")
_MOST_SHOWN = 80  # characters of a template
_EXAMPLE = 'such as "icons/{id}"'
BELOW: Final = "files lie below assets/, write a path from there"
_BELOW = f"{BELOW}, {_EXAMPLE}"


class Fault(NamedTuple):
    """What is wrong with a template.

    Attributes:
        text: why, and what to write.
        stops: whether it is surely a mistake.
        at: where in the template, characters from 0; None where it is the whole.
    """

    text: str
    stops: bool = True
    at: int | None = None


def faults_in(text: str, sheet: Mapping[str, Json], *, complete: bool) -> Iterator[Fault]:
    """Find what is wrong with a template by itself.

    Args:
        text: the template, the environment filled in.
        sheet: the variables that any entry has, each with one of its values.
        complete: whether these are all; a table that could not be read may have others.
    """
    try:
        template = parse(text, exact_in(sheet))
    except BraceError as error:
        yield Fault(str(error), at=error.at)
        return
    for name, said in _wrong_variables(template, sheet, complete=complete):
        yield Fault(said, at=_place_of(name, text))
    for one in foreign(text, sheet):
        if not one.text.startswith("the $"):  # the environment is filled in already
            yield Fault(one.text, one.stops)
    if wrong := _wrong_with_text("x".join(template.literals)):
        yield Fault(f'"{shortened(text, _MOST_SHOWN)}" {wrong}')
    if found := TYPE.search(template.literals[-1]):
        said = f"the type is added to every name, so this gives names such as x{found[0]}.png"
        yield Fault(f'{said}; write "{shortened(text.removesuffix(found[0]), _MOST_SHOWN)}"', stops=False)


def exact_in(names: Collection[str]) -> frozenset[str]:
    """Return the variables that end in a ``?`` themselves: a column may be called by a question."""
    return frozenset(name for name in names if name.endswith("?"))


def unsafe_in(text: str) -> str | None:
    """Return which character of a text no file name may have, as a sentence; None where there is none."""
    found = _UNSAFE.search(text)
    return f"{named(found[0])} cannot stand in a file name" if found else None


def wrong_with_part(text: str) -> str | None:
    """Return what keeps a text from being a folder's or a file's name, None where nothing does.

    How long it is is not looked at.
    """
    if wrong := unsafe_in(text):
        return wrong
    if not text:
        return "there is nothing left to name it by"
    if text[0] in EDGES:
        return f"{_called(text[0])} cannot begin a file name"
    if text[-1] in EDGES:
        return f"{_called(text[-1])} cannot end a file name (Windows drops it)"
    if is_device(text):
        return "Windows keeps this name for a device; add a word to it"
    return None


def parts_of(template: Template) -> tuple[Template, ...]:
    """Split a template at the slashes of its text: the folders, and at last the name."""
    made: list[tuple[list[str], list[str]]] = [([""], [])]
    for name, literal in zip((None, *template.names), template.literals, strict=True):
        if name is not None:
            made[-1][0].append("")
            made[-1][1].append(name)
        first, *others = literal.split("/")
        made[-1][0][-1] += first
        made += [([one], []) for one in others]
    return tuple(
        Template(tuple(literals), tuple(names), template.optional.intersection(names))
        for literals, names in made
    )


def _called(character: str) -> str:
    return "a dot" if character == "." else "a space"


def _place_of(name: str, text: str) -> int | None:
    """Return where a variable stands first in a template."""
    found = (
        one.start() for one in _VARIABLE.finditer(text) if one[1].strip().removesuffix("?").rstrip() == name
    )
    return next(found, None)


def _wrong_variables(
    template: Template, sheet: Mapping[str, Json], *, complete: bool
) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys(template.names):
        if name not in OURS and name not in sheet and (complete or meant(name, OURS)):
            yield name, _unknown(name, sheet, optional=name in template.optional)
        elif name in FIXED and name in template.optional:
            yield name, f"{{{name}}} always has a value; write it without the ?"


def _wrong_with_text(text: str) -> str | None:
    """Return what keeps a template from naming files, whatever its variables stand for."""
    if not text.strip():
        return "names no file; write {id}"
    if text.startswith(("/", "~/", "~\\", "\\")) or _DRIVE.match(text):
        return f"is a path from elsewhere; {_BELOW}"
    if "\\" in text:
        return f"has a backslash; folders are made by /, {_EXAMPLE}"
    if text.endswith("/"):
        return f"is a folder; write behind it what the files are called, {_EXAMPLE}"
    return next(filter(None, map(_wrong_with_literal, text.split("/"))), None)


def _wrong_with_literal(part: str) -> str | None:
    if part in {".", ".."}:
        return f"has {part} for a folder; {_BELOW}"
    if not part:
        return "has a folder without a name (//); write one /"
    if wrong := wrong_with_part(part):
        return f"cannot name a file: {wrong}"
    if len(part.encode(errors="replace")) > LONGEST_STEM:
        return f"has a name of more than {LONGEST_STEM} bytes; make it shorter"
    return None


def _unknown(name: str, sheet: Collection[str], *, optional: bool) -> str:
    known = (*sheet, *(one for one in OURS if one not in sheet))
    shown = f"unknown variable {{{shortened(name)}{'?' * optional}}}"
    if bare := bare_name(name, known):
        return f"{shown}; there are no formats and no filters: write {{{bare}}}"
    there = ", ".join(f"{{{one}}}" for one in known)
    return shown + (meant(name, known) or f"; known here are {there} (write {{{{ and }}}} for braces)")
