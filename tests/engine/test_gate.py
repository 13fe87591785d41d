import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
from aiolimiter import AsyncLimiter
from hypothesis import given
from hypothesis import strategies as st

from batchgen.engine.limits.gate import PacedLimiter, RateGate, next_lane
from batchgen.model import Rate
from batchgen.ports import Lane
from tests.support.looped import run_virtually

Body = Callable[[RateGate], Awaitable[None]]


def in_virtual_time(rate: Rate | None, body: Body) -> None:
    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            gate = RateGate(rate)
            pump = group.create_task(gate.run())
            await body(gate)
            pump.cancel()

    run_virtually(main())


def now() -> float:
    return asyncio.get_running_loop().time()


def test_submits_go_first_and_nobody_starves() -> None:
    waiting, passed, turns = set(Lane), Counter[Lane](), Counter[Lane]()
    for _ in range(300):
        lane = next_lane(waiting, passed)
        assert lane is not None
        turns[lane] += 1
        for other in Lane:
            passed[other] = 0 if other is lane else passed[other] + 1
    assert turns[Lane.SUBMIT] > turns[Lane.WATCH] >= 90
    assert turns[Lane.ASSETS] >= 28


def test_a_lane_alone_takes_every_turn() -> None:
    assert next_lane({Lane.ASSETS}, {}) is Lane.ASSETS
    assert next_lane(set(), {}) is None


@given(
    st.lists(st.tuples(st.floats(0, 5), st.sampled_from(list(Lane))), min_size=1, max_size=40),
    st.sampled_from([Rate(count=100, seconds=60), Rate(count=7, seconds=1), Rate(count=3, seconds=0.7)]),
)
def test_starts_are_evenly_spaced_whoever_comes_when(arrivals: list[tuple[float, Lane]], rate: Rate) -> None:
    starts: list[float] = []

    async def body(gate: RateGate) -> None:
        async def come(after: float, lane: Lane) -> None:
            await asyncio.sleep(after)
            await gate.turn(lane)
            starts.append(now())

        async with asyncio.TaskGroup() as group:
            for after, lane in arrivals:
                group.create_task(come(after, lane))

    in_virtual_time(rate, body)
    assert len(starts) == len(arrivals)
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert all(gap >= rate.interval - 1e-4 for gap in gaps)
    assert starts[-1] <= 5 + len(starts) * rate.interval + 1e-3, "work-conserving"


@given(
    st.lists(st.tuples(st.floats(0.1, 3), st.sampled_from([1.0, 5.0, 20.0])), min_size=1, max_size=6),
)
def test_whoever_waits_goes_on_at_a_new_rate(changes: list[tuple[float, float]]) -> None:
    starts: list[float] = []
    paces = [(0.0, 1 / 10.0)]

    async def body(gate: RateGate) -> None:
        async def come() -> None:
            await gate.turn(Lane.WATCH)
            starts.append(now())

        async with asyncio.TaskGroup() as group:
            for _ in range(60):
                group.create_task(come())
            for after, count in changes:
                await asyncio.sleep(after)
                gate.set_rate(Rate(count=count, seconds=1.0))
                paces.append((now(), 1 / count))
            assert gate.interval == paces[-1][1]
            gate.set_rate(Rate(count=100.0, seconds=1.0))
            paces.append((now(), 0.01))

    in_virtual_time(Rate(count=10, seconds=1.0), body)
    ends = [*(began for began, _ in paces[1:]), float("inf")]
    for earlier, later in pairwise(starts):
        share = sum(
            max(0.0, min(later, end) - max(earlier, began)) / interval
            for (began, interval), end in zip(paces, ends, strict=True)
        )
        assert share >= 1 - 1e-3, "a whole turn lies between two starts, at whatever rates it passed"
    assert len(starts) == 60
    assert starts[-1] <= ends[-2] + 61 * 0.01


def test_a_limit_that_is_lifted_lets_everybody_through_and_one_that_is_set_holds_them() -> None:
    starts: list[float] = []

    async def body(gate: RateGate) -> None:
        async def come() -> None:
            await gate.turn(Lane.WATCH)
            starts.append(now())

        async with asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(come())
            await asyncio.sleep(1.5)
            gate.set_rate(None)
        assert starts[-1] < 1.6
        gate.set_rate(Rate(count=2, seconds=1.0))
        await asyncio.gather(*(gate.turn(Lane.SUBMIT) for _ in range(5)))
        assert now() >= starts[-1] + 2.0

    in_virtual_time(Rate(count=1, seconds=1.0), body)


def test_a_pause_holds_its_lane_and_no_other() -> None:
    order: list[tuple[str, float]] = []

    async def body(gate: RateGate) -> None:
        async def come(lane: Lane) -> None:
            await gate.turn(lane)
            order.append((lane, now()))

        gate.pause(Lane.SUBMIT, 10)
        gate.pause(Lane.SUBMIT, 2)  # a shorter one changes nothing
        async with asyncio.TaskGroup() as group:
            for lane in (Lane.SUBMIT, Lane.WATCH, Lane.SUBMIT):
                group.create_task(come(lane))

    in_virtual_time(Rate(count=1, seconds=1), body)
    assert [lane for lane, _ in order] == ["watch", "submit", "submit"]
    assert [at for _, at in order] == pytest.approx([0, 10, 11], abs=1e-3), "and no stampede after it"


def test_a_waiter_that_gave_up_takes_no_turn() -> None:
    async def body(gate: RateGate) -> None:
        await gate.turn(Lane.WATCH)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await gate.turn(Lane.SUBMIT)
        await gate.turn(Lane.WATCH)
        assert now() == pytest.approx(1.0, abs=1e-3)

    in_virtual_time(Rate(count=1, seconds=1), body)


def test_without_a_rate_turns_cost_no_time() -> None:
    async def body(gate: RateGate) -> None:
        for _ in range(1000):
            await gate.turn(Lane.SUBMIT)
        assert now() == 0

    in_virtual_time(None, body)


def test_the_library_still_has_the_private_names_we_lean_on() -> None:
    limiter = AsyncLimiter(1, 2.0)
    assert limiter._rate_per_sec == 0.5
    assert limiter._level == 0.0
    assert PacedLimiter._leak is not AsyncLimiter._leak
