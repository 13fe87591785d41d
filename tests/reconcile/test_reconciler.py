"""Jobs whose answer was lost are found again, bought again only when shown absent, or left to a person."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from batchgen.engine.policy import Policy
from batchgen.lifecycle import Adopted, Held, ShownAbsent, State
from batchgen.model import Job
from batchgen.reconcile.absence import DoubtPolicy, OnAbsent
from batchgen.scenario.transport import Answer
from batchgen.scenario.transport import Call as RemoteCall
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import Limits, Outcomes, Views
from tests.support.builders import (
    events_of,
    listed_as,
    make_earth,
    make_jobs,
    records_of,
    service_of_another,
    states_of,
)
from tests.support.virtual import SEEDED, SEEDLESS, Earth, Run

QUICK = DoubtPolicy(settle=3, settle_max=9)


def lose(**shares: float) -> FaultPlan:
    faults = {
        "cut": Fault.CUT_AFTER,
        "error": Fault.ERROR_AFTER,
        "gateway": Fault.BAD_GATEWAY,
        "hang": Fault.HANG_AFTER,
        "before": Fault.CUT_BEFORE,
    }
    return FaultPlan(chances={Call.SUBMIT: {faults[name]: share for name, share in shares.items()}})


@pytest.mark.parametrize("model", [SEEDED, SEEDLESS])
def test_a_tenth_of_the_answers_lost_after_acceptance_costs_nothing(model: str) -> None:
    over = make_earth(faults=lose(cut=0.05, error=0.025, gateway=0.025))
    run = Run(over, make_jobs(500, model=model), policy=Policy(doubt=QUICK)).go()
    assert len(over.service.submissions) == 500
    assert states_of(over) == {State.COLLECTED: 500}
    assert 30 <= len(events_of(run, Adopted)) <= 75


def test_answers_that_hang_for_ever_cost_time_and_nothing_else() -> None:
    calm, hanging = make_earth(), make_earth(faults=lose(hang=0.02))
    usual = Run(calm, make_jobs(500), policy=Policy(doubt=QUICK)).go().took
    took = Run(hanging, make_jobs(500), policy=Policy(doubt=QUICK)).go().took
    assert len(hanging.service.submissions) == 500
    assert states_of(hanging) == {State.COLLECTED: 500}
    assert took <= usual + 120 + QUICK.settle + 10


def test_what_was_lost_before_acceptance_is_shown_absent_and_sent_again() -> None:
    over = make_earth(faults=lose(before=0.05), seed=1)
    run = Run(over, make_jobs(500), policy=Policy(doubt=QUICK)).go()
    assert len(over.service.submissions) == 500
    assert states_of(over) == {State.COLLECTED: 500}
    assert 10 <= len(events_of(run, ShownAbsent)) <= 45
    assert {record.attempt for record in records_of(over).values()} == {1}, "the same attempt, the same bytes"


def test_a_listing_that_lags_delays_the_finding_and_shows_nobody_absent() -> None:
    over = make_earth(faults=lose(cut=0.1), views=Views(listing_lag=(0.0, 15.0)), duration=(20.0, 40.0))
    run = Run(over, make_jobs(100), policy=Policy(doubt=DoubtPolicy(settle=60, settle_max=600))).go()
    assert len(over.service.submissions) == 100
    assert states_of(over) == {State.COLLECTED: 100}
    assert not events_of(run, ShownAbsent)


def test_short_and_empty_pages_hide_nobody() -> None:
    over = make_earth(faults=lose(cut=0.1), views=Views(short_pages=0.7))
    Run(over, make_jobs(150), policy=Policy(doubt=QUICK)).go()
    assert len(over.service.submissions) == 150
    assert states_of(over) == {State.COLLECTED: 150}


@pytest.mark.parametrize("model", [SEEDED, SEEDLESS])
def test_echoes_with_added_keys_other_numbers_and_prompts_turned_into_assets_are_recognised(
    model: str,
) -> None:
    views = Views(echo_defaults=True, echo_floats=True, archived_after=0.0)
    over = make_earth(faults=lose(cut=0.2), views=views, duration=(0.5, 1.0))
    Run(over, make_jobs(40, model=model), policy=Policy(doubt=QUICK)).go()
    assert len(over.service.submissions) == 40
    assert states_of(over) == {State.COLLECTED: 40}


def test_a_row_without_inputs_proves_nothing_and_the_job_waits_for_a_person() -> None:
    over = make_earth(
        faults=FaultPlan(script={Call.SUBMIT: [None, Fault.CUT_AFTER]}), views=Views(echo_missing=1.0)
    )
    run = Run(over, make_jobs(3), policy=Policy(doubt=QUICK)).go()
    assert len(over.service.submissions) == 3
    assert states_of(over) == {State.COLLECTED: 2, State.HELD: 1}
    (held,) = events_of(run, Held)
    assert isinstance(held, Held)
    assert over.service.submissions[1].remote_id in held.reason


def test_without_a_control_nothing_is_called_absent() -> None:
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: [Fault.CUT_BEFORE]}))
    Run(over, make_jobs(1), policy=Policy(doubt=QUICK)).go()
    assert states_of(over) == {State.HELD: 1}
    assert not over.service.submissions


def test_a_control_accepted_before_the_loss_will_do_after_a_long_wait() -> None:
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: [None, Fault.CUT_BEFORE]}))
    run = Run(over, make_jobs(2), policy=Policy(doubt=QUICK)).go()
    assert states_of(over) == {State.COLLECTED: 2}
    (absent,) = events_of(run, ShownAbsent)
    assert isinstance(absent, ShownAbsent)
    assert absent.evidence["control"] == over.service.submissions[0].remote_id
    assert run.took >= QUICK.settle_max


def test_hold_is_obeyed() -> None:
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: [None, Fault.CUT_BEFORE]}))
    policy = Policy(doubt=DoubtPolicy(then=OnAbsent.HOLD, settle=3, settle_max=9))
    Run(over, make_jobs(3), policy=policy).go()
    assert states_of(over) == {State.COLLECTED: 2, State.HELD: 1}


def test_what_is_shown_absent_for_the_third_time_is_held() -> None:
    script = [None, Fault.CUT_BEFORE, None, None, Fault.CUT_BEFORE, Fault.CUT_BEFORE]
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: script}))
    run = Run(over, make_jobs(4), policy=Policy(doubt=QUICK)).go()
    assert states_of(over) == {State.COLLECTED: 3, State.HELD: 1}
    assert len(events_of(run, ShownAbsent)) == 2


def test_equal_jobs_in_doubt_are_adopted_one_row_each() -> None:
    wanted = make_jobs(6, name="same", prompt="the same", model=SEEDLESS)
    script = [None, Fault.CUT_AFTER, Fault.CUT_AFTER, None, Fault.CUT_AFTER]
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: script}))
    Run(over, wanted, policy=Policy(doubt=QUICK)).go()
    assert len(over.service.submissions) == 6
    assert states_of(over) == {State.COLLECTED: 6}
    ids = [record.remote_id for record in records_of(over).values()]
    assert sorted(map(str, ids)) == sorted(one.remote_id for one in over.service.submissions)


def test_nothing_equal_to_a_job_in_doubt_is_submitted() -> None:
    wanted = make_jobs(3, name="same", prompt="the same", model=SEEDLESS)
    over = make_earth(
        faults=FaultPlan(script={Call.SUBMIT: [Fault.CUT_AFTER]}), views=Views(listing_lag=(30.0, 30.0))
    )
    Run(over, wanted, cut_at=10.0).go()
    assert over.service.counts["submit"] == 1
    Run(over, wanted, policy=Policy(doubt=QUICK)).go()
    assert len(over.service.submissions) == 3


def test_a_job_cut_off_in_the_middle_of_its_submit_is_found_at_the_next_start() -> None:
    over = make_earth(limits=Limits(ceiling=2))
    Run(over, make_jobs(4), cut_at_append=3).go()
    submitting = [record for record in records_of(over).values() if record.state is State.SUBMITTING]
    assert len(submitting) == 1
    Run(over, make_jobs(4), policy=Policy(doubt=QUICK)).go()
    assert states_of(over) == {State.COLLECTED: 4}
    assert len(over.service.submissions) == 4


def test_a_service_that_answers_nothing_but_errors_puts_few_jobs_in_doubt() -> None:
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: [Fault.UNAVAILABLE] * 5}))
    run = Run(over, make_jobs(60), policy=Policy(doubt=QUICK)).go()
    assert states_of(over) == {State.COLLECTED: 60}
    assert len(over.service.submissions) == 60
    times = [event.at for _, event in run.watching.events if type(event).__name__ == "SubmitStarted"]
    assert times[3] - times[2] > 0.2, "the breaker waits before the fourth"


def test_a_gateway_that_is_down_for_good_ends_the_run_in_order() -> None:
    over = make_earth(faults=FaultPlan(chances={Call.SUBMIT: {Fault.BAD_GATEWAY: 1.0}}), duration=(1.0, 2.0))
    run = Run(over, make_jobs(500), policy=Policy(doubt=QUICK)).go()
    assert run.ending is not None
    assert run.ending.unreachable
    assert over.service.counts["submit"] < 60
    # no answer to a submit ever said who we are: an upload did
    assert len(over.service.submissions) == over.service.counts["submit"]
    assert states_of(over)[State.HELD] == 0


def test_a_doubt_that_is_taken_up_a_month_later_is_settled_as_at_once() -> None:
    faults = FaultPlan(script={Call.SUBMIT: [None, Fault.CUT_BEFORE]})
    over = make_earth(faults=faults, duration=(1.0, 2.0))
    Run(over, make_jobs(3, model=SEEDLESS), policy=Policy(doubt=DoubtPolicy()), cut_at=4.0).go()
    assert State.IN_DOUBT in states_of(over)
    over.clock_offset += 30 * 86_400
    later = Run(over, make_jobs(4, model=SEEDLESS), policy=Policy(doubt=DoubtPolicy())).go()
    assert states_of(over) == {State.COLLECTED: 4}
    assert len(over.service.submissions) == 4
    assert later.took < 600, "time in which nobody looked counts for settling"


def test_a_job_that_nothing_settles_after_a_month_is_looked_at_as_patiently_as_today() -> None:
    faults = FaultPlan(script={Call.SUBMIT: [None, Fault.CUT_BEFORE]})
    over = make_earth(faults=faults, views=Views(echo_missing=1.0))
    Run(over, make_jobs(2), policy=Policy(doubt=QUICK), cut_at=2.0).go()
    over.clock_offset += 30 * 86_400
    later = Run(over, make_jobs(2), policy=Policy(doubt=QUICK)).go()
    assert states_of(over)[State.HELD] == 1
    assert later.took >= QUICK.settle_max, "nobody looked for a month: only looking counts for giving up"


def test_once_it_is_known_who_we_are_a_gateway_that_is_down_loses_nothing() -> None:
    faults = FaultPlan(script={Call.SUBMIT: [None, *[Fault.BAD_GATEWAY] * 40]})
    over = make_earth(faults=faults, duration=(1.0, 2.0))
    Run(over, make_jobs(60), policy=Policy(doubt=QUICK)).go()
    assert len(over.service.submissions) == 60
    assert states_of(over) == {State.COLLECTED: 60}


def test_other_peoples_equal_jobs_are_not_adopted() -> None:
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: [None, Fault.CUT_BEFORE]}))
    mine = make_jobs(4, model=SEEDLESS)
    other = service_of_another(mine[1:])
    over.service.restore(other.submissions)
    Run(over, mine, policy=Policy(doubt=QUICK)).go()
    ours = [one for one in over.service.submissions if one.author != other.submissions[0].author]
    assert len(ours) == 4
    assert {record.remote_id for record in records_of(over).values()} == {one.remote_id for one in ours}


def test_what_one_key_lost_is_not_found_among_the_jobs_of_another_key_of_ours() -> None:
    """Both keys are ours and known by receipts; the colleague's run at the same hour sent the same body."""
    faults = FaultPlan(script={Call.SUBMIT: [None, None, Fault.CUT_BEFORE]})
    over = make_earth(faults=faults, more_keys=("second",))
    plain = make_jobs(1, model=SEEDLESS, prompt="first")
    Run(over, plain, policy=Policy(doubt=QUICK), key="second").go()
    known = over.service.submissions[0].author
    Run(over, [*plain, *make_jobs(2, model=SEEDLESS)], policy=Policy(doubt=QUICK), cut_at=1.5).go()
    assert State.IN_DOUBT in states_of(over)
    lost = over.service.submissions[-1]
    over.service.restore(
        [
            replace(
                lost,
                remote_id="job_colleague",
                ordinal=len(over.service.submissions),
                author=known,
                body='{"prompt":"a house, number 1"}',
                inputs={"prompt": "a house, number 1"},
            )
        ]
    )
    Run(over, [*plain, *make_jobs(2, model=SEEDLESS)], policy=Policy(doubt=QUICK)).go()
    assert "job_colleague" not in {
        one.remote_id for record in records_of(over).values() for one in record.submissions
    }
    assert states_of(over) == {State.COLLECTED: 2, State.HELD: 1}, (
        "bought by a key of ours, of no record: who knows"
    )


