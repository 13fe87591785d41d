"""Making renames that were decided and are on record: cut off anywhere, they are gone on with from here.

Each is looked at before it is made, so that what was made already is not made again: a file is where its
stamp or its bytes say that it is. A target that was taken meanwhile stays as it is; the file lies beside it.
"""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from batchgen.errors import OutputError
from batchgen.output.atomic import output_error
from batchgen.output.disk import Disk
from batchgen.planning.file_moves import Move
from batchgen.planning.file_names import folded
from batchgen.planning.file_places import Lies, beside

_CHUNK = 300  # renames that are put on record at once


@dataclass(frozen=True, slots=True)
class Landed:
    """Where renames have brought files.

    Attributes:
        places: the path of each move's file; a move whose file is nowhere is left out.
        error: what stopped them, if anything did: the places are true all the same.
    """

    places: Sequence[tuple[Move, str]]
    error: OutputError | None = None


def chunks_of(groups: Sequence[Sequence[Move]]) -> list[list[Move]]:
    """Return the renames in portions, those together that belong together."""
    chunks: list[list[Move]] = []
    for group in groups:
        if not chunks or len(chunks[-1]) + len(group) > _CHUNK:
            chunks.append([])
        chunks[-1] += group
    return chunks


def stamped(disk: Disk, moves: Sequence[Move]) -> list[Move]:
    """Return the moves with what tells their files; blocks."""
    return [replace(one, stamp=disk.stamp(one.source)) for one in moves]


def carry_out(disk: Disk, moves: Sequence[Move]) -> Landed:
    """Make the renames, or those that are left of them; blocks."""
    work = _Work(disk, moves)
    error: OutputError | None = None
    try:
        work.make()
    except OSError as failure:
        error = output_error_of(failure, work.at)
        work.put_back()
    places = [(one, place) for one in moves if (place := work.places.get(one))]
    return Landed(places, error)


def output_error_of(failure: OSError, path: str) -> OutputError:
    """Return which file could not be moved, and why."""
    text = str(output_error(Path(path), failure))
    return OutputError(text.replace("cannot write", "cannot move", 1))


class _Work:
    """One portion of renames under way."""

    def __init__(self, disk: Disk, moves: Sequence[Move]) -> None:
        self._disk = disk
        self._moves = moves
        self._at: defaultdict[str, list[Move]] = defaultdict(list)  # by where they go
        for one in moves:
            self._at[folded(one.target)].append(one)
        self.places: dict[Move, str] = {}
        self.at = ""  # what is worked on, for messages

    def make(self) -> None:
        """Make way first, then rename, and bring those home last that made way."""
        disk = self._disk
        around = [one for one in self._moves if one.via]
        for path in (path for one in self._moves for path in (one.via, one.target) if path):
            self.at = path
            with suppress(FileExistsError, NotADirectoryError):  # a file that goes away is in its place
                disk.make_folder_of(path)
        for one in around:
            self._make_way(one)
        disk.sync(path for one in around for path in (one.via, one.source))
        for one in self._moves:
            if not one.via:
                self._go(one)
        for one in around:
            if self.places.get(one) == one.via:
                self._land(one, one.via)
        disk.sync(
            path for one, place in self.places.items() for path in (place, one.source, one.via or place)
        )
        disk.drop_empty_folders(path for one in self._moves for path in (one.source, one.via) if path)

    def put_back(self) -> None:
        """Let nothing lie where it was only to make way; what cannot be moved now is where it is."""
        for one, place in list(self.places.items()):
            if place != one.via or not one.via:
                continue
            with suppress(OSError):
                if one.copy_for is not None:
                    self._disk.remove(one.via)
                    del self.places[one]
                else:
                    self._disk.move(one.via, one.source)
                    self.places[one] = one.source
        for one in self._moves:
            unseen = one not in self.places and one.copy_for is None
            if unseen and self._disk.lies(one.source) is not Lies.NOTHING:
                self.places[one] = one.source

    def _make_way(self, one: Move) -> None:
        """Bring a file out of the way of others, or make the copy that another job gets."""
        disk, self.at = self._disk, one.source
        if disk.lies(one.via) is not Lies.NOTHING:
            if one.copy_for is None and disk.is_same(one.via, one.source):
                disk.remove(one.source)
            self.places[one] = one.via
        elif one.copy_for is not None:
            if disk.lies(one.target) is not Lies.NOTHING and self._has_bytes(one, one.target):
                self.places[one] = one.target
            elif disk.lies(one.source) is not Lies.NOTHING:
                disk.copy(one.source, one.via)
                self.places[one] = one.via
        elif (place := self._where(one)) == one.source:
            disk.move(one.source, one.via)
            self.places[one] = one.via
        elif place:
            self.places[one] = place

    def _go(self, one: Move) -> None:
        self.at = one.source
        place = self._where(one)
        if place == one.source:
            self._land(one, one.source)
        elif place:
            self.places[one] = place

    def _land(self, one: Move, source: str) -> None:
        """Rename a file to its target, or to the first name beside it that is free."""
        self.places[one] = source
        for target in beside(one.target, one.asset_id):
            self.at = target
            if target == source:
                return
            if self._disk.lies(target) is not Lies.NOTHING and self._disk.is_same(source, target):
                self._disk.remove(source)  # it has both names: it was cut off in between
            else:
                self._disk.make_folder_of(target)
                try:
                    self._disk.move(source, target)
                except FileExistsError:
                    continue
            self.places[one] = target
            return

    def _where(self, one: Move) -> str:
        """Return where a file is that did not make way: at its source, or at its target already."""
        disk = self._disk
        here, there = (disk.lies(path) is not Lies.NOTHING for path in (one.source, one.target))
        here = here and not self._came_there(one)
        if not (here and there):
            if here:
                return one.source
            return one.target if there and self._is_it(one, one.target) else ""
        if disk.is_same(one.source, one.target):
            return one.source  # it has both names: the old one goes when it lands
        for tells in (self._has_stamp, self._has_bytes):
            first, second = tells(one, one.source), tells(one, one.target)
            if first is not second:
                return one.source if first else one.target
        return one.target if self._has_bytes(one, one.target) else one.source

    def _came_there(self, one: Move) -> bool:
        """Return whether a move's source has the file of another one by now, and not its own."""
        others = [other for other in self._at.get(folded(one.source), ()) if other is not one]
        if not others or self._has_stamp(one, one.source):
            return False
        return any(self._is_it(other, one.source) for other in others) and not self._is_it(one, one.source)

    def _is_it(self, one: Move, path: str) -> bool:
        """Return whether a path has the very file; nobody's has no bytes on record."""
        return self._has_stamp(one, path) or self._has_bytes(one, path)

    def _has_stamp(self, one: Move, path: str) -> bool:
        return bool(one.stamp) and self._disk.stamp(path) == one.stamp

    def _has_bytes(self, one: Move, path: str) -> bool:
        return bool(one.sha256) and self._disk.sha256(path) == one.sha256
