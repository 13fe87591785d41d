from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import TransitionError
from batchgen.lifecycle import (
    EVENTS,
    IN_FLIGHT,
    NOTES,
    TERMINAL,
    TRANSITIONS,
    Accepted,
    AnswerLost,
    AssetsGone,
    Canceled,
    Collected,
    Event,
    Failed,
    FilesMoved,
    OutputsGrew,
    Record,
    RefundShown,
    RetryAsked,
    State,
    SubmitStarted,
    Succeeded,
    apply,
    replay,
)
from batchgen.model import Refund, Submission
from tests.support.builders import record_of
from tests.support.lives import FILE, JOB, cost_of, event_of, lives

# Written a second time, from the protocol's own table, so that a slip in one of the two shows.
TABLE = {
    "planned": {"SubmitStarted": "submitting", "Abandoned": "abandoned"},
    "submitting": {
        "Accepted": "running",
        "NotSent": "planned",
        "Deferred": "planned",
        "Stopped": "planned",
        "Refused": "refused",
        "AnswerLost": "in_doubt",
    },
    "in_doubt": {"Adopted": "running", "ShownAbsent": "planned", "Held": "held"},
    "held": {"Adopted": "running", "ShownAbsent": "planned", "Abandoned": "abandoned"},
    "running": {
        "Succeeded": "succeeded",
        "Failed": "failed",
        "Canceled": "canceled",
        "WrittenOff": "canceled",  # by a person, of what is out of sight
    },
    "succeeded": {"Collected": "collected"},
    "failed": {"RetryAsked": "planned"},
    "refused": {"RetryAsked": "planned"},
    "canceled": {"RetryAsked": "planned"},
    "collected": {"Collected": "collected"},  # with what the service showed later
    "abandoned": {},
}


def started(attempt: int = 1, body: str = "{}") -> SubmitStarted:
    return SubmitStarted(at=1.0, job=JOB, attempt=attempt, body=body)


def test_the_table_is_the_protocol() -> None:
    built = {
        str(state): {event.__name__: str(then) for event, then in exits.items()}
        for state, exits in TRANSITIONS.items()
    }
    assert built == TABLE


def test_terminal_is_derived_from_the_table() -> None:
    assert frozenset({State.COLLECTED, State.ABANDONED}) == TERMINAL


def test_every_state_can_be_reached() -> None:
    reached = {State.PLANNED}
    for _ in State:
        reached |= {then for state in reached for then in TRANSITIONS[state].values()}
    assert reached == set(State)


def test_a_paid_job_ends_only_by_the_services_word_or_a_persons() -> None:
    assert {event.__name__ for event in TRANSITIONS[State.RUNNING]} == {
        "Succeeded",
        "Failed",
        "Canceled",
        "WrittenOff",
    }


def test_only_planned_jobs_are_submitted() -> None:
    assert [state for state, exits in TRANSITIONS.items() if SubmitStarted in exits] == [State.PLANNED]


@given(st.data())
def test_an_illegal_event_raises_and_changes_nothing(data: st.DataObject) -> None:
    record = Record()
    for event in data.draw(lives()):
        record = apply(record, event)
    legal = {event.__name__ for event in (*TRANSITIONS[record.state], *NOTES)}
    illegal = sorted(set(EVENTS) - legal)
    before = record
    event = event_of(EVENTS[data.draw(st.sampled_from(illegal))], data.draw, record, 99)
    with pytest.raises(TransitionError):
        apply(record, event)
    assert record == before


@given(lives(), st.integers(0, 12))
def test_replay_can_stop_anywhere_and_go_on(events: list[Event], cut: int) -> None:
    whole = replay([("a", event) for event in events])
    part = replay([("a", event) for event in events[:cut]]).get("a", Record())
    for event in events[cut:]:
        part = apply(part, event)
    assert part == whole.get("a", Record())


@given(lives(longest=25))
def test_no_paid_submission_is_forgotten_and_its_charge_counts_once(events: list[Event]) -> None:
    record = replay([("a", event) for event in events]).get("a", Record())
    paid = [event.remote_id for event in events if isinstance(event, Accepted)]
    assert [one.remote_id for one in record.submissions] == paid
    assert (record.charged or 0) == cost_of(events)


