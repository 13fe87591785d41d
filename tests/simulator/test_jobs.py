"""A job's life after it was accepted: a function of the job and the time."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.simulator.dates import read, written
from batchgen.simulator.draws import Draws
from batchgen.simulator.jobs import CANCELED, FAILURE, SUCCESS, draw_fortune, whole_milliseconds
from batchgen.simulator.settings import Outcomes, Settings, Views
from tests.simulator.caller import EPOCH, MATERIAL, SEEDLESS, Caller, data_of

ORDER = ("pending", "queued", "warming-up", "in-progress", "dreaming", "finalizing", SUCCESS)
WORDS = {word: place for place, word in enumerate(ORDER)} | {FAILURE: 6, CANCELED: 6}

settings_of_outcomes = st.builds(
    Outcomes,
    failures=st.sampled_from([0.0, 0.3, 1.0]),
    moderated=st.sampled_from([0.0, 0.5, 1.0]),
    cancellations=st.just(0.0),
    instant=st.booleans(),
    strange_word=st.sampled_from(["", "dreaming"]),
)


@given(
    outcomes=settings_of_outcomes,
    seed=st.integers(0, 2**32),
    seconds=st.floats(0, 5000),
    now=st.floats(EPOCH, EPOCH + 1e8),
)
def test_statuses_go_one_way_and_end_when_the_duration_is_over(
    outcomes: Outcomes, seed: int, seconds: float, now: float
) -> None:
    at = whole_milliseconds(now)
    fortune = draw_fortune(Draws(seed), 0, at=at, duration=(seconds, seconds), outcomes=outcomes)
    places = [WORDS[step.word] for step in fortune.steps]
    assert places == sorted(set(places))
    times = [step.at for step in fortune.steps]
    assert times == sorted(times)
    assert times[0] == at
    expected = 0 if outcomes.instant else max(0.001, seconds)
    assert times[-1] - at == pytest.approx(expected, abs=0.0011)


@given(moments=st.lists(st.floats(0, 20), max_size=20), seed=st.integers(0, 999))
def test_two_looks_at_a_job_never_disagree(moments: list[float], seed: int) -> None:
    caller = Caller(Settings(seed=seed, outcomes=Outcomes(failures=0.5)))
    remote_id = caller.bought()
    histories, progress = [], [0.0]
    for moment in sorted(moments):
        caller.now = EPOCH + moment
        job = caller.job(remote_id)
        assert job["status"] == job["statusHistory"][-1]["status"]
        assert job["updatedAt"] == job["statusHistory"][-1]["date"]
        histories.append(job["statusHistory"])
        progress.append(job["progress"])
    assert progress == sorted(progress)
    assert all(0 <= one <= 1 for one in progress)
    for before, after in pairwise(histories):
        assert after[: len(before)] == before


@given(st.floats(0, 4e9))
def test_a_date_is_read_as_the_moment_that_was_written(now: float) -> None:
    moment = whole_milliseconds(now)
    assert read(written(moment)) == moment


def ended(settings: Settings, model: str = SEEDLESS, **inputs: object) -> Any:
    caller = Caller(settings)
    remote_id = caller.bought(model, **inputs)
    caller.now += 100
    return caller.job(remote_id)


def test_a_success_shows_its_assets_and_no_error() -> None:
    job = ended(Settings())
    assert job["status"] == SUCCESS
    assert job["progress"] == 1
    assert len(job["metadata"]["assetIds"]) == 1
    assert "error" not in job["metadata"]


def test_a_material_makes_six_assets_of_one_output() -> None:
    assert len(ended(Settings(), MATERIAL)["metadata"]["assetIds"]) == 6


def test_a_failure_explains_itself_and_has_no_assets() -> None:
    job = ended(Settings(outcomes=Outcomes(failures=1)))
    assert job["status"] == FAILURE
    assert job["metadata"]["error"]
    assert job["metadata"]["hint"]
    assert "assetIds" not in job["metadata"]


def test_a_moderated_failure_speaks_of_the_safety_system() -> None:
    job = ended(Settings(outcomes=Outcomes(failures=1, moderated=1)))
    assert "safety system" in job["metadata"]["error"]


def test_the_service_may_cancel_a_job() -> None:
    job = ended(Settings(outcomes=Outcomes(cancellations=1)))
    assert job["status"] == CANCELED
    assert "assetIds" not in job["metadata"]


@pytest.mark.parametrize("outcomes", [Outcomes(failures=1), Outcomes(cancellations=1)])
def test_a_refund_takes_the_add_ons_to_nothing_and_leaves_the_main_cost(outcomes: Outcomes) -> None:
    billing = ended(Settings(outcomes=outcomes, quality_gate=True), MATERIAL)["billing"]
    assert billing == {"cuCost": 6, "cuDiscount": 0, "cuCostDetails": {"quality-gate": 0}}


def test_without_refunds_the_job_says_so_and_the_add_ons_stay() -> None:
    outcomes = Outcomes(failures=1, refunds=False)
    billing = ended(Settings(outcomes=outcomes, quality_gate=True), MATERIAL)["billing"]
    assert billing["cuCostDetails"] == {"quality-gate": 1.25}
    assert billing["disableRefund"] is True


@pytest.mark.parametrize(
    ("outcomes", "spent"),
    [
        (Outcomes(), 7.25),
        (Outcomes(failures=1), 0),
        (Outcomes(failures=1, refunds=False), 7.25),
        (Outcomes(cancellations=1), 6),
    ],
)
def test_what_is_spent_is_what_was_charged_less_what_came_back(outcomes: Outcomes, spent: float) -> None:
    caller = Caller(Settings(outcomes=outcomes, quality_gate=True))
    caller.bought(MATERIAL)
    caller.now += 100
    limits = data_of(caller.get("/teams/team_simulated/limits"))
    assert limits["values"]["creativeUnits"] == spent


def test_a_word_that_no_client_knows_comes_before_the_end() -> None:
    history = ended(Settings(outcomes=Outcomes(strange_word="dreaming")))["statusHistory"]
    assert "dreaming" in [step["status"] for step in history[:-1]]


def test_a_duration_can_be_set_by_model() -> None:
    caller = Caller(Settings(duration=(1, 1), durations={MATERIAL: (50, 50)}))
    quick, slow = caller.bought(), caller.bought(MATERIAL)
    caller.now += 2
    assert caller.job(quick)["status"] == SUCCESS
    assert caller.job(slow)["status"] != SUCCESS


def test_a_fresh_job_can_be_unknown_by_its_id_for_a_while() -> None:
    caller = Caller(Settings(views=Views(job_lag=2)))
    remote_id = caller.bought()
    assert caller.get(f"/jobs/{remote_id}").status == 404
    caller.now += 2
    assert caller.job(remote_id)["jobId"] == remote_id


def test_a_custom_job_cannot_be_cancelled() -> None:
    caller = Caller()
    reply = caller.post(f"/jobs/{caller.bought()}/action", {"action": "cancel"})
    assert reply.status == 400
    assert data_of(reply) == {"reason": "Cannot cancel this type of job. Action not permitted."}
    assert caller.post("/jobs/job_of_nobody/action", {"action": "cancel"}).status == 404


def test_the_clock_of_the_service_never_goes_back() -> None:
    caller = Caller()
    remote_id = caller.bought()
    caller.now += 100
    assert caller.job(remote_id)["status"] == SUCCESS
    caller.now -= 100
    assert caller.job(remote_id)["status"] == SUCCESS


def test_time_runs_faster_by_the_speed_for_all_that_is_in_seconds() -> None:
    fast = Settings(views=Views(listing_lag=(1, 3), job_lag=5, archived_after=10)).at_speed(10)
    assert fast.duration == (0.4, 1.2)
    assert fast.slow == 7.5
    assert fast.views == Views(listing_lag=(0.1, 0.3), job_lag=0.5, archived_after=1.0)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf")])
def test_a_speed_is_a_number_above_nothing(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        Settings().at_speed(speed)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Settings(duration=(5, 4)),
        lambda: Settings(latency=(-1, 4)),
        lambda: Outcomes(failures=0.7, cancellations=0.7),
        lambda: Outcomes(moderated=1.5),
        lambda: Views(short_pages=-0.1),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"span|share|add up"):
        wrong()
