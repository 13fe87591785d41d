"""What goes wrong, when, and whether the service did what it was asked for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.simulator.draws import Draws
from batchgen.simulator.exchange import Call, Fate
from batchgen.simulator.faults import LATE, WITHOUT_EFFECT, Fault, FaultPlan, faults_of
from batchgen.simulator.settings import Limits, Settings
from tests.simulator.caller import Caller, data_of


def scripted(call: Call, *faults: Fault | None) -> Caller:
    return Caller(Settings(latency=(0, 0), faults=FaultPlan(script={call: faults})))


@pytest.mark.parametrize("fault", faults_of(Call.SUBMIT))
def test_a_submit_is_charged_unless_the_fault_comes_before_it(fault: Fault) -> None:
    caller = scripted(Call.SUBMIT, fault)
    caller.run()
    assert len(caller.service.submissions) == (fault not in WITHOUT_EFFECT | LATE)


@pytest.mark.parametrize("fault", sorted(LATE))
def test_a_late_submit_is_charged_when_it_arrives_and_dated_by_then(fault: Fault) -> None:
    caller = Caller(Settings(late=(30, 40), faults=FaultPlan(script={Call.SUBMIT: [fault, None]})))
    asked = caller.now
    caller.run(prompt="late")
    caller.run(prompt="in time")
    caller.now += 29
    assert [row["metadata"]["input"]["prompt"] for row in caller.listed()] == ["in time"]
    caller.now += 60
    rows = caller.listed()
    assert [row["metadata"]["input"]["prompt"] for row in rows] == ["late", "in time"]
    assert 30 <= caller.service.submissions[1].created_at - asked <= 40


def test_a_late_submit_is_refused_by_what_holds_when_it_arrives() -> None:
    faults = FaultPlan(script={Call.SUBMIT: [Fault.CUT_LATE, None]})
    settings = Settings(late=(5, 5), limits=Limits(ceiling=1), duration=(60, 60), faults=faults)
    caller = Caller(settings)
    caller.run(prompt="late")
    caller.run(prompt="in time")
    caller.service.advance(caller.now + 100)
    assert [one.inputs["prompt"] for one in caller.service.submissions] == ["in time"]


def test_late_submits_arrive_in_the_order_of_their_delays_and_alike_for_equal_seeds() -> None:
    chances = {Call.SUBMIT: {Fault.CUT_LATE: 0.5, Fault.GATEWAY_LATE: 0.5}}
    orders = []
    for _ in range(2):
        caller = Caller(Settings(seed=4, late=(5, 300), faults=FaultPlan(chances=chances)))
        for number in range(20):
            caller.run(prompt=f"{number}")
        assert not caller.service.submissions
        caller.service.advance(caller.now + 300)
        orders.append([one.inputs["prompt"] for one in caller.service.submissions])
    assert orders[0] == orders[1]
    assert len(orders[0]) == 20
    assert orders[0] != sorted(orders[0], key=int)


def test_only_faults_that_come_before_are_without_effect() -> None:
    assert {Fault.CUT_BEFORE, Fault.ERROR_BEFORE, Fault.THROTTLED} == WITHOUT_EFFECT


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.ERROR_BEFORE, 500),
        (Fault.ERROR_AFTER, 500),
        (Fault.BAD_GATEWAY, 502),
        (Fault.UNAVAILABLE, 503),
        (Fault.TIMEOUT, 408),
        (Fault.REDIRECT, 307),
        (Fault.NO_JSON, 200),
        (Fault.THROTTLED, 429),
        (Fault.SLOW, 200),
        (Fault.GATEWAY_LATE, 504),
    ],
)
def test_a_fault_shows_as_its_status(fault: Fault, status: int) -> None:
    reply = scripted(Call.SUBMIT, fault).run()
    assert reply.status == status
    assert reply.fate is Fate.ANSWERED


@pytest.mark.parametrize(
    ("fault", "fate"),
    [
        (Fault.CUT_BEFORE, Fate.CUT),
        (Fault.CUT_AFTER, Fate.CUT),
        (Fault.CUT_LATE, Fate.CUT),
        (Fault.HANG_AFTER, Fate.HUNG),
    ],
)
def test_a_lost_answer_is_a_fate_of_the_connection(fault: Fault, fate: Fate) -> None:
    assert scripted(Call.SUBMIT, fault).run().fate is fate


@pytest.mark.parametrize("fault", [Fault.BAD_GATEWAY, Fault.NO_JSON])
def test_a_gateways_page_is_no_json(fault: Fault) -> None:
    reply = scripted(Call.JOBS, fault).get("/jobs")
    assert reply.headers["content-type"] == "text/html"
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(reply.body)


def test_a_slow_answer_takes_longer_than_a_patient_client_waits() -> None:
    assert scripted(Call.JOB, Fault.SLOW).get("/jobs/job_1").delay >= 60


def test_a_refusal_by_fault_asks_to_wait_and_is_counted() -> None:
    caller = scripted(Call.JOBS, Fault.THROTTLED)
    assert caller.get("/jobs").headers["retry-after"] == "1"
    assert caller.service.counts["refused_429"] == 1


def test_a_script_goes_by_the_calls_of_its_kind_and_then_it_is_over() -> None:
    caller = scripted(Call.SUBMIT, None, Fault.ERROR_AFTER)
    statuses = []
    for _ in range(3):
        statuses.append(caller.run().status)
        caller.get("/jobs")
    assert statuses == [200, 500, 200]


def test_a_dry_run_is_no_submit_and_suffers_its_own_faults() -> None:
    plan = FaultPlan(chances={Call.SUBMIT: {Fault.CUT_AFTER: 1.0}}, script={Call.QUOTE: [Fault.ERROR_AFTER]})
    caller = Caller(Settings(faults=plan))
    query = {"dryRun": "true"}
    assert [caller.run(query=query).status for _ in range(2)] == [500, 269]


@given(seed=st.integers(0, 2**32), low=st.floats(0, 1))
def test_a_probability_of_none_never_and_of_one_always(seed: int, low: float) -> None:
    plan = FaultPlan(chances={Call.JOB: {Fault.SLOW: 0.0, Fault.CUT_AFTER: 1.0}})
    assert plan.drawn(Call.JOB, 0, Draws(seed)) is Fault.CUT_AFTER
    assert plan.drawn(Call.JOBS, 0, Draws(seed)) is None
    shares = FaultPlan(chances={Call.JOB: {Fault.SLOW: low, Fault.CUT_AFTER: 1 - low}})
    assert shares.drawn(Call.JOB, 0, Draws(seed)) in {Fault.SLOW, Fault.CUT_AFTER}


def test_faults_come_about_as_often_as_they_are_asked_for() -> None:
    plan = FaultPlan(chances={Call.JOB: {Fault.SLOW: 0.1, Fault.CUT_AFTER: 0.2}})
    drawn = [plan.drawn(Call.JOB, nth, Draws(1)) for nth in range(4000)]
    assert drawn.count(Fault.SLOW) == pytest.approx(400, rel=0.15)
    assert drawn.count(Fault.CUT_AFTER) == pytest.approx(800, rel=0.15)


def test_a_plan_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="add up to 1"):
        FaultPlan(chances={Call.JOB: {Fault.SLOW: 0.6, Fault.CUT_AFTER: 0.6}})
    with pytest.raises(ValueError, match="cannot suffer truncated"):
        FaultPlan(script={Call.SUBMIT: [Fault.TRUNCATED]})
    with pytest.raises(ValueError, match="cannot suffer cut-late"):
        FaultPlan(script={Call.JOBS: [Fault.CUT_LATE]})
    with pytest.raises(ValueError, match="cannot suffer 429"):
        FaultPlan(chances={Call.DOWNLOAD: {Fault.THROTTLED: 0.5}})


def test_a_download_can_be_cut_short_or_out_of_date() -> None:
    plan = FaultPlan(script={Call.DOWNLOAD: [Fault.TRUNCATED, Fault.EXPIRED]})
    caller = Caller(Settings(faults=plan))
    remote_id = caller.bought()
    caller.now += 100
    asset_id = caller.job(remote_id)["metadata"]["assetIds"][0]
    url = data_of(caller.get(f"/assets/{asset_id}"))["asset"]["url"]
    assert caller.download(url).sent == 0.5
    assert caller.download(url).status == 403
    assert caller.download(url).status == 200


def test_the_latency_is_drawn_from_its_span() -> None:
    caller = Caller(Settings(latency=(0.5, 1.5)))
    delays = [caller.get("/jobs").delay for _ in range(50)]
    assert all(0.5 <= delay <= 1.5 for delay in delays)
    assert len(set(delays)) > 10
