"""What a changed job may keep, and what its record serves for then."""

from dataclasses import replace

import pytest

from batchgen.identity import content_key
from batchgen.model import Acceptance, Job, JobKey
from batchgen.planning.acceptance import Offer, offer, taken_back
from batchgen.planning.make_plan import make_plan
from batchgen.planning.plan import Plan, Standing
from batchgen.record import Record, State
from tests.support.builders import make_job

OLD = make_job(prompt="a watch tower")
NEW = replace(OLD, prompt="a watchtower")
OTHER = make_job("mill", prompt="a mill")
KEY = JobKey(content_key(OLD), 0)


def records(state: State = State.COLLECTED, **more: object) -> dict[JobKey, Record]:
    return {KEY: Record(state=state, job=OLD, body="{}", **more)}  # type: ignore[arg-type]  # of a record


def accepted(job: Job = NEW, key: JobKey = KEY) -> dict[Acceptance, JobKey]:
    return {Acceptance(job.id, content_key(job)): key}


def offered(plan: Plan, name: str = "tower") -> Offer:
    found = offer(plan, name)
    assert isinstance(found, Offer)
    return found


@pytest.mark.parametrize(
    "state", [State.COLLECTED, State.SUCCEEDED, State.RUNNING, State.IN_DOUBT, State.SUBMITTING]
)
def test_a_changed_job_keeps_what_was_bought_and_is_not_bought(state: State) -> None:
    before = make_plan([NEW, OTHER], records(state))
    one = offered(before)
    assert (one.bought, one.acceptance) == (KEY, *accepted())
    after = make_plan([NEW, OTHER], records(state), accepted={one.acceptance: one.bought})
    entry = after.entries[0]
    assert (entry.key, entry.job, entry.record.state) == (KEY, NEW, state)
    assert (entry.accepted, entry.wanted) == (True, False)
    assert [one.job.id for one in after.to_submit] == ["mill"]
    assert after.removed == ()


@pytest.mark.parametrize("state", [State.FAILED, State.REFUSED, State.CANCELED, State.HELD, State.PLANNED])
def test_what_failed_or_is_held_is_nothing_to_keep(state: State) -> None:
    told = offer(make_plan([NEW], records(state)), "tower")
    assert isinstance(told, str)
    assert "nothing to keep" in told
    plan = make_plan([NEW], records(state), accepted=accepted())
    assert [one.job for one in plan.to_submit] == [NEW], "and an older word is void"


def test_a_word_holds_for_one_form_of_a_job() -> None:
    newest = replace(NEW, prompt="a very tall watchtower")
    plan = make_plan([newest], records(), accepted=accepted())
    assert [one.standing for one in plan.entries] == [Standing.CHANGED]
    back = make_plan([OLD], records(), accepted=accepted())
    assert [(one.key, one.accepted) for one in back.entries] == [(KEY, False)]


def test_a_job_that_was_bought_in_its_own_form_keeps_that_one() -> None:
    own = JobKey(content_key(NEW), 0)
    known = {**records(), own: Record(state=State.COLLECTED, job=NEW, body="{}")}
    plan = make_plan([NEW], known, accepted=accepted())
    assert [(one.key, one.accepted) for one in plan.entries] == [(own, False)]


def test_no_record_serves_two_jobs() -> None:
    twin = replace(NEW, id="twin")
    plan = make_plan([NEW, twin], records(), accepted={**accepted(), **accepted(twin)})
    assert [one.accepted for one in plan.entries] == [True, False]
    taken = make_plan([NEW, replace(OLD, id="other")], records(), accepted=accepted())
    assert [(one.standing, one.accepted) for one in taken.entries] == [
        (Standing.NEW, False),
        (Standing.DONE, False),
    ]


def test_what_has_not_changed_is_said_so() -> None:
    plan = make_plan([OLD, OTHER], records())
    assert "asks for what was bought (done)" in str(offer(plan, "tower"))
    assert "was not bought before" in str(offer(plan, "mill"))


def test_a_word_is_taken_back_by_the_job_s_id() -> None:
    plan = make_plan([NEW, OTHER], records(), accepted=accepted())
    assert offer(plan, "tower") is None
    assert taken_back(plan, "tower") in accepted()
    assert "nothing was accepted for 'mill'" in str(taken_back(plan, "mill"))
