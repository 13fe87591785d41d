"""Which files of a batch are missing: told from their sizes, and from what is in those of another size."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from batchgen.lifecycle import Record, State
from batchgen.model import File, JobKey
from batchgen.output.missing_files import look_at_files, missing_among
from tests.support import files

KEY = JobKey("v1:a")
PNG = files.picture(size=(64, 64))


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    path = tmp_path / "assets" / "tower_0.png"
    path.write_bytes(PNG)
    return path


def record(*, gone: tuple[str, ...] = (), size: int = len(PNG)) -> Record:
    file = File(asset_id="asset_a", path="assets/tower_0.png", bytes=size, sha256="00" * 32, mime="image/png")
    return Record(state=State.COLLECTED, asset_ids=("asset_a",), files=(file,), gone=gone)


def lost(folder: Path, one: Record) -> dict[JobKey, int]:
    return dict(look_at_files({KEY: one}, folder).lost)


def test_a_file_that_is_there_is_not_missed(kept: Path, tmp_path: Path) -> None:
    found = look_at_files({KEY: record()}, tmp_path)
    assert kept.is_file()
    assert (dict(found.lost), found.edited, found.files) == ({}, (), 0)


def test_a_file_that_is_gone_is_missed_wherever_it_went(kept: Path, tmp_path: Path) -> None:
    kept.unlink()
    assert lost(tmp_path, record()) == {KEY: 1}
    kept.mkdir()
    assert lost(tmp_path, record()) == {KEY: 1}, "a folder is in its place"
    kept.rmdir()
    kept.symlink_to(tmp_path / "nowhere")
    assert lost(tmp_path, record()) == {KEY: 1}, "a link that leads nowhere"
    kept.unlink()
    kept.parent.rmdir()
    assert lost(tmp_path, record()) == {KEY: 1}
    kept.parent.write_bytes(b"a file in the place of the folder")
    assert lost(tmp_path, record()) == {KEY: 1}
    assert missing_among([record(), record()], tmp_path) == 2


@pytest.mark.parametrize("data", [b"", PNG[: len(PNG) // 2], PNG[:-1], files.LOGIN])
def test_a_damaged_file_is_missed(kept: Path, tmp_path: Path, data: bytes) -> None:
    kept.write_bytes(data)
    assert lost(tmp_path, record()) == {KEY: 1}


@pytest.mark.parametrize("data", [files.picture(size=(32, 32)), PNG + b"a note"])
def test_a_file_that_somebody_edited_is_left_alone(kept: Path, tmp_path: Path, data: bytes) -> None:
    kept.write_bytes(data)
    found = look_at_files({KEY: record()}, tmp_path)
    assert dict(found.lost) == {}
    assert found.edited == record().files


def test_what_is_known_to_be_gone_is_not_missed_again_and_what_is_back_is_seen(
    kept: Path, tmp_path: Path
) -> None:
    gone = record(gone=("asset_a",))
    assert lost(tmp_path, gone) == {KEY: 1}, "it is back: the run records that"
    kept.unlink()
    assert lost(tmp_path, gone) == {}


def test_a_look_at_ten_thousand_files_takes_a_moment(kept: Path, tmp_path: Path) -> None:
    many = {JobKey(f"v1:{number}"): replace(record()) for number in range(10_000)}
    began = time.process_time()
    assert look_at_files(many, tmp_path).files == 0
    assert time.process_time() - began < 2.0
    assert kept.is_file()
