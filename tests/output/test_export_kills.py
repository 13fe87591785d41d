"""Exports that are cut off at every step: whole files only, and the same again completes them."""

import errno
import hashlib
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest

from batchgen.errors import InputError, OutputError
from batchgen.output.export_disk import ExportDisk
from batchgen.output.export_view import RECORD, STAGING
from batchgen.usecases.export import Export, Exported, export_files
from batchgen.wiring.opening import OpenBatch, look_at
from batchgen.wiring.options import Options
from tests.support.forked import Forked
from tests.support.made import Made, make_once

T = TypeVar("T")


class Killed(BaseException):
    """The process is gone: nothing that comes after it is done."""


class FailingDisk(ExportDisk):
    """A folder of which the steps are counted, and one of them fails; after a kill all of them do.

    Attributes:
        steps: how many were made.
        fails_at: the number of the step that fails; None for none.
    """

    def __init__(self, folder: Path, fails_at: int | None, error: BaseException) -> None:
        super().__init__(folder)
        self.steps = 0
        self.fails_at = fails_at
        self._error = error
        self._guard = threading.Lock()

    def _act(self, work: Callable[..., T], *given: Any, **named: Any) -> T:
        with self._guard:
            step, self.steps = self.steps, self.steps + 1
            is_dead = self.fails_at is not None and step > self.fails_at and isinstance(self._error, Killed)
        if step == self.fails_at or is_dead:
            raise self._error
        if work is os.fsync:  # the machine goes on
            return None  # type: ignore[return-value]
        return work(*given, **named)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_once(tmp_path_factory)


class Stage:
    """A folder with an engine's files, an export of before, and another one that changes all of it."""

    def __init__(self, made: Made, folder: Path, opened: OpenBatch) -> None:
        self.opened = opened
        self.before, self.folder, self.wanted = folder / "before", folder / "game", folder / "wanted"
        (self.before / "flat").mkdir(parents=True)
        (self.before / "flat" / "tower-1-flat.webp.meta").write_text("an engine's")
        (self.before / "readme.txt").write_text("somebody's")
        self.whole = set(made.files.values())
        self.export(self.before, "{style?}/{id}")
        # one of ours has older bytes, and is on record with them
        self._age(self.before / "keep.webp")
        self.reset()
        self.steps = self.last(None)
        shutil.move(self.folder, self.wanted)

    def _age(self, path: Path) -> None:
        old = path.read_bytes()[:-8] + b"an older"
        before = path.stat()
        path.write_bytes(old)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        self.whole.add(old)
        record = self.before / RECORD
        document = json.loads(record.read_text())
        document["files"][path.name]["sha256"] = hashlib.sha256(old).hexdigest()
        record.write_text(json.dumps(document))

    def export(
        self, folder: Path, template: str, disk: ExportDisk | None = None, *, prune: bool = False
    ) -> Exported:
        asked = Export(folder=folder, template=template, prune=prune)
        return export_files(self.opened, asked, disk or ExportDisk(folder))

    def last(self, fails_at: int | None, error: BaseException | None = None) -> int:
        """Do the export that is tried, and return how many steps it took."""
        disk = FailingDisk(self.folder, fails_at, error or Killed())
        self.export(self.folder, "{style?}/{n?}/{id}", disk, prune=True)
        return disk.steps

    def failure(self, step: int, error: OSError) -> str:
        """Return what is told of an export of which one step fails; empty where nothing is."""
        try:
            self.last(step, error)
        except OutputError as told:
            return str(told)
        return ""

    def reset(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.before, self.folder)

    def tree(self, folder: Path | None = None) -> dict[str, bytes]:
        root = folder or self.folder
        found = (one for one in root.rglob("*") if not one.is_dir() and one.name != RECORD)
        return {
            one.relative_to(root).as_posix(): one.read_bytes()
            for one in found
            if STAGING not in one.relative_to(root).parts
        }

    def check_whole(self) -> None:
        for path, raw in self.tree().items():
            if path.endswith(".webp"):
                assert raw in self.whole, path
        assert (self.folder / "flat" / "tower-1-flat.webp.meta").read_text() == "an engine's"
        assert (self.folder / "readme.txt").read_text() == "somebody's"


@pytest.fixture
def stage(made: Made, tmp_path: Path) -> Iterator[Stage]:
    options = Options(
        manifest=made.folder / "jobs.yaml", output=made.output, environ={}, simulate=True, output_chosen=True
    )
    with look_at(options) as opened:
        yield Stage(made, tmp_path, opened)


def test_a_kill_at_any_step_leaves_whole_files_and_the_same_again_completes(stage: Stage) -> None:
    assert stage.steps > 30
    for step in range(stage.steps):
        stage.reset()
        with suppress(Killed):
            stage.last(step)
        stage.check_whole()
        stage.last(None)
        assert stage.tree() == stage.tree(stage.wanted), step
        assert not (stage.folder / STAGING).exists()


def test_two_kills_one_after_the_other_do_no_more_harm_than_one(stage: Stage) -> None:
    for first in range(0, stage.steps, 9):
        for second in range(first % 5, stage.steps, 17):
            stage.reset()
            for step in (first, second):
                with suppress(Killed):
                    stage.last(step)
                stage.check_whole()
            stage.last(None)
            assert stage.tree() == stage.tree(stage.wanted), (first, second)


