"""Whether what arrived is the file that was asked for: its kind, its size, and all of it.

A file server may answer with a status of success and an error in the file's place: a page, a
sentence, zeros, or half a file. A format other than the declared one is no fault, as long as it
is a sound file of the same kind. What cannot be judged is taken, but never a page of an error.
"""

import json
import re
from pathlib import Path

from batchgen.model import Asset
from batchgen.output.file_formats import flaw_of, is_blank
from batchgen.output.file_parts import CORRUPT
from batchgen.output.kinds import HEAD, Kind
from batchgen.output.picture_sizes import DECODER_ERRORS, Size, opener

_LARGEST_DECODED = 64_000_000  # pixels; a larger picture is judged by its structure alone
_SCALE = 8  # a JPEG is decoded at an eighth: all of its bytes are read, few pixels are kept

# source: docs/service.md asset-kinds
_KINDS = {
    "3d": "3d",
    "audio": "audio",
    "document": "document",
    "image": "image",
    "image-hdr": "image",
    "json": "json",
    "text": "text",
    "video": "video",
}
_MIMES = {
    "model/gltf+json": "3d",
    "application/json": "json",
    "application/pdf": "document",
    "application/zip": "archive",
    "image": "image",
    "video": "video",
    "audio": "audio",
    "model": "3d",
    "text": "text",
}
_WRITTEN = frozenset({"text", "json", "document"})  # kinds that may say anything
_SHARED = frozenset(
    {"video/mp4", "video/quicktime", "video/webm", "video/x-matroska", "audio/mp4", "audio/ogg"}
)
_MAY_BE_TEXT = frozenset({"application/octet-stream", "image/svg+xml", "model/obj", "model/gltf+json"})
_BY_CHECKSUM = frozenset(
    {"image/png"}
)  # all bytes are under one: unpacking them, which is dear, tells no more

