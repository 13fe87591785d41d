"""What an export has to change in a folder that others use too, decided before anything is touched. Pure.

What an earlier export put there is known by its record and is ours as long as it has those bytes. All else is
somebody's and is neither replaced nor removed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from batchgen.planning.file_names import folded
from batchgen.planning.file_places import Lies


class Exportable(NamedTuple):
    """One file that is to be in the folder.

    Attributes:
        path: below the folder, with forward slashes.
        source: where it lies, relative to the batch's folder, with forward slashes.
        sha256: of the bytes that it has now, hexadecimal.
        bytes: the size that it has now.
        asset_id: the service's.
        job: the id of the job.
        edited: whether a person has changed it since it was fetched.
    """

    path: str
    source: str
    sha256: str
    bytes: int
    asset_id: str
    job: str
    edited: bool = False


class Put(NamedTuple):
    """A file that an export put into the folder, as it was then.

    Attributes:
        sha256: of its bytes, hexadecimal.
        bytes: the size.
        modified: nanoseconds since the epoch, by the file system.
        asset_id: the service's.
        batch: of which it is an output.
    """

    sha256: str
    bytes: int
    modified: int
    asset_id: str
    batch: str


class Seen(NamedTuple):
    """What lies at a path of the folder.

    Attributes:
        lies: of which kind it is; a link is not followed.
        blocked: what on the way keeps a file from lying there, as a sentence; empty where nothing does.
        bytes: the size of a file.
        modified: nanoseconds since the epoch.
    """

    lies: Lies
    blocked: str = ""
    bytes: int = 0
    modified: int = 0


class ExportSurroundings(Protocol):
    """What the decision has to know of the folder."""

    def seen(self, path: str) -> Seen:
        """Return what lies at a path."""

    def sha256(self, path: str) -> str:
        """Return the hash of a file's bytes, hexadecimal; empty where it cannot be read."""

    def other_spellings(self, path: str) -> Collection[str]:
        """Return what lies beside a path under a name that is the same on some file system."""


class Obstacle(NamedTuple):
    """What keeps a file from its place.

    Attributes:
        path: the file's, below the folder.
        why: a sentence without the path.
        replaceable: whether it is a plain file, in whose place a person may have the new one put.
    """

    path: str
    why: str
    replaceable: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """What is to be done.

    Attributes:
        new: files whose names are free.
        replaced: files in whose places there are others, which go.
        same: files that are there, with what the file system says of them.
        foreign: those of the same that no export put there.
        makes_way: what an earlier export put there under another spelling of a name that is taken now.
        stale: what earlier exports of the batch put there and this one does not have, unchanged since.
        altered: the same, changed by somebody since.
        known: what exports put there that was looked at and is as they left it.
        obstacles: why nothing can be done.
    """

    new: Sequence[Exportable] = ()
    replaced: Sequence[Exportable] = ()
    same: Mapping[str, Seen] = field(default_factory=dict)
    foreign: Collection[str] = ()
    makes_way: Sequence[str] = ()
    stale: Sequence[str] = ()
    altered: Sequence[str] = ()
    known: Mapping[str, Put] = field(default_factory=dict)
    obstacles: Sequence[Obstacle] = ()


def one_name_each(files: Iterable[Exportable]) -> Iterator[str]:
    """Say of each file that would have the name of another one, on whatever file system, which that is.

    Files that lie in one place are one file.
    """
    taken: dict[str, Exportable] = {}
    for one in files:
        other = taken.setdefault(folded(one.path), one)
        if (other.source, other.path) != (one.source, one.path):
            names = f'"{other.job}" and "{one.job}"' if other.job != one.job else f'two files of "{one.job}"'
            yield f'{names} would both be "{one.path}"'
    for one in {**taken}.values():
        for folder in _folders(one.path):
            if (above := taken.get(folded(folder))) is not None:
                yield f'"{above.path}" of "{above.job}" is the folder of "{one.path}" of "{one.job}"'


