"""The world's own account of money: what was told, what left, what was charged, and the caps in force.

Of the journal it takes only which submissions are owned and which jobs may be paid for: that
is what a run can know. Every amount is the service's.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import lru_cache

from batchgen.lifecycle import Record
from batchgen.manifest.values import Budget
from batchgen.model import Job, Model
from batchgen.planning.pricing import Classifier
from batchgen.simulator.exchange import Reply
from batchgen.simulator.inputs import UNSEEN
from batchgen.simulator.jobs import Submission
from batchgen.simulator.models import Catalogue
from batchgen.simulator.settings import Settings
from batchgen.simulator.submits import read_order
from tests.proof.law import MAY_BE_PAID, Order, order_of
from tests.proof.pricing_plan import PricingPlan

_NOTHING = Decimal(0)
_QUOTED = 269
_HOLDS = 15 * 60.0  # seconds for which an answer after a price holds under a cap
ALWAYS = 0.0  # what counts from here counts all that the batch ever bought
_CATALOGUE = Catalogue.recorded()


@dataclass(eq=False, kw_only=True)
class Post:
    """One POST that was to buy.

    Attributes:
        at: our clock when it left.
        told: what the service had said that it costs; None for nothing.
        price: what had to be held for it: that, or what one like it was charged.
        travels: whether it has not arrived yet.
        remote_id: of what the service made of it.
    """

    order: Order
    at: float
    told: Decimal | None
    price: Decimal
    travels: bool = True
    remote_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Caps:
    """The caps that were in force when something left, and what could be known then."""

    budget: Budget
    at: float
    known: frozenset[str]


@dataclass
class LedgerOracle:
    """What the world knows of a seed's money.

    Attributes:
        posts: all that left, in order.
        by_question: remote ids of what a question bought.
        elsewhere: what other batches of the journal spent, and when.
        questions: how many arrived.
        overshoot: the most by which a cap did not hold.
        models: of which the service has described the inputs.
        receipts: remote ids of which an answer to the POST was read, and no journal lost since.
        run_began: when the run under way did, by our clock.
    """

    settings: Settings
    market: PricingPlan
    posts: list[Post] = field(default_factory=list)
    by_question: set[str] = field(default_factory=set)
    elsewhere: list[tuple[float, Decimal]] = field(default_factory=list)
    questions: int = 0
    overshoot: Decimal = _NOTHING
    models: Mapping[str, Model] = field(default_factory=dict)
    receipts: set[str] = field(default_factory=set)
    run_began: float = -math.inf

    def __post_init__(self) -> None:
        self._told: dict[str, tuple[Decimal, float]] = {}
        self._most_told: dict[str, Decimal] = {}
        self._classes: tuple[int, Classifier] = (0, Classifier({}))
        self._class_of: dict[Order, str] = {}
        self._forgotten: set[str] = set()
        self._forgotten_elsewhere = 0
        self._post_of: dict[str, Post] = {}
        self._last: _Caps | None = None
        self._taken_for_an_order: Order | None = None

    def asks(self, order: Order) -> bool:
        """Count a question as it arrives, and tell whether it is taken for an order."""
        self.questions += 1
        if self.questions != self.market.order:
            return False
        self._taken_for_an_order = order
        return True

    def may_have_bought(self, new: Sequence[Submission]) -> None:
        """Note what a question has just bought: the newest, for what was late arrives before it."""
        alike = [one for one in new if order_of(one) == self._taken_for_an_order]
        if alike and not self.by_question:
            self.by_question.add(alike[-1].remote_id)

    def tell(self, order: Order, reply: Reply) -> Reply:
        """Give what a question is answered: the price as the market tells it."""
        if reply.status != _QUOTED:
            return reply
        if order.model in self.market.mute:
            return replace(reply, status=503, body=b'{"message": "no price for now"}')
        if order.model in self.market.silent:
            return replace(reply, status=400, body=b'{"message": "no price for this one"}')
        body = json.loads(reply.body)
        body["creativeUnitsCost"] = float(self.price_told(order))  # eighths and their quarters: exact
        return replace(reply, body=json.dumps(body).encode())

    def price_told(self, order: Order) -> Decimal:
        """Return what the service says now that an order costs."""
        return self.cost(order) * self.market.factors.get(order.model, 1)

    def was_told(self, order: Order, status: int, amount: Decimal, at: float) -> None:
        """Note that an answer to a question was received, by our clock."""
        if status == _QUOTED:
            name = self.class_of(order)
            self._told[name] = amount, at
            self._most_told[name] = max(amount, self._most_told.get(name, _NOTHING))

    def cost(self, order: Order) -> Decimal:
        """Give what the service charges for it now."""
        one = self.settings
        prices = tuple(sorted(one.prices.items()))
        return _cost(order, one.quality_gate, one.gate_price, one.discount, prices)

    def class_of(self, order: Order) -> str:
        """Return the name of its price class, as its model declares what moves the price."""
        if len(self.models) != self._classes[0]:
            self._classes = len(self.models), Classifier(self.models)
            self._class_of.clear()
        if order not in self._class_of:
            params = json.loads(order.body)
            job = Job(id="", model=order.model, prompt=params.pop("prompt", None), params=params)
            self._class_of[order] = self._classes[1].name(job) or f"{order}"
        return self._class_of[order]

    def dearest(self, order: Order, charged: Iterable[Submission]) -> Decimal:
        """Return the most that anything ever said an order of this class costs."""
        name = self.class_of(order)
        words = (max(one.cost, self.seen(one)) for one in charged if self.class_of(order_of(one)) == name)
        return max(self.cost(order), self._most_told.get(name, _NOTHING), *words, _NOTHING)

    def seen(self, one: Submission) -> Decimal:
        """Return what a job's own record says of its charge, as long as nothing came back."""
        addons = _NOTHING if self.settings.views.hides_addons else one.cost - one.main_cost
        return one.main_cost + one.discount + addons

    def forget(self, *, intents: bool) -> None:
        """Learn that the journal is lost, and with it what was read of receipts and prices.

        Args:
            intents: whether what was held is lost for certain; else an older copy may know it.
        """
        self._last = None
        if intents:
            for post in self.posts:
                post.price = _NOTHING
        self._forgotten.update(self._post_of)
        self._forgotten_elsewhere = len(self.elsewhere)
        self.receipts.clear()
        self._told.clear()

    def leaves(
        self,
        order: Order,
        budget: Budget,
        charged: Sequence[Submission],
        records: Collection[Record],
        *,
        at: float,
        now: float,
    ) -> tuple[Post, list[str]]:
        """Note a POST as it leaves, and say which caps do not hold with it.

        Args:
            order: what it asks for.
            budget: the caps that are in force.
            charged: what the service charged us for, the oldest first.
            records: as the journal has them, its own intent included.
            at: our clock.
            now: the service's.
        """
        owned = _owned(records)
        told, name = self.told(order, max(self.run_began, at - _HOLDS)), self.class_of(order)
        price = told or _NOTHING
        if told is not None:
            alike = (one for one in charged if self.class_of(order_of(one)) == name)
            price = max(told, *(self._word(one, now) for one in alike if one.remote_id in owned), _NOTHING)
        wrong = [f"bought under a cap without a price: {order}"] if budget.is_set and told is None else []
        if budget.per_job is not None and price > budget.per_job:
            wrong.append(f"one job for {price}, where one may cost {budget.per_job}: {order}")
        travelling = [one for one in self.posts if one.travels]
        post = Post(order=order, at=at, told=told, price=price)
        self.posts.append(post)
        self._last = _Caps(budget=budget, at=at, known=owned)
        left = [*travelling, post]
        spent = self._spent(_counted(charged, records, left), self._last, left, now=now)
        return post, [*wrong, *(f"{text} when {order} left" for text in spent)]

    def match(self, charged: Iterable[Submission]) -> None:
        """Find for each charge what ordered it; what arrived late belongs to the first POST that has none."""
        for one in charged:
            if one.remote_id in self._post_of or one.remote_id in self.by_question:
                continue
            order = order_of(one)
            if order == self._taken_for_an_order and not self.by_question:
                self.by_question.add(one.remote_id)
                continue
            self.arrived(next(post for post in self.posts if post.order == order and not post.remote_id), one)

    def arrived(self, post: Post, one: Submission) -> None:
        """Note what the service made of a POST."""
        post.remote_id = one.remote_id
        self._post_of[one.remote_id] = post

    def process_ended(self) -> None:
        """Learn that what had not arrived by now never will; what the service got and delays is not of it."""
        for post in self.posts:
            post.travels = False

    def settle(
        self,
        charged: Sequence[Submission],
        records: Collection[Record],
        *,
        now: float,
        late: Collection[str] = (),
    ) -> list[str]:
        """Say which cap that was in force at the last POST does not hold for all that was charged.

        What arrived late and was known by then is counted; of what arrived since then nobody could know.
        """
        if self._last is None:
            return []
        known = [one for one in charged if one.remote_id not in late or one.remote_id in self._last.known]
        return self._spent(_counted(known, records, []), self._last, [], now=now)

    def above_quotes(self, charged: Iterable[Submission]) -> list[Decimal]:
        """Give for each charge that is above what had been told by how much."""
        posts = ((self._post_of.get(one.remote_id), one.cost) for one in charged)
        above = [cost - post.told for post, cost in posts if post is not None and post.told is not None]
        return [one for one in above if one > 0]

    def most_held(self, charged: Iterable[Submission], since: float) -> Decimal:
        """Give the most that may be held for what was charged: nothing that came back is taken off."""
        posts = ((one, self._post_of.get(one.remote_id)) for one in charged)
        held = [self._most(one, post) for one, post in posts if post is not None and post.at >= since]
        return sum(held, self.spent_elsewhere(since, forgotten=True))

    def _most(self, one: Submission, post: Post) -> Decimal:
        told = self._most_told.get(self.class_of(post.order), _NOTHING)
        return max(one.cost, self.seen(one), post.price, told)

    def spent_elsewhere(self, since: float, until: float = math.inf, *, forgotten: bool = False) -> Decimal:
        """Give what other batches spent; a cap of the batch's own does not know them."""
        if since == ALWAYS:
            return _NOTHING
        known = self.elsewhere if forgotten else self.elsewhere[self._forgotten_elsewhere :]
        return sum((amount for when, amount in known if since <= when <= until), _NOTHING)

    def told(self, order: Order, since: float) -> Decimal | None:
        """Give what the service said after a moment of our clock that such an order costs."""
        told, at = self._told.get(self.class_of(order), (None, -math.inf))
        return told if at >= since else None

    def _spent(
        self, counted: Sequence[Submission], caps: _Caps, left: Sequence[Post], *, now: float
    ) -> list[str]:
        wrong = []
        for name, cap, since in windows(caps.budget, caps.at, self.market.zone):
            spent = sum((post.price for post in left if post.at >= since), _NOTHING)
            spent += self.spent_elsewhere(since, caps.at)
            for one in counted:
                post = self._post_of.get(one.remote_id)
                if post is not None and post.at >= since:
                    amount = self._counts(one, post, known=one.remote_id in caps.known)
                    spent += amount - _came_back(one, now, trusted=caps.budget.trust_refunds)
            if spent > cap:
                self.overshoot = max(self.overshoot, spent - cap)
                wrong.append(f"{name} of {cap} does not hold {spent}")
        return wrong

    def _counts(self, one: Submission, post: Post, *, known: bool) -> Decimal:
        """Return what a charge counts at least: what its receipt said, or its record, or what was held."""
        if known and one.remote_id in self.receipts:
            return one.cost
        if one.remote_id in self._forgotten:  # it is shown, or an older copy has what was held for it
            return min(one.cost, self.seen(one), post.price if post.price and not known else one.cost)
        held = max(post.price, self.told(post.order, -math.inf) or _NOTHING if not post.price else _NOTHING)
        return min(one.cost, max(held, self.seen(one) if known else _NOTHING))

    def _word(self, one: Submission, now: float) -> Decimal:
        """Return the highest word on a charge that was read: the receipt's, or its record's."""
        return one.cost if one.remote_id in self.receipts else min(self.seen(one), _shown(one, now))