_XML = re.compile(r"\A\s*(<\?xml|<!DOCTYPE|<Error|<[A-Za-z][\w:.-]*\s+xmlns)", re.IGNORECASE)
_XML_OF_3D = re.compile(r"<(COLLADA|X3D|model)\b")
_PAGE = re.compile(r"<(!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)
_DENIAL = re.compile(r"<Error|<Code>|AccessDenied|Access Denied", re.IGNORECASE)
_ERROR_KEYS = frozenset({"error", "errors", "message", "reason", "statuscode", "errorcode", "requestid"})
_OF_3D = re.compile(
    r"\A(?:[ \t\r]*(?:(?:#(?!usda|VRML)|//)[^\n]*)?\n)*[ \t\r]*"
    r"(?:#usda|#VRML|(?:solid|ply|OFF|newmtl|mtllib|usemtl|[ogsvf]|v[nt])(?:\s|\Z))"
)
_REMARKS = re.compile(r"\A(?:[ \t\r]*(?:#[^\n]*)?\n)*[ \t\r]*#[^\n]*\Z")


def trouble_with(part: Path, head: bytes, kind: Kind, asset: Asset) -> str:
    """Return why what arrived cannot be the asset's file; empty if it may be. Blocks.

    Args:
        part: what arrived.
        head: its first bytes.
        kind: what these say it is.
        asset: what the service says of it.

    Raises:
        OSError: it cannot be read.
    """
    size, declared = part.stat().st_size, _declared(asset)
    if size == 0:
        return "" if asset.size == 0 and declared == {"text"} else "the file is empty"
    other = _other_kind(head, kind, asset, declared)
    if other or (not head.strip(b"\x00") and is_blank(part)):
        return f"{other or 'nothing but zeros'} came instead of the file"
    if declared == {"text"}:
        return _wrong_size(size, None, asset)
    flaw = flaw_of(part, "application/json" if declared == {"json"} else kind.mime)
    if flaw:
        return f"the file is not whole: {flaw}"
    try:
        drawn = _drawn(part, kind.mime)
    except _UndrawableError as error:
        return f"the file is not whole: {error}"
    return _wrong_size(size, drawn, asset)


def _declared(asset: Asset) -> set[str]:
    """Return the kinds that the service's words stand for; none where they say nothing."""
    mime = _plain(asset.mime)
    known = {_KINDS.get(asset.kind), _MIMES.get(mime) or _MIMES.get(mime.partition("/")[0])}
    return {one for one in known if one is not None}


def _plain(mime: str) -> str:
    return mime.split(";", maxsplit=1)[0].strip().lower()


def _other_kind(head: bytes, kind: Kind, asset: Asset, declared: set[str]) -> str:
    """Return what came instead of a file of the declared kind; empty if it is one, or may be."""
    if declared == {"text"}:
        return ""
    said, claim = _error_in(head, kind), _plain(asset.mime)
    may_say_so = declared and declared <= _WRITTEN and claim != "application/pdf"
    if said == "a web page":
        may_say_so = "html" in claim
    if said and not may_say_so:
        return said
    if not declared or declared == {"json"}:
        return ""  # whether it is JSON is told by reading it
    if declared <= _WRITTEN:
        known = claim == "application/pdf" and (_is_text(kind) or kind.mime == "application/octet-stream")
        return "something else" if known else ""
    return _other_medium(head, kind, claim, declared)


def _other_medium(head: bytes, kind: Kind, claim: str, declared: set[str]) -> str:
    """Return what came instead of a picture, a sound, a clip or a model."""
    if kind.mime == "model/obj" and not _describes_3d(head):
        return "a text"
    found = _MIMES.get(kind.mime) or _MIMES.get(kind.mime.partition("/")[0])
    if found in declared or kind.mime == claim:
        return ""
    if kind.mime in _SHARED and declared & {"video", "audio"}:
        return ""  # one container for both
    if found is None:  # nothing known by its bytes, and the service calls it by a name that would be known
        known = claim and claim != "application/octet-stream" and kind.mime == "application/octet-stream"
        return "something else" if known or (not head.strip(b"\x00") and "3d" not in declared) else ""
    if "3d" in declared and (found == "archive" or (found == "text" and _describes_3d(head))):
        return ""
    return {"json": "JSON", "text": "a text", "archive": "an archive"}.get(found, f"{kind.mime}")


def _is_text(kind: Kind) -> bool:
    return kind.mime.startswith("text/") or kind.mime == "application/json"


def _error_in(head: bytes, kind: Kind) -> str:
    """Return the error that a text is, as people would call it; empty if it is none."""
    if kind.mime == "text/html":
        return "a web page"
    if not (_is_text(kind) or kind.mime in _MAY_BE_TEXT) or b"\x00" in head:
        return ""
    text = head.decode("utf-8-sig", "replace")
    if _XML.match(text) and "<svg" not in text:
        if _PAGE.search(text):
            return "a web page"
        if _DENIAL.search(text):
            return "an error in XML"
        return "" if _XML_OF_3D.search(text) else "a text in XML"
    return "an error in JSON" if kind.mime == "application/json" and _says_error(text) else ""


def _says_error(text: str) -> bool:
    """Return whether a short JSON text has the keys of an error."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):  # longer than its beginning: no error is
        return False
    return isinstance(said, dict) and not _ERROR_KEYS.isdisjoint(name.lower() for name in said)


def _describes_3d(head: bytes) -> bool:
    """Return whether a text begins like a model: an error's sentence does not."""
    text = head.decode("utf-8-sig", "replace")
    remarks = len(head) == HEAD and _REMARKS.match(text)
    return bool(_OF_3D.match(text) or _XML_OF_3D.search(text) or remarks)


def _wrong_size(size: int, drawn: Size | None, asset: Asset) -> str:
    """Hold the size against the service's word, where that is of this very file.

    A picture that is whole, and as large in pixels as the service says, is believed against it.
    """
    # source: docs/service.md asset-size
    if asset.size is None or not asset.is_original or size == asset.size:
        return ""
    if drawn is not None and drawn == (asset.width, asset.height):
        return ""
    return f"{size} bytes arrived, and the service says {asset.size}"


class _UndrawableError(Exception):
    """A decoder does not come to the end of a picture."""


def _drawn(path: Path, mime: str) -> Size | None:
    """Decode a picture to its end; None if it is too large for that, or no picture to Pillow."""
    opened = opener(mime)
    if opened is None:
        return None
    try:
        with path.open("rb") as file, opened(file, "") as image:
            size = Size(*image.size)
            if size.width * size.height > _LARGEST_DECODED:
                return None
            if mime not in _BY_CHECKSUM:
                image.draft(image.mode, (max(1, size.width // _SCALE), max(1, size.height // _SCALE)))
                image.load()
    except MemoryError:
        return None
    except DECODER_ERRORS as error:
        raise _UndrawableError("it cannot be drawn to its end" if str(error) else CORRUPT) from error
    return size