@given(lives(longest=25))
def test_whatever_is_in_flight_may_have_been_paid_for(events: list[Event]) -> None:
    record = replay([("a", event) for event in events]).get("a", Record())
    if record.state in IN_FLIGHT:
        assert record.body is not None


def test_an_attempt_sends_the_same_bytes_or_nothing() -> None:
    record = apply(Record(), started(body='{"seed":1}'))
    record = apply(record, EVENTS["Deferred"](at=2.0, reason="ceiling"))  # type: ignore[call-arg]  # has a reason
    with pytest.raises(TransitionError, match="another body"):
        apply(record, started(body='{"seed":2}'))
    assert apply(record, started(body='{"seed":1}')).state is State.SUBMITTING


def test_another_attempt_begins_with_no_body_and_keeps_what_was_paid() -> None:
    record = Record()
    for event in (started(), Accepted(at=2.0, remote_id="job_1"), Failed(at=3.0, error="boom")):
        record = apply(record, event)
    assert record.remote_id == "job_1"
    record = apply(record, RetryAsked(at=4.0))
    assert (record.attempt, record.body, record.error, record.remote_id) == (2, None, "", None)
    assert [one.remote_id for one in record.submissions] == ["job_1"]
    with pytest.raises(TransitionError, match="attempt 1"):
        apply(record, started(attempt=1))
    assert apply(record, started(attempt=2, body='{"seed":2}')).state is State.SUBMITTING


def test_a_lost_answer_keeps_when_and_why() -> None:
    record = apply(apply(Record(), started()), AnswerLost(at=7.0, reason="cut"))
    assert (record.state, record.lost_at, record.error) == (State.IN_DOUBT, 7.0, "cut")


def test_an_answer_that_is_already_terminal_is_two_events() -> None:
    record = Record()
    for event in (started(), Accepted(at=2.0, remote_id="job_1"), Succeeded(at=2.0, asset_ids=("asset_1",))):
        record = apply(record, event)
    assert record.state is State.SUCCEEDED
    assert apply(record, Collected(at=3.0)).state is State.COLLECTED


def test_intent_receipt_and_what_opens_a_purchase_are_durable() -> None:
    durable = {name for name, event in EVENTS.items() if event.DURABLE}
    chosen = {"RedoAsked", "Restored"}
    paid = {"SubmitStarted", "Accepted", "Adopted", "ShownAbsent", "RetryAsked", "WrittenOff"}
    assert durable == paid | chosen


def ended(charged: str, end: Event) -> Submission:
    accepted = Accepted(at=2.0, remote_id="job_1", charged=Decimal(charged))
    return record_of(started(), accepted, end).submissions[-1]


def test_a_success_costs_what_it_shows_in_the_end_and_nothing_comes_back() -> None:
    paid = ended("6", Succeeded(at=3.0, charged=Decimal("7.25"), refund=Refund.NONE))
    assert (paid.charged, paid.refund, paid.refunded) == (Decimal("7.25"), Refund.NONE, Decimal(0))


def test_a_refunded_failure_keeps_its_charge_beside_what_came_back() -> None:
    paid = ended("7.25", Failed(at=3.0, charged=Decimal(6), refund=Refund.ASSUMED))
    assert (paid.charged, paid.refund, paid.refunded) == (Decimal("7.25"), Refund.ASSUMED, Decimal("7.25"))


@pytest.mark.parametrize("end", [Failed, Canceled])
def test_add_ons_that_read_nothing_after_a_failure_came_back(end: type[Failed | Canceled]) -> None:
    paid = ended("7.25", end(at=3.0, charged=Decimal(6), refund=Refund.NONE))
    assert (paid.charged, paid.refund, paid.refunded) == (Decimal("7.25"), Refund.CONFIRMED, Decimal("1.25"))


