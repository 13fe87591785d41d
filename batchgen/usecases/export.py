"""The current files of a batch in a second tree, under other names; looks at journal and disk as a page does.

No lock, no service, no key: a run may go on beside. All is found out before anything is written.
"""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from batchgen.errors import InputError, Problem
from batchgen.exits import Exit
from batchgen.formats import counted
from batchgen.model import Json
from batchgen.output.entries import Row
from batchgen.output.export_disk import ExportDisk
from batchgen.output.export_files import Source, carry_in
from batchgen.output.export_record import ExportRecord, read_record
from batchgen.output.export_view import RECORD, STAGING
from batchgen.output.mapping import mapping_csv, mapping_json, mapping_rows
from batchgen.output.results import variable_names
from batchgen.plain_files import FileFaultError, real_path
from batchgen.planning.export_changes import Exportable, Obstacle, decide, one_name_each
from batchgen.planning.file_names import folded
from batchgen.usecases.export_lists import (
    ExportLists,
    JobLines,
    LostFile,
    NamedAs,
    lost_of,
    names_as_now,
    names_by,
)
from batchgen.usecases.guards import refuse_wrong_words
from batchgen.usecases.page import nothing_on_record, results_as_of_now
from batchgen.wiring.batch import Batch
from batchgen.wiring.file_names import export_namer
from batchgen.wiring.job_facts import assets_meant
from batchgen.wiring.opening import OpenBatch
from batchgen.wiring.options import SIMULATOR
from batchgen.wiring.outputs import mapping_file

