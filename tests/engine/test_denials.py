"""A refusal that is for one model, a listing that cannot be had, and ids that are not found."""

import asyncio
from dataclasses import replace

import pytest

from batchgen.engine.policy import Policy
from batchgen.engine.verdict import judge
from batchgen.errors import NoListingError, NoRightError
from batchgen.exits import Exit
from batchgen.lifecycle import AnswerLost, Held, ShownAbsent, State, Stopped, SubmitStarted
from batchgen.reconcile.absence import DoubtPolicy
from batchgen.record import Record
from batchgen.rights import Right
from batchgen.scenario.transport import Answer, Call
from batchgen.simulator.exchange import Call as Asked
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import Denied, Views
from tests.support.builders import events_of, make_earth, make_jobs, records_of, verdict_of
from tests.support.virtual import SEEDED, SEEDLESS, Earth, Run

SUBMITS = frozenset({Asked.SUBMIT})
BLIND = Policy(listings=False)


def states(earth: Earth) -> list[State]:
    return [record.state for record in records_of(earth).values()]


@pytest.mark.parametrize("named", [True, False])
def test_a_refusal_that_names_a_model_closes_that_one_and_carries_the_others(named: bool) -> None:
    denied = Denied(models=frozenset({SEEDLESS}), calls=SUBMITS, named=named)
    earth = make_earth(denied=denied)
    wanted = [*make_jobs(6, model=SEEDLESS, name="seedless"), *make_jobs(6)]
    run = Run(earth, wanted, in_flight=2).go()
    assert run.ending is not None
    assert run.ending.stopped is None
    assert len(earth.service.submissions) == 6
    assert earth.service.counts["submit"] <= 6 + 2, "none of it is sent once the first answer is known"
    begun = [one for one in events_of(run, SubmitStarted) if one.job.model == SEEDLESS]
    assert len(begun) <= 2, "nor is an intent of it recorded"
    assert (run.ending.closed[SEEDLESS].jobs, states(earth).count(State.COLLECTED)) == (6, 6)
    verdict = verdict_of(run)
    assert verdict.exit is Exit.CREDENTIALS
    assert f"6 jobs of {SEEDLESS} not bought" in verdict.reasons[0]
    assert any(isinstance(event, Stopped) for _, event in run.watching.events)
    earth.service.deny(Denied())
    Run(earth, wanted).go()
    assert states(earth) == [State.COLLECTED] * 12


def test_any_other_refusal_of_that_kind_stops_the_run() -> None:
    def forbid(call: Call, answer: Answer) -> Answer:
        body = b'{"reason": "Missing scope model.read", "name": "ForbiddenError"}'
        return replace(answer, status=403, body=body) if call.once else answer

    run = Run(Earth(), make_jobs(6), in_flight=2, twist=forbid).go()
    assert run.ending is not None
    assert run.ending.stopped is not None
    assert not run.ending.closed


def test_a_key_that_may_no_longer_start_jobs_collects_what_it_started() -> None:
    earth = make_earth(duration=(30.0, 40.0))
    Run(earth, make_jobs(3), cut_at=5.0).go()
    earth.service.deny(Denied(rights=frozenset({Right.GENERATE})))
    run = Run(earth, make_jobs(5)).go()
    assert run.ending is not None
    assert isinstance(run.ending.stopped, NoRightError)
    assert (states(earth).count(State.COLLECTED), len(earth.service.submissions)) == (3, 3)
    told = verdict_of(run)
    assert told.exit is Exit.CREDENTIALS
    assert "a key with the role editor may" in told.reasons[0]


def test_a_model_that_is_closed_while_the_service_is_asked_for_a_sign_gives_the_sign() -> None:
    faults = FaultPlan(script={Asked.SUBMIT: [Fault.ERROR_AFTER] * 3})
    earth = make_earth(faults=faults)
    run = Run(earth, [*make_jobs(3, model=SEEDLESS, name="seedless"), *make_jobs(3)], in_flight=3)
    denied = Denied(models=frozenset({SEEDED}), calls=frozenset({Asked.MODEL, Asked.SUBMIT}))
    run.command = lambda _: asyncio.get_running_loop().call_soon(earth.service.deny, denied)  # type: ignore[assignment]
    run.go()
    assert run.ending is not None
    assert (run.ending.unreachable, run.ending.closed[SEEDED].jobs) == (False, 3)


