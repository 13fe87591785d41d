from hypothesis import given
from hypothesis import strategies as st

from batchgen.engine.limits.ceiling import PROBE_AFTER, Ceiling


def test_one_unanswered_submit_goes_beyond_what_was_ever_accepted() -> None:
    ceiling = Ceiling()
    assert ceiling.has_room(0)
    assert not ceiling.has_room(1)
    assert ceiling.accepted(1).has_room(1)
    assert not ceiling.accepted(1).has_room(2)


def test_the_users_number_is_an_upper_bound() -> None:
    ceiling = Ceiling(bound=2).accepted(1).accepted(2)
    assert ceiling.has_room(1)
    assert not ceiling.has_room(2)


def test_a_refusal_teaches_the_lower_of_what_is_told_and_what_was_running() -> None:
    def taught(told: int, others: int) -> int | None:
        return Ceiling(proven=20).refused(others, told=told, cooldown=None, now=0).limit

    assert (taught(5, 20), taught(20, 5), taught(5, 0)) == (5, 5, 1)


def test_a_refusal_for_another_reason_teaches_no_limit() -> None:
    assert Ceiling(proven=3).refused(3, told=None, cooldown=900, now=0).limit is None


def test_one_more_is_tried_after_a_quiet_time() -> None:
    ceiling = Ceiling(proven=9).refused(5, told=5, cooldown=None, now=100)
    assert ceiling.probed(100 + PROBE_AFTER - 1).limit == 5
    later = ceiling.probed(100 + PROBE_AFTER)
    assert later.limit == 6
    assert later.has_room(5)
    assert later.probed(100 + PROBE_AFTER + 1).limit == 6


def test_a_long_cooldown_makes_the_quiet_time_longer() -> None:
    ceiling = Ceiling().refused(5, told=5, cooldown=60, now=0)
    assert (ceiling.probed(599).limit, ceiling.probed(600).limit) == (5, 6)


refusals = st.tuples(st.integers(0, 50), st.none() | st.integers(0, 50), st.none() | st.floats(0, 1000))


@given(st.lists(refusals), st.none() | st.integers(1, 50))
def test_there_is_always_room_for_the_first(
    refused: list[tuple[int, int | None, float | None]], bound: int | None
) -> None:
    ceiling = Ceiling(bound=bound)
    for number, (others, told, cooldown) in enumerate(refused):
        ceiling = ceiling.refused(others, told=told, cooldown=cooldown, now=float(number))
        assert ceiling.has_room(0)
        assert bound is None or not ceiling.has_room(bound)
