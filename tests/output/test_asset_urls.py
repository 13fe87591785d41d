import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from batchgen.errors import TransientError
from batchgen.model import Asset
from batchgen.output.urls import AssetUrls

pytestmark = pytest.mark.looptime(noop_cycles=0)


class Source:
    """Answers after a second, and notes who asked when."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, tuple[str, ...]]] = []
        self.broken = False

    async def assets(self, asset_ids: Sequence[str]) -> Mapping[str, Asset]:
        self.calls.append((round(asyncio.get_running_loop().time(), 3), tuple(asset_ids)))
        await asyncio.sleep(1)
        if self.broken:
            raise TransientError("502")
        return {
            one: Asset(id=one, url=f"https://cdn.test/{len(self.calls)}") for one in asset_ids if one != "no"
        }


@asynccontextmanager
async def serving(
    source: Source, *, oldest: float = 3600.0, spacing: float = 5.0
) -> AsyncIterator[AssetUrls]:
    urls = AssetUrls(source, oldest=oldest, spacing=spacing)
    async with asyncio.TaskGroup() as group:
        server = group.create_task(urls.serve(), name="asset-urls")
        yield urls
        server.cancel()


async def ask(urls: AssetUrls, asset_id: str, *, after: float = 0.0) -> Asset | None:
    await asyncio.sleep(after)
    return await urls.fresh(asset_id)


async def test_the_first_call_goes_out_at_once_and_later_ones_keep_their_distance() -> None:
    source = Source()
    async with serving(source) as urls, asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(ask(urls, f"a{number}", after=number))
    assert source.calls == [
        (0.05, ("a0",)),
        (5.05, ("a1", "a2", "a3", "a4", "a5")),
        (10.05, ("a6", "a7")),
    ]


async def test_a_full_call_does_not_wait() -> None:
    source = Source()
    async with serving(source) as urls, asyncio.TaskGroup() as group:
        for number in range(450):
            group.create_task(ask(urls, f"a{number}"))
    assert [(at, len(ids)) for at, ids in source.calls] == [(0.05, 200), (1.1, 200), (6.1, 50)]


async def test_two_who_want_the_same_share_the_answer_and_one_may_leave() -> None:
    source = Source()
    async with serving(source) as urls, asyncio.TaskGroup() as group:
        impatient = group.create_task(ask(urls, "a"))
        patient = group.create_task(ask(urls, "a"))
        await asyncio.sleep(0.5)
        impatient.cancel()
    assert patient.result() is not None
    assert len(source.calls) == 1


async def test_a_url_is_used_while_it_is_young_and_not_after() -> None:
    source = Source()
    async with serving(source, oldest=3600.0, spacing=0.0) as urls:
        await urls.fresh("a")
        await ask(urls, "a", after=3598.0)
        assert len(source.calls) == 1
        await ask(urls, "a", after=2.0)
        assert len(source.calls) == 2


async def test_a_url_that_was_refused_is_not_handed_out_again() -> None:
    source = Source()
    async with serving(source, spacing=0.0) as urls:
        first = await urls.fresh("a")
        urls.forget("a")
        assert await urls.fresh("a") != first


async def test_an_id_that_the_service_does_not_show_is_none() -> None:
    async with serving(Source()) as urls:
        assert await urls.fresh("no") is None


async def test_a_call_that_fails_fails_for_all_in_it_and_the_next_goes_out() -> None:
    source = Source()
    source.broken = True
    async with serving(source, spacing=0.0) as urls:
        for _ in range(2):
            with pytest.raises(TransientError, match="502"):
                await urls.fresh("a")
        source.broken = False
        assert await urls.fresh("a") is not None
    assert repr(urls) == "<AssetUrls [0 wanted, 1 held]>"
