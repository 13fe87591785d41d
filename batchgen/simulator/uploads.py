"""Files that a client sends: small images in one call, anything in parts, and their assets.

Bytes are kept in memory and told apart by little more than their first few: this is where a
rehearsal's inputs are, no store. As the service does, it makes a new asset of every upload,
equal or not.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from batchgen.model import Json
from batchgen.simulator.dates import written
from batchgen.simulator.draws import Draws, Span
from batchgen.simulator.exchange import refusal
from batchgen.simulator.inputs import InputFile, asset_kind, sent_file
from batchgen.simulator.submits import RefusedError
from batchgen.simulator.urls import Signer

LARGEST_IMAGE = 6_000_000  # bytes in one call
SMALLEST_PART = 5 * 2**20  # bytes of every part but the last
_MOST_PARTS = 10_000
_KINDS = frozenset({"3d", "asset", "audio", "avatar", "image", "model", "text", "video"})
_IMAGES: Sequence[tuple[int, bytes, str]] = (  # at which byte, which bytes, which type
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypavi", "image/avif"),
    (4, b"ftyphei", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
)
# by the share of the import that is over
_COURSE = ((1 / 3, "complete"), (2 / 3, "validating"), (1.0, "validated"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Imports:
    """What becomes of files that are uploaded in parts.

    Attributes:
        duration: seconds from the word that all parts are there to the asset, drawn for each.
        failures: share of them that cannot be imported.
        part_life: seconds that the place of a part is held.
    """

    duration: Span = (0.2, 0.6)
    failures: float = 0.0
    part_life: float = 3600.0

    def __post_init__(self) -> None:
        if not (0 <= self.failures <= 1 and 0 <= self.duration[0] <= self.duration[1]):
            raise ValueError("failures is a share, from 0 to 1, and duration a span, the lower end first")

    def at_speed(self, speed: float) -> "Imports":
        """Return the same sped up, in simulated seconds a second; places are held as long as before."""
        low, high = self.duration
        return replace(self, duration=(low / speed, high / speed))


USUAL_IMPORTS = Imports()


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """An asset that a client sent.

    Attributes:
        mime: of the content, or as the client said where that is not told.
        at: since when it is there, seconds since the epoch.
        file: the same as the input of a job.
    """

    id: str
    name: str
    kind: str
    mime: str
    content: bytes = field(repr=False)
    author: str
    owner: str
    at: float
    file: InputFile = field(repr=False)

    def shown(self, url: str) -> dict[str, Json]:
        """Write it as the service shows an asset."""
        date = written(self.at)
        return {
            "id": self.id,
            "url": url,
            "kind": self.kind,
            "mimeType": self.mime,
            "status": "success",
            "properties": self._properties(),
            "metadata": {"kind": self.kind, "type": "uploaded", "name": self.name},
            "source": "uploaded",
            "ownerId": self.owner,
            "authorId": self.author,
            "createdAt": date,
            "updatedAt": date,
            "privacy": "private",
            "tags": [],
            "collectionIds": [],
            "editCapabilities": [],
        }

    def _properties(self) -> dict[str, Json]:
        file = self.file
        shape = {"width": file.width, "height": file.height} if file.width else {}
        length = {} if file.seconds is None else {"duration": file.seconds}
        return {"size": len(self.content), **shape, **length}


@dataclass(kw_only=True, slots=True)
class _Upload:
    """An upload in parts, as far as it has come."""

    id: str
    name: str
    kind: str
    mime: str
    size: int
    parts: list[dict[str, Json]]
    author: str
    owner: str
    begun_at: float
    content: dict[int, bytes] = field(default_factory=dict)
    completed_at: float | None = None
    over_at: float = 0.0
    error: str = ""
    asset: Sent | None = None

    def status(self, now: float) -> str:
        if self.completed_at is None:
            return "pending"
        if now >= self.over_at:
            return "failed" if self.error else "imported"
        share = (now - self.completed_at) / (self.over_at - self.completed_at)
        return next(word for up_to, word in _COURSE if share <= up_to)

    def shown(self, now: float) -> dict[str, Json]:
        status = self.status(now)
        data = {
            "id": self.id,
            "status": status,
            "kind": self.kind,
            "source": "multipart",
            "fileName": self.name,
            "fileSize": self.size,
            "contentType": self.mime,
            "partsCount": len(self.parts),
            "ownerId": self.owner,
            "authorId": self.author,
            "createdAt": written(self.begun_at),
            "updatedAt": written(now),
        }
        if status == "pending":
            data["parts"] = self.parts
        if status == "failed":
            data["errorMessage"] = self.error
        if status == "imported" and self.asset is not None:
            data["entityId"] = self.asset.id
        return data


class Uploads:
    """All uploads, and the assets that they became."""

    def __init__(self, imports: Imports, draws: Draws, signer: Signer) -> None:
        self._imports = imports
        self._draws = draws
        self._signer = Signer(key=signer.key, life=imports.part_life)
        self._uploads: dict[str, _Upload] = {}
        self._assets: dict[str, Sent] = {}
        self._sent: list[Sent] = []

    def __len__(self) -> int:
        return len(self._assets)

    @property
    def sent(self) -> Sequence[Sent]:
        """All assets that were sent, the oldest first."""
        return self._sent

    def restore(self, sent: Sent) -> None:
        """Take in an asset of an earlier life."""
        self._assets[sent.id] = sent
        self._sent.append(sent)

    def find(self, asset_id: str, now: float) -> Sent | None:
        """Return an asset that was sent, None where there is none of that id, or not yet."""
        sent = self._assets.get(asset_id)
        return sent if sent is not None and sent.at <= now else None

    def take_image(self, body: bytes, now: float, *, author: str, owner: str) -> Sent:
        """Take a small image in one call.

        Raises:
            RefusedError: it is none, or not small.
        """
        data = _parsed(body)
        image = data.get("image")
        if not isinstance(image, str):
            raise _refused("Either 'image' or 'canvas' must be provided")
        content = _decoded(image)
        mime = _image_of(content)
        if mime is None:
            raise _refused("Unhandled image format")
        if len(content) >= LARGEST_IMAGE:
            raise _refused("Image is too large")
        return self._asset(
            name=str(data.get("name", "")),
            kind="image",
            mime=mime,
            content=content,
            author=author,
            owner=owner,
            at=now,
        )

    def begin(self, body: bytes, now: float, *, base: str, author: str, owner: str) -> dict[str, Json]:
        """Announce a file and say where its parts go.

        Raises:
            RefusedError: something is missing or out of bounds.
        """
        data = _parsed(body)
        _check_announced(data)
        upload_id = self._draws.id("upload_", len(self._uploads), _digest(body), now)
        parts: list[dict[str, Json]] = [
            {
                "number": number,
                "url": self._signer.url(base, f"/cdn/uploads/{upload_id}/{number}", now),
                "expires": written(now + self._imports.part_life),
            }
            for number in range(1, data["parts"] + 1)
        ]
        upload = _Upload(
            id=upload_id,
            name=data["fileName"],
            kind=data["kind"],
            mime=data["contentType"],
            size=data["fileSize"],
            parts=parts,
            author=author,
            owner=owner,
            begun_at=now,
        )
        self._uploads[upload_id] = upload
        return upload.shown(now)

    def take_part(self, upload_id: str, number: int, content: bytes) -> None:
        """Keep one part; a part that is put again takes the place of the first."""
        upload = self._uploads.get(upload_id)
        if upload is not None and upload.completed_at is None:
            upload.content[number] = content

    def act(self, upload_id: str, body: bytes, now: float) -> dict[str, Json]:
        """Do what is asked with an upload: there is one thing to ask for, that it be completed.

        Raises:
            RefusedError: there is no such upload or action, it is complete already, or parts are missing.
        """
        upload = self._get(upload_id)
        action = _parsed(body).get("action")
        if action != "complete":
            raise _refused("Invalid action")
        if upload.completed_at is not None:
            raise _refused("Upload is not pending")
        pieces = [upload.content.get(one["number"], b"") for one in upload.parts]
        if not all(pieces):
            raise _refused("One or more of the specified parts could not be found")
        if any(len(one) < SMALLEST_PART for one in pieces[:-1]):
            raise _refused("A part is smaller than the smallest that is allowed")
        self._complete(upload, b"".join(pieces), now)
        return upload.shown(now)

    def show(self, upload_id: str, now: float) -> dict[str, Json]:
        """Show an upload.

        Raises:
            RefusedError: there is none of that id.
        """
        return self._get(upload_id).shown(now)

    def _get(self, upload_id: str) -> _Upload:
        if upload_id not in self._uploads:
            raise RefusedError(refusal(404, "Upload not found", name="NotFoundError"))
        return self._uploads[upload_id]

    def _complete(self, upload: _Upload, content: bytes, now: float) -> None:
        upload.content.clear()
        upload.completed_at = now
        upload.over_at = now + self._draws.between(self._imports.duration, "import", upload.id)
        mime = _image_of(content) if upload.kind == "image" else upload.mime
        if len(content) != upload.size:
            upload.error = "The size of the file is not the one announced"
        elif mime is None:
            upload.error = "The file is corrupt or not supported"
        elif self._draws.chance(self._imports.failures, "import fails", upload.id):
            upload.error = "The file could not be validated"
        else:
            upload.asset = self._asset(
                name=upload.name,
                kind=upload.kind,
                mime=mime,
                content=content,
                author=upload.author,
                owner=upload.owner,
                at=upload.over_at,
            )

    def _asset(
        self, *, name: str, kind: str, mime: str, content: bytes, author: str, owner: str, at: float
    ) -> Sent:
        asset_id = self._draws.id("asset_", "sent", len(self._sent), _digest(content))
        sent = Sent(
            id=asset_id,
            name=name,
            kind=kind,
            mime=mime,
            content=content,
            author=author,
            owner=owner,
            at=at,
            file=sent_file(asset_id, asset_kind(kind, mime), mime, content, name),
        )
        self.restore(sent)
        return sent


def _digest(content: bytes) -> str:
    """Tell contents apart: what one life of the service named, another must not name otherwise."""
    return hashlib.sha256(content).hexdigest()


def _refused(reason: str) -> RefusedError:
    return RefusedError(refusal(400, reason, name="BadRequestError"))


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise _refused("The body must be an object")
    return data


def _decoded(image: str) -> bytes:
    """Read base64, with or without a data URL's beginning."""
    text = image.partition(",")[2] if image.startswith("data:") else image
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _refused("Unhandled image format") from None


def _image_of(content: bytes) -> str | None:
    for start, magic, mime in _IMAGES:
        if content[start : start + len(magic)] == magic:
            return mime
    return "image/svg+xml" if b"<svg" in content[:1000] else None


def _check_announced(data: Mapping[str, Any]) -> None:
    for name in ("fileName", "contentType", "kind"):
        if not (isinstance(data.get(name), str) and data[name]):
            raise _refused(f"Input {name} is required")
    for name in ("fileSize", "parts"):
        if type(data.get(name)) is not int or data[name] < 1:
            raise _refused(f"Input {name} must be at least 1")
    if data["kind"] not in _KINDS:
        raise _refused(f"Input kind must be one of: {', '.join(sorted(_KINDS))}")
    if data["parts"] > _MOST_PARTS:
        raise _refused(f"Input parts must be at most {_MOST_PARTS}")
