"""The jobs that wait to be bought, and when the next of them leaves.

Nothing is bought before the first look, nothing equal to a job in doubt, and nothing while the
service is silent. How a job is submitted is the submitter's.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping

from batchgen.engine.aside import Aside
from batchgen.engine.asking import Asker, HeldPrices
from batchgen.engine.board import Board
from batchgen.engine.clearance import Clearance
from batchgen.engine.departures import Departures
from batchgen.engine.doubts import Doubts
from batchgen.engine.errands import Errands
from batchgen.engine.first_look import FirstLook
from batchgen.engine.handover import Handover
from batchgen.engine.limits.chain_budget import ChainBudget
from batchgen.engine.limits.flow import Flow
from batchgen.engine.moves import Moves
from batchgen.engine.policy import Policy, World
from batchgen.engine.prepare import Preparer
from batchgen.engine.reach import Reach
from batchgen.engine.shortage import Shortage
from batchgen.engine.submit import Submitter
from batchgen.engine.waiting import Waiting
from batchgen.errors import ModelClosedError, NoRightError, ServiceError, StoppedError
from batchgen.ledger import Ledger
from batchgen.loop_clock import DUST, loop_time, wait_until
from batchgen.model import Model, Scope
from batchgen.planning.plan import Entry, Plan, may_be_unrecorded
from batchgen.ports import Lane
from batchgen.reconcile.search import Search


class Dispatcher:
    """Fills free slots with waiting jobs. ``run`` must be a child of the run's TaskGroup."""

    def __init__(
        self,
        *,
        world: World,
        ledger: Ledger,
        submitter: Submitter,
        flow: Flow,
        policy: Policy,
        scope: Scope,
        models: Mapping[str, Model],
        board: Board,
        moves: Moves,
        errands: Errands,
        search: Search,
        closed: Mapping[str, str],
        plan: Plan,
        chains: ChainBudget,
    ) -> None:
        """Take the parts; see ``Runner``."""
        self.closed = dict(closed)  # models that this account may not use, and why
        self._world = world
        self._ledger = ledger
        self._submitter = submitter
        self._flow = flow
        self._board = board
        self._moves = moves
        self._errands = errands
        self._chains = chains
        self._has_chains = not plan.lineage.is_empty
        self._departures = Departures(
            submit=lambda one: errands.guarded(lambda: self._submit(one)),
            moves=moves,
            flow=flow,
            journal=world.journal,
            redone=[one.key for one in plan.entries if one.stands is not None],
        )
        self._asker = Asker(
            purse=world.purse,
            observer=ledger.observer,
            backoff=policy.backoff,
            chance=world.chance,
            board=board,
            errands=errands,
            has_room=flow.has_room,
            told=self._priced,
            close=self.close_model,
            denied=self._set_aside,
        )
        self._waiting = Waiting()
        self._preparer = Preparer.of(
            world.uploader, ledger, policy.backoff, self.admit, self._waiting.__len__, self._set_aside
        )
        self._look = FirstLook(
            world=world,
            ledger=ledger,
            flow=flow,
            policy=policy,
            scope=scope,
            models=models,
            search=search,
            board=board,
            moves=moves,
            queue=self,
            preparer=self._preparer,
            waiting=self._waiting,
            left_out=[one for one in plan.entries if world.purse.is_capped and may_be_unrecorded(one)],
        )
        self._handover = Handover(
            plan=plan,
            world=world,
            ledger=ledger,
            board=board,
            errands=errands,
            backoff=policy.backoff,
            ready=self._take_child,
            blocked=self._leave_child,
        )
        self._aside = Aside(world.journal, submitter.body_of)
        self._held = HeldPrices(world, ledger)
        self._short = Shortage(waiting=self._waiting, purse=world.purse, chains=chains, spends=world.journal)
        self._reach = Reach(world.generator, ledger.observer, flow, board, close=self.close_model)
        self._changed = asyncio.Event()
        taken_back = self._departures.is_taken_back
        self._clearance = Clearance(
            world, board, flow, self._aside, self._asker, closed=self.closed, is_taken_back=taken_back
        )

    def _set_aside(self, error: NoRightError, entries: Iterable[Entry]) -> None:
        """Leave jobs for want of a right, and go on with the others."""
        left = tuple(entries)
        self._board.stops.lacking.add(error, (one.key for one in left))
        for entry in left:
            self._chains.lost(entry)
        self.wake()
        self._board.look()

    def __len__(self) -> int:
        """Count the jobs that may still be submitted."""
        preparing = len(self._preparer) if self._preparer is not None else 0
        soon = len(self._look) + len(self._asker) + len(self._handover) + len(self._aside)
        return len(self._waiting) + soon + preparing

    def follow(self, others: Iterable[Doubts], *, patience: float) -> None:
        """Buy nothing before the doubts of other slots are settled, for so many seconds at most.

        What equals one of them steps aside for as long as it takes.
        """
        self._aside.follow(others, self.unblock, patience=patience)

    def add(self, entry: Entry) -> None:
        """Let a job wait; one that comes back goes first, for its place in the manifest was earlier."""
        if entry.job.model in self.closed:
            return
        if self._handover.needs(entry):
            self._handover.add(entry)
            return
        if self._preparer is not None and self._preparer.needs(entry):
            self._preparer.add(entry)
            return
        if self._look.was_taken and entry.record.attempt > 1 and entry.record.body is None:
            self._look.again(entry)  # an older copy of the journal does not know of this attempt
            return
        add = self._waiting.append if entry.record.job is None else self._waiting.appendleft
        add(entry)

    def parent_moved(self, entry: Entry) -> None:
        """Learn that a job succeeded, or shows more than it did: others may be fed by it."""
        self._handover.parent_moved(entry)

    def _take_child(self, entry: Entry) -> None:
        """Take in a job of which it is known what came out of its parents."""
        if entry.record.body is not None or (self._preparer is not None and self._preparer.needs(entry)):
            self.add(entry)
        else:
            self.admit(entry)
        self.wake()

    def _leave_child(self, entry: Entry) -> None:
        """Leave a job for which its parents have not what goes in: nothing is kept for it and behind it."""
        self._chains.lost(entry)
        self.budget_freed()

    def admit(self, entry: Entry) -> None:
        """Take in a job whose inputs are all at the service."""
        if entry.job.model in self.closed:
            return
        if self._look.was_taken:
            self._look.again(entry)
        else:
            self._waiting.append(entry)
        self.wake()
        self._board.look()

    def close_model(self, model: str, error: ModelClosedError) -> None:
        """Let no further job of a model leave: none of them will be taken, and the others are."""
        if model in self.closed:
            return
        self.closed[model] = str(error)
        self._ledger.observer.warned(
            f"{model} cannot be run by this account, and no further job of it is submitted: {error}"
        )
        self._waiting.drop(model)
        self._aside.drop(model)
        self._short.drop(model)
        self._chains.close(model)
        if self._preparer is not None:
            self._preparer.drop(model)
        self.wake()

    def is_open(self, entry: Entry) -> bool:
        """Return whether jobs of this one's model may be submitted."""
        return entry.job.model not in self.closed

    def budget_freed(self) -> None:
        """Learn that something that was reserved or charged may have come back."""
        self._short.freed()
        self.wake()

    def budget_changed(self) -> None:
        """Learn that the caps are others."""
        self._chains.changed()
        self._short.changed()
        self.wake()

    @property
    def budget_exhausted(self) -> bool:
        """Whether nothing may be bought until money is free; what is to be taken in may free some."""
        if not self._short.holds_all or self._look.is_undecided:
            return False
        soon = len(self._look) + len(self._asker) + len(self._handover) if self._has_chains else 0
        return not soon and not any(map(self._chains.is_later_step, self._preparer or ()))

    def budget_told(self) -> tuple[str, ...]:
        """Return which jobs the budget has left out, and what a higher one would buy; empty if none."""
        return self._short.told(now=self._ledger.now())

    @property
    def unlisted(self) -> str:
        """Why the last look before buying failed; empty if it did not."""
        return self._look.unlisted

    @property
    def is_stalled(self) -> bool:
        """Whether nothing leaves that could be answered."""
        return self._short.holds_all or not (self._waiting or len(self._asker))

    @property
    def has_blocked(self) -> bool:
        """Whether some stepped aside for a job in doubt."""
        return self._aside.any

    @property
    def holds_children(self) -> bool:
        """Whether jobs wait for what comes out of others."""
        return self._handover.holds_any

    def unpriced_told(self) -> tuple[str, ...]:
        """Return which jobs wait for a price that was not told; empty if none."""
        return self._asker.told()

    def _priced(self, entries: Collection[Entry]) -> None:
        """Take back jobs whose price was asked."""
        back = list(entries)
        if self._held.told(back):
            self._look.set_apart()
        self._waiting.return_all(filter(self.is_open, back))
        self.budget_freed()
        self._board.look()

    def unblock(self) -> None:
        """Let those go on that stepped aside for a job in doubt."""
        self._waiting.return_all(filter(self.is_open, self._aside.release()))
        self.wake()

    def wake(self) -> None:
        """Look again: a slot may be free, or a job may wait."""
        self._changed.set()

    def pause(self, *, paused: bool) -> None:
        """Let no job leave for the time being, or let them leave again."""
        self._clearance.paused = paused
        self.wake()

    @property
    def has_room(self) -> bool:
        """Whether there is room for one of those that wait, or will be: the jobs of other batches end."""
        return any(map(self._flow.has_room_alone, self._short.models))

    def enter(self, submits: asyncio.TaskGroup) -> None:
        """Take the group that holds submits under way: nothing else may cancel it."""
        self._departures.enter(submits)

    def start(self) -> None:
        """Begin to submit, and to send the files of jobs that wait."""
        self._handover.begin()
        self._short.left()
        self._errands.spawn(self.run, name="dispatch")
        if self._preparer is not None:
            self._errands.spawn(self._preparer.run, name="prepare")

    async def finish(self) -> None:
        """Let the submits under way be answered."""
        stops = self._board.stops
        await self._departures.finish(leaving=lambda: stops.leaving, last_moment=self._board.last_moment)

    async def run(self) -> None:
        """Submit until stopped, one turn of the gate each.

        Raises:
            StoppedError: the service does not let us.
            JournalError: what was found before buying could not be recorded.
        """
        await self._aside.let_others_settle()
        while self._board.submitting:
            if await self._look.took_a_step():
                continue
            if self._waiting and self._flow.tripped:
                await self._reach.ask(next(iter(self._waiting.models)))
            elif not self._may_submit():
                await self._change()
            else:
                self._flow.waits_for_rate()
                await self._world.gate.turn(Lane.SUBMIT)
                entry = self._next()  # asked again: the wait for the turn may have been long
                if entry is not None:
                    self._waiting.remove(entry)
                    self._begin(entry)
                    if self._preparer is not None:
                        self._preparer.wake()

    def _begin(self, entry: Entry) -> None:
        self._board.open([entry.key])
        self._flow.began(entry.key, entry.job.model)
        self._departures.begin(entry)

    async def _submit(self, entry: Entry) -> None:
        entry, error, left, lack = await self._submitter.submit(entry, refusal=self._clearance.refusal)
        if lack is not None:
            self._flow.withdrew(entry.key, lack)
            if self.is_open(entry):
                self._short.take(entry, lack)  # others wait until money may be free again
            self._moves.close(entry)
            return
        if left:
            self._flow.answered(entry.key, error)
        else:
            self._flow.withdrew(entry.key)
        self._short.left()
        if isinstance(error, ModelClosedError):
            self.close_model(entry.job.model, error)
        elif isinstance(error, StoppedError):
            self._board.stop_for(error)
        self._board.look_at_reach()
        self._moves.route(entry)

    def _may_submit(self) -> bool:
        """Return whether a job may be submitted now, for which it is worth to wait for a turn."""
        self._board.look()
        return self._board.submitting and not self._clearance.paused and self._first() is not None

    def _first(self) -> Entry | None:
        """Return the first that has room; those whose price has to be asked step aside."""
        while (entry := self._short.first(self._asker.has_room)) is not None and (
            asked := self._asks_about(entry)
        ) is not None:
            self._waiting.remove(entry)
            self._asker.add(entry, asked)
        return entry

    def _asks_about(self, entry: Entry) -> Entry | None:
        """Return whose price has to be asked before a job may leave: its own, or a later step's."""
        return entry if self._asker.needs(entry) else self._chains.unasked(entry)

    def _next(self) -> Entry | None:
        """Return the next job that may be submitted now; one equal to a job in doubt steps aside."""
        if not self._may_submit():
            return None
        while (entry := self._first()) is not None and self._aside.must(entry):
            self._waiting.remove(entry)
            self._aside.add(entry)
        return entry

    async def _change(self) -> None:
        """Wait for something to change, for a look at other batches, or for late answers to count as such."""
        self._flow.waits_otherwise()
        self._changed.clear()
        seconds = self._flow.look_around(waiting=bool(self._waiting))
        await wait_until(self._changed, loop_time() + seconds)

    async def wait_for(self, seconds: float) -> None:
        """Wait, whatever changes but that nothing more is to be sent."""
        end = loop_time() + seconds
        while self._board.submitting and loop_time() < end - DUST:
            self._changed.clear()
            await wait_until(self._changed, end)

    def is_silent(self, error: ServiceError) -> None:
        """Learn that the service did not answer a call that costs nothing."""
        self._reach.is_silent(error)
