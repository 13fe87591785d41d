from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.lifecycle import IN_FLIGHT, Accepted, Event, Failed, SubmitStarted, apply, replay
from batchgen.model import Refund, Scope
from batchgen.planning.costs import Activity, Cost, Sums
from batchgen.reconcile.billing import (
    BillingDiff,
    Period,
    Shown,
    charges_to_record,
    compare_billing,
    refunds_to_record,
    shown_of,
)
from batchgen.record import Record
from tests.support.builders import record_of
from tests.support.lives import JOB, lives

US = "apiu_us"
COST = Decimal("7.25")
SCOPE = Scope(origin="https://a.example/v1", project="", batch="spring")


def ours(remote_id: str, at: float = 1.0, **sums: Decimal) -> Cost:
    made = Sums(submissions=1, **{"charged": COST, **sums})  # type: ignore[arg-type]  # amounts, all of them
    return Cost(scope=SCOPE, job_id="tower", model="model_a", at=at, remote_id=remote_id, sums=made)


def entry(remote_id: str, units: Decimal | None = COST, action: str = "custom", author: str = US) -> Activity:
    return Activity(action=action, remote_id=remote_id, units=units, author=author)


def compared(entries: list[Activity], *rows: Cost, owned: tuple[str, ...] = ()) -> BillingDiff:
    return compare_billing(entries, rows, owned=owned, authors={US})


def test_what_agrees_is_no_finding() -> None:
    assert compared([entry("job_1")], ours("job_1")) == BillingDiff(entries=1)


def test_a_charge_to_our_key_without_a_record_is_unknown() -> None:
    found = compared([entry("job_9"), entry("job_8", author="apiu_else"), entry("job_7", None)])
    assert [one.remote_id for one in found.unknown] == ["job_9"]
    assert not found.agrees


def test_a_charge_of_another_batch_or_one_that_was_disowned_is_known() -> None:
    assert compared([entry("job_9")], owned=("job_9",)).agrees


def test_a_charge_that_is_not_shown_is_missing_and_one_shown_otherwise_differs() -> None:
    found = compared([entry("job_2", Decimal(9))], ours("job_1"), ours("job_2"))
    assert [one.remote_id for one in found.missing] == ["job_1"]
    assert [(one.ours.remote_id, one.shown.charged) for one in found.differing] == [("job_2", Decimal(9))]


@pytest.mark.parametrize("charged", [COST, Decimal(0)])
def test_a_refund_that_was_assumed_is_confirmed_by_an_entry(charged: Decimal) -> None:
    entries = [entry("job_1", COST, "refunds"), entry("job_1", charged)]
    found = compared(entries, ours("job_1", assumed=COST), ours("job_2", assumed=COST))
    assert [one.ours.remote_id for one in found.confirmed] == ["job_1"]
    assert [one.remote_id for one in found.unconfirmed] == ["job_2"]
    assert (found.unexpected, found.differing) == ((), ())


def test_a_refund_that_nobody_expected_is_told() -> None:
    found = compared([entry("job_1"), entry("job_1", COST, "refunds")], ours("job_1"))
    assert [one.shown.refunded for one in found.unexpected] == [COST]


def test_two_kinds_of_entries_for_one_job_are_one_charge() -> None:
    both = [entry("job_1"), entry("job_1", action="creative-unit-cost"), entry("")]
    assert {id_: one.charged for id_, one in shown_of(both).items()} == {"job_1": COST}


def test_a_charge_of_the_last_moments_is_not_missed_and_its_refund_not_either() -> None:
    rows = [ours("job_1", 90.0, assumed=COST), ours("job_2", 91.0, assumed=COST)]
    found = compare_billing([], rows, owned=(), authors={US}, judged=Period(until=90.0))
    assert [one.remote_id for one in found.missing] == ["job_1"]
    assert [one.remote_id for one in found.unconfirmed] == ["job_1"]
    assert found.recent == 1


def test_a_charge_before_the_days_that_are_asked_for_is_no_finding() -> None:
    entries = [replace(entry(f"job_{at}"), at=at) for at in (9.0, 10.0)]
    found = compare_billing(entries, [], owned=(), authors={US}, judged=Period(since=10.0))
    assert [one.remote_id for one in found.unknown] == ["job_10.0"]


