"""Where each file of a batch belongs by the jobs as they stand, and the renames that bring it there.

A job of the manifest has its files under its name; what it had before lies in ``earlier/``. A file that
somebody has changed, or that is nobody's here, keeps the name that it has. Nothing is replaced or deleted.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import chain, count
from pathlib import PurePosixPath
from typing import NamedTuple, Protocol

from batchgen.lifecycle import DONE, Record
from batchgen.model import File, Job, JobKey
from batchgen.planning.file_names import folded
from batchgen.planning.plan import Entry, Plan

ASSETS = "assets"
EARLIER = "earlier"
UNDER_WAY = ".moving"  # where files lie that change places with others

_TAIL = 8  # characters of an asset id that tell it from its neighbours


class Namer(Protocol):
    """What a job's files are called."""

    def __call__(self, job: Job, *, index: int, asset_id: str, kind: str, extension: str) -> str:
        """Return the path of a file below ``assets/``, with forward slashes.

        Args:
            job: as the manifest has it now.
            index: of the asset among the job's, from 0.
            asset_id: the service's.
            kind: image, video, audio, 3d, document or text.
            extension: without the dot.
        """


class Lies(Enum):
    """What lies at a path."""

    NOTHING = auto()
    FILE = auto()
    OTHER = auto()  # a folder, a link, a device: never renamed


class Surroundings(Protocol):
    """What the decision has to know of the disk; each question is asked of few files."""

    def lies(self, path: str) -> Lies:
        """Return what lies there."""

    def is_whole(self, file: File) -> bool:
        """Return whether the file has the bytes that are on record."""

    def same_names(self, path: str) -> Collection[str]:
        """Return what lies there, however the name is spelt, or a file in the place of a folder of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One rename of a file; paths are relative to the batch's folder.

    Attributes:
        asset_id: whose file it is; empty where it is nobody's here.
        source: where it lies.
        via: where it lies in between, as others have to leave its target first; empty where none has.
        target: where it goes.
        copy_for: the job that gets a copy, as two have one file; None where the file itself moves.
        sha256: on record; empty where it is nobody's.
        stamp: what tells the file itself, as the disk showed it before the move.
    """

    asset_id: str
    source: str
    target: str
    via: str = ""
    copy_for: JobKey | None = None
    sha256: str = ""
    stamp: str = ""


class Blocked(NamedTuple):
    """A file that cannot have its name.

    Attributes:
        job_id: whose it is.
        name: the path that it should have.
        lies: the path that it has instead.
        holder: what has the name, or the place of a folder of it.
        edited: whether that is a file of ours which somebody has changed.
    """

    job_id: str
    name: str
    lies: str
    holder: str
    edited: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrangement:
    """What is to be done.

    Attributes:
        moves: in groups that belong together, each in the order in which its renames are made.
        absent: where files that are not on the disk belong, by job and asset.
        blocked: which files cannot have their names.
        renamed, to_earlier: how many files of the jobs as they stand get another name, and how many
            go to ``earlier/``.
    """

    moves: tuple[tuple[Move, ...], ...] = ()
    absent: Mapping[JobKey, Mapping[str, str]] = field(default_factory=dict)
    blocked: tuple[Blocked, ...] = ()
    renamed: int = 0
    to_earlier: int = 0

    @property
    def is_nothing(self) -> bool:
        """Whether every file lies where it is to lie."""
        return not (self.moves or self.absent)


def beside(path: str, asset_id: str) -> Iterator[str]:
    """Return the paths that a file may have: its own, and then those with its asset's id in it."""
    yield path
    plain = _plain(asset_id)
    if plain:
        yield _with(path, f"_{plain[-_TAIL:]}")
        yield _with(path, f"_{plain}")
    # where a file is in the place of a folder no name under it will do
    at_top = PurePosixPath(*PurePosixPath(path).parts[: _depth(path)], PurePosixPath(path).name)
    yield from (_with(str(at_top), f"_{plain}-{number}".replace("_-", "-")) for number in count(2))


def earlier(path: str, asset_id: str, home: str) -> str:
    """Return where a file goes that another one has the name of.

    Args:
        path: the file's.
        asset_id: whose it is; empty where it is nobody's here.
        home: the folder of the slot's results, relative to the batch's; empty for that itself.
    """
    below = path.removeprefix(under(home, ""))
    for folder in (ASSETS, EARLIER, UNDER_WAY):
        below = below.removeprefix(f"{folder}/")
    plain = _plain(asset_id)
    moved = under(home, f"{EARLIER}/{below}")
    return _with(moved, f"_{plain}") if plain else moved


def under(home: str, path: str) -> str:
    """Return a path of a slot relative to the batch's folder."""
    return f"{home}/{path}" if home else path


