"""Seeds whose files arrive late or not as they should, or vanish between runs."""

from tests.proof.files import LooseShelves
from tests.proof.play import play
from tests.proof.rare import draw

_SEEDS = range(60)


def _loose() -> list[int]:
    shelves = {seed: LooseShelves.of(draw(seed)) for seed in _SEEDS}
    return [seed for seed, one in shelves.items() if one.losing or one.spoilt or one.troubled]


def test_what_vanishes_or_does_not_arrive_is_fetched_again_or_named() -> None:
    for seed in _loose()[:8]:
        report = play(seed)
        assert not report.wrong, str(report)


def test_the_seeds_lose_files_and_have_trouble_and_errors() -> None:
    shelves = [LooseShelves.of(draw(seed)) for seed in _loose()[:8]]
    assert any(one.losing == 1.0 for one in shelves)
    assert any(one.spoilt for one in shelves)
    assert any(one.troubled for one in shelves)
