"""Where a journal may lie: not on a network file system, whose locks and syncs cannot be trusted."""

import os
from pathlib import Path

from batchgen.errors import JournalError
from batchgen.plain_files import fault_of, kind_of_other

NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "fuse.sshfs"})


def lies_there(path: Path) -> bool:
    """Return whether there is a file, as a plain one: to open a pipe would wait for ever.

    Raises:
        JournalError: something else is in its place, or it cannot be looked at.
    """
    try:
        kind = kind_of_other(path.stat().st_mode)
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise JournalError(f"{fault_of(path, error)}; give another output folder with -o") from error
    if kind is not None:
        raise JournalError(
            f"{path}: is not a regular file, but {kind}: move it away, or give another output folder with -o"
        )
    return True


def journal_lies_there(path: Path) -> bool:
    """Return whether there is a journal; what SQLite puts beside it is held to the same.

    Raises:
        JournalError: one of the three is no plain file, or cannot be looked at.
    """
    for ending in ("-wal", "-shm"):
        lies_there(path.with_name(path.name + ending))
    return lies_there(path)


def refuse_network(folder: Path, mounts: str) -> None:
    """Refuse a folder on a network file system.

    Args:
        folder: where the journal is to be, absolute.
        mounts: the text of ``/proc/self/mounts``; empty where the system has none.

    Raises:
        JournalError: SQLite's locks do not hold there.
    """
    kind = _kind_of(folder, mounts)
    if kind in NETWORK:
        raise JournalError(
            f"{folder}: a journal cannot lie on a network file system ({kind}): "
            "give a local folder with -o, and copy the results from there"
        )


def _kind_of(folder: Path, mounts: str) -> str:
    found, kind = Path("/"), ""
    for line in mounts.splitlines():
        _, place, this, *_ = [*line.split(" "), "", "", ""]
        point = Path(place.encode().decode("unicode_escape")) if "\\" in place else Path(place)
        if folder.is_relative_to(point) and len(point.parts) >= len(found.parts):
            found, kind = point, this
    return kind


def sync_folder(folder: Path) -> None:
    """Put a folder's names on the disk itself: a new file is lost with a power cut until then.

    Raises:
        OSError: it cannot be done.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
