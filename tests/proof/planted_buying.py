"""Faults of old prices, of doubts that hold nothing, and of charges that are told twice. Data, no code."""

from tests.proof.planted import Mutant

MOVING = "tests/proof/test_moving_prices.py"
ASKING = "tests/engine/test_asking.py"

OF_BUYING = (
    Mutant(
        name="decide under a cap by a price of yesterday",
        path="engine/limits/budget.py",
        old="        return at is None or loop_time() - at >= HOLDS\n",
        new="        return at is not None and loop_time() - at >= HOLDS\n",
        test=MOVING,
    ),
    Mutant(
        name="let an answer after a price hold for ever",
        path="engine/limits/budget.py",
        old="HOLDS = 900.0",
        new="HOLDS = 9e9",
        test=MOVING,
    ),
    Mutant(
        name="hold nothing for what the look before buying holds",
        path="reconcile/history.py",
        old="            reserved=max((one for one in words if one is not None), default=None),\n",
        new="            reserved=None,\n",
        test=MOVING,
    ),
    Mutant(
        name="keep no room for what may be paid for already",
        path="engine/limits/budget.py",
        old="cap=one.cap - self._apart",
        new="cap=one.cap",
        test=MOVING,
    ),
    Mutant(
        name="keep room at the price, whatever a row shows",
        path="engine/limits/budget.py",
        old="max(price or Decimal(0), shown or Decimal(0))",
        new="(price or Decimal(0))",
        test=MOVING,
    ),
    Mutant(
        name="let the lower of two words on a charge count",
        path="events.py",
        old="        return max(told), Refund.NONE, Decimal(0)\n",
        new="        return told[-1], Refund.NONE, Decimal(0)\n",
        test=MOVING,
    ),
    Mutant(
        name="take add-ons that are left out for given back",
        path="events.py",
        old="        came_back = charged - told[-1] if self.itemized else Decimal(0)\n",
        new="        came_back = charged - told[-1]\n",
        test=MOVING,
    ),
    Mutant(
        name="take a discount for a second word",
        path="events.py",
        old="self.charged - self.discount == receipt:",
        new="self.charged == receipt:",
        test="tests/core/test_two_words.py",
    ),
    Mutant(
        name="hold nothing beside a charge that only a row tells",
        path="planning/budget.py",
        old="    if not paid.by_row or (",
        new="    if paid.by_row or not paid.by_row or (",
        test=MOVING,
    ),
    Mutant(
        name="let a doubt without a price count for nothing for good",
        path="engine/runner.py",
        old="        hold_prices(self._world, self._ledger)\n",
        new="",
        test=ASKING,
    ),
    Mutant(
        name="keep everybody waiting for a price",
        path="engine/dispatch.py",
        old="            self._waiting.remove(entry)\n            self._asker.add(entry, asked)\n"
        "        return entry\n",
        new="            self._waiting.remove(entry)\n            self._asker.add(entry, asked)\n"
        "        return None if len(self._asker) else entry\n",
        test=ASKING,
    ),
    Mutant(
        name="wait for a price without end",
        path="engine/asking.py",
        old="PATIENCE = 900.0",
        new="PATIENCE = 9000.0",
        test=ASKING,
    ),
    Mutant(
        name="ask side by side before the first answer",
        path="engine/asking.py",
        old="asyncio.Semaphore(1)",
        new="asyncio.Semaphore(AT_ONCE)",
        test=ASKING,
    ),
    Mutant(
        name="go on asking after a question that bought",
        path="engine/asking.py",
        old="                    if self._over:\n"
        "                        self._leave(kind)\n"
        "                    if self._over or kind not in self._waiting:\n",
        new="                    if kind not in self._waiting:\n",
        test="tests/engine/test_asking.py",
    ),
    Mutant(
        name="keep quiet of what waits for a price",
        path="engine/runner.py",
        old="            unpriced=dispatcher.unpriced_told(),\n",
        new="            unpriced=(),\n",
        test=ASKING,
    ),
    Mutant(
        name="make a charge less by one of several kinds of entries",
        path="reconcile/billing.py",
        old="        charged = min(max(ours, theirs.charged), at_most)\n",
        new="        charged = theirs.charged\n",
        test="tests/reconcile/test_billing.py",
    ),
    Mutant(
        name="go on holding what the service's history has settled",
        path="notes.py",
        old="refunded=back, by_row=False)",
        new="refunded=back)",
        test="tests/core/test_two_words.py",
    ),
)
