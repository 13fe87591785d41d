"""Carries calls to the core, and holds every POST against the till as it leaves, and the journal."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from batchgen.errors import NotSentError, ServiceError
from batchgen.lifecycle import Adopted, Canceled, Failed, Refused, State
from batchgen.model import JobKey
from batchgen.scenario.transport import Answer, Call
from batchgen.scenario.verdicts import submit_verdict
from batchgen.simulator.draws import Draws
from batchgen.simulator.exchange import Reply
from tests.proof.chain_law import sent_wrong
from tests.proof.crashes import CrashingJournal, Life
from tests.proof.denials import Requests
from tests.proof.law import MAY_BE_PAID, Order, order_of
from tests.proof.ledger_oracle import Post
from tests.proof.pricing_plan import Spending
from tests.proof.slots import AssetStore
from tests.proof.world import Earth
from tests.support.virtual import Watching, headers_of, look_before, received, request_of

_PATIENCE = 120.0  # seconds that a client waits for an answer
_HOP = 0.02  # seconds from here to the service
_UNANSWERED = frozenset({State.SUBMITTING, State.IN_DOUBT, State.RUNNING})


class Witness(Watching):
    """An observer that remembers what it was told, and what was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = Requests()
        self._before = 0  # events of earlier rounds of the run

    def begin_a_round(self) -> None:
        """Judge by what is learnt from now on: as a new run does, a round knows what is on record."""
        self.requests, self._before = Requests(), len(self.events)

    def failures(self, before: float) -> int:
        """Count the submits that came to nothing before a moment of our clock.

        What the look before buying finds had failed before the run.
        """
        count, found = 0, set[JobKey]()
        for key, event in self.events[self._before :]:
            if isinstance(event, Adopted) and "by" in event.evidence:
                found.add(key)
            elif isinstance(event, Failed | Canceled | Refused) and event.at < before:
                count += key not in found
                found.discard(key)
        return count


