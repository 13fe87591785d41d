"""Events and records as JSON: what is on the disk stays readable, and stays what it was."""

from decimal import Decimal

import pytest

from batchgen.journal.codec import dump, load_event, load_record
from batchgen.lifecycle import Canceled, Event, Failed, Record, SubmitStarted, Succeeded
from batchgen.model import Job, Refund


@pytest.mark.parametrize("kind", [Succeeded, Failed, Canceled])
@pytest.mark.parametrize("refund", list(Refund))
def test_what_is_known_of_a_refund_survives_the_disk(
    kind: type[Succeeded | Failed | Canceled], refund: Refund
) -> None:
    event: Event = kind(at=3.5, charged=Decimal("7.25"), refund=refund)
    assert load_event(kind.__name__, dump(event)) == event


@pytest.mark.parametrize("prompt", ["a tower", "", None])
def test_a_job_with_and_without_a_prompt_survives_the_disk(prompt: str | None) -> None:
    job = Job(id="a", prompt=prompt, model="m", params={"image": {"file": "a.png", "sha256": "ab"}})
    started: Event = SubmitStarted(at=1.0, job=job, attempt=1, body="{}")
    assert load_event("SubmitStarted", dump(started)) == started
    assert load_record(dump(Record(job=job))).job == job


def test_what_was_written_before_there_were_jobs_without_a_prompt_is_read_and_written_as_it_was() -> None:
    text = '{"at":1.0,"job":{"id":"a","prompt":"a tower","model":"m","params":{}},"attempt":1,"body":"{}"}'
    found = load_event("SubmitStarted", text)
    assert isinstance(found, SubmitStarted)
    assert found.job.prompt == "a tower"
    assert dump(found) == text
