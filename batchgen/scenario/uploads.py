"""Local files to the service: the calls, what may be sent, and how it is cut into parts.

Uploads are free and nothing depends on how often one was tried, so every call here is
repeated within bounds; a lost answer leaves at most an asset that nobody names. Small images
go in one call, everything else in parts that are put to a store of the service's.
"""

import asyncio
import base64
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from batchgen.errors import NotFoundError, RefusedError, TransientError
from batchgen.model import Json
from batchgen.ports import Gate, Lane
from batchgen.redaction import Redact
from batchgen.rights import Right
from batchgen.scenario.calls import USUAL_RETRY, segment
from batchgen.scenario.client import ScenarioClient
from batchgen.scenario.fields import as_list, as_mapping, as_number, as_object, as_text, first_id, is_id
from batchgen.scenario.parts import Part, Parts
from batchgen.scenario.retry import CallRetry
from batchgen.scenario.transport import Call, Transport
from batchgen.scenario.verdicts import item_verdict
from batchgen.scenario.wording import readable
from batchgen.service_clock import ServiceClock

# source: docs/service.md body
SMALL_IMAGE = 3_500_000  # bytes: as base64 well below the 6 MB that the gateway takes
# source: docs/service.md uploads
PART = 8 * 2**20  # bytes; the store wants 5 MB at least of every part but the last
MOST_PARTS = 10_000
LARGEST = 5 * 2**40  # bytes of one file, the store's own bound
IMAGES = {  # what the service's guide says it takes, by the names that people use
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/svg+xml": "SVG",
    "image/webp": "WebP",
    "image/avif": "AVIF",
    "image/tiff": "TIFF",
    "image/heic": "HEIC",
}
_KINDS = {"video": "video", "audio": "audio", "model": "3d"}  # the first half of a type to the service's word
_TEXTS = frozenset({"text/plain", "text/markdown", "text/csv", "application/json"})
_IMPORTED, _FAILED = "imported", "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long the service may take to import a file, in seconds.

    Attributes:
        first, longest: between two looks; they double from the one to the other.
        whole: after which the upload is left to the next run.
    """

    first: float = 0.5
    longest: float = 3.0
    whole: float = 300.0


USUAL_PATIENCE = Patience()


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteUpload:
    """An upload in parts as the service shows it.

    Attributes:
        id: ``upload_...``.
        status: the service's word; ``complete`` is not yet ``imported``.
        parts: where the pieces go; empty where that is not shown.
        asset_id: what it became; empty as long as it is not imported.
        error: the service's words on a failure.
    """

    id: str
    status: str
    parts: tuple[Part, ...] = ()
    asset_id: str = ""
    error: str = ""


def kind_to_send(mime: str) -> str | None:
    """Return the service's word for a type of file, None where it takes none of that type."""
    if mime in IMAGES:
        return "image"
    return "text" if mime in _TEXTS else _KINDS.get(mime.split("/", maxsplit=1)[0])


def is_small_image(mime: str, size: int) -> bool:
    """Return whether a file of so many bytes goes in one call."""
    return mime in IMAGES and size <= SMALL_IMAGE


def unfit(mime: str, size: int) -> str | None:
    """Return why a file cannot be an input, None if it can.

    Args:
        mime: the type, told from the bytes.
        size: bytes.
    """
    if size == 0:
        return "is empty"
    if size > LARGEST:
        return "is larger than the service takes (5 TB)"
    if kind_to_send(mime) is not None:
        return None
    taken = ", ".join(IMAGES.values())
    if mime.startswith("image/"):
        return f"is an image of a kind that the service does not take ({mime}); it takes {taken}"
    return f"is no file that the service takes ({mime}); it takes images ({taken}), video, audio, 3D and text"


