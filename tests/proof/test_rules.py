"""Rules that no accident of the proof can show broken, because another rule makes up for it."""

import json

from batchgen.engine.absence import DoubtPolicy
from batchgen.engine.policy import Policy
from batchgen.identity import content_key
from batchgen.lifecycle import Adopted, Deferred, SubmitStarted, replay
from batchgen.model import Job, JobKey
from batchgen.scenario.client import USUAL_RETRY
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Settings, Views
from tests.support.virtual import SEEDED, SEEDLESS, Earth, Run

JOB = Job(id="tower", prompt="a tower", model=SEEDED)


def test_a_resubmission_sends_the_recorded_bytes_whatever_would_be_composed_today() -> None:
    body = json.dumps({"seed": 5, "prompt": "a tower"}, indent=1)
    key = JobKey(content_key(JOB))
    earth = Earth(service=Service(Settings()))
    earth.disk.events += [
        (key, SubmitStarted(at=1.0, job=JOB, attempt=1, body=body, seed=5)),
        (key, Deferred(at=2.0, reason="no room")),
    ]
    Run(earth, [JOB]).go()
    assert [one.body for one in earth.service.submissions] == [body]


def test_a_listing_that_breaks_off_before_the_missing_row_shows_nobody_absent() -> None:
    broken = (None, *[Fault.ERROR_BEFORE] * USUAL_RETRY.attempts)  # the first page, and then no second one
    faults = FaultPlan(script={Call.SUBMIT: [Fault.CUT_AFTER], Call.JOBS: broken * 3})
    earth = Earth(service=Service(Settings(faults=faults, seed=3, views=Views(short_pages=1.0))))
    wanted = [Job(id=f"job-{n}", prompt=f"tower {n}", model=SEEDED) for n in range(40)]
    run = Run(earth, wanted, policy=Policy(doubt=DoubtPolicy(settle=3, settle_max=9))).go()
    assert sum(text.startswith("looking for jobs in doubt") for text in run.watching.troubles) == 3
    assert len(earth.service.submissions) == 40
    assert sum(isinstance(event, Adopted) for _, event in run.watching.events) == 1


def test_a_row_that_may_be_an_equal_jobs_is_not_adopted_while_that_one_waits_for_its_answer() -> None:
    faults = FaultPlan(script={Call.SUBMIT: [None, Fault.SLOW, Fault.CUT_AFTER]})
    earth = Earth(service=Service(Settings(faults=faults)))
    wanted = [Job(id=name, prompt=name[:5], model=SEEDLESS) for name in ("other", "equal-1", "equal-2")]
    Run(earth, wanted).go()
    owned = [record.remote_id for record in replay(earth.disk.events).values()]
    assert owned == [one.remote_id for one in earth.service.submissions], "in the order in which they left"
