"""Getting what came out of the jobs that succeeded: their files, and what the service shows only later.

Files are paid for, and asking for them costs nothing: what does not arrive is tried again as long as
the run lasts, and for some minutes when everything else has ended, if another try may bring it.
"""

import asyncio
import random
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from batchgen.engine.board import Board
from batchgen.engine.errands import Errands
from batchgen.engine.file_queue import FileQueue
from batchgen.engine.gleaning import Gleaner
from batchgen.engine.moves import Moves
from batchgen.engine.policy import Policy
from batchgen.errors import DownloadError, NoRightError, OutputError, WhyMissing
from batchgen.formats import counted, span
from batchgen.ledger import Ledger
from batchgen.lifecycle import AssetsGone, Collected
from batchgen.loop_clock import loop_time
from batchgen.model import File, JobKey
from batchgen.planning.plan import Entry
from batchgen.planning.yields import Yields, is_young
from batchgen.ports import Collector, Generator
from batchgen.rights import Right


@dataclass(frozen=True, slots=True)
class _Late:
    """A job whose files were tried in vain.

    Attributes:
        files: how many did not arrive.
        reason: why the first of them did not.
        passes: whether the way was at fault for one of them: that may pass.
    """

    entry: Entry
    files: int
    reason: str
    passes: bool


