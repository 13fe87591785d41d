import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.lifecycle import (
    Accepted,
    AnswerLost,
    Canceled,
    Collected,
    Event,
    Failed,
    Record,
    RefundShown,
    RetryAsked,
    State,
    Succeeded,
    replay,
)
from batchgen.model import JobKey, Json, Refund, RemoteJob, RemoteStatus, Submission
from batchgen.reconcile.audit import (
    Sent,
    Situation,
    Surplus,
    beginning,
    dearer,
    ended_otherwise,
    find_surplus,
    read_history,
    sum_up,
    untrue_records,
)
from tests.support.builders import make_intent, make_job, make_remote_job

A, B = JobKey("v1:a"), JobKey("v1:b")
JOB = make_job()
Lived = list[tuple[JobKey, Event]]


def accepted(remote_id: str = "job_1", cost: str = "5") -> Accepted:
    return Accepted(at=2.0, remote_id=remote_id, charged=Decimal(cost), author="apiu_us")


def row(remote_id: str = "job_1", at: float = 10.0, **more: Json) -> RemoteJob:
    return make_remote_job(remote_id, created_at=at, **{"status": RemoteStatus.SUCCEEDED, **more})


def sent(key: JobKey = A, attempt: int = 1, **inputs: Json) -> Sent:
    return Sent(key=key, job=JOB, attempt=attempt, body=json.dumps({"prompt": "a tower", **inputs}))


ENDED: Lived = [(A, make_intent()), (A, accepted()), (A, Succeeded(at=3.0)), (A, Collected(at=4.0))]
TWICE: Lived = [
    *((A, one) for one in (make_intent(), accepted(), Failed(at=3.0), RetryAsked(at=4.0))),
    *((A, one) for one in (make_intent(at=5.0, attempt=2, body="{}"), accepted("job_2"), Canceled(at=6.0))),
]


def test_a_batch_began_with_its_first_intent() -> None:
    first, second = make_intent(at=3.0), make_intent(at=7.0)
    assert beginning([(A, second), (A, AnswerLost(at=8.0, reason="?")), (B, first)]) == 3.0


def test_a_batch_of_which_nothing_left_never_began() -> None:
    assert beginning([]) is None


def test_every_attempt_has_its_body_and_its_end() -> None:
    history = read_history(TWICE)
    assert [(one.attempt, one.body) for one in history.sent] == [(1, '{"prompt":"a tower"}'), (2, "{}")]
    assert history.ends == {"job_1": RemoteStatus.FAILED, "job_2": RemoteStatus.CANCELED}


def test_a_submission_that_runs_has_no_end() -> None:
    assert read_history(ENDED[:2]).ends == {}


@pytest.mark.parametrize("lived", [[], ENDED, TWICE, ENDED[:1]])
def test_a_journal_that_is_its_history_is_true(lived: Lived) -> None:
    records = replay(lived)
    assert untrue_records(read_history(lived), records, records) == {}


def test_a_record_in_another_state_than_its_history_is_told() -> None:
    said = {A: Record(state=State.FAILED)}
    assert untrue_records(read_history(ENDED), said, said) == {
        A: "the record says failed, the history collected"
    }


def test_a_record_with_another_field_than_its_history_is_told() -> None:
    said = {A: replace(replay(ENDED)[A], seed=4.0)}
    assert untrue_records(read_history(ENDED), said, said) == {A: "record and history differ in seed"}


def test_a_record_without_a_history_and_a_history_without_a_record_are_told() -> None:
    told = untrue_records(read_history(ENDED), {B: Record()}, {B: Record()})
    assert told == {B: "it has a record and no history", A: "it has a history and no record"}


def test_a_history_that_cannot_have_been_is_told() -> None:
    lived = [*ENDED, (A, make_intent())]
    told = untrue_records(read_history(lived), replay(ENDED), replay(ENDED))
    assert told[A].startswith("the history breaks off: SubmitStarted cannot happen")


@given(st.integers(0, len(TWICE)), st.integers(0, len(TWICE)), st.integers(0, len(TWICE)))
def test_what_a_run_writes_meanwhile_is_never_told_as_untrue(one: int, two: int, three: int) -> None:
    first, second, third = sorted((one, two, three))
    read = replay(TWICE[:first]), read_history(TWICE[:second]), replay(TWICE[:third])
    assert untrue_records(read[1], read[0], read[2]) == {}


