"""What a recovery makes of charges, when the rows that it reads show less than was taken."""

from decimal import Decimal

import pytest

from batchgen.interpret import after_look
from batchgen.lifecycle import Accepted, Failed, Record, RetryAsked, SubmitStarted, apply
from batchgen.model import RemoteStatus
from batchgen.reconcile.rebuild import charged_at_first
from tests.support.builders import make_remote_job
from tests.support.lives import JOB

COST, WITHOUT_ADDONS = Decimal("7.25"), Decimal(6)


def accepted(charged: Decimal | None) -> Accepted:
    return Accepted(at=1.0, remote_id="job_1", charged=charged)


@pytest.mark.parametrize(
    ("told", "shown", "earlier", "charged"),
    [
        (COST, WITHOUT_ADDONS, [], COST),
        (COST, None, [], COST),
        (None, WITHOUT_ADDONS, [], WITHOUT_ADDONS),
        (None, None, [], None),
        (2 * COST, WITHOUT_ADDONS, [accepted(COST)], COST),
        (2 * COST, None, [accepted(COST)], COST),
        (2 * COST, None, [accepted(None)], 2 * COST),
        (COST, COST, [accepted(COST)], COST),
        (WITHOUT_ADDONS, None, [accepted(COST)], 0),
    ],
)
def test_what_a_row_no_longer_shows_is_taken_from_the_results(
    told: Decimal | None, shown: Decimal | None, earlier: list[Accepted], charged: Decimal | None
) -> None:
    assert charged_at_first(told, shown, earlier) == charged


def test_a_second_attempt_that_failed_keeps_the_charge_of_both_and_the_addons_as_refunded() -> None:
    row = make_remote_job(
        "job_2",
        status=RemoteStatus.FAILED,
        cost=WITHOUT_ADDONS,
        error="boom",
        refundable=False,
    )
    first = [
        SubmitStarted(at=1.0, job=JOB, attempt=1, body="{}"),
        accepted(COST),
        Failed(at=2.0),
        RetryAsked(at=3.0),
    ]
    latest = charged_at_first(2 * COST, row.cost, first)
    end = after_look(row, at=6.0)
    assert end is not None
    record = Record()
    for event in (
        *first,
        SubmitStarted(at=4.0, job=JOB, attempt=2, body="{}"),
        Accepted(at=5.0, remote_id="job_2", charged=latest),
        end,
    ):
        record = apply(record, event)
    assert (record.charged, record.refunded) == (2 * COST, Decimal("1.25"))
