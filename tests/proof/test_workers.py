"""A small pool of workers, as processes: see ``workers.py``."""

import pytest

from tests.proof.workers import one_round

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(400)]  # it waits for doubts and leases, as they last


def test_workers_that_die_and_rings_that_are_lost_leave_nothing_paid_twice_or_lost() -> None:
    found = one_round(1, ["kill", "rings lost"], workers=2, batches=2)
    assert found.wrong == []
    assert found.happened == {"kill": 1, "rings lost": 1}