def test_a_failure_that_shows_no_amount_brings_nothing_back() -> None:
    paid = ended("7.25", Failed(at=3.0, refund=Refund.NONE))
    assert (paid.charged, paid.refund, paid.refunded) == (Decimal("7.25"), Refund.NONE, Decimal(0))


def test_every_submission_keeps_its_own_quote_and_a_refusal_was_to_cost_nothing() -> None:
    def asked(attempt: int, quoted: str) -> SubmitStarted:
        return SubmitStarted(at=1.0, job=JOB, attempt=attempt, body="{}", quoted=Decimal(quoted))

    record, seen = Record(), []
    for event in (
        asked(1, "7"),
        Accepted(at=2.0, remote_id="job_1", quoted=Decimal(7)),
        Failed(at=3.0),
        RetryAsked(at=4.0),
        asked(2, "7.25"),
        AnswerLost(at=5.0, reason="cut"),
    ):
        record = apply(record, event)
        seen.append(record.quoted_in_all)
    assert [str(one) for one in seen] == ["7", "7", "7", "7", "14.25", "14.25"]
    refused = apply(apply(Record(), asked(1, "7")), EVENTS["Refused"](at=2.0, reason="no"))  # type: ignore[call-arg]  # has a reason
    assert refused.quoted_in_all is None


def test_a_receipt_of_a_time_that_kept_no_quotes_folds_as_then_and_the_last_quote_still_counts() -> None:
    intent = SubmitStarted(at=1.0, job=JOB, attempt=1, body="{}", quoted=Decimal(7))
    record = apply(apply(Record(), intent), Accepted(at=2.0, remote_id="job_1"))
    assert record.submissions == (Submission(remote_id="job_1", attempt=1, at=2.0, charged=None),)
    assert record.quoted_in_all == 7


def shown(back: str, remote_id: str = "job_1") -> RefundShown:
    return RefundShown(at=9.0, remote_id=remote_id, refunded=Decimal(back))


FAILED = (
    started(),
    Accepted(at=2.0, remote_id="job_1", charged=Decimal("7.25")),
    Failed(at=3.0, charged=Decimal("7.25"), refund=Refund.ASSUMED),
)


@pytest.mark.parametrize(("back", "counted"), [("7.25", "7.25"), ("6", "6"), ("9", "7.25")])
def test_a_refund_that_is_shown_is_confirmed_at_what_is_shown_and_never_above_the_charge(
    back: str, counted: str
) -> None:
    record = record_of(*FAILED, shown(back))
    assert record.state is State.FAILED
    [paid] = record.submissions
    assert (paid.refund, paid.refunded, paid.charged) == (
        Refund.CONFIRMED,
        Decimal(counted),
        Decimal("7.25"),
    )
    assert apply(record, shown(back)) == record


def test_addons_that_came_back_are_not_forgotten_for_a_smaller_refund_that_is_shown() -> None:
    kept = Failed(at=3.0, charged=Decimal(6), refund=Refund.NONE)
    record = record_of(*FAILED[:2], kept, shown("1"))
    assert record.refunded == Decimal("1.25")


def test_a_refund_reaches_an_earlier_attempt_and_leaves_the_one_under_way() -> None:
    second = Accepted(at=6.0, remote_id="job_2", charged=Decimal(7))
    record = record_of(*FAILED, RetryAsked(at=4.0), started(2), second, shown("7.25"))
    assert [one.refund for one in record.submissions] == [Refund.CONFIRMED, Refund.NONE]
    assert record.state is State.RUNNING


@pytest.mark.parametrize("of", ["job_1", "job_9"])
def test_a_refund_of_what_has_not_ended_or_is_none_of_the_job_is_refused(of: str) -> None:
    with pytest.raises(TransitionError, match="no submission that has ended"):
        record_of(*FAILED[:2], shown("1", of))


def collected(*asset_ids: str, expected: int = 4) -> Record:
    return record_of(
        started(),
        Accepted(at=2.0, remote_id="job_1"),
        Succeeded(at=3.0, asset_ids=asset_ids, expected=expected),
        Collected(at=4.0, files=tuple(replace(FILE, asset_id=one) for one in asset_ids)),
    )