def test_failed_generations_are_tried_as_often_as_asked_and_with_other_seeds() -> None:
    over = make_earth(outcomes=Outcomes(failures=0.5), seed=3)
    Run(over, make_jobs(30), policy=Policy(attempts=3)).go()
    for record in records_of(over).values():
        assert record.state is State.COLLECTED or record.attempt == 3
        assert len(record.submissions) == record.attempt
    bodies = Counter(one.body for one in over.service.submissions)
    assert set(bodies.values()) == {1}


def test_what_moderation_stopped_is_not_tried_again() -> None:
    over = make_earth(outcomes=Outcomes(failures=1.0, moderated=1.0))
    Run(over, make_jobs(5), policy=Policy(attempts=3)).go()
    assert len(over.service.submissions) == 5


@pytest.mark.parametrize("model", [SEEDED, SEEDLESS])
def test_a_control_whose_prompt_became_an_asset_is_read_and_will_do(model: str) -> None:
    views = Views(archived_after=0.0)
    over = make_earth(
        faults=FaultPlan(script={Call.SUBMIT: [None, Fault.CUT_BEFORE]}), views=views, duration=(0.5, 1.0)
    )
    Run(over, make_jobs(2, model=model), policy=Policy(doubt=QUICK)).go()
    assert states_of(over) == {State.COLLECTED: 2}


