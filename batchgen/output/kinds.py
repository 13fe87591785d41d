"""What a file is, told from its first bytes; the service's word counts only where they say nothing.

Pure. Files are named by this and by nothing else: a service delivers other formats than
the ones it was asked for, and a CDN calls meshes ``application/octet-stream``.
"""

import json
import re
from dataclasses import dataclass

HEAD = 4096  # bytes from the start that are enough for every rule below


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A file's type.

    Attributes:
        mime: for programs.
        extension: for names, without the dot.
    """

    mime: str
    extension: str


_EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/avif": "avif",
    "image/heic": "heic",
    "image/tiff": "tiff",
    "image/bmp": "bmp",
    "image/svg+xml": "svg",
    "image/vnd.radiance": "hdr",
    "image/x-exr": "exr",
    "image/vnd.adobe.photoshop": "psd",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "video/x-matroska": "mkv",
    "video/quicktime": "mov",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/ogg": "ogg",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "model/gltf-binary": "glb",
    "model/gltf+json": "gltf",
    "model/fbx": "fbx",
    "model/obj": "obj",
    "model/ply": "ply",
    "model/stl": "stl",
    "application/pdf": "pdf",
    "application/json": "json",
    "application/zip": "zip",
    "text/html": "html",
    "text/plain": "txt",
    "text/csv": "csv",
    "text/markdown": "md",
}

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"#?RADIANCE", "image/vnd.radiance"),
    (b"#?RGBE", "image/vnd.radiance"),
    (b"\x76\x2f\x31\x01", "image/x-exr"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"glTF", "model/gltf-binary"),
    (b"Kaydara FBX Binary", "model/fbx"),
    (b"; FBX", "model/fbx"),
    (b"ply\n", "model/ply"),
    (b"ply\r", "model/ply"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
}
_OBJ = re.compile(r"(?m)^(v|vn|vt|f)[ \t]+-?\d")
_SVG = re.compile(r"\A(<\?xml[^>]*>|<!--.*?-->|<!DOCTYPE[^>]*>|\s)*<svg[\s>]", re.DOTALL | re.IGNORECASE)
_HTML = re.compile(r"\A(<!--.*?-->|\s)*<(!doctype html|html[\s>])", re.DOTALL | re.IGNORECASE)
_TEXTUAL = re.compile(r"text/|application/(json|xml)|model/(obj|gltf\+json)|image/svg")


def kind_of(head: bytes, *, declared: str = "") -> Kind:
    """Return the type of a file that begins like this.

    Args:
        head: the first ``HEAD`` bytes, or all if there are fewer.
        declared: what the service calls it.
    """
    claim = declared.split(";", maxsplit=1)[0].strip().lower()
    mime = _magic(head) or _boxed(head) or _frames(head) or _text(head, claim) or _claimed(claim)
    return Kind(mime=mime, extension=_EXTENSIONS.get(mime, "bin"))


def _magic(head: bytes) -> str | None:
    return next((mime for magic, mime in _MAGIC if head.startswith(magic)), None)


def _boxed(head: bytes) -> str | None:
    """Look into the containers: RIFF, ISO media and Matroska say further in what they hold."""
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head[4:8] in {b"moov", b"mdat", b"wide", b"free"} and head[8:]:
        return "video/quicktime"  # made before there was a ftyp
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    return None


def _frames(head: bytes) -> str | None:
    """Know formats by a short sync word only if the rest of their header makes sense too."""
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return "image/bmp"
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:  # noqa: PLR2004 - an MPEG audio frame
        return None
    if head[1] & 0xF6 == 0xF0:  # noqa: PLR2004 - layer 00 is ADTS
        return "audio/aac"
    reserved = head[1] & 0x18 == 0x08 or head[1] & 0x06 == 0 or head[2] & 0xF0 == 0xF0  # noqa: PLR2004 - version, layer, bit rate
    return None if reserved else "audio/mpeg"


def _text(head: bytes, claim: str) -> str | None:
    """Tell texts apart; a text that could be anything is what the service calls it, if that is a text."""
    if not head or b"\x00" in head:
        return None
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4 or len(head) < HEAD:  # a character cut at the end is no error
            return None
        text = head[: error.start].decode("utf-8-sig")
    if _SVG.match(text):
        return "image/svg+xml"
    if _HTML.match(text):
        return "text/html"
    if _jsonlike(text, whole=len(head) < HEAD):
        return "model/gltf+json" if '"asset"' in text and '"meshes"' in text else "application/json"
    if claim in _EXTENSIONS and _TEXTUAL.match(claim):
        return claim
    return "model/obj" if len(_OBJ.findall(text)) > 2 else "text/plain"  # noqa: PLR2004 - one line may be prose


def _jsonlike(text: str, *, whole: bool) -> bool:
    start = text.lstrip()
    if start[:1] not in {"{", "["}:
        return False
    if not whole:
        return re.match(r'\{\s*"|\[\s*[\[{"\d-]', start) is not None
    try:
        json.loads(start)
    except ValueError:
        return False
    return True


def _claimed(claim: str) -> str:
    """Believe the service where the bytes say nothing, unless they would have said so."""
    known_by_bytes = {mime for _, mime in _MAGIC} | set(_RIFF.values()) | {"image/svg+xml", "text/html"}
    if claim and claim not in known_by_bytes and re.fullmatch(r"[\w.+-]+/[\w.+-]+", claim):
        return claim
    return "application/octet-stream"
