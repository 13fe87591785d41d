"""Which files on record are not on the disk any more, and which somebody has changed. Looks at sizes alone.

A file of another size that is a sound one is somebody's work and is left alone; one that is empty or cut
is damage. What has the recorded size is taken to be the recorded file: an audit reads the bytes.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from pathlib import Path
from stat import S_ISREG

from batchgen.identity import references_of
from batchgen.model import File, JobKey
from batchgen.output.links import linked_folders
from batchgen.planning.plan import Plan
from batchgen.record import Record, State


@dataclass(frozen=True, kw_only=True, slots=True)
class FilesLook:
    """What a look at the files of a batch has found.

    Attributes:
        lost: how many files of each job are gone or damaged, or are back; jobs without one are left out.
        missing: how many files on record are not on the disk, those that are gone for good included.
        assets: whose files the lost ones are.
        edited: the files that somebody has changed.
        unfetched: how many files of each job were left at the service and are wanted now; jobs without one
            are left out.
    """

    lost: Mapping[JobKey, int] = field(default_factory=dict)
    missing: int = 0
    assets: frozenset[str] = frozenset()
    edited: tuple[File, ...] = ()
    unfetched: Mapping[JobKey, int] = field(default_factory=dict)

    @property
    def keys(self) -> frozenset[JobKey]:
        """The jobs of which something is to be fetched."""
        return frozenset(self.lost) | frozenset(self.unfetched)

    @property
    def files(self) -> int:
        """How many files are lost."""
        return sum(self.lost.values())


def look_at_files(records: Mapping[JobKey, Record], folder: Path) -> FilesLook:
    """Look once at each file on record; blocks, some milliseconds for a thousand.

    What is on record as gone for good is looked at too: somebody may have put it back.

    Args:
        records: of a batch.
        folder: the batch's.
    """
    lost: dict[JobKey, int] = {}
    edited: list[File] = []
    assets: list[str] = []
    missing, found_in = 0, finder(folder)
    for key, record in records.items():
        for file in record.files:
            found = found_in(file)
            missing += found is Found.LOST
            if found is Found.EDITED:
                edited.append(file)
            if (found is Found.LOST) is not (file.asset_id in record.gone):
                lost[key] = lost.get(key, 0) + 1
                assets.append(file.asset_id)
    return FilesLook(lost=lost, missing=missing, assets=frozenset(assets), edited=tuple(edited))


def look_at_wanted_files(
    plan: Plan, records: Mapping[JobKey, Record], folder: Path, *, only_last: bool = False
) -> FilesLook:
    """Look which files are wanted and are not on the disk; blocks.

    Args:
        plan: of a batch.
        records: of the batch.
        folder: the batch's.
        only_last: whether those of jobs that feed other jobs need not be there.
    """
    left = {plan.entries[place].key for place in plan.lineage.children} if only_last else set()
    there = {key: record for key, record in records.items() if key not in left} if left else records
    found = look_at_files(there, folder)
    steps = _in_chains(plan) - left
    return replace(found, unfetched=_left_at_service({key: records[key] for key in steps & records.keys()}))


def _in_chains(plan: Plan) -> set[JobKey]:
    """Return the jobs of the manifest that are in a chain, or were before it was changed."""
    now = {plan.entries[place].key for place in {*plan.lineage.parents, *plan.lineage.children}}
    before = (references_of(one.job) for one in (*plan.removed, *plan.earlier))
    fed = {one.key for named in before for one in named if one.key is not None}
    return now | (fed & {one.key for one in plan.entries}) if fed else now


def _left_at_service(records: Mapping[JobKey, Record]) -> dict[JobKey, int]:
    """Count the files of jobs that are done which no run has been to fetch, by job."""
    found: dict[JobKey, int] = {}
    for key, record in records.items():
        if record.state is State.COLLECTED and len(record.asset_ids) > len(record.files):
            known = {*(file.asset_id for file in record.files), *record.gone, *record.grown}
            if left := len(set(record.asset_ids) - known):
                found[key] = left
    return found


def missing_among(records: Iterable[Record], folder: Path) -> int:
    """Count the files on record that are not on the disk, those included that are gone for good; blocks."""
    found_in = finder(folder)
    return sum(found_in(file) is Found.LOST for record in records for file in record.files)


class Found(Enum):
    """How a file on record is on the disk."""

    THERE = auto()
    EDITED = auto()
    LOST = auto()


def finder(folder: Path) -> Callable[[File], Found]:
    """Return what looks for a file in a batch's folder; what a link shows there is another slot's."""
    base, others = os.fspath(folder), linked_folders(folder)

    def found(file: File) -> Found:
        if file.path.startswith(others):
            return Found.LOST
        return _found(f"{base}/{file.path}", file.bytes, file.mime)

    return found


def _found(path: str, size: int, mime: str) -> Found:
    try:
        status = os.stat(path)  # noqa: PTH116 - a hundred thousand of them, at half the time
    except (FileNotFoundError, NotADirectoryError):
        return Found.LOST
    except OSError:  # it may be there, and could not be written either
        return Found.THERE
    if not S_ISREG(status.st_mode):
        return Found.LOST
    if status.st_size == size:
        return Found.THERE
    from batchgen.output.file_formats import flaw_of  # noqa: PLC0415 - few files are another size, and it reads all

    try:
        return Found.LOST if flaw_of(Path(path), mime) else Found.EDITED
    except OSError:
        return Found.EDITED
