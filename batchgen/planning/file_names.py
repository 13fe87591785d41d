"""The names of the files that jobs become: what ``output.files`` is filled in to, on every file system alike.

Pure. What is given here is always safe: nothing that a manifest or the service says leads out of the folder
or makes a name that some system refuses. What a person should change instead is found by ``name_checks``.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from batchgen.errors import InputError
from batchgen.filenames import is_device
from batchgen.manifest.naming import alike, label, model_label
from batchgen.manifest.source.scalars import text_of
from batchgen.manifest.templates import Template, parse
from batchgen.model import Json

LONGEST: Final = 200  # bytes of a file's name; systems take 255, and `.part` and the tail of an id must fit
LONGEST_FOLDER: Final = 255  # bytes
OURS: Final = ("id", "index", "asset_id", "entry", "model", "prompt", "kind", "slot", "date")
FIXED: Final = frozenset({"id", "index", "asset_id"})  # these are ours whatever the sheet has
OF_ASSETS: Final = frozenset({"index", "asset_id", "kind"})  # not known before there is an asset
WITH_FOLDERS: Final = frozenset({"folder", "path"})  # a / in one of these makes a folder

_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+')
_EXTENSION = re.compile(r"[a-z0-9]{1,10}")
_GAPS = " ._-"  # what stands between two variables
_EDGES = " ."  # what no system keeps, or hides, at the edge of a name
_NO_KIND = "file"


@dataclass(frozen=True, kw_only=True, slots=True)
class NameParts:
    """What is known of a job before it has an asset.

    Attributes:
        id: the job's.
        entry: the name of the entry that it comes from; empty where that has none.
        model: the service's id.
        prompt: None where it has none.
        variables: every variable that made it, as the manifest has them.
        slot: the one that it belongs to; empty where the batch has none.
        date: the day on which that began, as ``2026-12-01``; empty where the batch has no slots.
    """

    id: str
    entry: str = ""
    model: str = ""
    prompt: str | None = None
    variables: Mapping[str, Json] = field(default_factory=dict)
    slot: str = ""
    date: str = ""


class FileNames:
    """A template of file names.

    Attributes:
        names: the variables that it says, each once, in the order they stand.
        optional: those that may have no value.
        tells_apart: whether two files of one job have two names by the template alone.

    Args:
        template: text with variables; ``{{`` is a brace and ``/`` makes a folder.
        exact: variables that end in a ``?`` themselves.

    Raises:
        InputError: a brace opens or closes nothing.
    """

    def __init__(self, template: str, *, exact: Collection[str] = ()) -> None:
        try:
            parsed = parse(template, exact)
        except ValueError as error:
            raise InputError(f"output.files: {error}") from None
        self.names = tuple(dict.fromkeys(parsed.names))
        self.optional = parsed.optional
        self.tells_apart = not {"index", "asset_id"}.isdisjoint(self.names)
        self._parts = parts_of(parsed)

    def path(self, parts: NameParts, *, index: int, asset_id: str, kind: str, extension: str) -> str:
        """Return where a file lies below ``assets/``, folders with ``/``.

        Every part is safe on every system; a name that had to be cut ends in a digest of the whole, so that
        names that were different stay so. The second file of a job, where the template does not tell its
        files apart, ends in ``_2``.

        Args:
            parts: of the job.
            index: of the asset among the job's, from 0.
            asset_id: the service's.
            kind: what the service takes it for, such as ``image``; empty where it does not say.
            extension: without the dot; anything but letters and digits becomes ``bin``.
        """
        known = {"index": str(index), "asset_id": asset_id, "kind": kind or _NO_KIND}
        *folders, name = self.filled(lambda variable: _mended(variable, parts, known))
        safe = [_short(one, LONGEST_FOLDER) for one in map(_safe, folders) if one]
        stem = _safe(name) or _safe(_UNSAFE.sub("-", asset_id)) or "asset"
        number = f"_{index + 1}" if index and not self.tells_apart else ""
        suffix = number + "." + (extension.lower() if _EXTENSION.fullmatch(extension.lower()) else "bin")
        return "/".join((*safe, _short(stem, LONGEST - len(suffix)) + suffix))

    def filled(self, value: Callable[[str], str]) -> list[str]:
        """Return the folders and the name with the variables filled in, nothing of them made safe.

        A folder that is nothing but an optional variable without a value is left out, and so is what
        stands between such a variable and the next.

        Args:
            value: gives the text of a variable.
        """
        values = {name: value(name) for name in self.names}
        *folders, name = self._parts
        texts = [
            text
            for one in folders
            if (text := _filled(one, values)) or not (one.names and one.optional.issuperset(one.names))
        ]
        texts.append(_filled(name, values))
        if WITH_FOLDERS.isdisjoint(self.names):
            return texts
        return "/".join(texts).split("/")


def folded(path: str) -> str:
    """Return what two paths share that are one on some file system: NFC and case folding."""
    return path.lower() if path.isascii() else alike(path)


def value_of(name: str, parts: NameParts, known: Mapping[str, str]) -> str:
    """Return the text of a variable as it stands in a name; empty where it has no value.

    A variable of the sheet goes before one of ours, but for ``id``, ``index`` and ``asset_id``. What is
    called ``prompt`` or ``model`` is shortened as in an automatic id, wherever it comes from.

    Args:
        name: of the variable.
        parts: of the job.
        known: what is known of the asset.

    Raises:
        ValueError: it is a list or a mapping.
    """
    if name not in FIXED and name in parts.variables:
        given = parts.variables[name]
        text = "" if given is None else text_of(given)
    elif name in known:
        return known[name]
    else:
        text = (getattr(parts, name) or "") if name in OURS else ""
    if text and name == "prompt":
        return label(text)
    return model_label(text) if text and name == "model" else text


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


def _filled(part: Template, values: Mapping[str, str]) -> str:
    text, ends_in_gap = part.literals[0], False
    for name, literal in zip(part.names, part.literals[1:], strict=True):
        if values[name] or name not in part.optional:
            text += values[name] + literal
            ends_in_gap = False
        else:  # `a_{b?}_c` is `a_c`, and `a_{b?}` is `a`
            text += literal.lstrip(_GAPS) if text[-1:] in _GAPS else literal
            ends_in_gap = not literal
    return text.rstrip(_GAPS) if ends_in_gap else text


def _mended(name: str, parts: NameParts, known: Mapping[str, str]) -> str:
    """Return the text of a variable without what would be more than a part of a name."""
    try:
        text = value_of(name, parts, known)
    except ValueError:
        return ""
    if name in WITH_FOLDERS:
        return "/".join(_UNSAFE.sub("-", one) for one in text.split("/"))
    return _UNSAFE.sub("-", text)


def _safe(text: str) -> str:
    """Take out what some system refuses or reads as more than a name: edges, devices, controls."""
    plain = unicodedata.normalize("NFC", _UNSAFE.sub("-", text)).strip(_EDGES)
    return f"_{plain}" if is_device(plain) else plain


def _short(stem: str, room: int) -> str:
    whole = stem.encode()
    if len(whole) <= room:
        return stem
    digest = "~" + hashlib.sha256(whole).hexdigest()[:8]
    return whole[: room - len(digest)].decode(errors="ignore").rstrip(_EDGES) + digest
