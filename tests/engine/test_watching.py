"""How ends are found: few looks, little delay, and never a lost result whatever the listing says."""

import heapq
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.engine.policy import Policy
from batchgen.lifecycle import Accepted, State, Succeeded
from batchgen.model import Rate
from batchgen.scenario.transport import Answer, Call
from batchgen.simulator.settings import Limits, Views
from tests.support.builders import events_of, listed_as, make_earth, make_jobs, records_of, states_of
from tests.support.virtual import Run, Twist

PER_MINUTE = Rate(count=100.0, seconds=60.0)


@dataclass(frozen=True, kw_only=True)
class Figures:
    run: Run
    wall: float  # of the ideal: the next job as soon as a slot is free
    looks: float  # status requests a job
    requests: float  # of every kind, a job
    delays: list[float]  # of what a job took


def run(
    count: int,
    span: tuple[float, float],
    ceiling: int,
    *,
    rate: Rate | None = None,
    sweeps: bool = True,
    twist: Twist | None = None,
    lag: float = 0.0,
    timeout: float | None = None,
) -> Figures:
    over = make_earth(
        duration=span,
        latency=(0.005, 0.01),
        limits=Limits(ceiling=ceiling),
        views=Views(listing_lag=(lag, lag)),
    )
    service = over.service
    wanted = make_jobs(count, prompt="a lighthouse, number {n}")
    policy = Policy(sweeps=sweeps, timeout=timeout)
    done = Run(over, wanted, rate=rate, policy=policy, twist=twist, hop=0.005).go()
    accepted = {key: one.at for key, one in done.watching.events if isinstance(one, Accepted)}
    ends = [(key, one) for key, one in done.watching.events if isinstance(one, Succeeded)]
    return Figures(
        run=done,
        wall=done.took / ideal([one.end.at - one.created_at for one in service.submissions], ceiling),
        looks=(service.counts["job"] + service.counts["jobs"]) / count,
        requests=service.counts.total() / count,
        delays=[
            (one.at - one.finished_at) / (one.finished_at - accepted[key])
            for key, one in ends
            if one.finished_at is not None
        ],
    )


def ideal(durations: list[float], ceiling: int) -> float:
    slots = [0.0] * ceiling
    for duration in durations:
        heapq.heapreplace(slots, slots[0] + duration)
    return max(slots)


def states(done: Figures) -> set[State]:
    return set(states_of(done.run.earth))


def always_running(job: dict[str, Any]) -> dict[str, Any]:
    return {**job, "status": "in-progress"}


def without_assets(job: dict[str, Any]) -> dict[str, Any]:
    return {**job, "metadata": {**job["metadata"], "assetIds": []}}


def every_other(job: dict[str, Any]) -> dict[str, Any] | None:
    return job if int(job["jobId"].encode().hex(), 16) % 2 else None


def answering(status: int, body: bytes = b"{}", *, share: int = 1) -> Twist:
    """Answer every so manieth listing like this, once the look before buying is over."""
    seen = [0]

    def twist(call: Call, answer: Answer) -> Answer:
        seen[0] += call.path == "/jobs"
        bad = call.path == "/jobs" and seen[0] > 1 and seen[0] % share == 0
        return replace(answer, status=status, body=body) if bad else answer

    return twist


def test_five_hundred_quick_jobs_cost_two_looks_for_three_and_hardly_any_time() -> None:
    done = run(500, (2.1, 4.5), 20)
    assert states(done) == {State.COLLECTED}
    assert done.looks <= 0.7
    assert done.wall <= 1.06
    assert done.run.earth.service.counts["refused_429"] <= 1


def test_polls_alone_find_an_end_a_tenth_of_the_duration_late() -> None:
    done = run(400, (2.1, 4.5), 20, sweeps=False)
    assert done.looks <= 2.55
    assert statistics.mean(done.delays) <= 0.15
    assert statistics.median(done.delays) <= 0.12


def test_at_the_published_rate_watching_uses_what_submits_leave() -> None:
    done = run(200, (21, 45), 20, rate=PER_MINUTE)
    assert done.wall <= 1.07


def test_where_the_rate_keeps_slots_free_hardly_any_of_it_goes_into_looks() -> None:
    assert run(300, (21, 45), 200, rate=PER_MINUTE).requests <= 1.4


def test_few_slots_are_filled_as_soon_as_they_are_free() -> None:
    done = run(100, (2.1, 4.5), 5)
    assert done.wall <= 1.08
    assert done.run.earth.service.counts["refused_429"] <= 3


def test_a_listing_that_lags_is_given_up_and_costs_little() -> None:
    done = run(200, (2.1, 4.5), 20, lag=3.0)
    assert states(done) == {State.COLLECTED}
    assert any("behind" in told for told in done.run.watching.troubles)
    assert done.wall <= 1.25


@pytest.mark.parametrize("status", [403, 404, 400])
def test_a_listing_that_is_not_to_be_had_is_asked_for_once(status: int) -> None:
    done = run(40, (2.1, 4.5), 10, twist=answering(status))
    assert states(done) == {State.COLLECTED}
    assert done.run.earth.service.counts["jobs"] == 2  # the look before buying, and one
    assert any("by itself" in told for told in done.run.watching.troubles)


