"""A folder into which files are exported and that others use too: opened, held, and looked at.

Nothing outside of it is reached: every folder on the way is opened from the one above it, and a link is never
followed.
"""

import errno
import fcntl
import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from batchgen.errors import InputError, OutputError
from batchgen.output.atomic import output_error
from batchgen.plain_files import FileFaultError, open_plain_at
from batchgen.planning.export_changes import Seen
from batchgen.planning.file_names import folded
from batchgen.planning.file_places import Lies

RECORD: Final = ".batchgen-export.json"  # what exports put into the folder
STAGING: Final = ".batchgen-export"  # where files are until all of them are there
FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC  # how a folder is opened

_LARGEST_RECORD = 1 << 29  # bytes
_NO_LOCKS = frozenset(
    {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.EINVAL}
)
_NOTHING = Seen(Lies.NOTHING)


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


class ExportView:
    """One folder; implements ``planning.export_changes.ExportSurroundings``. Blocks.

    Attributes:
        folder: as the user gave it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._root: int | None = None
        self._listed: dict[str, _Listed | str] = {}
        self._last: tuple[str, int] | None = None

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
            is_there = os.path.lexists(self.folder)
            why = (
                "is no folder" if is_there else "cannot be made: a file is in the place of one of its folders"
            )
            raise InputError(f"{self.folder} {why}; --to takes the folder that the files go to") from error
        except BlockingIOError as error:
            raise InputError(f"another export into {self.folder} goes on; wait for its end") from error
        except OSError as error:
            if self._root is None:
                raise OutputError(f"cannot read {self.folder}: {error.strerror or error}") from error
            if error.errno not in _NO_LOCKS:
                raise output_error(self.folder, error) from error

    def _close(self) -> None:
        self._forget_last()
        if self._root is not None:
            os.close(self._root)
        self._root = None
        self._listed.clear()

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

    def is_folder(self, path: str) -> bool:
        """Return whether a folder was there when it was looked for."""
        return self._list(path) is not _EMPTY

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
                inner = os.open(part, FOLDER, dir_fd=at)
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


def _spelt(folder: str, other: str) -> str:
    return f'the folder "{other}" is there, which is the same as "{folder}" on some systems; write them alike'
