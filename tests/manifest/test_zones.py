"""Time zones: known on every machine, also where the system has no database of them."""

import zoneinfo
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from batchgen.manifest.zones import wrong_with_zone


@pytest.fixture
def no_zones_of_the_system() -> Iterator[None]:
    zoneinfo.reset_tzpath(to=())
    ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath()
    ZoneInfo.clear_cache()


@pytest.mark.parametrize("name", ["UTC", "Europe/Paris", "America/Argentina/Ushuaia", "Etc/GMT-14", "Japan"])
@pytest.mark.usefixtures("no_zones_of_the_system")
def test_a_zone_is_known_where_the_system_has_none(name: str) -> None:
    assert wrong_with_zone(name) is None


@pytest.mark.parametrize(
    ("name", "said"), [("Europe/Pari", "Europe/Paris"), ("Paris", "Europe/Paris"), ("", ""), ("../etc", "")]
)
@pytest.mark.usefixtures("no_zones_of_the_system")
def test_what_is_no_zone_is_said_there_too(name: str, said: str) -> None:
    assert said in (wrong_with_zone(name) or "")
    assert wrong_with_zone(name) is not None
