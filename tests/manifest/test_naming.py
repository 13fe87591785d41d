from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.manifest.naming import batch_from, joined, part_of_id, slug, wrong_with, wrong_with_batch


@pytest.mark.parametrize("name", ["a", "tower", "Tower_2.final-b", "0", "x" * 100])
def test_safe_names_are_left_alone(name: str) -> None:
    assert wrong_with(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../../x",
        "a/b",
        "a\\b",
        ".hidden",
        "-x",
        "a b",
        "x" * 101,
        "a.",
        "a\n",
        "caf\u00e9",
        "a\0",
    ],
)
def test_unsafe_names_are_refused(name: str) -> None:
    assert wrong_with(name) is not None


@pytest.mark.parametrize("name", ["con", "CON", "nul.txt", "Lpt1", "aux.tar.gz"])
def test_names_of_windows_devices_are_refused(name: str) -> None:
    assert wrong_with(name) == "Windows keeps this name for a device; add a word to it"


def test_a_batch_cannot_lie_on_the_journal() -> None:
    assert wrong_with_batch("Journal.db-wal") is not None
    assert wrong_with_batch("journal") is None


@pytest.mark.parametrize(
    ("path", "batch"),
    [
        ("spring.yaml", "spring"),
        ("a/jobs.example.yaml", "jobs.example"),
        ("my jobs (2).yaml", "my-jobs-2"),
        ("\u8349.yaml", "batch"),
        ("journal.db.yaml", "batch-journal.db"),
        ("con.yaml", "batch-con"),
    ],
)
def test_a_batch_is_named_by_its_file(path: str, batch: str) -> None:
    assert batch_from(PurePath(path)) == batch


@given(st.text(max_size=150).filter(lambda it: "/" not in it and "\0" not in it))
def test_any_file_name_makes_a_safe_batch(stem: str) -> None:
    assert wrong_with_batch(batch_from(PurePath(f"{stem}.yaml"))) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A futuristic cityscape at sunset, with cars", "a-futuristic-cityscape-at-sunset"),
        ("Caf\u00e9 cr\u00e8me", "cafe-creme"),
        ("\u7ea2\u8272", ""),
        ("../..", ""),
        ("x" * 90, "x" * 40),
    ],
)
def test_a_slug_is_the_first_words_in_ascii(text: str, expected: str) -> None:
    assert slug(text) == expected


@given(st.lists(st.text(max_size=80).map(slug), max_size=6))
def test_an_automatic_id_is_always_safe_with_a_number_behind_it(parts: list[str]) -> None:
    assert wrong_with(joined(parts)) is None
    assert wrong_with(f"{joined(parts)}-99999999") is None


def test_a_safe_value_stays_as_it_is_in_an_id() -> None:
    assert part_of_id("A_01.b") == "A_01.b"
    assert part_of_id("deep red") == "deep-red"


@pytest.mark.parametrize("value", ["../x", "a/b", "a\\b", ".x", " .x", "a\nb"])
def test_a_value_that_looks_like_a_path_is_no_part_of_an_id(value: str) -> None:
    with pytest.raises(ValueError, match="allowed are letters"):
        part_of_id(value)
