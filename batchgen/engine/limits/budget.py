"""What a run may still spend: the price of each job, and the caps it is reserved under.

The purse only says how much to reserve and under which caps; whether they hold is decided by
the journal, in the transaction that records the intent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo
from decimal import Decimal

from batchgen.errors import OverBudgetError
from batchgen.formats import units
from batchgen.loop_clock import loop_time
from batchgen.manifest.values import Budget
from batchgen.model import Job, Submission
from batchgen.planning.budget import Allowance, Reservation, Window, allowance, waits_for_a_price
from batchgen.planning.caps import BALANCE, NEAR, Chains, Fit, fit, near
from batchgen.ports import Spends
from batchgen.price_ports import PriceQuestions, Prices
from batchgen.record import Record

_STAYS = "; what its parent made stays for the next run"
HOLDS = 900.0  # seconds for which an answer after a price may decide under a cap


class BudgetGuard:
    """One run's view of prices and caps."""

    def __init__(
        self,
        *,
        budget: Budget | None = None,
        prices: Prices | None = None,
        zone: tzinfo = UTC,
        questions: PriceQuestions | None = None,
        by_flag: bool = False,
    ) -> None:
        """Take what is known before the run.

        Args:
            budget: the caps; None for none.
            prices: what the service says that jobs cost; None where it was not asked.
            zone: where a day begins.
            questions: the same prices, where they can be asked for anew; None where they cannot.
            by_flag: whether the cap on the batch is the command line's.
        """
        self.questions = questions
        self._budget = budget or Budget()
        self._prices = prices
        self._zone = zone
        self._told: set[tuple[str, Decimal]] = set()
        self._cheaper = False  # whether it was told that something cost less than was said
        self._dearest: dict[str, Decimal] = {}
        self._apart = Decimal(0)
        self._near: set[Window] = set()  # caps of which a person was warned
        self._by_flag = by_flag
        self._risen: set[str] = set()  # models of which it was told that they cost more than was expected

    @property
    def cap(self) -> Decimal | None:
        """The cap on the whole batch and slot."""
        return self._budget.total

    def set_cap(self, total: Decimal | None) -> None:
        """Put another cap on the whole batch and slot; None takes it away."""
        self._budget = replace(self._budget, total=total)

    def price(self, job: Job) -> Decimal | None:
        """Return what the service says that a job costs; None where that is not known."""
        return None if self._prices is None else self._prices.price(job)

    def needs_asking(self, job: Job) -> bool:
        """Return whether the price of a job's kind has to be asked before it may leave.

        Under a cap only what was asked in this run decides, and only for a time. Without one a job is asked
        about whose inputs were not there when the others were.
        """
        if self.questions is None:
            return False
        if not self._budget.is_set:
            return self.questions.is_due(job)
        at = self.questions.asked(job)
        return at is None or loop_time() - at >= HOLDS

    def is_unasked(self, job: Job) -> bool:
        """Return whether a price that is not known may be known when it is asked."""
        if self.questions is None or self._budget.estimate is not None or self.price(job) is not None:
            return False
        return self.questions.asked(job) is None

    def worth(self, job: Job) -> Decimal | None:
        """Return the most that anything says a job costs: its price, or a charge; None where nothing does."""
        price, charge = self.price(job), self._charge(job)
        return max((one for one in (price, charge) if one is not None), default=None)

    def rise(self, job: Job) -> str:
        """Return a sentence where a job costs more than was expected of it; else nothing."""
        expected = None if self.questions is None else self.questions.expected(job)
        price = self.price(job)
        if expected is None or price is None or price <= expected:
            return ""
        return (
            f"{job.id} costs {units(price)} CU now that what goes into it is there, and about "
            f"{units(expected)} were expected"
        )

    def risen(self, job: Job) -> str:
        """Return the same once a run for each model, for a job that leaves all the same; else nothing."""
        if job.model in self._risen or not (rise := self.rise(job)):
            return ""
        self._risen.add(job.model)
        return f"{rise}; so may others of {job.model}"

    def to_hold(self, record: Record) -> Decimal | None:
        """Return what is to be held for a body that may have been paid for, and for which nothing is.

        None where something is held, or its charge is known, or nothing says what it may have cost.
        """
        return self.worth(record.job) if record.job is not None and waits_for_a_price(record) else None

    def _charge(self, job: Job) -> Decimal | None:
        return None if self._prices is None else self._dearest.get(self._prices.kind(job))

    def reservation(self, job: Job) -> Decimal | None:
        """Return what to hold for a job: its price, or what one of its price has cost before.

        Raises:
            OverBudgetError: it cannot be reserved under any circumstances: its price is not known,
                or above the cap for one job.
        """
        price = self.price(job)
        if price is None and self._budget.is_set:
            price = self._budget.estimate
            if price is None:
                raise OverBudgetError(
                    f"{job.id}: its price is not known, so no cap can cover it "
                    "(`budget: {estimate: N}` says what to take it for)",
                    alone=True,
                )
        if price is None:
            return None
        held = max(price, self._charge(job) or price)
        cap = self._budget.per_job
        if cap is not None and held > cap:
            rise = self.rise(job)
            raise OverBudgetError(
                f"{job.id} costs {units(held)} CU; the cap for one job is {units(cap)} "
                f"(`budget: {{per_job: {units(held)}}}` lets it through){rise and f'; {rise}{_STAYS}'}",
                over=held - cap,
                alone=True,
            )
        return held

    @property
    def keeps_chains(self) -> bool:
        """Whether money is kept for all the steps of a chain from its first intent on."""
        return self._budget.is_set and self._budget.whole_chains

    def reservations(
        self, job: Job, held: Decimal | None, steps: Sequence[Job], *, now: float
    ) -> list[Decimal]:
        """Return what to keep for each step of a chain from the intent of the first one on.

        Args:
            job: the first of those that are not bought.
            held: what its own body is to hold.
            steps: all that need it.
            now: the moment of the intent, seconds since the epoch.

        Raises:
            OverBudgetError: the chain cannot be reserved under any circumstances: a price is not known, or
                above the cap for one job, or all of them are above another cap.
        """
        try:
            kept = [self.reservation(step) or Decimal(0) for step in steps]
        except OverBudgetError as error:
            raise OverBudgetError(
                f"{error}; {job.id} is not bought without it "
                "(`budget: {chains: steps}` buys it all the same)",
                over=error.over,
                alone=True,
            ) from error
        total = sum(kept, held or Decimal(0))
        for window in allowance(self._budget, now, self._zone).windows:
            if total > window.cap:
                raise OverBudgetError(
                    f"{job.id}: the whole chain ({len(steps) + 1} jobs) costs {units(total)} CU; "
                    f"the cap on {window.label} is {units(window.cap)} CU "
                    f"({self._raised(window, total)} buys it, and "
                    "`budget: {chains: steps}` its steps one by one)",
                    over=total - window.cap,
                    alone=True,
                )
        return kept

    def _raised(self, window: Window, total: Decimal) -> str:
        line = f"`budget: {{{window.key}: {units(total)}}}`"
        if window.key != "total":
            return line
        flag = f"`--budget {units(total)}`"
        return flag if self._by_flag else f"{flag} or {line}"

    def allowed(self, now: float) -> Allowance | None:
        """Return the caps at a moment, seconds since the epoch; None where there are none."""
        if not self._budget.is_set:
            return None
        caps = allowance(self._budget, now, self._zone)
        if not caps.windows:
            return None
        return replace(caps, windows=tuple(replace(one, cap=one.cap - self._apart) for one in caps.windows))

    @property
    def is_capped(self) -> bool:
        """Whether there is any cap."""
        return self._budget.is_set

    def set_apart(self, jobs: Iterable[tuple[Job, Decimal | None]]) -> None:
        """Keep room under every cap for jobs that the service may have already, and for no others any more.

        Args:
            jobs: each with what the service shows that it cost; None where it shows nothing.
        """
        worth = ((self.worth(job), shown) for job, shown in jobs)
        self._apart = sum(
            (max(price or Decimal(0), shown or Decimal(0)) for price, shown in worth), Decimal(0)
        )

    def remember(self, records: Iterable[Record]) -> None:
        """Learn what earlier runs were charged: a price that was wrong then is likely to be so still."""
        for record in records:
            known = [one.charged for one in record.submissions if one.charged is not None]
            if record.job is not None and known:
                self._learn(record.job, max(known))

    def charged(self, job: Job, paid: Submission) -> str | None:
        """Learn what a job was charged; give a sentence where that is not what was said.

        More is told of each job, less once in a run: it may be the service's mistake, and it is what
        the caps count.
        """
        amount = paid.charged
        price = None if amount is None else self._learn(job, amount)
        if amount is None or price is None or amount == price:
            return None
        if amount < price:
            return None if paid.by_row else self._less(amount, price)
        if (job.id, amount) in self._told:
            return None
        self._told.add((job.id, amount))
        return f"{job.id} was charged {units(amount)} CU, but quoted {units(price)}"

    def _less(self, amount: Decimal, price: Decimal) -> str | None:
        if self._cheaper:
            return None
        self._cheaper = True
        told = f"the service charged {units(amount)} CU after quoting {units(price)}"
        return f"{told}: the budget counts what is charged" if self._budget.is_set else told

    def _learn(self, job: Job, amount: Decimal) -> Decimal | None:
        """Hold so much for the next job of its kind, and give the price; None where it is not known."""
        if self._prices is None:
            return None
        kind = self._prices.kind(job)
        self._dearest[kind] = max(self._dearest.get(kind, amount), amount)
        return self._prices.price(job)

    def fit(
        self,
        jobs: Sequence[Job],
        spends: Spends,
        *,
        now: float,
        left: Decimal | None = None,
        chains: Chains | None = None,
        kept: Iterable[Reservation] = (),
    ) -> Fit:
        """Return what of some jobs fits under the caps at a moment: the answer of a plan and of a run alike.

        Args:
            jobs: in the order in which they would be bought.
            spends: knows what is charged and reserved.
            now: seconds since the epoch.
            left: compute units that the account has left; None where that is not known.
            chains: how they make chains; None for each by itself.
            kept: what of the spent is kept for these jobs.

        Raises:
            JournalError: what is spent cannot be read.
        """
        uses = self._uses(spends, now, kept=tuple(kept))
        if left is not None:
            uses.append((Window(name="the account", key=BALANCE, cap=left), Decimal(0)))
        return fit(
            [self._amount(job) for job in jobs],
            uses,
            per_job=self._budget.per_job,
            capped=self._budget.is_set,
            by_flag=self._by_flag,
            chains=chains if self.keeps_chains else None,
        )

    def _amount(self, job: Job) -> Decimal | None:
        """Return what would be held for a job; a price that the service did not give holds nothing."""
        price = self.price(job)
        if price is None and self._budget.is_set:
            price = self._budget.estimate
        return None if price is None else max(price, self._charge(job) or price)

    def _uses(
        self, spends: Spends, now: float, *, kept: Sequence[Reservation] = ()
    ) -> list[tuple[Window, Decimal]]:
        """Return each cap with what is used of it, what is to be held yet included."""
        caps = allowance(self._budget, now, self._zone)
        if not caps.windows:
            return []
        held = [(one.intent_at, amount) for one in spends.records().values() if (amount := self.to_hold(one))]
        held += [(one.at, -one.amount) for one in kept]
        return [
            (
                one,
                spent + self._apart + sum(amount for at, amount in held if (at or now) >= (one.since or 0)),
            )
            for one, spent in zip(caps.windows, spends.spent(caps), strict=True)
        ]

    def near(self, spends: Spends, *, now: float) -> tuple[str, ...]:
        """Return a sentence for each cap that is nearly reached, once in a run.

        Raises:
            JournalError: what is spent cannot be read.
        """
        caps = allowance(self._budget, now, self._zone)
        left = [one for one in caps.windows if one not in self._near]
        if not left:
            return ()
        told = []
        for window, spent in zip(left, spends.spent(replace(caps, windows=tuple(left))), strict=True):
            if spent + self._apart >= NEAR * window.cap:
                self._near.add(window)
                told.append(f"the budget is nearly reached: {near(window, spent + self._apart)}")
        return tuple(told)

    def told(
        self,
        error: OverBudgetError,
        left: Sequence[Job],
        spends: Spends,
        *,
        now: float,
        chains: Chains | None = None,
        kept: Iterable[Reservation] = (),
    ) -> str:
        """Return what the budget left, and the line that would let it be bought.

        Args:
            error: of the first job that did not fit.
            left: the jobs that wait, that one first.
            spends: knows what is charged and reserved.
            now: seconds since the epoch.
            chains: how they make chains; None for each by itself.
            kept: what of the spent is kept for these jobs.
        """
        count = "1 job is" if len(left) == 1 else f"{len(left)} jobs are"
        found = self.fit(left, spends, now=now, chains=chains, kept=kept)
        prices = [self.price(job) for job in left]
        known = sum((one for one in prices if one is not None), Decimal(0))
        about = f"{units(known)} CU" if None not in prices else f"{units(known)} CU and more"
        rise = self.rise(left[0]) if left else ""
        text = f"stopped by the budget: {error}; {rise and f'{rise}{_STAYS}; '}{count} left, for {about}"
        return f"{text}; {found.way_on}" if found.way_on else text
