import csv
import io
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from batchgen.lifecycle import Record, State
from batchgen.model import Job, JobKey
from batchgen.output.entries import Row, entry
from batchgen.output.results import Results, results_csv, write_results


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
