"""One run of one batch: puts the pieces together, starts them, and waits for the end.

Submits live in an outer group of their own that nothing else cancels, because a submit cut off in the
middle is money of unknown whereabouts.
"""

import asyncio
import math
from collections.abc import Mapping
from contextlib import suppress

from batchgen.engine.asking import hold_prices
from batchgen.engine.board import Board
from batchgen.engine.control import Control
from batchgen.engine.dispatch import Dispatcher
from batchgen.engine.doubts import Doubts
from batchgen.engine.errands import Errands
from batchgen.engine.harvest import Harvest
from batchgen.engine.lease_end import until_over
from batchgen.engine.limits.chain_budget import ChainBudget
from batchgen.engine.limits.flow import Flow
from batchgen.engine.outcome import EngineOutcome, left_closed
from batchgen.engine.policy import Policy, World
from batchgen.engine.router import Pieces, Router
from batchgen.engine.settings import RunSettings
from batchgen.engine.submit import Submitter
from batchgen.engine.watch.schedule import LookSchedule
from batchgen.engine.watch.watcher import Watcher
from batchgen.errors import JournalError
from batchgen.ledger import Ledger
from batchgen.model import JobKey, Model, Scope
from batchgen.planning.plan import Plan
from batchgen.planning.yields import Yields
from batchgen.reconcile.reconciler import Reconciler
from batchgen.reconcile.search import Search


