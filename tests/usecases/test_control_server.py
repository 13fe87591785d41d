"""A real run that is ordered about through a real file, in virtual time."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from batchgen.control.server import LOOK_EVERY, ControlServer
from batchgen.engine.interrupts import Interrupts
from batchgen.engine.limits.gate import RateGate
from batchgen.engine.settings import RunSettings
from batchgen.errors import JournalError
from batchgen.exits import Exit
from batchgen.journal.file import JournalFile
from batchgen.journal.file_store import FileStore
from batchgen.journal.orders import Answer
from batchgen.journal.runs import RunRecords
from batchgen.lifecycle import State, SubmitStarted
from batchgen.model import Rate
from batchgen.ports import Lane
from batchgen.scenario.transport import Call
from batchgen.wiring.background import beside
from tests.support.builders import events_of, make_earth, make_jobs, make_purse, states_of, verdict_of
from tests.support.looped import run_virtually
from tests.support.memory_journal import SCOPE
from tests.support.virtual import EPOCH, Run, Twist

FAST = Rate(count=10.0, seconds=1.0)
SLOW = Rate(count=30.0, seconds=60.0)


@dataclass
class Caller:
    """Another process: a connection of its own to the same file."""

    records: RunRecords
    gate: RateGate
    now: Callable[[], float]

    @property
    def token(self) -> str:
        (run,) = self.records.of_batch(SCOPE.batch)
        return run.token

    async def order(self, *orders: str) -> list[Answer]:
        pairs = [(name, value) for name, _, value in (one.partition("=") for one in orders)]
        numbers = self.records.orders.give(self.token, pairs, at=0.0)
        await asyncio.sleep(2 * LOOK_EVERY)
        answers = self.records.orders.answers(numbers)
        assert answers is not None, "not taken"
        return answers


Play = Callable[[Caller], Coroutine[None, None, None]]


@dataclass(kw_only=True)
class Steered(Run):
    """A run of which orders are taken; ``play`` is what others do meanwhile."""

    path: Path
    play: Play
    early: Play | None = None
    settings: RunSettings = field(default_factory=RunSettings)
    notes: list[str] = field(default_factory=list)

    async def _main(self) -> None:
        loop = asyncio.get_running_loop()
        self.rate, self.in_flight = self.settings.rate, self.settings.in_flight
        self.purse = make_purse(self.settings.budget)
        gate = RateGate(self.rate)
        async with AsyncExitStack() as stack:
            mine, other = FileStore(self.path.parent).runs(), FileStore(self.path.parent).runs()
            assert mine is not None
            assert other is not None
            stack.enter_context(mine)
            stack.enter_context(other)
            interrupts = Interrupts()
            control = ControlServer(
                records=mine,
                scope=SCOPE,
                settings=self.settings,
                gate=gate,
                clock=self.earth,
                interrupts=interrupts,
                go_on="batchgen continue spring.yaml",
            )
            control.begin()
            stack.callback(control.end)
            await stack.enter_async_context(beside(gate.run(), name="gate"))
            await stack.enter_async_context(beside(control.run(), name="orders"))
            caller = Caller(records=other, gate=gate, now=self.earth.now)
            if self.early is not None:
                await self.early(caller)
            runner = self._runner(gate, await self._models(gate), control.settings)
            interrupts.tell(lambda _: runner.drain())
            control.attach(runner.control, self.watching.warned)
            await stack.enter_async_context(beside(self._watch(control), name="notes"))
            await stack.enter_async_context(beside(self.play(caller), name="others"))
            began = loop.time()
            self.ending = await runner.run()
            self.took = loop.time() - began

    async def _watch(self, control: ControlServer) -> None:
        while True:
            if control.note != (self.notes[-1] if self.notes else ""):
                self.notes.append(control.note)
            await asyncio.sleep(0.1)


async def nothing(_: Caller) -> None: ...


@pytest.fixture
def path(tmp_path: Path) -> Path:
    JournalFile.open(tmp_path / "journal.db").close()
    return tmp_path / "journal.db"


def played(path: Path, count: int, play: Play, *, early: Play | None = None, **settings: object) -> Steered:
    over = make_earth(duration=(5.0, 6.0))
    jobs = make_jobs(count, prompt="a mill, number {n}")
    begin = RunSettings(**settings)  # type: ignore[arg-type]  # fields by name
    run = Steered(over, jobs, path=path, play=play, early=early, settings=begin)
    run.go()
    return run


def submitted(run: Steered) -> list[float]:
    """When each job left, in seconds of the run."""
    return [event.at - EPOCH for event in events_of(run, SubmitStarted)]


def test_a_paused_run_waits_until_it_is_told_to_go_on(path: Path) -> None:
    said: list[str] = []

    async def play(caller: Caller) -> None:
        await asyncio.sleep(1.0)
        said.extend(one.said for one in await caller.order("pause"))
        await asyncio.sleep(300.0)
        said.extend(one.said for one in await caller.order("continue"))

    run = played(path, 12, play, in_flight=2)
    assert set(states_of(run.earth)) == {State.COLLECTED}
    assert run.took > 300.0
    assert not [at for at in submitted(run) if 3.0 < at < 300.0]
    assert said[0].endswith("until batchgen continue spring.yaml")
    assert said[1] == "resumed"
    assert run.notes == ["paused: batchgen continue spring.yaml", ""]
    assert run.watching.troubles == [f"spring: {one}" for one in said]


def test_a_paused_run_is_drained_and_none_waits_for_ever(path: Path) -> None:
    async def play(caller: Caller) -> None:
        await asyncio.sleep(1.0)
        await caller.order("pause")
        await asyncio.sleep(100.0)
        (answer,) = await caller.order("drain")
        assert answer.met

    run = played(path, 12, play, in_flight=2)
    assert run.ending is not None
    assert run.ending.drained
    assert len(run.earth.service.submissions) == 2
    assert verdict_of(run).exit is Exit.DONE
    with FileStore(path.parent).runs() as records:  # type: ignore[union-attr]  # it is there
        assert records.of_batch("spring") == []


def test_a_drain_collects_what_runs_and_takes_no_pause_any_more(path: Path) -> None:
    met: list[bool] = []

    async def play(caller: Caller) -> None:
        await asyncio.sleep(1.0)
        met.extend(one.met for one in await caller.order("drain", "pause", "drain"))

    run = played(path, 12, play, in_flight=2)
    assert met == [True, False, True]
    assert run.took < 30.0
    assert len(run.earth.service.submissions) == 2


def test_what_is_set_counts_at_once(path: Path) -> None:
    said: list[str] = []

    async def play(caller: Caller) -> None:
        await asyncio.sleep(10.0)
        said.extend(one.said for one in await caller.order("in_flight=8", "rate=none", "budget=900"))

    run = played(path, 40, play, in_flight=2, rate=SLOW)
    assert said == [
        "at most 8 in flight (was 2)",
        "requests without a rate (was 30/min)",
        "a budget of 900 CU (was none)",
    ]
    assert len([at for at in submitted(run) if at < 10.0]) <= 5
    assert run.took < 60.0
    assert run.notes == ["no rate"]


def test_a_budget_below_what_is_spent_buys_no_more(path: Path) -> None:
    async def play(caller: Caller) -> None:
        await asyncio.sleep(7.0)
        await caller.order("budget=0")

    run = played(path, 30, play, in_flight=4)
    assert verdict_of(run).exit is Exit.BUDGET
    assert len(run.earth.service.submissions) < 14


def test_a_budget_that_is_raised_in_time_lets_the_run_go_on(path: Path) -> None:
    async def play(caller: Caller) -> None:
        await asyncio.sleep(2.0)  # two run, and no third fits
        await caller.order("budget=100")

    run = played(path, 10, play, budget=Decimal(8))
    assert run.ending is not None
    assert not run.ending.over_budget
    assert len(run.earth.service.submissions) == 10


def test_the_rate_is_shared_with_a_run_that_comes_and_whole_when_it_goes(path: Path) -> None:
    intervals: list[float] = []
    turns: list[float] = []

    async def play(caller: Caller) -> None:
        pace = caller.records.pace(SCOPE, now=caller.now)
        await asyncio.sleep(1.0)
        ends = caller.now() + 10.0
        while caller.now() < ends:
            turn = pace.turn(0.1, submit=False)
            assert turn is not None
            await asyncio.sleep(turn.wait)
            turns.append(caller.now())
        intervals.append(caller.gate.interval)
        await caller.order("rate=20/s")
        await asyncio.sleep(5.0)
        intervals.append(caller.gate.interval)

    run = played(path, 200, play, rate=FAST, in_flight=20)
    assert 45 <= len(turns) <= 70, "half of them, and those that the run needed not"
    assert intervals == [pytest.approx(0.2, rel=0.3), pytest.approx(0.05, rel=0.1)]
    assert run.watching.troubles == ["spring: a rate of 20/s (was 10/s)"]
    assert run.notes == ["rate 20/s"]


def test_turns_of_its_account_cost_a_run_that_is_alone_no_time_and_no_request(path: Path) -> None:
    over, jobs = make_earth(duration=(5.0, 30.0)), make_jobs(60, prompt="a mill, number {n}")
    calls: list[tuple[str, Call]] = []

    def counted(name: str) -> Twist:
        return lambda call, answer: (calls.append((name, call)), answer)[1]  # type: ignore[func-returns-value]

    usual = Rate(count=100, seconds=60)
    shared = Steered(
        over, jobs, path=path, play=nothing, settings=RunSettings(rate=usual), twist=counted("shared")
    )
    alone = Run(make_earth(duration=(5.0, 30.0)), jobs, rate=usual, twist=counted("alone"))
    shared.go()
    alone.go()
    count = Counter(name for name, _ in calls)
    assert count["shared"] <= 1.02 * count["alone"]
    assert shared.took <= 1.02 * alone.took


def test_a_journal_that_gives_no_turns_any_more_ends_the_run(path: Path) -> None:
    async def play(_: Caller) -> None:
        await asyncio.sleep(7.0)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP TABLE accounts")

    with pytest.raises(JournalError, match="accounts"):
        played(path, 30, play, rate=SLOW, in_flight=2)


def test_a_run_that_has_ended_takes_turns_with_nobody(path: Path) -> None:
    gate, records = RateGate(FAST), FileStore(path.parent).runs()
    assert records is not None

    async def end_and_ask() -> None:
        with records:
            control = ControlServer(
                records=records,
                scope=SCOPE,
                settings=RunSettings(rate=FAST),
                gate=gate,
                clock=make_earth(),
                interrupts=Interrupts(),
                go_on="batchgen continue spring.yaml",
            )
            control.begin()
            control.end()
        async with beside(gate.run(), name="gate"):
            await gate.turn(Lane.WATCH)  # the journal is closed by now

    run_virtually(end_and_ask())


def test_what_is_ordered_before_the_first_job_is_done_as_it_begins(path: Path) -> None:
    async def early(caller: Caller) -> None:
        await caller.order("in_flight=1", "pause", "rate=2/s")
        assert caller.gate.interval == 0.5

    async def play(caller: Caller) -> None:
        await asyncio.sleep(20.0)
        await caller.order("continue")

    run = played(path, 3, play, early=early)
    assert [at > 20.0 for at in submitted(run)] == [True] * 3
    assert run.took > 20.0 + 3 * 5.0, "one after the other"
    assert run.watching.troubles[0] == "spring: at most 1 in flight (was auto)"
    assert run.notes == ["paused: batchgen continue spring.yaml; rate 2/s", "rate 2/s"]


def test_a_drain_that_is_ordered_before_the_first_job_buys_nothing(path: Path) -> None:
    async def early(caller: Caller) -> None:
        await caller.order("drain")

    run = played(path, 3, nothing, early=early)
    assert run.ending is not None
    assert run.ending.drained
    assert not run.earth.service.submissions


def test_a_journal_that_cannot_be_read_is_told_once_and_ends_no_run(path: Path) -> None:
    async def play(caller: Caller) -> None:
        await asyncio.sleep(1.0)
        caller.records.orders.give(caller.token, [("pause", "")], at=0.0)
        with sqlite3.connect(path) as connection:
            connection.execute("ALTER TABLE orders RENAME TO others")
        connection.close()

    run = played(path, 6, play, in_flight=2)
    assert set(states_of(run.earth)) == {State.COLLECTED}
    (told,) = run.watching.troubles
    assert told.startswith("spring: cannot be controlled: ")
