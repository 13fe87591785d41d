"""Limits that are learned, of one pool or of several, and what is kept of them."""

import asyncio
from collections.abc import Callable, Iterable

from hypothesis import given
from hypothesis import strategies as st

from batchgen.engine.limits.ceiling import Ceiling
from batchgen.engine.limits.pools import Pools
from batchgen.engine.waiting import Waiting
from batchgen.lifecycle import Record
from batchgen.model import JobKey, KeptCeiling
from batchgen.planning.plan import Entry
from tests.support.builders import make_job
from tests.support.looped import run_virtually

NOW = 1_800_000_000.0


def key(number: int) -> JobKey:
    return JobKey(f"v1:{number}", 1)


class Memory:
    """Keeps ceilings, and is the clock beside it."""

    def __init__(self, *kept: KeptCeiling) -> None:
        self.kept = {one.action: one for one in kept}

    def ceilings(self) -> Iterable[KeptCeiling]:
        return list(self.kept.values())

    def keep_ceiling(self, kept: KeptCeiling) -> None:
        self.kept[kept.action] = kept

    def now(self) -> float:
        return NOW + asyncio.get_running_loop().time()


def in_a_loop(play: Callable[[], None], *, after: float = 0.0) -> None:
    async def main() -> None:
        await asyncio.sleep(after)
        play()

    run_virtually(main())


def fill(pools: Pools, model: str, count: int, *, first: int = 0) -> None:
    for number in range(first, first + count):
        pools.put(key(number), model)
        pools.accepted(model, ())


def test_a_refusal_teaches_how_many_there_were() -> None:
    def play() -> None:
        pools = Pools(Ceiling())
        fill(pools, "flux", 5)
        pools.put(key(9), "flux")
        assert pools.refused(key(9), action="parallelCustomJobs", told=8, cooldown=None) == 5
        pools.take(key(9))
        assert pools.limit == 5
        assert not pools.has_room("flux", ())
        assert not pools.has_room("imagen", ())

    in_a_loop(play)


def test_a_limit_of_another_name_holds_back_the_model_that_met_it_and_no_other() -> None:
    def play() -> None:
        pools = Pools(Ceiling())
        fill(pools, "flux", 4)
        pools.put(key(9), "flux")
        pools.refused(key(9), action="parallelCustomJobs", told=4, cooldown=None)
        pools.take(key(9))
        pools.take(key(0))
        fill(pools, "video", 1, first=20)
        pools.put(key(9), "video")
        pools.refused(key(9), action="parallelVideoJobs", told=1, cooldown=None)
        pools.take(key(9))
        assert not pools.has_room("video", ())
        assert pools.has_room("flux", ())
        assert pools.limit == 5

    in_a_loop(play)


def test_a_model_that_meets_both_limits_counts_against_both() -> None:
    def play() -> None:
        pools = Pools(Ceiling(bound=None, proven=9))
        fill(pools, "video", 3)
        pools.put(key(9), "video")
        pools.refused(key(9), action="all", told=3, cooldown=None)
        pools.refused(key(9), action="video", told=5, cooldown=None)
        pools.refused(key(9), action="all", told=3, cooldown=None)
        pools.take(key(9))
        assert not pools.has_room("video", ())
        assert not pools.has_room("flux", ())
        pools.take(key(0))
        assert pools.has_room("video", ())

    in_a_loop(play)


def test_the_users_bound_holds_over_all_pools() -> None:
    def play() -> None:
        pools = Pools(Ceiling(bound=2, proven=9))
        fill(pools, "flux", 1)
        fill(pools, "video", 1, first=5)
        assert not pools.has_room("flux", ())
        assert not pools.has_room("other", ())
        pools.bound(3)
        assert pools.has_room("other", ())
        pools.bound(None)
        assert pools.limit is None

    in_a_loop(play)


def test_what_was_learned_serves_the_next_run_and_one_more_is_tried_when_it_has_been_quiet() -> None:
    memory = Memory()

    def first() -> None:
        pools = Pools(Ceiling(), memory=memory, clock=memory)
        fill(pools, "flux", 3)
        pools.put(key(9), "flux")
        pools.refused(key(9), action="parallelCustomJobs", told=3, cooldown=None)

    def second() -> None:
        pools = Pools(Ceiling(), memory=memory, clock=memory)
        assert pools.limit == 3
        fill(pools, "flux", 3)
        assert not pools.has_room("flux", ())

    def third() -> None:
        pools = Pools(Ceiling(), memory=memory, clock=memory)
        fill(pools, "flux", 3)
        assert pools.has_room("flux", ())
        assert pools.limit == 4
        pools.keep()

    in_a_loop(first)
    in_a_loop(second, after=10)
    in_a_loop(third, after=301)
    assert memory.kept["parallelCustomJobs"].limit == 4


def test_what_other_people_took_of_a_limit_is_forgotten_after_an_hour() -> None:
    kept = KeptCeiling(action="all", models=(), limit=3, told=20, refused_at=NOW, quiet=300.0)
    limits: list[int | None] = []

    def look() -> None:
        memory = Memory(kept)
        limits.append(Pools(Ceiling(), memory=memory, clock=memory).limit)

    in_a_loop(look, after=3000)
    in_a_loop(look, after=4000)
    assert limits == [3, 20]


def test_a_second_pool_is_remembered_with_its_models() -> None:
    video = KeptCeiling(action="video", models=("video",), limit=1, told=1, refused_at=NOW, quiet=300.0)
    memory = Memory(video, KeptCeiling(action="all", models=(), limit=6, told=6, refused_at=NOW, quiet=300.0))

    def play() -> None:
        pools = Pools(Ceiling(), memory=memory, clock=memory)
        fill(pools, "video", 1)
        assert not pools.has_room("video", ())
        assert pools.has_room("flux", ())
        pools.keep()

    in_a_loop(play)
    assert memory.kept["video"] == video


def test_what_the_account_allows_is_not_kept() -> None:
    memory = Memory()

    def play() -> None:
        pools = Pools(Ceiling(), memory=memory, clock=memory)
        pools.expect(20)
        pools.keep()

    in_a_loop(play)
    assert not memory.kept


def test_what_the_account_allows_is_a_beginning_and_gives_way_to_what_was_learned() -> None:
    def play() -> None:
        pools = Pools(Ceiling())
        pools.expect(20)
        assert pools.limit == 20
        fill(pools, "flux", 4)
        pools.put(key(9), "flux")
        pools.refused(key(9), action="parallelCustomJobs", told=20, cooldown=None)  # others run jobs too
        pools.expect(20)
        assert pools.limit == 4

    in_a_loop(play)


def entry(number: int, model: str) -> Entry:
    return Entry(key=key(number), job=make_job(f"job-{number}", model=model), record=Record())


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30), st.sets(st.sampled_from("abc"))
)
def test_of_those_that_may_leave_the_first_does(calls: list[tuple[str, bool]], may: set[str]) -> None:
    waiting, expected = Waiting(), list[Entry]()
    for number, (model, left) in enumerate(calls):
        one = entry(number, model)
        (waiting.appendleft if left else waiting.append)(one)
        expected.insert(0 if left else len(expected), one)
    assert list(waiting) == expected
    while (one_more := waiting.first(may.__contains__)) is not None:
        first = next(one for one in expected if one.job.model in may)
        assert one_more is first
        waiting.remove(one_more)
        expected.remove(first)
    assert list(waiting) == expected
    assert len(waiting) == len(expected)
    assert not may & {one.job.model for one in expected}
