"""One writer a batch: a lock that the kernel frees when its holder dies.

The lock is the ``flock``; what stands in the file is only for the message.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from batchgen.errors import BatchLockedError, JournalError
from batchgen.journal.filesystem import lies_there, sync_folder
from batchgen.lease_ports import Lease, LifelongLease
from batchgen.plain_files import FileFaultError, read_text


@contextmanager
def hold_batch(path: Path, *, stamp: float) -> Iterator[Lease]:
    """Hold the batch whose lock file this is, for as long as the block lasts.

    Args:
        path: the lock file, named after the batch; made where it is missing, and left behind.
        stamp: now, seconds since the epoch: since when it is held.

    Raises:
        BatchLockedError: another run holds it; says who and since when.
        JournalError: the file cannot be made.
    """
    descriptor = _lock(path)
    while not _is_at(path, descriptor):  # somebody removed the file in the same moment
        os.close(descriptor)
        descriptor = _lock(path)
    try:
        _sign(descriptor, stamp)
        yield LifelongLease()
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Return whether a run holds the batch whose lock file this is; nothing is held afterwards.

    A run that begins in the same microseconds is refused, so ask only where none should be beginning.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe is not waited for
    except FileNotFoundError:
        return False
    except OSError:  # what cannot be looked at is not called free
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def make_mark(path: Path, text: str) -> None:
    """Put a small file beside a lock, on the disk itself: it outlives whoever made it.

    Raises:
        JournalError: it cannot be made.
    """
    try:
        lies_there(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except OSError as error:
        raise JournalError(f"{path}: cannot be created: {error.strerror}") from error


def remove_mark(path: Path) -> None:
    """Take such a file away.

    Raises:
        JournalError: it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise JournalError(f"{path}: cannot be removed: {error.strerror}") from error


def _lock(path: Path) -> int:
    try:
        lies_there(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise JournalError(f"{path}: cannot be created: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise _refusal(path) from error
        raise JournalError(f"{path}: this file system gives no locks: {error.strerror}") from error
    return descriptor


def _is_at(path: Path, descriptor: int) -> bool:
    """Return whether the path still leads to the file that is locked."""
    try:
        there, ours = path.stat(), os.fstat(descriptor)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _sign(descriptor: int, stamp: float) -> None:
    text = json.dumps({"pid": os.getpid(), "host": os.uname().nodename, "since": stamp})
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)
    except OSError:
        return  # a full disk takes the message away, not the lock


def _refusal(path: Path) -> BatchLockedError:
    """Return the error that says who holds the batch of a lock file."""
    try:
        told = json.loads(read_text(path))
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(told["since"]))
        holder = f"process {int(told['pid'])} on {told['host']} since {since}"
    except (FileFaultError, OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        holder = "another process"
    text = f"the batch {path.stem!r} is being run by {holder}; wait for it, or stop it there with Ctrl-C"
    return BatchLockedError(text, batch=path.stem, holder=holder)
