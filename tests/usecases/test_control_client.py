"""Ordering a run about from another process, as far as no process is needed for it."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from batchgen.cli.control import show
from batchgen.control.client import PATIENCE, Reply, order
from batchgen.control.commands import Order
from batchgen.control.server import ControlServer
from batchgen.engine.interrupts import Interrupts
from batchgen.engine.limits.gate import RateGate
from batchgen.engine.settings import RunSettings
from batchgen.errors import InputError
from batchgen.journal.file import JournalFile
from batchgen.journal.file_store import FileStore
from batchgen.journal.orders import Answer
from batchgen.journal.runs import RunKept, RunRecords
from batchgen.model import Scope
from batchgen.wiring.background import beside
from batchgen.wiring.options import Options
from tests.support.looped import time_virtually
from tests.support.virtual import Earth

ADDRESS = "http://127.0.0.1:9/v1"
SCOPE = Scope(origin=ADDRESS, project="p", batch="spring", slot="monday")
MANIFEST = "version: 1\nbatch: spring\nproject: p\njobs: [{from: gone.csv, prompt: '{prompt}', model: m}]\n"
PAUSE = [Order("pause")]


@dataclass
class Place:
    """A folder with a manifest, and a run in it that somebody else has begun."""

    folder: Path

    def options(self, *, simulate: bool = False, slot: str | None = None) -> Options:
        return Options(
            manifest=self.folder / "jobs.yaml",
            output=self.folder / "output",
            environ={"SCENARIO_BASE_URL": ADDRESS},
            simulate=simulate,
            slot=slot,
        )

    def records(self) -> RunRecords:
        records = FileStore(self.folder / "output").runs()
        assert records is not None
        return records

    def begin(self, scope: Scope = SCOPE) -> RunKept:
        now = time.time()
        run = RunKept(token="a", scope=scope, pid=4711, host="farm", began_at=now, seen_at=now)
        with self.records() as records:
            records.begin(run)
        return run


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "jobs.yaml").write_text(MANIFEST)
    JournalFile.open(tmp_path / "output" / "journal.db").close()
    return Place(tmp_path)


def refusal(options: Options, meanwhile: Callable[[], None] | None = None) -> str:
    async def ordering() -> Reply:
        if meanwhile is not None:
            asyncio.get_running_loop().call_later(1.0, meanwhile)
        return await order(options, PAUSE)

    with pytest.raises(InputError) as raised:
        time_virtually(ordering())
    return str(raised.value)


def test_a_run_answers_within_a_second_and_its_manifest_need_not_be_whole(place: Place) -> None:
    async def ordering() -> Reply:
        with place.records() as records:
            control = ControlServer(
                records=records,
                scope=SCOPE,
                settings=RunSettings(in_flight=2),
                gate=RateGate(None),
                clock=Earth(),
                interrupts=Interrupts(),
                go_on="batchgen continue",
            )
            control.begin()
            async with beside(control.run(), name="orders"):
                return await order(place.options(), [Order("in_flight", "auto"), *PAUSE])

    reply, took = time_virtually(ordering())
    assert [one.said.split(" (")[0] for one in reply.answers] == [
        "as many in flight as the service allows",
        "paused: submits no more, and collects what runs, until batchgen continue",
    ]
    assert took < 1.0


def test_where_nothing_was_ever_run_it_says_how_to_begin(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text(MANIFEST)
    told = refusal(Place(tmp_path).options())
    assert told.startswith(f"no run of 'spring' is under way at {ADDRESS}")
    assert "batchgen run" in told
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize(
    ("there", "asked", "remedy"),
    [
        (replace(SCOPE, origin="simulator"), {}, "add --simulate"),
        (SCOPE, {"simulate": True}, "leave --simulate away"),
        (replace(SCOPE, origin="https://other/v1"), {}, "set SCENARIO_BASE_URL as it has it"),
        (replace(SCOPE, project="q"), {}, "add --project q"),
        (replace(SCOPE, project=""), {}, "leave the project away"),
        (SCOPE, {"slot": "sunday"}, "add --slot monday"),
        (replace(SCOPE, slot=""), {"slot": "sunday"}, "leave --slot away"),
    ],
)
def test_a_run_of_the_batch_elsewhere_is_named_and_not_ordered(
    place: Place, there: Scope, asked: dict[str, object], remedy: str
) -> None:
    place.begin(there)
    told = refusal(place.options(**asked))  # type: ignore[arg-type]  # flags by name
    assert "process 4711 on farm" in told
    assert told.endswith(remedy)
    with place.records() as records:
        assert records.orders.due("a") == []


def test_a_run_is_meant_in_whatever_slot_it_is(place: Place) -> None:
    for slot in (None, "monday"):
        place.begin()
        with place.options().journal.hold("spring", stamp=0.0):
            reply, _ = time_virtually(order(place.options(slot=slot), PAUSE))
        assert reply.run.token == "a"


def test_a_run_that_died_is_told_from_one_that_is_busy_by_its_lock(place: Place) -> None:
    run = place.begin()
    told = refusal(place.options())
    assert told.startswith("no run of 'spring' is under way")
    assert told.endswith("the last one, process 4711 on farm, died")
    with place.options().journal.hold("spring", stamp=0.0):
        reply, took = time_virtually(order(place.options(), PAUSE))
    assert (reply.answers, reply.run) == ((), run)
    assert PATIENCE <= took < PATIENCE + 0.5
    with place.records() as records:
        assert records.orders.due("a") == [], "it is withdrawn: nothing happens later"


def test_a_run_that_ends_in_the_same_moment_is_told(place: Place) -> None:
    run = place.begin()

    def end() -> None:
        with place.records() as records:
            records.end(run)

    assert "has ended in this moment" in refusal(place.options(), end)


def test_a_manifest_that_cannot_be_read_is_told_by_place(place: Place) -> None:
    (place.folder / "jobs.yaml").write_text(MANIFEST + "colour: red\n")
    assert "jobs.yaml:5:1: unknown key" in refusal(place.options())


RUN = RunKept(token="a", scope=SCOPE, pid=4711, host="farm", began_at=0.0, seen_at=0.0)
SET = [Order("in_flight", "4"), Order("rate", "none")]
SILENT = (
    "the run of 'spring' (process 4711 on farm) has not taken the order, which is withdrawn: "
    "it is suspended, or busy"
)
DONE = (Answer(met=True, said="at most 4 in flight"), Answer(met=True, said="no rate"))


@pytest.mark.parametrize(
    ("answers", "status", "out", "err"),
    [
        (DONE, 0, "spring: at most 4 in flight\nspring: no rate\n", ""),
        ((replace(DONE[0], met=False), DONE[1]), 2, "spring: no rate\n", "spring: at most 4 in flight\n"),
        (
            (),
            8,
            "",
            f"batchgen: {SILENT}; try again\n",
        ),
    ],
    ids=["met", "not met", "no answer"],
)
def test_what_the_run_says_is_written_with_an_exit_status(
    capsys: pytest.CaptureFixture[str], answers: tuple[Answer, ...], status: int, out: str, err: str
) -> None:
    reply = Reply(run=RUN, answers=answers)
    assert show(reply, SET, as_json=False) == status
    assert capsys.readouterr() == (out, err)
    assert show(reply, SET, as_json=True) == status
    written = capsys.readouterr()
    assert written.err == err
    told = json.loads(written.out)
    assert (told["exit"], told["run"]["pid"]) == (status, 4711)
    assert [(one["order"], one["value"]) for one in told["orders"]] == [tuple(one) for one in SET]
    assert [one["met"] for one in told["orders"]] == [one.met for one in answers or ()] or [False, False]
