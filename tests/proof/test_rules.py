"""Rules that no accident of the proof can show broken, because another rule makes up for it."""

import json
import random
from dataclasses import replace
from pathlib import Path

from batchgen.engine.limits.ceiling import Ceiling
from batchgen.engine.limits.flow import Flow
from batchgen.engine.limits.gate import RateGate
from batchgen.engine.limits.pools import Pools
from batchgen.engine.policy import Policy
from batchgen.errors import AmbiguousError
from batchgen.identity import content_key
from batchgen.journal.file import JournalFile
from batchgen.lifecycle import (
    Accepted,
    Adopted,
    Collected,
    Deferred,
    Held,
    ShownAbsent,
    State,
    SubmitStarted,
    Succeeded,
)
from batchgen.model import Job, JobKey
from batchgen.reconcile.absence import DoubtPolicy
from batchgen.scenario.calls import USUAL_RETRY
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import Views
from tests.proof.power_loss import Mains
from tests.support.builders import make_earth, make_job, make_jobs, records_of, states_of
from tests.support.memory_journal import SCOPE
from tests.support.virtual import SEEDED, SEEDLESS, Run

JOB = make_job(model=SEEDED)


def test_a_resubmission_sends_the_recorded_bytes_whatever_would_be_composed_today() -> None:
    body = json.dumps({"seed": 5, "prompt": "a tower"}, indent=1)
    key = JobKey(content_key(JOB))
    earth = make_earth()
    earth.disk.events += [
        (key, SubmitStarted(at=1.0, job=JOB, attempt=1, body=body, seed=5)),
        (key, Deferred(at=2.0, reason="no room")),
    ]
    Run(earth, [JOB]).go()
    assert [one.body for one in earth.service.submissions] == [body]


def test_a_listing_that_breaks_off_before_the_missing_row_shows_nobody_absent() -> None:
    broken = (None, *[Fault.ERROR_BEFORE] * USUAL_RETRY.attempts)  # the first page, and then no second one
    faults = FaultPlan(script={Call.SUBMIT: [Fault.CUT_AFTER], Call.JOBS: broken * 3})
    earth = make_earth(faults=faults, seed=3, views=Views(short_pages=1.0))
    wanted = make_jobs(40, prompt="tower {n}")
    run = Run(earth, wanted, policy=Policy(sweeps=False, doubt=DoubtPolicy(settle=3, settle_max=9))).go()
    assert sum(text.startswith("looking for jobs in doubt") for text in run.watching.troubles) == 3
    assert len(earth.service.submissions) == 40
    assert sum(isinstance(event, Adopted) for _, event in run.watching.events) == 1


def test_a_row_that_may_be_an_equal_jobs_is_not_adopted_while_that_one_waits_for_its_answer() -> None:
    faults = FaultPlan(script={Call.SUBMIT: [None, Fault.SLOW, Fault.CUT_AFTER]})
    earth = make_earth(faults=faults)
    wanted = [Job(id=name, prompt=name[:5], model=SEEDLESS) for name in ("other", "equal-1", "equal-2")]
    Run(earth, wanted).go()
    owned = [record.remote_id for record in records_of(earth).values()]
    assert owned == [one.remote_id for one in earth.service.submissions], "in the order in which they left"


def test_a_submit_that_arrives_long_after_its_answer_was_lost_is_found_and_adopted() -> None:
    faults = FaultPlan(script={Call.SUBMIT: [None, Fault.GATEWAY_LATE]})
    earth = make_earth(faults=faults, late=(40.0, 40.0))
    Run(earth, [JOB, make_job("mill", prompt="a mill", model=SEEDED)]).go()
    assert len(earth.service.submissions) == 2
    assert set(states_of(earth)) == {State.COLLECTED}


def test_one_that_arrives_after_it_was_sent_again_is_named_and_no_absence_is_believed_any_more() -> None:
    faults = FaultPlan(script={Call.SUBMIT: [Fault.CUT_LATE, None, None, None, Fault.CUT_BEFORE]})
    earth = make_earth(faults=faults, late=(100.0, 100.0), duration=(30, 40))
    wanted = make_jobs(8, prompt="tower {n}")
    run = Run(earth, wanted, in_flight=2).go()
    surplus = earth.service.submissions[4]
    named = [
        text for text in run.watching.troubles if "turned up after the service had shown it absent" in text
    ]
    assert [surplus.remote_id in text and "its cost: 4 CU" in text for text in named] == [True]
    assert not earth.disk.trusts_absence
    kinds = [type(event) for _, event in run.watching.events]
    assert kinds.count(ShownAbsent) == 1
    assert kinds.count(Held) == 1, "the second one that no listing shows, after such a showing was wrong"


def test_a_power_cut_leaves_of_the_file_what_was_synced_and_a_part_of_the_rest(tmp_path: Path) -> None:
    path, left = tmp_path / "journal.db", set()
    key, job = JobKey(content_key(JOB)), JOB
    synced = [
        SubmitStarted(at=1.0, job=job, attempt=1, body="{}"),
        Accepted(at=2.0, remote_id="a", charged=None),
    ]
    later = [Succeeded(at=3.0), Collected(at=4.0)]
    for seed in range(40):
        path.unlink(missing_ok=True)
        mains = Mains(path)
        with JournalFile.open(path) as file:
            journal = file.batch(SCOPE)
            for event in synced:
                journal.append(key, event)
            mains.sync()
            for event in later:
                journal.append(key, event)
            rest = mains.fail(random.Random(seed))
        mains.come_back(rest)
        with JournalFile.open(path) as file:
            events = [event for _, event in file.batch(SCOPE).history()]
            assert events == [*synced, *later][: len(events)]
            left.add(len(events))
    assert left == {2, 3, 4}, "all that was synced, and of the rest whatever is whole"


async def test_after_three_lost_answers_one_at_a_time_until_one_is_accepted() -> None:
    flow = Flow(pools=Pools(Ceiling(proven=10)), gate=RateGate(None))
    *lost, first, second = (JobKey(f"v1:{n}") for n in range(5))
    for key in lost:
        flow.began(key, "model")
        flow.answered(key, AmbiguousError("the reply was lost"))
    room = [flow.has_room("model")]
    flow.service_answered()
    room.append(flow.has_room("model"))
    flow.began(first, "model")
    room.append(flow.has_room("model"))
    flow.answered(first, None)
    flow.began(second, "model")
    room.append(flow.has_room("model"))
    assert room == [False, True, False, True], "none before a question, one beside none, then as before"


def test_the_records_of_another_project_are_not_this_runs(tmp_path: Path) -> None:
    key, sent = JobKey(content_key(JOB)), SubmitStarted(at=1.0, job=JOB, attempt=1, body="{}")
    with JournalFile.open(tmp_path / "journal.db") as file:
        file.batch(replace(SCOPE, project="proj_one")).append(key, sent)
        assert not file.batch(replace(SCOPE, project="proj_two")).records()
        assert file.batch(replace(SCOPE, project="proj_one")).records()
