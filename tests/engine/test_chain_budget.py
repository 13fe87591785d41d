"""Whole chains under a cap: what is kept for later steps, when it is released, and who gives way to whom.

The law of all of them: nothing is bought over a cap, and nothing is kept when a run has ended.
"""

import asyncio
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batchgen.engine.limits.budget import BudgetGuard
from batchgen.engine.policy import Policy
from batchgen.engine.runner import Runner
from batchgen.errors import TransientError
from batchgen.exits import Exit
from batchgen.identity import references_of
from batchgen.lifecycle import Deferred, State, SubmitStarted
from batchgen.manifest.values import Budget
from batchgen.model import Job
from batchgen.planning.caps import Chains
from batchgen.planning.chain_order import chains_to_buy
from batchgen.planning.make_plan import make_plan
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import Limits, Outcomes
from tests.support.builders import events_of, make_earth, records_of, states_of, verdict_of
from tests.support.chains import (
    CUT_OUT,
    QUOTES,
    UPSCALE,
    WHOLE,
    DoorPrices,
    chain,
    chains,
    charged,
    child,
    pairs,
    parent,
    purse,
)
from tests.support.memory_journal import MemoryJournal
from tests.support.virtual import EPOCH, SEEDED, Earth, Run, Watching


def bought(over: Earth) -> Counter[str]:
    return Counter(
        one.job.id.partition("-")[2] for one in records_of(over).values() if one.job and one.submissions
    )


def finished(run: Run) -> Run:
    """Hold a run that was not cut against the law."""
    assert run.earth.disk.reservations == {}
    return run


def test_a_chain_is_begun_only_where_its_end_is_paid_for_too() -> None:
    over = make_earth()
    run = finished(Run(over, chains(4), purse=purse(3 * WHOLE - 1)).go())
    assert bought(over) == {"": 2, "cut": 2, "big": 2}
    assert verdict_of(run).exit is Exit.BUDGET
    (reason,) = verdict_of(run).reasons
    assert "6 jobs are left, for 32 CU; a budget of 64 CU buys them all" in reason


