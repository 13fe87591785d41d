"""How two texts differ: kinds of texts that a cut, or a look at words alone, would show as equal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.planning.words import Edit, Kind, difference, edits

LONG = "a wide view of a harbour in the evening, with many small boats, " * 20
TEXTS = st.text(st.sampled_from("ab ,.\n\t\u00a0\u200b\u0301\u200d市の場ก1👩🚀🏽"), max_size=40)


def side(before: str, after: str, without: Kind) -> str:
    return "".join(part.text for part in difference(before, after) if part.kind is not without)


@given(TEXTS, TEXTS)
def test_the_parts_make_the_new_text_and_the_old_one_but_for_white_space(before: str, after: str) -> None:
    assert side(before, after, Kind.GONE) == after
    assert "".join(side(before, after, Kind.NEW).split()) == "".join(before.split())


@given(TEXTS, TEXTS)
def test_unequal_texts_never_come_out_as_without_a_difference(before: str, after: str) -> None:
    assert bool(edits(difference(before, after))) is (before != after)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (LONG + "end", LONG + "end drawing", [Edit("", "drawing")]),
        (LONG + "end", LONG, [Edit("end", "")]),
        ("red " + LONG, "blue " + LONG, [Edit("red", "blue")]),
        (LONG + "red " + LONG, LONG + "blue " + LONG, [Edit("red", "blue")]),
        ("a red cat on a mat", "a blue dog on a mat", [Edit("red cat", "blue dog")]),
        ("a cat, a dog", "a cow, a pig", [Edit("cat", "cow"), Edit("dog", "pig")]),
        ("a  cat", "a cat", [Edit("  ", " ")]),
        ("a cat\n", "a cat", [Edit("\n", "")]),
        ("a cat", "a\u00a0cat", [Edit(" ", "\u00a0")]),
        ("猫が好き", "犬が好き", [Edit("猫", "犬")]),
        ("หมาแมว", "หมาแมวใหญ่", [Edit("", "ใหญ่")]),
        ("cafe\u0301 noir", "cafe\u0301 blanc", [Edit("noir", "blanc")]),
        ("👩\u200d🚀 in space", "👩🏽\u200d🚀 in space", [Edit("👩\u200d🚀", "👩🏽\u200d🚀")]),
        ("x" * 400 + "1", "x" * 400 + "2", [Edit("1", "2")]),
        ("", "a cat", [Edit("", "a cat")]),
    ],
)
def test_what_differs_is_named_wherever_in_a_text_it_stands(
    before: str, after: str, found: list[Edit]
) -> None:
    assert list(edits(difference(before, after))) == found


def test_very_long_texts_that_have_nothing_in_common_take_no_time() -> None:
    before, after = ("".join(f"{name}{n} " for n in range(20_000)) for name in "ab")
    assert len(edits(difference(before, after))) == 1
