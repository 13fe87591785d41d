"""Faults in what is done where the service's guides leave things open. Data, no code."""

from tests.proof.planted import Mutant

OPEN = "tests/proof/test_proof.py::test_what_the_guides_leave_open_costs_nothing"

OF_OPENNESS = (
    Mutant(
        name="take a row of another type for somebody else's",
        path="reconcile/ownership.py",
        old="return replace(by_author, reason=reason, decisive=False, unusual=True, is_other_work=other)\n",
        new="return replace(by_author, owner=Owner.OTHERS, reason=reason)\n",
        test=OPEN,
    ),
    Mutant(
        name="believe a witness that would not be found itself",
        path="reconcile/witness.py",
        old="            if whose.is_free and whose.decisive:\n",
        new="            if whose:\n",
        test="tests/reconcile/test_witness.py",
    ),
    Mutant(
        name="take a name that replies do not give us for somebody else's",
        path="reconcile/ownership.py",
        old="    if known.rows or _kind(author) in map(_kind, known.receipts):\n",
        new="    if known.rows or known.receipts:\n",
        test=OPEN,
    ),
    Mutant(
        name="take a row of another key of ours for the sender's",
        path="reconcile/reconciler.py",
        old="        return self._journal.known(case.doubt.sender or None)\n",
        new="        return self._journal.known(None)\n",
        test="tests/reconcile/test_reconciler.py",
    ),
    Mutant(
        name="call it absent beside a row that nobody can read",
        path="reconcile/reconciler.py",
        old="        if covered and not near and not clouded:\n",
        new="        if covered and not near:\n",
        test="tests/reconcile/test_reconciler.py",
    ),
    Mutant(
        name="let one row that nobody can read stop every purchase",
        path="scenario/wire.py",
        old="            unreadable.append(_unreadable(row))\n",
        new="            raise\n",
        test="tests/scenario/test_wire.py",
    ),
    Mutant(
        name="apply today's difference of the clocks to yesterday's intent",
        path="reconcile/matching.py",
        old="if self.skew is None else (self.skew,)\n",
        new="if self.skew is None else (skew,)\n",
        test="tests/reconcile/test_matching.py",
    ),
    Mutant(
        name="give up a job after a time in which nobody looked",
        path="reconcile/reconciler.py",
        old="            watched=case.patience.watched,\n",
        new="            watched=case.age(view.begun, listing.skew),\n",
        test="tests/reconcile/test_reconciler.py",
    ),
    Mutant(
        name="pass over a prompt that is echoed with other white space",
        path="reconcile/matching.py",
        old="    return isinstance(shown, str) and loosely(shown) == loosely(sent.prompt)\n",
        new="    return False\n",
        test="tests/reconcile/test_reconciler.py",
    ),
    Mutant(
        name="never ask who we are",
        path="reconcile/identification.py",
        old="        unknown = bool(sender) and sender == self._sender",
        new="        unknown = False and sender == self._sender",
        test="tests/reconcile/test_reconciler.py",
    ),
    Mutant(
        name="learn from one row that an input is echoed otherwise",
        path="reconcile/lessons.py",
        old="_TWICE = 2  #",
        new="_TWICE = 1  #",
        test="tests/reconcile/test_lessons.py",
    ),
    Mutant(
        name="learn that seeds are echoed otherwise",
        path="reconcile/matching.py",
        old='    if name in {"seed", "prompt"} or name not in echoed',
        new="    if name not in echoed",
        test="tests/reconcile/test_lessons.py",
    ),
    Mutant(
        name="follow pages of a listing round and round",
        path="pages.py",
        old="        known = page.next_token in self._tokens\n",
        new="        known = False\n",
        test="tests/reconcile/test_listing.py",
    ),
    Mutant(
        name="date a loss before its intent where the clock was set back",
        path="engine/submit.py",
        old="            at = max(self._ledger.now(), intent.at + loop_time() - left)\n",
        new="            at = self._ledger.now()\n",
        test="tests/engine/test_accidents.py",
    ),
)
