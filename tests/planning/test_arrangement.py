"""Files lie under the name of the job as it stands: the laws of that, over random lives of a folder.

The kind of fault: a file in the wrong place, or in none. What is tried: edits, edits undone, jobs that are
gone or renamed, templates that change, names that swap or differ by case or composition alone, files that
are changed, deleted or put there by a person, and a process that is killed at any step in between.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from batchgen.lifecycle import FilesMoved, Record, State, apply
from batchgen.model import File, Job, JobKey
from batchgen.output.moving import carry_out, chunks_of, stamped
from batchgen.planning.arrangement import Arrangement, Blocked, arrange
from batchgen.planning.file_moves import Move
from batchgen.planning.file_names import folded
from batchgen.planning.file_places import beside, earlier
from batchgen.planning.plan import Entry, Plan
from tests.support.builders import make_job
from tests.support.renames import Killed, MemoryDisk

IDS = ("a", "A", "b", "é", "e\u0301", "c")  # two of them differ by case, two by composition
TEMPLATES: dict[str, Callable[[str, int, str], str]] = {
    "plain": "{0}_{1}.png".format,
    "folders": "icons/{0}/{1}.png".format,
    "one": "same_{1}.png".format,
    "asset": "{2}.png".format,
    "shouted": lambda name, index, _: f"{name.upper()}_{index}.png",
    "shifted": lambda name, index, _: f"{IDS[(IDS.index(name) + 1) % len(IDS)]}_{index}.png",
}


@dataclass
class World:
    """A manifest, its records, and the folder of its files."""

    disk: MemoryDisk
    template: str = "plain"
    forms: dict[str, int] = field(default_factory=dict)  # of the manifest's jobs: which of their edits
    records: dict[JobKey, Record] = field(default_factory=dict)
    pending: list[Move] = field(default_factory=list)
    changes: int = 0
    copies: int = 0

    def namer(self, job: Job, *, index: int, asset_id: str, kind: str, extension: str) -> str:
        assert (kind, extension) == ("image", "png")
        return TEMPLATES[self.template](job.id, index, asset_id)

    def plan(self) -> Plan:
        entries = tuple(
            Entry(key=key, job=make_job(name), record=self.records.get(key, Record()))
            for name, form in self.forms.items()
            for key in [key_of(name, form)]
        )
        taken = {one.key for one in entries}
        removed = tuple(
            Entry(key=key, job=one.job, record=one)
            for key, one in self.records.items()
            if key not in taken and one.job is not None
        )
        return Plan(entries=entries, removed=removed)

    def buy(self, name: str, assets: int, equal: bool) -> None:
        """Collect a job as a run does: where its name is taken, the file lies beside it."""
        key = key_of(name, self.forms[name])
        if key in self.records:
            return
        files = []
        for index in range(assets):
            asset = f"asset_{len(self.records)}x{index}"
            data = b"equal" if equal else f"{name} {self.forms[name]} {index}".encode()
            wanted = "assets/" + self.namer(
                make_job(name), index=index, asset_id=asset, kind="image", extension="png"
            )
            for path in beside(wanted, asset):
                if any(folded(one) != folded(path) for one in self.disk.same_names(path)):
                    continue  # a file in the place of a folder
                if self.disk.read(path) is None:
                    self.disk.write(path, data)
                elif self.disk.read(path) != data:
                    continue
                files.append(file_of(asset, path, data))
                break
        self.records[key] = Record(
            state=State.COLLECTED,
            job=make_job(name),
            asset_ids=tuple(one.asset_id for one in files),
            files=tuple(files),
        )

    def decided(self, *, force: bool = False) -> Arrangement:
        return arrange(self.plan(), self.records, self.namer, self.disk, force=force)

    def bring(self, *, force: bool = False) -> Arrangement:
        """Do as a run does at its start: what had begun is ended first."""
        self._carry_out(self.pending)
        found = self.decided(force=force)
        for key, paths in found.absent.items():
            self.step("fact")
            self.records[key] = apply(self.records[key], FilesMoved(at=0.0, paths=paths))
        for chunk in chunks_of(found.moves):
            self.step("journal")
            self.copies += sum(one.copy_for is not None for one in chunk)
            self.pending = stamped(self.disk, chunk)
            self._carry_out(self.pending)
        return found

    def _carry_out(self, moves: list[Move]) -> None:
        landed = carry_out(self.disk, moves)
        assert landed.error is None
        found: dict[JobKey, dict[str, str]] = {}
        owners = [(key, file) for key, one in self.records.items() for file in one.files]
        assets = {one.asset_id for one in moves}
        for move, place in sorted(landed.places, key=lambda one: one[0].copy_for is not None):
            for key, file in owners:
                if (file.path, file.sha256) != (move.source, move.sha256) or move.copy_for not in {None, key}:
                    continue
                own = file.asset_id == move.asset_id
                if own or (move.copy_for is None and file.asset_id not in assets):
                    found.setdefault(key, {})[file.asset_id] = place
        for key, paths in found.items():
            self.step("fact")
            self.records[key] = apply(self.records[key], FilesMoved(at=0.0, paths=paths))
        self.step("struck off")
        self.pending = []

    def step(self, what: str) -> None:
        self.disk.before(what)


def key_of(name: str, form: int) -> JobKey:
    return JobKey(f"{name}{form}")


def file_of(asset: str, path: str, data: bytes) -> File:
    digest = sha256(data).hexdigest()
    return File(asset_id=asset, path=path, bytes=len(data), sha256=digest, mime="image/png")


class Folder(RuleBasedStateMachine):
    """Random lives of a folder."""

    @initialize(keeps_case=st.booleans())
    def begin(self, keeps_case: bool) -> None:
        self.world = World(MemoryDisk(keeps_case=keeps_case))
        self.settled = False
        self.lost = Counter[bytes]()

    @rule(name=st.sampled_from(IDS), form=st.integers(0, 2))
    def edit(self, name: str, form: int) -> None:
        self.world.forms[name] = form
        self.settled = False

    @rule(name=st.sampled_from(IDS), first=st.booleans())
    def remove_from_manifest(self, name: str, first: bool) -> None:
        self.world.forms.pop(name, None)
        if first and self.world.forms:  # and another order
            head = next(iter(self.world.forms))
            self.world.forms[head] = self.world.forms.pop(head)
        self.settled = False

    @rule(template=st.sampled_from(sorted(TEMPLATES)))
    def rename_all(self, template: str) -> None:
        self.world.template = template
        self.settled = False

    @precondition(lambda self: self.world.forms)
    @rule(data=st.data(), assets=st.sampled_from([1, 1, 2]), equal=st.sampled_from([False, False, True]))
    def buy(self, data: Any, assets: int, equal: bool) -> None:
        if self.world.pending:  # a run begins with what was left
            self.arrange(force=False)
        self.world.buy(data.draw(st.sampled_from(sorted(self.world.forms))), assets, equal)
        self.settled = False

    @precondition(lambda self: self.world.disk.files and not self.world.pending)
    @rule(data=st.data(), how=st.sampled_from(["edit", "delete", "empty"]))
    def somebody_touches(self, data: Any, how: str) -> None:
        path = data.draw(st.sampled_from(sorted(self.world.disk.names())))
        if how == "delete":
            self.world.disk.delete(path)
        else:
            self.world.changes += 1
            self.world.disk.write(path, f"mine {self.world.changes}".encode() if how == "edit" else b"")
        self.settled = False

    @rule(
        name=st.sampled_from([*(f"{one}_0.png" for one in IDS), "icons", "A_0.PNG", "same_0.png", "icons/a"]),
    )
    def somebody_adds(self, name: str) -> None:
        path = f"assets/{name}"
        if self.world.disk.same_names(path):
            return
        self.world.changes += 1
        self.world.disk.write(path, f"own {self.world.changes}".encode())
        self.settled = False

    @rule(force=st.sampled_from([False, False, False, True]))
    def arrange(self, force: bool) -> None:
        self.arranged(Counter(self.world.disk.names().values()), force=force)

    def arranged(self, before: Counter[bytes], *, force: bool = False) -> None:
        found = self.world.bring(force=force)
        after = Counter(self.world.disk.names().values())
        assert before <= after, "something was deleted"
        assert sum((after - before).values()) <= self.world.copies, "something was doubled"
        self.world.copies = 0
        self.check(found, force=force)
        again = self.world.decided()
        if not force:
            assert again.is_nothing, "arranging twice moves something"
        self.settled = True

    @rule(at=st.integers(1, 40))
    def arrange_and_die(self, at: int) -> None:
        """Die before a change; a second name of a file may be left, which the next start takes away."""
        before = Counter(self.world.disk.names().values())
        left = at

        def die(_: str) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                raise Killed

        self.world.disk.before = die
        try:
            self.world.bring()
        except Killed:
            pass
        finally:
            self.world.disk.before = lambda _: None
        assert set(before) <= set(self.world.disk.names().values()), "something is lost"
        self.arranged(before)

    def check(self, found: Arrangement, *, force: bool) -> None:
        world, disk = self.world, self.world.disk
        plan = world.plan()
        keys = {entry.key for entry in plan.entries}
        files = {
            (file.path, file.sha256, key in keys or file.path.startswith("earlier/"))
            for key, one in world.records.items()
            for file in one.files
        }
        for path, digest, placed in files:
            rivals = {one[:2] for one in files if folded(one[0]) == folded(path)}
            assert not placed or rivals == {(path, digest)}, "two files of ours have one name"
        assert not any(one.startswith(".moving") for one in disk.names())
        assert not any(one.endswith(".part") for one in disk.names())
        blocked = {one.name for one in found.blocked}
        current = [world.records.get(entry.key, Record()) for entry in plan.entries]
        held = {folded(file.path): file.asset_id for one in current for file in one.files}
        for entry, record in zip(plan.entries, current, strict=True):
            for index, file in enumerate(record.files):
                name = "assets/" + world.namer(
                    entry.job, index=index, asset_id=file.asset_id, kind="image", extension="png"
                )
                another = held.get(folded(name), file.asset_id) != file.asset_id
                shared = [one.path for each in current for one in each.files].count(file.path) > 1
                another |= shared and folded(file.path) == folded(name)  # of two spellings one is the name
                assert file.path == name or another or name in blocked, f"{file.path} is not {name}"
        for one in found.blocked:
            assert disk.read(one.holder) is not None, "what is in the way is there"
            assert not force, "nothing is in the way of force"

    @invariant()
    def records_tell_where_files_are(self) -> None:
        if not hasattr(self, "world") or self.world.pending:
            return
        for record in self.world.records.values():
            for file in record.files:
                assert file.path.startswith(("assets/", "earlier/"))


Folder.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=20,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
TestFolder = Folder.TestCase


def world(**forms: int) -> World:
    made = World(MemoryDisk())
    made.forms = dict(forms)
    for name in forms:
        made.buy(name, 1, equal=False)
    made.bring()
    return made


def test_what_a_changed_job_had_before_goes_to_earlier_once_the_new_file_is_there() -> None:
    here = world(a=0)
    here.forms["a"] = 1
    assert here.decided().is_nothing, "the new one is not bought yet"
    here.buy("a", 1, equal=False)
    here.bring()
    assert here.disk.names() == {"assets/a_0.png": b"a 1 0", "earlier/a_0_asset0x0.png": b"a 0 0"}
    here.forms["a"] = 0
    here.bring()
    assert here.disk.names() == {"assets/a_0.png": b"a 0 0", "earlier/a_0_asset1x0.png": b"a 1 0"}


def test_names_that_go_round_in_a_circle_change_places() -> None:
    here = world(a=0, b=0, c=0)
    here.template = "shifted"
    found = here.bring()
    assert here.disk.read("assets/b_0.png") == b"a 0 0" or here.disk.read("assets/A_0.png") == b"a 0 0"
    assert found.renamed == 3
    assert len(here.disk.files) == 3


@pytest.mark.parametrize("keeps_case", [True, False])
def test_a_name_that_differs_by_case_alone_is_changed_too(keeps_case: bool) -> None:
    here = World(MemoryDisk(keeps_case=keeps_case), forms={"b": 0})
    here.buy("b", 1, equal=False)
    here.template = "shouted"
    here.bring()
    assert here.disk.names() == {"assets/B_0.png": b"b 0 0"}


def test_a_changed_picture_of_the_former_job_keeps_its_name_and_the_new_one_lies_beside_it() -> None:
    here = world(a=0)
    here.disk.write("assets/a_0.png", b"mine")
    here.forms["a"] = 1
    here.buy("a", 1, equal=False)
    found = here.bring()
    assert here.disk.names() == {"assets/a_0.png": b"mine", "assets/a_0_asset1x0.png": b"a 1 0"}
    assert found.blocked == (
        Blocked("a", "assets/a_0.png", "assets/a_0_asset1x0.png", "assets/a_0.png", edited=True),
    )
    here.bring(force=True)
    assert here.disk.names() == {"assets/a_0.png": b"a 1 0", "earlier/a_0_asset0x0.png": b"mine"}


def test_a_changed_picture_goes_along_with_the_names_of_its_own_job() -> None:
    here = world(a=0)
    here.disk.write("assets/a_0.png", b"mine")
    here.template = "folders"
    found = here.bring()
    assert here.disk.names() == {"assets/icons/a/0.png": b"mine"}
    assert not found.blocked
    assert "assets/icons" in here.disk.folders
    here.template = "plain"
    here.bring()
    assert sorted(here.disk.folders) == ["assets"], "folders that it made empty are gone"


def test_a_job_that_is_gone_keeps_its_file_unless_another_wants_its_name() -> None:
    here = world(a=0, b=0)
    del here.forms["b"]
    assert here.bring().is_nothing
    here.template = "shifted"
    here.forms = {"A": 0}  # whose files are called b now
    here.buy("A", 1, equal=False)
    here.bring()
    assert here.disk.read("assets/b_0.png") == b"A 0 0"
    assert here.disk.read("earlier/b_0_asset1x0.png") == b"b 0 0"


def test_a_file_in_the_place_of_a_folder_is_left_and_said() -> None:
    here = world(a=0)
    here.disk.write("assets/icons", b"a person's")
    here.template = "folders"
    found = here.bring()
    assert [one.holder for one in found.blocked] == ["assets/icons"]
    assert here.disk.names() == {"assets/icons": b"a person's", "assets/0_asset0x0-2.png": b"a 0 0"}
    assert here.bring().is_nothing


def test_two_jobs_with_one_file_get_one_each_when_their_names_differ() -> None:
    here = World(MemoryDisk(), template="one", forms={"a": 0, "b": 0})
    here.buy("a", 1, equal=True)
    here.buy("b", 1, equal=True)
    assert len(here.disk.files) == 1
    here.template = "plain"
    here.bring()
    assert here.disk.names() == {"assets/a_0.png": b"equal", "assets/b_0.png": b"equal"}


def test_a_lost_file_gives_up_its_name_on_record_so_that_another_picture_is_not_taken_for_it() -> None:
    here = world(a=0, b=0)
    here.disk.delete("assets/a_0.png")
    here.template = "shifted"
    here.bring()
    lost = here.records[key_of("a", 0)].files[0]
    assert here.disk.read(lost.path) is None


def test_moved_paths_are_those_of_the_jobs_own_files() -> None:
    record = world(a=0).records[key_of("a", 0)]
    moved = apply(record, FilesMoved(at=1.0, paths={"asset_0x0": "assets/z.png"}))
    assert (moved.files[0].path, moved.state) == ("assets/z.png", State.COLLECTED)
    assert earlier("slots/s/assets/x/a.png", "asset_1", "slots/s") == "slots/s/earlier/x/a_asset1.png"
