from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.reconcile.absence import Conclusion, DoubtPolicy, Findings, Move, OnAbsent, conclude

POLICY = DoubtPolicy(settle=60, settle_max=600)
SHOWN_ABSENT = Findings(watched=60, clean=(2, 22, 42, 60), dates=(102, 122, 142, 160), witness="job_9")


def move(policy: DoubtPolicy = POLICY, **changes: Any) -> Move:
    return conclude(replace(SHOWN_ABSENT, **changes), policy).move


def test_two_listings_and_a_witness_show_a_job_absent() -> None:
    assert conclude(SHOWN_ABSENT, POLICY) == Conclusion(
        move=Move.RESUBMIT, evidence={"listings": [142, 160], "control": "job_9", "lag": 0.0}
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"witness": None},
        {"clean": (60.0,)},
        {"clean": (41.0, 60.0)},
        {"clean": (2.0, 22.0, 42.0), "watched": 42},
        {"near": ("job_7",)},
        {"lag": 21.0},
    ],
)
def test_anything_less_shows_nothing(changes: dict[str, Any]) -> None:
    assert move(**changes) is Move.WAIT


def test_listings_that_lag_must_be_waited_for_three_times_as_long() -> None:
    assert move(lag=21.0, watched=63, clean=(22, 63)) is Move.RESUBMIT


def test_what_a_run_that_may_be_alive_has_sent_is_not_absent_before_its_lease_is_long_over() -> None:
    taken: dict[str, Any] = {"before": 100.0, "wait": 90.0, "watched": 90}
    assert move(**taken, clean=(160.0, 189.0)) is Move.WAIT
    assert move(**taken, clean=(160.0, 190.0)) is Move.RESUBMIT


def test_nobody_is_asked_to_decide_before_such_a_run_could_be_called_dead() -> None:
    found: dict[str, Any] = {"before": 0.0, "wait": 1500.0, "watched": 1400, "witness": "job_9"}
    assert move(**found, clean=(1300.0, 1400.0)) is Move.WAIT


def test_an_older_witness_will_do_only_after_a_long_wait() -> None:
    older: dict[str, Any] = {"witness": None, "older_witness": "job_1"}
    assert move(**older, watched=599, clean=(300, 599)) is Move.WAIT
    assert move(**older, watched=600, clean=(300, 600)) is Move.RESUBMIT


def test_without_any_witness_a_person_decides() -> None:
    found = conclude(replace(SHOWN_ABSENT, witness=None, watched=600, clean=(300, 600)), POLICY)
    assert (found.move, "no other job of ours" in found.reason) == (Move.HOLD, True)


def test_near_matches_are_named_to_the_person_in_the_end() -> None:
    assert move(near=("job_7",), watched=1199) is Move.WAIT
    found = conclude(replace(SHOWN_ABSENT, near=("job_7",), watched=1200), POLICY)
    assert (found.move, "job_7" in found.reason) == (Move.HOLD, True)


def test_listings_that_never_come_end_with_a_person_too() -> None:
    assert move(clean=(), witness=None, watched=1200) is Move.HOLD


@pytest.mark.parametrize(
    "held",
    [
        {"policy": replace(POLICY, then=OnAbsent.HOLD)},
        {"absences": 2},
        {"trusted": False},
    ],
)
def test_what_is_shown_absent_is_held_where_sending_it_again_is_not_safe(held: dict[str, Any]) -> None:
    assert move(**held) is Move.HOLD


@given(
    st.lists(st.floats(0, 2000), max_size=6),
    st.floats(0, 2000),
    st.none() | st.just("job_1"),
    st.none() | st.just("job_2"),
    st.floats(0, 100),
)
def test_nothing_is_sent_again_without_a_witness_and_two_settled_listings(
    clean: list[float], now: float, witness: str | None, older: str | None, lag: float
) -> None:
    listings = tuple(sorted(one for one in clean if one <= now))
    found = Findings(watched=now, clean=listings, witness=witness, older_witness=older, lag=lag)
    if conclude(found, POLICY).move is Move.RESUBMIT:
        assert witness or (older and now >= POLICY.settle_max)
        assert listings[-1] >= max(60, 3 * lag)
        assert listings[-1] - listings[0] >= 20


@given(st.floats(1200, 10_000), st.booleans(), st.booleans())
def test_no_doubt_lasts_for_ever(now: float, near: bool, listed: bool) -> None:
    found = Findings(watched=now, clean=(1.0, now) if listed else (), near=("job_7",) if near else ())
    assert conclude(found, POLICY).move is not Move.WAIT


@given(st.floats(0, 100_000_000), st.floats(0, 1199))
def test_time_in_which_nobody_looked_counts_for_settling_and_never_for_giving_up(
    before: float, watched: float
) -> None:
    ages = (before + watched / 2, before + watched)
    found = Findings(watched=watched, clean=ages, near=("job_7",))
    assert conclude(found, POLICY).move is Move.WAIT
    settled = ages[1] >= POLICY.settle and ages[1] - ages[0] >= POLICY.spacing
    absent = conclude(Findings(watched=watched, clean=ages, witness="job_9"), POLICY).move
    assert absent is (Move.RESUBMIT if settled else Move.WAIT)


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ({"clean": (), "incomplete": "503"}, "could not be read to its end: 503"),
        ({"clean": (), "clouded": 2}, "2 listed rows cannot be read"),
        ({"clean": (2.0, 1820.0), "lag": 900.0, "watched": 1820}, "lag by up to 900 s"),
        ({"near": ("job_7",)}, "job_7"),
    ],
)
def test_what_is_held_says_only_what_is_so(why: dict[str, Any], words: str) -> None:
    found = conclude(replace(SHOWN_ABSENT, **{"watched": 1200, "witness": None, **why}), POLICY)
    assert (found.move, words in found.reason) == (Move.HOLD, True)


def test_a_doubt_is_not_given_up_before_lagging_listings_could_have_shown_it_absent() -> None:
    policy = DoubtPolicy(settle=3, settle_max=9)
    late = replace(SHOWN_ABSENT, clean=(2.0, 10.0, 18.0), watched=18.0, lag=7.0)
    assert conclude(late, policy).move is Move.WAIT
    assert conclude(replace(late, clean=(*late.clean, 21.5), watched=21.5), policy).move is Move.RESUBMIT
    assert conclude(replace(late, watched=28.0, lag=90.0), policy).move is Move.HOLD
