"""Between the intent and the POST: what waits for the disk, and what is asked again then."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from batchgen.engine.runner import Runner
from batchgen.errors import AmbiguousError, JournalError, ModelClosedError
from batchgen.lifecycle import Accepted, AnswerLost, NotSent, State, SubmitStarted
from batchgen.model import JobKey, Rate
from batchgen.ports import Lane
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from tests.support.builders import (
    FixedPrices,
    events_of,
    make_earth,
    make_jobs,
    make_purse,
    records_of,
    states_of,
)
from tests.support.syncers import HeldSyncer, TimedSyncer
from tests.support.virtual import SEEDED, Earth, Run

Change = Callable[[Runner], object]


def on_slow_disk(
    over: Earth, count: int, *, seconds: float = 1.0, during: tuple[int, Change] | None = None, **more: Any
) -> Run:
    """Run jobs on a disk whose syncs take their time, and change something while one of them is under way."""
    runners: list[Runner] = []

    def at_begin() -> Callable[[], None]:
        if during is not None and disk.begun == during[0]:
            asyncio.get_running_loop().call_later(seconds / 2, during[1], runners[0])
        return over.disk.sync

    over.disk.syncer = disk = TimedSyncer(seconds, at_begin=at_begin)
    return Run(over, make_jobs(count), command=runners.append, **more).go()


def prove(runner: Runner, count: int) -> None:
    """Let the run know that as many may be in flight side by side."""
    others = [JobKey("v1:other", number) for number in range(count)]
    for key in others:
        runner.flow.began(key, SEEDED)
        runner.flow.answered(key, None)
    for key in others:
        runner.flow.ended(key)


def times(over: Earth) -> list[float]:
    return [one.created_at for one in over.service.submissions]


def test_a_post_leaves_when_a_sync_that_began_after_its_intent_has_ended() -> None:
    over = make_earth()
    run = on_slow_disk(over, 3, seconds=2.0)
    assert set(states_of(over)) == {State.COLLECTED}
    intents = [event.at for event in events_of(run, SubmitStarted)]
    assert all(left - intent >= 2.0 for intent, left in zip(intents, times(over), strict=True))


def test_one_sync_carries_all_that_wait() -> None:
    over = make_earth(duration=(100.0, 100.0))
    over.disk.syncer = disk = TimedSyncer(5.0, at_begin=lambda: over.disk.sync)
    Run(over, make_jobs(20), command=lambda runner: prove(runner, 20)).go()
    assert set(states_of(over)) == {State.COLLECTED}
    assert disk.begun <= 4, "the first alone, the others together; and the same for their receipts"


def test_a_receipt_is_on_the_disk_before_its_place_is_used_again() -> None:
    over, disk = make_earth(duration=(0.5, 0.5)), HeldSyncer()
    over.disk.syncer = disk
    seen: list[tuple[int, int]] = []

    def command(runner: Runner) -> None:
        del runner
        loop = asyncio.get_running_loop()
        loop.call_later(10.0, disk.end)  # the first intent

        def look() -> None:
            kinds = [type(event) for _, event in over.disk.events]
            seen.append((kinds.count(Accepted), kinds.count(SubmitStarted)))
            over.disk.syncer = None
            disk.end()

            def go_on() -> None:
                if disk.begun > disk.ended:
                    disk.end()
                loop.call_later(0.1, go_on)

            go_on()

        loop.call_later(60.0, look)

    Run(over, make_jobs(2), in_flight=1, command=command).go()
    assert seen == [(1, 1)], "its job ended long ago, but the receipt is not on the disk"
    assert len(over.service.submissions) == 2


def test_the_first_sync_that_fails_ends_all_posts_and_the_run() -> None:
    for failing, bought in ((1, 0), (2, 1), (3, 1)):
        over = make_earth()
        disk = TimedSyncer(1.0, failing=failing, at_begin=lambda over=over: over.disk.sync)  # type: ignore[misc]
        over.disk.syncer = disk
        run = Run(over, make_jobs(3), in_flight=1)
        with pytest.raises(JournalError, match="did not keep what was written"):
            run.go()
        assert len(over.service.submissions) == bought
        assert disk.begun == failing, "none is tried again"
        told = [text for text in run.watching.troubles if "lost with the power" in text]
        assert len(told) == (failing == 2)
        paid = [one.remote_id for one in over.service.submissions]
        assert all(paid[-1] in text for text in told), "a receipt that may be lost is told with its id"
        left = [one.state for one in records_of(over).values() if one.state is State.SUBMITTING]
        assert not left, "what did not leave is not in doubt"


def closed(runner: Runner) -> None:
    runner._pieces.dispatcher.close_model(SEEDED, ModelClosedError("no"))


def tripped(runner: Runner) -> None:
    for number in range(3):
        key = JobKey("v1:lost", number)
        runner.flow.began(key, SEEDED)
        runner.flow.answered(key, AmbiguousError("cut"))
        runner.flow.ended(key)


def held_by_the_gate(runner: Runner) -> None:
    runner._world.gate.pause(Lane.SUBMIT, 30.0)


def equal_in_doubt(runner: Runner) -> None:
    journal = runner._world.journal
    key, record = next((key, one) for key, one in journal.records().items() if one.state is State.SUBMITTING)
    twin = JobKey(key.content, key.ordinal + 7)
    assert record.job is not None
    assert record.body is not None
    intent = SubmitStarted(at=1.0, job=replace(record.job, id="twin"), attempt=1, body=record.body)
    journal.append(twin, intent, AnswerLost(at=1.0, reason="cut"))


FORBIDS: list[tuple[str, Change, str, int]] = [
    ("a drain", lambda runner: runner.drain(), "submits no more", 0),
    ("a failure elsewhere", lambda runner: runner._board.stop(), "submits no more", 0),
    ("a pause", lambda runner: runner.control.pause(paused=True), "paused", 0),
    ("a cooldown", held_by_the_gate, "paused", 1),
    ("the breaker", tripped, "paused", 1),
    ("a model that is closed", closed, "cannot be run", 0),
    ("an equal in doubt", equal_in_doubt, "equal job is in doubt", 0),
    ("a lower cap", lambda runner: runner.control.spend(Decimal(1)), "over its cap", 0),
]


@pytest.mark.parametrize(
    ("change", "why", "bought"), [one[1:] for one in FORBIDS], ids=[one[0] for one in FORBIDS]
)
def test_what_decides_whether_a_post_may_leave_is_asked_again_after_the_wait(
    change: Change, why: str, bought: int
) -> None:
    """The kind: something that was looked at before the wait, and has changed in it."""
    over = make_earth()

    def changed(runner: Runner) -> None:
        change(runner)
        asyncio.get_running_loop().call_later(60.0, runner.drain)

    run = on_slow_disk(over, 1, during=(1, changed), purse=make_purse(100 if "cap" in why else None))
    told = [event.reason for event in events_of(run, NotSent)]
    assert len(told) == 1
    assert why in told[0]
    assert len(over.service.submissions) == bought
    assert records_of(over)[JobKey(next(iter(records_of(over))).content)].state is not State.SUBMITTING


def test_a_price_that_rises_during_the_wait_is_reserved_before_the_post_leaves() -> None:
    over, prices = make_earth(), {SEEDED: Decimal(4)}
    purse = make_purse(100, prices=prices)
    purse._prices = FixedPrices(prices)
    run = on_slow_disk(over, 1, during=(1, lambda _: prices.update({SEEDED: Decimal(9)})), purse=purse)
    assert [event.reason for event in events_of(run, NotSent)] == ["its price has risen"]
    assert [event.reserved for event in events_of(run, SubmitStarted)] == [Decimal(4), Decimal(9)]
    assert len(over.service.submissions) == 1


def test_a_lower_bound_on_what_is_in_flight_is_asked_again_too() -> None:
    over = make_earth(duration=(50.0, 60.0))
    run = on_slow_disk(over, 6, during=(5, lambda runner: runner.control.allow(1)))
    assert [event.reason for event in events_of(run, NotSent)] == ["submitting is paused"]
    assert set(states_of(over)) == {State.COLLECTED}


def test_a_journal_that_was_removed_during_the_wait_sends_nothing() -> None:
    over = make_earth()

    def remove(runner: Runner) -> None:
        del runner
        over.disk.removed = True

    with pytest.raises(JournalError, match="was removed during the run"):
        on_slow_disk(over, 2, during=(1, remove))
    assert not over.service.submissions
    assert set(states_of(over)) == {State.PLANNED}


def test_posts_that_a_slow_disk_lets_go_together_keep_the_spacing_of_the_gate() -> None:
    over = make_earth(duration=(200.0, 200.0))

    def at_begin() -> Callable[[], None]:
        disk.seconds = 30.0 if disk.begun == 9 else 0.01  # once it hangs
        return over.disk.sync

    over.disk.syncer = disk = TimedSyncer(0.01, at_begin=at_begin)

    rate = Rate(count=1, seconds=1.0)
    Run(over, make_jobs(40), rate=rate, command=lambda runner: prove(runner, 40)).go()
    gaps = [later - one for one, later in pairwise(times(over))]
    assert len(gaps) == 39
    assert max(gaps) > 25.0, "it has hung"
    assert min(gaps) >= 1.0 - 0.05


def test_who_has_to_wait_for_another_turn_is_asked_again_after_it() -> None:
    over = make_earth(duration=(200.0, 200.0))

    def at_begin() -> Callable[[], None]:
        disk.seconds = 30.0 if disk.begun == 9 else 0.01
        return over.disk.sync

    over.disk.syncer = disk = TimedSyncer(0.01, at_begin=at_begin)
    drained: list[float] = []

    def drain(runner: Runner) -> None:
        drained.append(over.now())
        runner.drain()

    def command(runner: Runner) -> None:
        prove(runner, 40)
        asyncio.get_running_loop().call_later(45.0, drain, runner)

    Run(over, make_jobs(60), rate=Rate(count=1, seconds=1.0), command=command).go()
    assert max(times(over)) <= drained[0] + 0.1
    assert State.SUBMITTING not in states_of(over)


def test_what_waits_for_the_disk_as_a_run_is_left_is_known_to_have_stayed_here() -> None:
    over = make_earth()
    over.disk.syncer = HeldSyncer()

    def command(runner: Runner) -> None:
        asyncio.get_running_loop().call_later(5.0, runner.leave)

    Run(over, make_jobs(2), command=command).go()
    assert not over.service.submissions
    assert [type(event) for _, event in over.disk.events] == [SubmitStarted, NotSent]


def test_a_lost_answer_waits_for_no_sync() -> None:
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: [Fault.CUT_AFTER]}))
    run = on_slow_disk(over, 2)
    assert len(events_of(run, AnswerLost)) == 1
    assert len(over.service.submissions) == 2
    assert set(states_of(over)) == {State.COLLECTED}
