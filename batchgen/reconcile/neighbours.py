"""Doubts of other batches that stand in this run's way: their jobs ask for the same as ours.

Nothing equal to a job in doubt is bought. Its own batch may not be run again for long, so its
doubts are settled here, under its lock: that is free, and takes nothing from it. Where a run has
that lock it settles them itself, and is waited for; never for ever.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import NamedTuple, Protocol

from batchgen.errors import BatchgenError, FencedError
from batchgen.ledger import Ledger
from batchgen.lifecycle import AnswerLost, Event, Record, State
from batchgen.loop_clock import loop_time
from batchgen.model import Job, JobKey, RemoteJob, Scope
from batchgen.planning.plan import Entry
from batchgen.ports import Clock, Generator, Journal, Lease, Observer
from batchgen.reconcile.absence import DoubtPolicy
from batchgen.reconcile.reconciler import Reconciler
from batchgen.reconcile.search import Search

_UNANSWERED = frozenset({State.SUBMITTING, State.IN_DOUBT})
_PATIENCE = 3  # times settle_max: whoever settles a doubt has come to an end by then


class Opened(NamedTuple):
    """The journal of another scope, and the right to write there."""

    journal: Journal
    lease: Lease


class OpenBatch(Protocol):
    """Opens the journal of another scope as its only writer, for as long as the block lasts."""

    def __call__(self, scope: Scope) -> AbstractContextManager[Opened | None]:
        """Open it; None where a run has it.

        Raises:
            JournalError: it cannot be opened.
        """
        ...


class Neighbours:
    """Settles them beside a run. ``run`` must be a child of the run's TaskGroup."""

    def __init__(
        self,
        *,
        generator: Generator,
        batch: str,
        journal: Journal,
        clock: Clock,
        observer: Observer,
        policy: DoubtPolicy,
        sender: str,
        open_batch: OpenBatch,
    ) -> None:
        """Take the parts.

        Args:
            generator: whose listing is read.
            batch: this run's; its other slots are carried by the run itself.
            journal: of this run's scope.
            clock: ours.
            observer: is told of troubles, and of nothing else: these are not this run's jobs.
            policy: how patient it is.
            sender: fingerprint of the key that this run uses.
            open_batch: opens another scope's journal.
        """
        self._generator = generator
        self._batch = batch
        self._journal = journal
        self._clock = clock
        self._observer = _TroublesOnly(observer)
        self._policy = policy
        self._sender = sender
        self._open_batch = open_batch
        self._open: set[tuple[Scope, JobKey]] = set()
        self._taken: dict[Scope, Reconciler] = {}
        self._lost: set[Scope] = set()  # taken over by a run while their doubts were settled here
        self._left: dict[Scope, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._settled: Callable[[], None] = lambda: None

    @property
    def is_busy(self) -> bool:
        """Whether something that stands in the way may still be settled."""
        return bool(self._open)

    @property
    def left(self) -> tuple[str, ...]:
        """Return what could not be settled, a sentence for each batch."""
        return tuple(
            f"batch {scope.batch!r} has {count} job{'s' * (count != 1)} in doubt that ask for the same as "
            f"jobs of this one; settle them first: run batch {scope.batch!r}, or use batchgen resolve on it"
            for scope, count in self._left.items()
        )

    def begin(self, contents: Collection[str], settled: Callable[[], None]) -> None:
        """Find what stands in the way.

        Args:
            contents: what this run may buy, by the content of its keys.
            settled: called whenever something no longer does.
        """
        self._settled = settled
        self._open = {one for one in self._journal.neighbours(contents) if one[0].batch != self._batch}

    async def run(self) -> None:
        """Settle until nothing is left, or for as long as patience lasts.

        Raises:
            JournalError: what was found could not be recorded.
            StoppedError: the service does not let us look.
        """
        if not self._open:
            return
        try:
            await self._run()
        except BaseExceptionGroup as group:
            raise _first_of(group) from None

    async def _run(self) -> None:
        until = loop_time() + _PATIENCE * self._policy.settle_max
        with ExitStack() as stack:
            async with asyncio.TaskGroup() as group:
                while self._open and loop_time() < until:
                    self._take_up(stack, group)
                    await asyncio.sleep(self._policy.spacing)
                    self._look_at_those_that_run()
                self._give_up()
                for task in self._tasks:
                    task.cancel()

    async def _settle(self, scope: Scope, reconciler: Reconciler) -> None:
        """Settle the doubts of one batch; a run that takes it over goes on with them."""
        try:
            await reconciler.run()
        except FencedError:
            self._lose(scope)

    def _lose(self, scope: Scope) -> None:
        self._taken.pop(scope, None)
        self._lost.add(scope)

    def _take_up(self, stack: ExitStack, group: asyncio.TaskGroup) -> None:
        """Take up the doubts of batches that no run has."""
        for scope in {one for one, _ in self._open} - self._taken.keys() - self._lost:
            opened = stack.enter_context(self._open_batch(scope))
            if opened is None:
                continue
            try:
                self._take(scope, opened, group)
            except FencedError:
                self._lose(scope)

    def _take(self, scope: Scope, opened: Opened, group: asyncio.TaskGroup) -> None:
        journal = opened.journal
        ledger = Ledger(journal=journal, clock=self._clock, observer=self._observer)
        search = Search.of(self._generator, journal, ledger, sender=self._sender)
        reconciler = Reconciler(
            search,
            policy=self._policy,
            settled=partial(self._entry_is_settled, scope),
            lease=opened.lease,
        )
        self._taken[scope] = reconciler
        for key in [key for one, key in self._open if one == scope]:
            self._add(scope, key, journal.records().get(key, Record()), reconciler, ledger)
        self._tasks.append(
            group.create_task(self._settle(scope, reconciler), name=f"neighbour:{scope.batch}")
        )

    def _add(self, scope: Scope, key: JobKey, record: Record, reconciler: Reconciler, ledger: Ledger) -> None:
        if record.job is None or record.state not in _UNANSWERED:
            self._is_settled(scope, key)
            return
        entry = Entry(key=key, job=record.job, record=record)
        if record.state is State.SUBMITTING:  # nobody has its lock: its run has ended
            reason = "the run was cut off during the submit"
            entry = ledger.record(entry, AnswerLost(at=ledger.now(), reason=reason))
        reconciler.add(entry, is_old=True)

    def _look_at_those_that_run(self) -> None:
        """Drop what a run that has its batch has settled itself."""
        still = set(self._journal.neighbours({key.content for _, key in self._open}))
        for scope, key in self._open - still:
            if scope not in self._taken:
                self._is_settled(scope, key)

    def _entry_is_settled(self, scope: Scope, entry: Entry) -> None:
        self._is_settled(scope, entry.key)

    def _is_settled(self, scope: Scope, key: JobKey) -> None:
        self._open.discard((scope, key))
        self._settled()

    def _give_up(self) -> None:
        for scope, _ in self._open:
            self._left[scope] = self._left.get(scope, 0) + 1
        self._open.clear()
        self._settled()


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error that a person can cause or meet, or the whole where something else is in it."""
    known, other = group.split(BatchgenError)
    first: BaseException | None = known if other is None else group
    while isinstance(first, BaseExceptionGroup) and first is not group:
        first = first.exceptions[0]
    return first or group


class _TroublesOnly:
    """An observer for whom other batches' jobs are not there."""

    def __init__(self, inner: Observer) -> None:
        self._inner = inner

    def recorded(self, key: JobKey, job: Job, event: Event, record: Record) -> None:
        """Say nothing: it is not this run's job."""

    def polled(self, job: Job, remote: RemoteJob) -> None:
        """Say nothing: it is not this run's job."""

    def warned(self, text: str) -> None:
        """Pass it on."""
        self._inner.warned(text)
