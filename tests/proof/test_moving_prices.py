"""Seeds of the proof in which prices move, charges are told twice, or the journal is lost under a cap."""

import pytest

from tests.proof.play import play
from tests.proof.rare import draw

# in each of these something goes wrong with one or more of the faults planted in what is bought under a cap
_MOVING = (444, 462, 945, 999, 1822, 2131, 3999)
_LOST = (173, 302, 605, 1387, 1477, 1667, 2553)
_DOUBTS = (3337, 3685)  # bought without a cap and a price, and in doubt under a cap


@pytest.mark.parametrize("seed", _MOVING)
def test_no_price_that_moves_and_no_charge_that_is_told_twice_goes_over_a_cap(seed: int) -> None:
    report = play(seed)
    market = report.scenario.market
    assert market is not None, f"seed {seed} has no money: choose another one"
    assert market.changes, f"no price moves in seed {seed}: choose another one"
    assert not report.wrong, str(report)


@pytest.mark.parametrize("seed", _LOST)
def test_what_a_lost_journal_knew_counts_against_a_cap_once_it_is_seen(seed: int) -> None:
    report = play(seed)
    assert report.scenario.loses_journals, f"seed {seed} loses none: choose another one"
    assert report.tally["seeds with a budget"], f"seed {seed} has no budget: choose another one"
    assert not report.wrong, str(report)


@pytest.mark.parametrize("seed", _DOUBTS)
def test_a_doubt_without_a_price_counts_as_soon_as_one_is_told(seed: int) -> None:
    report = play(seed)
    assert not report.wrong, str(report)


def test_the_seeds_of_this_suite_meet_every_kind() -> None:
    drawn = [draw(seed) for seed in range(1000)]
    settings = [one.settings for one in drawn if one.market is not None and one.market.changes]
    assert any(one.views.hides_addons for one in settings)
    assert any(one.discount for one in settings)
    assert any(one.market.mute for one in drawn if one.market is not None)
    assert any(one.loses_journals for one in drawn if one.market is not None)
