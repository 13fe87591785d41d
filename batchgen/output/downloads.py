"""Gets the assets of finished jobs onto the disk: an implementation of ``ports.Collector``.

How often to try and in which order is decided here; URLs, bytes and names each have a
module of their own. A download costs nothing, so it is tried again without asking.
"""

import asyncio
import random
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

from batchgen.backoff import Backoff
from batchgen.errors import BatchgenError, DownloadError, TransientError, WhyMissing
from batchgen.model import Asset, File, Job
from batchgen.output.asset_store import AssetStore, named_by
from batchgen.output.atomic import output_error
from batchgen.output.file_checks import trouble_with
from batchgen.output.kinds import kind_of
from batchgen.output.known_files import KnownFiles
from batchgen.output.picture_sizes import size_of
from batchgen.output.transfer import Arrived, Cdn, TransferError
from batchgen.output.urls import AssetSource, AssetUrls
from batchgen.planning.file_places import Namer
from batchgen.ports import Collector

__all__ = ["AssetSource", "Downloader"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Want:
    """One asset of one job, and where its file goes."""

    store: AssetStore
    job: Job
    index: int
    asset_id: str


class Downloader:
    """Fetches files side by side and asks for their URLs in bulk. An async context manager.

    One at a time may work in a folder: on entering, it clears away the parts of earlier ones.

    Args:
        assets: the service.
        folder: the batch's; files go into ``assets/`` under it.
        template: of names made of what is known of a job alone; see ``file_names.FileNames``.
        namer: what files are called, where that is more than the template.
        home: the folder of the slot's results, relative to the batch's; empty for that itself.
        connections: files on their way at the same time.
        known: files on record; what is still there as recorded is not fetched again.
        edited: assets whose files somebody has changed: those are left as they are.
        tries: per file, the first included.
        backoff: between tries.
        oldest_url: seconds after which a URL is asked for again.
        spacing: least seconds between two calls for URLs; see ``AssetUrls``.

    Raises:
        InputError: the template names what does not exist.
    """

    def __init__(
        self,
        assets: AssetSource,
        folder: Path,
        *,
        template: str = "{id}_{index}",
        namer: Namer | None = None,
        home: str = "",
        connections: int = 8,
        known: KnownFiles | None = None,
        edited: Collection[str] = (),
        tries: int = 5,
        backoff: Backoff | None = None,
        oldest_url: float = 3600.0,
        spacing: float = 3.0,
    ) -> None:
        self._urls = AssetUrls(assets, oldest=oldest_url, spacing=spacing)
        self._store = AssetStore(folder, namer=namer or named_by(template), home=home)
        self._stores = [self._store]
        self._cdn = Cdn(connections=connections)
        self._slots = asyncio.Semaphore(connections)
        self._known = known or KnownFiles()
        self._edited = frozenset(edited)
        self._tries = tries
        self._backoff = backoff or Backoff()
        self._group = asyncio.TaskGroup()
        self._server: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._store.prepare)
        await self._cdn.__aenter__()
        await self._group.__aenter__()
        self._server = self._group.create_task(self._urls.serve(), name="asset-urls")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.cancel()
        try:
            # only a cancellation is the group's business: another error would come back wrapped in a group
            cancelled = isinstance(error, asyncio.CancelledError)
            await self._group.__aexit__(*((kind, error, trace) if cancelled else (None, None, None)))
        finally:
            await self._cdn.__aexit__(None, None, None)
            for store in self._stores:
                await asyncio.to_thread(store.close)

    async def collect(self, job: Job, asset_ids: Sequence[str]) -> tuple[File, ...]:
        """Put every asset on disk and describe the files, in the order of the ids.

        Raises:
            DownloadError: names every asset that did not arrive, and why; the others are on disk.
            OutputError: the disk is at fault.
            StoppedError: the service does not let us ask for the URLs.
        """
        return await self.collect_into(self._store, job, asset_ids)

    def into(self, store: AssetStore) -> Collector:
        """Return what fetches into another folder by the same connections; it is made for the first file."""
        self._stores.append(store)
        return _Into(self, store)

    async def collect_into(self, store: AssetStore, job: Job, asset_ids: Sequence[str]) -> tuple[File, ...]:
        """Do as ``collect`` does, into a folder that is prepared."""
        wants = {
            one: _Want(store=store, job=job, index=at, asset_id=one)
            for at, one in enumerate(dict.fromkeys(asset_ids))
        }
        # nobody renames these meanwhile, nor before they are on record: the caller awaits nothing in between
        async with self._known.fetching(wants):
            async with asyncio.TaskGroup() as group:
                tasks = {
                    one: group.create_task(self._outcome(want), name=f"asset:{one}")
                    for one, want in wants.items()
                }
            outcomes = {one: task.result() for one, task in tasks.items()}
            _raise_worst(job, outcomes)
            return tuple(file for one in asset_ids if isinstance(file := outcomes[one], File))

    async def _outcome(self, want: _Want) -> File | BatchgenError:
        """Return an error as a value: one asset's failure must not cut its neighbours short."""
        try:
            return await self._get(want)
        except BatchgenError as error:
            return error

    async def _get(self, want: _Want) -> File:
        known = self._known.get(want.asset_id)
        if known is not None and (
            want.asset_id in self._edited or await asyncio.to_thread(want.store.holds, known)
        ):
            return known
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._tries),
            wait=self._wait,
            retry=retry_if_exception_type((TransferError, TransientError)),
            reraise=True,
        )
        file: File = await retrying(self._try, want)
        self._known.put(file)
        return file

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, TransientError) else None
        jitter = random.random()  # noqa: S311 - spreads retries, guards nothing
        return self._backoff.wait(state.attempt_number, jitter=jitter, asked=asked)

    async def _try(self, want: _Want) -> File:
        await self._asset(want)  # waits with the others that are asked for in the same call
        async with self._slots:
            asset = await self._asset(want)  # the same one, unless the wait for the slot was long
            try:
                return await self._fetch(want, asset)
            except TransferError as error:
                if error.url_spent:
                    self._urls.forget(want.asset_id)
                raise

    async def _asset(self, want: _Want) -> Asset:
        asset = await self._urls.fresh(want.asset_id)
        if asset is None:
            raise TransferError("the service does not show it", reason=WhyMissing.GONE)
        return asset

    async def _fetch(self, want: _Want, asset: Asset) -> File:
        part = want.store.part(want.asset_id)
        try:
            arrived = await self._cdn.fetch(asset.url, part, size=asset.size)
            file = await asyncio.to_thread(self._keep, want, asset, part, arrived)
        finally:
            with suppress(OSError):  # a folder that is gone has no parts, and said so already
                part.unlink(missing_ok=True)
        self._urls.forget(want.asset_id)
        return file

    def _keep(self, want: _Want, asset: Asset, part: Path, arrived: Arrived) -> File:
        """Hold what arrived against what the service says of it, and put it under its name. Blocks.

        Raises:
            TransferError: it is not the asset's file, or not all of it.
            OutputError: the disk is at fault.
        """
        kind = kind_of(arrived.head, declared=asset.mime)
        try:
            trouble = trouble_with(part, arrived.head, kind, asset)
            size = None if trouble else size_of(part, kind.mime)
        except OSError as error:
            raise output_error(part, error) from error
        if trouble:
            raise TransferError(trouble, url_spent=True, reason=WhyMissing.UNFIT)
        known = self._known.get(want.asset_id)
        path = want.store.place(
            part,
            arrived,
            job=want.job,
            index=want.index,
            asset_id=want.asset_id,
            kind=kind,
            lay=known.path if known is not None else "",
        )
        width, height = size or (asset.width, asset.height)
        return File(
            asset_id=want.asset_id,
            path=path,
            bytes=arrived.size,
            sha256=arrived.sha256,
            mime=kind.mime,
            width=width or None,
            height=height or None,
            duration=asset.duration or None,
            kind=asset.kind,
            type=asset.type,
        )


