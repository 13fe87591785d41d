"""Runs that wake after another one took over: nothing twice, nothing lost; ``make zombies`` plays more."""

from collections import Counter

import pytest

from tests.proof.zombies import Befalls, Point, draw, main, play

_FEW = 10
# in each of these something goes wrong with one or more of the faults planted in leases
_TELLING = (72, 87, 88, 104, 111, 121, 129, 132, 144, 236, 543)


@pytest.mark.parametrize("first", range(0, 30, _FEW))
def test_whoever_wakes_pays_nothing_twice_and_loses_nothing(first: int) -> None:
    for seed in range(first, first + _FEW):
        verdict = play(seed)
        assert not verdict.wrong, str(verdict)


def test_the_seeds_that_tell_the_most_hold_too() -> None:
    tally = Counter[str]()
    for seed in _TELLING:
        verdict = play(seed)
        assert not verdict.wrong, str(verdict)
        tally += verdict.tally
    assert tally["woke after another one took over"] >= len(_TELLING) / 2
    assert tally["POSTs that the last look kept back"]
    assert tally["testified: Accepted"]
    assert tally["testified: NotSent"]


def test_the_seeds_of_this_suite_have_every_accident_in_every_moment() -> None:
    drawn = [one for seed in range(40) for own in draw(seed).accidents for one in own]
    assert {one.befalls for one in drawn} == set(Befalls)
    assert {one.point for one in drawn if one.befalls is Befalls.STANDS_STILL} == set(Point)


def test_a_seed_plays_the_same_every_time() -> None:
    one, other = play(3), play(3)
    assert draw(3) == draw(3)
    assert one.log == other.log
    assert one.tally == other.tally


def test_one_seed_tells_its_story_and_how_it_is_played_again() -> None:
    said: list[str] = []
    assert main(["3"], said.append) == 0
    assert "leads, epoch 1" in said[0]
    assert said[0].endswith("python -m tests.proof.zombies 3")