def test_an_old_control_that_was_found_late_is_looked_for_where_its_body_left() -> None:
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: [Fault.HANG_AFTER, Fault.CUT_BEFORE]}))
    Run(over, make_jobs(1), policy=Policy(doubt=QUICK)).go()
    run = Run(over, make_jobs(2), policy=Policy(doubt=QUICK)).go()
    assert states_of(over) == {State.COLLECTED: 2}
    assert len(events_of(run, ShownAbsent)) == 1


def test_a_row_with_the_seed_of_another_job_holds_nobody() -> None:
    """Keys that were not sent may be the service's additions, but not the seed of a job without an answer."""
    plain = Job(id="plain", prompt="a house", model=SEEDED, derive_seed=False)
    seeded = Job(id="seeded", prompt="a house", model=SEEDED)
    other = Job(id="other", prompt="a barn", model=SEEDED)
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: [Fault.CUT_BEFORE, Fault.HANG_AFTER]}))
    run = Run(over, [plain, seeded, other], policy=Policy(doubt=QUICK)).go()
    assert states_of(over) == {State.COLLECTED: 3}
    assert not events_of(run, Held)


def test_listings_that_fail_slowly_use_up_no_patience() -> None:
    """A listing that fails after two minutes proves no more than one that fails at once."""
    slow = [None, None, None, Fault.HANG_AFTER, None, Fault.HANG_AFTER]
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: [None, Fault.CUT_BEFORE], Call.JOBS: slow}))
    run = Run(over, make_jobs(2), policy=Policy(doubt=QUICK)).go()
    assert states_of(over) == {State.COLLECTED: 2}
    assert not events_of(run, Held)
    assert run.took > 3 * 60


