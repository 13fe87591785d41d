"""What rows of ours teach about how the service shows things."""

import json
from dataclasses import replace
from typing import Any

import pytest

from batchgen.account import Holder, Known
from batchgen.lifecycle import Accepted, Adopted, AnswerLost, Failed, RetryAsked
from batchgen.model import JobKey, RemoteJob
from batchgen.reconcile.lessons import Lessons
from batchgen.reconcile.matching import Body, Likeness, compare
from tests.support.builders import make_intent, make_remote_job
from tests.support.memory_journal import SCOPE, MemoryJournal

SENT: dict[str, Any] = {"prompt": "a tower", "width": 512, "seed": 7, "image": "asset_in"}


def row(number: int, **inputs: Any) -> RemoteJob:
    shown = {"modelId": "m", **SENT, **inputs}
    return make_remote_job(f"job_{number}", job_type="custom-generation", author="user_us", inputs=shown)


def learnt(*rows: RemoteJob, adopted: bool = False, keeps: bool = True) -> tuple[Lessons, MemoryJournal]:
    """Let rows teach that are of submissions with receipts, or that were adopted."""
    journal, lessons = MemoryJournal(), Lessons(keeps=keeps)
    for number, one in enumerate(rows):
        key = JobKey("v1:a", number)
        sent = make_intent(body=json.dumps(SENT), sender="k1")
        took = Accepted(at=2.0, remote_id=one.remote_id, author="apiu_us")
        found = Adopted(at=2.0, remote_id=one.remote_id, author="user_us", evidence={})
        life = (sent, AnswerLost(at=2.0, reason="cut"), found) if adopted else (sent, took)
        journal.append(key, *life)
    holders = {one.remote_id: Holder(SCOPE, JobKey("v1:a", n)) for n, one in enumerate(rows)}
    lessons.learn({one.remote_id: one for one in rows}, holders, journal)
    return lessons, journal


def test_rows_of_receipts_say_how_listings_name_us_and_of_what_type_our_rows_are() -> None:
    lessons, journal = learnt(row(1))
    assert journal.known("k1") == Known(frozenset({"apiu_us"}), frozenset({"user_us"}))
    assert "custom-generation" in lessons.types


def test_a_reader_keeps_nothing_in_the_journal() -> None:
    lessons, journal = learnt(row(1), keeps=False)
    assert journal.known("k1").rows == frozenset()
    assert set(lessons.authors) == {"user_us"}


def test_what_was_adopted_teaches_nothing() -> None:
    lessons, journal = learnt(row(1, width=528), row(2, width=528), adopted=True)
    assert journal.known("k1") == Known()
    assert not lessons.changes
    assert "custom-generation" not in lessons.types


@pytest.mark.parametrize(
    ("rows", "likeness"),
    [
        ((row(1, width=528), row(2, width=528)), Likeness.MATCH),
        ((row(1, width=528),), Likeness.NEAR),
        ((row(1, width=528), row(2, width=544)), Likeness.NEAR),
        ((), Likeness.NEAR),
    ],
)
def test_a_change_is_no_difference_once_two_rows_show_it(
    rows: tuple[RemoteJob, ...], likeness: Likeness
) -> None:
    lessons, _ = learnt(*rows)
    sent = Body.of("m", json.dumps(SENT))
    assert compare(sent, row(9, width=528), {}, lessons.changes) is likeness


@pytest.mark.parametrize("change", [{"seed": 8}, {"prompt": "a mill"}, {"image": "asset_other"}])
def test_what_a_job_is_known_by_is_always_a_difference(change: dict[str, Any]) -> None:
    lessons, _ = learnt(row(1, **change), row(2, **change))
    assert not lessons.changes


def test_a_row_that_cannot_be_read_was_there_before_what_came_later_in_this_run() -> None:
    lessons = Lessons()
    lessons.note_unreadable("mark", at=5.0)
    lessons.note_unreadable("mark", at=50.0)
    assert lessons.was_listed_before("mark", 6.0)
    assert not lessons.was_listed_before("mark", 5.0)
    assert not lessons.was_listed_before("mark", None), "an earlier run's intent came before every listing"
    assert not lessons.was_listed_before("other", 6.0)


def test_the_row_of_an_earlier_attempt_says_of_what_type_ours_are_and_nothing_of_the_record() -> None:
    """A retry may be the work of another key, and it was sent another body."""
    journal, lessons = MemoryJournal(), Lessons(keeps=True)
    key = JobKey("v1:a")
    first = make_intent(body=json.dumps(SENT), sender="k1")
    second = make_intent(at=5.0, attempt=2, body=json.dumps({**SENT, "seed": 8}), sender="k2")
    took, ended = Accepted(at=2.0, remote_id="job_1", author="apiu_us"), Failed(at=3.0)
    journal.append(key, first, took, ended, RetryAsked(at=4.0), second)
    lessons.learn({"job_1": row(1, width=528)}, {"job_1": Holder(SCOPE, key)}, journal)
    assert "custom-generation" in lessons.types
    assert set(lessons.authors) == {"user_us"}
    assert journal.known("k2").rows == frozenset()


@pytest.mark.parametrize(
    ("job_type", "inputs", "taught"),
    [
        ("custom", SENT, {"apiu_us"}),
        ("", SENT, {"apiu_us"}),
        ("upload", SENT, set()),
        ("", None, set()),  # a service that shows no types lists the upload so
    ],
)
def test_a_job_by_whom_our_upload_was_says_how_rows_name_us(
    job_type: str, inputs: dict[str, Any] | None, taught: set[str]
) -> None:
    """The row of the upload itself does not: jobs may show another name."""
    journal, lessons = MemoryJournal(), Lessons(keeps=True)
    journal.learn("k1", Known(uploads=frozenset({"apiu_us"})))
    lessons.learn_name([replace(row(1), author="apiu_us", job_type=job_type, inputs=inputs)], "k1", journal)
    assert journal.known("k1").rows == taught
    assert set(lessons.authors) == taught
