"""What goes wrong in one place must not cost another: submits under way, slots, and the end of a run."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from batchgen.engine.policy import Policy
from batchgen.engine.runner import Runner
from batchgen.errors import JournalError
from batchgen.lifecycle import AnswerLost, State, SubmitStarted
from batchgen.model import File, Job, Receipt
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import Limits, Outcomes, Views
from tests.support.builders import events_of, make_earth, make_jobs, records_of, states_of
from tests.support.virtual import Run


class Broken:
    """A collector with a bug."""

    async def collect(self, job: Job, asset_ids: Sequence[str]) -> tuple[File, ...]:
        raise ZeroDivisionError(f"{job.id}: {len(asset_ids)}")


def test_a_bug_elsewhere_cuts_no_submit_off_and_comes_out_in_the_end() -> None:
    over = make_earth(latency=(1.0, 1.5), duration=(0.1, 3.0))

    def break_collector(runner: Runner) -> None:
        runner._pieces.harvest.collector = Broken()

    with pytest.raises(BaseExceptionGroup):
        Run(over, make_jobs(20), command=break_collector).go()
    assert over.service.submissions
    assert State.SUBMITTING not in states_of(over), "every answer that was due was waited for"


def test_a_clock_that_is_set_back_dates_no_loss_before_its_intent() -> None:
    faults = FaultPlan(script={Call.SUBMIT: [Fault.HANG_AFTER]})
    over = make_earth(faults=faults)

    def an_hour_back() -> None:
        over.clock_offset -= 3600

    def set_the_clock_back(_: Runner) -> None:
        asyncio.get_running_loop().call_later(60.0, an_hour_back)

    Run(over, make_jobs(1), command=set_the_clock_back).go()
    intent, lost = (
        next(event.at for _, event in over.disk.events if isinstance(event, kind))
        for kind in (SubmitStarted, AnswerLost)
    )
    assert lost - intent == pytest.approx(120.0, abs=1.0)


def test_a_bug_in_one_submit_cuts_no_other_off() -> None:
    over = make_earth(latency=(0.5, 1.0), outcomes=Outcomes())
    broken = 3

    def break_one(runner: Runner) -> None:
        submitter = runner._pieces.dispatcher._submitter
        submit = submitter._generator.submit

        async def sometimes(model: str, body: str, *, may_leave: Callable[[], bool] | None = None) -> Receipt:
            receipt = await submit(model, body, may_leave=may_leave)
            if f"number {broken}" in body:
                raise ZeroDivisionError(body)
            return receipt

        submitter._generator.submit = sometimes  # type: ignore[method-assign]  # the bug

    with pytest.raises(BaseExceptionGroup):
        Run(over, make_jobs(10), command=break_one).go()
    submitting = [one.job for one in records_of(over).values() if one.state is State.SUBMITTING]
    left = [job.id for job in submitting if job]
    assert left == [f"job-{broken}"]


def test_a_run_that_is_cancelled_lets_submits_finish_for_a_moment() -> None:
    over = make_earth(latency=(0.5, 0.5))

    def cancel_soon(_: Runner) -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().call_later(0.8, task.cancel)  # past the look before buying

    run = Run(over, make_jobs(3), command=cancel_soon).go()
    assert run.ending is None
    assert states_of(over) == {State.RUNNING: 1}


def test_a_job_out_of_sight_is_looked_at_once_at_least_and_keeps_its_slot() -> None:
    over = make_earth(duration=(300.0, 300.0), views=Views(performance=True))
    run = Run(over, make_jobs(5), in_flight=1, policy=Policy(timeout=30)).go()
    assert run.ending is not None
    assert len(run.ending.out_of_sight) == 1
    assert over.service.counts["job"] >= 1
    assert over.service.most_in_flight == 1


def test_out_of_sight_jobs_do_not_stop_the_others() -> None:
    over = make_earth(duration=(100.0, 100.0))
    run = Run(over, make_jobs(4), in_flight=3, policy=Policy(timeout=250)).go()
    assert states_of(over) == {State.COLLECTED: 4}
    assert run.took < 260


def test_a_resumed_run_fills_the_slots_beside_what_runs() -> None:
    over = make_earth(duration=(60.0, 60.0))
    Run(over, make_jobs(10), cut_at=20.0).go()
    running = states_of(over)[State.RUNNING]
    assert running == 10
    run = Run(over, make_jobs(15)).go()
    first = events_of(run, SubmitStarted)[0]
    assert first.at - (over.clock_offset - run.took - 1.0) < 5
    assert len(over.service.submissions) == 15


def test_a_second_signal_is_heeded_while_submits_are_let_finish() -> None:
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: [None, Fault.HANG_AFTER]}), duration=(30.0, 30.0))

    async def full() -> None:
        raise JournalError("the disk is full")

    def fail_then_leave(runner: Runner) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(1.0, runner._errands.spawn, full, "full")
        loop.call_later(3.0, runner.leave)

    run = Run(over, make_jobs(3), command=fail_then_leave)
    with pytest.raises(JournalError):
        run.go()
    assert over.clock_offset - 1_800_000_000 < 10


def test_a_drain_before_the_run_collects_what_is_paid() -> None:
    over = make_earth(duration=(30.0, 40.0))
    Run(over, make_jobs(3), cut_at=20.0).go()
    run = Run(over, make_jobs(6), command=Runner.drain).go()
    assert run.ending is not None
    assert run.ending.drained
    assert states_of(over) == {State.COLLECTED: 3}


def test_how_long_it_may_take_can_be_asked_at_any_moment() -> None:
    over = make_earth(limits=Limits(ceiling=5))
    said: list[float | None] = []

    def ask(runner: Runner) -> None:
        loop = asyncio.get_running_loop()
        for tick in range(400):
            loop.call_later(tick * 0.05, lambda: said.append(runner.longest_left()))

    Run(over, make_jobs(20), command=ask).go()
    assert any(one is not None and one > 0 for one in said)
    assert all(one is None or 0 <= one < 15 for one in said)
