"""Whose the files on record are: of a job that stands, with their names, or of an earlier form. Pure."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from batchgen.lifecycle import DONE, Record
from batchgen.model import File, JobKey
from batchgen.planning.file_places import (
    ASSETS,
    EARLIER,
    UNDER_WAY,
    Lies,
    Namer,
    Surroundings,
    extension_of,
    kind_word,
    under,
)
from batchgen.planning.plan import Entry, Plan


class Claim(NamedTuple):
    """A file on record: where it belongs, if its job is one of the manifest."""

    key: JobKey
    job_id: str
    file: File
    wanted: str  # empty for a file of an earlier form
    is_over: bool = False  # whether the job has its new files


def current_claims(plan: Plan, records: Mapping[JobKey, Record], namer: Namer, home: str) -> Iterator[Claim]:
    """Return the files of the manifest's jobs, each with the path that it belongs at."""
    top = under(home, f"{ASSETS}/")
    for entry in plan.entries:
        key, record = entry.as_of(records).current
        ids = record.asset_ids
        for file in record.files:
            name = namer(
                entry.job,
                index=ids.index(file.asset_id) if file.asset_id in ids else len(ids),
                asset_id=file.asset_id,
                kind=file.kind or kind_word(file.mime),
                extension=extension_of(file.path),
            )
            yield Claim(key, entry.job.id, file, top + name)


def old_claims(
    plan: Plan, records: Mapping[JobKey, Record], disk: Surroundings, home: str
) -> Iterator[Claim]:
    """Return the files of no job of the manifest, but for those that are in ``earlier/`` already."""
    aside = under(home, f"{EARLIER}/")
    found = [
        Claim(entry.key, entry.job.id, file, "")
        for entry in (*plan.removed, *_not_current(plan, records))
        for file in records.get(entry.key, entry.record).files
        if not file.path.startswith(aside)
    ]
    if not found:
        return
    ids = {one.job_id for one in found}
    over = {one.job.id for one in plan.entries if one.job.id in ids and _has_files(one, records, disk)}
    under_way = under(home, f"{UNDER_WAY}/")
    for claim in found:
        is_over = claim.job_id in over or claim.file.path.startswith(under_way)
        yield claim._replace(is_over=is_over)


def _not_current(plan: Plan, records: Mapping[JobKey, Record]) -> Iterator[Entry]:
    """Return the editions that are not their jobs' own, one that has just been fetched included."""
    current = {entry.as_of(records).current.key for entry in plan.entries if plan.earlier}
    other = (entry for entry in plan.entries if entry.stands is not None)
    return (one for one in (*plan.earlier, *other) if one.key not in current)


def _has_files(entry: Entry, records: Mapping[JobKey, Record], disk: Surroundings) -> bool:
    """Return whether a job has succeeded and its files are there, wherever."""
    record = entry.as_of(records).current.record
    if record.state not in DONE or record.lacks_files or not record.kept_files:
        return False
    return all(disk.lies(one.path) is not Lies.NOTHING for one in record.kept_files)
