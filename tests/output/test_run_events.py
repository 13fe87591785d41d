"""The events of a run, as values and as JSON, in virtual time."""

import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from batchgen import api
from batchgen.engine.interrupts import Interrupts
from batchgen.lifecycle import EVENTS, Collected
from batchgen.model import File
from batchgen.output.entries import Row, entry
from batchgen.output.event_lines import event_line
from batchgen.output.progress import Mode
from batchgen.output.run_events import (
    ErrorTold,
    JobChanged,
    JobSeen,
    Requested,
    RunEnded,
    RunEvent,
    RunStarted,
    Said,
    Warned,
    events_schema,
)
from batchgen.record import Record
from batchgen.redaction import Redaction
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import Limits, Outcomes
from batchgen.usecases.audience import Audience
from tests.output.test_event_lines import faults
from tests.support.builders import make_earth
from tests.support.place import Place

DOCS = Path(__file__).parent.parent.parent / "docs" / "events.md"


def played(place: Place, **changed: Any) -> list[RunEvent]:
    events: list[RunEvent] = []
    audience = Audience(io.StringIO(), Mode.QUIET, events.append)
    place.play(api.run(place.options(**changed), Interrupts(), audience))
    return events


def names(events: Sequence[RunEvent]) -> list[str]:
    return [one.name for one in events]


def test_a_run_tells_its_start_every_fact_and_its_end(tmp_path: Path) -> None:
    place = Place.with_jobs(tmp_path, 3)
    events = played(place)
    first, last = events[0], events[-1]
    assert isinstance(first, RunStarted)
    assert (first.jobs, first.to_buy) == (3, 3)
    assert isinstance(last, RunEnded)
    assert (last.exit, last.reasons, last.summary["jobs"]) == (0, (), 3)
    facts = names([one for one in events if isinstance(one, JobChanged)])
    assert [facts.count(one) for one in ("submit_started", "accepted", "succeeded")] == [3, 3, 3]
    assert {one.name for one in events if isinstance(one, JobSeen)} == {"seen"}


def test_each_status_of_a_job_is_told_once(tmp_path: Path) -> None:
    events = played(Place.with_jobs(tmp_path, 2))
    seen = [(one.job.id, one.remote.word) for one in events if isinstance(one, JobSeen)]
    assert seen
    assert len(seen) == len(set(seen))


def test_a_second_run_with_nothing_to_do_tells_its_start_and_its_end(tmp_path: Path) -> None:
    place = Place.with_jobs(tmp_path, 2)
    played(place)
    assert names(played(place)) == ["run_started", "summary"]


def test_what_goes_wrong_is_told_with_its_reason(tmp_path: Path) -> None:
    earth = make_earth(
        duration=(5, 5),
        outcomes=Outcomes(failures=1.0),
        limits=Limits(ceiling=1),
        faults=FaultPlan(chances={Call.SUBMIT: {Fault.CUT_AFTER: 0.5}}),
    )
    place = Place.with_jobs(tmp_path, 4, earth)
    events = played(place)
    told = [one.document() for one in events]
    assert {"answer_lost", "adopted", "failed"} <= {one["event"] for one in told}
    assert all(one["reason"] for one in told if one["event"] in {"answer_lost", "failed"})
    assert told[-1]["exit"] == 3


def test_every_line_is_json_with_the_keys_that_the_page_promises(tmp_path: Path) -> None:
    for event in played(Place.with_jobs(tmp_path, 2)):
        line = json.loads(json.dumps(event.document()))
        assert line["event"] == event.name
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["at"])
        assert line["batch"] == "spring"
        if isinstance(event, JobChanged):
            assert {"id", "model", "state", "attempt", "job_id"} <= line.keys()


def test_the_page_names_every_event_and_no_other() -> None:
    snake = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in EVENTS}
    own = {one.NAME for one in (RunStarted, RunEnded, Warned, JobSeen, Said, Requested, ErrorTold)}
    rows = [line.split("|")[1] for line in DOCS.read_text().splitlines() if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    schema = json.loads(events_schema())
    assert listed - set(schema["properties"]) == snake | own
    assert set(schema["properties"]) <= listed
    assert {
        name for one in schema["allOf"] for name in one["if"]["properties"]["event"]["enum"]
    } == snake | own


def test_every_line_of_a_run_is_as_the_schema_says_and_has_its_run_id(tmp_path: Path) -> None:
    earth = make_earth(
        duration=(5, 5),
        outcomes=Outcomes(failures=0.4),
        limits=Limits(ceiling=1),
        faults=FaultPlan(chances={Call.SUBMIT: {Fault.CUT_AFTER: 0.5}}),
    )
    events = played(Place.with_jobs(tmp_path, 5, earth))
    told = [json.loads(event_line(one.document(), Redaction())) for one in events]
    assert [fault for one in told for fault in faults(one)] == []
    (run_id,) = {one["run_id"] for one in told}
    assert re.fullmatch("[0-9a-f]{12}", run_id)
    levels = {one["event"]: one["level"] for one in told}
    assert (levels["accepted"], levels["failed"], levels["summary"]) == ("info", "warning", "warning")


def test_collected_files_are_described_as_the_results_describe_them(tmp_path: Path) -> None:
    file = File(
        asset_id="asset_a", path="assets/a_0.png", bytes=9, sha256="ab", mime="image/png",
        width=64, height=32, kind="image", type="texture-normal",
    )  # fmt: skip
    place = Place.with_jobs(tmp_path, 1)
    [known] = [one for one in played(place) if isinstance(one, JobChanged) and one.name == "succeeded"]
    told = replace(known, fact=Collected(at=1.0, files=(file,))).document()
    assert told["files"] == ["assets/a_0.png"]
    (details,) = told["details"]
    shown = entry(Row(job=known.job, key=known.key, record=Record(files=(file,))))["files"]
    assert [{"path": "assets/a_0.png", **details, "mark": None, "note": ""}] == shown
    assert "details" not in known.document()
