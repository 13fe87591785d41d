"""What every test shares: hypothesis profiles, and files that are closed for it."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.opened import close_all

# fewer examples than usual: the suite stays under three minutes, and each night's are others
settings.register_profile(
    "default", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(autouse=True)
def _close_journals() -> Iterator[None]:
    yield
    close_all()
