"""Rows without a record: whose they are, what they are like, and which of them are only counted."""

import json
from decimal import Decimal

import pytest

from batchgen.account import DISOWNED, Holder, Known
from batchgen.model import JobKey, Json, RemoteJob, RemoteStatus, Scope
from batchgen.reconcile.audit import Sent
from batchgen.reconcile.candidates import Listed
from batchgen.reconcile.matching import Body, Likeness, Window, compare
from batchgen.reconcile.ownership import Owner, owner_of
from batchgen.reconcile.unowned import Like, find_doubtful, like_of, same_as
from tests.support.builders import make_job, make_remote_job

US = Known(receipts=frozenset({"apiu_us"}))


def row(remote_id: str = "job_1", author: str = "apiu_us", **more: Json) -> RemoteJob:
    inputs = {"modelId": "m", "prompt": "a tower", "seed": 7, "steps": 20}
    known = {"status": RemoteStatus.SUCCEEDED, "inputs": inputs, "cost": Decimal(5)}
    return make_remote_job(remote_id, author=author, created_at=10.0, **{**known, **more})


def sent(name: str = "tower", **inputs: Json) -> Sent:
    body = {"prompt": "a tower", "seed": 7, "steps": 20, **inputs}
    return Sent(key=JobKey(f"v1:{name}"), job=make_job(name), attempt=1, body=json.dumps(body))


def like(one: Sent, shown: RemoteJob, window: Window | None = None) -> Like | None:
    body = Body.of("m", one.body)
    return like_of(one, body, shown, compare(body, shown, {}), window)


def listed(shown: RemoteJob, holder: Holder | None = None) -> Listed:
    return Listed(row=shown, ownership=owner_of(shown, US, holder=holder))


def test_a_row_by_our_key_that_is_like_nothing_is_named_and_others_are_counted() -> None:
    rows = [
        row("ours"),
        row("unknown", author=""),
        row("a", author="apiu_them"),
        row("b", author="apiu_them"),
    ]
    doubtful, others = find_doubtful(map(listed, rows), {}, ())
    assert [(one.row.remote_id, one.owner) for one in doubtful] == [
        ("ours", Owner.OURS),
        ("unknown", Owner.MAYBE_OURS),
    ]
    assert (others.jobs, others.cost) == (2, Decimal(10))


def test_what_is_recorded_or_told_otherwise_is_not_named_and_what_a_person_disowned_is_anothers() -> None:
    recorded = Holder(scope=Scope(origin="o", project="", batch="b"), key=JobKey("v1:b"))
    rows = [listed(row("recorded"), recorded), listed(row("refused"), DISOWNED), listed(row("told"))]
    doubtful, others = find_doubtful(rows, {}, {"told"})
    assert (doubtful, others.jobs) == ([], 1)


def test_a_row_of_another_type_is_named_where_it_costs_something() -> None:
    free, paid = row("free", job_type="upload", cost=Decimal(0)), row("paid", job_type="upload")
    doubtful, others = find_doubtful(map(listed, (free, paid)), {}, ())
    assert ([one.row.remote_id for one in doubtful], others.jobs) == (["paid"], 1)


def test_a_row_by_somebody_unknown_that_is_like_a_job_in_doubt_may_be_ours() -> None:
    shown = row(author="apiu_new")
    near = like(sent(steps=30), shown, Window(0.0, 20.0))
    assert near is not None
    (one,), others = find_doubtful([listed(shown)], {"job_1": [near]}, ())
    assert (one.owner, one.like, near.differs, others.jobs) == (Owner.MAYBE_OURS, near, ("steps",), 0)


def test_the_job_that_misses_its_answer_is_named_before_the_one_that_differs_less() -> None:
    done, due = (
        like(sent("done", steps=30), row()),
        like(sent("due", seed=8, steps=30), row(), Window(0.0, 20.0)),
    )
    assert done is not None
    assert due is not None
    (one,), _ = find_doubtful([listed(row())], {"job_1": [done, due]}, ())
    assert one.like is due


def test_a_row_that_shows_nothing_is_like_jobs_of_its_time_alone() -> None:
    bare = row(inputs=None)
    assert like(sent(), bare) is None
    assert like(sent(), bare, Window(11.0, 20.0)) is None
    assert like(sent(), bare, Window(0.0, 20.0)) is not None


@pytest.mark.parametrize(
    ("body", "likeness", "same"),
    [
        ({}, Likeness.MATCH, True),
        ({"prompt": "a  tower"}, Likeness.NEAR, True),
        ({"steps": 30}, Likeness.NEAR, False),
    ],
)
def test_a_prompt_that_is_only_written_otherwise_is_the_same(
    body: dict[str, Json], likeness: Likeness, *, same: bool
) -> None:
    found = like(sent(**body), row())
    assert found is not None
    assert (found.likeness, bool(same_as([found]))) == (likeness, same)


def test_what_a_row_echoes_wholly_goes_before_what_is_only_written_otherwise() -> None:
    loose, whole = like(sent("loose", prompt="a  tower"), row()), like(sent("whole"), row())
    assert loose is not None
    assert whole is not None
    assert [one.job.id for one in same_as([loose, whole])] == ["whole"]


def test_what_is_only_written_otherwise_is_of_the_job_that_misses_its_answer() -> None:
    found = like(sent(prompt="a  tower"), row(), Window(0.0, 20.0))
    assert found is not None
    assert [one.job.id for one in same_as([found])] == ["tower"]
