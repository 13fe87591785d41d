"""A folder into which files are exported and that others use too: how it is looked at and changed.

Nothing outside of it is reached: every folder on the way is opened from the one above it, and a link is never
followed. What is changed goes through ``_act``, one step at a time, so that every moment between two steps
can be tried. Files come from a hidden folder in it, complete, into their places in one rename each.
"""

import errno
import fcntl
import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from batchgen.errors import InputError, OutputError
from batchgen.output.atomic import output_error
from batchgen.output.disk import NO_SECOND_NAME
from batchgen.plain_files import FileFaultError, open_plain, open_plain_at
from batchgen.planning.export_changes import Seen
from batchgen.planning.file_names import folded
from batchgen.planning.file_places import Lies

RECORD: Final = ".batchgen-export.json"  # what exports put into the folder
STAGING: Final = ".batchgen-export"  # where files are until all of them are there

_CHUNK = 1 << 20  # bytes
_LARGEST_RECORD = 1 << 29  # bytes
_NO_LOCKS = frozenset(
    {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.EINVAL}
)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NOTHING = Seen(Lies.NOTHING)

T = TypeVar("T")


class _Listed(NamedTuple):
    """What one folder has, as it was when it was first asked for."""

    names: Mapping[str, os.stat_result]
    folded: Mapping[str, Sequence[str]]


_EMPTY: Final = _Listed({}, {})


def _listed(descriptor: int) -> _Listed:
    names: dict[str, os.stat_result] = {}
    alike: defaultdict[str, list[str]] = defaultdict(list)
    with os.scandir(descriptor) as entries:
        for one in entries:
            with suppress(FileNotFoundError):  # it is gone since
                names[one.name] = one.stat(follow_symlinks=False)
                alike[folded(one.name)].append(one.name)
    return _Listed(names, alike)


