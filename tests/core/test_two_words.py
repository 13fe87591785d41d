"""Of two words on a charge the higher counts, until the service's own history says otherwise."""

from decimal import Decimal

import pytest

from batchgen.errors import TransitionError
from batchgen.lifecycle import (
    Accepted,
    Adopted,
    AnswerLost,
    Canceled,
    ChargeShown,
    Event,
    Failed,
    Held,
    PriceLearnt,
    RetryAsked,
    SubmitStarted,
    Succeeded,
)
from batchgen.model import Job, Refund, Submission
from batchgen.planning.budget import Committed, committed
from tests.support.builders import record_of

JOB = Job(id="tower", prompt="a tower", model="model_a")
TEN, SIX = Decimal(10), Decimal(6)


def started(reserved: Decimal | None = None) -> SubmitStarted:
    return SubmitStarted(at=1.0, job=JOB, attempt=1, body="{}", reserved=reserved)


def receipt(charged: Decimal | None = TEN) -> Accepted:
    return Accepted(at=2.0, remote_id="job_1", charged=charged)


def paid(*events: Event) -> Submission:
    return record_of(started(), *events).submissions[0]


@pytest.mark.parametrize(("told", "shown"), [(TEN, SIX), (SIX, TEN)])
def test_the_higher_of_receipt_and_record_is_the_charge(told: Decimal, shown: Decimal) -> None:
    one = paid(receipt(told), Succeeded(at=3.0, charged=shown, refund=Refund.NONE, itemized=False))
    assert (one.charged, one.refunded) == (TEN, Decimal(0))


def test_a_record_that_is_higher_by_its_discount_says_what_the_receipt_does() -> None:
    end = Succeeded(at=3.0, charged=TEN, discount=Decimal(4), refund=Refund.NONE)
    assert paid(receipt(SIX), end).charged == SIX


@pytest.mark.parametrize(("charged", "discount"), [(10, 3), (10, 5), (5, 1)])
def test_a_difference_that_is_not_the_discount_is_another_word(charged: int, discount: int) -> None:
    end = Succeeded(at=3.0, charged=Decimal(charged), discount=Decimal(discount), refund=Refund.NONE)
    assert paid(receipt(SIX), end).charged == max(SIX, Decimal(charged))


@pytest.mark.parametrize(("itemized", "back"), [(True, 4), (False, 0)])
def test_what_came_back_of_addons_is_seen_only_where_they_are_listed(itemized: bool, back: int) -> None:
    one = paid(receipt(), Canceled(at=3.0, charged=SIX, refund=Refund.NONE, itemized=itemized))
    assert (one.charged, one.refunded) == (TEN, Decimal(back))


def test_the_history_makes_a_charge_less_and_more_and_takes_refunds_along() -> None:
    end = Succeeded(at=3.0, charged=SIX, refund=Refund.NONE)
    assert paid(receipt(), end, ChargeShown(at=4.0, remote_id="job_1", charged=SIX)).charged == SIX
    assert paid(receipt(SIX), end, ChargeShown(at=4.0, remote_id="job_1", charged=TEN)).charged == TEN
    failed = Failed(at=3.0, charged=SIX, refund=Refund.ASSUMED)
    one = paid(receipt(), failed, ChargeShown(at=4.0, remote_id="job_1", charged=SIX))
    assert (one.charged, one.refunded) == (SIX, SIX)


def test_what_was_held_for_a_job_that_only_its_row_tells_of_goes_on_to_be_held_until_it_is_settled() -> None:
    found = Adopted(at=2.0, remote_id="job_1", charged=SIX, evidence={})
    events = [started(TEN), AnswerLost(at=1.5, reason="cut"), found]
    end = Succeeded(at=3.0, charged=SIX, refund=Refund.NONE, itemized=False)
    assert committed(record_of(*events, end)).gross == TEN
    back = Failed(at=3.0, charged=SIX, refund=Refund.ASSUMED)
    assert committed(record_of(*events, back)).net(trust_refunds=True) == 0
    settled = record_of(*events, end, ChargeShown(at=4.0, remote_id="job_1", charged=SIX))
    assert committed(settled) == Committed(gross=SIX)


def test_a_price_is_learnt_once_for_what_may_have_been_paid_for_and_for_nothing_else() -> None:
    learnt = PriceLearnt(at=9.0, reserved=TEN)
    doubt = [started(), AnswerLost(at=2.0, reason="cut")]
    held = record_of(*doubt, learnt, Held(at=10.0, reason="who knows"))
    assert committed(held).gross == TEN
    running = record_of(started(), receipt(None), learnt)
    assert committed(running).gross == TEN
    for life in ([*doubt, learnt], [started(TEN), doubt[1]], [started(), receipt()]):
        with pytest.raises(TransitionError, match="nothing waits for one"):
            record_of(*life, learnt)
    again = [started(), receipt(None), Failed(at=3.0), RetryAsked(at=4.0)]
    with pytest.raises(TransitionError):
        record_of(*again, learnt)


def test_a_charge_of_what_has_not_ended_is_not_settled() -> None:
    with pytest.raises(TransitionError, match="no submission that has ended"):
        paid(receipt(), ChargeShown(at=4.0, remote_id="job_1", charged=SIX))
