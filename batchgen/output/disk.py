"""The files of one batch, as they are renamed: nothing is ever overwritten, whatever the file system.

Paths are relative to the batch's folder, with forward slashes.
"""

import errno
import hashlib
import os
import shutil
from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import Protocol

from batchgen.model import File
from batchgen.output.atomic import sync_folder
from batchgen.output.links import linked_folders
from batchgen.planning.file_names import folded
from batchgen.planning.file_places import UNDER_WAY, Lies

NO_SECOND_NAME = frozenset(
    {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
)


class Disk(Protocol):
    """What renaming needs of a file system; raises ``OSError`` as the system says it."""

    def lies(self, path: str) -> Lies:
        """Return what lies there; a link is not followed."""

    def stamp(self, path: str) -> str:
        """Return what tells a file from others after a rename; empty where there is none."""

    def sha256(self, path: str) -> str:
        """Return the hash of a file's bytes, hexadecimal; empty where it cannot be read."""

    def is_same(self, one: str, other: str) -> bool:
        """Return whether two paths name one file."""

    def same_names(self, path: str) -> Collection[str]:
        """Return what lies there, however the name is spelt, or a file in the place of a folder of it."""

    def make_folder_of(self, path: str) -> None:
        """Make the folder that a path is in."""

    def move(self, source: str, target: str) -> None:
        """Rename a file; raises ``FileExistsError`` where anything has that name."""

    def copy(self, source: str, target: str) -> None:
        """Make a second file of the same bytes; raises ``FileExistsError`` where anything has that name."""

    def remove(self, path: str) -> None:
        """Take away a second name or a copy of a file."""

    def sync(self, paths: Iterable[str]) -> None:
        """Make what was renamed survive a power cut."""

    def drop_empty_folders(self, paths: Iterable[str]) -> None:
        """Take away the folders of paths that nothing is in any more, and those above them."""


class BatchDisk:
    """The real one; implements ``Disk`` and ``arrangement.Surroundings``. Blocks.

    Attributes:
        folder: the batch's.
    """

    def __init__(self, folder: Path, *, home: str = "") -> None:
        """Name the place.

        Args:
            folder: the batch's.
            home: the folder of the slot's results, relative to it: folders above it stay.
        """
        self.folder = folder
        self._base = os.fspath(folder)
        self._home = home
        self._linked = linked_folders(folder)
        self._listed: dict[str, dict[str, list[str]]] = {}
        self._read: dict[tuple[str, str], bool] = {}

    def _at(self, path: str) -> str:
        return f"{self._base}/{path}"

    def forget(self) -> None:
        """Look at the folders again when they are next asked for."""
        self._listed.clear()
        self._linked = linked_folders(self.folder)

    def lies(self, path: str) -> Lies:
        """See ``Disk``."""
        if path.startswith(self._linked):  # what is seen there is another slot's
            return Lies.NOTHING
        try:
            mode = os.lstat(self._at(path)).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return Lies.NOTHING
        except OSError:  # it may be there
            return Lies.OTHER
        return Lies.FILE if S_ISREG(mode) else Lies.OTHER

    def stamp(self, path: str) -> str:
        """See ``Disk``."""
        if path.startswith(self._linked):
            return ""
        try:
            found = os.lstat(self._at(path))
        except OSError:
            return ""
        return f"{found.st_size}-{found.st_mtime_ns}" if S_ISREG(found.st_mode) else ""

    def sha256(self, path: str) -> str:
        """See ``Disk``."""
        try:
            with open(self._at(path), "rb") as file:  # noqa: PTH123 - paths are joined once, above
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return ""

    def is_whole(self, file: File) -> bool:
        """Return whether a file has the bytes on record; one that stays as it is is read once."""
        stamp = self.stamp(file.path)
        if not stamp.startswith(f"{file.bytes}-"):
            return False
        mark = (f"{file.path}\0{stamp}", file.sha256)
        if mark not in self._read:
            self._read[mark] = self.sha256(file.path) == file.sha256
        return self._read[mark]

    def is_same(self, one: str, other: str) -> bool:
        """See ``Disk``."""
        try:
            found = (os.lstat(self._at(one)), os.lstat(self._at(other)))
        except OSError:
            return False
        return os.path.samestat(*found)

    def same_names(self, path: str) -> Collection[str]:
        """See ``Disk``; a folder on the way may be spelt otherwise too."""
        *folders, name = path.split("/")
        above = [""]
        for one in folders:
            above = self._spelt(above, one)
            if files := [each for each in above if not os.path.isdir(self._at(each))]:  # noqa: PTH112 - as above
                return files
        return self._spelt(above, name)

    def _spelt(self, folders: Iterable[str], name: str) -> list[str]:
        """Return what has a name in some folders, however it is spelt."""
        wanted = folded(name)
        return [
            f"{folder}/{one}" if folder else one
            for folder in folders
            for one in self._names(folder).get(wanted, ())
        ]

    def _names(self, folder: str) -> dict[str, list[str]]:
        if folder not in self._listed:
            names: defaultdict[str, list[str]] = defaultdict(list)
            with suppress(FileNotFoundError, NotADirectoryError):
                for one in os.listdir(self._at(folder)):  # noqa: PTH208 - a hundred thousand names
                    names[folded(one)].append(one)
            self._listed[folder] = dict(names)
        return self._listed[folder]

    def make_folder_of(self, path: str) -> None:
        """See ``Disk``."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)

    def move(self, source: str, target: str) -> None:
        """See ``Disk``; a second name comes first and the old one goes then, so that nobody's is replaced."""
        move_file(self._at(source), self._at(target))

    def copy(self, source: str, target: str) -> None:
        """See ``Disk``."""
        _copied(self._at(source), self._at(target))

    def remove(self, path: str) -> None:
        """See ``Disk``."""
        os.unlink(self._at(path))  # noqa: PTH108 - as above

    def sync(self, paths: Iterable[str]) -> None:
        """See ``Disk``."""
        for folder in {path.rpartition("/")[0] for path in paths}:
            with suppress(FileNotFoundError):  # it was empty, and is gone
                sync_folder(self.folder / folder)

    def drop_empty_folders(self, paths: Iterable[str]) -> None:
        """See ``Disk``; the folders of the slot itself, ``assets`` and ``earlier``, stay."""
        top = self._home.count("/") + 2 if self._home else 1
        for folder in {path.rpartition("/")[0] for path in paths}:
            at = folder
            while at.count("/") >= top or at.endswith(UNDER_WAY):
                try:
                    os.rmdir(self._at(at))  # noqa: PTH106 - as above
                except OSError:  # something is in it, or it is gone
                    break
                at = at.rpartition("/")[0]


def move_file(source: str, target: str) -> None:
    """Rename a file, and replace nothing.

    Raises:
        FileExistsError: something has that name; the file is where it was.
        OSError: as the system says it; the file is where it was.
    """
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_SECOND_NAME:
            raise
        _rename(source, target)
        return
    _give_up(source, target)


def _rename(source: str, target: str) -> None:
    """Rename where a file cannot have two names, or lies on another disk."""
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    try:
        os.rename(source, target)  # noqa: PTH104 - paths are text here
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copied(source, target)
        _give_up(source, target)


def _give_up(source: str, target: str) -> None:
    """Take away the old name of a file; where that cannot be, the new one goes again."""
    try:
        os.unlink(source)  # noqa: PTH108 - as above
    except OSError:
        os.unlink(target)  # noqa: PTH108 - as above
        raise


def _copied(source: str, target: str) -> None:
    """Copy a file with its times; it has its name when all of it is on the disk, and not before."""
    part = f"{target}.part"
    try:
        shutil.copy2(source, part, follow_symlinks=False)
        if not os.path.islink(part):  # noqa: PTH114 - as above
            with open(part, "rb+") as file:  # noqa: PTH123 - as above
                os.fsync(file.fileno())
        try:
            os.link(part, target, follow_symlinks=False)
        except OSError as error:
            if error.errno not in NO_SECOND_NAME:
                raise
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from error
            os.rename(part, target)  # noqa: PTH104 - as above
    finally:
        with suppress(FileNotFoundError):
            os.unlink(part)  # noqa: PTH108 - as above