def test_listings_that_never_come_leave_the_job_to_a_person() -> None:
    broken = [None, *[Fault.ERROR_AFTER] * 400]
    faults = FaultPlan(script={Call.SUBMIT: [None, Fault.CUT_BEFORE], Call.JOBS: broken})
    over = make_earth(faults=faults)
    Run(over, make_jobs(2), policy=Policy(doubt=QUICK)).go()
    assert states_of(over) == {State.COLLECTED: 1, State.HELD: 1}


def test_what_a_listing_was_not_asked_for_is_no_sign_of_a_lag() -> None:
    """Jobs take a minute here, so that the first lies before all that a later doubt looks for."""
    script = [None, *[None] * 3, Fault.CUT_BEFORE]
    over = make_earth(
        faults=FaultPlan(script={Call.SUBMIT: script}), limits=Limits(ceiling=1), duration=(40.0, 41.0)
    )
    run = Run(over, make_jobs(5), policy=Policy(doubt=QUICK)).go()
    assert states_of(over) == {State.COLLECTED: 5}
    (absent,) = events_of(run, ShownAbsent)
    assert isinstance(absent, ShownAbsent)
    assert absent.evidence["lag"] == 0.0


def test_nothing_is_called_absent_beside_a_row_that_nobody_can_read() -> None:
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: [None, Fault.CUT_AFTER]}))

    def hide_the_second(row: dict[str, Any]) -> dict[str, Any]:
        is_lost = row["jobId"] == over.service.submissions[1].remote_id
        return {"createdAt": row["createdAt"], "jobType": "custom"} if is_lost else row

    run = Run(over, make_jobs(3), policy=Policy(doubt=QUICK), twist=listed_as(hide_the_second)).go()
    assert len(over.service.submissions) == 3
    assert states_of(over) == {State.COLLECTED: 2, State.HELD: 1}
    (held,) = events_of(run, Held)
    assert isinstance(held, Held)
    assert "cannot be read" in held.reason