def part_size(size: int) -> int:
    """Return the bytes of every part but the last of a file of so many bytes."""
    return max(PART, -(-size // MOST_PARTS))


class UploadClient(ScenarioClient):
    """The client with the calls that send files.

    Raises as its base does: TransientError when the attempts or the time are used up,
    RefusedError when the service says that asking again will not help, StoppedError.
    """

    def __init__(
        self,
        transport: Transport,
        gate: Gate,
        *,
        project: str | None,
        parts: Parts,
        retry: CallRetry = USUAL_RETRY,
        patience: Patience = USUAL_PATIENCE,
        rng: random.Random | None = None,
        service_clock: ServiceClock | None = None,
    ) -> None:
        """Bind the client; see the base.

        Args:
            transport: see the base.
            gate: see the base; parts do not pass it.
            project: see the base.
            parts: open, and closed by whoever opened it.
            retry: of every call, and of every part.
            patience: with an import.
            rng: see the base.
            service_clock: see the base.
        """
        super().__init__(transport, gate, project=project, retry=retry, rng=rng, service_clock=service_clock)
        self._parts = parts
        self._patience = patience

    async def send_image(self, name: str, mime: str, content: bytes) -> str:
        """Send a small image in one call and give its asset id."""
        image = f"data:{mime};base64,{base64.b64encode(content).decode()}"
        return await self._ask(
            self._post("/assets", {"name": name, "image": image}),
            Lane.ASSETS,
            lambda data, _: first_id(as_object(data.get("asset"), "the asset").get("id")),
            right=Right.UPLOADS,
        )

    async def begin(self, *, name: str, mime: str, size: int, parts: int) -> RemoteUpload:
        """Announce a file of so many bytes and parts, and be told where the parts go."""
        asked = {
            "fileName": name,
            "fileSize": size,
            "contentType": mime,
            "kind": kind_to_send(mime) or "asset",
            "parts": parts,
        }
        upload = await self._ask(self._post("/uploads", asked), Lane.ASSETS, _parse, right=Right.UPLOADS)
        if [one.number for one in upload.parts] != list(range(1, parts + 1)):
            raise TransientError(f"the service does not say where all {parts} parts of {name} go")
        return upload

    async def put(self, part: Part, content: bytes, mime: str) -> None:
        """Send one part, again and again within bounds."""
        retrying = self._retry.attempts_from(
            asyncio.get_running_loop().time(), draw=self._rng.random, sleep=asyncio.sleep
        )
        await retrying(self._parts.put, part, content, mime)

    async def complete(self, upload_id: str) -> RemoteUpload:
        """Say that all parts are there."""
        call = self._post(f"/uploads/{segment(upload_id, NotFoundError)}/action", {"action": "complete"})
        try:
            return await self._ask(call, Lane.ASSETS, _parse)
        except RefusedError:
            # a first call whose answer was lost may have been heard: then the second is one too many
            upload = await self.upload(upload_id)
            if upload.status == "pending":
                raise
            return upload

    async def upload(self, upload_id: str) -> RemoteUpload:
        """Look at an upload.

        Raises:
            NotFoundError: the service does not show it.
        """
        return await self._ask(
            self._get(f"/uploads/{segment(upload_id, NotFoundError)}"), Lane.ASSETS, _parse, item_verdict
        )

    async def imported(self, upload: RemoteUpload) -> str:
        """Wait for a completed upload to become an asset and give its id.

        Raises:
            RefusedError: the service could not import it.
            TransientError: it takes too long; it may still come.
        """
        clock = asyncio.get_running_loop().time
        deadline, gap = clock() + self._patience.whole, self._patience.first
        while not upload.asset_id:
            if upload.status == _FAILED:
                raise RefusedError(
                    f"the service could not import it: {upload.error or 'it does not say why'}"
                )
            if clock() >= deadline:
                raise TransientError(f"the service is still importing it after {self._patience.whole:g} s")
            await asyncio.sleep(gap)
            gap = min(2 * gap, self._patience.longest)
            upload = await self.upload(upload.id)
        return upload.asset_id

    def _post(self, path: str, data: Mapping[str, Json]) -> Call:
        return Call(method="POST", path=path, query=self._scope, body=json.dumps(data).encode())


def _parse(data: Mapping[str, Any], redact: Redact) -> RemoteUpload:
    """Read an Upload object.

    Raises:
        WireError: there is no upload id in it.
    """
    upload = as_object(data.get("upload"), "the upload")
    status, entity = as_text(upload.get("status")), upload.get("entityId")
    parts = [_part(as_mapping(one)) for one in as_list(upload.get("parts"))]
    return RemoteUpload(
        id=first_id(upload.get("id")),
        status=status,
        parts=tuple(sorted((one for one in parts if one is not None), key=lambda one: one.number)),
        asset_id=str(entity) if status == _IMPORTED and is_id(entity) else "",
        error=readable(as_text(upload.get("errorMessage")), redact),
    )


def _part(value: Mapping[str, Json]) -> Part | None:
    number, url = as_number(value.get("number")), as_text(value.get("url"))
    return None if number is None or not url else Part(number=int(number), url=url)
