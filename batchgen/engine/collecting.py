"""Getting the assets of what has succeeded: a few jobs at a time, one after the other."""

import asyncio
from collections.abc import Callable, MutableMapping

from batchgen.errors import DownloadError
from batchgen.ledger import Ledger
from batchgen.lifecycle import Collected
from batchgen.model import JobKey
from batchgen.plan.plan import Entry
from batchgen.ports import Collector


class Collecting:
    """The jobs whose files are due. Each ``run`` must be a child of the run's TaskGroup."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        missing: MutableMapping[JobKey, str],
        route: Callable[[Entry], None],
        rest: Callable[[Entry], None],
    ) -> None:
        """Begin with none.

        Args:
            ledger: where a collection is recorded.
            missing: takes why the files of a job did not come.
            route: goes on with a job that is collected.
            rest: leaves one whose files did not come to a later run.
        """
        self._ledger = ledger
        self._missing = missing
        self._route = route
        self._rest = rest
        self._due: asyncio.Queue[Entry] = asyncio.Queue()

    def add(self, entry: Entry) -> None:
        """Take in a job that has succeeded."""
        self._due.put_nowait(entry)

    async def run(self, collector: Collector) -> None:
        """Collect until cancelled.

        Raises:
            OutputError, StoppedError, JournalError: see ``Collector`` and ``Ledger``.
        """
        while True:
            entry = await self._due.get()
            try:
                files = await collector.collect(entry.job, entry.record.asset_ids)
            except DownloadError as error:
                self._missing[entry.key] = str(error)
                self._ledger.observer.troubled(str(error))
                self._rest(entry)
            else:
                self._route(self._ledger.record(entry, Collected(at=self._ledger.now(), files=files)))
