"""The runner: carries every job of a plan to its end.

It does the one thing a job's state calls for and looks at the state again; what happens is
recorded as events by the pieces it calls, and it never assigns a state. Submits live in an
outer group of their own that nothing else cancels, because a submit cut off in the middle
is money of unknown whereabouts.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from batchgen.engine.asking import hold_prices
from batchgen.engine.control import Control
from batchgen.engine.departures import Departures
from batchgen.engine.dispatch import Dispatcher, Steps
from batchgen.engine.doubting import Doubting
from batchgen.engine.ending import Ending, left_closed
from batchgen.engine.errands import Errands
from batchgen.engine.halt import Halt
from batchgen.engine.harvest import Harvest, Reaped
from batchgen.engine.limits.flow import Flow
from batchgen.engine.policy import Policy, World
from batchgen.engine.prepare import Preparer
from batchgen.engine.submit import Submitter
from batchgen.engine.watch.schedule import LookSchedule
from batchgen.engine.watch.watcher import Outcomes, Watcher
from batchgen.errors import BatchgenError, ModelClosedError, NoListingError, OverBudgetError, StoppedError
from batchgen.ledger import Ledger
from batchgen.lifecycle import AnswerLost, RetryAsked, State
from batchgen.model import JobKey, Model, Scope
from batchgen.plan.plan import Entry, Plan, may_be_unrecorded
from batchgen.plan.yields import Yields
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
    ) -> None:
        """Take the parts; nothing starts before ``run``.

        Args:
            plan: what there is to do.
            scope: where the records belong.
            models: every model of a job that may be submitted.
            world: the ports.
            flow: how much may be in flight.
            policy: how patient the run is.
            closed: models that this account may not use, and why: their jobs stay planned.
        """
        self._plan = plan
        self._models = models
        self._world = world
        self._policy = policy
        self._halt = Halt()
        self._ended = asyncio.Event()
        self._errands = Errands(over=self._ended.is_set, broke=self._cannot_go_on)
        self._ledger = Ledger(
            journal=world.journal,
            clock=world.clock,
            observer=world.observer,
            collects=world.collector is not None,
        )
        yields = Yields(world.journal.records(), models)
        self._submitter = Submitter(
            ledger=self._ledger,
            models=models,
            scope=scope,
            world=world,
            yields=yields,
        )
        self._preparer = self._make_preparer()
        self._search = Search.of(world.generator, world.journal, self._ledger, sender=world.sender)
        self._dispatcher = Dispatcher(
            world=world,
            ledger=self._ledger,
            submitter=self._submitter,
            flow=flow,
            policy=policy,
            scope=scope,
            models=models,
            steps=Steps(
                submit=self._begin_submit,
                route=self._route,
                rest=self._look_whether_ended,
                doubt_reach=self._look_whether_reachable,
                spawn=self._errands.spawn,
                priced=lambda: hold_prices(world, self._ledger),
            ),
            preparer=self._preparer,
            search=self._search,
            purse=world.purse,
            closed=closed or {},
            left_out=[one for one in plan.entries if world.purse.is_capped and may_be_unrecorded(one)],
        )
        self._schedule = LookSchedule(
            gaps=policy.gaps,
            backoff=policy.backoff,
            usual=policy.usual,
            published={one.id: one.latency_p75 for one in models.values() if one.latency_p75},
            chance=world.chance,
        )
        self._schedule.remember(world.journal.records().values())
        self._watcher = Watcher(
            generator=world.generator,
            ledger=self._ledger,
            schedule=self._schedule,
            gate=world.gate,
            yields=yields,
            sweeps=policy.sweeps and policy.listings,
            outcomes=Outcomes(
                ended=self._route,
                outlasted=self._outlasted,
                spawn=self._errands.spawn,
                pressed=lambda: self._dispatcher.is_pressed,
            ),
        )
        self._harvest = Harvest(
            collector=world.collector,
            ledger=self._ledger,
            generator=world.generator,
            yields=yields,
            reaped=Reaped(route=self._route, rests=self._rest, spawn=self._errands.spawn),
            missing=self._halt.missing,
        )
        self.flow = flow
        self.control = Control(dispatcher=self._dispatcher, flow=flow, purse=world.purse)
        self._reconciler = Reconciler(self._search, policy=policy.doubt, settled=self._settled)
        # What changes during a run: who waits, who is under way, and what is to end it.
        self._wanted = {entry.key for entry in plan.entries if entry.wanted}
        self._under_way: set[JobKey] = set()
        self._departures = Departures(
            submit=lambda entry: self._errands.guarded(lambda: self._submit(entry)), broke=self._broke
        )
        self._started = False
        self.doubts = Doubting(
            ledger=self._ledger,
            flow=flow,
            listings=policy.listings,
            look_for=lambda entry: self._reconciler.add(entry, is_old=not self._started),
            route=self._route,
            rest=self._rest,
        )

    def _make_preparer(self) -> Preparer | None:
        if self._world.uploader is None:
            return None
        return Preparer(
            uploader=self._world.uploader,
            ledger=self._ledger,
            backoff=self._policy.backoff,
            ready=self._admit,
            waiting=lambda: self._dispatcher.prepared,
        )

    def _admit(self, entry: Entry) -> None:
        self._dispatcher.admit(entry)
        self._look_whether_ended()

    async def run(self) -> Ending:
        """Carry the plan's jobs to their end, or as far as the run may go.

        Raises:
            JournalError, OutputError: the disk is at fault; the journal has what it took.
        """
        async with asyncio.TaskGroup() as submits:
            try:
                async with asyncio.TaskGroup() as others:
                    await self._errands.guarded(lambda: self._start(submits, others))
                    await self._ended.wait()
                    self._errands.cancel()
            except BaseExceptionGroup as group:
                self._halt.bug = group  # raised when the submits under way have been let finish
            except asyncio.CancelledError:
                self.leave()
                await self._finish_submits()
                raise
            self._stop()
            self._ended.set()
            await self._finish_submits()
        records = self._world.journal.records()
        return self._halt.ending(
            turned_up=self._search.late_arrivals.sentences,
            lost=self._ledger.lost,
            over_budget=self._dispatcher.money_told(),
            waits_for=self._world.neighbours.left if self._world.neighbours is not None else (),
            unpriced=self._dispatcher.unpriced_told(),
            most_failures=self._policy.most_failures,
            closed=left_closed(self._dispatcher.closed, self._plan.entries, records),
        )

    async def _finish_submits(self) -> None:
        last_moment = self._policy.last_moment
        await self._departures.finish(leaving=lambda: self._halt.leaving, last_moment=last_moment)

    def drain(self) -> None:
        """Submit no more, and collect what is paid for."""
        self._halt.drained = True
        self._stop()

    def leave(self) -> None:
        """Submit no more, and leave what runs to the next run."""
        self._halt.leaving = True
        self.end()

    def end(self) -> None:
        """Do the same once the submits under way are answered."""
        self.drain()
        self._ended.set()

    def longest_left(self) -> float | None:
        """Estimate the seconds until the last of what runs has ended; None if nothing is known."""
        return self._watcher.longest_left()

    async def _start(self, submits: asyncio.TaskGroup, others: asyncio.TaskGroup) -> None:
        self._departures.enter(submits)
        self._errands.enter(others)
        self._world.purse.remember(self._world.journal.records().values())
        hold_prices(self._world, self._ledger)
        entries = (*self._plan.removed, *self._plan.entries)
        self._under_way.update(entry.key for entry in entries)
        for entry in entries:
            self._route(entry)
        # what runs was accepted side by side before: that much is proven
        self.flow.resumed()
        self._errands.spawn(self._watcher.run, name="watch")
        self._errands.spawn(self._dispatcher.run, name="dispatch")
        if self._preparer is not None:
            self._errands.spawn(self._preparer.run, name="prepare")
        self._errands.spawn(self._reconciler.run, name="reconcile")
        if (neighbours := self._world.neighbours) is not None:
            neighbours.begin({entry.key.content for entry in entries}, self._neighbour_settled)
            self._errands.spawn(neighbours.run, name="neighbours")
        self._harvest.start(self._policy.collectors)
        self._started = True
        self._look_whether_ended()

    def _route(self, entry: Entry) -> None:
        """Do the one thing the job's state calls for."""
        self._under_way.add(entry.key)
        match entry.record.state:
            case State.PLANNED:
                self._dispatcher.money_may_be_free()
                self._wait(entry)
            case State.SUBMITTING:
                # found so at the start: whether the POST left is not known
                cut = AnswerLost(at=self._ledger.now(), reason="the run was cut off during the submit")
                self._route(self._ledger.record(entry, cut))
            case State.IN_DOUBT:
                self.doubts.add(entry)
            case State.RUNNING:
                self._learn_price(entry)
                self.flow.runs(entry.key, entry.job.model)
                timeout = self._policy.timeout_of(self._models.get(entry.job.model))
                self._watcher.add(entry, timeout_after=timeout)
            case State.SUCCEEDED:
                self._count_money(entry)
                self.flow.ended(entry.key)
                self._harvest.take(entry)
            case State.FAILED | State.CANCELED | State.REFUSED:
                self._count_money(entry)
                self._count_failure()
                self._retry_or_rest(entry)
            case State.COLLECTED:
                self._harvest.take(entry)
            case State.HELD | State.ABANDONED:
                self._rest(entry)
        self._dispatcher.stir()

    def _count_money(self, entry: Entry) -> None:
        """Hold what a job cost in the end against what was said, and see what came back."""
        self._dispatcher.money_may_be_free()
        self._learn_price(entry)

    def _learn_price(self, entry: Entry) -> None:
        paid = entry.record.submission
        told = self._world.purse.charged(entry.job, paid) if self._started and paid else None
        if told is not None:
            self._ledger.observer.troubled(told)

    def _count_failure(self) -> None:
        """Stop in order where too many fail: one wrong parameter is not to cost five hundred charges."""
        self._halt.failures += self._started
        if self._halt.has_too_many_failures(self._policy.most_failures):
            self._stop()

    def _wait(self, entry: Entry) -> None:
        """Let it wait for a free slot; what the manifest no longer names is not bought."""
        if entry.key in self._wanted:
            self._dispatcher.add(entry)
        self._rest(entry)

    def _rest(self, entry: Entry) -> None:
        """Nothing under way moves this job any further."""
        if entry.key not in self._halt.out_of_sight:  # those still run at the service
            self.flow.ended(entry.key)
        self._under_way.discard(entry.key)
        self._dispatcher.stir()
        self._look_whether_ended()

    def _settled(self, entry: Entry) -> None:
        """Go on with a job that is no longer in doubt, and with those that stepped aside for it."""
        self.doubts.settled(entry)
        self._dispatcher.unblock()
        self._route(entry)

    def _neighbour_settled(self) -> None:
        self._dispatcher.unblock()
        self._dispatcher.stir()
        self._look_whether_ended()

    def _retry_or_rest(self, entry: Entry) -> None:
        """Open another attempt if the manifest allows one, or the command line asked for it."""
        record = entry.record
        allowed = record.state is State.FAILED and record.attempt < self._policy.attempts
        wanted = entry.key in self._wanted and not record.moderated and self._halt.submitting
        wanted = wanted and entry.job.model in self._models
        if wanted and (allowed or entry.retry):
            again = self._ledger.record(entry, RetryAsked(at=self._ledger.now()))
            self._route(replace(again, retry=False))
        else:
            self._rest(entry)

    def _begin_submit(self, entry: Entry) -> None:
        self._under_way.add(entry.key)
        self.flow.began(entry.key, entry.job.model)
        self._departures.begin(entry)

    def _broke(self, bug: BaseExceptionGroup[BaseException]) -> None:
        self._halt.bug = self._halt.bug or bug
        self.end()

    async def _submit(self, entry: Entry) -> None:
        try:
            entry, error = await self._submitter.submit(entry)
        except OverBudgetError as over:
            self.flow.withdrew(entry.key)
            self._dispatcher.put_back(entry, over)
            self._rest(entry)
            return
        self.flow.answered(entry.key, error)
        if isinstance(error, ModelClosedError):
            self._dispatcher.close(entry.job.model, error)
        elif isinstance(error, StoppedError):
            self._halt.stop_for(error)
            self._stop()
        self._look_whether_reachable()
        self._route(entry)

    def _look_whether_reachable(self) -> None:
        if self.flow.unreachable:
            self._halt.unreachable = True
            self._halt.unlisted = self._dispatcher.unlisted
            self._stop()

    def _outlasted(self, entry: Entry) -> None:
        """Leave out of sight what has not ended by its timeout: the next run watches it."""
        self._halt.out_of_sight.add(entry.key)
        self._rest(entry)

    def _cannot_go_on(self, error: BatchgenError) -> None:
        """End the run in order."""
        self._halt.stop_for(error)
        self._stop()
        if isinstance(error, NoListingError):
            self.doubts.give_up()  # what is paid for is watched and collected all the same
        else:
            self._ended.set()

    def _stop(self) -> None:
        self._halt.submitting = False
        self._dispatcher.stop()
        self._look_whether_ended()

    def _look_whether_ended(self) -> None:
        neighbours = self._world.neighbours
        awaited = self._halt.submitting and neighbours is not None and neighbours.is_busy
        if not self._started or self._under_way or (awaited and self._dispatcher.has_blocked):
            return
        # what is out of sight may fill every slot for hours; the next run watches it
        full = bool(self._halt.out_of_sight) and not self.flow.tripped and not self._dispatcher.has_room
        if not self._halt.submitting or not self._dispatcher or full or self._dispatcher.is_broke:
            self._ended.set()
