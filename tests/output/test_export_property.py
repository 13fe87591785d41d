"""Exports, people and kills in any order: what people put there stays, and an export makes all of its files.

The kind: a folder that several use. Drawn are exports of some files under some names, files that somebody
adds, changes or removes, and deaths at any step.
"""

import hashlib
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchgen.output.export_files import Source, carry_in
from batchgen.output.export_record import ExportRecord, read_record
from batchgen.output.export_view import RECORD, STAGING
from batchgen.planning.export_changes import Exportable, decide
from tests.output.test_export_kills import FailingDisk, Killed

NAMES = ("a.png", "A.png", "b.png", "x/a.png", "x/b.png", "x/y/a.png", "z/a.png")
CONTENTS = (b"one", b"two", b"three!")

exports = st.tuples(
    st.just("export"),
    st.dictionaries(st.sampled_from(NAMES), st.integers(0, 2), min_size=1, max_size=5),
    st.booleans(),
    st.none() | st.integers(0, 40),
)
people = st.tuples(
    st.just("person"), st.sampled_from(NAMES), st.sampled_from([b"mine", b"one", None]), st.none()
)


class Folder:
    """A folder, with what is known of who put what there."""

    def __init__(self, top: Path) -> None:
        self.top = top / "game"
        self.base = top / "assets"
        self.base.mkdir()
        for number, raw in enumerate(CONTENTS):
            (self.base / str(number)).write_bytes(raw)
        self.theirs: dict[str, bytes] = {}
        self.doubtful: set[str] = set()
        self.put: dict[str, set[bytes]] = {}  # what exports may have put there

    @property
    def tree(self) -> dict[str, bytes]:
        found = {one.relative_to(self.top).as_posix(): one for one in self.top.rglob("*") if one.is_file()}
        return {
            path: one.read_bytes()
            for path, one in found.items()
            if path != RECORD and not path.startswith(f"{STAGING}/")
        }

    def person(self, name: str, raw: bytes | None) -> None:
        path = self.top / name
        with suppress(OSError):  # another's file may be in the place of its folder
            if raw is None:
                path.unlink()
                self.theirs.pop(name, None)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(raw)
                self.theirs.pop(name, None)
                if raw in self.put.get(
                    name, ()
                ):  # just as an export left it: it may be told from that, or not
                    self.doubtful.add(name)
                else:
                    self.theirs[name] = raw

    def export(self, names: dict[str, int], *, prune: bool, dies_at: int | None) -> bool:
        """Export files, and return whether it came to its end."""
        files = [
            Exportable(
                name,
                str(number),
                hashlib.sha256(CONTENTS[number]).hexdigest(),
                len(CONTENTS[number]),
                "a",
                name,
            )
            for name, number in names.items()
        ]
        for name, number in names.items():
            if name not in self.theirs:
                self.put.setdefault(name, set()).add(CONTENTS[number])
        disk = FailingDisk(self.top, dies_at, Killed())
        with suppress(Killed), disk.opened():
            raw = disk.record()
            record = ExportRecord() if raw is None else read_record(raw, self.top / RECORD)
            changes = decide(files, record.puts, disk, batch="spring")
            if changes.obstacles:
                return False
            if not prune:
                changes = type(changes)(
                    **{name: getattr(changes, name) for name in changes.__slots__ if name != "stale"}
                )
            assert carry_in(disk, changes, Source(self.base, "spring", link=False), record, raw) == []
            return True
        return False


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(exports | people, min_size=2, max_size=8))
def test_what_people_put_there_stays_and_an_export_makes_all_that_is_to_be(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    with tempfile.TemporaryDirectory() as top:
        folder = Folder(Path(top))
        for kind, what, how, dies_at in steps:
            if kind == "person":
                folder.person(what, how)
                continue
            before = folder.tree
            names = {
                name: number
                for name, number in what.items()
                if not (name == "A.png" and "a.png" in what)  # one name on some systems: refused before
            }
            done = folder.export(names, prune=how, dies_at=dies_at)
            after = folder.tree
            for path, raw in folder.theirs.items():
                assert after.get(path) == raw, (path, steps)
            assert set(after.values()) <= {*CONTENTS, *folder.theirs.values()}, "whole files only"
            if done:
                assert {path: after[path] for path in names} == {
                    path: CONTENTS[number] for path, number in names.items()
                }
                assert not (folder.top / STAGING).exists()
                assert folder.export(names, prune=how, dies_at=0), (
                    "nothing is left to be done: no step is made"
                )
                if how:
                    assert set(after) <= {*names, *folder.theirs, *folder.doubtful}
            elif dies_at is None:
                assert after == before, "what is refused changes nothing"