@pytest.mark.parametrize(
    ("authors", "author", "unknown", "unclaimed"),
    [
        ({US}, US, 1, 0),
        ({US}, "", 0, 1),
        ({US}, "apiu_else", 0, 0),
        (set(), "apiu_else", 0, 1),
        (set(), "", 0, 1),
        (set(), "user_else", 0, 1),
        ({"user_us"}, "user_us", 1, 0),
        ({"user_us"}, "user_else", 0, 0),
    ],
)
def test_only_a_charge_that_is_certainly_by_our_key_waits_for_a_person(
    authors: set[str], author: str, unknown: int, unclaimed: int
) -> None:
    found = compare_billing([entry("job_9", author=author)], [], owned=(), authors=authors)
    assert (len(found.unknown), len(found.unclaimed)) == (unknown, unclaimed)
    assert found.agrees is (unknown == 0)


@given(lives(longest=25), st.integers(0, 25), st.decimals(0, 1000, places=3))
def test_what_is_shown_to_have_come_back_is_recorded_once_and_only_of_what_has_ended(
    events: list[Event], number: int, back: Decimal
) -> None:
    record, shown = Record(), Shown(remote_id=f"job_{number}", refunded=back, refunds=True)
    for event in events:
        record = apply(record, event)
    found = list(refunds_to_record(record, {shown.remote_id: shown}, at=99.0))
    assert len(found) <= 1
    for event in found:
        record = apply(record, event)
    assert list(refunds_to_record(record, {shown.remote_id: shown}, at=99.0)) == []
    owned = {one.remote_id: one for one in record.submissions if one.charged is not None}
    ended = record.state not in IN_FLIGHT or shown.remote_id != record.remote_id
    if back and ended and shown.remote_id in owned:
        paid = owned[shown.remote_id]
        assert paid.refund is Refund.CONFIRMED
        assert paid.refunded is not None
        assert paid.refunded >= min(back, paid.charged or Decimal(0))
    else:
        assert found == []


def test_a_refund_without_an_amount_and_one_of_an_unknown_charge_are_no_reason_to_write() -> None:
    intent = SubmitStarted(at=1.0, job=JOB, attempt=1, body="{}")
    unpriced = replay([("a", one) for one in (intent, Accepted(at=2.0, remote_id="job_1"), Failed(at=3.0))])[
        "a"
    ]
    shown = {"job_1": Shown(remote_id="job_1", refunded=COST, refunds=True)}
    assert list(refunds_to_record(unpriced, shown, at=9.0)) == []
    priced = replace(unpriced, submissions=(replace(unpriced.submissions[0], charged=COST),))
    assert list(refunds_to_record(priced, shown_of([entry("job_1", None, "refunds")]), at=9.0)) == []
    assert len(list(refunds_to_record(priced, shown, at=9.0))) == 1


def settled(charged: str | None, entries: list[Activity]) -> list[Decimal]:
    events = (
        SubmitStarted(at=1.0, job=JOB, attempt=1, body="{}"),
        Accepted(at=2.0, remote_id="job_1", charged=None if charged is None else Decimal(charged)),
        Failed(at=3.0, refund=Refund.NONE),
    )
    record = record_of(*events)
    return [one.charged for one in charges_to_record(record, shown_of(entries), at=9.0)]


def test_the_history_puts_a_charge_right_in_both_directions() -> None:
    assert settled("10", [entry("job_1")]) == [COST]
    assert settled("6", [entry("job_1")]) == [COST]
    assert settled(None, [entry("job_1")]) == [COST]
    assert settled("7.25", [entry("job_1")]) == []


def test_kinds_of_entries_that_may_add_up_make_a_charge_less_only_by_what_they_come_to_together() -> None:
    kinds = [entry("job_1", Decimal(6)), entry("job_1", Decimal(4), "quality-gate")]
    assert settled("10", kinds) == []
    assert settled("8", kinds) == []
    assert settled("12", kinds) == [Decimal(10)]
    assert settled("5", kinds) == [Decimal(6)]


def test_a_charge_that_is_not_shown_stays_as_it_was() -> None:
    assert settled("10", [entry("job_2")]) == []
    assert settled("10", [entry("job_1", COST, "refunds")]) == []