_SHOWN = 10  # files that an error names


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """What is asked for.

    Attributes:
        folder: where the tree is to be.
        template: of the names, as ``output.files`` has them; None for the names that the files have.
        link: whether files get a second name instead of being copied.
        mapping: the file that is to say which file is which job's; None for none.
        prune: whether files go that an earlier export put there and this one does not have.
        force: whether plain files go that have the names and that no export put there.
    """

    folder: Path
    template: str | None = None
    link: bool = False
    mapping: Path | None = None
    prune: bool = False
    force: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What was done.

    Attributes:
        batch: its name.
        slot: of a batch that repeats; empty for one that does not.
        folder: where the tree is.
        jobs: how many have files in it.
        without_files: how many of those that were meant have none yet.
        new, replaced, same: the paths of files that came, that came in the place of others, and that were
            there already; relative to the folder, with forward slashes.
        removed: what went with ``prune``.
        stale: what an earlier export put there and this one does not have.
        altered: the same, where somebody has changed it since: it is never removed.
        edited: files that a person has changed in the output folder, exported as they are.
        mapping: what was written beside.
        lost: files that are not as they are on record; then nothing was exported.
        is_rehearsal: whether the files are a simulated service's.
        warnings: what is probably a mistake in the template.
        lines: what results say of each job that was meant, with the paths of its files in the folder.
    """

    batch: str
    slot: str
    folder: Path
    jobs: int = 0
    without_files: int = 0
    new: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    mapping: Path | None = None
    lost: tuple[LostFile, ...] = ()
    is_rehearsal: bool = False
    warnings: tuple[Problem, ...] = ()
    lines: Sequence[Mapping[str, Json]] = ()

    @property
    def exit(self) -> Exit:
        """The exit status."""
        return Exit.REMAINS if self.lost else Exit.DONE


def lines_of(opened: OpenBatch) -> JobLines:
    """Return what results say of the jobs that are meant, each with what it has now.

    Raises:
        InputError: nothing is on record, or the words that select jobs mean none.
    """
    refuse_wrong_words(opened.batch)
    _refuse_an_empty_record(opened, "write")
    return JobLines(_rows(opened))


def export_files(opened: OpenBatch, asked: Export, disk: ExportDisk) -> Exported:
    """Make the tree, or change one of before to what it is to be now; blocks.

    Args:
        opened: the batch.
        asked: what is to be done.
        disk: the folder.

    Raises:
        InputError: what was asked for cannot be, nothing is there to be exported, or something that is not
            ours is in the way; nothing was changed.
        JournalError: the journal cannot be read.
        OutputError: the disk is at fault; it says how far it came.
    """
    batch = opened.batch
    refuse_wrong_words(batch)
    _refuse_an_empty_record(opened, "export")
    _refuse_our_own(opened, asked)
    rows = _rows(opened)
    name, warnings = _naming(opened, asked)
    is_meant = assets_meant(
        opened.options.selection, batch.plan, batch.manifest, now=opened.now, marks=batch.marks
    )
    lists = ExportLists(rows, name, batch.folder, is_meant)
    done = Exported(
        batch=batch.manifest.batch,
        slot=batch.scope.slot,
        folder=asked.folder,
        jobs=lists.jobs,
        without_files=lists.without,
        is_rehearsal=batch.scope.origin == SIMULATOR and not opened.options.simulate,
        warnings=warnings,
        edited=tuple(dict.fromkeys(one.source for one in lists.files if one.edited)),
    )
    if lists.lost:
        return replace(done, lost=tuple(lists.lost))
    _refuse_nothing(opened, lists)
    _refuse_names(opened, asked, lists.files)
    lines = JobLines(rows, lists.told)
    with disk.opened():
        return _carried_in(disk, batch, asked, lists, replace(done, lines=lines), variable_names(rows))


def _carried_in(
    disk: ExportDisk,
    batch: Batch,
    asked: Export,
    lists: ExportLists,
    done: Exported,
    variables: Sequence[str],
) -> Exported:
    """Decide about a folder that is open, and change it."""
    raw, record = _record_of(disk)
    changes = decide(lists.files, record.puts, disk, batch=done.batch, force=asked.force)
    mapping = None
    if asked.mapping is not None:
        mapping = mapping_file(asked.mapping, asked.folder, _mapping_chunks(asked.mapping, done, variables))
    obstacles = [
        *changes.obstacles,
        *(mapping.obstacles(record.mappings, force=asked.force) if mapping else ()),
    ]
    _refuse_obstacles(asked, obstacles)
    going, left = (changes.stale, ()) if asked.prune else ((), changes.stale)
    unfit = carry_in(
        disk,
        replace(changes, stale=going),
        Source(base=batch.folder, batch=done.batch, link=asked.link),
        replace(record, mappings=mapping.on_record(record.mappings)) if mapping else record,
        raw,
    )
    if unfit:
        return replace(done, lost=tuple(map(lost_of, unfit)), lines=())
    if mapping is not None:
        mapping.write()
    return replace(
        done,
        new=tuple(one.path for one in changes.new),
        replaced=tuple(one.path for one in changes.replaced),
        same=tuple(changes.same),
        removed=(*going, *changes.makes_way),
        stale=tuple(left),
        altered=tuple(changes.altered),
        mapping=asked.mapping,
    )


def _mapping_chunks(path: Path, done: Exported, variables: Sequence[str]) -> Callable[[], Iterator[bytes]]:
    """Return what gives the bytes of a mapping, as often as they are asked for."""

    def chunks() -> Iterator[bytes]:
        rows = mapping_rows(done.lines)
        if path.suffix.lower() == ".json":
            return mapping_json(rows, batch=done.batch, slot=done.slot)
        return mapping_csv(rows, variables)

    return chunks


def _rows(opened: OpenBatch) -> Sequence[Row]:
    """Return what is known of the jobs of the manifest that are meant.

    Raises:
        InputError: there is none.
    """
    rows = results_as_of_now(opened).rows
    if not rows:
        raise InputError("no job that the manifest still has is meant")
    return rows


def _naming(opened: OpenBatch, asked: Export) -> tuple[NamedAs, tuple[Problem, ...]]:
    """Return what names the files, and warnings.

    Raises:
        InputError: the template names no files, or not each of its own.
    """
    batch = opened.batch
    if asked.template is None:
        return names_as_now(batch), ()
    jobs = [place for place, one in enumerate(batch.plan.entries) if one.selected]
    if asked.template in batch.plan.by_id and len(jobs) > 1:
        only = shlex.join(["--only", asked.template])
        raise InputError(
            f"TEMPLATE: {asked.template!r} is the id of a job, and says nothing that tells files apart; "
            f"{only} exports that job alone"
        )
    namer, warnings = export_namer(
        opened.options,
        batch.manifest,
        asked.template,
        folder=asked.folder,
        slot=batch.scope.slot,
        jobs=jobs,
    )
    return names_by(namer), warnings


def _record_of(disk: ExportDisk) -> tuple[bytes | None, ExportRecord]:
    """Return what exports have put into a folder, as it stands there and read.

    Raises:
        InputError: it is no record.
    """
    path = disk.folder / RECORD
    try:
        raw = disk.record()
    except FileFaultError as fault:
        raise InputError(f"{path}: {fault.reason}") from fault
    return raw, ExportRecord() if raw is None else read_record(raw, path)


def _refuse_an_empty_record(opened: OpenBatch, do: str) -> None:
    if not opened.batch.journal.records():
        raise InputError(nothing_on_record(opened, do))


def _refuse_our_own(opened: OpenBatch, asked: Export) -> None:
    """Stop where the tree, or the mapping, would be among the files of runs."""
    output = real_path(opened.options.output)
    for what, path in (("--to", asked.folder), ("--mapping", asked.mapping)):
        if path is not None and real_path(path).is_relative_to(output):
            raise InputError(
                f"{what} {path} is inside {opened.options.output}, where runs keep their own files"
            )


def _refuse_nothing(opened: OpenBatch, lists: ExportLists) -> None:
    if lists.files:
        return
    jobs = counted(lists.without, "job")
    why = "" if opened.batch.manifest.output.download else "the manifest has none fetched (output: download)"
    todo = why or f"`{opened.options.command_line('status')}` shows where they stand"
    raise InputError(f"nothing to export: of {jobs} none has a file yet; {todo}")


def _refuse_names(opened: OpenBatch, asked: Export, files: Sequence[Exportable]) -> None:
    """Stop where two files would have one name, or one would lie among the files of runs."""
    wrong = list(one_name_each(files))
    if wrong:
        tell = "" if asked.template else "; give a TEMPLATE that tells them apart"
        raise InputError(
            _listed(f"TEMPLATE: {counted(len(wrong), 'file')} without a name of its own{tell}", wrong)
        )
    output, folder = real_path(opened.options.output), real_path(asked.folder)
    mapping = real_path(asked.mapping) if asked.mapping is not None else None
    within = f"{folded(output.relative_to(folder).as_posix())}/" if output.is_relative_to(folder) else None
    beside = (
        folded(mapping.relative_to(folder).as_posix()) if mapping and mapping.is_relative_to(folder) else ""
    )
    if beside.split("/")[0] in {RECORD, STAGING}:
        raise InputError(
            f"--mapping {asked.mapping}: an export keeps its own record there; choose another name"
        )
    for one in files:
        path = folded(one.path)
        if within is not None and path.startswith(within):
            raise InputError(
                f"{one.path} would be inside {opened.options.output}, where runs keep their own files"
            )
        if beside and (path == beside or beside.startswith(f"{path}/") or path.startswith(f"{beside}/")):
            raise InputError(f"--mapping {asked.mapping} has the place of an exported file, {one.path}")


def _refuse_obstacles(asked: Export, obstacles: Sequence[Obstacle]) -> None:
    if not obstacles:
        return
    what = counted(len(obstacles), "file")
    lines = [f"{one.path}: {one.why}" for one in obstacles]
    head = f"nothing was exported: {what} cannot have {'its' if len(obstacles) == 1 else 'their'} place"
    if all(one.replaceable for one in obstacles):
        hint = "--replace puts the new ones there, and what is there is lost; or choose another folder"
    else:
        hint = "move what is there away, or choose another folder or TEMPLATE"
    raise InputError(f"{_listed(f'{head} in {asked.folder}', lines)}\n{hint}")


def _listed(head: str, lines: Sequence[str]) -> str:
    shown = [f"  {one}" for one in lines[:_SHOWN]]
    more = [f"  and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return "\n".join([head, *shown, *more])