def test_a_listing_that_fails_now_and_then_is_asked_for_again() -> None:
    done = run(100, (2.1, 4.5), 10, twist=answering(500, share=5))
    assert states(done) == {State.COLLECTED}
    assert done.wall <= 1.3


def test_a_listing_that_never_shows_an_end_is_found_out() -> None:
    done = run(100, (2.1, 4.5), 10, twist=listed_as(always_running))
    assert states(done) == {State.COLLECTED}
    assert done.wall <= 1.5
    assert any("behind" in told for told in done.run.watching.troubles)


def test_what_a_listing_leaves_out_is_polled() -> None:
    done = run(60, (2.1, 4.5), 10, twist=listed_as(every_other))
    assert states(done) == {State.COLLECTED}
    assert done.wall <= 1.5


def test_a_single_job_that_listings_leave_out_is_found_hardly_later_than_others() -> None:
    number = 27
    done = run(50, (20, 40), 10, twist=listed_as(lambda job: None if f"number {number}" in str(job) else job))
    assert states(done) == {State.COLLECTED}
    assert max(done.delays) <= 0.4


def test_a_success_that_a_listing_shows_without_assets_is_asked_about() -> None:
    done = run(30, (2.1, 4.5), 10, twist=listed_as(without_assets))
    records = records_of(done.run.earth).values()
    assert all(record.asset_ids for record in records)
    ends = events_of(done.run, Succeeded)
    assert all(event.asset_ids for event in ends), "it is asked before the end is recorded"


def test_what_outlasts_its_timeout_is_left_out_of_sight_though_sweeps_show_it() -> None:
    done = run(6, (500, 600), 6, timeout=100.0)
    assert states(done) == {State.RUNNING}
    assert done.run.ending is not None
    assert len(done.run.ending.out_of_sight) == 6
    assert done.run.took == pytest.approx(100.0, abs=5.0)


def test_long_jobs_are_left_alone_for_a_while_and_looked_at_every_few_seconds_at_most() -> None:
    done = run(20, (300, 900), 10, rate=PER_MINUTE)
    assert states(done) == {State.COLLECTED}
    assert done.wall <= 1.05
    assert done.looks <= done.run.took / 20 * 0.4


twists: dict[str, Callable[[], Twist | None]] = {
    "honest": lambda: None,
    "never shows an end": lambda: listed_as(always_running),
    "leaves out every other": lambda: listed_as(every_other),
    "shows no assets": lambda: listed_as(without_assets),
    "is empty": lambda: listed_as(lambda _: None),
    "fails": lambda: answering(500),
    "throttles": lambda: answering(429, share=3),
    "answers a page of a gateway": lambda: answering(200, b"<html>", share=2),
    "has a row without an id": lambda: answering(200, b'{"jobs": [{}]}', share=4),
}


@settings(max_examples=25)
@given(
    kind=st.sampled_from(sorted(twists)), lag=st.floats(0, 30), ceiling=st.integers(1, 12), long=st.booleans()
)
def test_whatever_the_listing_says_every_job_ends_as_the_service_says_of_it(
    kind: str, lag: float, ceiling: int, long: bool
) -> None:
    span = (20.0, 300.0) if long else (1.0, 5.0)
    done = run(15, span, ceiling, twist=twists[kind](), lag=lag)
    assert states(done) == {State.COLLECTED}
    said = {one.remote_id: one for one in done.run.earth.service.submissions}
    for record in records_of(done.run.earth).values():
        assert record.remote_id in said
        assert record.asset_ids
    assert len(said) == 15
    assert done.run.took <= 2 * ideal([one.end.at - one.created_at for one in said.values()], ceiling) + 200


@pytest.mark.parametrize("sweeps", [True, False])
def test_a_quick_model_nobody_has_history_of_is_seen_to_be_quick(sweeps: bool) -> None:
    """The first job tells, by a few looks of its own; the others do not wait for the usual first look."""
    done = unknown(20, (0.4, 0.5), 5, sweeps=sweeps)
    assert done.took < 4.5, "four times half a second, and not four times two"
    service = done.earth.service
    assert service.counts["job"] + service.counts["jobs"] <= 20 * 2.5


@pytest.mark.parametrize("sweeps", [True, False])
def test_a_slow_model_nobody_has_history_of_costs_a_few_looks_more_and_not_some_a_job(sweeps: bool) -> None:
    known = unknown(40, (8.0, 12.0), 20, sweeps=sweeps, performance=True).earth.service
    fresh = unknown(40, (8.0, 12.0), 20, sweeps=sweeps).earth.service
    usual = 20 * (1 if sweeps else 7)  # from 2 s on, as ever, at those that all begin at once
    assert fresh.counts["job"] <= known.counts["job"] + usual + 6
    assert fresh.counts["jobs"] <= known.counts["jobs"] + 15


def unknown(
    count: int, span: tuple[float, float], ceiling: int, *, sweeps: bool, performance: bool = False
) -> Run:
    earth = make_earth(
        duration=span,
        latency=(0.005, 0.01),
        limits=Limits(ceiling=ceiling),
        views=Views(performance=performance),
    )
    jobs = make_jobs(count, prompt="a lighthouse, number {n}")
    return Run(earth, jobs, policy=Policy(sweeps=sweeps), in_flight=ceiling, hop=0.005).go()
