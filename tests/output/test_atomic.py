import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import OutputError
from batchgen.output.atomic import encoded, output_error, write_bytes, write_chunks, write_text


def test_the_folder_is_made_and_the_bytes_are_there(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a" / "b" / "out.json", b"whole")
    assert (tmp_path / "a" / "b" / "out.json").read_bytes() == b"whole"


def test_what_need_not_last_is_whole_as_well(tmp_path: Path) -> None:
    write_bytes(tmp_path / "thumb", b"whole", durable=False)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("thumb", b"whole")]


def test_a_failure_in_the_middle_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    write_text(target, "old")

    def chunks() -> Iterator[bytes]:
        yield b"new, but only ha"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match=r"out\.json: the disk is full"):
        write_chunks(target, chunks())
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_interrupt_in_the_middle_leaves_nothing_either(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"ha"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_chunks(tmp_path / "out.json", chunks())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "out.json").mkdir()
    with pytest.raises(OutputError, match=r"out\.json: a folder is in its place"):
        write_text(tmp_path / "out.json", "new")
    assert [one.name for one in tmp_path.iterdir()] == ["out.json"]


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "spring").write_text("")
    with pytest.raises(OutputError, match="a file is in the place of its folder"):
        write_text(tmp_path / "spring" / "out.json", "new")


def test_a_folder_that_takes_no_files_is_named() -> None:
    with pytest.raises(OutputError, match=r"cannot write /proc/out\.json"):
        write_text(Path("/proc/out.json"), "new")


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.EROFS, "read-only"), (errno.EDQUOT, "quota"), (errno.EACCES, "permission"), (errno.EIO, "error")],
)
def test_every_reason_is_in_words(code: int, words: str) -> None:
    assert words in str(output_error(Path("x"), OSError(code, os.strerror(code))))


def test_what_a_killed_process_left_is_swept_but_not_what_another_is_writing(tmp_path: Path) -> None:
    dead, alive = tmp_path / ".out.json.0a0a0a0a.tmp", tmp_path / ".out.json.0b0b0b0b.tmp"
    other = tmp_path / ".other.json.0a0a0a0a.tmp"
    for path in (dead, alive, other):
        path.write_text("half")
    for path in (dead, other):
        os.utime(path, (1e9, 1e9))
    write_text(tmp_path / "out.json", "new")
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([alive.name, other.name, "out.json"])


def test_the_file_has_the_mode_that_the_user_set_and_not_that_of_a_secret(tmp_path: Path) -> None:
    write_text(tmp_path / "out.json", "new")
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "out.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_encoded(text: str) -> None:
    encoded(text).decode()
