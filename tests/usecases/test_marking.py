"""Marks beside a run that goes on, in virtual time: it takes them into its results and never loses one."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from batchgen import api
from batchgen.engine.interrupts import Interrupts
from batchgen.simulator.settings import Limits
from batchgen.wiring.word_lists import selection_of
from tests.support.builders import make_earth
from tests.support.place import Place, quiet

MANIFEST = """\
version: 1
batch: spring
output: {download: false}
jobs:
  - {id: "{n}", model: model_bfl-flux-1-dev, prompt: "a tower {n}", matrix: {n: [1, 2, 3, 4, 5, 6]}}
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "jobs.yaml").write_text(MANIFEST)
    return Place(tmp_path, make_earth(duration=(90.0, 90.0), limits=Limits(ceiling=2)))


def marks(place: Place) -> list[Any]:
    document = json.loads((place.folder / "output" / "spring" / "results.json").read_text())
    return [one["mark"] for one in document["jobs"]]


async def mark(place: Place, word: str, *jobs: str) -> api.MarksMade:
    return await api.mark(place.options(selection=selection_of(jobs)), api.Marking(mark=word))


def test_a_run_writes_marks_that_are_made_beside_it_even_where_nothing_else_happens(place: Place) -> None:
    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            run = group.create_task(api.run(place.options(), Interrupts(), quiet()), name="run")
            await asyncio.sleep(120)  # two are done, and two run for a minute yet
            before = marks(place)
            done = await mark(place, "kept", "1")
            assert (done.kept, done.results, done.by_run) == (1, None, True)
            assert marks(place) == before == [None] * 6, "not under the feet of the run"
            await asyncio.sleep(12)
            assert marks(place) == ["kept", None, None, None, None, None]
            await mark(place, "rejected", "1", "2")
            await asyncio.sleep(1)
            assert not run.done()

    place.play(both())
    assert marks(place) == ["rejected", "rejected", None, None, None, None]


def test_a_run_that_looks_and_buys_nothing_keeps_the_marks(place: Place) -> None:
    place.run()
    assert place.play(mark(place, "kept", "*")).kept == 6
    place.run()
    assert marks(place) == ["kept"] * 6
    assert place.play(mark(place, "none", "3")).removed == 1
    assert marks(place) == ["kept", "kept", None, "kept", "kept", "kept"]


def test_marks_of_assets_whose_files_are_not_here_stand_with_their_job(place: Place) -> None:
    place.run()
    place.play(mark(place, "kept", "2"))
    document = json.loads((place.folder / "output" / "spring" / "results.json").read_text())
    first, second = document["jobs"][:2]
    assert "asset_marks" not in first
    assert second["asset_marks"] == {second["asset_ids"][0]: {"mark": "kept", "note": ""}}
    table = (place.folder / "output" / "spring" / "results.csv").read_text("utf-8-sig").splitlines()
    assert [",kept," in line for line in table] == [False, False, True, False, False, False, False]


def test_of_a_batch_with_slots_the_copy_of_the_latest_has_the_marks_too(place: Place) -> None:
    (place.folder / "jobs.yaml").write_text(MANIFEST.replace("jobs:", "period: day\njobs:"))
    place.run()
    place.play(mark(place, "kept", "2"))
    assert marks(place) == [None, "kept", None, None, None, None]
    first = next((place.folder / "output" / "spring" / "slots").iterdir()).name
    place.earth.clock_offset += 86_400
    place.run()
    assert marks(place) == [None] * 6, "another slot has assets of its own"
    earlier = place.options(slot=first, selection=selection_of(["1"]))
    place.play(api.mark(earlier, api.Marking(mark="rejected")))
    assert marks(place) == [None] * 6, "the latest stays shown"
    [document] = (place.folder / "output" / "spring" / "slots" / first).glob("results.json")
    assert [one["mark"] for one in json.loads(document.read_text())["jobs"]][:3] == ["rejected", "kept", None]
