"""What runs write as ``results.json``, of jobs of every end: held against its schema, in virtual time."""

import json
from pathlib import Path
from typing import Any

import pytest

from batchgen.engine.outcome import EngineOutcome
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import Denied, Outcomes, Views
from batchgen.wiring.opening import look_at
from batchgen.wiring.options import Allow
from tests.support.builders import make_earth
from tests.support.place import Place
from tests.support.results_format import faults

MANIFEST = """\
version: 1
batch: spring
output: {{download: false}}
defaults: {{model: model_bfl-flux-1-dev, tags: [spring], params: {{numOutputs: 3}}}}
vars: {{style: flat}}
jobs:
  - {{id: "tower-{{n}}", from: rows.csv, prompt: "a {{thing}}, number {{n}}{more}"}}
{rest}
"""
WITHOUT_PROMPT = """\
  - {id: plain, model: model_bria-remove-background, params: {image: asset_ab12}}
"""
SCRIPT: list[Fault | None] = [*[None] * 9, Fault.CUT_AFTER, *[None] * 60]


def documents(place: Place, **changed: Any) -> Any:
    outcome = place.run(allow=frozenset({Allow.NO_LISTING}), **changed)
    return json.loads(outcome.results.read_text("utf-8"))


def write(place: Place, count: int, *, more: str = "", rest: str = "") -> None:
    rows = "".join(f"{n},tower,rare\n" for n in range(count))
    (place.folder / "rows.csv").write_text(f"n,thing,rarity\n{rows}")
    (place.folder / "jobs.yaml").write_text(MANIFEST.format(more=more, rest=rest))


def place_of_every_end(folder: Path) -> Place:
    earth = make_earth(
        seed=5,
        duration=(2.0, 9.0),
        outcomes=Outcomes(failures=0.2, cancellations=0.15),
        faults=FaultPlan(script={Call.SUBMIT: SCRIPT}),
        denied=Denied(listing=True),
        views=Views(late_outputs=0.4, outputs_whole_after=(9e9, 9e9), outputs_late_in_jobs=True),
    )
    return Place(folder, earth)


def test_jobs_of_every_end_are_written_as_the_schema_says(tmp_path: Path) -> None:
    place = place_of_every_end(tmp_path)
    write(place, 24, rest=WITHOUT_PROMPT)
    document = documents(place, limit=20)
    assert faults(document) == []
    found = {status for status, count in document["summary"]["statuses"].items() if count}
    assert {"succeeded", "failed", "canceled", "in_doubt", "pending"} <= found, document["summary"]
    assert any("missing_assets" in job for job in document["jobs"]), "a success that is short"
    plain = document["jobs"][-1]
    assert (plain["prompt"], plain["entry"], plain["vars"], plain["tags"]) == (
        None,
        "plain",
        {"style": "flat"},
        ["spring"],
    )


def test_a_job_says_the_words_of_its_row_and_what_it_had_before(tmp_path: Path) -> None:
    place = Place(tmp_path, make_earth(duration=(2.0, 3.0)))
    write(place, 3)
    first = documents(place)
    assert faults(first) == []
    assert [job["vars"] for job in first["jobs"]] == [
        {"style": "flat", "n": str(n), "thing": "tower", "rarity": "rare"} for n in range(3)
    ]
    assert {(job["entry"], *job["tags"]) for job in first["jobs"]} == {("tower", "spring")}
    assert [job["earlier"] for job in first["jobs"]] == [[], [], []]
    bought = {job["id"]: job for job in first["jobs"]}
    write(place, 2, more=" again")
    second = documents(place)
    write(place, 2, more=" and again")
    third = documents(place)
    for document in (second, third):
        assert faults(document) == []
    for job in third["jobs"]:
        newest, oldest = job["earlier"]
        assert newest["job_id"] == next(one["job_id"] for one in second["jobs"] if one["id"] == job["id"])
        assert oldest == {name: bought[job["id"]][name] for name in oldest}
        assert newest["prompt"] == job["prompt"].replace(" and again", " again")
    gone = third["removed"]
    assert {one["id"] for one in gone} == {"tower-0", "tower-1", "tower-2"}
    assert [(one["entry"], one["vars"], one["tags"], one["earlier"]) for one in gone] == (
        [(None, {}, [], [])] * len(gone)
    )


def test_what_comes_back_to_an_earlier_form_has_the_other_one_before_it(tmp_path: Path) -> None:
    place = Place(tmp_path, make_earth(duration=(2.0, 3.0)))
    write(place, 1)
    [first] = documents(place)["jobs"]
    write(place, 1, more=" again")
    [second] = documents(place)["jobs"]
    write(place, 1)
    [third] = documents(place)["jobs"]
    assert third["job_id"] == first["job_id"]
    assert [one["job_id"] for one in third["earlier"]] == [second["job_id"]]
    assert place.bought == 2


def test_the_columns_are_the_same_from_run_to_run_until_the_manifest_changes(tmp_path: Path) -> None:
    def columns() -> str:
        return (tmp_path / "output" / "spring" / "results.csv").read_text("utf-8").splitlines()[0]

    place = place_of_every_end(tmp_path)
    write(place, 12)
    documents(place, limit=2)
    before = columns()
    assert before.endswith(",waits_for,mark,note,var.style,var.n,var.thing,var.rarity")
    documents(place, retry_failed=True)
    documents(place)
    assert columns() == before
    write(place, 12, rest="  - {id: other, prompt: 'a mill in {season}', matrix: {season: [winter]}}")
    documents(place, limit=1)
    assert columns() == f"{before},var.season"


def test_rows_are_made_when_they_are_asked_for_and_are_those_of_the_moment(tmp_path: Path) -> None:
    place = Place(tmp_path, make_earth(duration=(2.0, 3.0)))
    write(place, 4)
    place.run()
    with look_at(place.options()) as opened:
        rows = opened.batch.results(at=1.0, ending=EngineOutcome()).rows
        found = list(rows)
        assert [rows[at] for at in range(len(rows))] == found
        assert (rows[-1], rows[1:3], rows[::-2]) == (found[-1], found[1:3], found[::-2])
        assert [row.index for row in found] == [0, 1, 2, 3]
        with pytest.raises(IndexError):
            rows[4]
