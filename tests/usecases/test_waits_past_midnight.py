"""A run that waits for another one until the next slot is due buys what was due when it began."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from batchgen import api
from batchgen.engine.interrupts import Interrupts
from batchgen.exits import Exit
from tests.support.place import Place, quiet

HOUR = 3600.0
PERIODS = {"hour": HOUR, "day": 24 * HOUR}


@pytest.mark.parametrize("period", PERIODS)
def test_the_slot_is_that_of_the_time_at_which_a_run_began(period: str, tmp_path: Path) -> None:
    place, length = Place.with_jobs(tmp_path, 2), PERIODS[period]
    place.earth.clock_offset += length - place.earth.clock_offset % length - 60.0  # a minute before the next

    async def both(**changed: Any) -> tuple[api.RunOutcome, api.RunOutcome]:
        with place.options().journal.hold("spring", stamp=place.earth.now()):
            waits = asyncio.create_task(
                api.run(place.options(period=period, wait_lock=HOUR, **changed), Interrupts(), quiet())
            )
            await asyncio.sleep(120.0)
        first = await waits
        return first, await api.run(place.options(period=period), Interrupts(), quiet())

    first, second = place.play(both())
    assert (first.verdict.exit, second.verdict.exit) == (Exit.DONE, Exit.DONE)
    assert str(first.document["slot"]) < str(second.document["slot"])
    assert (first.asked, second.asked, place.bought) == (True, True, 4)
    latest = tmp_path / "output" / "spring" / "latest"
    assert latest.readlink().name == second.document["slot"]


def test_what_was_due_and_came_late_takes_no_ones_place(tmp_path: Path) -> None:
    place = Place.with_jobs(tmp_path, 2)
    place.earth.clock_offset += HOUR - place.earth.clock_offset % HOUR - 60.0

    async def both() -> tuple[api.RunOutcome, api.RunOutcome]:
        with place.options().journal.hold("spring", stamp=place.earth.now()):
            late = asyncio.create_task(
                api.run(place.options(period="hour", wait_lock=HOUR), Interrupts(), quiet())
            )
            await asyncio.sleep(120.2)  # just after it looked: the next one comes before it
        due = await api.run(place.options(period="hour"), Interrupts(), quiet())
        return due, await late

    due, late = place.play(both())
    assert str(late.document["slot"]) < str(due.document["slot"])
    assert place.bought == 4
    latest = tmp_path / "output" / "spring" / "latest"
    assert latest.readlink().name == due.document["slot"]
