"""Who may prove that a listing would have shown the row that is missing."""

from typing import Any, cast

import pytest

from batchgen.account import Known
from batchgen.lifecycle import Accepted, replay
from batchgen.model import JobKey, RemoteJob
from batchgen.ports import Generator
from batchgen.reconcile.candidates import Candidates
from batchgen.reconcile.matching import Body, Doubt
from batchgen.reconcile.prompts import Prompts
from batchgen.reconcile.witness import Court, shown_of
from tests.support.builders import make_intent, make_job, make_remote_job
from tests.support.memory_journal import MemoryJournal

US = Known(receipts=frozenset({"apiu_us"}))
DOUBT = Doubt(
    key=JobKey("v1:lost"), body=Body.of("m", '{"prompt":"a mill"}'), intent_at=100.0, lost_at=110.0, skew=0.0
)


def row(remote_id: str, at: float = 120.0, **more: Any) -> RemoteJob:
    shown = {"inputs": {"modelId": "m", "prompt": "a tower"}, **more}
    return make_remote_job(remote_id, created_at=at, **shown)


def court(*rows: RemoteJob, model: str = "m", known: Known = US, after: bool = True, **more: Any) -> Court:
    """Let one submission of ours, ``job_1``, be on record beside the doubt."""
    journal = MemoryJournal()
    sent = make_intent(at=115.0, job=make_job(model=model))
    journal.append(JobKey("v1:a"), sent, Accepted(at=116.0, remote_id="job_1", author="apiu_us"))
    candidates = Candidates(rows, journal, Prompts(cast("Generator", None)))
    return Court(
        doubt=DOUBT,
        known=known,
        shown=shown_of(replay(journal.history()).values(), candidates),
        candidates=candidates,
        window=DOUBT.window(0.0),
        is_after=lambda _: after,
        **more,
    )


OTHER_MODEL: dict[str, Any] = {"inputs": {"modelId": "n", "prompt": "a tower"}}


def test_a_submission_of_its_model_accepted_after_the_loss_is_a_witness() -> None:
    assert court(row("job_1")).witness() == "job_1"


def test_one_accepted_before_is_an_older_witness_only() -> None:
    asked = court(row("job_1"), after=False)
    assert (asked.witness(), asked.older_witness()) == (None, "job_1")


@pytest.mark.parametrize(
    "shown",
    [
        {"author": "apiu_other"},
        {"inputs": None},
        {"inputs": {"modelId": "m", "prompt": "a tow"}},
    ],
)
def test_a_row_that_would_not_be_found_itself_proves_nothing(shown: dict[str, Any]) -> None:
    asked = court(row("job_1", **shown))
    assert (asked.witness(), asked.older_witness()) == (None, None)


def test_a_row_by_another_key_proves_nothing_for_a_key_of_which_nothing_is_known() -> None:
    assert court(row("job_1"), known=Known()).witness() is None


def test_one_of_another_model_proves_it_where_nothing_in_the_window_could_be_it() -> None:
    assert court(row("job_1", **OTHER_MODEL), model="n").witness() == "job_1"


@pytest.mark.parametrize(
    "beside",
    [
        row("job_9"),
        row("job_9", inputs=None),
        row("job_9", inputs={"prompt": "no model"}),
        row("job_9", inputs={"modelId": "renamed", "prompt": "a mill"}),
    ],
)
def test_one_of_another_model_proves_nothing_beside_a_row_that_could_be_it(beside: RemoteJob) -> None:
    assert court(row("job_1", **OTHER_MODEL), beside, model="n").witness() is None


@pytest.mark.parametrize(
    "beside",
    [
        row("job_9", author="apiu_other"),
        row("job_9", at=50.0),
        row("job_9", inputs=None, job_type="upload"),
    ],
)
def test_rows_that_cannot_be_it_stand_in_no_witness_way(beside: RemoteJob) -> None:
    assert court(row("job_1", **OTHER_MODEL), beside, model="n").witness() == "job_1"


def test_an_upload_of_ours_since_the_loss_proves_it_where_there_is_no_other() -> None:
    upload = row("job_8", inputs=None, job_type="upload")
    assert court(upload, probe=119.0).witness() == "job_8"
    assert court(upload, probe=126.0).witness() is None
    assert court(upload).witness() is None
    assert court(row("job_8", inputs=None, job_type="upload", author="user_x"), probe=119.0).witness() is None


def test_dates_say_what_came_after_the_loss_of_an_earlier_run() -> None:
    assert court(row("job_1", at=300.0), after=False, lost_before=220.0).witness() == "job_1"
    assert court(row("job_1", at=222.0), after=False, lost_before=220.0).witness() is None
