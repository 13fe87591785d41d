"""Where the files of a run's batches lie, as of now: what fetches files and what renames them ask here.

A file is fetched or renamed by one of them at a time, so that nobody puts on record where it lay before.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager

from batchgen.model import File


class KnownFiles:
    """The files on record, by asset id.

    Args:
        files: on record when a run begins.
    """

    def __init__(self, files: Iterable[File] = ()) -> None:
        self._files = {one.asset_id: one for one in files}
        self._fetched = Counter[str]()
        self._moved: dict[str, asyncio.Event] = {}

    def get(self, asset_id: str) -> File | None:
        """Return a file as it lies now."""
        return self._files.get(asset_id)

    def put(self, file: File) -> None:
        """Learn where a file lies."""
        self._files[file.asset_id] = file

    @asynccontextmanager
    async def fetching(self, asset_ids: Collection[str]) -> AsyncIterator[None]:
        """Fetch files in the block, once nobody renames one of them; leaving it awaits nothing."""
        while moved := next((self._moved[one] for one in asset_ids if one in self._moved), None):
            await moved.wait()
        self._fetched.update(tuple(asset_ids))
        try:
            yield
        finally:
            for one in asset_ids:
                self._fetched[one] -= 1
                if not self._fetched[one]:
                    del self._fetched[one]

    def begin_moving(self, asset_ids: Collection[str]) -> frozenset[str]:
        """Return which of these may be renamed: those that nobody fetches; nobody will before the end."""
        free = frozenset(one for one in asset_ids if one not in self._fetched)
        for one in free:
            self._moved[one] = asyncio.Event()
        return free

    def end_moving(self, files: Iterable[File], asset_ids: Iterable[str]) -> None:
        """Learn where files lie that were renamed, and let all of them be fetched again."""
        for file in files:
            self.put(file)
        for one in asset_ids:
            if (moved := self._moved.pop(one, None)) is not None:
                moved.set()
