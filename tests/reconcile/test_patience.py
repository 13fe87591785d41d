"""Patience is time of looking: neither time without a listing nor one that takes long to fail counts."""

from hypothesis import given
from hypothesis import strategies as st

from batchgen.reconcile.patience import Patience

LONGEST = 40.0


def looks(*each: tuple[float, bool]) -> Patience:
    """Look at these moments, each with whether the listing was read to its end."""
    patience = Patience()
    for begun, complete in each:
        patience.look(begun, complete=complete, longest=LONGEST)
    return patience


def test_complete_listings_a_gap_apart_count_as_that_gap() -> None:
    assert looks((100.0, True), (120.0, True), (140.0, True)).watched == 40


def test_what_lies_before_the_first_look_counts_as_nothing() -> None:
    patience = looks((1_000_000.0, True))
    assert (patience.watched, patience.blind) == (0, 0)


def test_a_listing_that_fails_counts_as_nothing_and_makes_blind() -> None:
    patience = looks((0.0, True), (20.0, True), (140.0, False), (260.0, False))
    assert (patience.watched, patience.blind) == (20, 240)


def test_the_first_listing_after_a_blind_time_ends_it() -> None:
    patience = looks((0.0, False), (120.0, False), (240.0, True))
    assert (patience.watched, patience.blind) == (LONGEST, 0)


@given(st.lists(st.tuples(st.floats(0, 1000), st.booleans()), max_size=30))
def test_it_never_counts_more_than_has_passed(gaps: list[tuple[float, bool]]) -> None:
    at, patience = 0.0, Patience()
    for gap, complete in gaps:
        at += gap
        patience.look(at, complete=complete, longest=LONGEST)
        assert 0 <= patience.watched <= at
        assert 0 <= patience.blind <= at
