"""The bell: what is relied on of the library behind it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import psycopg
import pytest

from batchgen.doorbell import Doorbell, Ring
from batchgen.errors import JournalAwayError, JournalError
from tests.support.free_ports import free_port

pytestmark = pytest.mark.postgres


@pytest.fixture
async def bell(database: str) -> Doorbell:
    found = Doorbell(database, beat=0.2, silent_after=1.0)
    await found.prepare()
    return found


@pytest.fixture
async def heard(bell: Doorbell) -> AsyncIterator[list[str]]:
    """What a worker hears, as long as the test goes on."""
    taken: list[str] = []

    async def take(batch: str) -> None:
        taken.append(batch)

    task = asyncio.create_task(bell.answer(take, queues=["q"], room=2, name="here"))
    yield taken
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def do(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


async def test_the_tables_are_made_once_by_however_many(database: str) -> None:
    bell = Doorbell(database)
    assert not await bell.is_there()
    with pytest.raises(JournalError, match="no tables of the queue; make them: batchgen journal init"):
        await bell.ring("spring", "q")
    await asyncio.gather(*(bell.prepare() for _ in range(3)))
    assert await bell.is_there()


async def test_of_equal_rings_one_waits(bell: Doorbell) -> None:
    assert [await bell.ring("spring", "q") for _ in range(3)] == [True, False, False]
    assert await bell.ring("autumn", "q")
    assert await bell.rings() == [
        Ring(batch="spring", queue="q", taken=False),
        Ring(batch="autumn", queue="q", taken=False),
    ]


async def test_a_ring_is_heard_in_its_queue_alone_and_is_gone_then(bell: Doorbell, heard: list[str]) -> None:
    await bell.ring("elsewhere", "other")
    await bell.ring("spring", "q")
    async with asyncio.timeout(20):
        while heard != ["spring"] or len(await bell.rings()) > 1:  # noqa: ASYNC110 - the library tells nobody
            await asyncio.sleep(0.05)
    assert await bell.rings() == [Ring(batch="elsewhere", queue="other", taken=False)]


async def test_what_fails_in_taking_a_ring_uses_it_up(bell: Doorbell) -> None:
    async def take(_batch: str) -> None:
        raise ValueError

    await bell.ring("spring", "q")
    task = asyncio.create_task(bell.answer(take, queues=["q"], room=1, name="here"))
    async with asyncio.timeout(20):
        while await bell.rings():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_whoever_listens_is_told_when_its_signs_of_life_do_not_arrive(
    bell: Doorbell, database: str
) -> None:
    """Without a periodic task the library would look after them no more, and go on unseen."""

    async def take(_batch: str) -> None:
        pass

    do(database, "ALTER FUNCTION procrastinate_update_heartbeat_v1 RENAME TO elsewhere")
    async with asyncio.timeout(20):
        await bell.answer(take, queues=["q"], room=1, name="here")


async def test_a_database_that_is_away_is_said_to_be_without_a_password() -> None:
    bell = Doorbell(f"postgresql://postgres:hush@127.0.0.1:{free_port()}/none")
    with pytest.raises(JournalAwayError) as caught:
        await bell.ring("spring", "q")
    assert "hush" not in str(caught.value)
