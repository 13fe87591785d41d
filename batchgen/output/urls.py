"""Fresh URLs of assets, asked for in bulk.

A signed URL lives in this module's memory and nowhere else: it is handed out shortly
before its use, forgotten afterwards, and no error or file of ours ever shows it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Never, Protocol

from batchgen.errors import ServiceError
from batchgen.model import Asset, Rate

MOST_IDS = 200  # the service refuses a whole call with more

_TURNS = 10  # of the gate between two calls for URLs: jobs that end near each other share one

_LINGER = 0.05  # seconds in which jobs that end together find each other


def spacing_at(rate: Rate | None) -> float:
    """Return the seconds between two calls for URLs that leave nearly all of a rate to submits."""
    return _TURNS * rate.interval if rate else 0.0


class AssetSource(Protocol):
    """The one call to the service that downloads need."""

    async def assets(self, asset_ids: Sequence[str]) -> Mapping[str, Asset]:
        """Describe up to ``MOST_IDS`` assets; ids the service does not show are left out.

        Raises:
            TransientError, StoppedError: nothing is known.
        """
        ...


class _Held(NamedTuple):
    asset: Asset
    at: float  # the loop's clock


class AssetUrls:
    """Collects the ids that wait, and asks for all of them in one call.

    Args:
        source: the service.
        oldest: seconds after which a URL is asked for again.
        spacing: least seconds between the starts of two calls that are not full; the first
            goes out at once. Each call is one request of the rate that submits live on.
    """

    def __init__(self, source: AssetSource, *, oldest: float, spacing: float) -> None:
        self._source = source
        self._oldest = oldest
        self._spacing = spacing
        self._held: dict[str, _Held] = {}
        self._wanted: dict[str, asyncio.Future[Asset | ServiceError | None]] = {}
        self._wake = asyncio.Event()

    def __repr__(self) -> str:
        return f"<AssetUrls [{len(self._wanted)} wanted, {len(self._held)} held]>"

    async def fresh(self, asset_id: str) -> Asset | None:
        """Return the asset with a URL that is young enough, None if the service does not show it.

        Raises:
            TransientError, StoppedError: the service did not say.
        """
        held = self._held.get(asset_id)
        loop = asyncio.get_running_loop()
        if held is not None and loop.time() - held.at < self._oldest:
            return held.asset
        answer = self._wanted.setdefault(asset_id, loop.create_future())
        self._wake.set()
        match await asyncio.shield(answer):  # others may wait for the same
            case ServiceError() as error:
                raise error
            case asset:
                return asset

    def forget(self, asset_id: str) -> None:
        """Drop the URL: it was used, or it was refused."""
        self._held.pop(asset_id, None)

    async def serve(self) -> Never:
        """Make the calls, until cancelled."""
        loop = asyncio.get_running_loop()
        next_at = loop.time()
        while True:
            await self._wake.wait()
            await asyncio.sleep(_LINGER)
            if len(self._wanted) < MOST_IDS:
                await asyncio.sleep(max(0.0, next_at - loop.time()))
            next_at = loop.time() + self._spacing
            await self._ask(tuple(self._wanted)[:MOST_IDS])
            if not self._wanted:
                self._wake.clear()

    async def _ask(self, asset_ids: Sequence[str]) -> None:
        at = asyncio.get_running_loop().time()
        failure: ServiceError | None = None
        found: Mapping[str, Asset] = {}
        try:
            found = await self._source.assets(asset_ids)
        except ServiceError as error:
            failure = error
        for asset_id in asset_ids:
            asset = found.get(asset_id)
            if asset is not None:
                self._held[asset_id] = _Held(asset, at)
            self._wanted.pop(asset_id).set_result(failure or asset)
