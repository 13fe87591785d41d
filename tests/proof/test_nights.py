"""Sixty nights: nothing twice, nothing lost, and the next run collects all that was paid for."""

from pathlib import Path

import pytest

from tests.proof.nights import NIGHTS, Fate, Year


@pytest.mark.parametrize("seed", [2])
def test_sixty_nights_with_kills_and_missed_ones_break_no_law(seed: int, tmp_path: Path) -> None:
    year = Year(seed, tmp_path).play()
    assert not year.wrong, f"python -m tests.proof.nights {seed}"
    assert sum(year.tally[one] for one in Fate) == NIGHTS
    assert all(year.tally[one] for one in Fate), "each fate is met"