def test_without_the_right_to_list_nothing_is_bought_and_what_runs_is_collected() -> None:
    earth = make_earth(duration=(30.0, 40.0))
    Run(earth, make_jobs(3), cut_at=5.0).go()
    assert states(earth) == [State.RUNNING] * 3
    earth.service.deny(Denied(listing=True))
    run = Run(earth, make_jobs(5)).go()
    assert run.ending is not None
    assert isinstance(run.ending.stopped, NoListingError)
    assert (states(earth), len(earth.service.submissions)) == ([State.COLLECTED] * 3, 3)


def test_without_the_right_to_list_a_doubt_is_left_as_it_is_and_the_run_ends() -> None:
    faults = FaultPlan(script={Asked.SUBMIT: [None, Fault.HANG_AFTER]})
    earth = make_earth(faults=faults)
    Run(earth, make_jobs(2), cut_at=5.0, in_flight=2).go()
    earth.service.deny(Denied(listing=True))
    run = Run(earth, make_jobs(2)).go()
    assert run.took < 30
    assert states(earth) == [State.COLLECTED, State.IN_DOUBT]
    assert verdict_of(run).exit is Exit.CREDENTIALS
    earth.service.deny(Denied())
    Run(earth, make_jobs(2)).go()
    assert (states(earth), len(earth.service.submissions)) == ([State.COLLECTED] * 2, 2)


def test_told_to_go_on_without_a_listing_it_asks_for_none_and_holds_what_is_lost() -> None:
    faults = FaultPlan(script={Asked.SUBMIT: [None, Fault.CUT_BEFORE, Fault.CUT_AFTER]})
    earth = make_earth(faults=faults, denied=Denied(listing=True))
    run = Run(earth, make_jobs(6), policy=BLIND, in_flight=2).go()
    assert earth.service.counts["jobs"] == 0
    assert sorted(states(earth)) == [*[State.COLLECTED] * 4, *[State.HELD] * 2]
    kinds = [type(event) for _, event in run.watching.events]
    assert (kinds.count(AnswerLost), kinds.count(Held), kinds.count(ShownAbsent)) == (2, 2, 0)
    (reason, _) = [event.reason for event in events_of(run, Held)]
    assert "--allow no-listing" in reason


def test_a_look_that_was_left_out_is_made_by_the_next_run_that_may_list() -> None:
    earth = make_earth()
    Run(earth, make_jobs(2), policy=BLIND).go()
    assert isinstance(earth.disk.looking_since, float)
    Run(earth, make_jobs(3)).go()
    looks = earth.service.counts["jobs"]
    assert (earth.disk.looking_since is None, looks > 0) == (True, True)


def test_a_listing_that_fails_for_ever_is_why_nothing_is_bought_and_the_way_on_is_named() -> None:
    faults = FaultPlan(chances={Asked.JOBS: {Fault.ERROR_BEFORE: 1.0}})
    earth = make_earth(faults=faults)
    run = Run(earth, make_jobs(2)).go()
    assert run.ending is not None
    assert (run.ending.unlisted != "", len(earth.service.submissions)) == (True, 0)
    told = judge(run.ending, [Record(), Record()])
    assert (told.exit, "--allow no-listing" in told.reasons[0]) == (Exit.REMAINS, True)


@pytest.mark.parametrize("sweeps", [True, False])
def test_ids_that_are_not_found_are_asked_for_less_and_less_often(sweeps: bool) -> None:
    hidden: list[str] = []

    def hide(call: Call, answer: Answer) -> Answer:
        if not call.path.startswith("/jobs/"):
            return replace(answer, body=b'{"jobs": []}') if call.path == "/jobs" else answer
        hidden.append(call.path)
        return replace(answer, status=404, body=b'{"reason": "Job not found"}')

    policy = Policy(sweeps=sweeps, timeout=1200.0, doubt=DoubtPolicy())
    run = Run(make_earth(), make_jobs(3), policy=policy, twist=hide).go()
    assert run.ending is not None
    assert len(run.ending.out_of_sight) == 3
    assert len(hidden) <= 3 * 15, "1 + 2 + 4 ... seconds, then every five minutes"


def test_a_job_that_is_found_late_is_collected_and_one_taken_up_again_is_not_asked_for_anew() -> None:
    earth = make_earth(views=Views(job_lag=700.0))
    policy = Policy(sweeps=False, timeout=300.0)
    Run(earth, make_jobs(1), policy=policy).go()
    first = earth.service.counts["job"]
    Run(earth, make_jobs(1), policy=policy).go()
    assert earth.service.counts["job"] - first <= 6, "its gaps go on from its age"
    Run(earth, make_jobs(1), policy=Policy(sweeps=False)).go()
    assert states(earth) == [State.COLLECTED]
