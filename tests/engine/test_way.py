"""Which way to look, how far apart, and when listings are not to be believed: pure decisions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.engine.watch.listing_trust import MOST_OVERLOOKED, SLACK, SURE_AFTER, ListingTrust
from batchgen.engine.watch.strategy import LookStrategy, SweepGaps, WatchState, choose


@pytest.mark.parametrize(
    ("watched", "ripe", "created", "updated", "sweeping", "way"),
    [
        (1, 1, 1, None, False, LookStrategy.POLL),  # one alone costs a request either way
        (1, 1, 1, None, True, LookStrategy.CREATED),  # the last of many
        (2, 1, 2, None, False, LookStrategy.CREATED),
        (20, 7, 45, None, True, LookStrategy.CREATED),
        (20, 3, 101, None, True, LookStrategy.UPDATED),  # two pages are dearer than polls for three
        (200, 60, 200, None, True, LookStrategy.CREATED),
        (200, 60, 201, None, True, LookStrategy.UPDATED),
        (200, 60, 2000, 500, True, LookStrategy.UPDATED),
        (200, 60, 2000, 501, True, LookStrategy.POLL),
        (200, 6, 2000, 300, True, LookStrategy.POLL),  # three pages are dearer than polls for six
    ],
)
def test_the_cheapest_way_that_shows_enough_is_taken(
    watched: int, ripe: int, created: int, updated: int | None, sweeping: bool, way: LookStrategy
) -> None:
    sight = WatchState(watched=watched, ripe=ripe, created=created, updated=updated, sweeping=sweeping)
    assert choose(sight) is way


def test_a_gap_between_sweeps_is_a_small_share_of_what_a_job_takes() -> None:
    gaps = SweepGaps()
    assert gaps.gap(3.0) == pytest.approx(0.255)
    assert gaps.gap(0.01) == gaps.shortest
    assert gaps.gap(1200.0) == gaps.longest


def test_where_a_rate_is_set_sweeps_use_what_submits_leave_of_it() -> None:
    gaps = SweepGaps()
    assert gaps.gap(33.0, interval=0.6) == pytest.approx(1.2)
    assert gaps.gap(33.0, interval=0.6, pressed=True) == pytest.approx(6.0)


@given(st.floats(0, 1e6), st.floats(0, 60), st.booleans())
def test_a_gap_is_never_shorter_than_two_turns_of_the_rate(
    duration: float, interval: float, pressed: bool
) -> None:
    gaps = SweepGaps()
    gap = gaps.gap(duration, interval=interval, pressed=pressed)
    assert gap >= max(gaps.shortest, 2 * interval)
    assert gap <= max(gaps.longest, 10 * interval)


def test_a_listing_that_overlooks_three_of_the_last_twenty_ends_is_believed_no_longer() -> None:
    trust = ListingTrust()
    lost = []
    for late in (3.0, 4.5, 3.5):
        lost.append(trust.lost)
        trust.ended(late=late)
    assert [*lost, trust.lost] == [False] * (MOST_OVERLOOKED + 1) + [True]
    assert trust.lag == 4.5


def test_what_was_overlooked_long_ago_is_forgiven() -> None:
    trust = ListingTrust()
    for number in range(200):
        trust.ended(late=9.0 if number % 10 == 0 else -1.0)
        assert not trust.lost


def test_an_end_just_before_a_sweep_is_not_held_against_it() -> None:
    trust = ListingTrust()
    young = []
    for _ in range(SURE_AFTER):
        young.append(trust.young)
        trust.ended(late=SLACK)
    assert [*young, trust.young] == [True] * SURE_AFTER + [False]
    assert not trust.lost
    assert trust.lag == 0.0