class ExportDisk:
    """One folder; implements ``planning.export_changes.ExportSurroundings``. Blocks.

    Attributes:
        folder: as the user gave it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._root: int | None = None
        self._staging: int | None = None
        self._made: list[str] = []  # folders in it, by ``prepare``
        self._above: list[Path] = []  # the folder itself and those above it, by ``prepare``
        self._listed: dict[str, _Listed | str] = {}
        self._last: tuple[str, int] | None = None

    def _act(self, work: Callable[..., T], *given: Any, **named: Any) -> T:
        """Change something: the only way by which it is done."""
        return work(*given, **named)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the folder as the only export into it, if it is there.

        Raises:
            InputError: it is no folder, or another export goes on.
            OutputError: it cannot be read.
        """
        try:
            self._open()
            yield
        finally:
            self._close()

    def _open(self) -> None:
        try:
            self._root = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(self._root, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return
        except NotADirectoryError as error:
            raise InputError(
                f"{self.folder} is no folder; --to takes the folder that the files go to"
            ) from error
        except BlockingIOError as error:
            raise InputError(f"another export into {self.folder} goes on; wait for its end") from error
        except OSError as error:
            if self._root is None:
                raise OutputError(f"cannot read {self.folder}: {error.strerror or error}") from error
            if error.errno not in _NO_LOCKS:
                raise output_error(self.folder, error) from error

    def _close(self) -> None:
        self._forget_last()
        for one in (self._staging, self._root):
            if one is not None:
                os.close(one)
        self._staging = self._root = None
        self._listed.clear()

    # looking

    def seen(self, path: str) -> Seen:
        """See ``ExportSurroundings``."""
        folder, _, name = path.rpartition("/")
        listed = self._list(folder)
        if isinstance(listed, str):
            return Seen(Lies.NOTHING, listed)
        found = listed.names.get(name)
        if found is None:
            return _NOTHING
        lies = Lies.FILE if stat.S_ISREG(found.st_mode) else Lies.OTHER
        return Seen(lies, "", found.st_size, found.st_mtime_ns)

    def other_spellings(self, path: str) -> Collection[str]:
        """See ``ExportSurroundings``."""
        folder, slash, name = path.rpartition("/")
        listed = self._list(folder)
        if isinstance(listed, str):
            return ()
        return [f"{folder}{slash}{one}" for one in listed.folded.get(folded(name), ()) if one != name]

    def sha256(self, path: str) -> str:
        """See ``ExportSurroundings``."""
        folder, _, name = path.rpartition("/")
        try:
            with open_plain_at(name, self._folder(folder)) as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, FileFaultError):
            return ""

    def record(self) -> bytes | None:
        """Return what the record of earlier exports says; None where there is none.

        Raises:
            FileFaultError: it cannot be read.
        """
        if self._root is None or RECORD not in self._list("").names:  # type: ignore[union-attr]  # the top is listed
            return None
        with open_plain_at(RECORD, self._root) as file:
            return file.read(_LARGEST_RECORD)

    @property
    def is_left_over(self) -> bool:
        """Whether an export that was killed has left its hidden folder."""
        return self._root is not None and STAGING in self._list("").names  # type: ignore[union-attr]  # as above

    def _list(self, folder: str) -> "_Listed | str":
        """Return what a folder has, or why no file can lie in it; what is not there is empty."""
        if folder not in self._listed:
            self._listed[folder] = self._looked(folder)
        return self._listed[folder]

    def _looked(self, folder: str) -> "_Listed | str":
        if self._root is None:
            return _EMPTY
        above, _, name = folder.rpartition("/")
        if folder:
            outer = self._list(above)
            if isinstance(outer, str):
                return outer
            found = outer.names.get(name)
            if found is None:
                others = outer.folded.get(folded(name), ())
                return _EMPTY if not others else _spelt(folder, others[0])
            if stat.S_ISLNK(found.st_mode):
                return f'its folder "{folder}" is a link, and links are not followed'
            if not stat.S_ISDIR(found.st_mode):
                return f'a file is in the place of its folder "{folder}"'
        try:
            if folder and not os.access(name, os.W_OK | os.X_OK, dir_fd=self._folder(above)):
                return f'its folder "{folder}" may not be written'
            return _listed(self._folder(folder))
        except OSError as error:
            return f'its folder "{folder}" cannot be read: {error.strerror or error}'

    def _folder(self, folder: str) -> int:
        """Return a descriptor of a folder, opened from above one by one; the last one stays open."""
        assert self._root is not None, "a folder is there before it is opened"
        if not folder:
            return self._root
        if self._last is not None and self._last[0] == folder:
            return self._last[1]
        at, owned = self._root, False
        for part in folder.split("/"):
            try:
                inner = os.open(part, _FOLDER, dir_fd=at)
            finally:
                if owned:
                    os.close(at)
            at, owned = inner, True
        self._forget_last()
        self._last = (folder, at)
        return at

    def _forget_last(self) -> None:
        if self._last is not None:
            os.close(self._last[1])
            self._last = None

    # changing

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
            self._staging = os.open(STAGING, _FOLDER, dir_fd=self._root)
            self._empty_staging()
        except OSError as error:
            self.undo()
            raise output_error(self.folder, error) from error

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
        digest, flags = hashlib.sha256(), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open_plain(source) as file:
            target = self._act(os.open, str(number), flags, 0o666, dir_fd=self._staging)
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
                self._act(os.link, source.resolve(), str(number), dst_dir_fd=self._staging)
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
                if at in self._made or self._list(at) is not _EMPTY:
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


def _spelt(folder: str, other: str) -> str:
    return f'the folder "{other}" is there, which is the same as "{folder}" on some systems; write them alike'


def _seen(found: os.stat_result) -> Seen:
    return Seen(Lies.FILE, "", found.st_size, found.st_mtime_ns)


def _read(file: Any, source: Path) -> bytes:
    try:
        return file.read(_CHUNK)  # type: ignore[no-any-return]  # bytes
    except OSError as error:
        raise FileFaultError(source, f"cannot be read: {error.strerror or error}") from error
