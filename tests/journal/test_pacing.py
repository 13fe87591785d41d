"""Which turns are given: one line each, and what holds of all of them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.journal.pacing import HORIZON, LONGEST_HOLD, AccountRow, TurnsGiven, TurnsWanted, give

NOW = 1_800_000_000.0


def wanted(**more: float | bool) -> TurnsWanted:
    usual = TurnsWanted(many=1, interval=0.5, submit=False, hold=0.0, now=NOW)
    return usual._replace(**more)  # type: ignore[arg-type]  # fields by name


def test_the_first_turn_is_now_and_the_next_an_interval_later() -> None:
    row, first = give(AccountRow(), wanted())
    row, second = give(row, wanted())
    assert (first, second) == (TurnsGiven(0.0, -NOW, taken=True), TurnsGiven(0.5, -NOW, taken=True))
    assert give(row, wanted(now=NOW + 60.0))[1].wait == 0.0, "and nothing is saved up"


def test_several_turns_are_one_after_the_other() -> None:
    row, _ = give(AccountRow(), wanted(many=10, interval=0.01))
    assert row.last_turn == pytest.approx(NOW + 0.09)
    assert give(row, wanted(interval=0.01))[1].wait == pytest.approx(0.1, abs=1e-6)


def test_a_slow_run_has_a_turn_as_soon_as_a_quick_one_until_that_has_been_gone_for_a_while() -> None:
    row, _ = give(AccountRow(), wanted())
    assert give(row, wanted(interval=8.0))[1].wait == 0.5
    late = NOW + HORIZON + 1.0
    row, _ = give(row, wanted(interval=8.0, now=late))
    assert give(row, wanted(interval=8.0, now=late))[1].wait == 8.0
    assert give(row, wanted(now=late))[1].wait == 0.5, "a quick one never waits for the rest of it"


def test_no_turn_is_given_far_ahead() -> None:
    row, _ = give(AccountRow(), wanted(interval=3600.0))
    same, answer = give(row, wanted(interval=3600.0))
    assert answer == TurnsGiven(HORIZON, -NOW, taken=False)
    assert same == row
    assert give(row, wanted(interval=3600.0, now=NOW + 3599.0))[1].taken


def test_a_submit_takes_no_turn_while_nobody_may_submit_and_a_look_does() -> None:
    row, _ = give(AccountRow(), wanted(many=0, hold=30.0))
    same, answer = give(row, wanted(submit=True, now=NOW + 10.0))
    assert answer == TurnsGiven(20.0, 20.0, taken=False)
    assert same == row
    assert give(row, wanted(now=NOW + 10.0))[1] == TurnsGiven(0.0, 20.0, taken=True)
    assert give(row, wanted(many=0, hold=5.0))[0].submit_after == NOW + 30.0, "a shorter one changes nothing"


def test_a_clock_that_was_set_back_holds_nobody() -> None:
    ahead = NOW + 86_400.0
    row = AccountRow(last_turn=ahead, gap=0.1, gap_until=ahead, submit_after=ahead)
    answer = give(row, wanted(submit=True))[1]
    assert (answer.wait, answer.taken) == (0.0, True)
    assert give(row._replace(submit_after=NOW + LONGEST_HOLD), wanted(submit=True))[1].held == LONGEST_HOLD


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.1, 0.5, 3.0]), st.sampled_from([0.25, 0.5, 2.0, 4.0, 8.0])),
        min_size=2,
        max_size=60,
    )
)
def test_turns_are_never_nearer_than_the_quickest_run_has_it_nor_later_than_they_need_be(
    asked: list[tuple[float, float]],
) -> None:
    row, now, turns = AccountRow(), NOW, list[float]()
    for after, interval in asked:
        now += after
        row, answer = give(row, wanted(interval=interval, now=now))
        if answer.taken:
            turns.append(now + answer.wait)
            assert answer.wait <= max([0.0, *(one + interval - now for one in turns[-2:-1])]) + 1e-6
    quickest = min(one for _, one in asked)
    assert all(quickest - 1e-6 <= later - earlier for earlier, later in pairwise(turns))
    assert turns[-1] <= now + HORIZON