def windows(budget: Budget, at: float, zone: tzinfo) -> list[tuple[str, Decimal, float]]:
    """Give the caps that hold at a moment, each with what it is called and the moment that it counts from."""
    day = datetime.fromtimestamp(at, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    caps = [
        ("the total", budget.total, ALWAYS),
        ("a day's budget", budget.per_day, day.timestamp()),
        ("a month's budget", budget.per_month, day.replace(day=1).timestamp()),
    ]
    return [(name, cap, since) for name, cap, since in caps if cap is not None]


def _owned(records: Iterable[Record]) -> frozenset[str]:
    return frozenset(one.remote_id for record in records for one in record.submissions)


def _counted(
    charged: Sequence[Submission], records: Collection[Record], left: Iterable[Post]
) -> list[Submission]:
    """Leave out what a job was wrongly shown absent for: nobody can hold that.

    Of the charges that no record owns as many are counted as there are jobs that may be paid
    for, those whose POST is just leaving taken off.
    """
    owned = _owned(records)
    doubtful = Counter(order_of(one) for one in records if one.state in MAY_BE_PAID)
    doubtful.subtract(post.order for post in left)
    unowned: dict[Order, list[Submission]] = defaultdict(list)
    for one in charged:
        if one.remote_id not in owned:
            unowned[order_of(one)].append(one)
    kept = [one for order, many in unowned.items() for one in many[: max(0, doubtful[order])]]
    return [*(one for one in charged if one.remote_id in owned), *kept]


def _shown(one: Submission, now: float) -> Decimal:
    """Give what may be seen of a charge: of add-ons that came back nothing is."""
    return one.main_cost if one.ended(now) and one.refund else one.cost


def _came_back(one: Submission, now: float, *, trusted: bool) -> Decimal:
    """Give what a run may take for refunded: all that is promised, or what it can see."""
    if not one.ended(now) or not one.refund:
        return _NOTHING
    return one.refund if trusted else one.cost - one.main_cost


@lru_cache(maxsize=4096)
def _cost(
    order: Order,
    gated: bool,
    gate: Decimal | None,
    discount: Decimal,
    prices: tuple[tuple[str, Decimal], ...],
) -> Decimal:
    settings = Settings(quality_gate=gated, gate_price=gate, discount=discount, prices=dict(prices))
    return read_order(_CATALOGUE.get(order.model), order.body.encode(), settings, lambda _: UNSEEN).cost
