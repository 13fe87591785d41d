"""Events and records as JSON: what is on the disk stays readable, and stays what it was."""

from decimal import Decimal
from typing import Any

import pytest

from batchgen.journal.codec import dump, load_event, load_record
from batchgen.lifecycle import Canceled, Collected, Event, Failed, Record, SubmitStarted, Succeeded
from batchgen.model import File, Job, Refund


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


BARE = '{"asset_id":"asset_a","path":"assets/a_0.png","bytes":9,"sha256":"ab","mime":"image/png"}'


def test_files_written_before_anything_was_known_of_their_size_are_read_and_written_as_they_were() -> None:
    text = f'{{"at":1.0,"files":[{BARE}]}}'
    found = load_event("Collected", text)
    assert isinstance(found, Collected)
    [file] = found.files
    assert (file.width, file.height, file.duration, file.kind, file.type) == (None, None, None, "", "")
    assert dump(found) == text
    assert dump(load_record(f'{{"files":[{BARE}]}}')) == f'{{"files":[{BARE}]}}'


@pytest.mark.parametrize(
    "more",
    [
        {"width": 1024, "height": 768, "kind": "image", "type": "texture-normal"},
        {"width": 1920, "height": 1080, "duration": 5.04, "kind": "video"},
        {"duration": 3.0, "kind": "audio", "type": "txt2audio"},
        {"kind": "3d"},
    ],
)
def test_what_is_known_of_a_file_survives_the_disk(more: dict[str, Any]) -> None:
    file = File(asset_id="asset_a", path="assets/a_0.png", bytes=9, sha256="ab", mime="image/png", **more)
    event: Event = Collected(at=1.0, files=(file,))
    assert load_event("Collected", dump(event)) == event
    assert load_record(dump(Record(files=(file,)))).files == (file,)


def test_sizes_and_types_that_many_files_have_are_kept_once() -> None:
    texts = [dump(Record(files=(File(asset_id=one, path=one, bytes=9, sha256="ab", mime="image/png",
             width=1024, kind="image", type="texture-normal"),))) for one in "ab"]  # fmt: skip
    (first,), (second,) = (load_record(text).files for text in texts)
    for name in ("mime", "width", "kind", "type"):
        assert getattr(first, name) is getattr(second, name)
