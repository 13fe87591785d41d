"""Whatever happens to jobs that are made again and to their journal: nothing is paid twice or lost."""

import random
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.redone_at_random import play

KINDS = (["seeded"], ["equal", "equal", "seeded"], ["seedless", "seeded"], ["seeded", "child"])


@settings(max_examples=5)
@given(st.integers(0, 1_000_000), st.sampled_from(KINDS))
def test_what_is_bought_is_asked_for_owned_or_named_and_bought_once(seed: int, kinds: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert play(Path(folder), random.Random(seed), kinds=list(kinds))
