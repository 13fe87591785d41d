"""Opening a batch: its manifest read, its name held, its journal open and the plan made."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from batchgen.engine.interrupts import Interrupts
from batchgen.errors import BatchgenError, BatchLockedError, JournalAwayError, StoodByError
from batchgen.formats import span
from batchgen.journal.opened import OpenJournal
from batchgen.loop_clock import loop_time
from batchgen.manifest.reading import uncollected
from batchgen.manifest.values import Manifest
from batchgen.model import JobKey, Scope
from batchgen.planning.selection import of_ids
from batchgen.ports import Lease, LifelongLease
from batchgen.wiring.batch import Batch, fresh_scope_of, scope_of
from batchgen.wiring.options import Options
from batchgen.wiring.places import refuse_a_copied_journal, refuse_another_folder
from batchgen.wiring.reading import manifest_of

_LOOKS_AT_LOCK = 0.5  # seconds between two looks whether a batch is free


class HeldManifest(NamedTuple):
    """The manifest of a batch that is held, and the right to lead it."""

    manifest: Manifest
    lease: Lease


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenBatch:
    """A batch with what it was opened from, open for as long as the block lasts.

    Attributes:
        options: which batch, and where.
        file: the journal of its folder.
        batch: the manifest in the light of it.
        now: when it was opened, seconds since the epoch: a run at midnight stays in its slot.
        lease: the right to lead the batch.
    """

    options: Options
    file: OpenJournal
    batch: Batch
    now: float
    lease: Lease = field(default_factory=LifelongLease)

    @property
    def gone(self) -> frozenset[JobKey]:
        """What was of no job of the manifest any more when the slot was run last."""
        last = self.file.last_runs.read().get(self.batch.scope)
        return frozenset() if last is None else last.removed

    def under(self, scope: Scope) -> "OpenBatch":
        """Return the same manifest with the records of another scope."""
        return replace(self, batch=Batch.of(self.options, self.batch.whole, scope, self.file))

    def afresh(self, scope: Scope) -> "OpenBatch":
        """Return the same jobs in a slot that begins: those that were meant by where they stood before it."""
        if not self.options.selection or self.batch.wrong_words:
            return self.under(scope)
        ids = [one.job.id for one in self.batch.plan.entries if one.selected]
        options = replace(self.options, selection=of_ids(ids))
        return replace(self, options=options).under(scope)


def _with_slot_of(options: Options, scope: Scope) -> Options:
    """Return options that name a slot by its own name: a day in a week may have stood for it."""
    return options if options.slot is None else replace(options, slot=scope.slot)


class _WaitForLock:
    """The wait for whoever holds a batch, as long as the options and who asks to stop allow it."""

    def __init__(
        self, options: Options, interrupts: Interrupts | None, note: Callable[[str], None] | None
    ) -> None:
        self._began = loop_time()
        self._stands_by = options.standby
        self._seconds = math.inf if options.standby else options.wait_lock
        self._interrupts = interrupts
        self._note = note or (lambda _: None)
        self._stopped = asyncio.Event()
        self._holder = ""  # of whom it was said that they are waited for
        self.has_waited = False

    async def a_moment(self, error: BatchLockedError | JournalAwayError) -> None:
        """Wait until it is time to look again; say for whom, once, and of a standby each time it is another.

        Raises:
            BatchLockedError: the time is over, or whoever waits was asked to stop.
            StoodByError: a standby was asked to stop by a signal.
            JournalAwayError: the journal does not answer, and this is no standby that it answered before.
        """
        waited = loop_time() - self._began
        stopped = self._interrupts is not None and self._interrupts.draining
        if isinstance(error, JournalAwayError) and not (self._stands_by and self.has_waited):
            raise error
        if waited >= self._seconds or stopped:
            raise self._given_up(error, waited) if self.has_waited else error
        self._tell(error)
        # the kernel's own wait could not be ended by a signal
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), min(_LOOKS_AT_LOCK, self._seconds - waited))

    def taken(self, batch: str) -> None:
        """Say that the batch is held now."""
        if self.has_waited and self._stands_by:
            self._note(f"the batch {batch!r} is free: this run goes on with it")

    def _tell(self, error: BatchLockedError | JournalAwayError) -> None:
        if not self.has_waited and self._interrupts is not None:
            self._interrupts.tell(lambda _: self._stopped.set())
        holder = error.holder if isinstance(error, BatchLockedError) else str(error)
        is_another, self._holder = holder != self._holder, holder
        if isinstance(error, JournalAwayError):
            if is_another:
                self._note(f"standing by until the journal is there again: {error}")
        elif self._stands_by and is_another:
            self._note(f"standing by for the batch {error.batch!r}, which is being run by {holder}")
        elif not (self._stands_by or self.has_waited):
            self._note(
                f"waiting up to {span(self._seconds)} for the batch {error.batch!r}, which is being run by "
                f"{holder}"
            )
        self.has_waited = True

    def _given_up(self, error: BatchLockedError | JournalAwayError, waited: float) -> BatchgenError:
        received = [] if self._interrupts is None else self._interrupts.received
        if self._stands_by and received:
            text = f"stopped while standing by, after {span(waited)}; nothing was begun"
            return StoodByError(text, received[-1])
        if isinstance(error, JournalAwayError):
            return error
        text = (
            f"the batch {error.batch!r} is still being run by {error.holder}; waited {span(waited)} for it. "
            "Wait longer, or stop it there with Ctrl-C"
        )
        return BatchLockedError(text, batch=error.batch, holder=error.holder)


@asynccontextmanager
async def hold_when_free(
    options: Options,
    read: Callable[[], Manifest] | None = None,
    *,
    interrupts: Interrupts | None = None,
    note: Callable[[str], None] | None = None,
) -> AsyncIterator[HeldManifest]:
    """Hold a batch, as its only writer, once nobody else does, and give its manifest as it is then.

    Args:
        options: which batch, and how long to wait for whoever holds it.
        read: reads the manifest: once more after a wait, in which somebody may have edited it.
        interrupts: end the wait; None where nobody can ask for that.
        note: is told for whom it waits.

    Raises:
        InputError: the manifest is wrong.
        BatchLockedError: a run holds the batch still, or whoever waits was asked to stop.
        StoodByError: a standby was asked to stop.
        JournalError: the batch cannot be held.
    """
    read = read or (lambda: manifest_of(options))
    manifest, wait = read(), _WaitForLock(options, interrupts, note or options.on_wait)
    while True:
        with ExitStack() as held:
            try:
                refuse_another_folder(options, manifest.batch)
                lease = held.enter_context(options.journal.hold(manifest.batch, stamp=options.clock.now()))
            except (BatchLockedError, JournalAwayError) as error:
                await wait.a_moment(error)
                continue
            name = manifest.batch
            wait.taken(name)
            manifest = read() if wait.has_waited else manifest
            if manifest.batch == name:
                yield HeldManifest(manifest, lease)
                return


@asynccontextmanager
async def open_when_free(options: Options) -> AsyncIterator[OpenBatch]:
    """Open a batch as ``open_batch`` does, after whoever holds it where there is time to wait.

    Raises:
        InputError, BatchLockedError, JournalError: as ``hold_when_free`` does.
    """
    async with hold_when_free(options) as held:
        with open_held(options, held) as opened:
            yield opened


@contextmanager
def open_batch(options: Options) -> Iterator[OpenBatch]:
    """Hold a batch, as its only writer, with its journal open to write.

    Raises:
        InputError: the manifest is wrong, or there is no such slot and none may be begun.
        BatchLockedError: a run holds the batch.
        JournalError: the journal cannot be opened.
    """
    manifest = manifest_of(options)
    refuse_another_folder(options, manifest.batch)
    with (
        options.journal.hold(manifest.batch, stamp=options.clock.now()) as lease,
        open_held(options, HeldManifest(manifest, lease)) as opened,
    ):
        yield opened


@contextmanager
def open_held(options: Options, held: HeldManifest, *, slot: str | None = None) -> Iterator[OpenBatch]:
    """Open the journal of a batch that is held.

    Args:
        options: which batch, and where.
        held: its manifest as it was read, and the right to lead it.
        slot: which one is meant, whether or not anything is on record of it; None for that of the options.

    Raises:
        InputError: there is no such slot and none may be begun, or the batch goes on in another journal.
        JournalError: the journal cannot be opened.
    """
    manifest, now = held.manifest, options.clock.now()
    with options.journal.opened() as file:
        refuse_a_copied_journal(options, file, manifest.batch)
        if slot is None:
            scope = scope_of(options, manifest, file, now=now)
        else:
            scope = replace(scope_of(replace(options, slot=None), manifest, file, now=now), slot=slot)
        options = _with_slot_of(options, scope)
        batch = Batch.of(options, manifest, scope, file)
        yield OpenBatch(options=options, file=file, batch=batch, now=now, lease=held.lease)


@contextmanager
def look_at(options: Options, *, kept: Scope | None = None) -> Iterator[OpenBatch]:
    """Check a manifest against the journal as it is now; a run beside it is not disturbed.

    Args:
        options: what to look at, and where.
        kept: whose records a run would go on with, where that is not on record yet.

    Raises:
        InputError: the manifest is wrong.
        JournalError: the journal cannot be read.
    """
    manifest = manifest_of(options)
    refuse_another_folder(options, manifest.batch)
    with options.journal.read() as file:
        now = options.clock.now()
        scope = scope_of(options, manifest, file, now=now, kept=kept)
        options = _with_slot_of(options, scope)
        fresh = fresh_scope_of(options, manifest, scope, now=now) if options.fresh else None
        with uncollected():  # what a plan of 100,000 jobs is made of stays, all of it
            before = scope if fresh is None or options.selection else fresh
            batch = Batch.of(options, manifest, before, file)
            opened = OpenBatch(options=options, file=file, batch=batch, now=now)
            if fresh is not None and before != fresh and not batch.wrong_words:
                opened = opened.afresh(fresh)
        yield opened
