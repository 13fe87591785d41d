"""The look at what the service has already, before a run buys anything.

Jobs that may be paid for wait here until they are adopted or held, and new attempts until they
were held against the same listing. All the others wait in the dispatcher's queue.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from batchgen.engine.board import Board
from batchgen.engine.limits.flow import Flow
from batchgen.engine.moves import Moves
from batchgen.engine.policy import Policy, World
from batchgen.engine.prepare import Preparer
from batchgen.engine.waiting import Waiting
from batchgen.errors import ServiceError, StoppedError
from batchgen.ledger import Ledger
from batchgen.loop_clock import loop_time
from batchgen.model import Model, Scope
from batchgen.planning.plan import Entry
from batchgen.reconcile.listing import Pauses
from batchgen.reconcile.look_back import looks_back_to
from batchgen.reconcile.preflight import Preflight, begin_preflight
from batchgen.reconcile.search import Search


class Queue(Protocol):
    """Where jobs wait to be bought, as the look sees it."""

    @property
    def is_stalled(self) -> bool:
        """Whether nothing leaves that could be answered."""
        ...

    def is_open(self, entry: Entry) -> bool:
        """Return whether jobs of this one's model may be submitted."""
        ...

    def is_silent(self, error: ServiceError) -> None:
        """Learn that the service did not answer."""
        ...

    def budget_freed(self) -> None:
        """Learn that money that was set apart may have come back."""
        ...

    @property
    def holds_children(self) -> bool:
        """Whether jobs wait for what comes out of others: what they would send is not known yet."""
        ...

    async def wait_for(self, seconds: float) -> None:
        """Wait for so many seconds, or until nothing more is to be bought."""
        ...


