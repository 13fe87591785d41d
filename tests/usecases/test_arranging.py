"""Files lie under the name of the job as it stands, on a real disk and by a real journal, whatever happens.

The kind of fault: a process that ends, or a disk that takes no more, in the middle of renames. Tried: an end
before each change of the disk and of the journal, a full disk at each, a folder that may not be written, a
file system that tells no letters by their case, and another disk in the place of a folder.
"""

import asyncio
import errno
import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import pytest

from batchgen.errors import JournalError, OutputError
from batchgen.exits import Exit
from batchgen.lifecycle import Accepted, Collected, Record, SubmitStarted, Succeeded
from batchgen.model import File
from batchgen.output.asset_store import AssetStore, named_by
from batchgen.output.kinds import Kind
from batchgen.output.moving import chunks_of
from batchgen.output.transfer import Arrived
from batchgen.planning.file_names import folded
from batchgen.usecases.arranging import Arranged, Arranger, InOrder, blocked_findings, files_in_order
from batchgen.wiring.opening import OpenBatch, open_batch
from batchgen.wiring.outputs import known_files
from tests.support.place import Place

MANIFEST = """\
version: 1
batch: spring
output: {{files: "{files}"}}
jobs:
{jobs}
"""
_OPERATIONS = {"os.link", "os.remove", "os.mkdir", "os.rmdir", "os.rename", "shutil.copyfile"}
_FORKS = multiprocessing.get_context("fork")


def write(folder: Path, jobs: dict[str, str], files: str = "{id}_{index}") -> None:
    """Write a manifest of jobs by id, each with its prompt."""
    lines = "\n".join(f"  - {{id: {one}, model: m, prompt: {prompt}}}" for one, prompt in jobs.items())
    (folder / "jobs.yaml").write_text(MANIFEST.format(files=files, jobs=lines))


def collect(opened: OpenBatch, *ids: str) -> None:
    """Put on record, and on the disk, what a run would have bought of these jobs."""
    batch = opened.batch
    store = AssetStore(batch.folder, namer=named_by(batch.manifest.output.files))
    store.prepare()
    for entry in batch.plan.entries:
        if entry.job.id not in ids or entry.record.files:
            continue
        assert entry.job.prompt is not None
        asset_id = f"asset_{entry.key.content[-12:]}"
        part = store.part(asset_id)
        part.write_bytes(data_of(entry.job.prompt))
        arrived = arrived_of(part)
        path = store.place(
            part,
            arrived,
            job=entry.job,
            index=0,
            asset_id=asset_id,
            kind=Kind(mime="image/png", extension="png"),
        )
        file = File(asset_id=asset_id, path=path, bytes=arrived.size, sha256=arrived.sha256, mime="image/png")
        batch.journal.append(
            entry.key,
            SubmitStarted(at=1.0, job=entry.job, attempt=1, body="{}"),
            Accepted(at=2.0, remote_id=f"job_{entry.key.content[-12:]}"),
            Succeeded(at=3.0, asset_ids=(asset_id,)),
            Collected(at=4.0, files=(file,)),
        )
    store.close()


def data_of(prompt: str) -> bytes:
    return prompt.encode() * 9


def arrived_of(path: Path) -> Arrived:
    data = path.read_bytes()
    return Arrived(size=len(data), sha256=sha256(data).hexdigest(), head=data[:64])


def arranged(place: Place) -> Arranged:
    """Do what a run does at its start."""
    with open_batch(place.options()) as opened:
        return asyncio.run(files_in_order(opened))[1]


def in_assets(place: Place) -> dict[str, bytes]:
    """Return every file under the batch's folder."""
    top = place.folder / "output" / "spring"
    return {str(one.relative_to(top)): one.read_bytes() for one in top.rglob("*") if one.is_file()}


def records_of(place: Place) -> dict[str, Record]:
    with place.options().journal.read() as file:
        [scope] = file.scopes()
        assert file.moves(scope).pending() == []
        return {str(key): one for key, one in file.batch(scope).records().items()}