class Wire:
    """One process's connection to the service."""

    def __init__(
        self,
        earth: Earth,
        life: Life,
        journal: AssetStore,
        spending: Spending | None = None,
        witness: Witness | None = None,
        account: str | None = None,
    ) -> None:
        self._earth = earth
        self._life = life
        self._journal = journal
        self._spending = spending or Spending()
        self._witness = witness or Witness()
        self.account = account
        self._chance = Draws(earth.scenario.seed)
        self._open: Counter[Order] = Counter()
        self.bought: list[str] = []
        leg = earth.leg
        self._headers = headers_of((leg.key if leg else "") or earth.scenario.settings.key)

    async def exchange(self, call: Call) -> Answer:
        if _is_question(call):
            return await self._ask(call)
        if not call.once:
            return await self._carry(call)
        look_before(call)
        order = _sent_by(call)
        self._earth.wrong += self._witness.requests.leaves(order.model)
        post = self._leave(order)
        self._open[order] += 1
        self._hold_against_the_disk(order)
        try:
            return await self._carry(call, order, post)
        finally:
            self._open[order] -= 1

    async def _carry(self, call: Call, order: Order | None = None, post: Post | None = None) -> Answer:
        await asyncio.sleep(_HOP)
        self._life.check()
        if post is not None:
            post.travels = False
        if order is not None:
            self._arrive(order)
        reply = self._earth.arrive(request_of(call, self._headers), post)
        if order is not None:
            self._life.after_post()
        answer = await self._returned(reply)
        self._witness.requests.saw(call, answer)
        if order is not None:
            self._note_what_was_bought(answer)
            self._life.after_answer()
        return answer

    async def _ask(self, call: Call) -> Answer:
        """Carry a question after a price; one may be taken for an order."""
        await asyncio.sleep(_HOP)
        self._life.check()
        order, till = _sent_by(call), self._earth.till
        asked = replace(call, query={}) if till.asks(order) else call
        before = len(self._earth.service.submissions)
        reply = self._earth.arrive(request_of(asked, self._headers))
        till.may_have_bought(self._earth.service.submissions[before:])
        told = till.tell(order, reply)
        amount = till.price_told(order)
        answer = await self._returned(told)
        self._witness.requests.saw(call, answer)
        till.was_told(order, answer.status, amount, self._earth.now())
        return answer

    async def _returned(self, reply: Reply) -> Answer:
        answer = await received(reply, hop=_HOP, patience=_PATIENCE)
        self._life.check()
        return answer

    def _note_what_was_bought(self, answer: Answer) -> None:
        try:
            remote_id = submit_verdict(answer).job.remote_id
        except ServiceError:
            return
        self.bought.append(remote_id)
        self._earth.till.receipts.add(remote_id)

    def _leave(self, order: Order) -> Post | None:
        """Hold a POST against the caps, at the very moment of its intent."""
        earth, most = self._earth, self._spending.most_failures
        if earth.scenario.market is None:
            return None
        if most is not None and self._witness.failures(earth.now()) >= most:
            earth.wrong.append(f"bought after {most} failures: {order}")
        post, wrong = earth.till.leaves(
            order,
            self._spending.budget,
            earth.charged,
            self._journal.records().values(),
            at=earth.now(),
            now=earth.service_time(),
        )
        earth.wrong += wrong
        return post

    def _hold_against_the_disk(self, order: Order) -> None:
        """See that the intent of a POST is on the disk itself as it leaves."""
        records = self._journal.records().values()
        submitting = sum(one.state is State.SUBMITTING and order_of(one) == order for one in records)
        writers = (one for one in self._journal.journals.values() if isinstance(one, CrashingJournal))
        if submitting - sum(one.unkept(order) for one in writers) < self._open[order]:
            self._earth.wrong.append(f"a POST left before its intent was on the disk itself: {order}")

    def _arrive(self, order: Order) -> None:
        earth = self._earth
        earth.posts += 1
        self._hold_against_the_journal(order)
        self._life.before_post()
        for nth, visit in enumerate(earth.scenario.visits):
            if visit.post == earth.posts:
                earth.receive(visit, nth)
        if self._chance.chance(earth.scenario.unsent, "unsent", earth.posts):
            raise NotSentError("connection refused")

    def _hold_against_the_journal(self, order: Order) -> None:
        records = list(self._journal.records().values())
        equal = [record.state for record in records if order_of(record) == order]
        if equal.count(State.SUBMITTING) < self._open[order]:
            self._earth.wrong.append(f"a POST without its intent in the journal: {order}")
        self._hold_against_parents(order)
        if self._is_bought_already(order, equal):
            self._earth.wrong.append(f"bought again, though the service shows it: {order}")
        unanswered = sum(1 for one in records if one.state in _UNANSWERED)
        self._earth.most_in_flight = max(self._earth.most_in_flight, unanswered)
        bound = self._earth.scenario.in_flight
        if bound is not None and unanswered > bound:
            self._earth.wrong.append(f"more than {bound} in flight")

    def _hold_against_parents(self, order: Order) -> None:
        """See that the ends of what feeds a job are on record as its POST arrives."""
        records = self._journal.records()
        for key, one in records.items():
            if one.state is State.SUBMITTING and one.job is not None and order_of(one) == order:
                self._earth.wrong += sent_wrong(key, one.job, order.body, records)

    def _is_bought_already(self, order: Order, equal: Sequence[State]) -> bool:
        """Tell whether the service shows more of it than is owned, doubted or was shown absent."""
        if not self._earth.scenario.honest:
            return False
        late = self._earth.late
        if self.account is None:
            books = self._earth.books(self._journal.records(), list(self._journal.history()))
        else:  # whatever name an equal one stands under
            books = self._earth.books_of(self.account)
            equal = [one.state for one in books.records.values() if order_of(one) == order]
        shown = sum(1 for one in books.unowned() if order_of(one) == order and one.remote_id not in late)
        others = sum(state in MAY_BE_PAID for state in equal) - 1
        return shown > others + books.absences()[order]


def _is_question(call: Call) -> bool:
    return "dryRun" in call.query


def _sent_by(call: Call) -> Order:
    return Order(call.path.rsplit("/", 1)[-1], (call.body or b"").decode())
