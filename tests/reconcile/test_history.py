"""What is recorded of a submission that the journal did not see: a history that could have happened."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.identity import derive_seed
from batchgen.lifecycle import (
    Accepted,
    Adopted,
    Event,
    Failed,
    Record,
    Refused,
    State,
    SubmitStarted,
    apply,
)
from batchgen.model import Job, JobKey, Model, ModelInput, RemoteJob, RemoteStatus, Scope
from batchgen.reconcile.history import Attempt, HistoryBuilder

NOW = 1_800_000_000.0
SCOPE = Scope(origin="https://api.example/v1", project="", batch="spring")
KEY = JobKey("v1:mill")
SEED = ModelInput(name="seed", type="number", minimum=0, maximum=2_147_483_647)
MODELS = {
    "flux": Model(id="flux", name="Flux", inputs=(SEED,)),
    "plain": Model(id="plain", name="Plain", inputs=()),
}
JOB = Job(id="mill", prompt="a mill", model="flux")
FILES = {"image": {"file": "mill.png", "sha256": "ab" * 32}, "width": 512}


class Sent:
    """Knows the asset ids of the files that were sent."""

    def __init__(self, *sha256s: str) -> None:
        self._sent = {one: f"asset_{one[:2]}" for one in sha256s}

    async def ensure(self, files: Collection[str]) -> Mapping[str, str]:
        raise AssertionError(f"nothing is sent here: {files}")

    def known(self, files: Collection[str]) -> Mapping[str, str] | None:
        return {one: self._sent[one] for one in files} if self._sent.keys() >= set(files) else None

    def forget(self, asset_ids: Collection[str]) -> None:
        raise AssertionError(f"nothing is forgotten here: {asset_ids}")


def builder(**parts: Any) -> HistoryBuilder:
    usual = {
        "scope": SCOPE,
        "models": MODELS,
        "skew": 0.0,
        "why": "the journal was lost",
        "since": NOW - 500.0,
        "at": NOW,
    }
    return HistoryBuilder(**{**usual, **parts})


def row(
    number: int = 1, *, age: float | None = 100.0, status: RemoteStatus = RemoteStatus.RUNNING, **more: Any
) -> RemoteJob:
    return RemoteJob(
        remote_id=f"job_{number}",
        status=status,
        word=status.value,
        created_at=None if age is None else NOW - age,
        **more,
    )


def first(builder: HistoryBuilder, job: Job = JOB) -> Attempt:
    return builder.attempt(KEY, job, 1, Record())


def after(events: Iterable[Event], record: Record | None = None) -> Record:
    """Return what the events lead to; an event that cannot follow raises."""
    last = Record() if record is None else record
    for event in events:
        last = apply(last, event)
    return last


def test_one_that_was_found_runs_from_when_the_service_took_it() -> None:
    build = builder()
    record = after(build.adoption(first(build), row(author="apiu_us", cost=Decimal(7)), by="seed"))
    assert record.state is State.RUNNING
    assert (record.intent_at, record.body) == (NOW - 100.0, first(build).body)
    paid = record.submission
    assert paid is not None
    assert (paid.remote_id, paid.at, paid.charged, paid.author) == (
        "job_1",
        NOW - 100.0,
        Decimal(7),
        "apiu_us",
    )
    assert paid.adopted


def test_the_evidence_says_how_it_was_found_and_by_which_clock() -> None:
    build = builder(skew=60.0)
    _, lost, adopted = build.adoption(first(build), row(owner="proj_1"), by="seed")
    assert isinstance(adopted, Adopted)
    assert adopted.owner == "proj_1"
    assert adopted.evidence == {"by": "seed", "created_at": NOW - 100.0, "skew": 60.0}
    assert "journal was lost" in after([build.started(first(build), NOW), lost]).error


@pytest.mark.parametrize(
    ("age", "skew", "ours"),
    [
        (100.0, 0.0, 100.0),
        (100.0, 60.0, 160.0),
        (100.0, -60.0, 40.0),
        (100.0, -500.0, 0.0),
        (None, 60.0, 0.0),
    ],
)
def test_dates_are_by_our_clock_and_never_later_than_now(age: float | None, skew: float, ours: float) -> None:
    assert builder(skew=skew).created(row(age=age)) == NOW - ours


def test_one_that_was_found_failed_has_failed_and_a_success_is_left_to_be_asked_for() -> None:
    build = builder()
    failed = build.adoption(first(build), row(status=RemoteStatus.FAILED, error="boom"), by="seed")
    assert (after(failed).state, after(failed).error) == (State.FAILED, "boom")
    done = build.adoption(first(build), row(status=RemoteStatus.SUCCEEDED, asset_ids=("asset_1",)), by="seed")
    assert after(done).state is State.RUNNING


@pytest.mark.parametrize(
    ("price", "shown", "held"), [(9, 7, 9), (5, 7, 7), (None, 7, 7), (9, None, 9), (None, None, None)]
)
def test_the_most_that_anything_says_it_may_have_cost_is_held(
    price: int | None, shown: int | None, held: int | None
) -> None:
    said = None if price is None else Decimal(price)
    build = builder(price=lambda _: said)
    cost = None if shown is None else Decimal(shown)
    assert build.started(first(build), NOW, [row(1), row(2, cost=cost)]).reserved == held


def test_where_nobody_knows_prices_the_rows_alone_say_what_is_held() -> None:
    build = builder()
    rows = [row(1, cost=Decimal(3)), row(2, cost=Decimal(8)), row(3, cost=Decimal(5))]
    assert build.started(first(build), NOW, rows).reserved == 8
    assert build.started(first(build), NOW).reserved is None


def test_a_job_that_some_rows_may_be_is_held_and_names_them_all() -> None:
    build = builder(skew=10.0)
    record = after(build.hold(first(build), [row(1, age=50.0), row(2, age=90.0, cost=Decimal(4))]))
    assert record.state is State.HELD
    assert record.error == "the journal was lost: job_1, job_2 may be this job or somebody else's"
    assert (record.intent_at, record.lost_at, record.reserved) == (NOW - 100.0, NOW, Decimal(4))
    assert record.submissions == ()


def test_each_attempt_has_the_seed_that_is_derived_for_it() -> None:
    build = builder()
    for number in (1, 2, 7):
        attempt = build.attempt(KEY, JOB, number, Record())
        assert attempt.seed == derive_seed(SCOPE, KEY, number, SEED) == json.loads(attempt.body)["seed"]
        assert attempt.derived
        assert attempt.sent.seed == attempt.seed
    assert build.derived_seed(KEY, JOB, 1) != build.derived_seed(KEY, JOB, 2)


@pytest.mark.parametrize(
    ("job", "body"),
    [
        (replace(JOB, params={"seed": 5}), {"prompt": "a mill", "seed": 5}),
        (replace(JOB, model="plain"), {"prompt": "a mill"}),
        (replace(JOB, model="unheard of"), {"prompt": "a mill"}),
        (replace(JOB, derive_seed=False), {"prompt": "a mill"}),
    ],
)
def test_a_body_that_somebody_else_may_send_is_told_from_one_with_a_derived_seed(
    job: Job, body: dict[str, object]
) -> None:
    build = builder()
    assert build.derived_seed(KEY, job, 1) is None
    attempt = first(build, job)
    assert (json.loads(attempt.body), attempt.seed, attempt.derived) == (body, body.get("seed"), False)
    assert attempt.sent.model == job.model


def test_the_recorded_body_is_the_one_that_was_sent_and_serves_its_own_attempt_only() -> None:
    build = builder()
    sent = SubmitStarted(at=1.0, job=JOB, attempt=1, body='{"prompt":"a mill","seed":3}', seed=3)
    record = after([sent])
    assert first(build).body != sent.body
    recorded = build.attempt(KEY, JOB, 1, record)
    assert (recorded.body, recorded.seed) == (sent.body, sent.seed)
    assert build.attempt(KEY, JOB, 2, record) == build.attempt(KEY, JOB, 2, Record())


def test_a_local_file_is_sent_as_the_asset_that_it_became() -> None:
    job = replace(JOB, params=FILES)
    build = builder(uploader=Sent("ab" * 32))
    assert build.assets_of(job) == {"ab" * 32: "asset_ab"}
    attempt = first(build, job)
    sent = SubmitStarted(at=1.0, job=job, attempt=1, body=attempt.body)
    assert json.loads(attempt.body)["image"] == "asset_ab"
    assert attempt.files == {"image"}
    assert after([sent]).body == attempt.body


def test_a_body_cannot_be_composed_as_long_as_a_file_has_no_asset() -> None:
    job = replace(JOB, params=FILES)
    assert builder().assets_of(job) is None
    assert builder(uploader=Sent()).assets_of(job) is None
    assert builder().assets_of(JOB) == {}, "without files there is nothing to wait for"


def test_an_earlier_attempt_without_a_row_cost_nothing() -> None:
    build = builder()
    events = build.earlier(KEY, JOB, Record(), {}, upto=3)
    assert [type(one).__name__ for one in events] == ["SubmitStarted", "Refused", "RetryAsked"] * 2
    assert {one.at for one in events} == {NOW - 500.0}
    assert after(events).charged is None


def test_an_earlier_attempt_that_is_listed_keeps_its_charge_and_its_own_date() -> None:
    build = builder()
    failed = row(
        status=RemoteStatus.FAILED, cost=Decimal(7), author="apiu_us", refundable=False, error="boom"
    )
    started, accepted, end, _ = build.earlier(KEY, JOB, Record(), {1: failed}, upto=2)
    assert accepted == Accepted(at=NOW - 100.0, remote_id="job_1", charged=Decimal(7), author="apiu_us")
    assert isinstance(end, Failed)
    assert (end.at, end.error) == (NOW, "boom")
    assert after([started, accepted, end]).charged == 7


def test_an_earlier_attempt_whose_row_shows_no_end_has_failed_all_the_same() -> None:
    build = builder()
    events = build.earlier(KEY, JOB, Record(), {1: row()}, upto=2)
    assert events[2] == Failed(at=NOW)
    assert after(events).state is State.PLANNED


def test_one_that_had_ended_begins_with_the_attempt_after_it() -> None:
    build = builder()
    one = after([*build.adoption(first(build), row(status=RemoteStatus.FAILED), by="seed")])
    assert [type(event).__name__ for event in build.earlier(KEY, JOB, one, {}, upto=2)] == ["RetryAsked"]


@given(
    st.sampled_from(["nothing", "failed", "refused"]),
    st.integers(0, 5),
    st.dictionaries(st.integers(1, 8), st.sampled_from([RemoteStatus.FAILED, RemoteStatus.CANCELED])),
)
def test_whatever_was_before_the_known_attempt_comes_next_and_each_row_is_one_submission(
    before: str, more: int, ends: dict[int, RemoteStatus]
) -> None:
    build = builder()
    started = build.started(first(build), NOW - 900.0)
    lives: dict[str, list[Event]] = {
        "nothing": [],
        "failed": [started, Accepted(at=NOW - 890.0, remote_id="job_0"), Failed(at=NOW - 800.0)],
        "refused": [started, Refused(at=NOW - 890.0, reason="no")],
    }
    record = after(lives[before])
    begins = record.attempt + (before != "nothing")
    upto = begins + more
    failed = {number: row(number, status=status) for number, status in ends.items()}
    events = build.earlier(KEY, JOB, record, failed, upto=upto)
    known = after(events, record)
    assert (known.state, known.attempt, known.body) == (State.PLANNED, upto, None)
    new = known.submissions[len(record.submissions) :]
    expected = [number for number in range(begins, upto) if number in failed]
    assert [(one.attempt, one.remote_id) for one in new] == [(one, f"job_{one}") for one in expected]
    assert (
        after(build.adoption(build.attempt(KEY, JOB, upto, known), row(99), by="seed"), known).attempt == upto
    )


def test_a_body_that_left_without_a_seed_is_named_by_none_though_its_model_takes_one_now() -> None:
    build = builder()
    record = Record(job=JOB, body='{"prompt":"a mill"}', attempt=1)
    attempt = build.attempt(KEY, JOB, 1, record)
    assert (attempt.seed, attempt.derived) == (None, False)