@dataclass(kw_only=True)
class Harvest:
    """Collects, asks again, and collects what came later.

    Attributes:
        collector: where assets go; None leaves them with the service.
        ledger: where it is recorded.
        generator: the service.
        yields: how many assets jobs give.
        board: what the run leaves.
        moves: how jobs go on.
        errands: starts pieces of work.
        policy: how long late files are waited for.
        chance: where jitter comes from.
        left: the jobs whose assets stay with the service.
    """

    collector: Collector | None
    ledger: Ledger
    generator: Generator
    yields: Yields
    board: Board
    moves: Moves
    errands: Errands
    policy: Policy
    chance: random.Random = field(default_factory=random.Random)
    left: Collection[JobKey] = frozenset()

    def __post_init__(self) -> None:
        self._stops = self.board.stops
        self._queue = FileQueue(self.policy.files, self.chance)
        self._late: dict[JobKey, _Late] = {}
        self._arrived_at = float("-inf")  # the last file, by the loop's clock
        self._hurried = False
        self._told = set[str]()  # reasons for which files are waited for
        self._under_way: dict[JobKey, Entry] = {}
        self._changed = asyncio.Event()
        self._gleaner = Gleaner(
            generator=self.generator,
            ledger=self.ledger,
            yields=self.yields,
            moves=self.moves,
            errands=self.errands,
        )

    @property
    def note(self) -> str:
        """What is waited for, for people; empty if no file is late."""
        if not self._late:
            return ""
        late = list(self._late.values())
        behind = self._queue.untried if self._queue.in_trouble else ()
        files = sum(one.files for one in late) + sum(len(one.record.asset_ids) for one in behind)
        return f"waiting for {counted(files, 'file')}: {late[-1].reason}"

    def start(self) -> None:
        """Begin to collect, several jobs at once."""
        if self.collector is None:
            return
        for number in range(self.policy.collectors):
            self.errands.spawn(self._collect_one_after_another, f"collect:{number}")
        self.errands.spawn(self._outlast, "late files")

    def take(self, entry: Entry) -> None:
        """Do what is left to do for a success."""
        lacks_files = entry.record.lacks_files or entry.key in self._stops.vanished
        if lacks_files and (self.collector is None or entry.key in self.left):
            self._stops.vanished.discard(entry.key)
            self.moves.route(self.ledger.record(entry, Collected(at=self.ledger.now())))
        elif lacks_files and (denied := self._stops.lacking.error(Right.ASSETS)) is not None:
            self._leave_at_service(entry, denied)
        elif lacks_files and not self._stops.unwritable:
            self._queue.add(entry)
            if self._queue.in_trouble:
                self.board.linger(entry.key)
        elif not lacks_files and self._gleaner.wants(entry):
            self._gleaner.add(entry)
        else:
            self.moves.close(entry)

    def hurry(self) -> None:
        """Wait for late files no longer than for everything else."""
        self._hurried = True
        self._changed.set()

    def _leave_at_service(self, entry: Entry, error: NoRightError) -> None:
        """Leave the files of a job where they are: it is paid for, and asking again would not help."""
        self._forget(entry.key)
        self._stops.missing[entry.key] = str(error)
        self._stops.lacking.add(error, [entry.key])
        self.moves.close(entry)

    async def _collect_one_after_another(self) -> None:
        while True:
            entry = await self._queue.next()
            self._under_way[entry.key] = entry
            try:
                await self._collect(entry, entry.record.gone)
            except NoRightError as error:
                self._queue.ended(entry)
                self._leave_at_service(entry, error)
            except OutputError as error:
                self._stop_writing(entry, error)
            finally:
                del self._under_way[entry.key]

    async def _collect(self, entry: Entry, gone: Collection[str]) -> None:
        """Fetch what is not gone for good, and record what became of it."""
        assert self.collector is not None
        wanted = [one for one in entry.record.asset_ids if one not in gone]
        try:
            files = await self.collector.collect(entry.job, wanted)
        except DownloadError as error:
            lost = self._gone_for_good(entry, error)
            if lost and lost == set(error.why):
                await self._collect(entry, {*gone, *lost})
            else:
                self._wait_for(entry, error)
        else:
            self._keep(entry, files, gone)

    def _gone_for_good(self, entry: Entry, error: DownloadError) -> set[str]:
        """Return what the service has no more: it had it once, or a day was time enough to show it."""
        gone = {one for one, why in error.why.items() if why is WhyMissing.GONE}
        young = is_young(entry.record, now=self.ledger.now())
        return gone & {one.asset_id for one in entry.record.files} if young else gone

    def _keep(self, entry: Entry, files: Iterable[File], gone: Collection[str]) -> None:
        """Record what is there, and what is gone with what was known of it."""
        # as it is on record now: files may have been renamed since the entry was made
        before = [one for one in self.ledger.record_of(entry).files if one.asset_id in gone]
        place = {asset_id: at for at, asset_id in enumerate(entry.record.asset_ids)}
        every = tuple(sorted((*files, *before), key=lambda one: place.get(one.asset_id, len(place))))
        now = self.ledger.now()
        lost = tuple(one for one in entry.record.asset_ids if one in gone)
        events = [AssetsGone(at=now, asset_ids=lost)] if lost else []
        self._forget(entry.key)
        self._stops.vanished.discard(entry.key)
        self._arrived_at = loop_time()
        self._changed.set()
        if self._queue.in_trouble:  # those behind it wait for their turn by now, and no longer for help
            self.board.open(one.key for one in self._queue.untried)
        self._queue.arrived(entry)
        self.moves.route(self.ledger.record(entry, Collected(at=now, files=every), *events))

    def _wait_for(self, entry: Entry, error: DownloadError) -> None:
        """Try a job's files again later."""
        why = set(error.why.values()) or {WhyMissing.LATE}
        first = self._queue.failed(entry, answered=why == {WhyMissing.GONE})
        self._stops.missing[entry.key] = str(error)
        passes = WhyMissing.LATE in why
        if passes or is_young(entry.record, now=self.ledger.now()):
            self._stops.spoiled.discard(entry.key)
        else:
            self._stops.spoiled.add(entry.key)
        if first:
            self.ledger.observer.warned(str(error))
        reason = str(error.__cause__ or error)
        self._late[entry.key] = _Late(entry, max(1, len(error.why)), reason, passes)
        if self._stops.unwritable or (self.board.quiet.is_set() and not passes):
            self._leave([entry.key])
        else:
            self.board.linger(entry.key)
            self._linger_behind_trouble()

    def _linger_behind_trouble(self) -> None:
        """Let those not tried yet wait for a server in trouble as those do that were tried."""
        if self._queue.in_trouble:
            for one in self._queue.untried:
                self.board.linger(one.key)

    async def _outlast(self) -> None:
        """Wait for late files when everything else has ended, as long as that may help and no longer."""
        while self._late or not self.board.ended.is_set():
            await self.board.quiet.wait()
            self._leave([key for key, one in self._late.items() if not one.passes])
            self._say_what_is_waited_for()
            if await self._is_still_quiet(loop_time()):
                untried = {one.key: one for one in (*self._queue.empty(), *self._under_way.values())}
                self._leave(list(self._late))
                for one in untried.values():
                    self.moves.close(one)

    def _say_what_is_waited_for(self) -> None:
        reasons = {one.reason for one in self._late.values()}
        if not (self._hurried or reasons <= self._told):
            self._told |= reasons
            self.ledger.observer.warned(f"{self.note}; for {span(self.policy.last_files)} at most")

    async def _is_still_quiet(self, began: float) -> bool:
        """Wait; return whether nothing has come for so long that what is left is left to the next run."""
        while self.board.quiet.is_set() and not self._hurried:
            left = max(began, self._arrived_at) + self.policy.last_files - loop_time()
            if left <= 0:
                break
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._changed.wait()
        return self.board.quiet.is_set()

    def _leave(self, keys: Iterable[JobKey]) -> None:
        """Leave these to the next run."""
        for key in keys:
            left = self._late.pop(key)
            self._queue.drop([key])
            self.moves.close(left.entry)

    def _forget(self, key: JobKey) -> None:
        self._late.pop(key, None)
        self._stops.missing.pop(key, None)
        self._stops.spoiled.discard(key)

    def _stop_writing(self, entry: Entry, error: OutputError) -> None:
        """Buy no more and fetch no more: what comes out could not be kept, and another try does not help."""
        self._queue.ended(entry)
        self._stops.unwritable = self._stops.unwritable or str(error)
        self.hurry()
        self.board.stop()
        for one in (entry, *self._queue.empty()):
            self._late.pop(one.key, None)
            self.moves.close(one)
