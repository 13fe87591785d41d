"""The write-ahead log, by a descriptor of our own, so that a thread can have the disk keep it.

Of the three files of a journal this is the one that may be opened a second time: SQLite's locks are on the
other two, and a process loses all locks of a file as soon as it closes any descriptor of that file.
"""

import errno
import fcntl
import os
import threading
from pathlib import Path
from typing import Self

from batchgen.journal.filesystem import place_of, sync_folder

_FULL = getattr(fcntl, "F_FULLFSYNC", None)  # where a plain sync stops at the drive's cache (macOS)
_UNKNOWN = frozenset({errno.ENOTSUP, errno.EINVAL, errno.ENOTTY})  # how file systems without it answer


class LogFile:
    """The log of a journal that is open.

    Open all the while: what the system could not write it tells each descriptor once, and none that is opened
    later.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._in_use = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the log of a journal and have the disk keep all that is in it, its name in the folder too.

        Args:
            path: of the journal, to which something was written.

        Raises:
            OSError: it cannot be done.
        """
        log = path.with_name(f"{path.name}-wal")
        opened = cls(log, os.open(log, os.O_RDWR | os.O_CLOEXEC))
        try:
            opened.sync()
            sync_folder(log.parent)
        except BaseException:
            opened.close()
            raise
        return opened

    def sync(self) -> None:
        """Have the disk keep all that was written before this call; from any thread.

        Raises:
            OSError: it did not, or the log that lies there now is another one.
        """
        with self._in_use:
            if self._descriptor < 0:
                raise OSError(errno.EBADF, "the log was closed")
            keep(self._descriptor)
            ours = os.fstat(self._descriptor)
            if place_of(self._path) != (ours.st_dev, ours.st_ino):
                raise OSError(errno.ESTALE, f"{self._path.name} was replaced")

    def close(self) -> None:
        """Let go of it, when a sync under way has ended."""
        with self._in_use:
            if self._descriptor >= 0:
                os.close(self._descriptor)
            self._descriptor = -1


def keep(descriptor: int) -> None:
    """Have the disk itself keep the content of a file.

    Raises:
        OSError: it did not.
    """
    if _FULL is not None:
        try:
            fcntl.fcntl(descriptor, _FULL)
        except OSError as error:
            if error.errno not in _UNKNOWN:
                raise
        else:
            return
    # where there is one, the call that leaves out the time of the change
    getattr(os, "fdatasync", os.fsync)(descriptor)
