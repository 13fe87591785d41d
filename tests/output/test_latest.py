"""What a batch's folder shows of its slots is one whole slot at every moment, whatever dies and is there."""

import errno
import json
import os
import shutil
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from batchgen.api.results import Results as Loaded
from batchgen.errors import OutputError
from batchgen.lifecycle import Record
from batchgen.output.latest import show_latest
from batchgen.output.links import linked_folders, take_down
from batchgen.output.results import write_results
from batchgen.output.summary import Results
from batchgen.usecases.other_slots import write_all

CHANGES = frozenset({"os.rename", "os.symlink", "os.remove", "os.mkdir", "os.rmdir"})
LINKS = {
    "latest": "slots/tuesday",
    "assets": "latest/assets",
    "earlier": "latest/earlier",
    "results.csv": "latest/results.csv",
    "report.html": "latest/report.html",
}


def of_slot(results: Results, slot: str) -> Results:
    home = f"slots/{slot}"
    rows = [replace(one, home=home, record=_moved(one.record, home)) for one in results.rows]
    return replace(results, slot=slot, home=home, rows=rows)


def _moved(record: Record | None, home: str) -> Record | None:
    if record is None:
        return None
    return replace(record, files=tuple(replace(one, path=f"{home}/{one.path}") for one in record.files))


def lay(folder: Path, home: str, pictures: Path) -> None:
    """Put the files of the fixture's jobs where a slot has them, and a page."""
    shutil.copytree(pictures, folder / home / "assets")
    (folder / home / "earlier").mkdir()
    (folder / home / "report.html").write_text(home)


def end(folder: Path, results: Results) -> str:
    """Do as the end of a slot's run does, but for the page."""
    write_results(folder, results)
    return show_latest(folder, results.home)


@pytest.fixture
def nights(results: Results, tmp_path: Path) -> tuple[Path, Results]:
    """A batch's folder with one slot that is the latest, and the results of the next."""
    folder = tmp_path / "nightly"
    for slot in ("monday", "tuesday"):
        lay(folder, f"slots/{slot}", tmp_path / "assets")
    assert end(folder, of_slot(results, "monday")) == ""
    return folder, of_slot(replace(results, written_at=results.written_at + 86_400), "tuesday")


def links_in(folder: Path) -> dict[str, str]:
    return {one.name: str(one.readlink()) for one in folder.iterdir() if one.is_symlink()}


def in_a_child(work: Callable[[], object], hook: Callable[[str, tuple[Any, ...]], None]) -> int:
    """Do some work in a process of its own, with the hook called before what changes the disk."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the threads of the test's own process wait
        child = os.fork()
    if child == 0:
        try:
            sys.addaudithook(hook)
            work()
        except OutputError:
            os._exit(1)
        except BaseException:  # noqa: BLE001 - the child must not go on with the other tests
            os._exit(2)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def writes(event: str, args: tuple[Any, ...]) -> bool:
    flags = args[2] if event == "open" and len(args) > 2 and isinstance(args[2], int) else 0
    return event in CHANGES or bool(flags & (os.O_CREAT | os.O_TRUNC))


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Kill the work right before the step-th change of the disk; False where it ended before."""
    left = step

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal left
        if writes(event, args):
            left -= 1
            if left < 0:
                os._exit(99)

    status = in_a_child(work, hook)
    assert status in {0, 99}
    return status == 99