@given(st.lists(st.sampled_from(["state", "error", "files", "submissions"]), max_size=1), st.integers(1, 7))
def test_a_standing_record_is_untrue_exactly_where_it_was_touched(touched: list[str], length: int) -> None:
    records = replay(TWICE[:length])
    other = {"state": State.ABANDONED, "error": "?!", "files": ("x",), "submissions": ("y",)}
    said = {A: replace(records[A], **{name: other[name] for name in touched})}  # type: ignore[arg-type]  # by name
    assert bool(untrue_records(read_history(TWICE[:length]), said, said)) is bool(touched)


def surplus_of(
    rows: Sequence[RemoteJob], equal: Sequence[Sent], records: dict[JobKey, Record]
) -> list[Surplus]:
    return find_surplus(rows, lambda _: equal, records)


PAID = Submission(remote_id="job_old", attempt=1, at=2.0, charged=None)


@pytest.mark.parametrize(
    ("record", "situation", "holder"),
    [
        (Record(state=State.IN_DOUBT), Situation.OPEN, ""),
        (Record(state=State.HELD), Situation.OPEN, ""),
        (Record(state=State.SUBMITTING), Situation.DUE, ""),
        (Record(state=State.PLANNED), Situation.UNPAID, ""),
        (Record(state=State.REFUSED), Situation.UNPAID, ""),
        (Record(state=State.COLLECTED, submissions=(PAID,)), Situation.PAID, "job_old"),
        (Record(state=State.IN_DOUBT, attempt=2, submissions=(PAID,)), Situation.PAID, "job_old"),
        (Record(state=State.IN_DOUBT, attempt=2), Situation.UNPAID, ""),
    ],
)
def test_an_equal_row_is_told_with_how_its_job_stands(
    record: Record, situation: Situation, holder: str
) -> None:
    (found,) = surplus_of([row()], [sent()], {A: record})
    assert (found.situation, found.holder) == (situation, holder)


def test_a_row_that_equals_nothing_is_no_surplus() -> None:
    assert surplus_of([row()], [], {}) == []


def test_an_equal_row_is_of_the_job_in_doubt_before_the_one_that_is_paid() -> None:
    records = {A: Record(state=State.COLLECTED, submissions=(PAID,)), B: Record(state=State.HELD)}
    (found,) = surplus_of([row()], [sent(A), sent(B)], records)
    assert (found.sent.key, found.situation) == (B, Situation.OPEN)


def test_of_two_rows_the_older_is_offered_to_the_one_job_in_doubt() -> None:
    found = surplus_of([row("new", 20.0), row("old", 10.0)], [sent()], {A: Record(state=State.IN_DOUBT)})
    assert [(one.row.remote_id, one.situation, one.holder) for one in found] == [
        ("old", Situation.OPEN, ""),
        ("new", Situation.PAID, "old"),
    ]


@given(st.integers(0, 6), st.integers(1, 4))
def test_of_m_rows_and_k_jobs_in_doubt_the_smaller_number_is_offered(rows: int, jobs: int) -> None:
    keys = [JobKey("v1:a", ordinal) for ordinal in range(jobs)]
    records = {key: Record(state=State.IN_DOUBT) for key in keys}
    listed = [row(str(number), number) for number in range(rows)]
    found = surplus_of(listed, [sent(key) for key in keys], records)
    offered = [one.sent.key for one in found if one.situation is Situation.OPEN]
    assert len(found) == rows
    assert len(offered) == len(set(offered)) == min(rows, jobs)


def test_an_end_that_the_service_shows_alike_is_not_told() -> None:
    assert ended_otherwise(read_history(ENDED), [row()]) == []


@pytest.mark.parametrize("status", sorted(set(RemoteStatus) - {RemoteStatus.SUCCEEDED}))
def test_another_end_than_the_recorded_one_is_told(status: RemoteStatus) -> None:
    shown = row(status=status)
    assert ended_otherwise(read_history(ENDED), [shown]) == [shown]


def test_a_submission_without_a_recorded_end_may_end_as_it_likes() -> None:
    assert ended_otherwise(read_history(ENDED[:2]), [row(), row("job_of_nobody")]) == []


