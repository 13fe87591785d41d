"""A small campaign with several hosts, as processes: see ``hosts.py``."""

from pathlib import Path

import pytest

from tests.proof.host_accidents import Kind
from tests.proof.hosts import SMALL, Batch

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize(
    ("seed", "accidents"),
    [
        (1, ["kill before a receipt", "stop before a POST"]),
        (2, ["restart immediate", "stop before a receipt"]),
    ],
)
def test_leaders_that_die_or_stop_leave_nothing_paid_twice_or_lost(
    tmp_path: Path, seed: int, accidents: list[Kind]
) -> None:
    batch = Batch(seed, tmp_path)
    batch.play(accidents, SMALL)
    assert batch.wrong == []
    assert batch.counts.total() == len(accidents)
    assert batch.verdict.charged == SMALL.wanted
