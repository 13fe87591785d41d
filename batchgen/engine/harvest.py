"""Getting what came out of the jobs that succeeded: their files, and what the service shows only later."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from batchgen.engine.gleaning import Gleaned, Gleaner
from batchgen.errors import DownloadError
from batchgen.ledger import Ledger
from batchgen.lifecycle import Collected
from batchgen.model import JobKey
from batchgen.plan.plan import Entry
from batchgen.plan.yields import Yields
from batchgen.ports import Collector, Generator


@dataclass(frozen=True, kw_only=True, slots=True)
class Reaped:
    """What becomes of a success; each returns at once.

    Attributes:
        route: do what its state calls for.
        rests: nothing under way moves it any further.
        spawn: starts a piece of work that may be cancelled at any time.
    """

    route: Callable[[Entry], None]
    rests: Callable[[Entry], None]
    spawn: Callable[[Callable[[], Awaitable[None]], str], None]


@dataclass(kw_only=True)
class Harvest:
    """Collects, asks again, and collects what came later.

    Attributes:
        collector: where assets go; None leaves them with the service.
        ledger: where it is recorded.
        generator: the service.
        yields: how many assets jobs give.
        reaped: what to do with what is done.
        missing: why the assets of these are not all on disk.
    """

    collector: Collector | None
    ledger: Ledger
    generator: Generator
    yields: Yields
    reaped: Reaped
    missing: dict[JobKey, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._queue: asyncio.Queue[Entry] = asyncio.Queue()
        self._gleaner = Gleaner(
            generator=self.generator,
            ledger=self.ledger,
            yields=self.yields,
            gleaned=Gleaned(grew=self.reaped.route, rests=self.reaped.rests, spawn=self.reaped.spawn),
        )

    def start(self, collectors: int) -> None:
        """Begin to collect, so many jobs at once."""
        for number in range(collectors if self.collector is not None else 0):
            self.reaped.spawn(self._collect_one_after_another, f"collect:{number}")

    def take(self, entry: Entry) -> None:
        """Do what is left to do for a success."""
        if entry.record.lacks_files and self.collector is None:
            self.reaped.route(self.ledger.record(entry, Collected(at=self.ledger.now())))
        elif entry.record.lacks_files:
            self._queue.put_nowait(entry)
        elif self._gleaner.wants(entry):
            self._gleaner.add(entry)
        else:
            self.reaped.rests(entry)

    async def _collect_one_after_another(self) -> None:
        assert self.collector is not None
        while True:
            entry = await self._queue.get()
            try:
                files = await self.collector.collect(entry.job, entry.record.asset_ids)
            except DownloadError as error:
                self.missing[entry.key] = str(error)
                self.ledger.observer.troubled(str(error))
                self.reaped.rests(entry)
            else:
                self.reaped.route(self.ledger.record(entry, Collected(at=self.ledger.now(), files=files)))
