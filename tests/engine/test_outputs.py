"""What came out of a job: the service may show it late, in part, or only where the job itself is asked."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from batchgen.engine.verdict import Verdict, judge
from batchgen.exits import Exit
from batchgen.lifecycle import Adopted, OutputsGrew, State, Succeeded
from batchgen.model import Job
from batchgen.planning.yields import shortage
from batchgen.scenario.transport import Answer, Call
from batchgen.simulator.exchange import Call as SimulatedCall
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import Limits, Outcomes, Views
from tests.support.builders import events_of, make_earth, make_jobs, records_of
from tests.support.virtual import SEEDED, Earth, Run, Twist

MATERIAL = "model_patina-material"
NEVER = (1e9, 1e9)
DAY = 86_400.0


def earth(after: tuple[float, float] = NEVER, *, jobs_too: bool = True, **more: Any) -> Earth:
    views = Views(
        late_outputs=more.pop("share", 1.0), outputs_whole_after=after, outputs_late_in_jobs=jobs_too
    )
    return make_earth(views=views, **more)


def jobs(count: int, *, outputs: int = 4) -> list[Job]:
    return make_jobs(count, prompt="a mill, number {n}", numOutputs=outputs)


def verdict(run: Run) -> Verdict:
    assert run.ending is not None
    kept = records_of(run.earth)
    return judge(run.ending, list(kept.values()), shortage=shortage(kept, now=run.earth.clock_offset))


def counts(over: Earth) -> list[int]:
    return [len(one.asset_ids) for one in records_of(over).values()]


def all_on_shelves(over: Earth) -> bool:
    kept = records_of(over).values()
    return all([file.asset_id for file in one.files] == list(one.asset_ids) for one in kept)


def looks(over: Earth) -> int:
    return int(over.service.counts["job"])


def changed(change: Callable[[dict[str, Any]], dict[str, Any]], *, path: str) -> Twist:
    """Change what the answers to calls of a kind say of a job."""

    def twist(call: Call, answer: Answer) -> Answer:
        if not call.path.startswith(path) or answer.status != 200:
            return answer
        body = json.loads(answer.body)
        if "job" in body:
            body["job"] = change(body["job"])
        return replace(answer, body=json.dumps(body).encode())

    return twist


def test_assets_that_only_the_job_itself_shows_are_fetched() -> None:
    over = earth(jobs_too=False)
    run = Run(over, jobs(12)).go()
    assert counts(over) == [4] * 12
    assert all_on_shelves(over)
    assert verdict(run).exit is Exit.DONE


def test_assets_that_come_seconds_after_the_success_are_fetched_and_listed_in_the_services_order() -> None:
    over = earth((5.0, 40.0))
    run = Run(over, jobs(9)).go()
    assert all_on_shelves(over)
    made = {one.remote_id: over.service.outputs_of(one, 1e12) for one in over.service.submissions}
    assert {one.remote_id: one.asset_ids for one in records_of(over).values()} == made
    assert any(isinstance(event, OutputsGrew) for _, event in run.watching.events)
    assert verdict(run).exit is Exit.DONE


def test_a_success_without_assets_is_never_done_without_a_word() -> None:
    over = earth()
    first = Run(over, jobs(2, outputs=1)).go()
    assert counts(over) == [0, 0]
    assert verdict(first).exit is Exit.REMAINS
    assert "2 jobs succeeded without any asset so far" in verdict(first).reasons[0]
    assert "job-0 (0 of 1)" in verdict(first).reasons[0]
    over.clock_offset += DAY
    second = Run(over, jobs(2, outputs=1)).go()
    assert verdict(second).exit is Exit.FAILED
    assert "without any asset" in verdict(second).reasons[0]


def test_a_model_that_gives_nothing_is_not_learnt_to_be_like_that() -> None:
    over = earth()
    run = Run(over, jobs(20, outputs=1)).go()
    assert "20 jobs succeeded without any asset" in verdict(run).reasons[0]


def test_what_comes_an_hour_later_is_fetched_by_the_next_run() -> None:
    over = earth((3000.0, 3600.0))
    first = Run(over, jobs(9)).go()
    assert first.took < 300.0
    over.clock_offset += 3700.0
    second = Run(over, jobs(9)).go()
    assert counts(over) == [4] * 9
    assert all_on_shelves(over)
    assert len(over.service.submissions) == 9, "nothing is bought again"
    assert verdict(second).exit is Exit.DONE


def test_a_day_after_its_end_a_short_one_is_left_to_the_audit() -> None:
    over = earth((1.5 * DAY, 1.5 * DAY))
    Run(over, jobs(2)).go()
    before = looks(over)
    over.clock_offset += 2 * DAY
    Run(over, jobs(2)).go()
    assert looks(over) == before
    assert all(one.is_short for one in records_of(over).values())


def test_a_run_waits_two_minutes_for_what_is_missing_and_no_longer() -> None:
    over = earth()
    run = Run(over, jobs(1)).go()
    [end] = events_of(run, Succeeded)
    waited = run.earth.clock_offset - 1.0 - end.at
    assert 110.0 <= waited <= 130.0
    assert looks(over) <= 5 + 7, "five until it has ended, and seven for two minutes"


def test_a_model_that_gives_fewer_than_it_is_asked_for_is_learnt_and_costs_hardly_a_look() -> None:
    def one_of_four(job: dict[str, Any]) -> dict[str, Any]:
        ids = job["metadata"].get("assetIds")
        return job if ids is None else {**job, "metadata": {**job["metadata"], "assetIds": ids[:1]}}

    def twist(call: Call, answer: Answer) -> Answer:
        if not call.path.startswith("/jobs") or answer.status != 200:
            return answer
        body = json.loads(answer.body)
        body = (
            {"job": one_of_four(body["job"])}
            if "job" in body
            else {**body, "jobs": [one_of_four(one) for one in body["jobs"]]}
        )
        return replace(answer, body=json.dumps(body).encode())

    over = make_earth(duration=(2.1, 4.5), limits=Limits(ceiling=5))
    run = Run(over, jobs(300), twist=twist).go()
    assert counts(over) == [1] * 300
    assert verdict(run).exit is Exit.DONE, "it is the model's way"
    before = looks(over)
    again = Run(
        over, [*jobs(300), Job(id="more", prompt="more", model=SEEDED, params={"numOutputs": 4})], twist=twist
    )
    again.go()
    assert before <= 0.3 * 300
    assert looks(over) - before <= 25
    assert again.took < 60.0, "nobody is waited for any more"


def test_a_material_has_an_output_a_map_and_a_row_with_fewer_is_not_believed() -> None:
    wanted = make_jobs(8, prompt="bricks, number {n}", model=MATERIAL)
    over = make_earth(duration=(4.0, 60.0))

    def twist(call: Call, answer: Answer) -> Answer:
        if call.path != "/jobs" or answer.status != 200:
            return answer
        body = json.loads(answer.body)
        for job in body["jobs"]:
            if "assetIds" in job["metadata"]:
                job["metadata"]["assetIds"] = job["metadata"]["assetIds"][-1:]
        return replace(answer, body=json.dumps(body).encode())

    Run(over, wanted, twist=twist).go()
    assert counts(over) == [6] * 8
    assert all_on_shelves(over)


def test_an_answer_to_a_submit_that_is_a_success_with_a_part_of_it_is_not_the_last_word() -> None:
    over = earth((10.0, 20.0), outcomes=Outcomes(instant=True))
    run = Run(over, jobs(4)).go()
    assert counts(over) == [4] * 4
    assert all_on_shelves(over)
    assert verdict(run).exit is Exit.DONE


@pytest.mark.parametrize("seed", range(5))
def test_a_job_that_is_found_again_by_its_row_has_all_that_came_out(seed: int) -> None:
    faults = FaultPlan(script={SimulatedCall.SUBMIT: [None, Fault.CUT_AFTER]})
    over = earth(jobs_too=False, faults=faults, duration=(0.5, 1.0), seed=seed)
    run = Run(over, jobs(2)).go()
    assert sum(isinstance(event, Adopted) for _, event in run.watching.events) == 1
    assert counts(over) == [4] * 2
    assert all_on_shelves(over)


def test_a_text_in_place_of_an_asset_is_all_that_came_out() -> None:
    over = earth()
    texts = changed(
        lambda job: {**job, "metadata": {**job["metadata"], "output": {"text": "a poem"}}}, path="/jobs/"
    )

    def write(runner: Any) -> None:
        models = runner._pieces.harvest.yields._models
        models[SEEDED] = replace(models[SEEDED], capabilities=("txt2txt",), inputs=())

    wanted = [replace(one, params={}) for one in jobs(2)]
    run = Run(over, wanted, twist=texts, command=write).go()
    assert {one.state for one in records_of(over).values()} == {State.COLLECTED}
    assert verdict(run).exit is Exit.DONE
    assert run.took < 60.0


@pytest.mark.parametrize("appends", [5, 6, 7, 8])
def test_a_run_that_is_cut_between_a_growth_and_its_files_is_taken_up_where_it_was(appends: int) -> None:
    over = earth((5.0, 30.0))
    Run(over, jobs(1), cut_at_append=appends).go()
    over.clock_offset += 300.0
    Run(over, jobs(1)).go()
    assert counts(over) == [4]
    assert all_on_shelves(over)


def test_what_the_manifest_no_longer_names_is_asked_again_too() -> None:
    over = earth((1000.0, 1000.0))
    Run(over, jobs(2)).go()
    over.clock_offset += 1000.0
    Run(over, [Job(id="new", prompt="new", model=SEEDED)]).go()
    removed = [one for one in records_of(over).values() if one.job and one.job.id != "new"]
    assert [len(one.asset_ids) for one in removed] == [4, 4]


def test_where_no_look_at_the_job_is_answered_a_listing_that_shows_something_will_do() -> None:
    over = make_earth()

    def twist(call: Call, answer: Answer) -> Answer:
        return replace(answer, status=404) if call.path.startswith("/jobs/") else answer

    run = Run(over, jobs(3), twist=twist).go()
    assert counts(over) == [4] * 3
    assert run.took < 900.0  # a look at a job that is not shown is asked for again at growing distances


def test_a_slot_is_free_while_what_is_missing_is_asked_for() -> None:
    over = earth((60.0, 90.0), duration=(4.0, 5.0))
    Run(over, jobs(12), in_flight=1).go()
    last = max(one.created_at for one in over.service.submissions)
    first = min(one.created_at for one in over.service.submissions)
    assert last - first < 90.0
    assert counts(over) == [4] * 12
