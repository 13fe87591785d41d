"""The steps before a last job: in the results, and as the page shows them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from batchgen.lifecycle import Record
from batchgen.output.entries import Parent, Row, entry
from batchgen.output.layout import lay_out
from batchgen.output.previews import Preview
from batchgen.output.report import write_report
from batchgen.output.results import results_csv, results_document, results_json
from batchgen.output.strips import Strip, Strips
from batchgen.output.summary import Results
from tests.output.conftest import WHY
from tests.support.report_page import data_of
from tests.support.results_format import faults

MakeRow: TypeAlias = Callable[..., Row]
MakeRecord: TypeAlias = Callable[..., Record]


def strips_of(results: Results) -> Mapping[str, Strip]:
    document = results_document(results)
    layout = lay_out(document, 100)
    drawn = {"assets/idle.png": Preview(src="thumbnails/a.webp")}
    strips = Strips(document, layout.numbers, {one.job for one in layout.spots}, drawn)
    found = ((one["id"], strips.of(one)) for one in document["jobs"])
    return {name: strip for name, strip in found if strip is not None}


def shape_of(strip: Strip) -> Sequence[Sequence[str]]:
    return [[step.id for step in made] for made, _ in strip.steps]


def test_results_of_chains_are_as_the_schema_says(chained: Results) -> None:
    document = json.loads(b"".join(results_json(chained)))
    assert faults(document) == []
    assert document["chains"] == {
        "idle-big": ["idle", "idle-cut"],
        "hop-cut": ["hop"],
        "sheet": ["idle", "hop"],
    }
    assert document["summary"]["chains"]["done"] == 2
    assert document["summary"]["statuses"]["blocked"] == 1


def test_a_blocked_job_names_its_parents_and_says_what_helps(chained: Results) -> None:
    told = entry(chained.rows[4])
    assert (told["status"], told["waits_for"]) == ("blocked", ["hop"])
    assert told["parents"] == [{"job": "hop", "asset_id": None}]
    assert told["error"] == {"message": WHY}


def test_a_job_that_waits_is_pending_and_one_that_is_bought_waits_for_nobody(
    make_row: MakeRow, make_record: MakeRecord
) -> None:
    waiting = make_row("a", "p", waits_for=("b",))
    assert (entry(waiting)["status"], entry(waiting)["waits_for"]) == ("pending", ["b"])
    bought = replace(waiting, record=make_record("running", "job_a"), blocked=WHY)
    assert (entry(bought)["status"], "waits_for" in entry(bought)) == ("running", False)


def test_the_table_names_parents_and_their_assets(chained: Results) -> None:
    lines = "".join(results_csv(list(map(entry, chained.rows)))).splitlines()
    assert lines[0].endswith(",parents,parent_assets,waits_for,mark,note")
    assert lines[3].endswith(",idle-cut,asset_idle-cut,,,")
    assert lines[5].endswith(",hop,,hop,,")
    assert lines[6].endswith(',"idle, hop","asset_idle, ",,,')


def test_only_last_jobs_have_strips_with_their_steps_in_order(chained: Results) -> None:
    found = strips_of(chained)
    assert {name: shape_of(one) for name, one in found.items()} == {
        "idle-big": [["idle"], ["idle-cut"]],
        "hop-cut": [["hop"]],
        "sheet": [["idle", "hop"]],
    }
    assert (found["idle-big"].count, found["idle-big"].cost) == (3, "12 CU")


def test_a_step_has_its_picture_price_time_and_card(chained: Results) -> None:
    (first, _), (second, _) = strips_of(chained)["idle-big"].steps
    assert (first[0].preview.src, first[0].cost, first[0].time) == ("thumbnails/a.webp", "4 CU", "12.5 s")
    assert (first[0].card, second[0].card) == (0, 1)
    assert (second[0].preview.src, second[0].asset_id) == ("", "asset_idle-cut"), "a step without a file"


def test_a_failed_step_stands_in_its_place_with_its_reason(chained: Results) -> None:
    ((step,), more) = strips_of(chained)["hop-cut"].steps[0]
    assert (step.status, step.error, more) == ("failed", "<b>too dark</b>", 0)


def test_a_card_beyond_those_that_the_page_shows_is_not_linked(chained: Results) -> None:
    document = results_document(chained)
    layout = lay_out(document, 100)
    last = next(one for one in document["jobs"] if one["id"] == "idle-big")
    strip = Strips(document, layout.numbers, {2}, {}).of(last)
    assert strip is not None
    assert [made[0].card for made, _ in strip.steps] == [None, None]


def test_wide_and_long_chains_are_cut_with_a_number(chained: Results, make_row: MakeRow) -> None:
    wide = [make_row(f"w{n}", "p") for n in range(30)]
    end = make_row("end", "p", parents=[Parent(one.job.id, None) for one in wide])
    long = [make_row(f"l{n}", "p", parents=[Parent(f"l{n - 1}", None)] if n else ()) for n in range(40)]
    chains = {"end": [one.job.id for one in wide], "l39": [one.job.id for one in long[:-1]]}
    found = strips_of(replace(chained, rows=(*wide, end, *long), chains=chains))
    assert [(len(made), more) for made, more in found["end"].steps] == [(6, 24)]
    assert (len(found["l39"].steps), found["l39"].before) == (12, 27)


def test_the_page_has_the_steps_with_the_numbers_of_their_cards(chained: Results, tmp_path: Path) -> None:
    page = write_report(tmp_path, results_document(chained))
    data = data_of(page)
    strips = {one["id"]: one["strip"] for one in data["jobs"] if "strip" in one}
    assert sorted(strips) == ["hop-cut", "idle-big", "sheet"]
    cards = [step["card"] for one in strips.values() for made in one["steps"] for step in made["made"]]
    assert sorted(cards) == [0, 0, 1, 3, 3]
    assert "<b>too dark" not in page.read_text("utf-8")
    (told,) = strips["hop-cut"]["steps"][0]["made"]
    assert (told["error"], told["status"]) == ("<b>too dark</b>", "failed")


def test_a_job_says_what_it_is_made_of(chained: Results, tmp_path: Path) -> None:
    jobs = data_of(write_report(tmp_path, results_document(chained)))["jobs"]
    facts = {one["id"]: dict(one["facts"]) for one in jobs}
    assert facts["idle-big"]["made of"] == "idle-cut (asset_idle-cut)"
    assert facts["hop-cut"]["made of"] == "hop"
    assert "made of" not in facts["idle"]


def test_a_document_of_before_chains_has_a_page_without_strips(chained: Results, tmp_path: Path) -> None:
    document = json.loads(b"".join(results_json(chained)))
    del document["chains"], document["summary"]["chains"], document["summary"]["statuses"]["blocked"]
    document["jobs"] = [one for one in document["jobs"] if one["status"] != "blocked"]
    for one in document["jobs"]:
        del one["parents"]
    jobs = data_of(write_report(tmp_path, document))["jobs"]
    assert not [one["id"] for one in jobs if "strip" in one]