@pytest.mark.parametrize(
    "echo",
    ["a <house>, number 1", "a  &lt;house&gt;, number 1", "a <house>,\nnumber 1", " a  <house>, number 1 "],
)
def test_a_prompt_that_is_echoed_otherwise_holds_its_job_and_buys_nothing(echo: str) -> None:
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: [None, Fault.CUT_AFTER]}))

    def alter(row: dict[str, Any]) -> dict[str, Any]:
        shown = row["metadata"]["input"]
        is_lost = row["jobId"] == over.service.submissions[1].remote_id
        inputs = {**shown, "prompt": echo} if is_lost else shown
        return {**row, "metadata": {**row["metadata"], "input": inputs}}

    wanted = make_jobs(3, model=SEEDLESS, prompt="a  <house>, number {n}")
    Run(over, wanted, policy=Policy(doubt=QUICK), twist=listed_as(alter)).go()
    assert len(over.service.submissions) == 3
    assert states_of(over) == {State.COLLECTED: 2, State.HELD: 1}


class OtherUploader:
    """Names another author for uploads than for jobs, and lists them as the service is thought to do."""

    def __init__(self, over: Earth) -> None:
        self._over = over
        self._rows: list[dict[str, object]] = []

    def __call__(self, call: RemoteCall, answer: Answer) -> Answer:
        if call.path not in {"/assets", "/jobs"} or answer.status != 200:
            return answer
        told = json.loads(answer.body)
        if call.path == "/assets":
            told["asset"]["authorId"] = "apiu_other"
            at = datetime.fromtimestamp(self._over.now(), UTC).isoformat()
            row = {"jobId": f"job_up{len(self._rows)}", "jobType": "upload", "status": "success"}
            self._rows.append({**row, "createdAt": at, "authorId": "apiu_other", "metadata": {}})
        else:
            told["jobs"] = [*self._rows, *told["jobs"]]
        return replace(answer, body=json.dumps(told).encode())


@pytest.mark.parametrize("model", [SEEDED, SEEDLESS])
def test_an_upload_by_another_name_than_our_jobs_makes_none_of_them_a_strangers(model: str) -> None:
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: (Fault.CUT_AFTER,)}))
    Run(over, make_jobs(1, model=model), policy=Policy(doubt=QUICK), twist=OtherUploader(over)).go()
    assert len(over.service.submissions) == 1, "it is there, by whatever name, and not bought again"


