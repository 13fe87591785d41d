"""What a run leaves behind whose right to lead has run out: nothing that is for another one to write."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import pytest

from batchgen import api
from batchgen.engine.interrupts import Interrupts
from batchgen.errors import FencedError, JournalAwayError
from batchgen.journal.file_store import FileStore
from batchgen.lifecycle import State
from batchgen.ports import Clock, Lease
from batchgen.usecases.run_end import remembered
from batchgen.wiring.opening import open_batch
from batchgen.wiring.options import Options
from tests.support.builders import make_earth
from tests.support.place import Place, quiet

LENGTH = 30.0  # seconds


class Ending:
    """A lease that nobody renews."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = clock.now() + LENGTH

    def left(self) -> float:
        return self._until - self._clock.now()

    def silent_since(self) -> float | None:
        return None


class LeasingStore(FileStore):
    """A store whose batches are held by such a lease."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        super().__init__(folder)
        self._clock = clock

    @contextmanager
    def hold(self, batch: str, *, stamp: float) -> Iterator[Lease]:
        with super().hold(batch, stamp=stamp):
            yield Ending(self._clock)


class Leasing(Options):
    """The options of a run by such a store."""

    @property
    def journal(self) -> FileStore:
        return LeasingStore(self.output, self.clock)


def leasing(place: Place) -> Leasing:
    plain = place.options()
    return Leasing(**{one.name: getattr(plain, one.name) for one in fields(plain)})


def test_a_run_whose_lease_runs_out_ends_and_the_same_command_goes_on(tmp_path: Path) -> None:
    place = Place.with_jobs(tmp_path, 3, make_earth(duration=(400.0, 400.0)))
    began = place.earth.now()
    with pytest.raises(JournalAwayError, match="run the same command to continue"):
        place.play(api.run(leasing(place), Interrupts(), quiet()))
    assert place.earth.now() - began < LENGTH + 10
    assert place.bought == 3
    results = json.loads((tmp_path / "output" / "spring" / "results.json").read_text())
    assert {one["status"] for one in results["jobs"]} <= {"running", "planned"}, "as they were before"
    assert place.run().verdict.exit == 0
    assert place.bought == 3
    assert place.states() == {State.COLLECTED: 3}


def test_how_a_run_ended_that_was_taken_over_is_not_for_it_to_say(tmp_path: Path) -> None:
    place = Place.with_jobs(tmp_path, 1)
    for error in (FencedError(), JournalAwayError()):
        with open_batch(place.options()) as opened:
            with pytest.raises(type(error)), remembered(opened):
                raise error
            last = opened.file.last_runs.read()[opened.batch.scope]
            assert (last.ended_at, last.exit) == (None, None)