def kind_word(mime: str) -> str:
    """Return the service's word for the kind of a file."""
    first = mime.partition("/")[0]
    return {"model": "3d", "application": "document"}.get(first, first)


def extension_of(path: str) -> str:
    """Return the extension of a path, without the dot."""
    return PurePosixPath(path).suffix.removeprefix(".")


def arrange(
    plan: Plan,
    records: Mapping[JobKey, Record],
    namer: Namer,
    disk: Surroundings,
    *,
    home: str = "",
    force: bool = False,
) -> Arrangement:
    """Return what brings each file to its place.

    Args:
        plan: which jobs there are, and which records are of jobs that are gone or were changed.
        records: as they are now.
        namer: what files are called.
        disk: what lies there.
        home: the folder of the slot's results, relative to the batch's; empty for that itself.
        force: whether what has the name of a file goes to ``earlier/``, whosever it is.
    """
    current = list(_current(plan, records, namer, home))
    old = list(_old(plan, records, disk, home))
    if all(one.file.path == one.wanted for one in current):
        names = {folded(one.wanted) for one in current}
        settled = not any(one.is_over or folded(one.file.path) in names for one in old)
        if settled and len(names) == len(current):
            return Arrangement()
    return _Desk(current, old, disk, home=home, force=force).arranged()


class _Claim(NamedTuple):
    """A file on record: where it belongs, if its job is one of the manifest."""

    key: JobKey
    job_id: str
    file: File
    wanted: str  # empty for a file of an earlier form
    is_over: bool = False  # whether the job has its new files


def _current(plan: Plan, records: Mapping[JobKey, Record], namer: Namer, home: str) -> Iterator[_Claim]:
    top = under(home, f"{ASSETS}/")
    for entry in plan.entries:
        record = records.get(entry.key, entry.record)
        for file in record.files:
            ids = record.asset_ids
            index = ids.index(file.asset_id) if file.asset_id in ids else len(ids)
            name = namer(
                entry.job,
                index=index,
                asset_id=file.asset_id,
                kind=kind_word(file.mime),
                extension=extension_of(file.path),
            )
            yield _Claim(entry.key, entry.job.id, file, top + name)


def _old(plan: Plan, records: Mapping[JobKey, Record], disk: Surroundings, home: str) -> Iterator[_Claim]:
    """Return the files of no job of the manifest, but for those that are in ``earlier/`` already."""
    aside = under(home, f"{EARLIER}/")
    found = [
        _Claim(entry.key, entry.job.id, file, "")
        for entry in plan.removed
        for file in records.get(entry.key, entry.record).files
        if not file.path.startswith(aside)
    ]
    if not found:
        return
    ids = {one.job_id for one in found}
    over = {one.job.id for one in plan.entries if one.job.id in ids and _has_files(one, records, disk)}
    under_way = under(home, f"{UNDER_WAY}/")
    for claim in found:
        is_over = claim.job_id in over or claim.file.path.startswith(under_way)
        yield claim._replace(is_over=is_over)


def _has_files(entry: Entry, records: Mapping[JobKey, Record], disk: Surroundings) -> bool:
    """Return whether a job has succeeded and its files are there, wherever."""
    record = records.get(entry.key, entry.record)
    if record.state not in DONE or record.lacks_files or not record.kept_files:
        return False
    return all(disk.lies(one.path) is not Lies.NOTHING for one in record.kept_files)


@dataclass(eq=False, kw_only=True, slots=True)
class _Lot:
    """One file on the disk, or one that should be there, with all who have it on record."""

    path: str
    claims: list[_Claim]
    target: str = ""

    @property
    def first(self) -> _Claim | None:
        return self.claims[0] if self.claims else None

    @property
    def asset_id(self) -> str:
        return self.claims[0].file.asset_id if self.claims else ""

    @property
    def wanted(self) -> str:
        return next((one.wanted for one in self.claims if one.wanted), "")

    @property
    def is_over(self) -> bool:
        return any(one.is_over for one in self.claims)


