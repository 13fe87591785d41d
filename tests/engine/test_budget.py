"""A cap is a cap while jobs are in flight: what is reserved fits, or nothing is sent."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.engine.policy import Policy
from batchgen.exits import Exit
from batchgen.lifecycle import AnswerLost, State, SubmitStarted
from batchgen.model import JobKey, Submission
from batchgen.planning.budget import Committed, committed
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import Limits, Outcomes
from tests.support.builders import make_earth, make_jobs, make_purse, records_of, states_of, verdict_of
from tests.support.memory_journal import MemoryJournal
from tests.support.virtual import SEEDED, SEEDLESS, Earth, Run


def charged(over: Earth) -> Decimal:
    return sum((one.main_cost for one in over.service.submissions), Decimal(0))


def test_what_fits_is_bought_and_the_rest_is_told() -> None:
    over = make_earth()
    run = Run(over, make_jobs(20), purse=make_purse(30)).go()
    assert states_of(over) == {State.COLLECTED: 7}
    verdict = verdict_of(run)
    assert verdict.exit is Exit.BUDGET
    assert "13 jobs are left, for 52 CU; a budget of 80 CU buys them all" in verdict.reasons[0]


def test_a_higher_budget_goes_on_and_counts_what_was_spent_before() -> None:
    over = make_earth()
    Run(over, make_jobs(20), purse=make_purse(30)).go()
    Run(over, make_jobs(20), purse=make_purse(50)).go()
    assert states_of(over) == {State.COLLECTED: 12}
    Run(over, make_jobs(20), purse=make_purse(80)).go()
    assert states_of(over) == {State.COLLECTED: 20}


def test_assumed_refunds_release_the_cap_unless_they_are_not_trusted() -> None:
    for trusted, bought in ((True, 20), (False, 7)):
        over = make_earth(outcomes=Outcomes(failures=1.0))
        Run(over, make_jobs(20), purse=make_purse(30, trust_refunds=trusted)).go()
        assert len(over.service.submissions) == bought


def test_a_job_that_is_dearer_than_one_may_be_is_left_out_and_the_others_are_bought() -> None:
    over = make_earth()
    mixed = [*make_jobs(3, model=SEEDLESS), *make_jobs(3, name="small-job")]
    run = Run(over, mixed, purse=make_purse(1000, per_job=Decimal(5))).go()
    assert states_of(over) == {State.COLLECTED: 3}
    assert run.ending is not None
    assert [text.split()[0] for text in run.ending.over_budget] == ["job-0", "job-1", "job-2"]


def test_what_has_no_price_is_not_bought_under_a_cap() -> None:
    over = make_earth()
    run = Run(over, make_jobs(2), purse=make_purse(9, prices={})).go()
    assert not over.service.submissions
    assert run.ending is not None
    assert "its price is not known" in run.ending.over_budget[0]


def test_a_charge_above_its_quote_is_told_and_counted_at_once() -> None:
    over = make_earth()
    low = make_purse(30, prices={SEEDED: Decimal(1)})
    run = Run(over, make_jobs(20), purse=low, in_flight=2).go()
    told = [text for text in run.watching.troubles if "was charged 4 CU, but quoted 1" in text]
    assert len(told) == len(over.service.submissions), "each of them once"
    reserved = {one.reserved for one in records_of(over).values()}
    assert reserved == {Decimal(1), Decimal(4)}, "what one of its price has cost is reserved for the next"
    assert charged(over) <= 30 + 3


@pytest.mark.parametrize(
    ("total", "said"),
    [
        (Decimal(20), "the service charged 4 CU after quoting 8: the budget counts what is charged"),
        (None, "the service charged 4 CU after quoting 8"),
    ],
)
def test_a_charge_below_its_quote_counts_and_is_told_once(total: Decimal | None, said: str) -> None:
    over = make_earth()
    high = make_purse(total, prices={SEEDED: Decimal(8)})
    run = Run(over, make_jobs(4), purse=high, in_flight=1).go()
    assert len(over.service.submissions) == 4, "16 charged, and 8 of 20 reserved at most"
    assert [text for text in run.watching.troubles if "after quoting" in text] == [said]


def test_a_row_that_shows_less_than_the_quote_is_no_lower_charge() -> None:
    paid = Submission(remote_id="j", attempt=1, at=0.0, charged=Decimal(4), by_row=True)
    (job,) = make_jobs(1)
    high = make_purse(prices={SEEDED: Decimal(8)})
    assert high.charged(job, paid) is None
    assert high.charged(job, replace(paid, by_row=False)) is not None


def test_a_charge_above_its_quote_is_remembered_by_the_runs_that_follow() -> None:
    over = make_earth()
    for some in (make_jobs(20)[:1], make_jobs(20)[1:]):
        low = make_purse(5, prices={SEEDED: Decimal(1)})
        Run(over, some, purse=low, in_flight=50).go()
    assert charged(over) == 4, "one more would be another 4, whatever is quoted"


def test_a_days_budget_is_for_all_that_began_that_day() -> None:
    over = make_earth()
    daily = make_purse(per_day=Decimal(20))
    Run(over, make_jobs(12), purse=daily).go()
    assert charged(over) == 20
    over.clock_offset += 24 * 3600
    Run(over, make_jobs(12), purse=daily).go()
    assert charged(over) == 40


# the advice is of the cap that stopped the run, whichever it is, and raises all that would stop the next one
@pytest.mark.parametrize(
    ("caps", "advice"),
    [
        ({"per_day": Decimal(20)}, "`budget: {per_day: 48}` buys them all"),
        ({"per_month": Decimal(20)}, "`budget: {per_month: 48}` buys them all"),
        (
            {"total": Decimal(40), "per_day": Decimal(20)},
            "`budget: {total: 48, per_day: 48}` buys them all",
        ),
        ({"total": Decimal(20)}, "a budget of 48 CU buys them all (`--budget 48` or `budget: {total: 48}`)"),
        ({"total": Decimal("20.5")}, "a budget of 48 CU buys them all"),
        ({"total": Decimal(400), "per_day": Decimal(20)}, "`budget: {per_day: 48}` buys them all"),
    ],
)
def test_a_run_that_a_cap_stops_says_which_line_lets_it_go_on(caps: dict[str, Any], advice: str) -> None:
    over = make_earth()
    run = Run(over, make_jobs(12), purse=make_purse(**caps)).go()
    reasons = verdict_of(run).reasons
    assert advice in reasons[0]
    raised = {"per_day": "per_day: 48", "per_month": "per_month: 48", "total": "48"}
    assert all(raised[key] in reasons[0] for key, cap in caps.items() if cap < 48)


def test_what_other_batches_have_spent_counts_in_the_advice() -> None:
    over = make_earth()
    spent = Committed(gross=Decimal(80))
    over.disk.elsewhere.append((over.clock_offset, spent))
    run = Run(over, make_jobs(20), purse=make_purse(per_month=Decimal(100))).go()
    (reason,) = verdict_of(run).reasons
    assert "15 jobs are left, for 60 CU; `budget: {per_month: 160}` buys them all" in reason


def test_a_cap_that_is_nearly_reached_is_told_once_before_it_is() -> None:
    over = make_earth()
    run = Run(over, make_jobs(9), purse=make_purse(40), in_flight=2).go()
    assert verdict_of(run).exit is Exit.DONE
    assert [text for text in run.watching.troubles if "nearly" in text] == [
        "the budget is nearly reached: this batch (total) to 32 of 40 CU (80 %)"
    ]


def test_many_jobs_above_the_cap_for_one_are_named_in_a_few_sentences() -> None:
    over = make_earth()
    run = Run(over, make_jobs(60), purse=make_purse(per_job=Decimal(3))).go()
    assert run.ending is not None
    assert len(run.ending.over_budget) == 4
    assert "(`budget: {per_job: 4}` lets it through)" in run.ending.over_budget[0]
    assert run.ending.over_budget[-1] == "57 more such jobs"


@settings(max_examples=8)
@given(cap=st.integers(0, 60), before=st.integers(0, 6))
def test_a_plan_says_of_a_cap_what_a_run_then_does(cap: int, before: int) -> None:
    over = make_earth()
    Run(over, make_jobs(12)[:before], purse=make_purse()).go()
    guard = make_purse(cap)
    guard.remember(MemoryJournal(over.disk).records().values())
    said = guard.fit(make_jobs(12)[before:], MemoryJournal(over.disk), now=over.clock_offset)
    bought = len(over.service.submissions)
    Run(over, make_jobs(12), purse=make_purse(cap)).go()
    assert len(over.service.submissions) - bought == said.fits


def test_what_is_in_doubt_without_a_reservation_counts_against_a_plan_too() -> None:
    (lost, *others) = make_jobs(3)
    journal = MemoryJournal()
    journal.append(JobKey("v1:lost"), SubmitStarted(at=1.0, job=lost, attempt=1, body="{}"))
    journal.append(JobKey("v1:lost"), AnswerLost(at=2.0, reason="cut"))
    said = make_purse(11).fit(others, journal, now=3.0)
    assert (said.caps[0].used, said.fits) == (Decimal(4), 1)


def test_too_many_failures_stop_in_order() -> None:
    over = make_earth(outcomes=Outcomes(failures=1.0), duration=(1.0, 1.0))
    run = Run(over, make_jobs(500), in_flight=4, policy=Policy(most_failures=5)).go()
    assert run.ending is not None
    assert run.ending.failures >= 5
    assert len(over.service.submissions) <= 5 + 4
    assert states_of(over)[State.RUNNING] == 0


@given(
    seed=st.integers(0, 10**6),
    cap=st.integers(0, 120),
    cuts=st.lists(st.integers(1, 60), max_size=3),
    ceiling=st.sampled_from([None, 3, 50]),
    failures=st.sampled_from([0.0, 0.3]),
)
def test_nothing_is_bought_over_the_cap_whatever_happens(
    seed: int, cap: int, cuts: list[int], ceiling: int | None, failures: float
) -> None:
    faults = FaultPlan(
        chances={Call.SUBMIT: {Fault.CUT_AFTER: 0.1, Fault.BAD_GATEWAY: 0.05, Fault.CUT_BEFORE: 0.05}}
    )
    over = make_earth(
        seed=seed,
        faults=faults,
        limits=Limits(ceiling=ceiling),
        outcomes=Outcomes(failures=failures),
        duration=(1.0, 9.0),
    )
    for cut in (*cuts, None):
        Run(
            over,
            make_jobs(40),
            purse=make_purse(cap, trust_refunds=False),
            cut_at_append=cut,
            seed=seed,
            in_flight=50,
        ).go()
        assert charged(over) <= cap
    held = sum((committed(one).gross for one in records_of(over).values()), Decimal(0))
    assert charged(over) <= held <= cap


@pytest.mark.parametrize("total", ["0", "3.99"])
def test_a_cap_below_every_price_buys_nothing(total: str) -> None:
    over = make_earth()
    Run(over, make_jobs(3), purse=make_purse(total)).go()
    assert not over.service.submissions
