"""Which output folder is meant: a batch that is known in another one must not begin anew in this one.

The default is ``output`` in the current folder, and cron starts its jobs in a folder of its own.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from batchgen.errors import GuardError, JournalError
from batchgen.journal.file_store import FileStore
from batchgen.journal.opened import OpenJournal
from batchgen.model import Scope
from batchgen.output.saved_files import saved_in
from batchgen.wiring.options import DEFAULT_OUTPUT, SIMULATOR, Options


def refuse_another_folder(options: Options, batch: str, *, of_any_kind: bool = False) -> None:
    """Stop where the batch is not known in the output folder by default, and is in one that is near.

    Near is the one beside the manifest, where the batch's name is enough, and those above it and above the
    current folder, where it must be this very manifest. A folder that was chosen is taken as it is. With a
    journal on a server the file of the output folder itself must know no batch that the server does not.

    Args:
        options: which manifest, and where.
        batch: its name.
        of_any_kind: whether rehearsals count as much as the service.

    Raises:
        GuardError: names both folders, and what to write for each; or the folder and the server.
        JournalError: the journal beside the manifest cannot be read.
    """
    if options.server:
        _refuse_a_file_left_behind(options, batch)
        return
    if options.output_chosen or options.output != DEFAULT_OUTPUT or options.text is not None:
        return
    here = options.output.absolute()
    near = [(place, is_beside) for place, is_beside in _near(options) if not _is_same(place, here)]
    simulated = {True, False} if of_any_kind else {options.simulate}
    if not near or _knows(here, batch, simulated):
        return
    for place, is_beside in near:
        if _knows(place, batch, simulated, manifest=None if is_beside else options.manifest):
            raise GuardError(
                f"batch {batch!r} is known in {place}, and not in {here}: a run would buy it again. "
                f"To go on there, add -o {place}; to begin anew here, add -o {here}"
            )


def refuse_a_copied_journal(options: Options, file: OpenJournal, batch: str) -> None:
    """Stop where a batch goes on in another journal, into which this one was copied.

    Args:
        options: where the journal is.
        file: the journal, open.
        batch: its name.

    Raises:
        GuardError: names the other one.
        JournalError: the journal cannot be read.
    """
    if where := file.successor(batch):
        raise GuardError(
            f"the batch {batch!r} was copied from {options.journal} to {where}, and goes on there: what is "
            "bought or said here now is not known there, and would be bought again. Name that journal, by "
            "--journal or -o; if the copy did not end, make it again: batchgen journal copy"
        )


def _refuse_a_file_left_behind(options: Options, batch: str) -> None:
    """Stop where the file of the output folder knows a batch that the journal on the server does not."""
    simulated = {options.simulate}
    file = FileStore(options.output)
    if not file.exists():
        return
    with file.read() as kept:
        if not _is_known(kept.scopes(), batch, simulated):
            return
    with options.journal.read() as there:
        if _is_known(there.scopes(), batch, simulated):
            return
    raise GuardError(
        f"batch {batch!r} is known in {file}, and not in {options.journal}: a run would buy it again. To go "
        f"on with it there: batchgen journal copy {options.output} URL; to begin anew there: give another "
        "folder with -o"
    )


def _is_known(scopes: Iterable[Scope], batch: str, simulated: set[bool]) -> bool:
    return any(one.batch == batch and (one.origin == SIMULATOR) in simulated for one in scopes)


def _near(options: Options) -> Iterator[tuple[Path, bool]]:
    """Return output folders that exist, the one beside the manifest first, each with whether it is that."""
    beside = options.manifest.absolute().parent.resolve()
    seen = dict.fromkeys((beside, *beside.parents, *Path.cwd().parents))
    for folder in seen:
        place = folder / DEFAULT_OUTPUT
        if os.path.lexists(place / "journal.db") or (folder == beside and place.is_dir()):
            yield place, folder == beside


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there
        return False


def _knows(output: Path, batch: str, simulated: set[bool], *, manifest: Path | None = None) -> bool:
    """Return whether an output folder has anything of a batch, of the same kind of service.

    Args:
        output: the folder.
        batch: its name.
        simulated: whether rehearsals are meant, or the service, or both.
        manifest: of which it must be; None where the name is enough.
    """
    journal = FileStore(output)
    if manifest is None and not journal.exists():
        return any(path.is_file() for path in saved_in(output / batch))
    try:
        with journal.read() as file:
            if not _is_known(file.scopes(), batch, simulated):
                return False
            return manifest is None or os.path.realpath(manifest) in file.names.manifests_of(batch)
    except JournalError:
        if manifest is None:
            raise
        return False