class _Desk:
    """One decision."""

    def __init__(
        self,
        current: Sequence[_Claim],
        old: Sequence[_Claim],
        disk: Surroundings,
        *,
        home: str,
        force: bool,
    ) -> None:
        self._disk = disk
        self._home = home
        self._force = force
        self._lies: dict[str, Lies] = {}
        self._whole: dict[int, bool] = {}
        self._lots = self._lots_of([*current, *old])
        self._at: defaultdict[str, list[_Lot]] = defaultdict(list)  # by folded path; files of the disk alone
        for one in self._lots:
            self._at[folded(one.path)].append(one)
        self._taken: dict[str, _Lot] = {}
        self._blocked: list[Blocked] = []
        self._extra: list[tuple[_Lot, _Claim]] = []  # copies: two jobs have one file, and two names

    def arranged(self) -> Arrangement:
        """Give each file its place, those first that are there already."""
        jobs = [one for one in self._lots if one.wanted]
        rest = [one for one in self._lots if not one.wanted]
        waiting = [one for one in jobs if not self._stays(one)]
        for one in waiting:
            one.target = self._place_of(one, one.wanted)
        self._share(jobs)
        for one in rest:
            if self._lies_at(one) is not Lies.OTHER and self._must_go(one):
                self._send_away(one)
            else:
                one.target = one.path
        return self._result()

    def _lots_of(self, claims: Iterable[_Claim]) -> list[_Lot]:
        """Put those together that have the same bytes at one path; of others one alone can lie there."""
        by_path: dict[str, list[_Claim]] = {}
        for one in claims:
            by_path.setdefault(one.file.path, []).append(one)
        lots: list[_Lot] = []
        for path, there in by_path.items():
            by_bytes: dict[str, list[_Claim]] = {}
            for one in there:
                by_bytes.setdefault(one.file.sha256, []).append(one)
            groups = list(by_bytes.values())
            if len(groups) > 1:
                owner = next((one for one in groups if self._disk.is_whole(one[0].file)), groups[0])
                groups.remove(owner)
                for one in groups:
                    lost = _Lot(path=path, claims=one)
                    self._lies[_mark(lost)] = Lies.NOTHING
                    lots.append(lost)
                groups = [owner]
            lots.append(_Lot(path=path, claims=groups[0]))
        return lots

    def _lies_at(self, lot: _Lot) -> Lies:
        mark = _mark(lot)
        if mark not in self._lies:
            self._lies[mark] = self._disk.lies(lot.path)
        return self._lies[mark]

    def _is_whole(self, lot: _Lot) -> bool:
        first = lot.first
        if first is None or self._lies_at(lot) is Lies.OTHER:
            return False
        if id(lot) not in self._whole:
            self._whole[id(lot)] = self._lies_at(lot) is Lies.NOTHING or self._disk.is_whole(first.file)
        return self._whole[id(lot)]

    def _stays(self, lot: _Lot) -> bool:
        """Let a file that has its name keep it, and one that is no plain file be where it is."""
        if lot.path != lot.wanted and self._lies_at(lot) is not Lies.OTHER:
            return False
        if folded(lot.path) in self._taken:
            return False
        lot.target = lot.path
        self._taken[folded(lot.path)] = lot
        return True

    def _place_of(self, lot: _Lot, name: str) -> str:
        """Return the first path that a file can have; what keeps it from its name is remembered."""
        for path in beside(name, lot.asset_id):
            if folded(path) in self._taken:
                continue
            holder = self._holder(path, lot)
            if holder is not None and self._force and lot.wanted:
                self._evict(holder)
                holder = None
            if holder is None:
                self._taken[folded(path)] = lot
                if path != name and lot.wanted:
                    self._remember(lot, name, path)
                return path
        raise AssertionError("names never run out")

    def _remember(self, lot: _Lot, name: str, path: str) -> None:
        holder, first = self._holder(name, lot), lot.first
        if first is None or holder is None:
            return  # another job of the manifest has it
        mine = self._ours(holder)
        edited = mine is not None
        self._blocked.append(Blocked(first.job_id, name, path, holder, edited))

    def _holder(self, path: str, lot: _Lot) -> str | None:
        """Return what lies at a path and does not leave it; None for nothing."""
        for there in self._disk.same_names(path):
            ours = self._ours(there)
            if folded(there) != folded(path):  # a file in the place of a folder
                return there
            if ours is lot:
                continue
            if ours is None or (not ours.wanted and not self._is_whole(ours)):
                return there
            if ours.wanted and self._lies_at(ours) is Lies.OTHER:
                return there
        return None

    def _ours(self, there: str) -> _Lot | None:
        """Return whose a file on the disk is."""
        lots = [one for one in self._at.get(folded(there), ()) if self._lies_at(one) is not Lies.NOTHING]
        return next((one for one in lots if one.path == there), lots[0] if len(lots) == 1 else None)

    def _evict(self, path: str) -> None:
        """Send away what has a name, whosever it is."""
        lot = self._ours(path)
        if lot is None:
            lot = _Lot(path=path, claims=[])
            self._lies[_mark(lot)] = Lies.FILE
            self._lots.append(lot)
            self._at[folded(path)].append(lot)
        if not lot.wanted:
            self._whole[id(lot)] = True
            self._lies[_mark(lot)] = Lies.FILE
            self._send_away(lot)

    def _must_go(self, lot: _Lot) -> bool:
        if lot.target:
            return False  # sent away already
        if not (lot.is_over or folded(lot.path) in self._taken):
            return False
        return self._force or self._is_whole(lot)

    def _send_away(self, lot: _Lot) -> None:
        if not lot.target:
            lot.target = self._place_of(lot, earlier(lot.path, lot.asset_id, self._home))

    def _share(self, jobs: Iterable[_Lot]) -> None:
        """Give a file of its own to each job that has one with another, where their names differ."""
        for lot in jobs:
            if len(lot.claims) > 1:
                names = {folded(lot.wanted)}
                for one in lot.claims:
                    if one.wanted and folded(one.wanted) not in names:
                        names.add(folded(one.wanted))
                        self._extra.append((lot, one))

    def _result(self) -> Arrangement:
        moving = [one for one in self._lots if one.target and one.target != one.path]
        there = [one for one in moving if self._lies_at(one) is not Lies.NOTHING]
        absent: defaultdict[JobKey, dict[str, str]] = defaultdict(dict)
        for one in moving:
            if self._lies_at(one) is Lies.NOTHING:
                for claim in one.claims:
                    absent[claim.key][claim.file.asset_id] = one.target
        copies = []
        for lot, claim in self._extra:
            target = self._place_of(_Lot(path="", claims=[claim]), claim.wanted)
            if self._lies_at(lot) is Lies.FILE:
                copies.append(
                    Move(
                        asset_id=claim.file.asset_id,
                        source=lot.path,
                        target=target,
                        copy_for=claim.key,
                        sha256=claim.file.sha256,
                    )
                )
            else:
                absent[claim.key][claim.file.asset_id] = target
        return Arrangement(
            moves=_in_order([_move(one) for one in there], copies, self._free_names()),
            absent=dict(absent),
            blocked=tuple(self._blocked),
            renamed=sum(1 for one in there if one.wanted) + len(copies),
            to_earlier=sum(1 for one in there if not one.wanted),
        )

    def _free_names(self) -> Callable[[str], str]:
        used = {folded(one.path) for one in self._lots}

        def free(asset_id: str) -> str:
            for number in count():
                path = under(self._home, f"{UNDER_WAY}/{_plain(asset_id) or 'file'}-{number}")
                if folded(path) not in used and self._disk.lies(path) is Lies.NOTHING:
                    used.add(folded(path))
                    return path
            raise AssertionError("names never run out")

        return free


