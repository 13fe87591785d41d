"""What files are called: the manifest's template with the words of each job, and the check before a run."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from batchgen.errors import Problem
from batchgen.manifest.environment import filled
from batchgen.manifest.file_templates import BELOW, exact_in, faults_in
from batchgen.manifest.source.problems import Place, Problems
from batchgen.manifest.values import Manifest
from batchgen.model import Job
from batchgen.planning.file_names import FileNames, NameParts
from batchgen.planning.file_places import Namer
from batchgen.planning.job_words import JobWords, names_of
from batchgen.planning.name_checks import check_names
from batchgen.planning.slots import began_at
from batchgen.wiring.options import Options
from batchgen.wiring.slots import zone_of

_GONE = FileNames("{id}_{index}")  # for a job that the manifest does not have any more: it has no words
_BESIDE = 128  # bytes of a path: the slot's folder, `earlier/`, and an asset's id
_TYPED = "TEMPLATE"  # the word of the command line
_LONGEST = 4096  # bytes of a path, where the system does not say


def manifest_namer(manifest: Manifest, *, slot: str) -> Namer:
    """Return what gives the files of a manifest's jobs their names.

    A job is known by its id; the words of one that the manifest does not have any more are not known, and
    its files are called by its id.

    Args:
        manifest: with the template and the words.
        slot: the one that the files belong to; empty where the batch has none.
    """
    words = JobWords(manifest, slot=slot, date=day_of(slot, manifest))
    numbers = {job.id: number for number, job in enumerate(manifest.jobs)} if words.needed else {}

    def namer(job: Job, *, index: int, asset_id: str, kind: str, extension: str) -> str:
        names, number = words.names, numbers.get(job.id)
        if number is not None:
            parts = words.parts(number)
        elif words.needed:
            names, parts = _GONE, NameParts(id=job.id)
        else:
            parts = words.parts_of(job)
        return names.path(parts, index=index, asset_id=asset_id, kind=kind, extension=extension)

    return namer


def export_namer(
    options: Options, manifest: Manifest, template: str, *, folder: Path, slot: str, jobs: Sequence[int]
) -> tuple[Namer, tuple[Problem, ...]]:
    """Return what names files by a template that was typed, and warnings; or refuse it.

    Args:
        options: with the environment, which the template may name.
        manifest: with the words of its jobs.
        template: as ``output.files`` would have it.
        folder: in which the files are to lie.
        slot: the one that they belong to; empty where the batch has none.
        jobs: the numbers of the jobs that are meant, in their order.

    Raises:
        ManifestError: it names no files, or not each file of its own; each problem says where.
    """
    problems, where = Problems(_TYPED), Place(_TYPED)
    try:
        text = filled(template, options.environ)
    except ValueError as error:
        problems.add(where, str(error))
        problems.raise_any()
        raise
    known = {name: None for one in manifest.origins.entries for name in names_of(one.variables)}
    for fault in faults_in(text, known, complete=True):
        note = problems.add if fault.stops else problems.warn
        place = where if fault.at is None else Place(_TYPED, 0, fault.at + 1)
        note(place, fault.text.replace(BELOW, "write a path from --to DIR"))
    problems.raise_any()
    if not slot and (said := _of_slots(text, known)):
        problems.add(where, f"{said} is that of the slot, and this batch has none; leave it out")
        problems.raise_any()
    named = replace(
        manifest, output=replace(manifest.output, files=text, place=where), warnings=problems.warnings
    )
    warnings = check_names(
        named,
        period="day" if day_of(slot, manifest) else slot or None,
        room=_longest_path(folder.absolute()) - len(os.fsencode(folder.absolute())) - _BESIDE,
        only=jobs,
        called=_TYPED,
    )
    return manifest_namer(named, slot=slot), warnings


def _of_slots(text: str, known: Mapping[str, object]) -> str:
    """Return the variables of slots that a template needs; empty where it needs none."""
    names = FileNames(text, exact=exact_in(known))
    return " and ".join(
        f"{{{one}}}"
        for one in ("slot", "date")
        if one in names.names and one not in {*names.optional, *known}
    )


def day_of(slot: str, manifest: Manifest) -> str:
    """Return the day on which a slot began, as ``2026-12-01``; empty where that is not known."""
    zone = zone_of(manifest)  # where its days begin
    began = began_at(slot, zone)
    return "" if began is None else datetime.fromtimestamp(began, zone).date().isoformat()


def check_file_names(options: Options, manifest: Manifest) -> Manifest:
    """Return a manifest with the warnings of the names of its files, or refuse it.

    Raises:
        ManifestError: a job's files have no name of their own.
    """
    folder = options.output.absolute() / manifest.batch
    room = _longest_path(folder) - len(os.fsencode(folder)) - _BESIDE
    warnings = check_names(manifest, period=options.period or manifest.period, room=room)
    return replace(manifest, warnings=warnings) if warnings else manifest


def _longest_path(folder: Path) -> int:
    """Return how many bytes a path may have where a folder is, or will be."""
    there = next((one for one in (folder, *folder.parents) if one.is_dir()), folder)
    try:
        return os.pathconf(there, "PC_PATH_MAX")
    except (AttributeError, OSError, ValueError):
        return _LONGEST