def decide(
    files: Iterable[Exportable],
    puts: Mapping[str, Sequence[Put]],
    around: ExportSurroundings,
    *,
    batch: str,
    force: bool = False,
) -> Changes:
    """Return what is to be done so that the folder has just these files of a batch.

    Args:
        files: with one name each.
        puts: what earlier exports put there, by path; one that was cut off may have put the second of two.
        around: the folder.
        batch: its name; what was put there of others stays theirs.
        force: put files into the places of plain files that are not ours.
    """
    found = _Found(puts, around, batch, force=force)
    paths: set[str] = set()
    for one in files:
        if one.path not in paths:
            paths.add(one.path)
            found.add(one)
    return found.with_the_rest(paths)


class _Found:
    """The files of one folder, looked at one after the other."""

    def __init__(
        self, puts: Mapping[str, Sequence[Put]], around: ExportSurroundings, batch: str, *, force: bool
    ) -> None:
        self._puts = puts
        self._around = around
        self._batch = batch
        self._force = force
        self._new: list[Exportable] = []
        self._replaced: list[Exportable] = []
        self._same: dict[str, Seen] = {}
        self._foreign: set[str] = set()
        self._makes_way: dict[str, None] = {}
        self._known: dict[str, Put] = {}
        self._obstacles: list[Obstacle] = []

    def add(self, one: Exportable) -> None:
        """Decide about one file."""
        seen = self._around.seen(one.path)
        if seen.blocked or seen.lies is Lies.OTHER:
            why = seen.blocked or "something that is no plain file has its name"
            self._obstacles.append(Obstacle(one.path, why))
        elif seen.lies is Lies.FILE:
            self._add_over(one, seen)
        else:
            for other in self._around.other_spellings(one.path):
                if self._is_ours(other, self._around.seen(other)):
                    self._makes_way[other] = None
                else:
                    why = f'"{other}" is there, which is the same name on some systems'
                    self._obstacles.append(Obstacle(one.path, why))
            self._new.append(one)

    def _add_over(self, one: Exportable, seen: Seen) -> None:
        put = self._put(one.path, seen)
        now = put.sha256 if put is not None else self._around.sha256(one.path)
        mine = put is not None and put.batch == self._batch
        if now == one.sha256:
            self._same[one.path] = seen
            if not mine:
                self._foreign.add(one.path)
        elif mine or self._force:
            self._replaced.append(one)
        else:
            self._obstacles.append(Obstacle(one.path, self._whose(one.path, put), replaceable=True))

    def _whose(self, path: str, put: Put | None) -> str:
        if put is not None:
            return f"an export of batch {put.batch!r} put it there"
        there = self._puts.get(path)
        return "it was changed since an export put it there" if there else "no export put it there"

    def _put(self, path: str, seen: Seen) -> Put | None:
        """Return which export put a file there that is still as it left it; None for what is not."""
        puts = [one for one in self._puts.get(path, ()) if one.bytes == seen.bytes]
        if not puts or seen.lies is not Lies.FILE or seen.blocked:
            return None
        found = next((one for one in puts if one.modified == seen.modified), None)
        if found is None:
            now = self._around.sha256(path)
            found = next((one for one in puts if one.sha256 == now), None)
        if found is not None:
            self._known[path] = found._replace(modified=seen.modified)
        return found

    def _is_ours(self, path: str, seen: Seen) -> bool:
        put = self._put(path, seen)
        return put is not None and put.batch == self._batch

    def with_the_rest(self, paths: Collection[str]) -> Changes:
        """Return all, with what earlier exports put there that is not among these paths."""
        stale, altered = list[str](), list[str]()
        for path, puts in self._puts.items():
            if path in paths or path in self._makes_way or all(one.batch != self._batch for one in puts):
                continue
            seen = self._around.seen(path)
            if seen.lies is Lies.FILE and not seen.blocked:
                (stale if self._is_ours(path, seen) else altered).append(path)
        return Changes(
            new=self._new,
            replaced=self._replaced,
            same=self._same,
            foreign=self._foreign,
            makes_way=tuple(self._makes_way),
            stale=stale,
            altered=altered,
            known=self._known,
            obstacles=self._obstacles,
        )


def _folders(path: str) -> Iterator[str]:
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)
