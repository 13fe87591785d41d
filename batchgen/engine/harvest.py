"""Getting what came out of the jobs that succeeded: their files, and what the service shows only later."""

import asyncio
from dataclasses import dataclass, field

from batchgen.engine.errands import Errands
from batchgen.engine.gleaning import Gleaner
from batchgen.engine.moves import Moves
from batchgen.engine.outcome import Lacking
from batchgen.errors import DownloadError, NoRightError
from batchgen.ledger import Ledger
from batchgen.lifecycle import Collected
from batchgen.model import JobKey
from batchgen.planning.plan import Entry
from batchgen.planning.yields import Yields
from batchgen.ports import Collector, Generator
from batchgen.rights import Right


@dataclass(kw_only=True)
class Harvest:
    """Collects, asks again, and collects what came later.

    Attributes:
        collector: where assets go; None leaves them with the service.
        ledger: where it is recorded.
        generator: the service.
        yields: how many assets jobs give.
        moves: how jobs go on.
        errands: starts pieces of work.
        missing: why the assets of these are not all on disk.
        lacking: the rights that this key lacks, and the jobs that are left for want of them.
    """

    collector: Collector | None
    ledger: Ledger
    generator: Generator
    yields: Yields
    moves: Moves
    errands: Errands
    missing: dict[JobKey, str] = field(default_factory=dict)
    lacking: Lacking = field(default_factory=Lacking)

    def __post_init__(self) -> None:
        self._queue: asyncio.Queue[Entry] = asyncio.Queue()
        self._gleaner = Gleaner(
            generator=self.generator,
            ledger=self.ledger,
            yields=self.yields,
            moves=self.moves,
            errands=self.errands,
        )

    def start(self, collectors: int) -> None:
        """Begin to collect, so many jobs at once."""
        for number in range(collectors if self.collector is not None else 0):
            self.errands.spawn(self._collect_one_after_another, f"collect:{number}")

    def take(self, entry: Entry) -> None:
        """Do what is left to do for a success."""
        if entry.record.lacks_files and self.collector is None:
            self.moves.route(self.ledger.record(entry, Collected(at=self.ledger.now())))
        elif entry.record.lacks_files and (denied := self.lacking.error(Right.ASSETS)) is not None:
            self._leave(entry, denied)
        elif entry.record.lacks_files:
            self._queue.put_nowait(entry)
        elif self._gleaner.wants(entry):
            self._gleaner.add(entry)
        else:
            self.moves.close(entry)

    def _leave(self, entry: Entry, error: NoRightError) -> None:
        """Leave the files of a job with the service: it is paid for, and asking again would not help."""
        self.missing[entry.key] = str(error)
        self.lacking.add(error, [entry.key])
        self.moves.close(entry)

    async def _collect_one_after_another(self) -> None:
        assert self.collector is not None
        while True:
            entry = await self._queue.get()
            try:
                files = await self.collector.collect(entry.job, entry.record.asset_ids)
            except NoRightError as error:
                self._leave(entry, error)
            except DownloadError as error:
                self.missing[entry.key] = str(error)
                self.ledger.observer.warned(str(error))
                self.moves.close(entry)
            else:
                self.moves.route(self.ledger.record(entry, Collected(at=self.ledger.now(), files=files)))
