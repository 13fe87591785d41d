"""The faults that are planted in what is spent: caps, reservations, refunds, prices. Data, no code."""

from tests.proof.planted import Mutant

MONEY = "tests/proof/test_proof.py::test_no_cap_is_overshot_and_what_fits_is_bought"
_COUNTED = "                self._totals.add(scope_id, change.at, change.cost)\n"
_CHECKED = (
    "                if change.allowed is not None:\n"
    '                    what = "the next chain" if made else "the next job"\n'
    "                    self._totals.check(scope_id, change.allowed, what)\n"
)

OF_MONEY = (
    Mutant(
        name="reserve under a cap that does not count the reservation",
        path="journal/batch.py",
        old=f"{_COUNTED}{_CHECKED}",
        new=f"{_CHECKED}{_COUNTED}",
        test=MONEY,
    ),
    Mutant(
        name="send under no cap at all",
        path="engine/submit.py",
        old="        caps = self._purse.allowed(intent.at)\n",
        new="        caps = None\n",
        test=MONEY,
    ),
    Mutant(
        name="free what is reserved for a job in doubt",
        path="record.py",
        old="UNANSWERED = frozenset({State.SUBMITTING, State.IN_DOUBT, ",
        new="UNANSWERED = frozenset({State.SUBMITTING, ",
        test=MONEY,
    ),
    Mutant(
        name="free what is reserved while the answer is awaited",
        path="record.py",
        old="UNANSWERED = frozenset({State.SUBMITTING, ",
        new="UNANSWERED = frozenset({",
        test=MONEY,
    ),
    Mutant(
        name="go on holding what was never sent",
        path="record.py",
        old="UNANSWERED = frozenset({State.SUBMITTING, ",
        new="UNANSWERED = frozenset({State.PLANNED, State.SUBMITTING, ",
        test=MONEY,
    ),
    Mutant(
        name="take every refund for certain",
        path="planning/budget.py",
        old="trust_refunds=budget.trust_refunds)",
        new="trust_refunds=True)",
        test=MONEY,
    ),
    Mutant(
        name="count what was quoted, whatever was charged",
        path="planning/budget.py",
        old="            gross=reserved + (paid.charged or zero),\n",
        new="            gross=paid.charged or zero if paid.reserved is None else paid.reserved,\n",
        test=MONEY,
    ),
    Mutant(
        name="reserve what is quoted, whatever one was charged",
        path="engine/limits/budget.py",
        old="        held = max(price, self._charge(job) or price)\n",
        new="        held = price\n",
        test=MONEY,
    ),
    Mutant(
        name="forget what earlier runs were charged",
        path="engine/runner.py",
        old="        self._world.purse.remember(self._world.journal.records().values())\n",
        new="",
        test=MONEY,
    ),
    Mutant(
        name="let one job cost anything",
        path="engine/limits/budget.py",
        old="        if cap is not None and held > cap:\n",
        new="        if cap is not None and held > 2 * cap:\n",
        test=MONEY,
    ),
    Mutant(
        name="count only its own batch in a day",
        path="journal/totals.py",
        old='                "WHERE origin = ? AND quarter >= ?",\n                (self._scope.origin, ',
        new='                "WHERE scope = ? AND quarter >= ?",\n                (scope_id, ',
        test=MONEY,
    ),
    Mutant(
        name="count in a day all that was ever spent",
        path="planning/budget.py",
        old="budget.per_day, midnight(day), ",
        new="budget.per_day, 0.0, ",
        test=MONEY,
    ),
    Mutant(
        name="begin a day at midnight of another zone",
        path="planning/budget.py",
        old="        return datetime.combine(of, time(), zone).timestamp()\n",
        new="        from datetime import UTC\n\n"
        "        return datetime.combine(of, time(), UTC).timestamp()\n",
        test=MONEY,
    ),
    Mutant(
        name="keep the manifest's cap against another one",
        path="usecases/run_policy.py",
        old="    return budget if options.budget is None else replace(budget, total=options.budget)\n",
        new="    return budget\n",
        test="tests/cli/test_budget.py",
    ),
    Mutant(
        name="buy on after too many failures",
        path="engine/outcome.py",
        old="most is not None and self.failures >= most\n",
        new="most is not None and self.failures > 2 * most\n",
        test=MONEY,
    ),
    Mutant(
        name="buy more than a few",
        path="planning/choosing.py",
        old="        wanted = wanted[:limit]\n",
        new="        wanted = wanted[: limit + 1]\n",
        test="tests/proof/test_proof.py::test_no_cap_is_overshot_and_what_fits_is_bought",
    ),
    Mutant(
        name="keep quiet of what a budget left",
        path="engine/runner.py",
        old="            over_budget=dispatcher.budget_told(),\n",
        new="            over_budget=(),\n",
        test=MONEY,
    ),
    Mutant(
        name="end well though a budget left something",
        path="engine/verdict.py",
        old="    dear = [(Exit.BUDGET, text) ",
        new="    dear = [(Exit.FAILED, text) ",
        test=MONEY,
    ),
    Mutant(
        name="take a question that bought for a price",
        path="scenario/verdicts.py",
        old="        raise BoughtByQuoteError(job.remote_id, charged=bought.charged, author=job.author)\n",
        new="        return call_verdict(answer)\n",
        test=MONEY,
    ),
    Mutant(
        name="take what another batch waits for for a stray",
        path="reconcile/orphans.py",
        old=" if not _may_be_of_another_batch(one, journal, records)]\n",
        new="]\n",
        test="tests/reconcile/test_orphans.py::test_a_row_that_an_equal_job_of_another_batch_waits_for_is_no_alarm",
    ),
)
