import aiohttp
import pytest
from aioresponses import aioresponses, core


async def test_aioresponses_still_needs_the_shim(
    mocked: aioresponses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core, "ClientResponse", aiohttp.ClientResponse)
    mocked.get("http://localhost/", status=200)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(TypeError, match="stream_writer"):
            await session.get("http://localhost/")