class Runner:
    """One run of one batch."""

    def __init__(
        self,
        *,
        plan: Plan,
        scope: Scope,
        models: Mapping[str, Model],
        world: World,
        flow: Flow,
        policy: Policy,
        closed: Mapping[str, str] | None = None,
        settings: RunSettings | None = None,
    ) -> None:
        """Put the pieces together; nothing starts before ``run``.

        Args:
            plan: what there is to do.
            scope: where the records belong.
            models: every model of a job that may be submitted.
            world: the ports.
            flow: how much may be in flight.
            policy: how patient the run is.
            closed: models that this account may not use, and why: their jobs stay planned.
            settings: what the run goes by at first; None for what flow and purse were made with.
        """
        self.flow = flow
        self._plan = plan
        self._world = world
        self._policy = policy
        self._board = Board(
            flow=flow,
            neighbours=world.neighbours,
            most_failures=policy.most_failures,
            last_moment=policy.last_moment,
        )
        self._ledger = Ledger(
            journal=world.journal,
            clock=world.clock,
            observer=world.observer,
            collects=world.collector is not None,
        )
        self._search = Search.of(world.generator, world.journal, self._ledger, sender=world.sender)
        self._chains = ChainBudget(
            plan=plan, journal=world.journal, purse=world.purse, now=world.clock.now, closed=closed or {}
        )
        self._router = Router(
            board=self._board,
            ledger=self._ledger,
            flow=flow,
            world=world,
            policy=policy,
            models=models,
            wanted=(entry.key for entry in plan.entries if entry.wanted),
            chains=self._chains,
        )
        self._errands = Errands(self._board, self._router)
        self._reconciler = Reconciler(
            self._search, policy=policy.doubt, settled=self._router.settled, lease=world.lease
        )
        self._pieces = self._made(scope, models, closed or {})
        self._router.attach(self._pieces)
        self.doubts = self._pieces.doubts
        self.control = Control(dispatcher=self._pieces.dispatcher, flow=flow, purse=world.purse)
        if settings is not None:
            self.control.apply(settings)

    def _made(self, scope: Scope, models: Mapping[str, Model], closed: Mapping[str, str]) -> Pieces:
        """Make the pieces that go on with jobs."""
        world, policy = self._world, self._policy
        yields = Yields(world.journal.records(), models)
        return Pieces(
            dispatcher=Dispatcher(
                world=world,
                ledger=self._ledger,
                submitter=Submitter(
                    ledger=self._ledger,
                    models=models,
                    scope=scope,
                    world=world,
                    yields=yields,
                    chains=self._chains,
                    room=self.flow.room,
                ),
                flow=self.flow,
                policy=policy,
                scope=scope,
                models=models,
                board=self._board,
                moves=self._router,
                errands=self._errands,
                search=self._search,
                closed=closed,
                plan=self._plan,
                chains=self._chains,
            ),
            doubts=Doubts(
                ledger=self._ledger,
                flow=self.flow,
                listings=policy.listings,
                reconciler=self._reconciler,
                board=self._board,
                moves=self._router,
            ),
            watcher=Watcher(
                generator=world.generator,
                ledger=self._ledger,
                schedule=self._schedule_of(models),
                gate=world.gate,
                flow=self.flow,
                yields=yields,
                sweeps=policy.sweeps and policy.listings,
                board=self._board,
                moves=self._router,
                errands=self._errands,
            ),
            harvest=Harvest(
                collector=world.collector,
                ledger=self._ledger,
                generator=world.generator,
                yields=yields,
                moves=self._router,
                errands=self._errands,
                board=self._board,
                policy=policy,
                chance=world.chance,
                left=self._left_at_service(),
            ),
        )

    def _left_at_service(self) -> frozenset[JobKey]:
        """Return the jobs whose assets are handed on and not fetched."""
        feeding = self._plan.lineage.children if self._world.only_last else ()
        return frozenset(self._plan.entries[place].key for place in feeding)

    def _schedule_of(self, models: Mapping[str, Model]) -> LookSchedule:
        policy = self._policy
        schedule = LookSchedule(
            gaps=policy.gaps,
            backoff=policy.backoff,
            usual=policy.usual,
            published={one.id: one.latency_p75 for one in models.values() if one.latency_p75},
            chance=self._world.chance,
        )
        schedule.remember(self._world.journal.records().values())
        return schedule

    async def run(self) -> EngineOutcome:
        """Carry the plan's jobs to their end, or as far as the run may go.

        Raises:
            JournalError, OutputError: the disk is at fault; the journal has what it took.
        """
        try:
            return await self._carried()
        finally:
            with suppress(JournalError):  # the next run begins with that
                self._chains.clear()

    async def _carried(self) -> EngineOutcome:
        board, dispatcher = self._board, self._pieces.dispatcher
        async with asyncio.TaskGroup() as submits:
            try:
                async with asyncio.TaskGroup() as others:
                    await self._errands.guarded(lambda: self._start(submits, others))
                    await board.ended.wait()
                    self._errands.cancel()
            except BaseExceptionGroup as group:
                board.stops.bug = group  # raised when the submits under way have been let finish
            except asyncio.CancelledError:
                self.leave()
                await dispatcher.finish()
                raise
            board.end()
            await dispatcher.finish()
        records = self._world.journal.records()
        return board.stops.ending(
            turned_up=self._search.late_arrivals.sentences,
            lost=self._ledger.lost,
            over_budget=dispatcher.budget_told(),
            waits_for=self._world.neighbours.left if self._world.neighbours is not None else (),
            unpriced=dispatcher.unpriced_told(),
            most_failures=self._policy.most_failures,
            closed=left_closed(dispatcher.closed, self._plan.entries, records),
        )

    async def _start(self, submits: asyncio.TaskGroup, others: asyncio.TaskGroup) -> None:
        pieces = self._pieces
        pieces.dispatcher.enter(submits)
        self._errands.enter(others)
        self._world.purse.remember(self._world.journal.records().values())
        hold_prices(self._world, self._ledger)
        if self._world.lease.left() < math.inf:
            self._errands.spawn(lambda: until_over(self._world.lease, self._world.journal), name="lease")
        planned = (*self._plan.removed, *self._plan.earlier, *self._plan.entries)
        entries = self._search.hearing.at_start(planned)
        self._board.stops.vanished.update(entry.key for entry in entries if entry.vanished)
        self._board.open(entry.key for entry in entries)
        for entry in entries:
            self._router.route(entry)
        # what runs was accepted side by side before: that much is proven
        self.flow.resumed()
        self._chains.renew()
        self._errands.spawn(pieces.watcher.run, name="watch")
        pieces.dispatcher.start()
        self._errands.spawn(self._reconciler.run, name="reconcile")
        if (neighbours := self._world.neighbours) is not None:
            neighbours.begin({entry.key.content for entry in entries}, self._router.neighbour_settled)
            self._errands.spawn(neighbours.run, name="neighbours")
        pieces.harvest.start()
        self._board.begin(pieces.dispatcher)

    def drain(self) -> None:
        """Submit no more, and collect what is paid for."""
        self._board.stops.drained = True
        self._pieces.harvest.hurry()
        self._board.stop()

    def leave(self) -> None:
        """Submit no more, and leave what runs to the next run."""
        self._board.stops.leaving = True
        self.end()

    def end(self) -> None:
        """Do the same once the submits under way are answered."""
        self._board.stops.drained = True
        self._board.end()

    @property
    def note(self) -> str:
        """What a person should know of the moment: the files that are waited for; empty for nothing."""
        return self._pieces.harvest.note

    def longest_left(self) -> float | None:
        """Estimate the seconds until the last of what runs has ended; None if nothing is known."""
        return self._pieces.watcher.longest_left()
