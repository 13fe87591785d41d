from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.lifecycle import (
    Accepted,
    AnswerLost,
    Event,
    Failed,
    RetryAsked,
    SubmitStarted,
    Succeeded,
    replay,
)
from batchgen.model import JobKey, Refund, Scope
from batchgen.planning.costs import By, Cost, Group, Sums, costs_of, fold, since, total
from tests.support.builders import make_intent, make_job

SCOPE = Scope(origin="https://a.example/v1", project="", batch="spring")
JOB = make_job(model="model_a")
KEY = JobKey("v1:tower")
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp()
DAY = 86_400.0
COST = Decimal("7.25")


def intent(at: float, attempt: int = 1, quoted: Decimal | None = Decimal(7)) -> SubmitStarted:
    return make_intent(at=at, job=JOB, attempt=attempt, quoted=quoted, reserved=Decimal(8))


def rows_of(*events: Event) -> list[Cost]:
    history = [(KEY, one) for one in events]
    return list(costs_of(SCOPE, replay(history), history))


def test_a_charge_belongs_to_the_moment_of_its_intent_with_the_quote_of_its_own_attempt() -> None:
    rows = rows_of(
        intent(NOON),
        Accepted(at=NOON + DAY, remote_id="job_1", charged=COST, quoted=Decimal(7)),
        Failed(at=NOON + 2 * DAY, charged=COST, refund=Refund.ASSUMED),
        RetryAsked(at=NOON + 3 * DAY),
        intent(NOON + 3 * DAY, 2, Decimal(9)),
        Accepted(at=NOON + 4 * DAY, remote_id="job_2", charged=COST),
    )
    assert [(one.remote_id, one.at) for one in rows] == [("job_1", NOON), ("job_2", NOON + 3 * DAY)]
    assert rows[0].sums == Sums(submissions=1, quoted=Decimal(7), charged=COST, assumed=COST)
    assert rows[1].sums == Sums(submissions=1, quoted=Decimal(9), charged=COST)
    assert total(one.sums for one in rows).net == COST


def test_what_may_have_been_charged_is_reserved_and_no_submission() -> None:
    (row,) = rows_of(intent(NOON), AnswerLost(at=NOON + 1, reason="cut"))
    assert (row.remote_id, row.sums) == ("", Sums(quoted=Decimal(7), reserved=Decimal(8)))


def test_a_submission_whose_charge_is_not_known_says_so() -> None:
    (row,) = rows_of(intent(NOON, quoted=None), Accepted(at=NOON, remote_id="job_1"), Succeeded(at=NOON + 5))
    assert row.sums == Sums(submissions=1, unpriced=1, reserved=Decimal(8))


def cost(at: float = NOON, units: Decimal = COST, **more: str) -> Cost:
    origin, model = more.get("origin", SCOPE.origin), more.get("model", "model_a")
    scope = Scope(origin=origin, project="", batch=more.get("batch", "spring"), slot=more.get("slot", ""))
    sums = Sums(submissions=1, charged=units)
    return Cost(scope=scope, job_id="a", model=model, at=at, remote_id=f"job_{at}{model}", sums=sums)


def test_a_day_is_the_zones() -> None:
    late = datetime(2026, 5, 1, 23, tzinfo=UTC).timestamp()
    (group,) = fold([cost(late)], By.DAY, UTC)
    assert group == Group(origin=SCOPE.origin, day="2026-05-01")
    (group,) = fold([cost(late)], By.DAY, ZoneInfo("Europe/Paris"))
    assert group.day == "2026-05-02"
    assert list(since([cost(late)], date(2026, 5, 2), UTC)) == []
    assert len(list(since([cost(late)], date(2026, 5, 2), ZoneInfo("Europe/Paris")))) == 1


def test_slots_of_a_batch_are_apart_and_models_come_dearest_first() -> None:
    rows = [cost(slot="mon"), cost(slot="tue"), cost(units=Decimal(900), slot="tue", model="model_b")]
    assert [(one.slot, sums.charged) for one, sums in fold(rows, By.BATCH, UTC).items()] == [
        ("mon", COST),
        ("tue", Decimal("907.25")),
    ]
    assert [one.model for one in fold(rows, By.MODEL, UTC)] == ["model_b", "model_a"]


@pytest.mark.parametrize("by", By)
def test_a_rehearsal_is_never_added_to_what_was_paid(by: By) -> None:
    sums = fold([cost(), cost(origin="simulator")], by, UTC)
    assert {group.origin: one.charged for group, one in sums.items()} == {
        SCOPE.origin: COST,
        "simulator": COST,
    }


MADE = st.builds(
    cost,
    st.floats(NOON, NOON + 30 * DAY),
    st.decimals(0, 1_000_000, places=9),
    slot=st.sampled_from(["", "mon"]),
    model=st.sampled_from(["model_a", "model_b"]),
)


@given(st.lists(MADE))
def test_however_rows_are_grouped_the_sum_is_exactly_the_same(rows: list[Cost]) -> None:
    whole = total(one.sums for one in rows)
    assert all(total(fold(rows, by, UTC).values()) == whole for by in By)
