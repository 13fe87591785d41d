import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.backoff import Backoff, PollGaps

jitters = st.floats(0, 1, exclude_max=True)


@given(st.integers(0, 10**9), jitters)
def test_a_delay_is_bounded_for_any_attempt(failures: int, jitter: float) -> None:
    assert 0 < Backoff(first=0.5, ceiling=30).delay(failures, jitter=jitter) <= 30


def test_delays_double_up_to_the_ceiling() -> None:
    delays = [Backoff(first=0.5, ceiling=30).delay(n, jitter=0) for n in range(1, 10)]
    assert delays == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_jitter_takes_at_most_half_away() -> None:
    assert Backoff(first=4).delay(1, jitter=0.5) == 3


@given(st.integers(1, 2000), jitters, st.floats(0, 900))
def test_what_the_service_asks_for_is_never_cut_short(failures: int, jitter: float, asked: float) -> None:
    assert asked <= Backoff().wait(failures, jitter=jitter, asked=asked) <= asked + 1


@given(st.floats(0, 1e9), jitters)
def test_gaps_grow_with_the_wait_and_stay_bounded(waited: float, jitter: float) -> None:
    gaps = PollGaps()
    assert 0.9 * gaps.shortest <= gaps.gap(waited, jitter=jitter) <= 1.1 * gaps.longest
    assert gaps.gap(waited, jitter=jitter) <= gaps.gap(waited + 100, jitter=jitter)


def test_the_first_look_is_a_low_quantile_of_what_was_seen() -> None:
    gaps = PollGaps()
    assert gaps.first_look((), usual=2.0) == 2.0
    assert gaps.first_look(tuple(float(n) for n in range(30, 80)), usual=2.0) == pytest.approx(40.5)
    assert gaps.first_look(tuple(30 + n / 10 for n in range(50)), usual=2.0) == pytest.approx(31.5)
    assert gaps.first_look((0.01,), usual=2.0) == gaps.shortest
