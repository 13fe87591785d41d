"""The routes of a run: each state of a job leads to the one piece of work that goes on with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from batchgen.engine.board import Board
from batchgen.engine.dispatch import Dispatcher
from batchgen.engine.doubts import Doubts
from batchgen.engine.harvest import Harvest
from batchgen.engine.limits.chain_budget import ChainBudget
from batchgen.engine.limits.flow import Flow
from batchgen.engine.policy import Policy, World
from batchgen.engine.watch.watcher import Watcher
from batchgen.errors import BatchgenError, NoListingError
from batchgen.ledger import Ledger
from batchgen.lifecycle import AnswerLost, RetryAsked, State
from batchgen.model import JobKey, Model
from batchgen.planning.plan import Entry


@dataclass(frozen=True, kw_only=True, slots=True)
class Pieces:
    """The pieces of a run that go on with jobs, each in a state of its own.

    Attributes:
        dispatcher: with those that are planned.
        doubts: with those in doubt.
        watcher: with those that run at the service.
        harvest: with those that succeeded.
    """

    dispatcher: Dispatcher
    doubts: Doubts
    watcher: Watcher
    harvest: Harvest


class Router:
    """Implements ``Moves``."""

    def __init__(
        self,
        *,
        board: Board,
        ledger: Ledger,
        flow: Flow,
        world: World,
        policy: Policy,
        models: Mapping[str, Model],
        wanted: Iterable[JobKey],
        chains: ChainBudget,
    ) -> None:
        """Take what moves depend on; ``attach`` comes before the first of them.

        Args:
            board: who is open.
            ledger: where what the run decides of a job is recorded.
            flow: what is in flight.
            world: the ports.
            policy: how often a job is tried, and how long one is waited for.
            models: every model of a job that may be submitted.
            wanted: the jobs that may be bought.
            chains: what is kept for those that need others.
        """
        self._board = board
        self._ledger = ledger
        self._flow = flow
        self._world = world
        self._policy = policy
        self._models = models
        self._wanted = frozenset(wanted)
        self._chains = chains

    def attach(self, pieces: Pieces) -> None:
        """Learn who goes on with jobs."""
        self._to = pieces

    def route(self, entry: Entry) -> None:
        """Do the one thing that the job's state calls for; see ``Moves``."""
        self._board.open([entry.key])
        match entry.record.state:
            case State.PLANNED:
                self._chains.came_back(entry)
                self._to.dispatcher.budget_freed()
                self._wait(entry)
            case State.SUBMITTING:
                # found so at the start: whether the POST left is not known
                cut = AnswerLost(at=self._ledger.now(), reason="the run was cut off during the submit")
                self.route(self._ledger.record(entry, cut))
            case State.IN_DOUBT:
                self._to.doubts.add(entry)
            case State.RUNNING:
                self._chains.carried(entry)
                self._learn_price(entry)
                self._flow.runs(entry.key, entry.job.model)
                timeout = self._policy.timeout_of(self._models.get(entry.job.model))
                self._to.watcher.add(entry, timeout_after=timeout)
            case State.SUCCEEDED | State.COLLECTED:
                self._take_success(entry)
            case State.FAILED | State.CANCELED | State.REFUSED:
                self._count_money(entry)
                self._board.failed()
                self._retry_or_close(entry)
            case State.HELD | State.ABANDONED:
                self._lose(entry)
        self._to.dispatcher.wake()

    def close(self, entry: Entry) -> None:
        """Leave a job as it is; see ``Moves``."""
        if not self._board.is_out_of_sight(entry.key):  # those still run at the service
            self._flow.ended(entry.key)
        self._to.dispatcher.wake()
        self._board.close(entry.key)

    def stop(self, cause: BatchgenError | BaseExceptionGroup[BaseException]) -> None:
        """End the run in order; see ``Moves``."""
        if isinstance(cause, BaseExceptionGroup):
            self._board.stops.bug = self._board.stops.bug or cause
            self._board.end()
            return
        self._board.stop_for(cause)
        if isinstance(cause, NoListingError):
            self._to.doubts.give_up()  # what is paid for is watched and collected all the same
        else:
            self._board.ended.set()

    def settled(self, entry: Entry) -> None:
        """Go on with a job that is no longer in doubt, and with those that stepped aside for it."""
        self._to.doubts.settled(entry)
        self._to.dispatcher.unblock()
        self.route(entry)

    def neighbour_settled(self) -> None:
        """Go on with the jobs that stepped aside for one of another batch."""
        self._to.dispatcher.unblock()
        self._to.dispatcher.wake()
        self._board.look()

    def _wait(self, entry: Entry) -> None:
        """Let it wait for a free slot; what the manifest no longer names is not bought."""
        if entry.key in self._wanted:
            self._to.dispatcher.add(entry)
        self.close(entry)

    def _take_success(self, entry: Entry) -> None:
        """Let the jobs go on that it feeds, and have its files fetched."""
        if entry.record.state is State.SUCCEEDED:
            self._count_money(entry)
            self._flow.ended(entry.key)
        self._chains.carried(entry)
        self._to.dispatcher.parent_moved(entry)
        self._to.harvest.take(entry)

    def _count_money(self, entry: Entry) -> None:
        """Check what a job cost in the end against what was said, and see what came back."""
        self._to.dispatcher.budget_freed()
        self._learn_price(entry)

    def _learn_price(self, entry: Entry) -> None:
        paid = entry.record.submission
        told = self._world.purse.charged(entry.job, paid) if self._board.has_begun and paid else None
        if told is not None:
            self._ledger.observer.warned(told)

    def _retry_or_close(self, entry: Entry) -> None:
        """Open another attempt if the manifest allows one, or the command line asked for it."""
        record = entry.record
        allowed = record.state is State.FAILED and record.attempt < self._policy.attempts
        wanted = entry.key in self._wanted and not record.moderated and self._board.submitting
        wanted = wanted and entry.job.model in self._models
        if wanted and (allowed or entry.retry):
            again = self._ledger.record(entry, RetryAsked(at=self._ledger.now()))
            self.route(replace(again, retry=False))
        else:
            self._lose(entry)

    def _lose(self, entry: Entry) -> None:
        """Leave a job of which nothing will come out, and keep no money for those that need it."""
        self._chains.lost(entry)
        self._to.dispatcher.budget_freed()
        if entry.stands is not None:
            self._to.dispatcher.parent_moved(entry)
        self.close(entry)