def test_a_full_disk_at_any_step_is_told_and_leaves_nothing_behind(stage: Stage) -> None:
    before, unchanged = stage.tree(stage.before), 0
    for step in range(stage.steps):
        stage.reset()
        told = stage.failure(step, OSError(errno.ENOSPC, "No space left on device"))
        assert told == "" or "the disk is full" in told
        if told and "are in their places" not in told:
            assert stage.tree() == before
            unchanged += 1
        stage.check_whole()
        assert not (stage.folder / STAGING).exists() or step >= stage.steps - 2
        stage.last(None)
        assert stage.tree() == stage.tree(stage.wanted), step
    assert unchanged > 15


def test_a_folder_that_did_not_exist_is_gone_again_where_nothing_came_into_it(
    stage: Stage, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "and" / "deep"
    for step in range(12):
        disk = FailingDisk(folder, step, OSError(errno.EROFS, "Read-only file system"))
        with pytest.raises(OutputError, match="read-only"):
            stage.export(folder, "{id}", disk)
        assert not (tmp_path / "new").exists()


def test_a_file_that_appears_while_files_are_copied_is_not_replaced(stage: Stage) -> None:

    class Meddling(ExportDisk):
        def write_record(self, chunks: Any) -> None:
            super().write_record(chunks)
            (self.folder / "1").mkdir(exist_ok=True)
            (self.folder / "x-keep.webp").write_bytes(b"mine")
            (self.folder / "keep.webp").write_bytes(b"mine too")

    for template in ("x-{id}", "{style?}/{id}"):
        stage.reset()
        with pytest.raises(Exception, match="the same command goes on"):
            stage.export(stage.folder, template, Meddling(stage.folder))
        assert (stage.folder / "x-keep.webp").read_bytes() == b"mine"
        assert (stage.folder / "keep.webp").read_bytes() == b"mine too"
        assert not (stage.folder / STAGING).exists()


def test_two_exports_into_one_folder_do_not_mix(stage: Stage) -> None:
    with (
        ExportDisk(stage.folder.parent / "before").opened(),
        pytest.raises(Exception, match="another export into"),
    ):
        stage.export(stage.before, "{id}")


POINTS = {
    "its hidden folder is there": lambda folder: (folder / STAGING).exists(),
    "its record is there": lambda folder: (folder / RECORD).exists(),
    "the first file has its name": lambda folder: (folder / "keep.webp").exists(),
}


@pytest.mark.parametrize("point", POINTS)
def test_the_command_that_is_killed_for_good_is_completed_by_the_same_command(
    made: Made, tmp_path: Path, point: str
) -> None:
    batch = made.copied_to(tmp_path)
    to = tmp_path / "game"
    words = ("export", "jobs.yaml", "--to", "game", "{id}", "--mapping", "map.csv")
    environ = {"PATH": os.environ["PATH"]}
    with Forked(words, folder=batch.folder, environ=environ) as process:
        end = time.monotonic() + 20
        while not POINTS[point](to) and process.poll() is None and time.monotonic() < end:
            pass
        process.send_signal(signal.SIGKILL)
    whole = set(batch.files.values())
    assert all(one.read_bytes() in whole for one in to.rglob("*.webp") if STAGING not in one.parts)
    with Forked(words, folder=batch.folder, environ=environ) as process:
        assert process.wait() == 0, process.err
    assert sorted(one.name for one in to.iterdir()) == sorted(
        [
            RECORD,
            "keep.webp",
            "keep_2.webp",
            *(f"tower-{n}-{style}.webp" for n in (1, 2) for style in ("flat", "pixel-art")),
        ]
    )
    assert (batch.folder / "map.csv").is_file()


def test_a_file_system_without_second_names_takes_an_export_all_the_same(
    stage: Stage, tmp_path: Path
) -> None:

    class Plain(ExportDisk):
        def _act(self, work: Callable[..., T], *given: Any, **named: Any) -> T:
            if work is os.link:
                raise OSError(errno.EPERM, "Operation not permitted")
            return super()._act(work, *given, **named)

    stage.reset()
    stage.export(stage.folder, "{style?}/{n?}/{id}", Plain(stage.folder), prune=True)
    assert stage.tree() == stage.tree(stage.wanted)
    with pytest.raises(InputError, match="use --copy"):
        export_files(stage.opened, Export(folder=tmp_path / "x", link=True), Plain(tmp_path / "x"))
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("what", ["files of others", "a link", "a file"])
def test_a_hidden_folder_that_is_none_of_ours_stops_it(stage: Stage, tmp_path: Path, what: str) -> None:
    stage.reset()
    hidden = stage.folder / STAGING
    match what:
        case "files of others":
            hidden.mkdir()
            (hidden / "mine.txt").write_text("mine")
        case "a link":
            hidden.symlink_to(tmp_path)
        case _:
            hidden.write_text("mine")
    before = stage.tree()
    with pytest.raises((InputError, OutputError), match=STAGING):
        stage.export(stage.folder, "{style?}/{n?}/{id}")
    assert stage.tree() == before
    assert what != "files of others" or (hidden / "mine.txt").read_text() == "mine"
