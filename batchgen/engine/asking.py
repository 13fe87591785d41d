"""Jobs whose price has to be asked before they may leave: under a cap no old answer decides.

A job whose price is known waits for nobody here. A question that is not answered is asked again
with growing gaps for as long as the run has anything else to do, and for some minutes more.

Without a cap nobody waits for long: what other jobs' outputs go into is asked about once, and leaves without
a price where no answer comes.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from functools import partial

from batchgen.backoff import Backoff
from batchgen.engine.board import Board
from batchgen.engine.errands import Errands
from batchgen.engine.limits.budget import BudgetGuard
from batchgen.engine.policy import World
from batchgen.errors import (
    BoughtByQuoteError,
    JournalError,
    ModelClosedError,
    NoRightError,
    StoppedError,
    TransientError,
)
from batchgen.identity import references_of
from batchgen.ledger import Ledger
from batchgen.lifecycle import PriceLearnt
from batchgen.loop_clock import loop_time
from batchgen.planning.plan import Entry
from batchgen.ports import Observer
from batchgen.price_ports import PriceQuestions

PATIENCE = 900.0  # seconds without an answer after which a run need not go on for it
AT_ONCE = 4  # questions, once one was answered
AHEAD = 32  # kinds that wait for an answer: what leaves much later would have to be asked about again
HURRY = 20.0  # seconds for which a job waits for a price that no cap needs

_HOLD_GAP = 60.0  # seconds from one look through all records to the next, where only children were priced


class Asker:
    """Asks what waiting jobs cost, and lets them go on when it is known."""

    def __init__(
        self,
        *,
        purse: BudgetGuard,
        observer: Observer,
        backoff: Backoff,
        chance: random.Random,
        board: Board,
        errands: Errands,
        has_room: Callable[[str], bool],
        told: Callable[[Collection[Entry]], None],
        close: Callable[[str, ModelClosedError], None],
        denied: Callable[[NoRightError, Iterable[Entry]], None],
    ) -> None:
        """Take the parts.

        Args:
            purse: whose prices are asked.
            observer: is told of troubles.
            backoff: between questions without an answer.
            chance: where the jitter comes from.
            board: looks whether the run has anything left to do.
            errands: starts pieces of work.
            has_room: says of a model whether one more job of it may run.
            told: takes back the jobs whose price was asked.
            close: lets no further job of a model leave.
            denied: takes jobs whose price this key may not ask.
        """
        self._purse = purse
        self._observer = observer
        self._backoff = backoff
        self._chance = chance
        self._board = board
        self._errands = errands
        self._has_room = has_room
        self._told = told
        self._waiting: defaultdict[str, list[Entry]] = defaultdict(list)
        self._close = close
        self._silent_since: dict[str, float] = {}
        self._why: dict[str, str] = {}
        # a first question that is taken for an order has to be the last
        self._turns = asyncio.Semaphore(1)
        self._answered = False
        self._over = False
        self._lacks: NoRightError | None = None
        self._denied = denied
        self._given_up: set[str] = set()  # kinds that leave without a price where no cap needs one
        self._lively: dict[str, str] = {}  # kinds whose answer is soon to come, with their models

    def __len__(self) -> int:
        """Count the jobs that a run goes on for: not those whose price was not told for too long."""
        now = loop_time() if self._silent_since else 0.0
        return sum(
            len(entries)
            for kind, entries in self._waiting.items()
            if now - self._silent_since.get(kind, now) < PATIENCE
        )

    def needs(self, entry: Entry) -> bool:
        """Return whether a job may not leave before its price is asked."""
        if not self._purse.needs_asking(entry.job):
            return False
        return self._purse.is_capped or self._kind(entry) not in self._given_up

    def has_room(self, model: str) -> bool:
        """Return whether a job of a model may leave or be asked about: not while many of it are."""
        is_full = len(self._lively) >= AHEAD and model in self._lively.values()
        return not is_full and self._has_room(model)

    def _kind(self, entry: Entry) -> str:
        questions = self._purse.questions
        assert questions is not None
        return questions.kind(entry.job)

    def add(self, entry: Entry, about: Entry | None = None) -> None:
        """Let a job wait, and ask, if nobody does yet.

        Args:
            entry: the job.
            about: whose price is asked: a later step's, without which no chain begins; None for its own.
        """
        questions = self._purse.questions
        assert questions is not None
        first = about or entry
        kind = questions.kind(first.job)
        self._waiting[kind].append(entry)
        if len(self._waiting[kind]) == 1:
            self._lively[kind] = entry.job.model
            self._errands.spawn(
                partial(self._ask_until_told, questions, kind, first), f"price:{first.job.id}"
            )
            if not self._purse.is_capped:
                self._errands.spawn(partial(self._hurry, kind), f"hurry:{entry.job.id}")

    def told(self) -> tuple[str, ...]:
        """Return which jobs wait for a price, a sentence a kind; empty if none."""
        return tuple(
            f"{len(entries)} {'job waits' if len(entries) == 1 else 'jobs wait'} for a price, without which "
            f"no cap can be checked{self._reason(kind)}; the next run asks again"
            for kind, entries in self._waiting.items()
            if entries
        )

    def _reason(self, kind: str) -> str:
        return f" ({self._why[kind]})" if kind in self._why else ""

    async def _ask_until_told(self, questions: PriceQuestions, kind: str, first: Entry) -> None:
        """Ask what one kind costs until it is told.

        Raises:
            BoughtByQuoteError: a question was taken for an order.
            StoppedError: the credentials are not accepted.
            JournalError: it cannot be read whether a question may be asked.
        """
        failures = 0
        while True:
            try:
                async with self._turns:
                    if self._over:
                        self._leave(kind)
                    if self._over or kind not in self._waiting:
                        return
                    await questions.ask(first.job)
            except (ModelClosedError, NoRightError) as error:
                self._is_denied(kind, first, error)
                return
            except (BoughtByQuoteError, StoppedError, JournalError):
                self._over = True  # those that wait for their turn ask no more
                raise
            except TransientError as error:
                failures += 1
                self._let_go(kind)
                if kind not in self._waiting:
                    return
                self._is_silent(kind, first, error)
                wait = self._backoff.wait(failures, jitter=self._chance.random(), asked=error.retry_after)
                await asyncio.sleep(wait)
            else:
                break
        self._make_room()
        self._silent_since.pop(kind, None)
        self._why.pop(kind, None)
        self._told(self._taken(kind))

    def _taken(self, kind: str) -> list[Entry]:
        """Take out the jobs of a kind, which wait no longer."""
        self._lively.pop(kind, None)
        return self._waiting.pop(kind, [])

    async def _hurry(self, kind: str) -> None:
        await asyncio.sleep(HURRY)
        self._let_go(kind)

    def _let_go(self, kind: str) -> None:
        """Let the jobs of a kind leave without a price, as long as no cap needs one."""
        if not self._purse.is_capped and kind in self._waiting:
            self._given_up.add(kind)
            self._told(self._taken(kind))

    def _is_denied(self, kind: str, first: Entry, error: ModelClosedError | NoRightError) -> None:
        if isinstance(error, NoRightError):
            self._over, self._lacks = True, error
            self._leave(kind)
            return
        left = self._taken(kind)
        self._close(first.job.model, error)
        if left:
            self._told(left)  # jobs of other models, whose later steps these would have been
        self._board.look()

    def _leave(self, kind: str) -> None:
        """Leave the jobs of a kind where no price may be asked: no cap can be checked without one."""
        self._let_go(kind)
        if self._lacks is not None and kind in self._waiting:
            self._denied(self._lacks, self._taken(kind))

    def _is_silent(self, kind: str, first: Entry, error: TransientError) -> None:
        self._silent_since.setdefault(kind, loop_time())
        self._lively.pop(kind, None)
        self._why[kind] = str(error)
        self._observer.warned(f"{first.job.id}: no price is told yet: {error}")
        self._board.look()

    def _make_room(self) -> None:
        """Let several be asked at once from the first answer on."""
        if not self._answered:
            self._answered = True
            for _ in range(AT_ONCE - 1):
                self._turns.release()


def hold_prices(world: World, ledger: Ledger) -> None:
    """Hold what bodies may have cost that may have been paid for, once there is a price to hold.

    Raises:
        JournalError: it could not be recorded.
    """
    for key, record in list(world.journal.records().items()):
        amount = world.purse.to_hold(record)
        if amount is not None and record.job is not None:
            entry = Entry(key=key, job=record.job, record=record)
            ledger.record(entry, PriceLearnt(at=ledger.now(), reserved=amount))


class HeldPrices:
    """Holds under the caps, as prices come in, what bodies may have cost that may have been paid for."""

    def __init__(self, world: World, ledger: Ledger) -> None:
        """Take the prices, and where it is recorded."""
        self._world = world
        self._ledger = ledger
        self._at = float("-inf")  # by the loop's clock

    def told(self, entries: Iterable[Entry]) -> bool:
        """Learn that the prices of some jobs are known; return whether all records were looked through.

        Raises:
            JournalError: it could not be recorded.
        """
        # the price of a child alone says little of others: all of them are looked through now and then
        if loop_time() - self._at < _HOLD_GAP and all(references_of(one.job) for one in entries):
            return False
        hold_prices(self._world, self._ledger)
        self._at = loop_time()
        return True
