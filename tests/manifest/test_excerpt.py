"""How problems look: the line below each, a caret under the place, and never more than a screen or two."""

from pathlib import Path

import pytest

from batchgen.errors import InputError, Problem
from batchgen.manifest.source.problem_view import SHOWN, problems_document, shown_problems
from batchgen.manifest.source.problems import Place, Problems, meant


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_line_and_a_caret_stand_below_a_problem() -> None:
    Path("m.yaml").write_text("version: 1\njobs: [{promt: x}]\n")
    assert list(shown_problems([Problem("m.yaml", 2, 9, "unknown key promt; did you mean prompt?")])) == [
        "m.yaml:2:9: unknown key promt; did you mean prompt?",
        "  2 | jobs: [{promt: x}]",
        "    |         ^",
    ]


def test_the_caret_stands_right_under_wide_characters_tabs_and_beyond_a_long_start() -> None:
    Path("m").write_text("a: 红\tx\n" + "y" * 500 + "z" + "y" * 500 + "\n\x1b[31mred\n")
    assert list(shown_problems([Problem("m", 1, 6, "x")]))[1:] == ["  1 | a: 红 x", "    |       ^"]
    _, line, caret = shown_problems([Problem("m", 2, 501, "z")])
    assert len(line) < 120
    assert line[caret.index("^")] == "z"
    assert list(shown_problems([Problem("m", 3, 0, "r")]))[1:] == ["  3 | \ufffd[31mred"]


def test_a_row_is_shown_without_a_caret_and_a_file_that_is_gone_not_at_all() -> None:
    Path("t.csv").write_text("a,b\n1,\n")
    assert list(shown_problems([Problem("t.csv", 2, 0, "b is empty")])) == ["t.csv:2: b is empty", "  2 | 1,"]
    for source, line in (("gone.csv", 2), ("t.csv", 9), (".", 1), ("t.csv", 0)):
        assert len(list(shown_problems([Problem(source, line, 1, "wrong")]))) == 1


def test_rows_that_differ_only_in_their_values_are_one_mistake() -> None:
    rows = [Problem("t.csv", line, 0, f'width: "{line}" is over 1,024') for line in range(2, 1000)]
    lines = list(shown_problems([*rows, Problem("t.csv", 7, 0, "height is empty")]))
    assert lines == [
        't.csv:2: width: "2" is over 1,024',
        't.csv:3: width: "3" is over 1,024',
        't.csv:4: width: "4" is over 1,024',
        "t.csv:5: and 995 more rows like this (lines 5-999)",
        "t.csv:7: height is empty",
    ]


def test_what_was_cut_short_is_not_cut_again() -> None:
    found = [Problem("t.csv", line, 0, "a is empty") for line in (2, 3, 4)]
    found.append(Problem("t.csv", 5, 0, "and 995 more rows like this (lines 5-999)"))
    assert list(shown_problems(found)) == [str(one) for one in found]


def test_no_more_are_shown_than_a_person_reads() -> None:
    found = [Problem("m", line, 1, f"wrong {line}") for line in range(1, 201)]
    lines = list(shown_problems(found))
    assert len(lines) == SHOWN + 1
    assert lines[-1] == "and 150 more problems"


def test_editors_get_every_part_by_itself() -> None:
    found = [
        Problem("m", 2, 9, "unknown key promt; did you mean prompt?"),
        Problem("t.csv", 3, 0, "a is empty"),
    ]
    assert problems_document(found) == [
        {"file": "m", "line": 2, "column": 9, "message": "unknown key promt", "hint": "did you mean prompt?"},
        {"file": "t.csv", "line": 3, "column": 0, "message": "a is empty"},
    ]


def test_warnings_are_shown_behind_the_problems_with_the_same_view() -> None:
    Path("m").write_text("a: b #c\n")
    wrong, doubtful = Problem("m", 1, 1, "wrong"), [Problem("m", 1, 6, "cut"), Problem("m", 0, 0, "odd")]
    assert list(shown_problems([wrong], doubtful)) == [
        "m:1:1: wrong",
        "  1 | a: b #c",
        "    | ^",
        "m: warning: odd",
        "m:1:6: warning: cut",
        "  1 | a: b #c",
        "    |      ^",
    ]
    assert list(shown_problems([], [Problem("m", 9, one, "x") for one in range(1, 62)]))[-1] == (
        "and 11 more warnings"
    )


def test_warnings_are_cut_short_and_ordered_as_problems_are_and_stop_nothing() -> None:
    found = Problems("first")
    found.warn(Place("t.csv", 9), "late")
    for line in range(1, 30):
        found.warn(Place("first", line), "row", kind="row")
    found.warn(Place("first", 2, 3), "once")
    found.warn(Place("first", 2, 3), "once")
    found.raise_any()
    assert len(found) == 0
    assert [str(one) for one in found.warnings] == [
        "first:1: row",
        "first:2: row",
        "first:2:3: once",
        "first:3: row",
        "first:4: and 26 more rows like this (lines 4-29)",
        "t.csv:9: late",
    ]
    found.add(Place("first", 1, 1), "wrong")
    with pytest.raises(InputError) as raised:
        found.raise_any()
    outer = Problems()
    outer.take(raised.value)
    assert (outer.in_order(), outer.warnings) == (list(raised.value.problems), found.warnings)


@pytest.mark.parametrize(
    ("word", "known", "guess"),
    [
        ("promt", ["prompt", "params"], "prompt"),
        ("mod", ["mood", "model"], "mood"),
        (
            "model_imagen4",
            ["model_imagen3", "model_imagen4-ultra", "model_imagen4-fast"],
            "model_imagen4-fast",
        ),
        ("ultra", ["model_imagen4-ultra", "model_x"], "model_imagen4-ultra"),
        ("NAME", ["file name", "colour"], "file name"),
        ("in", ["inside", "x"], ""),
        ("zzz", ["inside", "x"], ""),
    ],
)
def test_the_beginning_of_a_word_is_a_better_guess_than_what_looks_like_it(
    word: str, known: list[str], guess: str
) -> None:
    assert meant(word, known) == (f"; did you mean {guess}?" if guess else "")
