"""The faults of what a service does that tells little, tells it otherwise or never ends. Data, no code."""

from tests.proof.planted import Mutant

OF_OUTSIDE = (
    Mutant(
        name="call a charge that is not told nought",
        path="record.py",
        old="        return sum(one.charged is None for one in self.submissions)\n",
        new="        return 0\n",
        test="tests/cli/test_untold.py",
    ),
    Mutant(
        name="look for jobs in doubt at the same pace, though no listing comes to an end",
        path="reconcile/reconciler.py",
        old="                if pause := self._pauses.after(broken, took=loop_time() - begun):\n",
        new="                if pause := begun - begun:\n",
        test="tests/engine/test_endless.py",
    ),
    Mutant(
        name="look before buying at the same pace, though no listing comes to an end",
        path="engine/first_look.py",
        old="            more = self._pauses.after(error, took=loop_time() - begun)\n",
        new="            more = begun - begun\n",
        test="tests/engine/test_endless.py",
    ),
    Mutant(
        name="follow tokens that lead nowhere",
        path="pages.py",
        old=" or self._empty >= _MOST_EMPTY or self._stale >= _MOST_STALE\n",
        new="\n",
        test="tests/reconcile/test_listing.py",
    ),
    Mutant(
        name="say the same trouble each time",
        path="output/progress.py",
        old="        if self._troubles[told] == 1:\n",
        new="        if told:\n",
        test="tests/output/test_terminal_progress.py",
    ),
    Mutant(
        name="keep quiet of a charge below its quote",
        path="engine/limits/budget.py",
        old="            return None if paid.by_row else self._less(amount, price)\n",
        new="            return None\n",
        test="tests/engine/test_budget.py",
    ),
    Mutant(
        name="take all for strangers whom an upload does not name",
        path="reconcile/identification.py",
        old="Known(uploads=frozenset({identity.author})))\n",
        new="Known(receipts=frozenset({identity.author})))\n",
        test="tests/reconcile/test_reconciler.py",
    ),
    Mutant(
        name="cut a secret of one letter out of every word",
        path="redaction.py",
        old="    return len(secret) < _SHORTEST or letters or secret.isdigit()\n",
        new="    return False\n",
        test="tests/scenario/test_credentials.py",
    ),
    Mutant(
        name="take an equal row by nobody beside one that shows less",
        path="reconcile/reconciler.py",
        old="        return not row.author and case.doubt.body.seed is None\n",
        new="        return False\n",
        test="tests/reconcile/test_reconciler.py",
    ),
    Mutant(
        name="take the first equal row by nobody as soon as it is listed",
        path="reconcile/reconciler.py",
        old="        return settled and len(rows) <= missing\n",
        new="        return len(rows) <= missing\n",
        test="tests/reconcile/test_reconciler.py",
    ),
    Mutant(
        name="learn from the row of an upload how jobs name us",
        path="reconcile/lessons.py",
        old="(row for row in rows if row.job_type in GENERATION and row.inputs)",
        new="(row for row in rows)",
        test="tests/reconcile/test_lessons.py",
    ),
    Mutant(
        name="let a run go on whose cell was interrupted",
        path="api/public.py",
        old="                loop.call_soon_threadsafe(task.cancel)\n",
        new="                pass\n",
        test="tests/api/test_public.py",
    ),
)