def failing(code: int, *events: str) -> Callable[[str, tuple[Any, ...]], None]:
    """Refuse changes of the disk with the system's error."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in events or (not events and writes(event, args)):
            raise OSError(code, os.strerror(code))

    return hook


def is_whole(document: Any) -> bool:
    return document["summary"]["exit"] == 3 and len(document["jobs"]) == 10


def test_the_latest_slot_is_shown_with_a_copy_of_its_results_whose_paths_resolve(
    nights: tuple[Path, Results],
) -> None:
    folder, tuesday = nights
    assert end(folder, tuesday) == ""
    assert links_in(folder) == LINKS
    assert (folder / "results.json").read_bytes() == (folder / "slots/tuesday/results.json").read_bytes()
    file = json.loads((folder / "results.json").read_text())["jobs"][0]["files"][0]
    assert file["path"] == "assets/tower-oak_0.png"
    for base in (folder, folder / "latest"):
        assert (base / file["path"]).resolve() == folder / "slots/tuesday/assets/tower-oak_0.png"


def test_a_link_goes_where_the_slot_has_nothing_for_it(nights: tuple[Path, Results]) -> None:
    folder, tuesday = nights
    (folder / "slots/tuesday/earlier").rmdir()
    end(folder, tuesday)
    assert "earlier" not in links_in(folder)


def test_killed_at_any_step_the_folder_shows_whole_slots_and_the_next_run_completes_it(
    nights: tuple[Path, Results],
) -> None:
    (before, tuesday), step, killed = nights, 0, True
    while killed:
        folder = before.with_name(f"killed-{step}")
        shutil.copytree(before, folder, symlinks=True)
        killed = killed_at(step, partial(end, folder, tuesday))
        shown = (folder / "results.json").read_bytes()
        assert is_whole(json.loads(shown))
        assert is_whole(json.loads((folder / "latest/results.json").read_text())), "of the one or the other"
        slot = Loaded.load(folder).slot
        assert shown == (folder / "slots" / slot / "results.json").read_bytes()
        end(folder, replace(tuesday, written_at=tuesday.written_at + 60))
        assert links_in(folder) == LINKS
        assert (folder / "results.json").read_bytes() == (folder / "latest/results.json").read_bytes()
        assert Loaded.load(folder).jobs[0].files[0].path.is_file()
        step += 1
    assert step > 10, "there were steps"


def test_a_link_that_a_killed_run_left_half_made_goes(nights: tuple[Path, Results]) -> None:
    folder, tuesday = nights
    end(folder, tuesday)
    (folder / ".latest.tmp").symlink_to("slots/tuesday")
    end(folder, tuesday)
    assert not (folder / ".latest.tmp").is_symlink()


def test_what_says_the_same_already_is_not_touched(nights: tuple[Path, Results]) -> None:
    folder, tuesday = nights
    write_all(folder, tuesday)
    show_latest(folder, tuesday.home)
    before = {one: (one.lstat().st_ino, one.lstat().st_mtime_ns) for one in folder.rglob("*")}
    write_all(folder, replace(tuesday, written_at=tuesday.written_at + 3600))
    assert show_latest(folder, tuesday.home) == ""
    assert {one: (one.lstat().st_ino, one.lstat().st_mtime_ns) for one in folder.rglob("*")} == before


def _a_folder(path: Path) -> None:
    path.mkdir()
    (path / "mine.png").write_bytes(b"mine")


def _a_file(path: Path) -> None:
    path.write_text("mine")


def _a_link(path: Path) -> None:
    path.symlink_to("../elsewhere")


@pytest.mark.parametrize("make", [_a_folder, _a_file, _a_link])
@pytest.mark.parametrize("name", ["latest", "assets", "earlier", "thumbnails"])
def test_what_is_somebodys_stays_and_is_named_in_one_sentence(
    nights: tuple[Path, Results], name: str, make: Callable[[Path], None]
) -> None:
    folder, tuesday = nights
    take_down(folder)
    (folder / "slots/tuesday/thumbnails").mkdir()
    make(folder / name)
    (before,) = [(one.lstat().st_ino, one.is_symlink()) for one in [folder / name]]
    said = end(folder, tuesday)
    assert str(folder / name) in said
    assert str(folder / "slots/tuesday") in said, "where the paths resolve"
    assert ((folder / name).lstat().st_ino, (folder / name).is_symlink()) == before
    assert (folder / "results.json").read_bytes() == (folder / "slots/tuesday/results.json").read_bytes()
    assert end(folder, tuesday) == "", "it is said when the results come, and not again and again"
    expected = {} if name == "latest" else {one: to for one, to in LINKS.items() if one != name}
    ours = {one: to for one, to in links_in(folder).items() if one not in {name, "thumbnails"}}
    assert ours == expected, "no link leads by somebody's own"
    found = Loaded.load(folder).jobs[0].files[0].path
    assert found == folder / "slots/tuesday/assets/tower-oak_0.png"


def test_an_empty_folder_of_an_earlier_version_gives_way(nights: tuple[Path, Results]) -> None:
    folder, tuesday = nights
    take_down(folder)
    (folder / "assets").mkdir()
    (folder / "results.csv").write_text("an old table")
    assert end(folder, tuesday) == ""
    assert links_in(folder) == LINKS


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP])
def test_a_file_system_without_links_is_gone_on_with_and_named(
    results: Results, tmp_path: Path, code: int
) -> None:
    told = tmp_path / "told"
    folder = tmp_path / "nightly"
    lay(folder, "slots/monday", tmp_path / "assets")

    def work() -> None:
        told.write_text(end(folder, of_slot(results, "monday")))
        told.with_name("again").write_text(end(folder, of_slot(results, "monday")))

    assert in_a_child(work, failing(code, "os.symlink")) == 0
    assert told.read_text().startswith("this file system has no links")
    assert told.with_name("again").read_text() == ""
    assert links_in(folder) == {}
    assert (folder / "results.json").read_bytes() == (folder / "slots/monday/results.json").read_bytes()
    assert Loaded.load(folder).jobs[0].files[0].path.is_file(), "paths resolve all the same"


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EACCES])
def test_a_disk_that_takes_nothing_leaves_the_last_slot_whole(
    nights: tuple[Path, Results], code: int
) -> None:
    folder, tuesday = nights
    before = (folder / "results.json").read_bytes(), links_in(folder)
    assert in_a_child(lambda: end(folder, tuesday), failing(code)) == 1
    assert ((folder / "results.json").read_bytes(), links_in(folder)) == before
    write_results(folder, tuesday)
    assert in_a_child(lambda: show_latest(folder, tuesday.home), failing(code)) == 1
    assert ((folder / "results.json").read_bytes(), links_in(folder)) == before
    assert in_a_child(lambda: show_latest(folder, "slots/monday"), failing(code, "os.symlink")) == 0


def test_a_slot_without_a_name_takes_the_links_down_for_files_of_its_own(
    nights: tuple[Path, Results],
) -> None:
    folder, _ = nights
    (folder / "mine").symlink_to("latest/assets")
    assert linked_folders(folder) == ("assets/", "earlier/", "report.html/", "results.csv/")
    assert show_latest(folder, "") == ""
    assert links_in(folder) == {"mine": "latest/assets"}
