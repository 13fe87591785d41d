"""The disk on which files are renamed: nothing is replaced, and a name is one however it is spelt."""

from pathlib import Path

import pytest

from batchgen.output.disk import BatchDisk


@pytest.fixture
def disk(tmp_path: Path) -> BatchDisk:
    (tmp_path / "assets/mill").mkdir(parents=True)
    (tmp_path / "assets/mill/mill_0.png").write_bytes(b"a mill")
    (tmp_path / "assets/tower.png").write_bytes(b"a tower")
    return BatchDisk(tmp_path)


def test_what_has_the_name_is_not_replaced(disk: BatchDisk) -> None:
    with pytest.raises(FileExistsError):
        disk.move("assets/tower.png", "assets/mill/mill_0.png")
    assert (disk.folder / "assets/tower.png").read_bytes() == b"a tower"
    assert (disk.folder / "assets/mill/mill_0.png").read_bytes() == b"a mill"


@pytest.mark.parametrize(
    "path", ["assets/MILL/Mill_0.png", "ASSETS/mill/mill_0.PNG", "assets/mill/mill_0.png"]
)
def test_a_name_is_found_however_it_and_its_folders_are_spelt(disk: BatchDisk, path: str) -> None:
    assert list(disk.same_names(path)) == ["assets/mill/mill_0.png"]


def test_a_file_in_the_place_of_a_folder_is_what_has_the_name(disk: BatchDisk) -> None:
    assert list(disk.same_names("assets/Tower.png/tower.png")) == ["assets/tower.png"]
    assert list(disk.same_names("assets/barn/barn.png")) == []
