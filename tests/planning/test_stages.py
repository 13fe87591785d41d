"""The one set of words for where jobs stand."""

import pytest

from batchgen.model import Job, JobKey
from batchgen.planning.plan import Entry, Standing
from batchgen.planning.stages import Stage, counted_stages, stage_of, told_stages
from batchgen.record import Record, State

JOB = Job(id="a", prompt="p", model="m")


@pytest.mark.parametrize("state", State)
def test_a_plan_and_every_count_have_one_word_for_a_state(state: State) -> None:
    record = Record(state=state, job=JOB)
    stage, standing = stage_of(record), Entry(key=JobKey("v1:a"), job=JOB, record=record).standing
    assert standing.value == stage.value or (stage, standing) == (Stage.NOT_BOUGHT, Standing.AGAIN)


def test_what_is_on_its_way_is_running_as_long_as_its_run_is_there() -> None:
    submitting = Record(state=State.SUBMITTING, job=JOB)
    assert (stage_of(submitting), stage_of(submitting, alive=True)) == (Stage.IN_DOUBT, Stage.RUNNING)


@pytest.mark.parametrize("state", [State.FAILED, State.REFUSED, State.CANCELED, State.ABANDONED])
def test_failed_is_not_done_however_it_failed(state: State) -> None:
    counts = counted_stages([Record(state=State.COLLECTED), Record(state=state), None])
    assert told_stages(counts) == "1 of 3 done, 1 failed, 1 not bought"


def test_a_success_without_its_assets_is_not_done() -> None:
    assert stage_of(Record(state=State.COLLECTED, expected=4)) is Stage.FILES_MISSING
    assert stage_of(Record(state=State.SUCCEEDED)) is Stage.FILES_MISSING
    assert stage_of(Record(state=State.COLLECTED, expected=4, asset_ids=("a",))) is Stage.DONE
