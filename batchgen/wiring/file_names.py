"""What files are called: the manifest's template with the words of each job, and the check before a run."""

import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from batchgen.manifest.values import Manifest
from batchgen.model import Job
from batchgen.planning.file_names import FileNames, NameParts
from batchgen.planning.file_places import Namer
from batchgen.planning.job_words import JobWords
from batchgen.planning.name_checks import check_names
from batchgen.planning.slots import began_at
from batchgen.wiring.batch import zone_of
from batchgen.wiring.options import Options

_GONE = FileNames("{id}_{index}")  # for a job that the manifest does not have any more: it has no words
_BESIDE = 128  # bytes of a path: the slot's folder, `earlier/`, and an asset's id
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
