import re
import unicodedata
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.manifest.naming import (
    alike,
    batch_from,
    joined,
    part_of_id,
    slug,
    with_hash,
    wrong_with,
    wrong_with_batch,
)


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
        ("\u8349.yaml", "cao-91b246"),
        ("caf\u00e9 \u8349.yaml", "cafe"),
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
        ("\u7ea2\u8272", "hongse"),
        ("../..", ""),
        ("x" * 90, "x" * 40),
    ],
)
def test_a_slug_is_the_first_words_in_ascii(text: str, expected: str) -> None:
    assert slug(text) == expected


# letters of Latin scripts with and without a form in ASCII, marks, punctuation, symbols and pictures
LATIN = st.text(
    "abcXYZ019 .,-_'\"!()éüñçßøæłđıﬁ²½ªﬀＡ\u0301\u0308\u2019\u201c\u2014€→\U0001f3f0", max_size=60
)


@given(LATIN)
def test_the_words_of_a_latin_text_are_what_they_always_were(text: str) -> None:
    ascii_ = unicodedata.normalize("NFKD", text[:400]).encode("ascii", "ignore").decode().lower()
    before = "-".join(re.findall("[a-z0-9]+", ascii_)[:5])[:40].strip("-")
    assert slug(text) == before or not before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("日本", "riben"),
        ("한국", "hangug"),
        (unicodedata.normalize("NFD", "한국"), "hangug"),
        ("にほん", "nihon"),
        ("ﾆﾎﾝ", "nihon"),
        ("замок на море", "zamok-na-more"),
        ("объект", "obekt"),
        ("قلعة", "qlh"),
        ("ประเทศไทย", "praethsaithy"),
        ("हिन्दी", "hindi"),
        ("Ελλάδα", "ellada"),
        ("castle 城", "castle-cheng"),
        ("🏰", "european-castle"),
        ("castle 🏰", "castle"),
        ("\u200fקסם\u200f", "ksm"),  # noqa: RUF001
        ("Å\u030a", "a"),
        ("10 µm", "10-m"),
        ("???", ""),
    ],
)
def test_other_scripts_are_written_as_they_sound(text: str, expected: str) -> None:
    assert slug(text) == expected


@given(st.text(max_size=60), st.text(max_size=60))
def test_two_file_names_without_latin_letters_are_two_batches(one: str, two: str) -> None:
    def name(text: str) -> str:
        return "".join(letter for letter in text if not letter.isascii()) or "城"

    one, two = name(one), name(two)
    first, second = (batch_from(PurePath(f"{stem}.yaml")) for stem in (one, two))
    latin = re.search("[a-zA-Z]", unicodedata.normalize("NFKD", one + two))
    assert alike(one) == alike(two) or latin or first != second


def test_the_reference_shows_what_names_become() -> None:
    page = (Path(__file__).parents[2] / "docs" / "manifest.md").read_text(encoding="utf-8")
    assert f"(`日本.yaml`: `{batch_from(PurePath('日本.yaml'))}`)" in page
    assert f"(`{with_hash('shi', alike('十'))}`)" in page


def test_a_name_with_a_hash_leaves_room_for_a_number() -> None:
    assert with_hash("a" * 200, "x") == "a" * 83 + "-2d7116"
    assert len(with_hash("a" * 200, "x")) == 90


@given(st.lists(st.text(max_size=80).map(slug), max_size=6))
def test_an_automatic_id_is_always_safe_with_a_number_behind_it(parts: list[str]) -> None:
    assert wrong_with(joined(parts)) is None
    assert wrong_with(f"{joined(parts)}-99999999") is None


def test_a_safe_value_stays_as_it_is_in_an_id() -> None:
    assert part_of_id("A_01.b") == "A_01.b"
    assert part_of_id("deep red") == "deep-red"
    assert part_of_id("日本") == "riben"
    assert re.fullmatch("[0-9a-f]{6}", part_of_id("???"))


@pytest.mark.parametrize("value", ["../x", "a/b", "a\\b", ".x", " .x", "a\nb"])
def test_a_value_that_looks_like_a_path_is_no_part_of_an_id(value: str) -> None:
    with pytest.raises(ValueError, match="allowed are letters"):
        part_of_id(value)
