import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from batchgen.lifecycle import Record, State
from batchgen.model import Job, JobKey
from batchgen.output.entries import Row, entry, without_signature
from batchgen.output.results import COLUMNS, results_csv, variable_names, write_results
from batchgen.output.summary import Results


def table(*rows: Row) -> list[dict[str, str]]:
    text = "".join(results_csv(entry(row) for row in rows))
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_table_is_as_agreed(results: Results, tmp_path: Path) -> None:
    write_results(tmp_path, results)
    golden = Path(__file__).parent / "golden" / "results.csv"
    assert (tmp_path / "results.csv").read_bytes() == golden.read_bytes()


def test_a_row_per_asset_with_the_cost_in_the_first(results: Results) -> None:
    first, second = table(results.rows[0])
    assert (first["asset_id"], first["file"], first["charged"]) == (
        "asset_A1",
        "assets/tower-oak_0.png",
        "7.25",
    )
    assert (second["asset_id"], second["file"], second["charged"]) == (
        "asset_A2",
        "assets/tower-oak_1.png",
        "",
    )


def test_no_cell_is_run_as_a_formula(make_row: Callable[..., Row]) -> None:
    for risky in ("=1+1", "+1", "-1", "@x", "\t=1", " =1", "\r\n=1", "\uff1d1"):
        (row,) = table(make_row(risky, risky))
        assert row["id"] == row["prompt"] == f"'{risky}"


def test_a_negative_number_stays_a_number(make_row: Callable[..., Row]) -> None:
    (row,) = table(make_row("a", "p", params={"seed": -5}))
    assert row["seed"] == "-5"


class Sheet:
    """A manifest whose jobs have these variables and nothing else."""

    def __init__(self, *variables: Mapping[str, Any]) -> None:
        self._variables = variables

    def entry(self, _: int) -> str:
        return ""

    def variables(self, index: int) -> Mapping[str, Any]:
        return self._variables[index]

    def tags(self, _: int) -> tuple[str, ...]:
        return ()


def rows_of(make_row: Callable[..., Row], *variables: Mapping[str, Any]) -> list[Row]:
    sheet = Sheet(*variables)
    return [make_row(f"j{at}", "p", words=sheet, index=at) for at in range(len(variables))]


def read_with_variables(rows: list[Row]) -> list[dict[str, str]]:
    text = "".join(results_csv(map(entry, rows), variable_names(rows)))
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_each_variable_has_a_column_in_the_order_in_which_they_appear(make_row: Callable[..., Row]) -> None:
    rows = rows_of(make_row, {"b": "1", "a": 2}, {}, {"c": None, "a": True, "b": [1, "é"]}, {"d": {"x": 0.5}})
    first, second, third, last = read_with_variables(rows)
    assert [name for name in first if name.startswith("var.")] == ["var.b", "var.a", "var.c", "var.d"]
    assert list(first)[: len(COLUMNS)] == list(COLUMNS)
    assert [first[name] for name in ("var.b", "var.a", "var.c", "var.d")] == ["1", "2", "", ""]
    assert {second[name] for name in second if name.startswith("var.")} == {""}
    assert [third[name] for name in ("var.b", "var.a", "var.c")] == ['[1, "é"]', "true", ""]
    assert last["var.d"] == '{"x": 0.5}'


def test_a_table_without_variables_has_none(make_row: Callable[..., Row]) -> None:
    rows = rows_of(make_row, {}, {})
    assert list(read_with_variables(rows)[0]) == list(COLUMNS)
    assert variable_names([make_row("a", "p")]) == []


def test_no_value_of_a_variable_is_run_as_a_formula_and_a_number_stays_one(
    make_row: Callable[..., Row],
) -> None:
    risky = ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\r\n=1", "\uff1d1"]
    rows = rows_of(make_row, *({"v": one} for one in [*risky, -5, -0.5]))
    told = [one["var.v"] for one in read_with_variables(rows)]
    assert told == [*(f"'{one}" for one in risky), "-5", "-0.5"]


names = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)


@given(st.lists(st.dictionaries(names, names, max_size=4), max_size=4))
def test_names_and_values_of_any_letters_read_back(variables: list[dict[str, str]]) -> None:
    sheet = Sheet(*variables)
    rows = [
        Row(job=Job(id=str(at), prompt="p", model="m"), key=JobKey("v1:x"), words=sheet, index=at)
        for at in range(len(variables))
    ]
    columns = list(dict.fromkeys(name for one in variables for name in one))
    read = list(csv.reader(io.StringIO("".join(results_csv(map(entry, rows), columns)), newline="")))
    assert read[0][len(COLUMNS) :] == [f"var.{one}" for one in columns]
    for line, given_ in zip(read[1:], variables, strict=True):
        told = [one.removeprefix("'") for one in line[len(COLUMNS) :]]
        wanted = [without_signature(given_.get(one, "")).removeprefix("'") for one in columns]
        assert told == wanted


def test_line_ends_and_quotes_are_those_of_the_standard(make_row: Callable[..., Row]) -> None:
    text = "".join(results_csv([entry(make_row("a", 'two\nlines, "quoted"'))]))
    assert 'a,"two\nlines, ""quoted""",' in text
    assert text.endswith("\r\n")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), max_size=5))
def test_any_prompt_reads_back(prompts: list[str]) -> None:
    made = [
        Row(
            job=Job(id=str(at), prompt=one, model="m"),
            key=JobKey("v1:x"),
            record=Record(state=State.SUCCEEDED, asset_ids=("a", "b")),
        )
        for at, one in enumerate(prompts)
    ]
    read = [row["prompt"] for row in table(*made)]
    expected = [one for one in prompts for _ in range(2)]
    assert [one.removeprefix("'") for one in read] == [one.removeprefix("'") for one in expected]
