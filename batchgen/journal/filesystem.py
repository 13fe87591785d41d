"""Where a journal may lie: on a local disk, in plain files; elsewhere locks and syncs cannot be trusted."""

import os
import re
from pathlib import Path

from batchgen.errors import JournalError
from batchgen.plain_files import fault_of, kind_of_other

# fmt: off
# As /proc/self/mounts names them. A lock that one machine takes is not seen by another, or not in time.
NETWORK = frozenset({
    "nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afs", "coda", "ncpfs", "davfs", "ceph",
    "glusterfs", "lustre", "gpfs", "beegfs", "fhgfs", "pvfs2", "orangefs", "mfs", "panfs", "wekafs",
    "gfs2", "ocfs2",
})
# Folders of another system that this one is a guest of: two kernels, and each has locks of its own.
SHARED = frozenset({
    "9p", "drvfs", "vboxsf", "vmhgfs", "fuse.vmhgfs-fuse", "prl_fs", "prl_fsd", "fuse.prl_fsd",
})
# What runs in a program of this machine over a disk of this machine. There is no end to those that
# do not (s3fs, gcsfuse, rclone, goofys, blobfuse, juicefs, sshfs): what is not named here is refused.
LOCAL_FUSE = frozenset({
    "fuseblk", "fuse.encfs", "fuse.gocryptfs", "fuse.cryfs", "fuse.securefs", "fuse.veracrypt",
    "fuse.ntfs-3g", "fuse.lowntfs-3g", "fuse.ntfs", "fuse.exfat", "fuse.exfat-fuse", "fuse.ext2fs",
    "fuse.fuse2fs", "fuse.fuse-ext2", "fuse.apfs", "fuse.zfs", "fuse.fuse-overlayfs", "fuse.overlayfs",
    "fuse.mergerfs", "fuse.unionfs", "fuse.unionfs-fuse", "fuse.bindfs", "fuse.lxcfs",
})
# fmt: on
_OCTAL = re.compile(r"\\([0-7]{3})")  # how a space, a tab, a line break and a backslash are written there


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
    """Refuse a folder on a file system that other machines see too, or that is not known to be local.

    Args:
        folder: where the journal is to be, absolute.
        mounts: the text of ``/proc/self/mounts``; empty where the system has none.

    Raises:
        JournalError: SQLite's locks do not hold there.
    """
    point, kind = _mount_of(folder, mounts)
    what = _not_local(point, kind)
    if what is not None:
        raise JournalError(
            f"{folder}: a journal cannot lie on {what} ({kind}), where locks cannot be trusted: "
            "give a folder of a local disk with -o, and copy the results from there"
        )


def _not_local(point: Path, kind: str) -> str | None:
    """Return what a file system is for people, None for one that is local as far as is known."""
    if kind in NETWORK:
        return "a network file system"
    # the root of a sandbox (gVisor) is 9p too, and its own
    if kind in SHARED and not (kind == "9p" and point == Path("/")):
        return "a folder that is shared with another system"
    if (kind == "fuse" or kind.startswith("fuse.")) and kind not in LOCAL_FUSE:
        return "a network file system, or one that is not known to be local"
    return None


def _mount_of(folder: Path, mounts: str) -> tuple[Path, str]:
    """Return where the file system of a folder is mounted, and its kind."""
    found, kind = Path("/"), ""
    for line in mounts.splitlines():
        _, place, this, *_ = [*line.split(" "), "", "", ""]
        point = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), place))
        if folder.is_relative_to(point) and len(point.parts) >= len(found.parts):
            found, kind = point, this
    return found, kind


def place_of(path: Path) -> tuple[int, int] | None:
    """Return which file lies somewhere, whatever its name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


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
