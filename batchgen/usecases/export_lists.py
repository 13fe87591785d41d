"""Which files an export is of, and what it says of the jobs that they are of."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias, overload

from batchgen.model import File, Json
from batchgen.output.entries import Row, entry
from batchgen.output.export_files import Unfit
from batchgen.output.missing_files import Found, finder
from batchgen.output.picture_sizes import size_of
from batchgen.plain_files import FileFaultError, open_plain
from batchgen.planning.export_changes import Exportable
from batchgen.planning.file_names import SUSPECT
from batchgen.planning.file_places import ASSETS, Namer, extension_of, kind_word
from batchgen.planning.slots import seen_from
from batchgen.wiring.batch import Batch
from batchgen.wiring.outputs import namer_of

NamedAs: TypeAlias = Callable[[Row, int, File], str]


class LostFile(NamedTuple):
    """A file on record that cannot be exported.

    Attributes:
        job: the id of its job.
        path: relative to the batch's folder.
        why: what is wrong with it.
        is_missing: whether a run fetches it again; an audit does otherwise.
    """

    job: str
    path: str
    why: str
    is_missing: bool


class JobLines(Sequence[Mapping[str, Json]]):
    """What results say of some jobs, made when it is asked for."""

    def __init__(
        self, rows: Sequence[Row], exported: Mapping[tuple[str, str], Mapping[str, Json]] | None = None
    ) -> None:
        """Take the jobs.

        Args:
            rows: of the results.
            exported: what is to be said of each file otherwise, by job and asset; None for nothing.
        """
        self._rows = rows
        self._exported = exported

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Mapping[str, Json]]:
        return map(self._line, self._rows)

    @overload
    def __getitem__(self, at: int) -> Mapping[str, Json]: ...
    @overload
    def __getitem__(self, at: slice) -> "JobLines": ...
    def __getitem__(self, at: int | slice) -> "Mapping[str, Json] | JobLines":
        if isinstance(at, slice):
            return JobLines(self._rows[at], self._exported)
        return self._line(self._rows[at])

    def _line(self, row: Row) -> Mapping[str, Json]:
        told = entry(row)
        if self._exported is not None:
            here = ((one, self._exported.get((row.job.id, one["asset_id"]))) for one in told["files"])
            told["files"] = [{**one, **change} for one, change in here if change is not None]
        return told


class ExportLists:
    """The files of some jobs, with the paths that they are to have.

    Attributes:
        files: what is to be exported.
        told: what is to be said of each file otherwise than results do, by job and asset.
        jobs: how many have any.
        without: how many have none yet.
        lost: files on record that are not as they are on record.
    """

    def __init__(
        self, rows: Sequence[Row], name: NamedAs, folder: Path, is_meant: Callable[[int, str], bool]
    ) -> None:
        """Look at the disk; blocks.

        Args:
            rows: of the jobs.
            name: gives each file its path.
            folder: the batch's.
            is_meant: says of one of several assets of a job, by its number, whether it is meant.
        """
        self.files: list[Exportable] = []
        self.told: dict[tuple[str, str], Mapping[str, Json]] = {}
        self.jobs = 0
        self.without = 0
        self.lost: list[LostFile] = []
        self._folder = folder
        self._name = name
        found_in = finder(folder)
        for row in rows:
            kept = row.record.kept_files if row.record is not None else ()
            if row.record is not None and len(row.record.asset_ids) > 1:
                kept = tuple(one for one in kept if is_meant(row.index, one.asset_id))
            self.jobs += bool(kept)
            self.without += not kept
            for file in kept:
                self._add(row, file, found_in(file))

    def _add(self, row: Row, file: File, found: Found) -> None:
        index = _index(row, file)
        path = self._name(row, index, file)
        one = Exportable(path, file.path, file.sha256, file.bytes, file.asset_id, row.job.id)
        change: dict[str, Json] = {"path": path}
        try:
            if found is Found.EDITED:
                one, facts = _as_it_is(one, self._folder / file.path, file.mime)
                change |= facts
        except FileFaultError as fault:
            self.lost.append(LostFile(row.job.id, file.path, fault.reason, fault.missing))
            return
        if found is Found.LOST:
            self.lost.append(LostFile(row.job.id, file.path, "is missing or damaged", is_missing=True))
        self.files.append(one)
        self.told[row.job.id, file.asset_id] = change


def lost_of(unfit: Unfit) -> LostFile:
    """Return what is told of a file that was found to be unfit when it was copied."""
    return LostFile(unfit.file.job, unfit.file.source, unfit.why, unfit.is_missing)


def names_as_now(batch: Batch) -> NamedAs:
    """Return what gives files the names that they have in the batch's folder, without ``assets/``."""
    namer = namer_of(batch)

    def name(row: Row, index: int, file: File) -> str:
        path = seen_from(row.home, file.path)
        below = path.removeprefix(f"{ASSETS}/")
        if below == path or SUSPECT.search(below):  # it lies elsewhere, as it waits for its name
            return _named(namer, row, index, file)
        return below

    return name


def names_by(namer: Namer) -> NamedAs:
    """Return what gives files the names of a template."""

    def name(row: Row, index: int, file: File) -> str:
        return _named(namer, row, index, file)

    return name


def _named(namer: Namer, row: Row, index: int, file: File) -> str:
    kind = file.kind or kind_word(file.mime)
    extension = extension_of(file.path)
    return namer(row.job, index=index, asset_id=file.asset_id, kind=kind, extension=extension)


def _index(row: Row, file: File) -> int:
    ids = row.record.asset_ids if row.record is not None else ()
    return ids.index(file.asset_id) if file.asset_id in ids else len(ids)


def _as_it_is(one: Exportable, path: Path, mime: str) -> tuple[Exportable, Mapping[str, Json]]:
    """Return a file that a person has changed as it is now, and what is to be said of it.

    Raises:
        FileFaultError: it cannot be read.
    """
    with open_plain(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        count = file.tell()
    size = size_of(path, mime)
    facts = {"sha256": digest, "bytes": count, "width": size and size.width, "height": size and size.height}
    return one._replace(sha256=digest, bytes=count, edited=True), facts
