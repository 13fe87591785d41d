"""What is noted of one command to make jobs again: all of it or none, and not before it is answered."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from batchgen import api
from batchgen.control.commands import REDO, Edit, Order, order_to_redo, order_to_restore
from batchgen.control.server import LOOK_EVERY, ControlServer
from batchgen.engine.interrupts import Interrupts
from batchgen.engine.limits.gate import RateGate
from batchgen.engine.settings import RunSettings
from batchgen.errors import GuardError, JournalError
from batchgen.journal.file import JournalFile
from batchgen.journal.file_store import FileStore
from batchgen.journal.runs import RunRecords
from batchgen.lifecycle import RedoAsked, State
from batchgen.planning.redo import made_again
from batchgen.planning.selection import of_ids
from batchgen.simulator.settings import Outcomes
from batchgen.usecases.redo import LiveEdits, record_choices
from batchgen.wiring.background import beside
from batchgen.wiring.opening import open_batch
from tests.support.builders import make_earth
from tests.support.looped import virtual_loop
from tests.support.memory_journal import SCOPE
from tests.support.place import Place, quiet
from tests.support.virtual import EPOCH

MORE = """\
  - {id: barn, prompt: a barn, model: model_bfl-flux-1-dev, repeat: 4}
"""
THREE = """\
version: 1
batch: spring
output: {download: false}
jobs:
  - {id: knight, prompt: a knight, model: model_bfl-flux-1-dev, repeat: 3}
"""


def test_a_disk_that_takes_no_more_leaves_nothing_of_a_command_on_record(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text(THREE)
    place = Place(tmp_path, make_earth(duration=(2.0, 3.0)))
    place.run()
    for nth in range(3):
        _let_it_take_events(tmp_path / "output" / "journal.db", nth)
        with open_batch(place.options()) as opened:
            choices = made_again(opened.batch.plan, range(3), opened.batch.journal.records())
            with pytest.raises(JournalError):
                record_choices(opened, choices, RedoAsked)
            assert not any(one.editions for one in opened.batch.journal.records().values())
        with open_batch(place.options()) as opened:
            assert not any(one.editions for one in opened.batch.journal.records().values())


def _let_it_take_events(path: Path, more: int) -> None:
    """Let the file take so many events more, and no other."""
    with sqlite3.connect(path) as connection:
        (count,) = connection.execute("SELECT count(*) FROM events").fetchone()
        connection.execute("DROP TRIGGER IF EXISTS is_full")
        connection.execute(
            "CREATE TRIGGER is_full BEFORE INSERT ON events "
            f"WHEN (SELECT count(*) FROM events) >= {count + more} "
            "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )


def test_what_is_ordered_of_a_run_that_failures_stop_is_left_to_the_next_one(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text(THREE)
    outcomes = Outcomes()
    place = Place(tmp_path, make_earth(duration=(4.0, 5.0), outcomes=outcomes))
    place.run()
    (tmp_path / "jobs.yaml").write_text(THREE + MORE)
    object.__setattr__(outcomes, "failures", 1.0)

    async def ordered_about() -> api.RunOutcome:
        options = place.options(most_failures=1, in_flight=1)
        async with beside(_order_soon(tmp_path / "output" / "journal.db"), name="order"):
            return await api.run(options, Interrupts(), quiet())

    outcome = place.play(ordered_about())
    assert any("failed" in one for one in outcome.verdict.reasons)
    assert place.bought == 3 + 1
    with open_batch(place.options()) as opened:
        assert opened.batch.plan.by_id["knight-2"].stands is not None
        assert opened.batch.plan.by_id["knight-2"].record.state is State.PLANNED


def test_what_was_made_again_since_its_price_was_shown_is_not_made_once_more(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text(THREE)
    place = Place(tmp_path, make_earth(duration=(2.0, 3.0)))
    place.run()
    options = place.options(redo=True, selection=of_ids(["knight-2"]))
    shown = place.play(api.plan(options)).batch.redone
    agreed = replace(options, agreed=frozenset((one.job, one.ordinal) for one in shown))
    place.play(api.run(agreed, Interrupts(), quiet()))
    assert place.bought == 4
    with pytest.raises(GuardError, match="made again, or marked, by another command meanwhile"):
        place.play(api.run(agreed, Interrupts(), quiet()))
    with open_batch(place.options()) as opened:
        edits = LiveEdits(opened)
        late = edits(order_to_redo({"knight-2": 3}, slot=""))
        elsewhere = edits(order_to_redo({"knight-3": 4}, slot="2026-11-26"))
        back = edits(order_to_restore(["knight-2"], slot="2026-11-26"))
        right = edits(order_to_redo({"knight-2": 4}, slot=""))
    assert [one.met for one in (late, elsewhere, back, right)] == [False, False, False, True]
    assert "made again, or marked, by another command meanwhile" in late.said
    assert "works on slot '', not on '2026-11-26'" in elsewhere.said
    assert place.bought == 4


async def _order_soon(path: Path) -> None:
    """Order a run to make a job again before its first one has ended."""
    await asyncio.sleep(2.0)
    records = FileStore(path.parent).runs()
    assert records is not None
    with records:
        (run,) = records.of_batch("spring")
        records.orders.give(run.token, [order_to_redo({"knight-2": 3}, slot="")], at=EPOCH)


class Orders:
    """Puts one thing on record for each order, after something else has happened."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.settings: RunSettings | None = None
        self.made = 0
        self._meanwhile = meanwhile

    def __call__(self, order: Order) -> Edit:
        self._meanwhile()
        return Edit(met=True, said=f"does what it is told: {order.value}", make=self._make)

    def _make(self) -> None:
        self.made += 1


async def _ordered(folder: Path, meanwhile: Callable[[RunRecords, list[int]], object]) -> Orders:
    """Order something of a run, and let something happen after it has read that and before it answers."""
    JournalFile.open(folder / "journal.db").close()
    mine, other = FileStore(folder).runs(), FileStore(folder).runs()
    assert mine is not None
    assert other is not None
    with mine, other:
        numbers: list[int] = []
        orders, gate = Orders(lambda: meanwhile(other, numbers)), RateGate(None)
        control = ControlServer(
            records=mine,
            scope=SCOPE,
            settings=RunSettings(),
            gate=gate,
            clock=_Still(),
            interrupts=Interrupts(),
            go_on="batchgen continue spring.yaml",
            edits=orders,
        )
        control.begin()
        async with beside(control.run(), name="orders"):
            (run,) = other.of_batch(SCOPE.batch)
            numbers += other.orders.give(run.token, [(REDO, '{"jobs": ["knight"]}')], at=EPOCH)
            await asyncio.sleep(3 * LOOK_EVERY)
    return orders


class _Still:
    def now(self) -> float:
        return EPOCH


def _run(folder: Path, meanwhile: Callable[[RunRecords, list[int]], object]) -> Orders:
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        return runner.run(_ordered(folder, meanwhile))


def test_an_order_that_was_withdrawn_as_it_was_read_puts_nothing_on_record(tmp_path: Path) -> None:
    assert _run(tmp_path, lambda records, numbers: records.orders.withdraw(numbers)).made == 0


def test_an_order_that_is_answered_is_put_on_record_once(tmp_path: Path) -> None:
    assert _run(tmp_path, lambda *_: None).made == 1