def test_what_is_shown_later_is_on_record_behind_what_was_there_and_waits_for_its_files() -> None:
    record = collected("c")
    assert record.is_short
    record = apply(record, OutputsGrew(at=5.0, remote_id="job_1", asset_ids=("a", "b", "c", "d")))
    assert (record.state, record.asset_ids, record.grown) == (
        State.COLLECTED,
        ("c", "a", "b", "d"),
        ("a", "b", "d"),
    )
    assert record.lacks_files
    assert not record.is_short
    record = apply(record, Collected(at=6.0, files=(FILE,)))
    assert (record.state, record.grown, record.lacks_files) == (State.COLLECTED, (), False)


def test_an_asset_that_is_shown_no_more_stays_on_record() -> None:
    record = apply(collected("a"), OutputsGrew(at=5.0, remote_id="job_1", asset_ids=("b",)))
    assert record.asset_ids == ("a", "b")


@pytest.mark.parametrize(("remote_id", "asset_ids"), [("job_1", ("a",)), ("job_1", ()), ("job_2", ("b",))])
def test_no_growth_is_recorded_of_nothing_new_or_of_another_submission(
    remote_id: str, asset_ids: tuple[str, ...]
) -> None:
    with pytest.raises(TransitionError):
        apply(collected("a"), OutputsGrew(at=5.0, remote_id=remote_id, asset_ids=asset_ids))


def test_only_what_has_succeeded_can_grow() -> None:
    record = apply(apply(Record(), started()), Accepted(at=2.0, remote_id="job_1"))
    with pytest.raises(TransitionError):
        apply(record, OutputsGrew(at=5.0, remote_id="job_1", asset_ids=("a",)))


def test_with_downloads_off_what_lies_on_disk_stays_on_record() -> None:
    grown = apply(collected("a"), OutputsGrew(at=5.0, remote_id="job_1", asset_ids=("a", "b")))
    record = apply(grown, Collected(at=6.0))
    assert [one.asset_id for one in record.files] == ["a"]
    assert not record.lacks_files


def test_what_is_gone_for_good_is_asked_for_no_more_until_it_is_there_again() -> None:
    record = apply(collected("a", "b"), AssetsGone(at=5.0, asset_ids=("a",)))
    assert (record.state, record.gone) == (State.COLLECTED, ("a",))
    assert [one.asset_id for one in record.files] == ["a", "b"]
    assert [one.asset_id for one in record.kept_files] == ["b"]
    record = apply(record, AssetsGone(at=6.0, asset_ids=("b", "a")))
    assert record.gone == ("a", "b")
    record = apply(record, Collected(at=7.0, files=(replace(FILE, asset_id="a"),)))
    assert record.gone == ("b",)


def test_what_the_service_showed_later_and_has_no_more_is_waited_for_no_longer() -> None:
    record = apply(collected("a"), OutputsGrew(at=5.0, remote_id="job_1", asset_ids=("a", "b")))
    assert record.lacks_files
    assert not apply(record, AssetsGone(at=6.0, asset_ids=("b",))).lacks_files


def test_files_that_moved_are_what_they_were_at_another_path() -> None:
    record = apply(collected("a", "b"), FilesMoved(at=5.0, paths={"b": "earlier/b.png"}))
    assert record.state is State.COLLECTED
    assert [one.path for one in record.files] == [FILE.path, "earlier/b.png"]
    assert {one.sha256 for one in record.files} == {FILE.sha256}
    with pytest.raises(TransitionError, match="c: no files of the job"):
        apply(record, FilesMoved(at=6.0, paths={"a": "assets/a.png", "c": "assets/c.png"}))


@pytest.mark.parametrize("asset_ids", [("c",), ("a", "c")])
def test_nothing_else_is_gone_than_what_the_job_gave(asset_ids: tuple[str, ...]) -> None:
    with pytest.raises(TransitionError, match="not what the job gave"):
        apply(collected("a"), AssetsGone(at=5.0, asset_ids=asset_ids))
