"""The files of a batch on the disk: which are not as they are on record, and fetching them again.

Nothing is overwritten: what stands in a file's place with other bytes is kept beside it.
"""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import count
from pathlib import Path

from batchgen.errors import DownloadError, OutputError, ServiceError, StoppedError
from batchgen.lifecycle import Record
from batchgen.model import File, Job
from batchgen.output.atomic import output_error, sync_folder
from batchgen.output.downloads import Downloader
from batchgen.output.links import linked_folders, ours_in, remove


class Damage(StrEnum):
    """What is wrong with a file that is on record."""

    MISSING = "missing"
    SIZE = "another size"
    BYTES = "other bytes"
    UNREADABLE = "cannot be read"


@dataclass(frozen=True, kw_only=True, slots=True)
class Damaged:
    """A file that is not on the disk as it is on record.

    Attributes:
        job: whose it is.
        file: what is on record.
        found: what is wrong with it.
        fixed: whether it was fetched again and is there now.
        told: what was done about it; empty where nothing was tried.
        gone: whether the service did not have it any more when a run asked.
    """

    job: Job
    file: File
    found: Damage
    fixed: bool = False
    told: str = ""
    gone: bool = False


def files_of(records: Iterable[Record]) -> list[tuple[Job, File]]:
    """Return every file on record once: equal bytes of two jobs may share one."""
    known = [(one.job, file) for one in records if one.job is not None for file in one.files]
    return list({file.path: (job, file) for job, file in known}.values())


def damaged_among(
    files: Iterable[tuple[Job, File]], folder: Path, *, gone: Collection[str] = ()
) -> list[Damaged]:
    """Read the files; blocks.

    Args:
        files: which.
        folder: of the batch.
        gone: assets that the service had no more when a run asked for them.
    """
    others = linked_folders(folder)  # what is seen there is another slot's

    def damage(file: File) -> Damage | None:
        return Damage.MISSING if file.path.startswith(others) else _damage(folder / file.path, file)

    return [
        Damaged(job=job, file=file, found=found, gone=file.asset_id in gone)
        for job, file in files
        if (found := damage(file)) is not None
    ]


def _damage(path: Path, file: File) -> Damage | None:
    try:
        if not path.is_file():
            return Damage.MISSING
        if path.stat().st_size != file.bytes:
            return Damage.SIZE
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return Damage.UNREADABLE
    return None if digest == file.sha256 else Damage.BYTES


async def fetch_again(
    damaged: Iterable[Damaged], folder: Path, open_downloads: Callable[[Path], Downloader]
) -> list[Damaged]:
    """Fetch the files into a folder beside, and put those with the recorded bytes into their places.

    Args:
        damaged: which.
        folder: of the batch.
        open_downloads: opens what fetches files under the names of their assets into a folder.

    Raises:
        OutputError: the disk is at fault.
        StoppedError: the service does not let us ask for the URLs.
    """
    damaged = list(damaged)
    for name in {one.file.path.partition("/")[0] for one in damaged}.intersection(ours_in(folder)):
        remove(folder / name)  # or its files would be put among another slot's
    staging = folder / ".audit"
    await asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True)  # what a killed audit left
    try:
        async with (
            open_downloads(staging) as downloader,
            asyncio.TaskGroup() as group,
        ):
            tasks = [
                group.create_task(_fetch(downloader, one, staging, folder), name=f"fix:{one.file.asset_id}")
                for one in damaged
            ]
    finally:
        await asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True)
    outcomes = [task.result() for task in tasks]
    fixed = []
    for one in outcomes:
        if not isinstance(one, Damaged):
            raise one
        fixed.append(one)
    return fixed


async def _fetch(
    downloader: Downloader, damaged: Damaged, staging: Path, folder: Path
) -> Damaged | StoppedError | OutputError:
    """Return an error as a value: one file's failure must not cut its neighbours short."""
    wanted = damaged.file
    try:
        (got,) = await downloader.collect(damaged.job, [wanted.asset_id])
        if (got.bytes, got.sha256) != (wanted.bytes, wanted.sha256):
            told = f"the service gives other bytes now ({got.bytes}, SHA-256 {got.sha256}); left as it is"
            return replace(damaged, told=told)
        told = await asyncio.to_thread(_put_back, staging / got.path, folder / wanted.path)
    except (StoppedError, OutputError) as error:
        return error
    except (DownloadError, ServiceError) as error:
        return replace(damaged, told=f"not fetched: {error}")
    return replace(damaged, fixed=True, told=told)


def _put_back(fetched: Path, place: Path) -> str:
    """Move a file to its place and say what became of the one that stood there.

    Raises:
        OutputError: both are where they were, or the older one is beside its place.
    """
    told = "fetched again"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(place):  # perhaps somebody's own work: what is there is never overwritten
            aside = _free_beside(place)
            place.rename(aside)
            told = f"fetched again; what was there is kept as {aside.name}"
        fetched.rename(place)
        sync_folder(place.parent)
    except OSError as error:
        raise output_error(place, error) from error
    return told


def _free_beside(place: Path) -> Path:
    numbered = (place.with_name(f"{place.name}.damaged{number or ''}") for number in count())
    return next(one for one in numbered if not os.path.lexists(one))
