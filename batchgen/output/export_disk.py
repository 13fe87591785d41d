"""A folder into which files are exported and that others use too: changed, one step at a time.

What is changed goes through ``_act``, so that every moment between two steps can be tried. Files come from a
hidden folder in it, complete, into their places in one rename each.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from batchgen.errors import InputError
from batchgen.output.atomic import output_error
from batchgen.output.disk import NO_SECOND_NAME
from batchgen.output.export_view import FOLDER, RECORD, STAGING, ExportView
from batchgen.plain_files import FileFaultError, open_plain, real_path
from batchgen.planning.export_changes import Seen
from batchgen.planning.file_places import Lies

_CHUNK = 1 << 20  # bytes
_COPIED: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

T = TypeVar("T")


class ExportDisk(ExportView):
    """One folder, with what changes it. Blocks."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._staging: int | None = None
        self._made: list[str] = []  # folders in it, by ``make_folders``
        self._above: list[Path] = []  # the folder itself and those above it, by ``prepare``

    def _act(self, work: Callable[..., T], *given: Any, **named: Any) -> T:
        """Change something: the only way by which it is done."""
        return work(*given, **named)

    def _close(self) -> None:
        if self._staging is not None:
            os.close(self._staging)
        self._staging = None
        super()._close()

    def prepare(self) -> None:
        """Make the folder and the hidden one in it, empty, whatever an export that was killed has left.

        Raises:
            OutputError: they cannot be made.
        """
        try:
            if self._root is None:
                self._make_above()
                self._open()
                self._listed.clear()
            assert self._root is not None, "it was made just now"
            with suppress(FileExistsError):
                self._act(os.mkdir, STAGING, dir_fd=self._root)
            self._staging = os.open(STAGING, FOLDER, dir_fd=self._root)
            self._empty_staging()
            if os.listdir(self._staging):  # noqa: PTH208 - by its descriptor
                raise _others(self.folder / STAGING)
        except OSError as error:
            at = self.folder if self._root is None else self.folder / STAGING
            self.undo()
            raise output_error(at, error) from error

    def _make_above(self) -> None:
        missing = [self.folder]
        while not missing[-1].parent.exists():
            missing.append(missing[-1].parent)
        for one in reversed(missing):
            self._act(os.mkdir, one)
            self._above.append(one)

    def stage_copy(self, number: int, source: Path) -> tuple[str, Seen]:
        """Copy a file into the hidden folder; may be called in several threads.

        Returns:
            The hash of what was copied, and what the file system says of the copy.

        Raises:
            FileFaultError: the source cannot be read.
            OSError: the copy cannot be written.
        """
        digest = hashlib.sha256()
        with open_plain(source) as file:
            target = self._act(os.open, str(number), _COPIED, 0o666, dir_fd=self._staging)
            with os.fdopen(target, "wb", buffering=0) as copy:
                while chunk := _read(file, source):
                    digest.update(chunk)
                    self._write(copy.fileno(), chunk)
                self._act(os.fsync, copy.fileno())
                return digest.hexdigest(), _seen(os.fstat(copy.fileno()))

    def _write(self, descriptor: int, chunk: bytes) -> None:
        left = memoryview(chunk)
        while left:
            left = left[self._act(os.write, descriptor, left) :]

    def stage_link(self, number: int, source: Path) -> tuple[str, Seen]:
        """Give a file a second name in the hidden folder, and return as ``stage_copy`` does.

        Raises:
            FileFaultError: the source cannot be read.
            InputError: files of that place can have no second name here.
            OSError: the disk is at fault.
        """
        with open_plain(source) as file:
            try:
                self._act(os.link, real_path(source), str(number), dst_dir_fd=self._staging)
            except OSError as error:
                if error.errno == errno.EXDEV:
                    why = f"{self.folder} is on another file system than {source.parent}"
                elif error.errno in NO_SECOND_NAME:
                    why = f"this file system gives {source} no second name"
                else:
                    raise
                raise InputError(f"{why}, so files cannot be linked; use --copy") from error
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return digest, _seen(os.fstat(file.fileno()))

    def make_folders(self, folders: Iterable[str]) -> None:
        """Make the folders of the files that come.

        Raises:
            OSError: as the system says it.
        """
        for folder in sorted(set(folders)):
            at = ""
            for part in folder.split("/") if folder else ():
                above, at = at, f"{at}/{part}" if at else part
                if at in self._made or self.is_folder(at):
                    continue
                self._act(os.mkdir, part, dir_fd=self._folder(above))
                self._made.append(at)

    def put(self, number: int, path: str, *, over: Seen | None = None) -> None:
        """Bring a file from the hidden folder to its place, in one rename.

        Args:
            number: of the file.
            path: its place.
            over: what it is to replace, as it was seen; None where nothing has the name.

        Raises:
            FileExistsError: something else has the name by now; it is left.
            OSError: as the system says it.
        """
        folder, _, name = path.rpartition("/")
        at = self._folder(folder)
        if over is not None:
            now = os.stat(name, dir_fd=at, follow_symlinks=False)
            if _seen(now) != over or not stat.S_ISREG(now.st_mode):
                raise FileExistsError(errno.EEXIST, "it was changed just now", path)
            self._act(os.rename, str(number), name, src_dir_fd=self._staging, dst_dir_fd=at)
            return
        try:
            self._act(
                os.link, str(number), name, src_dir_fd=self._staging, dst_dir_fd=at, follow_symlinks=False
            )
        except OSError as error:
            if error.errno not in NO_SECOND_NAME:
                raise
            with suppress(FileNotFoundError):
                os.stat(name, dir_fd=at, follow_symlinks=False)
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from error
            self._act(os.rename, str(number), name, src_dir_fd=self._staging, dst_dir_fd=at)
            return
        self._act(os.unlink, str(number), dir_fd=self._staging)

    def remove(self, path: str) -> None:
        """Remove a file that an export put there, and the folders that are empty then.

        Raises:
            OSError: as the system says it.
        """
        folder, _, name = path.rpartition("/")
        with suppress(FileNotFoundError):
            self._act(os.unlink, name, dir_fd=self._folder(folder))
        while folder:
            self._forget_last()
            folder, _, name = folder.rpartition("/")
            try:
                self._act(os.rmdir, name, dir_fd=self._folder(folder))
            except OSError:  # something is in it
                break

    def sync(self, paths: Iterable[str]) -> None:
        """Make what was put and removed survive a power cut."""
        for folder in sorted({path.rpartition("/")[0] for path in paths}):
            with suppress(OSError):  # it was empty, and is gone; or a network disk that cannot
                self._act(os.fsync, self._folder(folder))

    def write_record(self, chunks: Iterable[bytes]) -> None:
        """Put the record into its place, all or nothing.

        Raises:
            OSError: the record is as it was.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        target = self._act(os.open, "record", flags, 0o666, dir_fd=self._staging)
        with os.fdopen(target, "wb", buffering=0) as file:
            for one in chunks:
                self._write(file.fileno(), one)
            self._act(os.fsync, file.fileno())
        self._act(os.rename, "record", RECORD, src_dir_fd=self._staging, dst_dir_fd=self._root)

    def tidy(self) -> None:
        """Remove the hidden folder.

        Raises:
            OSError: as the system says it.
        """
        if self._staging is None:
            return
        self._empty_staging()
        os.close(self._staging)
        self._staging = None
        self._act(os.rmdir, STAGING, dir_fd=self._root)

    def undo(self) -> None:
        """Remove all that was made and has nothing in it; the names in the folder are as they were."""
        self._forget_last()
        with suppress(OSError):
            self.tidy()
        for folder in reversed(self._made):
            above, _, name = folder.rpartition("/")
            with suppress(OSError):
                self._act(os.rmdir, name, dir_fd=self._folder(above))
        for one in reversed(self._above):
            with suppress(OSError):
                self._act(os.rmdir, one)
        self._made.clear()
        self._above.clear()

    def _empty_staging(self) -> None:
        for name in os.listdir(self._staging):  # noqa: PTH208 - by its descriptor
            if name == "record" or name.isdecimal():
                self._act(os.unlink, name, dir_fd=self._staging)


def _others(path: Path) -> InputError:
    return InputError(
        f"{path} has files that no export put there; an export needs that name, so move it away"
    )


def _seen(found: os.stat_result) -> Seen:
    return Seen(Lies.FILE, "", found.st_size, found.st_mtime_ns)


def _read(file: Any, source: Path) -> bytes:
    try:
        return file.read(_CHUNK)  # type: ignore[no-any-return]  # bytes
    except OSError as error:
        raise FileFaultError(source, f"cannot be read: {error.strerror or error}") from error
