"""The names of the files that jobs become: what ``output.files`` is filled in to, on every file system alike.

Pure. What is given here is always safe: nothing that a manifest or the service says leads out of the folder
or makes a name that some system refuses. What a person should change instead is found by ``name_checks``.
"""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from batchgen.errors import InputError
from batchgen.filenames import DEVICE, EDGES, UNSAFE, is_device
from batchgen.manifest.file_templates import FIXED, LONGEST, LONGEST_FOLDER, OURS, WITH_FOLDERS, parts_of
from batchgen.manifest.naming import alike, label, model_label
from batchgen.manifest.source.scalars import text_of
from batchgen.manifest.templates import Template, parse
from batchgen.model import Json

# no other path has a part that cannot be a name, but for its length
SUSPECT: Final = re.compile(f"{UNSAFE.replace('/', '')}|(?:^|/)(?:[ ./]|$|{DEVICE}(?:[./]|$))|[ .](?:/|$)")

_UNSAFE = re.compile(f"{UNSAFE}+")
_EXTENSION = re.compile(r"[a-z0-9]{1,10}")
_GAPS = " ._-"  # what stands between two variables
_NO_KIND = "file"
_SHORT = 100  # characters: no part of an ASCII path of so many is too long


class NameParts(NamedTuple):
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
    variables: Mapping[str, Json] = MappingProxyType({})
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
        self._order = parsed.names
        self._form = "%s".join(one.replace("%", "%%") for one in parsed.literals)

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
        number = f"_{index + 1}" if index and not self.tells_apart else ""
        suffix = number + "." + (extension.lower() if _EXTENSION.fullmatch(extension.lower()) else "bin")
        values = {name: _text(name, parts, known) for name in self.names}
        path = self.filled({name: _one_part(name, text) for name, text in values.items()})
        if len(path) < _SHORT and path.isascii() and not SUSPECT.search(path):  # as nearly all are
            return path + suffix
        *folders, name = path.split("/")
        safe = [_short(one, LONGEST_FOLDER) for one in map(_safe, folders) if one]
        stem = _safe(name) or _safe(_UNSAFE.sub("-", asset_id)) or "asset"
        return "/".join((*safe, _short(stem, LONGEST - len(suffix)) + suffix))

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the path with the variables filled in, its type left out, and nothing of it made safe.

        A folder that is nothing but an optional variable without a value is left out, and so is what
        stands between such a variable and the next.

        Args:
            values: the text of every variable.
        """
        if not self.optional:
            return self._form % tuple([values[name] for name in self._order])
        *folders, name = self._parts
        texts = [
            text
            for one in folders
            if (text := _filled(one, values)) or not (one.names and one.optional.issuperset(one.names))
        ]
        return "/".join((*texts, _filled(name, values)))


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
    if text and name == "prompt":  # half a character has no bytes
        return label(text if text.isascii() else text.encode(errors="replace").decode())
    return model_label(text) if text and name == "model" else text


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


def _text(name: str, parts: NameParts, known: Mapping[str, str]) -> str:
    try:
        return value_of(name, parts, known)
    except ValueError:
        return ""


def _one_part(name: str, text: str) -> str:
    """Return the text of a variable without the slashes that would make folders of it."""
    return text.replace("/", "-") if "/" in text and name not in WITH_FOLDERS else text


def _safe(text: str) -> str:
    """Take out what some system refuses or reads as more than a name: edges, devices, controls."""
    plain = unicodedata.normalize("NFC", _UNSAFE.sub("-", text)).strip(EDGES)
    return f"_{plain}" if is_device(plain) else plain


def _short(stem: str, room: int) -> str:
    whole = stem.encode()
    if len(whole) <= room:
        return stem
    digest = "~" + hashlib.sha256(whole).hexdigest()[:8]
    return whole[: room - len(digest)].decode(errors="ignore").rstrip(EDGES) + digest
