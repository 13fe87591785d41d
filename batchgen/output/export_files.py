"""Bringing files into a folder that others use: all are complete beside first, then each comes in one rename.

What comes is on record there before the first of them has its name, so that a kill at any moment leaves whole
files only, and the same export again completes them and knows them for its own.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from batchgen.errors import InputError, OutputError
from batchgen.formats import counted
from batchgen.output.atomic import output_error
from batchgen.output.export_disk import ExportDisk
from batchgen.output.export_record import ExportRecord, record_chunks
from batchgen.plain_files import FileFaultError
from batchgen.planning.export_changes import Changes, Exportable, Put, Seen
from batchgen.planning.file_places import Lies

_THREADS = 4  # hashing and writing would wait for each other in one


class Unfit(NamedTuple):
    """A file that cannot be exported, as it is not what is on record.

    Attributes:
        file: what was to be exported.
        why: what is wrong with it.
        is_missing: whether it is not there at all.
    """

    file: Exportable
    why: str
    is_missing: bool = False


class Source(NamedTuple):
    """Where files come from, and how.

    Attributes:
        base: the batch's folder.
        batch: its name.
        link: whether files get a second name; they are copied otherwise.
    """

    base: Path
    batch: str
    link: bool


def carry_in(
    disk: ExportDisk, changes: Changes, source: Source, record: ExportRecord, raw: bytes | None
) -> list[Unfit]:
    """Do what was decided; blocks.

    Args:
        disk: the folder, open.
        changes: what is to be done: what is stale in it is removed.
        source: where the files come from.
        record: what earlier exports put there, and what is to be said of mappings from now on.
        raw: what the record in the folder says; None where there is none.

    Returns:
        The files that are not what is on record; where there is any, nothing was changed.

    Raises:
        InputError: something is in the way that was not there before, or files cannot be linked.
        OutputError: the disk is at fault; it says how far it came.
    """
    work = _Work(disk, changes, source, record)
    coming = [*changes.new, *changes.replaced]
    if not (coming or changes.stale or disk.is_left_over) and raw == b"".join(work.record()):
        return []
    disk.prepare()
    try:
        if unfit := work.stage(coming):
            disk.undo()
            return unfit
        disk.make_folders(one.path.rpartition("/")[0] for one in coming)
        disk.write_record(work.record(is_coming=True))
    except OSError as error:
        disk.undo()
        raise output_error(disk.folder, error) from error
    except BaseException:
        disk.undo()
        raise
    try:
        work.finish(coming)
        disk.tidy()
    except OSError as error:
        disk.undo()
        raise _broken_off(disk.folder, error, work.done, len(coming)) from error
    except BaseException:
        disk.undo()
        raise
    return []


def _broken_off(folder: Path, error: OSError, done: int, count: int) -> InputError | OutputError:
    there = f"{done} of {counted(count, 'file')} are in their places; the same command goes on"
    if isinstance(error, FileExistsError):
        return InputError(f"{folder}: {error.filename or 'a file'}: {error.strerror}: {there}")
    return OutputError(f"{output_error(folder, error)}; {there}")


class _Work:
    """One export under way.

    Attributes:
        done: how many files are in their places.
    """

    def __init__(self, disk: ExportDisk, changes: Changes, source: Source, record: ExportRecord) -> None:
        self.done = 0
        self._disk = disk
        self._changes = changes
        self._source = source
        self._mappings = record.mappings
        self._came: dict[str, Put] = {}
        self._before: dict[str, Put] = {}
        self._open: dict[str, Put] = {}  # of other batches, whose export was cut off: one of two is there
        for path, puts in record.puts.items():
            seen = disk.seen(path)
            if seen.lies is Lies.NOTHING and not seen.blocked:
                continue
            self._before[path] = changes.known.get(path, puts[0])
            if path not in changes.known and len(puts) > 1:
                self._open[path] = puts[-1]

    def record(self, *, is_coming: bool = False) -> list[bytes]:
        """Return what the record says when all is done, or before the first file has its name.

        Args:
            is_coming: whether files are about to have their names.
        """
        if is_coming:
            return list(record_chunks(self._before, {**self._open, **self._came}, self._mappings))
        gone = {*self._changes.stale, *self._changes.makes_way}
        files = {path: put for path, put in self._before.items() if path not in gone}
        still = {path: put for path, put in self._open.items() if path not in self._came}
        return list(record_chunks({**files, **self._came}, still, self._mappings))

    def stage(self, files: Sequence[Exportable]) -> list[Unfit]:
        """Bring all files beside, and return those that are not what they were said to be.

        Raises:
            InputError: files cannot be linked.
            OSError: the disk is at fault.
        """
        with ThreadPoolExecutor(_THREADS) as pool:
            staged = pool.map(self._stage_one, range(len(files)), files)
            try:
                return [one for one in staged if one is not None]
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _stage_one(self, number: int, file: Exportable) -> Unfit | None:
        stage = self._disk.stage_link if self._source.link else self._disk.stage_copy
        try:
            sha256, seen = stage(number, self._source.base / file.source)
        except FileFaultError as fault:
            return Unfit(file, "is missing" if fault.missing else fault.reason, fault.missing)
        if sha256 != file.sha256:
            return Unfit(file, "has other bytes than were recorded")
        self._came[file.path] = Put(sha256, seen.bytes, seen.modified, file.asset_id, self._source.batch)
        return None

    def finish(self, files: Sequence[Exportable]) -> None:
        """Bring all files to their places, remove what goes, and say so in the record.

        Raises:
            OSError: the disk is at fault, or something is in the way.
        """
        disk, replaced = self._disk, {one.path for one in self._changes.replaced}
        for path in self._changes.makes_way:
            disk.remove(path)
        for number, one in sorted(enumerate(files), key=lambda each: each[1].path):
            over: Seen | None = disk.seen(one.path) if one.path in replaced else None
            disk.put(number, one.path, over=over)
            self.done += 1
        for path in self._changes.stale:
            disk.remove(path)
        disk.sync(_paths(files, self._changes.stale, self._changes.makes_way))
        disk.write_record(self.record())


def _paths(files: Iterable[Exportable], *others: Iterable[str]) -> list[str]:
    return [*(one.path for one in files), *(path for paths in others for path in paths)]