class _Into:
    """Fetches into a folder of its own; the pool of connections and the calls for URLs are shared."""

    def __init__(self, downloader: Downloader, store: AssetStore) -> None:
        self._downloader = downloader
        self._store = store
        self._is_prepared = False
        self._preparing = asyncio.Lock()

    async def collect(self, job: Job, asset_ids: Sequence[str]) -> tuple[File, ...]:
        """Put every asset on disk; see ``Downloader.collect``."""
        async with self._preparing:
            if not self._is_prepared:
                await asyncio.to_thread(self._store.prepare)
                self._is_prepared = True
        return await self._downloader.collect_into(self._store, job, asset_ids)


def _raise_worst(job: Job, outcomes: Mapping[str, File | BatchgenError]) -> None:
    errors = {one: error for one, error in outcomes.items() if isinstance(error, BatchgenError)}
    missing = {
        one: error for one, error in errors.items() if isinstance(error, DownloadError | TransientError)
    }
    for one, error in errors.items():
        if one not in missing:
            raise error
    if missing:
        told = "; ".join(f"{one}: {error}" for one, error in missing.items())
        why = {
            one: error.reason if isinstance(error, TransferError) else WhyMissing.LATE
            for one, error in missing.items()
        }
        raise DownloadError(f"{job.id}: {told}", why=why) from next(iter(missing.values()))
