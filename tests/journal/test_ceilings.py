"""What the journal remembers of the service's limits, and for whom."""

from dataclasses import replace

import pytest

from batchgen.model import KeptCeiling, Scope
from tests.support.journals import Journals

SCOPE = Scope(origin="http://127.0.0.1/v1", project="p", batch="spring")
KEPT = KeptCeiling(action="parallelCustomJobs", models=(), limit=5, told=20, refused_at=100.5, quiet=300.0)
VIDEO = KeptCeiling(action="video", models=("a", "b"), limit=1, refused_at=7.0, quiet=600.0)


def test_a_limit_is_remembered_for_every_batch_of_the_account(journals: Journals) -> None:
    with journals.open() as file:
        file.ceilings(SCOPE).keep_ceiling(KEPT)
        file.ceilings(SCOPE).keep_ceiling(VIDEO)
    with journals.open() as file:
        assert file.ceilings(replace(SCOPE, batch="autumn")).ceilings() == [KEPT, VIDEO]


@pytest.mark.parametrize("other", [replace(SCOPE, origin="https://other/v1"), replace(SCOPE, project="q")])
def test_another_origin_or_project_has_its_own_limits(journals: Journals, other: Scope) -> None:
    with journals.open() as file:
        file.ceilings(SCOPE).keep_ceiling(KEPT)
        assert file.ceilings(other).ceilings() == []


def test_what_was_learned_later_takes_the_place_of_the_earlier(journals: Journals) -> None:
    with journals.open() as file:
        file.ceilings(SCOPE).keep_ceiling(KEPT)
        file.ceilings(SCOPE).keep_ceiling(replace(KEPT, limit=6))
        assert file.ceilings(SCOPE).ceilings() == [replace(KEPT, limit=6)]
