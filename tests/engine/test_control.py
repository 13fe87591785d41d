"""What can be changed while a run goes on."""

import asyncio
from collections.abc import Callable
from decimal import Decimal

from batchgen.engine.outcome import judge
from batchgen.engine.runner import Runner
from batchgen.exits import Exit
from batchgen.lifecycle import State, SubmitStarted, replay
from batchgen.model import Job
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Settings
from tests.support.virtual import SEEDED, Earth, Run


def jobs(count: int) -> list[Job]:
    return [Job(id=f"job-{n}", prompt=f"a mill, number {n}", model=SEEDED) for n in range(count)]


def played(over: Earth, count: int, *orders: tuple[float, Callable[[Runner], None]], **more: object) -> Run:
    def command(runner: Runner) -> None:
        for after, order in orders:
            asyncio.get_running_loop().call_later(after, order, runner)

    return Run(over, jobs(count), command=command, **more).go()  # type: ignore[arg-type]  # settings of a run


def earth() -> Earth:
    return Earth(service=Service(Settings(duration=(5.0, 6.0))))


def intents(run: Run, over: Earth) -> list[float]:
    began = over.clock_offset - run.took - 1.0
    return [event.at - began for _, event in run.watching.events if isinstance(event, SubmitStarted)]


def test_a_pause_holds_submits_back_and_no_result() -> None:
    over = earth()
    run = played(
        over,
        12,
        (2.0, lambda runner: runner.control.pause(paused=True)),
        (100.0, lambda runner: runner.control.pause(paused=False)),
        in_flight=2,
    )
    assert {record.state for record in replay(over.disk.events).values()} == {State.COLLECTED}
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
    assert run.ending is not None
    assert judge(run.ending, list(replay(over.disk.events).values())).exit is Exit.BUDGET
    assert 4 <= len(over.service.submissions) <= 12
