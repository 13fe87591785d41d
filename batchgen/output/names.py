"""The names of downloaded files: what a template becomes, on every file system alike.

Pure. A name never holds a separator and is never a path: nothing that a manifest or the
service says can lead out of the folder a file is meant for.
"""

import hashlib
import re
import unicodedata

from batchgen.errors import InputError
from batchgen.filenames import is_device

LONGEST = 200  # bytes; file systems take 255, and `.part` and the tail of an id must still fit
VARIABLES = frozenset({"id", "index", "asset_id"})

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+')
_EXTENSION = re.compile(r"[a-z0-9]{1,10}")


def check_template(template: str) -> None:
    """Refuse a template that names what does not exist.

    Raises:
        InputError: says what is wrong and what may stand there.
    """
    _fill(template, dict.fromkeys(VARIABLES, ""))


def file_name(template: str, *, id: str, index: int, asset_id: str, extension: str) -> str:  # noqa: A002 - the template's word
    """Return the name of one file, extension included, at most ``LONGEST`` bytes of UTF-8.

    A name that had to be cut ends in a digest of the whole, so that names that were different stay so.

    Args:
        template: text with ``{id}``, ``{index}`` and ``{asset_id}``; ``{{`` is a brace.
        id: the job's.
        index: of the asset among the job's, from 0.
        asset_id: the service's.
        extension: without the dot; anything but letters and digits becomes ``bin``.

    Raises:
        InputError: the template names what does not exist.
    """
    values = {"id": id, "index": str(index), "asset_id": asset_id}
    stem = _safe(_fill(template, values)) or _safe(asset_id) or "asset"
    suffix = "." + (extension.lower() if _EXTENSION.fullmatch(extension.lower()) else "bin")
    return _short(stem, LONGEST - len(suffix)) + suffix


def _fill(template: str, values: dict[str, str]) -> str:
    def replace(found: re.Match[str]) -> str:
        token, name = found[0], found[1]
        if token in {"{{", "}}"}:
            return token[0]
        if name is None or name not in values:
            allowed = ", ".join(f"{{{one}}}" for one in sorted(VARIABLES))
            raise InputError(
                f"output.files: {token} in {template!r} is none of {allowed}; a brace itself is doubled"
            )
        return values[name]

    return _TOKEN.sub(replace, template)


def _safe(text: str) -> str:
    """Take out what some system refuses or reads as more than a name: edges, devices, controls."""
    plain = _UNSAFE.sub("-", unicodedata.normalize("NFC", text)).strip(" .")
    return f"_{plain}" if is_device(plain) else plain


def _short(stem: str, room: int) -> str:
    whole = stem.encode()
    if len(whole) <= room:
        return stem
    digest = "~" + hashlib.sha256(whole).hexdigest()[:8]
    return whole[: room - len(digest)].decode(errors="ignore").rstrip(" .") + digest
