"""A worker on a real database: whatever becomes of the rings, each batch is led to its end, by one alone."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from batchgen.doorbell import Doorbell, Take
from batchgen.journal.enqueued import Wait
from batchgen.usecases import worker
from tests.support.postgres import PostgresServer
from tests.support.workers import WISH, Yard, is_done

pytestmark = pytest.mark.postgres


@pytest.fixture
async def yard(database: str, tmp_path: Path) -> AsyncIterator[Yard]:
    found = Yard(database, tmp_path)
    await found.prepare()
    yield found
    found.gate.set()


async def test_what_is_enqueued_is_led_to_its_end(yard: Yard) -> None:
    yard.gate.set()
    async with yard.worker():
        await yard.ask()
        await yard.until(lambda: is_done(yard))
    one = yard.one()
    assert (one.exit, one.reasons, yard.led["spring"]) == (0, ("so",), 1)
    assert yard.records.workers()[0] == []


async def test_a_batch_that_is_rung_for_twice_is_led_once_at_a_time(yard: Yard) -> None:
    async with yard.worker(), yard.worker():
        await yard.ask()
        await yard.until(lambda: yard.led["spring"] == 1)
        for _ in range(3):
            await yard.bell.ring("spring", "q")
            await yard.until(lambda: yard.sql("SELECT 1 FROM procrastinate_jobs WHERE status = 'todo'") == [])
        yard.gate.set()
        await yard.until(lambda: is_done(yard))
    assert yard.at_once == 1


async def test_a_ring_for_what_is_finished_changes_nothing(yard: Yard) -> None:
    yard.gate.set()
    async with yard.worker():
        await yard.ask()
        await yard.until(lambda: is_done(yard))
        await yard.bell.ring("spring", "q")
        await yard.bell.ring("never enqueued", "q")
        await yard.until(lambda: yard.sql("SELECT 1 FROM procrastinate_jobs") == [])
    assert yard.led == {"spring": 1}


async def test_a_ring_that_was_lost_is_rung_anew(yard: Yard) -> None:
    yard.gate.set()
    await yard.ask()
    yard.sql("DELETE FROM procrastinate_jobs")
    async with yard.worker():
        await yard.until(lambda: is_done(yard))


async def test_the_ring_of_a_dead_worker_is_swept_even_where_an_equal_one_waits(yard: Yard) -> None:
    await yard.ask()
    yard.sql("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')")
    yard.sql(
        "UPDATE procrastinate_jobs SET status = 'doing', "
        "worker_id = (SELECT max(id) FROM procrastinate_workers)"
    )
    await yard.ask(batch="autumn")
    assert await yard.bell.ring("spring", "q")
    yard.gate.set()
    async with yard.worker():
        await yard.until(lambda: is_done(yard) and is_done(yard, "autumn"))
        await yard.until(lambda: yard.sql("SELECT 1 FROM procrastinate_jobs") == [])
    assert yard.led["spring"] == 1


async def test_a_worker_whose_row_was_removed_goes_on(yard: Yard) -> None:
    yard.gate.set()
    async with yard.worker():
        await yard.until(lambda: len(yard.sql("SELECT 1 FROM procrastinate_workers")) == 1)
        yard.sql("DELETE FROM procrastinate_workers")  # as others do to one that stood still for long
        for name in ("a", "b", "c"):
            await yard.ask(batch=name)
        await yard.until(lambda: all(is_done(yard, name) for name in ("a", "b", "c")))


async def test_a_worker_goes_on_after_the_server_was_away_and_so_does_what_it_leads(
    yard: Yard, postgres: PostgresServer
) -> None:
    async with yard.worker(room=2):
        await yard.ask()
        await yard.until(lambda: yard.led["spring"] == 1)
        await asyncio.to_thread(postgres.stop)
        await asyncio.to_thread(postgres.start)
        await yard.ask(batch="autumn")
        await yard.until(lambda: yard.led["autumn"] == 1)
        yard.gate.set()
        await yard.until(lambda: is_done(yard) and is_done(yard, "autumn"))
    assert yard.led == {"spring": 1, "autumn": 1}


class Fleeting(Doorbell):
    """A bell whose library gives up again and again, as after a pause of its process."""

    async def answer(self, take: Take, *, queues: Collection[str], room: int, name: str) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await super().answer(take, queues=queues, room=room, name=name)


async def test_what_is_led_goes_on_where_the_library_gives_up_and_takes_its_room(yard: Yard) -> None:
    async with yard.worker(room=2, bell=Fleeting(yard.url, beat=0.3, silent_after=1.2)):
        await yard.ask()
        await yard.until(lambda: yard.led["spring"] == 1)
        await yard.until(lambda: any("lost" in one for one in yard.said))
        for name in ("autumn", "winter"):
            await yard.ask(batch=name)
        await yard.until(lambda: yard.led.total() == 2)
        await yard.until(lambda: len(yard.records.to_ring()) == 1)  # one waits for room
        assert yard.led.total() == 2
        yard.gate.set()
        await yard.until(lambda: all(is_done(yard, one.batch) for one in yard.records.all()))
    assert yard.led == {"spring": 1, "autumn": 1, "winter": 1}


class Deaf(Doorbell):
    """A bell whose library loses that it is cancelled, at first."""

    async def answer(self, take: Take, *, queues: Collection[str], room: int, name: str) -> None:
        del take, queues, room, name
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()


async def test_a_library_that_loses_that_it_is_cancelled_does_not_keep_a_worker_from_ending(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_CANCELLED_AGAIN", 0.1)
    async with yard.worker(bell=Deaf(yard.url)):
        pass


async def test_what_needs_a_person_is_not_led_again_before_it_is_enqueued_anew(yard: Yard) -> None:
    yard.status = 5
    yard.gate.set()
    async with yard.worker():
        await yard.ask()
        await yard.until(lambda: yard.one().state is Wait.STOPPED)
        assert yard.records.to_ring() == []
        await yard.bell.ring("spring", "q")
        await yard.until(lambda: yard.sql("SELECT 1 FROM procrastinate_jobs") == [])
        assert (yard.led["spring"], yard.one().exit) == (1, 5)
        yard.status = 0
        await yard.ask()
        await yard.until(lambda: is_done(yard))


async def test_work_that_remains_waits_for_a_while(yard: Yard) -> None:
    yard.status = 8
    yard.gate.set()
    async with yard.worker():
        await yard.ask()
        await yard.until(lambda: yard.one().tries == 1)
        one = yard.one()
        assert (one.state, one.again_at is not None) == (Wait.WANTED, True)
        assert yard.records.to_ring() == []
        assert yard.records.wanted("spring") is None
        yard.status = 0
        yard.sql("UPDATE enqueued SET again_at = 0")  # the pause is over
        await yard.until(lambda: is_done(yard))


async def test_what_is_asked_for_while_it_is_led_is_led_once_more(yard: Yard) -> None:
    async with yard.worker():
        await yard.ask()
        await yard.until(lambda: yard.led["spring"] == 1)
        await yard.ask(text=b"edited")
        yard.gate.set()
        await yard.until(lambda: is_done(yard))
    assert (yard.led["spring"], yard.one().text) == (2, b"edited")


async def test_a_worker_that_is_told_to_stop_leaves_its_batch_to_the_next_one(yard: Yard) -> None:
    async with yard.worker():
        await yard.ask()
        await yard.until(lambda: yard.led["spring"] == 1)
    assert (yard.one().state, yard.one().again_at is None or yard.one().tries == 0) == (Wait.WANTED, True)
    assert [one.batch for one in await yard.bell.rings()] == ["spring"]
    yard.gate.set()
    async with yard.worker():
        await yard.until(lambda: is_done(yard))


async def test_what_is_taken_out_of_the_queue_is_not_led(yard: Yard) -> None:
    await yard.ask()
    assert yard.records.remove("spring")
    assert not yard.records.remove("spring")
    yard.gate.set()
    async with yard.worker():
        await yard.until(lambda: yard.sql("SELECT 1 FROM procrastinate_jobs") == [])
    assert yard.led == {}


async def test_a_time_that_has_come_is_asked_for_once_by_many_workers(yard: Yard) -> None:
    yard.gate.set()
    async with yard.worker(), yard.worker():
        await yard.ask(every="0 3 * * *", due=1.0)
        await yard.until(lambda: yard.one().asked == 2 and is_done(yard))
    one = yard.one()
    assert one.due is not None
    assert one.due > one.asked_at
    assert sum("its time has come" in one for one in yard.said) == 1


async def test_a_ring_that_the_library_refuses_keeps_nobody_else_waiting(yard: Yard) -> None:
    class Refusing(Doorbell):
        async def ring(self, batch: str, queue: str) -> bool:
            if batch == "bad":
                queue = "q" * 200  # longer than its column
            return await super().ring(batch, queue)

    yard.gate.set()
    await asyncio.to_thread(yard.records.ask, replace(WISH, batch="bad"))
    await asyncio.to_thread(yard.records.ask, replace(WISH, batch="good"))
    async with yard.worker(bell=Refusing(yard.url, beat=0.3, silent_after=1.2)):
        await yard.until(lambda: is_done(yard, "good"))
    assert yard.led == {"good": 1}


async def test_times_that_nobody_understands_keep_nobody_else_waiting(yard: Yard) -> None:
    yard.gate.set()
    async with yard.worker():
        await yard.ask(batch="a", every="0 3 * * *", zone="Nowhere/At_all", due=1.0)
        await yard.ask(batch="b", every="0 3 * * *", due=1.0)
        await yard.until(lambda: yard.one("b").asked == 2)
        await yard.until(lambda: any("does not know the zone" in one for one in yard.said))
    assert yard.one("a").asked == 1