def test_an_equal_row_by_nobody_is_not_taken_beside_one_that_shows_less() -> None:
    """No author and no seed: the row that shows its input is a stranger's, and ours beside it shows none."""
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: [None, Fault.CUT_AFTER]}))

    def alter(row: dict[str, Any]) -> dict[str, Any]:
        is_lost = row["jobId"] == over.service.submissions[1].remote_id
        row = {name: one for name, one in row.items() if name != "authorId"}
        return {**row, "metadata": {}} if is_lost else row

    watched, beside = Run(over, make_jobs(2, model=SEEDLESS), policy=Policy(doubt=QUICK)), listed_as(alter)
    stranger = {"jobId": "job_stranger", "jobType": "custom", "status": "success", "billing": {"cuCost": 5}}

    def twist(call: RemoteCall, answer: Answer) -> Answer:
        if (call.method, call.path) == ("GET", "/jobs") and len(over.service.submissions) > 1:
            data = json.loads(answer.body)
            lost = next(one for one in data["jobs"] if one["jobId"] == over.service.submissions[1].remote_id)
            copy = {**stranger, "createdAt": lost["createdAt"], "metadata": lost["metadata"]}
            answer = replace(answer, body=json.dumps({**data, "jobs": [copy, *data["jobs"]]}).encode())
        return beside(call, answer)

    replace(watched, twist=twist).go()
    assert len(over.service.submissions) == 2
    owned = {one.remote_id for record in records_of(over).values() for one in record.submissions}
    assert "job_stranger" not in owned
    assert states_of(over) == {State.COLLECTED: 1, State.HELD: 1}


def test_a_strangers_row_by_nobody_that_is_listed_first_is_not_taken_for_ours() -> None:
    """No author, no seed, and ours is listed seconds later: then nobody can tell them apart."""
    over, seen = make_earth(faults=FaultPlan(script={Call.SUBMIT: [None, Fault.CUT_AFTER]})), list[float]()
    stranger = {"jobId": "job_stranger", "jobType": "custom", "status": "success", "billing": {"cuCost": 5}}

    def twist(call: RemoteCall, answer: Answer) -> Answer:
        if (call.method, call.path) != ("GET", "/jobs"):
            return answer
        data, charged = json.loads(answer.body), over.service.submissions
        rows = [{name: one for name, one in row.items() if name != "authorId"} for row in data["jobs"]]
        lost = [row for row in rows if len(charged) > 1 and row["jobId"] == charged[1].remote_id]
        if lost:
            seen.append(over.now())
            shown = {**stranger, "createdAt": lost[0]["createdAt"], "metadata": lost[0]["metadata"]}
            late = over.now() - seen[0] < 6.0  # ours is listed six seconds later
            rows = [shown, *(row for row in rows if row not in lost or not late)]
        return replace(answer, body=json.dumps({**data, "jobs": rows}).encode())

    policy = Policy(doubt=DoubtPolicy(settle=10, settle_max=30))
    Run(over, make_jobs(2, model=SEEDLESS), policy=policy, twist=twist).go()
    assert len(over.service.submissions) == 2
    owned = {one.remote_id for record in records_of(over).values() for one in record.submissions}
    assert "job_stranger" not in owned
    assert states_of(over) == {State.COLLECTED: 1, State.HELD: 1}


def test_a_row_with_the_seed_that_a_person_gave_another_job_may_be_the_services_own() -> None:
    """A default that the service adds: both jobs were accepted, and both rows show it."""
    plain = Job(id="plain", prompt="a house", model=SEEDED, derive_seed=False)
    given = Job(id="given", prompt="a house", model=SEEDED, params={"seed": 7}, derive_seed=False)
    other = Job(id="other", prompt="a barn", model=SEEDED)
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: [Fault.CUT_AFTER, Fault.HANG_AFTER]}))

    def alter(row: dict[str, Any]) -> dict[str, Any]:
        shown = {"seed": 7, **row["metadata"]["input"]}
        return {**row, "metadata": {**row["metadata"], "input": shown}}

    Run(over, [plain, given, other], policy=Policy(doubt=QUICK), twist=listed_as(alter)).go()
    assert len(over.service.submissions) == 3, "nothing is called absent that may be there"
