"""Local files as inputs: each content is sent once, whoever needs it and however often.

What a file is, is told from its bytes before anything is sent; that it is still what it was
when it was hashed, while it is read to be sent. Nothing here knows a job.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from mimetypes import guess_type
from pathlib import Path
from typing import BinaryIO

from batchgen.errors import (
    BatchgenError,
    InputError,
    NoRightError,
    NotFoundError,
    Problem,
    RefusedError,
    TransientError,
)
from batchgen.identity import is_file
from batchgen.journal.uploads import UploadRecords
from batchgen.manifest.values import Manifest
from batchgen.model import Json, Upload
from batchgen.output.kinds import HEAD, kind_of
from batchgen.plain_files import FileFaultError, open_plain
from batchgen.ports import Clock
from batchgen.scenario.client import ScenarioClient
from batchgen.scenario.parts import HttpParts
from batchgen.scenario.uploads import (
    SMALL_IMAGE,
    RemoteUpload,
    UploadClient,
    is_small_image,
    part_size,
    unfit,
)
from batchgen.service_clock import ServiceClock
from batchgen.wiring.batch import Batch
from batchgen.wiring.options import Options
from batchgen.wiring.service import Service

AT_ONCE = 4  # files, each with at most one part in memory
_TRIES = 2  # of a file as a whole: the places of its parts may lapse meanwhile


def check_file(path: Path) -> str | None:
    """Return why a file cannot be an input, None if it can; it is looked at, not sent."""
    try:
        size, mime = _look(path)
    except FileFaultError as fault:
        return fault.reason
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    named = (guess_type(path.name)[0] or "").partition("/")[0]
    if named in {"image", "video", "audio"} and not mime.startswith(named):
        return f"is named like {named} and holds something else ({mime})"
    return unfit(mime, size)


class Uploads:
    """Implements ``ports.Uploader``."""

    def __init__(
        self,
        *,
        files: Mapping[str, Path],
        client: UploadClient,
        records: UploadRecords,
        clock: Clock,
        at_once: int = AT_ONCE,
    ) -> None:
        """Bind to the files of one manifest.

        Args:
            files: where each content can be read, by its SHA-256.
            client: of the same origin and project as the records.
            records: open, and closed by whoever opened them.
            clock: for stamps.
            at_once: how many files are sent at a time.
        """
        self._files = dict(files)
        self._client = client
        self._records = records
        self._clock = clock
        self._room = asyncio.Semaphore(at_once)
        self._flights: dict[str, asyncio.Lock] = {}
        self._confirmed: set[str] = set()  # asset ids that the service has shown since we began
        self._hopeless: dict[str, BatchgenError] = {}

    def known(self, files: Collection[str]) -> Mapping[str, str] | None:
        """Return the asset id of every file, None if one is not on record; see the port."""
        found = {name: one.asset_id for name, one in self._records.find(files).items() if one.asset_id}
        return found if found.keys() >= set(files) else None

    def forget(self, asset_ids: Collection[str]) -> None:
        """Strike uploads that the service no longer shows off the record; see the port."""
        self._records.forget(asset_ids)
        self._confirmed.difference_update(asset_ids)

    async def ensure(self, files: Collection[str]) -> Mapping[str, str]:
        """Return the asset id of every file; what the service does not have yet is sent; see the port.

        What is on record is confirmed by the service once in the life of this object.
        """
        wanted = list(dict.fromkeys(files))
        await self._confirm(wanted)
        async with asyncio.TaskGroup() as group:
            tasks = {
                name: group.create_task(self._outcome(name), name=f"upload {name[:12]}") for name in wanted
            }
        outcomes = {name: task.result() for name, task in tasks.items()}
        for outcome in outcomes.values():
            if isinstance(outcome, BatchgenError):
                raise outcome
        return {name: one for name, one in outcomes.items() if isinstance(one, str)}

    async def ensure_of(self, files: Mapping[str, Path]) -> Mapping[str, str]:
        """Do the same for files that are not the manifest's; by SHA-256."""
        self._files.update(files)
        return await self.ensure(files)

    async def _confirm(self, files: Collection[str]) -> None:
        """Forget what the service no longer shows: a job that names it would be refused."""
        claimed = {one.asset_id for one in self._records.find(files).values() if one.asset_id}
        claimed -= self._confirmed
        if claimed:
            try:
                shown = await self._client.assets(sorted(claimed))
            except NoRightError:  # it cannot be known: a job that names one that is gone is refused, unpaid
                self._confirmed.update(claimed)
                return
            self._confirmed.update(shown)
            self._records.forget(claimed - shown.keys())

    async def _outcome(self, sha256: str) -> str | BatchgenError:
        """Return the asset id, or what went wrong: one file's trouble must not cancel another's upload."""
        async with self._flights.setdefault(sha256, asyncio.Lock()):
            if sha256 in self._hopeless:
                return self._hopeless[sha256]
            try:
                return await self._asset(sha256)
            except (InputError, RefusedError) as error:
                self._hopeless[sha256] = error
                return error
            except BatchgenError as error:
                return error

    async def _asset(self, sha256: str) -> str:
        kept = self._records.find([sha256]).get(sha256)
        if kept is not None and kept.asset_id:
            return kept.asset_id
        async with self._room:
            asset_id = await self._resumed(kept) if kept is not None else None
            if asset_id is None:
                asset_id = await self._sent(_Content(sha256, self._place_of(sha256)))
        self._confirmed.add(asset_id)
        return asset_id

    def _place_of(self, sha256: str) -> Path:
        if sha256 not in self._files:
            raise InputError(f"no file with the content {sha256[:12]}... is at hand")
        return self._files[sha256]

    async def _resumed(self, kept: Upload) -> str | None:
        """Wait for an upload that an earlier run began; None if it has to be begun again."""
        try:
            upload = await self._client.upload(kept.upload_id)
            if upload.status == "pending":
                return None  # parts may be missing, and their places have lapsed
            return self._keep(kept, await self._client.imported(upload))
        except (NotFoundError, RefusedError):
            return None

    async def _sent(self, content: "_Content") -> str:
        for _ in range(_TRIES - 1):
            try:
                return await self._send(content)
            except TransientError:
                kept = self._records.find([content.sha256]).get(content.sha256)
                asset_id = await self._resumed(kept) if kept is not None else None
                if asset_id is not None:
                    return asset_id
        return await self._send(content)

    async def _send(self, content: "_Content") -> str:
        size, mime = await content.look()
        upload = Upload(sha256=content.sha256, name=content.path.name, bytes=size, at=self._clock.now())
        if is_small_image(mime, size):
            data = await content.whole()
            return self._keep(upload, await self._client.send_image(content.path.name, mime, data))
        remote = await self._in_parts(content, mime, upload)
        return self._keep(upload, await self._client.imported(remote))

    async def _in_parts(self, content: "_Content", mime: str, upload: Upload) -> RemoteUpload:
        """Send a file in parts; it is completed only if what was sent is what was hashed."""
        step = part_size(upload.bytes)
        count = -(-upload.bytes // step)
        remote = await self._client.begin(name=content.path.name, mime=mime, size=upload.bytes, parts=count)
        with await content.opened() as file:
            digest = hashlib.sha256()
            for part in remote.parts:
                data = await content.read(file, step)
                await asyncio.to_thread(digest.update, data)
                if not data:
                    break
                await self._client.put(part, data, mime)
            content.insist(digest.hexdigest())
        # from here on another run can wait for it; before, it could only begin again
        self._records.keep(
            Upload(
                sha256=upload.sha256,
                upload_id=remote.id,
                name=upload.name,
                bytes=upload.bytes,
                at=upload.at,
            )
        )
        return await self._client.complete(remote.id)

    def _keep(self, upload: Upload, asset_id: str) -> str:
        self._records.keep(
            Upload(
                sha256=upload.sha256,
                asset_id=asset_id,
                name=upload.name,
                bytes=upload.bytes,
                at=self._clock.now(),
            )
        )
        return asset_id


class _Content:
    """A file that has to be what it was when it was hashed."""

    def __init__(self, sha256: str, path: Path) -> None:
        self.sha256 = sha256
        self.path = path

    async def look(self) -> tuple[int, str]:
        """Return its size in bytes and its type.

        Raises:
            InputError: it cannot be read, or cannot be an input.
        """
        try:
            size, mime = await asyncio.to_thread(_look, self.path)
        except FileFaultError as fault:
            raise InputError(str(fault)) from fault
        except OSError as error:
            raise self._unreadable(error) from error
        reason = unfit(mime, size)
        if reason is not None:
            raise InputError(f"{self.path}: {reason}")
        return size, mime

    async def whole(self) -> bytes:
        """Return all of a small one.

        Raises:
            InputError: it cannot be read, or is not what it was.
        """
        with await self.opened() as file:
            data = await self.read(file, SMALL_IMAGE + 1)
        self.insist(hashlib.sha256(data).hexdigest())
        return data

    async def opened(self) -> BinaryIO:
        """Open it.

        Raises:
            InputError: it cannot be read.
        """
        try:
            return await asyncio.to_thread(open_plain, self.path)
        except FileFaultError as fault:
            raise InputError(str(fault)) from fault

    async def read(self, file: BinaryIO, count: int) -> bytes:
        """Return the next bytes of it.

        Raises:
            InputError: it cannot be read.
        """
        try:
            return await asyncio.to_thread(file.read, count)
        except OSError as error:
            raise self._unreadable(error) from error

    def insist(self, sha256: str) -> None:
        """Refuse to go on with another content.

        Raises:
            InputError: it is another one.
        """
        if sha256 != self.sha256:
            raise InputError(f"{self.path}: has changed since it was read; run the same command again")

    def _unreadable(self, error: OSError) -> InputError:
        return InputError(f"{self.path}: cannot be read: {error.strerror}")


def _look(path: Path) -> tuple[int, str]:
    with open_plain(path) as file:
        head = file.read(HEAD)
        size = os.fstat(file.fileno()).st_size
    return size, kind_of(head).mime


@asynccontextmanager
async def uploading(
    batch: Batch,
    options: Options,
    service: Service,
    service_clock: ServiceClock | None = None,
) -> AsyncIterator[tuple[ScenarioClient, Uploads | None]]:
    """Open the client of a run, and what sends local files for it; None where none may have to go.

    They are the manifest's, and what came out of jobs that feed others: the service may have it no more.
    Before that, blank pictures stand in for it while prices are asked.

    Args:
        batch: whose files they are, and where they go to.
        options: where uploads are kept.
        service: open, as the project of the batch.
        service_clock: learns from every answer; None where nobody asks.

    Raises:
        JournalError: the file cannot be opened.
    """
    manifest, origin, project = batch.manifest, batch.scope.origin, batch.project
    if not manifest.files and batch.plan.lineage.is_empty:
        client = ScenarioClient(service.transport, service.gate, project=project, service_clock=service_clock)
        yield client, None
        return
    with options.journal.uploads(origin=origin, project=project) as records:
        async with HttpParts() as parts:
            sending = UploadClient(
                service.transport, service.gate, project=project, parts=parts, service_clock=service_clock
            )
            places = {**_of_parents(batch), **manifest.files}
            files = Uploads(files=places, client=sending, records=records, clock=options.clock)
            yield sending, files


def _of_parents(batch: Batch) -> dict[str, Path]:
    """Return where the files of jobs that feed others are to lie, by content."""
    parents = (batch.plan.entries[place].record for place in batch.plan.lineage.children)
    return {one.sha256: batch.folder / one.path for record in parents for one in record.files}


def file_problems(manifest: Manifest, indices: Iterable[int]) -> list[Problem]:
    """Name each local file of these jobs that cannot be an input, where it is written first; reads them."""
    wrong: dict[str, str | None] = {}
    seen: set[int] = set()
    problems = []
    for index in indices if manifest.files else ():
        params = manifest.jobs[index].params
        if id(params) in seen:  # jobs of one entry share them
            continue
        seen.add(id(params))
        for path, sha256 in _places(params, ("params",)):
            if sha256 in wrong or sha256 not in manifest.files:
                continue
            wrong[sha256] = why = check_file(manifest.files[sha256])
            if why is not None:
                place = manifest.place_of(index, *path)
                text = f"{manifest.files[sha256].name}: {why}"
                problems.append(Problem(place.source, place.line, place.column, text))
    return problems


def _places(value: Json, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if is_file(value):
        yield path, value["sha256"]
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _places(one, (*path, name))
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value):
            yield from _places(one, (*path, number))
