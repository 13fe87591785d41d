"""Several runs of one account share what the service lets run at once."""

import asyncio
import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.engine.limits.ceiling import Ceiling
from batchgen.engine.limits.pools import Pools
from batchgen.loop_clock import loop_time
from batchgen.model import JobKey
from batchgen.planning.room import Elsewhere, Limit, Taken, Waiting
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Limits, Settings
from tests.support.looped import run_virtually
from tests.support.shared_account import Account
from tests.support.teams import Play, Team
from tests.support.virtual import Earth

CEILING = 20


def earth(ceiling: int = CEILING, low: float = 4.0, high: float = 9.0) -> Earth:
    return Earth(service=Service(Settings(duration=(low, high), limits=Limits(ceiling=ceiling))))


def means(play: Play, *, after: float) -> list[float]:
    """Return how many jobs each had in flight, on average while all of them had more to buy."""
    samples = [one.in_flight for one in play.samples if one.at > after and min(one.left) > 0]
    assert len(samples) > 20
    return [sum(column) / len(samples) for column in zip(*samples, strict=True)]


@pytest.mark.parametrize("count", [2, 4])
def test_runs_that_begin_together_share_a_ceiling_evenly(count: int) -> None:
    play = Play(earth(), [Team(name=f"batch-{n}", jobs=120 // count + 20) for n in range(count)]).go()
    assert play.done == 120 + 20 * count
    assert all(abs(one - CEILING / count) <= 1 for one in means(play, after=20))
    assert play.earth.service.most_in_flight == CEILING
    assert len(play.refused) <= count + 1, "each may run into it once, before anybody knows it"


def test_so_they_do_over_a_file(tmp_path: Path) -> None:
    play = Play(earth(), [Team(name="spring", jobs=60), Team(name="autumn", jobs=60)], tmp_path).go()
    assert play.done == 120
    assert all(abs(one - CEILING / 2) <= 1 for one in means(play, after=20))
    assert len(play.refused) <= 3


def test_one_that_comes_later_has_its_share_when_a_job_has_taken_its_time() -> None:
    play = Play(earth(), [Team(name="spring", jobs=180), Team(name="autumn", jobs=40, begins=25)]).go()
    assert play.done == 220
    alone = [one.in_flight[0] for one in play.samples if 15 < one.at < 25]
    assert sum(alone) / len(alone) > CEILING - 1, "alone it uses all of it"
    assert all(abs(one - CEILING / 2) <= 1 for one in means(play, after=25 + 10))
    end = max(one.at for one in play.samples if one.left[1] > 0)
    again = [one.in_flight[0] for one in play.samples if one.at > end + 10 and one.left[0] > 0]
    assert again
    assert max(again) == CEILING, "and again, when the other has no more to buy"
    assert len(play.refused) <= 1, "who comes later is told of the limit by the journal"


def test_where_there_are_fewer_places_than_runs_nobody_is_left_out() -> None:
    play = Play(earth(ceiling=2), [Team(name=f"batch-{n}", jobs=12) for n in range(3)]).go()
    assert play.done == 36
    assert max(play.took.values()) - min(play.took.values()) < 25
    assert play.earth.service.most_in_flight == 2


def test_one_run_tries_one_more_for_all() -> None:
    account, moments = Account(), list[float]()

    async def main() -> None:
        clock = Earth()
        both = [
            Pools(Ceiling(), memory=member, clock=clock, room=member)
            for member in map(account.batch, ("spring", "autumn"))
        ]
        flux, first = JobKey("v1:0"), both[0]
        first.put(flux, "flux")
        first.refused(flux, action="", told=4, cooldown=None)
        for one in both:
            one.no_room("flux")
        before = first.limit
        while len(moments) < 3:
            await asyncio.sleep(1)
            for one in both:
                one.see()
                one.has_room("flux", ())
            if first.limit != before:
                before = first.limit
                moments.append(loop_time())
        assert both[1].limit == first.limit == 4, "1 was taught, and 3 more were tried"

    run_virtually(main())
    assert all(after - before >= 300 for before, after in pairwise([0.0, *moments])), moments


BATCHES = ("spring", "autumn", "winter", "summer")


@given(most=st.integers(1, 9), data=st.data())
def test_whatever_they_have_somebody_may_take_a_free_place_and_nobody_more_than_there_are(
    most: int, data: st.DataObject
) -> None:
    has = dict.fromkeys(BATCHES, 0)
    since = {name: float(place) for place, name in enumerate(data.draw(st.permutations(list(BATCHES))))}
    waits = data.draw(st.sets(st.sampled_from(BATCHES), min_size=1))

    def may(name: str) -> bool:
        elsewhere = Elsewhere(
            taken=[Taken(one, "flux", jobs) for one, jobs in has.items() if one != name and jobs],
            waiting=[Waiting(one, "flux", since[one]) for one in sorted(waits) if one != name],
            since=since[name] if name in waits else None,
        )
        return Limit(most=most, mine=has[name]).has_room(elsewhere)

    for moment in range(30):
        able = [name for name in BATCHES if may(name)]
        assert any(name in waits for name in able) or sum(has.values()) >= most
        takes: bool = data.draw(st.booleans())
        if able and takes:
            name = data.draw(st.sampled_from(able))
            has[name] += 1
            since[name] = 10.0 + moment
        elif busy := [name for name, jobs in has.items() if jobs]:
            has[data.draw(st.sampled_from(busy))] -= 1
        assert sum(has.values()) <= most


@given(most=st.integers(1, 24), among=st.integers(2, 4), order=st.randoms(use_true_random=False))
def test_from_whatever_they_begin_with_they_come_to_equal_shares(
    most: int, among: int, order: random.Random
) -> None:
    names = BATCHES[:among]
    has = dict.fromkeys(names, 0)
    has[names[0]] = most  # it was alone
    since = dict.fromkeys(names, 0.0)
    for moment in range(1, 20 * most):
        ended = order.choice([name for name in names for _ in range(has[name])])
        has[ended] -= 1
        for name in order.sample(names, among):
            elsewhere = Elsewhere(
                taken=[Taken(one, "flux", has[one]) for one in names if one != name],
                waiting=[Waiting(one, "flux", since[one]) for one in names if one != name],
                since=since[name],
            )
            if Limit(most=most, mine=has[name]).has_room(elsewhere):
                has[name] += 1
                since[name] = float(moment)
    assert max(has.values()) - min(has.values()) <= 1
    assert sum(has.values()) == most
