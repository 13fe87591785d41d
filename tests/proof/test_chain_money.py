"""Seeds of chains under a cap."""

from collections import Counter

from tests.proof.chain_money import ChainMoney, story_of

_SEEDS = range(12)


def test_whatever_happens_under_a_cap_it_holds_and_nothing_is_kept_or_begun_in_vain() -> None:
    tally: Counter[str] = Counter()
    for seed in _SEEDS:
        world = ChainMoney(seed)
        assert world.play() == [], f"seed {seed}"
        tally.update(world.tally)
    for one in ("of those whose cap ends in the middle of a chain", "of those dearer at the door"):
        assert tally[one] > 0, f"no seed has {one}"


def test_a_step_that_is_shown_absent_after_a_kill_has_its_money_kept_again() -> None:
    assert ChainMoney(182).play() == []


def test_the_story_of_a_seed_is_always_the_same() -> None:
    assert story_of(7) == story_of(7) != story_of(8)