class FirstLook:
    """Holds what is to be bought against what the service has."""

    def __init__(
        self,
        *,
        world: World,
        ledger: Ledger,
        flow: Flow,
        policy: Policy,
        scope: Scope,
        models: Mapping[str, Model],
        search: Search,
        board: Board,
        moves: Moves,
        queue: Queue,
        preparer: Preparer | None,
        waiting: Waiting,
        left_out: Sequence[Entry],
    ) -> None:
        """Take the parts.

        Args:
            world: the ports.
            ledger: our clock.
            flow: is told whether the service answers.
            policy: whether jobs are listed, and how patient the run is.
            scope: where the records belong.
            models: every model of a job that may be submitted.
            search: what all who look in this run share.
            board: looks whether the run has anything left to do.
            moves: how jobs go on that are bought already, or held.
            queue: where the others wait.
            preparer: has the jobs whose files are not sent yet; None where no job has any.
            waiting: the jobs that wait to be bought; those that may be paid for are taken out of it.
            left_out: planned jobs that this run was not asked to buy: some may be paid for all the same.
        """
        self.unlisted = ""  # why the last look before buying failed
        self._world = world
        self._ledger = ledger
        self._flow = flow
        self._policy = policy
        self._scope = scope
        self._models = models
        self._search = search
        self._purse = world.purse
        self._board = board
        self._moves = moves
        self._queue = queue
        self._preparer = preparer
        self._waiting = waiting
        self._left_out = left_out
        self._preflight: Preflight | None = None
        self._unsure: list[Entry] = []
        self._anew: list[Entry] = []
        self._pauses = Pauses()
        self._marked = False  # as bought in without a look
        self._has_ended = False

    def __len__(self) -> int:
        """Count the jobs that may still be submitted, and the look as long as it has something to record."""
        return max(len(self._unsure), self.is_undecided) + len(self._anew)

    @property
    def was_taken(self) -> bool:
        """Whether the service was asked what it has."""
        return self._preflight is not None

    @property
    def is_undecided(self) -> bool:
        """Whether some may be paid for, and are neither adopted nor held; editions that no record has are."""
        return bool(self._unsure) or (self._preflight is not None and bool(self._preflight.editions))

    def again(self, entry: Entry) -> None:
        """Check a job against what was seen, before it waits like any other."""
        self._anew.append(entry)

    def set_apart(self) -> None:
        """Keep room for what may be paid for already, until it is adopted or held."""
        look = self._preflight
        assert look is not None or not self._unsure
        unsure = [(one.job, look.shown_cost(one) if look else None) for one in self._unsure]
        others = look.may_have(self._left_out) if look else ()
        self._purse.set_apart((*unsure, *((one.job, cost) for one, cost in others)))

    async def took_a_step(self) -> bool:
        """Do one thing that has to be known before the next job leaves; False where there is none."""
        if self._waiting and self._preflight is None and not self._is_blind:
            await self._look_before_buying()
        elif self._anew and self._preflight is not None:
            await self._look_again(self._preflight)
        elif self.is_undecided and self._knows_as_much_as_it_can:
            self._take_in()
        else:
            return False
        return True

    @property
    def _is_blind(self) -> bool:
        """Whether this run buys without a look; a later one that looks then looks back as far."""
        if self._policy.listings:
            return False
        if not self._marked:
            self._marked = True
            journal = self._world.journal
            since = looks_back_to(
                journal.records().values(),
                began=self._policy.slot_began,
                now=self._ledger.now(),
                unfinished=journal.looking_since,
            )
            journal.look_began(since)
        return True

    async def _look_before_buying(self) -> None:
        """Check what waits against what the service has already."""
        begun = loop_time()
        try:
            preflight = await begin_preflight(
                self._search,
                scope=self._scope,
                models=self._models,
                began=self._policy.slot_began,
                uploader=self._world.uploader,
                price=self._purse.worth,
            )
            looked_for = tuple(self._waiting)
            await preflight.read((*looked_for, *(self._preparer or ()), *self._left_out))
        except StoppedError:
            raise
        except ServiceError as error:
            self.unlisted = str(error)
            self._queue.is_silent(error)
            more = self._pauses.after(error, took=loop_time() - begun)
            await self._queue.wait_for(
                max(more, self._policy.backoff.delay(1, jitter=self._world.chance.random()))
            )
            return
        self.unlisted = ""
        self._preflight = preflight
        self._flow.service_answered()
        known = {entry.key for entry in looked_for}
        self._anew += [entry for entry in self._waiting if entry.key not in known]  # came meanwhile
        self._unsure = [entry for entry in looked_for if preflight.concerns(entry)]
        self._waiting.replace(entry for entry in looked_for if not preflight.concerns(entry))
        self.set_apart()
        self._mark_its_end()

    async def _look_again(self, preflight: Preflight) -> None:
        """Check new attempts against what the service had when the run began."""
        anew = tuple(self._anew)
        try:
            await preflight.read(anew)
        except StoppedError:
            raise
        except ServiceError as error:
            self._queue.is_silent(error)
            await self._queue.wait_for(self._policy.backoff.delay(1, jitter=self._world.chance.random()))
            return
        del self._anew[: len(anew)]
        self._unsure += [entry for entry in anew if preflight.concerns_now(entry)]
        clear = (one for one in anew if not preflight.concerns_now(one))
        self._waiting.return_all(filter(self._queue.is_open, clear))
        self.set_apart()
        self._mark_its_end()

    @property
    def _knows_as_much_as_it_can(self) -> bool:
        """Whether it is known who we are, or nothing is left that would tell.

        Rows that look like ours may be a colleague's; the answer to a job that no row looks like
        says who we are.
        """
        journal = self._world.journal
        paid = any(record.submissions for record in journal.records().values())
        return bool(journal.authors) or paid or (self._queue.is_stalled and not self._flow.awaits_answers)

    def _take_in(self) -> None:
        """Adopt or hold what the service has already; the others wait like any job."""
        assert self._preflight is not None
        taken = {one.entry.key: one.entry for one in self._preflight.take_in(self._unsure)}
        if self._preflight.editions.recorded:
            # they are carried, and what waits is made of them, by another plan: nothing leaves by this one
            self._unsure = []
            self._board.stops.anew = True
            self._board.end()
            return
        left = [entry for entry in self._unsure if entry.key not in taken]
        self._waiting.return_all(filter(self._queue.is_open, left))
        for entry in taken.values():
            self._moves.route(entry)
        self._unsure = []  # not before: the run is not at its end while some are not on their way
        self.set_apart()
        self._queue.budget_freed()
        self._end_look(self._preflight)
        self._board.look()

    def _end_look(self, preflight: Preflight) -> None:
        self._mark_its_end()
        self._search.late_arrivals.notice(preflight.rest())

    def _mark_its_end(self) -> None:
        """Put on record that all that could be found is, once no job is left that was not looked for."""
        if not (self._has_ended or self.is_undecided or self._queue.holds_children):
            self._has_ended = True
            self._world.journal.look_ended()
