"""Where each file of a batch belongs by the jobs as they stand, and the renames that bring it there.

A job of the manifest has its files under its name; what it had before lies in ``earlier/``. A file that
somebody has changed, or that is nobody's here, keeps the name that it has. Nothing is replaced or deleted.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from batchgen.lifecycle import Record
from batchgen.model import JobKey
from batchgen.planning.file_claims import Claim, current_claims, old_claims
from batchgen.planning.file_moves import Move, in_order
from batchgen.planning.file_names import folded
from batchgen.planning.file_places import (
    ASSETS,
    EARLIER,
    UNDER_WAY,
    Lies,
    Namer,
    Surroundings,
    beside,
    earlier,
    extension_of,
    plain,
    under,
)
from batchgen.planning.plan import Plan


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
    old = list(old_claims(plan, records, disk, home))
    if _are_settled(current_claims(plan, records, namer, home), old):
        return Arrangement()
    current = list(current_claims(plan, records, namer, home))
    return _Desk(current, old, disk, home=home, force=force).arranged()


def _are_settled(current: Iterable[Claim], old: Sequence[Claim]) -> bool:
    """Return whether every file is where it belongs, by the records alone: in nearly all runs."""
    names, files = set[str](), 0
    for one in current:
        if one.file.path != one.wanted:
            return False
        names.add(folded(one.wanted))
        files += 1
    return len(names) == files and not any(one.is_over or folded(one.file.path) in names for one in old)


@dataclass(eq=False, kw_only=True, slots=True)
class _Lot:
    """One file on the disk, or one that should be there, with all who have it on record."""

    path: str
    claims: list[Claim]
    target: str = ""

    @property
    def first(self) -> Claim | None:
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
        current: Sequence[Claim],
        old: Sequence[Claim],
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
        for same in self._at.values():
            if len(same) > 1:
                self._tell_apart(same)
        self._taken: dict[str, _Lot] = {}
        self._kept_out: list[tuple[_Lot, str, str]] = []  # from which name by what
        self._extra: list[tuple[_Lot, Claim]] = []  # copies: two jobs have one file, and two names

    def arranged(self) -> Arrangement:
        """Give each file its place, those first that are there already."""
        jobs = [one for one in self._lots if one.wanted]
        rest = [one for one in self._lots if not one.wanted]
        waiting = [one for one in jobs if not self._stays(one)]
        for one in waiting:
            one.target = self._place_of(one, one.wanted)
        self._share(jobs)
        for one in rest:
            if self._must_go(one):
                self._send_away(one)
        return self._result()

    def _lots_of(self, claims: Iterable[Claim]) -> list[_Lot]:
        """Put those together that have the same bytes at one path; of others one alone can lie there."""
        by_path: dict[str, list[Claim]] = {}
        for one in claims:
            by_path.setdefault(one.file.path, []).append(one)
        lots: list[_Lot] = []
        for path, there in by_path.items():
            by_bytes: dict[str, list[Claim]] = {}
            for one in there:
                by_bytes.setdefault(one.file.sha256, []).append(one)
            groups = list(by_bytes.values())
            if len(groups) > 1:
                owner = next((one for one in groups if self._disk.is_whole(one[0].file)), groups[0])
                groups.remove(owner)
                for gone in groups:
                    lost = _Lot(path=path, claims=gone)
                    self._lies[_mark(lost)] = Lies.NOTHING
                    lots.append(lost)
                groups = [owner]
            lots.append(_Lot(path=path, claims=groups[0]))
        return lots

    def _tell_apart(self, lots: Sequence[_Lot]) -> None:
        """See which of some names that differ in spelling alone is there, where all of them are found."""
        names = self._disk.same_names(lots[0].path)
        if any(one.path in names for one in lots):
            for one in lots:
                if one.path not in names:
                    self._lies[_mark(one)] = Lies.NOTHING

    def _lies_at(self, lot: _Lot) -> Lies:
        mark = _mark(lot)
        if mark not in self._lies:
            self._lies[mark] = self._disk.lies(lot.path)
        return self._lies[mark]

    def _is_whole(self, lot: _Lot) -> bool:
        """Return whether a file of ours is as it was fetched, or lost: then it makes room for others."""
        first, lies = lot.first, self._lies_at(lot)
        if id(lot) not in self._whole:
            fetched = lies is Lies.FILE and first is not None and self._disk.is_whole(first.file)
            self._whole[id(lot)] = fetched or lies is Lies.NOTHING
        return self._whole[id(lot)]

    def _stays(self, lot: _Lot) -> bool:
        """Let a file that has its name keep it, and one that is no plain file be where it is."""
        if lot.path != lot.wanted and self._lies_at(lot) is not Lies.OTHER:
            return False
        if folded(lot.path) in self._taken or self._has_rival(lot):
            return False
        lot.target = lot.path
        self._taken[folded(lot.path)] = lot
        return True

    def _has_rival(self, lot: _Lot) -> bool:
        """Return whether a file of before has the same name, spelt otherwise, and keeps it."""
        others = self._at[folded(lot.path)]
        return len(others) > 1 and any(
            one.path != lot.path and not one.wanted and not self._is_whole(one) for one in others
        )

    def _place_of(self, lot: _Lot, name: str) -> str:
        """Return the first path that a file can have; what keeps it from its name is remembered."""
        for path in beside(name, lot.asset_id):
            if folded(path) in self._taken:
                continue
            holder = self._holder(path, lot)
            while holder is not None and self._force and lot.wanted and self._evict(holder):
                holder = self._holder(path, lot)
            if holder is None:
                self._taken[folded(path)] = lot
                return path
            if path == name and lot.wanted:
                self._kept_out.append((lot, name, holder))
        raise AssertionError("names never run out")

    def _holder(self, path: str, lot: _Lot) -> str | None:
        """Return what lies at a path and does not leave it; None for nothing."""
        for there in self._disk.same_names(path):
            ours = self._ours(there)
            if ours is not None and ours.target not in {"", ours.path} and not ours.wanted:
                continue  # it was sent away
            if folded(there) != folded(path):  # a file in the place of a folder
                return None if self._is_top(there) else there
            if ours is lot:
                continue
            if ours is None or (not ours.wanted and not self._is_whole(ours)):
                return there
            if ours.wanted and self._lies_at(ours) is Lies.OTHER:
                return there
        return None

    def _is_top(self, there: str) -> bool:
        """Return whether a file is in the place of all our files: no other name would help."""
        tops = (under(self._home, ASSETS), under(self._home, EARLIER))
        return any(f"{folded(one)}/".startswith(f"{folded(there)}/") for one in tops)

    def _ours(self, there: str) -> _Lot | None:
        """Return whose a file on the disk is."""
        lots = [one for one in self._at.get(folded(there), ()) if self._lies_at(one) is not Lies.NOTHING]
        found = next((one for one in lots if one.path == there), None)
        if found is None and len(lots) == 1 and lots[0].path not in self._disk.same_names(there):
            return lots[0]  # the disk spells its name otherwise
        return found

    def _evict(self, path: str) -> bool:
        """Send away what has a name, whosever it is, and return whether it goes."""
        lot = self._ours(path)
        if lot is None:
            lot = _Lot(path=path, claims=[])
            self._lots.append(lot)
            self._at[folded(path)].append(lot)
        elif lot.wanted or lot.target:
            return False
        self._lies[_mark(lot)] = Lies.FILE
        self._whole[id(lot)] = True
        self._send_away(lot)
        return True

    def _must_go(self, lot: _Lot) -> bool:
        is_in_the_way = folded(lot.path) in self._taken
        return (lot.is_over or is_in_the_way) and self._is_whole(lot)

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
            own = _Lot(path="", claims=[claim])
            target = own.target = self._place_of(own, claim.wanted)
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
            # those first that go away: one may be in the place of a folder that others need
            moves=in_order(
                [_move(one) for one in sorted(there, key=lambda one: bool(one.wanted))],
                copies,
                self._free_names(),
            ),
            absent=dict(absent),
            blocked=tuple(
                Blocked(first.job_id, name, lot.target, holder, self._ours(holder) is not None)
                for lot, name, holder in self._kept_out
                if (first := lot.first) is not None
            ),
            renamed=sum(1 for one in there if one.wanted) + len(copies),
            to_earlier=sum(1 for one in there if not one.wanted),
        )

    def _free_names(self) -> Callable[[Move], str]:
        used = {folded(one.path) for one in self._lots}

        def free(move: Move) -> str:
            for number in count():
                name = f"{plain(move.asset_id) or 'file'}-{number}.{extension_of(move.source)}"
                path = under(self._home, f"{UNDER_WAY}/{name}")
                if folded(path) not in used and self._disk.lies(path) is Lies.NOTHING:
                    used.add(folded(path))
                    return path
            raise AssertionError("names never run out")

        return free


def _move(lot: _Lot) -> Move:
    first = lot.first
    sha256 = first.file.sha256 if first is not None else ""
    return Move(asset_id=lot.asset_id, source=lot.path, target=lot.target, sha256=sha256)


def _mark(lot: _Lot) -> str:
    return f"{lot.path}\0{lot.claims[0].file.sha256 if lot.claims else ''}"