def test_sums_hold_every_attempt_against_its_row() -> None:
    records = replay(TWICE).values()
    rows = {one.remote_id: one for one in (row("job_1", cost=Decimal(5)), row("job_2", cost=Decimal(7)))}
    sums = sum_up(records, rows, [])
    assert (sums.recorded, sums.shown, sums.surplus, sums.difference) == tuple(map(Decimal, (10, 12, 0, 2)))


@pytest.mark.parametrize("later", [(), (RefundShown(at=4.0, remote_id="job_1", refunded=Decimal("7.25")),)])
def test_addons_that_came_back_are_no_difference_however_the_refund_is_known(
    later: tuple[Event, ...],
) -> None:
    lived: Lived = [
        (A, make_intent()),
        (A, accepted(cost="7.25")),
        (A, Failed(at=3.0, charged=Decimal(6), refund=Refund.ASSUMED)),
        *((A, one) for one in later),
    ]
    sums = sum_up(replay(lived).values(), {"job_1": row(cost=Decimal(6))}, [])
    assert (sums.recorded, sums.refunded, sums.difference) == (Decimal("7.25"), Decimal("7.25"), Decimal(0))


def test_what_no_record_and_no_row_tells_is_counted_and_not_called_nought() -> None:
    untold: Lived = [(A, make_intent()), (A, Accepted(at=2.0, remote_id="job_1"))]
    sums = sum_up(replay(untold).values(), {"job_1": row(cost=None)}, [])
    assert (sums.recorded, sums.untold, sums.shown, sums.unseen) == (Decimal(0), 1, Decimal(0), 1)


def test_what_is_surplus_is_part_of_the_difference() -> None:
    sums = sum_up(replay(ENDED).values(), {"job_1": row(cost=Decimal(5))}, [row("job_x", cost=Decimal(3))])
    assert (sums.surplus, sums.difference, sums.not_listed) == (Decimal(3), Decimal(3), 0)


def test_a_submission_that_is_not_listed_is_counted() -> None:
    sums = sum_up(replay(ENDED).values(), {}, [])
    assert (sums.not_listed, sums.difference) == (1, Decimal(-5))


@pytest.mark.parametrize(
    ("shown", "difference"),
    [
        ({"cost": Decimal(8), "discount": Decimal(3)}, 0),
        ({"cost": Decimal(8), "discount": Decimal(2)}, 3),
        ({"cost": Decimal(4), "itemized": False}, 0),
        ({"cost": Decimal(4), "itemized": True}, -1),
        ({"cost": Decimal(6), "itemized": False}, 1),
    ],
)
def test_a_cost_before_its_discount_or_without_its_addons_is_no_other_word(
    shown: dict[str, Json], difference: int
) -> None:
    records, rows = replay(ENDED).values(), {"job_1": row(**shown)}
    assert sum_up(records, rows, []).difference == difference
    assert bool(dearer(records, rows)) is (difference > 0)


def test_a_job_that_runs_may_be_shown_dearer_until_its_end_is_recorded() -> None:
    assert dearer(replay(ENDED[:2]).values(), {"job_1": row(cost=Decimal(9))}) == []


def test_what_may_be_ours_and_what_questions_bought_is_part_of_the_difference() -> None:
    rows = {"job_1": row(cost=Decimal(5))}
    near = [row("job_x", cost=Decimal(3)), row("job_y")]
    sums = sum_up(replay(ENDED).values(), rows, [], possible=near, asked=[Decimal(2), None])
    assert (sums.possible, sums.asked, sums.beside, sums.difference) == tuple(map(Decimal, (3, 2, 5, 5)))


def test_a_row_that_a_job_only_asks_for_is_never_offered_to_it() -> None:
    asked = replace(sent(), asked=True)
    found = surplus_of([row("a"), row("b")], [asked], {A: Record(state=State.HELD)})
    assert [one.situation for one in found] == [Situation.ASKED] * 2
    (found_sent,) = surplus_of(
        [row()], [asked, sent()], {A: Record(state=State.COLLECTED, submissions=(PAID,))}
    )
    assert found_sent.situation is Situation.PAID, "what was sent goes before what was asked for"