def check(place: Place) -> None:
    """Every record's file is where it says, once, with its bytes; nothing is left over."""
    files, records = in_assets(place), records_of(place)
    paths = Counter(folded(file.path) for one in records.values() for file in one.files)
    assert set(paths.values()) == {1}
    for one in records.values():
        for file in one.files:
            assert file.path not in files or one.job is not None
    assert not [one for one in files if ".moving" in one or one.endswith(".part")]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Jobs that were bought, and a manifest in which everything has another name since then."""
    write(tmp_path, {"a": "one", "b": "two", "c": "three", "d": "four", "e": "five", "f": "six"})
    made = Place(tmp_path)
    with open_batch(made.options()) as opened:
        collect(opened, "a", "b", "c", "d", "e", "f")
    assets = tmp_path / "output/spring/assets"
    (assets / "c_0.png").write_bytes(b"changed by hand")
    (assets / "f_0.png").unlink()
    # a and b change places, d is another picture, e goes round with nobody, f is lost
    write(tmp_path, {"b": "one", "a": "two", "c": "three", "d": "four and more", "e": "five", "f": "six"})
    with open_batch(made.options()) as opened:
        collect(opened, "d")
    return made


def after(place: Place) -> None:
    """Check the end of what the fixture begins."""
    files = in_assets(place)
    assert files["assets/a_0.png"] == data_of("two")
    assert files["assets/b_0.png"] == data_of("one")
    assert files["assets/c_0.png"] == b"changed by hand"
    assert files["assets/d_0.png"] == data_of("four and more")
    assert files["assets/e_0.png"] == data_of("five")
    [before] = [one for one in files if one.startswith("earlier/")]
    assert (before[:16], files[before]) == ("earlier/d_0_asse", data_of("four"))
    assert len([one for one in files if one.startswith(("assets/", "earlier/"))]) == 6
    check(place)


def test_everything_lies_under_its_name_after_the_next_run(place: Place) -> None:
    done = arranged(place)
    assert (done.renamed, done.to_earlier, done.blocked) == (3, 1, ())
    assert str(done) == "3 files renamed, 1 file moved to earlier/"
    after(place)
    assert arranged(place).is_nothing


def test_the_record_of_a_lost_file_gives_up_its_name_where_another_has_it_now(place: Place) -> None:
    """Or the picture of another job would be taken for the lost one, and nobody would fetch that again."""
    arranged(place)
    (place.folder / "output/spring/assets/a_0.png").unlink()
    write(place.folder, {"b": "two", "a": "one", "c": "three"})
    arranged(place)
    paths = [file.path for one in records_of(place).values() for file in one.files if one.job is not None]
    assert len(set(paths)) == len(paths)
    assert in_assets(place)["assets/a_0.png"] == data_of("one")
    assert "assets/b_0.png" not in in_assets(place)


def test_a_template_with_folders_moves_all_and_back_again_leaves_no_folder(place: Place) -> None:
    arranged(place)
    jobs = {"b": "one", "a": "two", "c": "three", "d": "four and more", "e": "five", "f": "six"}
    write(place.folder, jobs, files="{id}/{id}")
    arranged(place)
    assert in_assets(place)["assets/c/c.png"] == b"changed by hand"
    write(place.folder, jobs)
    arranged(place)
    after(place)
    assert not [one for one in (place.folder / "output/spring/assets").iterdir() if one.is_dir()]
    assert not (place.folder / "output/spring/.moving").exists()


def _die_at(folder: str, number: int, count: Any) -> None:
    """Arrange, and die before the change of this number."""
    left = number

    def step() -> None:
        nonlocal left
        left -= 1
        count.value += 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    place = Place(Path(folder))
    with open_batch(place.options()) as opened:
        sys.addaudithook(lambda event, _: step() if event in _OPERATIONS else None)
        connection = cast("sqlite3.Connection", opened.file._connection)
        connection.set_trace_callback(lambda sql: step() if sql == "COMMIT" else None)
        asyncio.run(files_in_order(opened))


def test_a_process_that_dies_before_any_change_leaves_nothing_that_the_next_run_does_not_mend(
    place: Place, tmp_path: Path
) -> None:
    number, died = 0, True
    while died:
        number += 1
        here = tmp_path / f"death-{number}"
        shutil.copytree(place.folder / "output", here / "output", symlinks=True)
        shutil.copy(place.folder / "jobs.yaml", here)
        count = _FORKS.Value("i", 0)
        process = _FORKS.Process(target=_die_at, args=(str(here), number, count))
        process.start()
        process.join(60)
        died = process.exitcode == -signal.SIGKILL
        assert died or process.exitcode == 0
        there = Place(here)
        everything = {data_of(one) for one in ("one", "two", "four", "four and more", "five")}
        assert everything <= set(in_assets(there).values()), f"lost before change {number}"
        arranged(there)
        after(there)
        shutil.rmtree(here)
    assert number > 20, "there was hardly anything to die in"


@contextmanager
def failing_at(number: int, code: int) -> Iterator[Callable[[], bool]]:
    """Let the change of this number, and those after it, fail as on a full disk."""
    left, active = number, True

    def hook(event: str, _: tuple[Any, ...]) -> None:
        nonlocal left
        if active and event in _OPERATIONS - {"os.remove"}:
            left -= 1
            if left <= 0:
                raise OSError(code, os.strerror(code))

    sys.addaudithook(hook)
    try:
        yield lambda: left <= 0
    finally:
        active = False  # a hook stays for good


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_takes_no_more_leaves_files_and_records_that_agree(
    place: Place, tmp_path: Path, code: int
) -> None:
    number, failed = 0, True
    while failed:
        number += 1
        here = tmp_path / f"full-{number}"
        shutil.copytree(place.folder / "output", here / "output")
        shutil.copy(place.folder / "jobs.yaml", here)
        there = Place(here)
        with open_batch(there.options()) as opened, failing_at(number, code) as met:
            with suppress(OutputError):
                asyncio.run(files_in_order(opened))
            failed = met()
        files = in_assets(there)
        for record in records_of(there).values():
            for file in record.files:
                assert file.path in files or record.job is None or record.job.id == "f", (number, file)
        arranged(there)
        after(there)
        shutil.rmtree(here)
    assert number > 5


def test_a_journal_that_takes_no_more_moves_nothing(place: Place) -> None:
    before = in_assets(place)
    with open_batch(place.options()) as opened:
        opened.file._connection.execute("PRAGMA max_page_count = 1")
        opened.batch.journal._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(JournalError):
            asyncio.run(files_in_order(opened))
    assert in_assets(place) == before
    arranged(place)
    after(place)


def test_a_file_in_the_place_of_the_folder_earlier_is_said_and_nothing_is_lost(place: Place) -> None:
    before = in_assets(place)
    (place.folder / "output/spring/earlier").write_text("a file")
    with pytest.raises(OutputError, match=r"cannot move earlier/d_0_.*a file is in the place of its folder"):
        arranged(place)
    assert set(before.values()) <= set(in_assets(place).values())
    (place.folder / "output/spring/earlier").unlink()
    arranged(place)
    after(place)


def test_a_files_folder_that_is_a_link_to_another_place_is_as_good(place: Place, tmp_path: Path) -> None:
    spring = place.folder / "output/spring"
    (spring / "assets").rename(tmp_path / "elsewhere")
    (spring / "assets").symlink_to(tmp_path / "elsewhere")
    arranged(place)
    assert (tmp_path / "elsewhere" / "a_0.png").read_bytes() == data_of("two")
    assert [one for one in in_assets(place) if one.startswith("earlier/")]


def test_a_journal_of_before_this_table_goes_on(place: Place) -> None:
    with place.options().journal.opened() as file:
        file._connection.execute("DROP TABLE moves")
    with place.options().journal.read() as file:
        moves = file.moves(file.scopes()[0])
        assert (moves.pending(), moves.slots()) == ([], [])
    arranged(place)
    after(place)


def test_what_a_person_has_changed_is_told_until_it_is_fixed(place: Place) -> None:
    arranged(place)
    assets = place.folder / "output/spring/assets"
    (assets / "d_0.png").write_bytes(b"my own")
    (assets / "new_0.png").write_bytes(b"nobody's")
    write(place.folder, {"d": "four again", "new": "seven"})
    with open_batch(place.options()) as opened:
        collect(opened, "d", "new")
    for _ in range(2):
        done = arranged(place)
        with open_batch(place.options()) as opened:
            found = blocked_findings(opened.options, opened.batch, done.blocked)
        assert [status for status, _ in found] == [Exit.REMAINS] * 2
        assert (
            "assets/d_0.png was changed by hand and is left alone; the file of d is assets/d_0_"
            in found[0][1]
        )
        assert "assets/new_0.png is no file of this batch and is left alone" in found[1][1]
        assert "audit" in found[0][1]
        assert "--fix` moves the other one to earlier/, or move it away" in found[0][1]
    with open_batch(place.options()) as opened:
        asyncio.run(Arranger(opened.batch, opened.file).arrange(force=True))
    files = in_assets(place)
    assert (files["assets/d_0.png"], files["assets/new_0.png"]) == (data_of("four again"), data_of("seven"))
    assert b"my own" in files.values()
    assert files["earlier/new_0.png"] == b"nobody's"
    assert arranged(place).blocked == ()


def test_a_file_is_fetched_or_renamed_by_one_at_a_time_and_no_record_tells_where_it_was(place: Place) -> None:
    """The kind: a path that somebody holds while another renames the file. Tried: both orders."""

    async def both(opened: OpenBatch) -> None:
        records = opened.batch.journal.records()
        known = known_files([opened.batch])
        arranger = Arranger(opened.batch, opened.file, known)
        [key] = [key for key, one in records.items() if one.job is not None and one.job.prompt == "two"]
        [file] = records[key].files
        async with known.fetching([file.asset_id]):
            await arranger.arrange()
            assert arranger.is_behind()
            assert known.get(file.asset_id) == records[key].files[0] == file, "it is held"
        moving = asyncio.create_task(arranger.arrange())
        await asyncio.sleep(0)
        async with known.fetching([file.asset_id]):
            now = known.get(file.asset_id)
            assert now is not None
            assert now == records[key].files[0]
            assert (opened.batch.folder / now.path).read_bytes() == data_of("two")
        await moving
        assert not arranger.is_behind()

    with open_batch(place.options()) as opened:
        asyncio.run(both(opened))
    after(place)


def test_what_arrives_in_a_run_gets_its_name_while_the_run_goes_on(place: Place) -> None:
    arranged(place)
    write(place.folder, {"d": "four once more", "a": "two", "b": "one"})
    told: list[str] = []

    async def run(opened: OpenBatch) -> InOrder:
        order = InOrder(opened, [], known_files([opened.batch]), Arranged())
        task = asyncio.create_task(order.keep(told.append))
        await asyncio.sleep(100)
        assert order.done.is_nothing
        collect(opened, "d")
        assert in_assets(place)["assets/d_0.png"] == data_of("four and more")
        await asyncio.sleep(100)
        task.cancel()
        return order

    with open_batch(place.options()) as opened:
        order = place.play(run(opened))
    assert (str(order.done), told) == ("1 file renamed, 1 file moved to earlier/", [])
    assert in_assets(place)["assets/d_0.png"] == data_of("four once more")
    check(place)


def test_a_slot_that_died_in_the_middle_is_gone_on_with_by_a_run_of_another(place: Place) -> None:
    with open_batch(place.options()) as opened:
        arranger = Arranger(opened.batch, opened.file)
        found = arranger._decided(opened.batch.journal.records())
        opened.file.moves(opened.batch.scope).begin(chunks_of(found.moves)[0])
    with open_batch(place.options(period="week")) as opened:
        other = opened.batch.scope
        assert other.slot
        assert opened.file.moves(other).slots() == [""]
        done = asyncio.run(files_in_order(opened))[1]
        assert opened.file.moves(other).slots() == []
    assert (done.renamed, done.to_earlier) == (3, 1)
    arranged(place)
    after(place)


@pytest.fixture(params=["vfat", "ext4"])
def folding(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder on a file system that tells no letters by their case."""
    image, there = tmp_path / "image", tmp_path / "there"
    make, mount = shutil.which(f"mkfs.{request.param}"), shutil.which("mount")
    if make is None or mount is None or os.geteuid() != 0:
        pytest.skip(f"needs mkfs.{request.param}, and the right to mount")
    image.write_bytes(b"")
    os.truncate(image, 16 << 20)
    there.mkdir()
    casefold = ["-q", "-O", "casefold"] if request.param == "ext4" else []
    subprocess.run([make, *casefold, str(image)], check=True, capture_output=True)
    mounted = subprocess.run([mount, "-o", "loop", str(image), str(there)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"cannot mount: {mounted.stderr.decode().strip()}")
    if casefold:
        (there / "folding").mkdir()
        subprocess.run(["chattr", "+F", str(there / "folding")], check=True)
    yield there / "folding" if casefold else there
    subprocess.run(["umount", str(there)], check=True)


def test_a_file_system_that_tells_no_letters_by_case_has_names_of_another_case_too(
    folding: Path, tmp_path: Path
) -> None:
    write(tmp_path, {"tower": "one", "mill": "two"})
    made = Place(tmp_path)
    (tmp_path / "output").mkdir()
    (folding / "spring").mkdir()
    (tmp_path / "output/spring").symlink_to(folding / "spring")
    with open_batch(made.options()) as opened:
        collect(opened, "tower", "mill")
    write(tmp_path, {"Tower": "one", "MILL": "two"})
    assert arranged(made).renamed == 2
    assert sorted(one.name for one in (folding / "spring/assets").iterdir()) == ["MILL_0.png", "Tower_0.png"]
    write(tmp_path, {"mill": "one", "tower": "two"})
    assert arranged(made).renamed == 2
    assert (folding / "spring/assets/mill_0.png").read_bytes() == data_of("one")
    assert arranged(made).is_nothing
