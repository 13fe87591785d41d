"""Under a cap a price is asked before its first intent of a run; nobody else waits, and no run for ever."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

import pytest

from batchgen.engine.limits.budget import BudgetGuard
from batchgen.engine.verdict import judge
from batchgen.errors import BoughtByQuoteError, StopCause, StoppedError, TransientError
from batchgen.exits import Exit
from batchgen.lifecycle import AnswerLost, PriceLearnt, State, SubmitStarted
from batchgen.manifest.values import Budget
from batchgen.model import Job
from batchgen.planning.make_plan import make_plan
from tests.support.builders import events_of, make_earth, make_jobs, records_of, states_of, verdict_of
from tests.support.virtual import SEEDED, SEEDLESS, Earth, Run

CHEAP, DEAR = Decimal(4), Decimal(40)


@dataclass
class Questions:
    """Prices that are known from yesterday, and what they are when they are asked."""

    now: Callable[[str], Decimal] = lambda _: CHEAP
    silent: dict[str, float] = field(default_factory=dict)  # by model, until when
    error: Exception | None = None
    asked_of: list[tuple[str, float]] = field(default_factory=list)
    under_way: int = 0
    most_at_first: int = 0
    known: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: CHEAP))
    at: dict[str, float] = field(default_factory=dict)
    due: frozenset[str] = frozenset()  # models whose jobs have had no inputs before
    before: dict[str, Decimal] = field(default_factory=dict)  # by model, what was expected

    def price(self, job: Job) -> Decimal | None:
        return self.known[job.model]

    def kind(self, job: Job) -> str:
        return job.model

    def asked(self, job: Job) -> float | None:
        return self.at.get(job.model)

    def is_due(self, job: Job) -> bool:
        return job.model in self.due and job.model not in self.at

    def expected(self, job: Job) -> Decimal | None:
        return self.before.get(job.model)

    async def ask(self, job: Job) -> None:
        began = asyncio.get_running_loop().time()
        self.asked_of.append((job.model, began))
        self.under_way += 1
        if not self.at:
            self.most_at_first = max(self.most_at_first, self.under_way)
        await asyncio.sleep(0.2)
        self.under_way -= 1
        if self.error is not None:
            raise self.error
        if asyncio.get_running_loop().time() < self.silent.get(job.model, 0.0):
            raise TransientError("no price for now")
        self.known[job.model], self.at[job.model] = self.now(job.model), began


def seedless(count: int) -> list[Job]:
    return make_jobs(count, model=SEEDLESS, name="seedless")


def purse(questions: Questions, total: int | None) -> BudgetGuard:
    budget = Budget(total=None if total is None else Decimal(total))
    return BudgetGuard(budget=budget, prices=questions, questions=questions)


def dear() -> Earth:
    return make_earth(prices={SEEDED: DEAR})


def test_a_price_that_rose_since_yesterday_decides_before_anything_leaves() -> None:
    over, questions = dear(), Questions(now=lambda _: DEAR)
    run = Run(over, make_jobs(20), purse=purse(questions, 50)).go()
    assert len(over.service.submissions) == 1
    assert verdict_of(run).exit is Exit.BUDGET
    assert [one for one, _ in questions.asked_of] == [SEEDED], "one question for all of a kind"


def test_without_a_cap_nobody_is_asked() -> None:
    over, questions = Earth(), Questions()
    Run(over, make_jobs(5), purse=purse(questions, None)).go()
    assert (states_of(over), questions.asked_of) == ({State.COLLECTED: 5}, [])


def test_a_cap_that_is_put_on_while_the_run_goes_on_has_the_price_asked() -> None:
    over, questions = dear(), Questions(now=lambda _: DEAR)

    def cap(runner: object) -> None:
        runner.control.spend(Decimal(60))  # type: ignore[attr-defined]  # a runner

    Run(over, make_jobs(5), purse=purse(questions, None), command=cap).go()
    assert len(over.service.submissions) == 1


def test_an_answer_holds_for_a_quarter_of_an_hour() -> None:
    over = make_earth(duration=(200.0, 200.0))
    questions = Questions()
    Run(over, make_jobs(12), purse=purse(questions, 100), in_flight=1).go()
    times = [at for _, at in questions.asked_of]
    assert states_of(over) == {State.COLLECTED: 12}
    assert 2 <= len(times) <= 4
    assert all(later - earlier >= 900 for earlier, later in pairwise(times))


def test_a_kind_without_an_answer_keeps_nobody_else_waiting_and_is_bought_when_it_is_told() -> None:
    over, questions = Earth(), Questions(silent={SEEDLESS: 120.0})
    mixed = [one for pair in zip(seedless(4), make_jobs(4), strict=True) for one in pair]
    Run(over, mixed, purse=purse(questions, 1000)).go()
    assert states_of(over) == {State.COLLECTED: 8}
    left = [one.model for one in over.service.submissions]
    assert left == [SEEDED] * 4 + [SEEDLESS] * 4
    times = [at for model, at in questions.asked_of if model == SEEDLESS]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps[-1] > 2 * gaps[0], "the gaps grow"


def test_a_price_that_is_never_told_ends_the_run_which_says_so() -> None:
    over, questions = Earth(), Questions(silent={SEEDLESS: 1e9})
    run = Run(over, [*seedless(3), *make_jobs(2)], purse=purse(questions, 1000)).go()
    assert states_of(over) == {State.COLLECTED: 2}
    assert run.ending is not None
    [told] = run.ending.unpriced
    assert told.startswith("3 jobs wait for a price")
    assert "no price for now" in told
    assert 900 <= run.took < 1000
    entries = make_plan([*seedless(3), *make_jobs(2)], records_of(over)).entries
    assert judge(run.ending, [one.record for one in entries]).exit is Exit.REMAINS


def test_the_first_question_is_alone_and_one_that_bought_is_the_last() -> None:
    over, questions = Earth(), Questions(error=BoughtByQuoteError("job_1"))
    run = Run(over, [*seedless(2), *make_jobs(2)], purse=purse(questions, 1000))
    with pytest.raises(BoughtByQuoteError):
        run.go()
    assert len(questions.asked_of) == 1
    assert not over.service.submissions


def test_questions_wait_for_the_first_answer_and_then_go_side_by_side() -> None:
    over, questions = Earth(), Questions()
    Run(over, [*seedless(2), *make_jobs(2)], purse=purse(questions, 1000)).go()
    assert (questions.most_at_first, states_of(over)) == (1, {State.COLLECTED: 4})


def test_credentials_that_are_not_accepted_stop_the_run() -> None:
    error = StoppedError("no", cause=StopCause.CREDENTIALS)
    over, questions = Earth(), Questions(error=error)
    assert verdict_of(Run(over, make_jobs(2), purse=purse(questions, 1000)).go()).exit is Exit.CREDENTIALS
    assert not over.service.submissions


def test_a_dearer_receipt_counts_for_its_kind_whatever_its_price_was() -> None:
    over = Earth()
    questions = Questions(now=lambda _: Decimal(1))
    Run(over, make_jobs(8), purse=purse(questions, 9), in_flight=1).go()
    assert len(over.service.submissions) == 2, "4 CU each: a third would be over the cap"


@pytest.mark.parametrize("asked", [{}, {SEEDED: 0.0}])
def test_a_doubt_of_which_no_price_was_known_is_held_as_soon_as_one_is(asked: dict[str, float]) -> None:
    over = Earth()
    [job, other] = make_jobs(2)
    entry = make_plan([job, other], {}).entries[0]
    intent = SubmitStarted(at=1.0, job=job, attempt=1, body="{}")
    over.disk.events += [(entry.key, intent), (entry.key, AnswerLost(at=2.0, reason="cut"))]
    questions = Questions(at=dict(asked), now=lambda _: CHEAP)
    run = Run(over, [job, other], purse=purse(questions, 7)).go()
    learnt = events_of(run, PriceLearnt)
    assert [one.reserved for one in learnt] == [CHEAP]
    assert not over.service.submissions, "4 are held for the doubt, and 4 more do not fit under 7"
