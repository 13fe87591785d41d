"""Two manifests of one batch: each would replace the other's results and count its jobs as removed.

A copy is no second manifest: not the same file by another path, not a folder that was copied with its
journal, and not a file that says the same. One that is gone was moved or renamed.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from batchgen.errors import GuardError, InputError
from batchgen.journal.names import NO_FILE
from batchgen.journal.opened import OpenJournal
from batchgen.manifest.values import Manifest
from batchgen.usecases.rename_check import is_of_batch
from batchgen.wiring.options import Allow, Options
from batchgen.wiring.reading import manifest_of

SHARED = "shared-batch"  # the name of the choice between two manifests
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def stopped_by_another_manifest(options: Options, file: OpenJournal, manifest: Manifest) -> str:
    """Return why a run must not go on beside another manifest of its batch; empty where it may.

    Raises:
        JournalError: the file cannot be read.
    """
    if Allow.SHARED_BATCH in options.allow:
        return ""
    other = next(_beside(options, file, manifest), None)
    return "" if other is None else _told(options.manifest, other, manifest.batch)


def refuse_a_shared_batch(options: Options, file: OpenJournal, manifest: Manifest, *, at: float) -> None:
    """Stop a run of a batch that another manifest has; what a person lets pass is remembered for the two.

    Raises:
        GuardError: nothing was sent; it names both ways on.
        JournalError: the choice could not be recorded.
    """
    if why := stopped_by_another_manifest(options, file, manifest):
        raise GuardError(why)
    for other in list(_beside(options, file, manifest)):
        file.names.choose(SHARED, str(options.manifest.resolve()), other, at=at)


def _beside(options: Options, file: OpenJournal, manifest: Manifest) -> Iterator[str]:
    """Find the other manifests that this batch was run from and that are still its own, the latest first."""
    if options.text is not None:
        return
    ours = options.manifest.resolve()
    for path in reversed(file.names.manifests_of(manifest.batch)):
        is_let = file.names.is_chosen(SHARED, str(ours), path)
        if path != NO_FILE and not is_let and _is_another(Path(path), ours, manifest, options):
            yield path


def _is_another(there: Path, ours: Path, manifest: Manifest, options: Options) -> bool:
    """Return whether a file is there that is a second manifest of the batch in this journal."""
    if not there.is_file() or there.samefile(ours) or _has_its_own_journal(there, ours, options):
        return False
    is_ours = is_of_batch(there, manifest.batch, options.environ)
    return is_ours and not _says_the_same(there, manifest, options)


def _says_the_same(other: Path, manifest: Manifest, options: Options) -> bool:
    """Return whether another file is a copy: with the same jobs, for equal texts may name other tables."""
    try:
        if hashlib.sha256(other.read_bytes()).hexdigest() != manifest.sha256:
            return False
        return manifest_of(replace(options, manifest=other)).jobs == manifest.jobs
    except (OSError, InputError):
        return False


def _has_its_own_journal(other: Path, ours: Path, options: Options) -> bool:
    """Return whether the other manifest has a journal where ours has this one: a folder that was copied."""
    if options.server:
        return False
    journal = Path(str(options.journal)).resolve()
    place = os.path.relpath(journal, ours.parent)
    its_own = other.parent / place
    return its_own.is_file() and not its_own.samefile(journal)


def _told(ours: Path, other: str, batch: str) -> str:
    place = ours.resolve()
    beside = place.parent == Path(other).parent
    name = _NO_NAME.sub("-", f"{batch}-{place.stem}" if beside else f"{place.parent.name}-{batch}").strip(
        "-."
    )
    return (
        f"batch {batch!r} was last run from {other}, which is still there: two manifests of one batch "
        "replace each other's results, and each takes the other's jobs for removed and their cost for its "
        f"own. Give {ours} a name of its own (`batch: {name}`), or run it with --allow shared-batch to keep "
        "both in one batch; that is remembered for the two"
    )
