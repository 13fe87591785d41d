"""A disk in memory that renames as a real one does, whether or not it tells letters by their case."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import PurePosixPath

from batchgen.model import File
from batchgen.planning.file_names import folded
from batchgen.planning.file_places import Lies


class Killed(BaseException):
    """The process is gone."""


@dataclass
class MemoryDisk:
    """Files by path; implements ``output.disk.Disk`` and ``arrangement.Surroundings``.

    Attributes:
        keeps_case: whether names that differ by case alone are two.
        before: called before each change with what it is.
    """

    keeps_case: bool = True
    before: Callable[[str], None] = lambda _: None
    files: dict[str, tuple[str, bytes, int]] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    _inode: int = 0

    def _key(self, path: str) -> str:
        return path if self.keeps_case else folded(path)

    def write(self, path: str, data: bytes) -> None:
        self._inode += 1
        self.files[self._key(path)] = (path, data, self._inode)
        self._make(str(PurePosixPath(path).parent))

    def read(self, path: str) -> bytes | None:
        found = self.files.get(self._key(path))
        return None if found is None else found[1]

    def delete(self, path: str) -> None:
        self.files.pop(self._key(path), None)

    def names(self) -> dict[str, bytes]:
        return {path: data for path, data, _ in self.files.values()}

    def lies(self, path: str) -> Lies:
        if self._key(path) in self.files:
            return Lies.FILE
        return Lies.OTHER if self._key(path) in self.folders else Lies.NOTHING

    def stamp(self, path: str) -> str:
        found = self.files.get(self._key(path))
        return "" if found is None else f"{len(found[1])}-{found[2]}"

    def sha256(self, path: str) -> str:
        data = self.read(path)
        return "" if data is None else sha256(data).hexdigest()

    def is_whole(self, file: File) -> bool:
        return self.sha256(file.path) == file.sha256

    def is_same(self, one: str, other: str) -> bool:
        return bool(self.stamp(one)) and self.stamp(one) == self.stamp(other)

    def same_names(self, path: str) -> Collection[str]:
        for above in PurePosixPath(path).parents:
            if self._key(str(above)) in self.files:
                return [str(above)]
        names = [one[0] for one in self.files.values()] + list(self.folders.values())
        return sorted(one for one in names if folded(one) == folded(path))

    def make_folder_of(self, path: str) -> None:
        self._make(str(PurePosixPath(path).parent))

    def _make(self, folder: str) -> None:
        for above in (PurePosixPath(folder), *PurePosixPath(folder).parents):
            if self._key(str(above)) in self.files:
                raise FileExistsError(17, "File exists", str(above))
            if str(above) != "." and self._key(str(above)) not in self.folders:
                self.before(f"mkdir {above}")
                self.folders[self._key(str(above))] = str(above)

    def move(self, source: str, target: str) -> None:
        self._second(source, target)
        self.before(f"unlink {source}")
        del self.files[self._key(source)]

    def _second(self, source: str, target: str) -> None:
        self.before(f"link {source} {target}")
        found = self.files[self._key(source)]
        if self.lies(target) is not Lies.NOTHING:
            raise FileExistsError(17, "File exists", target)
        assert self._key(str(PurePosixPath(target).parent)) in self.folders, "no folder for it"
        self.files[self._key(target)] = (target, *found[1:])

    def copy(self, source: str, target: str) -> None:
        self.before(f"copy {source} {target}")
        assert self.lies(target) is Lies.NOTHING
        data = self.read(source)
        assert data is not None
        self.write(target, data)

    def remove(self, path: str) -> None:
        self.before(f"unlink {path}")
        del self.files[self._key(path)]

    def sync(self, paths: Iterable[str]) -> None:
        self.before(f"sync {len(set(paths))}")

    def drop_empty_folders(self, paths: Iterable[str]) -> None:
        for path in paths:
            folder = PurePosixPath(path).parent
            while len(folder.parts) > 1:
                inside = (*(one[0] for one in self.files.values()), *self.folders.values())
                if any(folded(one).startswith(f"{folded(str(folder))}/") for one in inside):
                    break
                self.before(f"rmdir {folder}")
                self.folders.pop(self._key(str(folder)), None)
                folder = folder.parent
