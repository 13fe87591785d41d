"""Links that runs make in a batch's folder: which are ours, and putting one in its place in one rename.

Only a link whose target is just what a run would write counts as ours; what else has the name is left. The
batch's lock is held by whoever calls what changes anything.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from batchgen.output.atomic import output_error, sync_folder
from batchgen.planning.file_places import ASSETS, EARLIER
from batchgen.planning.slots import FOLDER

LATEST = "latest"


def is_ours(folder: Path, name: str) -> bool:
    """Return whether a run has made this link."""
    try:
        return _leads_to_the_latest(name, (folder / name).readlink().as_posix())
    except OSError:
        return False


def _leads_to_the_latest(name: str, target: str) -> bool:
    if name != LATEST:
        return target == f"{LATEST}/{name}"
    within, _, slot = target.partition("/")
    return within == FOLDER and slot not in {"", ".", ".."} and "/" not in slot


def ours_in(folder: Path) -> list[str]:
    """Return the names of all links there that runs have made."""
    try:
        with os.scandir(folder) as entries:
            return sorted(one.name for one in entries if one.is_symlink() and is_ours(folder, one.name))
    except OSError:
        return []


def linked_folders(folder: Path) -> tuple[str, ...]:
    """Return how paths begin, relative to a batch's folder, that a link leads into the latest slot's.

    No record means a file there by such a path: what lay in that place before is gone.
    """
    return tuple(f"{name}/" for name in ours_in(folder) if name != LATEST)


def take_down(folder: Path) -> None:
    """Remove the links that runs have made: the batch's folder gets files of its own.

    Raises:
        OutputError: a link is still there.
    """
    for name in ours_in(folder):
        remove(folder / name)


def make_way(folder: Path, names: Iterable[str] = (ASSETS, EARLIER)) -> None:
    """Remove the links that runs have made in the place of some folders: files of their own come there.

    Raises:
        OutputError: a link is still there.
    """
    for name in set(names).intersection(ours_in(folder)):
        remove(folder / name)


def remove(link: Path) -> None:
    """Remove a link, if it is there.

    Raises:
        OutputError: it still is.
    """
    try:
        link.unlink(missing_ok=True)
    except OSError as error:
        raise output_error(link, error) from error


def place(folder: Path, name: str, target: str) -> None:
    """Put a link in its place, in one rename; one that is right already stays.

    Raises:
        OSError: as the system says it; the caller knows what it means that there can be no link.
    """
    temporary = folder / f".{name}.tmp"  # one of a killed run is in the way of none: it goes first
    temporary.unlink(missing_ok=True)
    with suppress(OSError):
        if (folder / name).readlink() == Path(target):
            return
    temporary.symlink_to(target)
    try:
        temporary.replace(folder / name)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(folder)