def test_what_a_plan_says_of_whole_chains_a_run_then_does() -> None:
    for cap in (15, 16, 33, 47, 48, 49):
        over = make_earth()
        Run(over, chains(3), purse=purse(cap)).go()
        assert sum(bought(over).values()) == 3 * (cap // WHOLE), cap


def test_steps_are_bought_each_by_itself_where_the_budget_says_so() -> None:
    over = make_earth()
    finished(Run(over, chains(4), purse=purse(4 * 4, whole_chains=False), in_flight=9).go())
    assert bought(over)[""] > 1
    assert charged(over) <= 16
    assert not over.disk.synced_reservations


def test_a_chain_above_a_whole_cap_is_left_by_itself_and_says_what_it_costs() -> None:
    over = make_earth()
    wanted = [*chain("dear"), *pairs(2)]
    run = finished(Run(over, wanted, purse=purse(WHOLE - 1)).go())
    assert bought(over) == {"": 2, "cut": 2}
    (reason,) = verdict_of(run).reasons
    assert "dear: the whole chain (3 jobs) costs 16 CU; the cap on this batch (total) is 15 CU" in reason
    assert "`--budget 16` or `budget: {total: 16}`" in reason
    assert "`budget: {chains: steps}`" in reason
    assert verdict_of(run).exit is Exit.BUDGET


@pytest.mark.parametrize("cap", [{"per_day": Decimal(15)}, {"per_month": Decimal(15)}])
def test_any_cap_counts_the_whole_chain(cap: dict[str, Any]) -> None:
    over = make_earth()
    run = finished(Run(over, chain("dear"), purse=purse(**cap)).go())
    assert not over.service.submissions
    assert f"`budget: {{{next(iter(cap))}: 16}}`" in verdict_of(run).reasons[0]


def test_the_cap_for_one_job_is_for_each_job_alone() -> None:
    over = make_earth()
    finished(Run(over, chain("ann"), purse=purse(per_job=Decimal(10))).go())
    assert states_of(over) == {State.COLLECTED: 3}
    over = make_earth()
    run = finished(Run(over, chain("ann"), purse=purse(per_job=Decimal(9))).go())
    assert not over.service.submissions, "nobody can afford to finish it"
    assert "ann-big costs 10 CU; the cap for one job is 9" in verdict_of(run).reasons[0]


def test_a_chain_with_an_unknown_price_waits_unless_an_estimate_is_given() -> None:
    wanted = [*chain("ann"), parent("bob")]
    unknown = {UPSCALE: None}
    over = make_earth()
    run = finished(Run(over, wanted, purse=purse(99, before=unknown)).go())  # type: ignore[arg-type]  # no price
    assert bought(over) == {"": 1}, "who is of no such chain is bought"
    (reason,) = verdict_of(run).reasons
    assert "ann-big: its price is not known" in reason
    assert "`budget: {estimate: N}`" in reason
    finished(Run(over, wanted, purse=purse(99, before=unknown, estimate=Decimal(10))).go())  # type: ignore[arg-type]
    assert states_of(over) == {State.COLLECTED: 4}


def test_an_estimate_counts_as_a_price_under_the_caps() -> None:
    over = make_earth()
    some = purse(3 * WHOLE + 5, before={UPSCALE: None}, estimate=Decimal(20))  # type: ignore[dict-item]
    finished(Run(over, chains(4), purse=some).go())
    assert bought(over)[""] == 2, "26 each, until what the first one cost is known"
    assert charged(over) <= 3 * WHOLE + 5


def test_a_step_that_is_fed_by_two_chains_is_kept_once() -> None:
    over = make_earth()
    wanted = [parent("ann"), parent("bob"), child("both", "ann", "bob")]
    finished(Run(over, wanted, purse=purse(4 + 4 + 2)).go())
    assert states_of(over) == {State.COLLECTED: 3}


def test_a_parent_is_not_bought_where_another_parent_of_its_child_cannot_be() -> None:
    over = make_earth()
    wanted = [parent("ann"), parent("bob"), child("both", "ann", "bob"), parent("eve")]
    run = finished(Run(over, wanted, purse=purse(9)).go())
    assert {one.job.id for one in records_of(over).values() if one.job} == {"eve"}
    assert "ann: the whole chain (3 jobs) costs 10 CU" in verdict_of(run).reasons[0]


def test_what_a_begun_chain_needs_is_bought_though_its_own_later_steps_do_not_fit() -> None:
    over = make_earth()
    wanted = [parent("ann"), parent("bob"), child("both", "ann", "bob"), child("big", "bob", model=UPSCALE)]
    run = finished(Run(over, wanted, purse=purse(19)).go())
    assert {one.job.id for one in records_of(over).values() if one.job} == {"ann", "bob", "both"}
    assert verdict_of(run).exit is Exit.BUDGET
    finished(Run(over, wanted, purse=purse(20)).go())
    assert states_of(over) == {State.COLLECTED: 4}


def test_a_parent_that_fails_sets_free_what_was_kept_behind_it() -> None:
    over = make_earth(outcomes=Outcomes(failures=1.0))
    wanted = [*chain("ann"), *chain("bob"), *chain("eve")]
    finished(Run(over, wanted, purse=purse(WHOLE), in_flight=1).go())
    assert len(over.service.submissions) == 3, "each fails, is refunded, and makes room for the next chain"


def test_a_parent_that_is_refused_sets_free_what_was_kept_behind_it() -> None:
    over = make_earth()
    broken = replace(parent("ann"), params={"width": -5})
    wanted = [broken, *chain("ann")[1:], *chain("bob")]
    run = finished(Run(over, wanted, purse=purse(WHOLE), in_flight=1).go())
    states = {one.job.id: one.state for one in records_of(over).values() if one.job}
    assert states["ann"] is State.REFUSED, run.watching.troubles
    assert states["bob-big"] is State.COLLECTED


def test_a_parent_whose_asset_cannot_go_in_sets_free_what_was_kept_behind_it() -> None:
    over = make_earth()
    two = parent("ann", numOutputs=2)
    wanted = [two, *chain("ann")[1:], *chain("bob")]
    finished(Run(over, wanted, purse=purse(8 + 8 + 12), in_flight=1).go())
    assert charged(over) == 8 + WHOLE, "what was kept for the steps behind ann buys bob"


def test_a_cut_run_leaves_reservations_and_the_next_one_begins_without_them() -> None:
    over = make_earth(duration=(30.0, 30.0))
    Run(over, chain("ann"), purse=purse(WHOLE), cut_at=10.0).go()
    assert len(over.disk.reservations) == 2
    finished(Run(over, chain("ann")[:1], purse=purse(WHOLE)).go())
    assert states_of(over) == {State.COLLECTED: 1}


def test_chains_that_have_begun_come_before_new_ones_in_the_next_run() -> None:
    over = make_earth(duration=(30.0, 30.0))
    Run(over, chain("ann"), purse=purse(WHOLE), cut_at=10.0).go()
    run = finished(Run(over, [parent("new"), *chain("ann")], purse=purse(WHOLE + 3), in_flight=9).go())
    assert [one.job.id for one in events_of(run, SubmitStarted)] == ["ann-cut", "ann-big"]
    assert verdict_of(run).exit is Exit.BUDGET


def test_a_step_that_is_dearer_than_what_was_kept_stays_with_its_parent_until_a_higher_budget() -> None:
    over = make_earth()
    low = {CUT_OUT: Decimal(1)}
    run = finished(Run(over, pairs(1), purse=purse(5, before=low)).go())
    assert bought(over) == {"": 1}
    assert verdict_of(run).exit is Exit.BUDGET
    finished(Run(over, pairs(1), purse=purse(6, before=low)).go())
    assert states_of(over) == {State.COLLECTED: 2}
    assert len(over.service.submissions) == 2


@pytest.mark.parametrize("in_flight", [1, 4, 60])
def test_fifty_chains_that_are_each_dearer_by_one_do_not_stop_all(in_flight: int) -> None:
    over = make_earth(duration=(1.0, 9.0))
    low = {CUT_OUT: Decimal(1)}
    run = finished(Run(over, pairs(50), purse=purse(250, before=low), in_flight=in_flight).go())
    ends, begun = bought(over)["cut"], bought(over)[""]
    assert charged(over) <= 250
    assert ends >= min(begun, (250 - 4 * begun) // 2), "what is left buys the second steps of the eldest"
    assert ends >= 25
    assert verdict_of(run).exit is Exit.BUDGET
    finished(Run(over, pairs(50), purse=purse(300, before=low)).go())
    assert states_of(over) == {State.COLLECTED: 100}


def test_the_eldest_chain_is_the_one_that_goes_on() -> None:
    over = make_earth(duration=(5.0, 5.0))
    low = {CUT_OUT: Decimal(1)}
    finished(Run(over, pairs(4), purse=purse(20, before=low), in_flight=9).go())
    cut = {one.job.id for one in records_of(over).values() if one.job and "cut" in one.job.id}
    assert cut == {"k0-cut", "k1-cut"}


def test_a_budget_that_is_raised_while_a_run_goes_on_lets_chains_begin_that_were_above_it() -> None:
    over = make_earth(duration=(20.0, 20.0))

    def raise_it(runner: Runner) -> None:
        asyncio.get_running_loop().call_later(10.0, runner.control.spend, Decimal(2 * WHOLE + 4))

    wanted = [parent("eve"), *chain("ann"), *chain("bob")]
    finished(Run(over, wanted, purse=purse(WHOLE - 1), command=raise_it).go())
    assert states_of(over) == {State.COLLECTED: 7}


def test_a_cap_that_comes_while_a_run_goes_on_keeps_money_for_what_has_begun() -> None:
    over = make_earth(duration=(20.0, 20.0))

    def cap_it(runner: Runner) -> None:
        asyncio.get_running_loop().call_later(10.0, runner.control.spend, Decimal(2 * WHOLE))

    finished(Run(over, chains(5), purse=purse(), in_flight=2, command=cap_it).go())
    assert bought(over) == {"": 2, "cut": 2, "big": 2}


@example(
    # a last step that an earlier run has sent fails here, and is tried again
    seed=4684,
    cap=50,
    cuts=[13, 14],
    ceiling=2,
    failures=0.3,
    low={},
    whole=True,
    power=False,
)
@settings(max_examples=30)
@given(
    seed=st.integers(0, 10**6),
    cap=st.integers(0, 130),
    cuts=st.lists(st.integers(1, 60), max_size=3),
    ceiling=st.sampled_from([None, 2, 50]),
    failures=st.sampled_from([0.0, 0.3]),
    low=st.sampled_from([{}, {CUT_OUT: Decimal(1)}, {UPSCALE: Decimal(7)}]),
    whole=st.booleans(),
    power=st.booleans(),
)
def test_nothing_of_a_chain_is_bought_over_the_cap_and_nothing_is_kept_at_the_end(
    seed: int,
    cap: int,
    cuts: list[int],
    ceiling: int | None,
    failures: float,
    low: dict[str, Decimal],
    whole: bool,
    power: bool,
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
    both = child("both", "k0", "k1")
    wanted = [*chains(5), both, parent("single"), *pairs(7)[10:]]
    for cut in (*cuts, None):
        run = Run(
            over,
            wanted,
            purse=purse(cap, before=low, trust_refunds=False, whole_chains=whole),
            cut_at_append=cut,
            seed=seed,
            in_flight=50,
            policy=Policy(attempts=2),
        ).go()
        assert charged(over) <= cap
        if cut is None:
            finished(run)
        elif power:
            over.disk.lose_power()
    sent = [event.job for _, event in over.disk.events if type(event) is SubmitStarted]
    assert not [one for one in sent if any(not ref.assets for ref in references_of(one))]


class Questions(DoorPrices):
    """Prices of later steps that are not known before they are asked, and of which some are never told."""

    def __init__(self, *, silent: float = 0.0, mute: frozenset[str] = frozenset()) -> None:
        super().__init__({SEEDED: QUOTES[SEEDED]}, QUOTES)
        self.at: dict[str, float] = {}
        self._silent, self._mute = silent, mute

    def price(self, job: Job) -> Decimal | None:
        return QUOTES.get(job.model) if job.model in self.at and job.model not in self._mute else None

    def asked(self, job: Job) -> float | None:
        return self.at.get(job.model)

    def is_due(self, job: Job) -> bool:
        del job
        return False

    def expected(self, job: Job) -> Decimal | None:
        del job
        return None

    async def ask(self, job: Job) -> None:
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(0.1)
        if now < self._silent and job.model != SEEDED:
            raise TransientError("no price for now")
        self.at[job.model] = now


def asking(questions: Questions, total: int) -> BudgetGuard:
    return BudgetGuard(budget=Budget(total=Decimal(total)), prices=questions, questions=questions)


def test_prices_of_later_steps_that_nobody_has_told_yet_are_asked_before_a_chain_begins() -> None:
    over, questions = make_earth(), Questions(silent=120.0)
    run = finished(Run(over, chains(2), purse=asking(questions, 2 * WHOLE)).go())
    assert states_of(over) == {State.COLLECTED: 6}
    assert events_of(run, SubmitStarted)[0].at >= EPOCH + 120.0
    assert all(at >= 120.0 for model, at in questions.at.items() if model != SEEDED)


def test_a_price_that_is_refused_leaves_the_chain_and_no_other_job() -> None:
    over, questions = make_earth(), Questions(mute=frozenset({UPSCALE}))
    run = finished(Run(over, [*chains(2), *pairs(4)[6:]], purse=asking(questions, 99)).go())
    assert bought(over) == {"": 1, "cut": 1}
    assert all("its price is not known" in one for one in verdict_of(run).reasons)


@st.composite
def manifests(draw: Any) -> list[Job]:
    """Jobs in chains of many forms: some feed several, and some are fed by a job that feeds nobody else."""
    jobs: list[Job] = []
    free: list[str] = []
    for number in range(draw(st.integers(1, 9))):
        name, model = f"j{number}", draw(st.sampled_from([CUT_OUT, UPSCALE]))
        of = draw(st.sampled_from([None, *free])) if free else None
        if of is None:
            jobs.append(parent(name))
        elif draw(st.booleans()):
            jobs.append(child(name, of, model=model))
        else:
            jobs += draw(
                st.permutations([parent(f"{name}-too"), child(name, of, f"{name}-too", model=model)])
            )
        free.append(name)
    return jobs


@settings(max_examples=40)
@given(jobs=manifests(), cap=st.integers(0, 60), first=st.integers(0, 60))
def test_a_plan_says_of_whole_chains_what_a_run_then_does(jobs: list[Job], cap: int, first: int) -> None:
    over = make_earth()
    for most in (first, cap):
        guard = purse(most)
        journal = MemoryJournal(over.disk)
        guard.remember(journal.records().values())
        chains = chains_to_buy(make_plan(jobs, journal.records()))
        said = guard.fit(
            [one.job for steps in chains.chains for one in steps],
            journal,
            now=over.clock_offset,
            chains=Chains([len(steps) for steps in chains.chains], chains.begun),
        )
        before = len(over.service.submissions)
        run = finished(
            Run(over, jobs, purse=purse(most), in_flight=1).go()
        )  # one by one: so the order is the plan's
        assert len(over.service.submissions) - before == said.fits
        assert verdict_of(run).exit is (Exit.DONE if said.fits == said.jobs else Exit.BUDGET)
        assert charged(over) <= max(first, cap)


def kept_in(over: Earth, wanted: list[Job]) -> set[str]:
    """Return for which jobs something is kept at the moment."""
    names = {one.key: one.job.id for one in make_plan(wanted, {}).entries}
    return {names[key] for key in over.disk.reservations}


def test_what_is_kept_for_the_youngest_chain_gives_way_first() -> None:
    over, wanted, at_the_door = make_earth(duration=(5.0, 5.0)), chains(3), list[set[str]]()

    def look() -> None:
        last = run.watching.events[-1][1]
        if isinstance(last, SubmitStarted) and last.job.id == "k0-big":
            at_the_door.append(kept_in(over, wanted))

    lower = {UPSCALE: QUOTES[UPSCALE] - 1}
    run = Run(over, wanted, purse=purse(3 * (WHOLE - 1), before=lower), in_flight=3, watching=Watching(look))
    finished(run.go())
    assert at_the_door == [{"k1-big"}], "of three, the second chain keeps its money"
    assert bought(over) == {"": 3, "cut": 3, "big": 2}


def test_a_first_job_whose_body_bought_nothing_gives_back_what_it_kept() -> None:
    over = make_earth(
        limits=Limits(cooldown=30.0, ceiling=1),
        faults=FaultPlan(script={Call.SUBMIT: [Fault.THROTTLED]}),
    )
    wanted, seen = chains(1), list[set[str]]()

    def look() -> None:
        if isinstance(run.watching.events[-1][1], Deferred):
            asyncio.get_running_loop().call_later(0.01, lambda: seen.append(kept_in(over, wanted)))

    run = Run(over, wanted, purse=purse(WHOLE), watching=Watching(look))
    finished(run.go())
    assert seen == [set()]
    assert bought(over) == {"": 1, "cut": 1, "big": 1}
