"""Seeds in which files are renamed over many nights."""

from collections import Counter
from pathlib import Path

from tests.proof.arranged import NamesWorld, nights_of

_SEEDS = range(5)


def test_whatever_happens_files_have_their_names_and_none_is_lost(tmp_path: Path) -> None:
    tally: Counter[str] = Counter()
    for seed in _SEEDS:
        world = NamesWorld(tmp_path / str(seed), seed)
        world.folder.mkdir()
        assert world.play() == [], f"seed {seed}"
        tally.update(world.tally)
    told = ("of those cut", "files that went aside", "names that something else has", "files under redo")
    for one in told:
        assert tally[one] > 0, f"no seed has {one}"


def test_the_nights_of_a_seed_are_always_the_same() -> None:
    assert nights_of(7) == nights_of(7) != nights_of(8)