def _move(lot: _Lot) -> Move:
    first = lot.first
    sha256 = first.file.sha256 if first is not None else ""
    return Move(asset_id=lot.asset_id, source=lot.path, target=lot.target, sha256=sha256)


def _in_order(
    moves: Sequence[Move], copies: Sequence[Move], free: Callable[[str], str]
) -> tuple[tuple[Move, ...], ...]:
    """Put each rename behind the one that frees its target; in a circle one goes another way.

    Renames that wait for each other stay in one group. Copies are made before anything moves.
    """
    leaves = {folded(one.source): one for one in moves}
    copied = defaultdict(list)
    for one in copies:
        copied[folded(one.source)].append(one)
    done = set[str]()
    groups: list[tuple[Move, ...]] = []
    for start in moves:
        way: list[Move] = []
        names = set[str]()
        at: Move | None = start
        while at is not None and folded(at.source) not in done and folded(at.source) not in names:
            way.append(at)
            names.add(folded(at.source))
            at = leaves.get(folded(at.target))
        if not way:
            continue
        done |= names
        if at is not None and folded(at.source) == folded(start.source):  # a circle
            way[0] = replace(way[0], via=free(way[0].asset_id))
        groups.append(tuple(reversed(way)))
    return _with_copies(groups, copied, free)


def _with_copies(
    groups: Sequence[tuple[Move, ...]], copies: Mapping[str, list[Move]], free: Callable[[str], str]
) -> tuple[tuple[Move, ...], ...]:
    """Put copies with what frees their targets, and with the file that they are made of."""
    if not copies:
        return tuple(groups)
    every = [replace(one, via=free(one.asset_id)) for one in chain.from_iterable(copies.values())]
    return ((*every, *chain.from_iterable(groups)),)


def _plain(asset_id: str) -> str:
    return "".join(one for one in asset_id if one.isalnum())


def _with(path: str, ending: str) -> str:
    pure = PurePosixPath(path)
    return str(pure.with_name(f"{pure.stem}{ending}{pure.suffix}"))


def _depth(path: str) -> int:
    """Return how many folders of a path lead to the top of what it belongs to."""
    parts = PurePosixPath(path).parts
    return next((at + 1 for at, one in enumerate(parts) if one in {ASSETS, EARLIER}), 0)


def _mark(lot: _Lot) -> str:
    return f"{lot.path}\0{lot.claims[0].file.sha256 if lot.claims else ''}"
