"""What can be changed while a run goes on."""

import asyncio
from collections.abc import Callable
from decimal import Decimal

from batchgen.engine.runner import Runner
from batchgen.exits import Exit
from batchgen.lifecycle import State, SubmitStarted
from tests.support.builders import events_of, make_earth, make_jobs, states_of, verdict_of
from tests.support.virtual import Earth, Run


def played(over: Earth, count: int, *orders: tuple[float, Callable[[Runner], None]], **more: object) -> Run:
    def command(runner: Runner) -> None:
        for after, order in orders:
            asyncio.get_running_loop().call_later(after, order, runner)

    return Run(over, make_jobs(count, prompt="a mill, number {n}"), command=command, **more).go()  # type: ignore[arg-type]  # settings of a run


def earth() -> Earth:
    return make_earth(duration=(5.0, 6.0))


def intents(run: Run, over: Earth) -> list[float]:
    began = over.clock_offset - run.took - 1.0
    return [event.at - began for event in events_of(run, SubmitStarted)]


def test_a_pause_holds_submits_back_and_no_result() -> None:
    over = earth()
    run = played(
        over,
        12,
        (2.0, lambda runner: runner.control.pause(paused=True)),
        (100.0, lambda runner: runner.control.pause(paused=False)),
        in_flight=2,
    )
    assert set(states_of(over)) == {State.COLLECTED}
    late = [at for at in intents(run, over) if 2.0 < at < 100.0]
    assert not late
    assert run.took > 100.0


def test_a_paused_run_that_is_drained_ends() -> None:
    over = earth()

    def drain(runner: Runner) -> None:
        runner.drain()

    run = played(
        over, 12, (2.0, lambda runner: runner.control.pause(paused=True)), (50.0, drain), in_flight=2
    )
    assert run.ending is not None
    assert run.ending.drained
    assert len(over.service.submissions) == 2


def test_more_may_be_allowed_in_flight_and_fewer() -> None:
    over = earth()
    most: list[int] = []

    def look(runner: Runner) -> None:
        most.append(len(runner.flow.in_flight))

    played(
        over,
        60,
        (10.0, look),
        (11.0, lambda runner: runner.control.allow(8)),
        (25.0, look),
        (26.0, lambda runner: runner.control.allow(1)),
        (40.0, look),
        (41.0, lambda runner: runner.control.allow(None)),
        (46.0, look),
        in_flight=3,
    )
    assert most[:3] == [3, 8, 1]
    assert most[3] > 8


def test_a_cap_may_be_set_and_stops_the_run_in_order() -> None:
    over = earth()
    run = played(over, 30, (7.0, lambda runner: runner.control.spend(Decimal(0))), in_flight=4)
    assert verdict_of(run).exit is Exit.BUDGET
    assert 4 <= len(over.service.submissions) <= 12
