"""The files of a batch on the disk: which are not as they are on record, and fetching them again.

Nothing is overwritten: what stands in a file's place with other bytes is kept in ``earlier/``.
"""

import asyncio
import hashlib
import shutil
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from batchgen.errors import DownloadError, OutputError, ServiceError, StoppedError
from batchgen.lifecycle import Record
from batchgen.model import File, Job
from batchgen.output.atomic import output_error
from batchgen.output.disk import BatchDisk
from batchgen.output.downloads import Downloader
from batchgen.output.links import linked_folders, make_way
from batchgen.planning.file_places import Lies, beside, earlier

_STAGING = ".audit"  # where files are fetched to


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
    damaged: Iterable[Damaged], folder: Path, open_downloads: Callable[[Path], Downloader], *, home: str
) -> list[Damaged]:
    """Fetch the files into a folder beside, and put those with the recorded bytes into their places.

    Args:
        damaged: which.
        folder: of the batch.
        open_downloads: opens what fetches files under the names of their assets into a folder.
        home: the folder of the slot's results, relative to the batch's; empty for that itself.

    Raises:
        OutputError: the disk is at fault.
        StoppedError: the service does not let us ask for the URLs.
    """
    damaged = list(damaged)
    make_way(folder, {one.file.path.partition("/")[0] for one in damaged})
    staging = folder / _STAGING
    await asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True)  # what a killed audit left
    try:
        async with (
            open_downloads(staging) as downloader,
            asyncio.TaskGroup() as group,
        ):
            tasks = [
                group.create_task(_fetch(downloader, one, folder, home=home), name=f"fix:{one.file.asset_id}")
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
    downloader: Downloader, damaged: Damaged, folder: Path, *, home: str
) -> Damaged | StoppedError | OutputError:
    """Return an error as a value: one file's failure must not cut its neighbours short."""
    wanted = damaged.file
    try:
        (got,) = await downloader.collect(damaged.job, [wanted.asset_id])
        if (got.bytes, got.sha256) != (wanted.bytes, wanted.sha256):
            told = f"the service gives other bytes now ({got.bytes}, SHA-256 {got.sha256}); left as it is"
            return replace(damaged, told=told)
        disk = BatchDisk(folder, home=home)
        told = await asyncio.to_thread(_put_back, disk, f"{_STAGING}/{got.path}", wanted, home=home)
    except (StoppedError, OutputError) as error:
        return error
    except (DownloadError, ServiceError) as error:
        return replace(damaged, told=f"not fetched: {error}")
    return replace(damaged, fixed=True, told=told)


def _put_back(disk: BatchDisk, fetched: str, wanted: File, *, home: str) -> str:
    """Move a file to its place and say what became of the one that stood there.

    Raises:
        OutputError: both are where they were, or the older one is in ``earlier/``.
    """
    told, place = "fetched again", wanted.path
    try:
        disk.make_folder_of(place)
        if disk.lies(place) is not Lies.NOTHING:  # perhaps somebody's own work: it is never overwritten
            aside = _moved_aside(disk, wanted, home)
            told = f"fetched again; what was there is kept as {aside}"
        disk.move(fetched, place)
        disk.sync([place])
    except OSError as error:
        raise output_error(disk.folder / place, error) from error
    return told


def _moved_aside(disk: BatchDisk, wanted: File, home: str) -> str:
    for path in beside(earlier(wanted.path, wanted.asset_id, home), wanted.asset_id):
        disk.make_folder_of(path)
        if not disk.same_names(path):
            try:
                disk.move(wanted.path, path)
            except FileExistsError:  # in the meantime
                continue
            disk.sync([path])
            return path
    raise AssertionError("names never run out")
