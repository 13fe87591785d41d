"""Faults of prices, charges and refunds. Data, no code."""

from tests.proof.planted import Mutant

OF_PRICES = (
    Mutant(
        name="ask for a price with dryRun in the body",
        path="scenario/client.py",
        old='            query={"dryRun": "true", **self._scope},\n'
        '            body=body.encode(errors="replace"),\n',
        new="            query=self._scope,\n"
        '            body=json.dumps({**json.loads(body), "dryRun": True}).encode(),\n',
        test="tests/scenario/test_quotes.py::test_a_price_is_exact_and_asked_for_in_the_query",
    ),
    Mutant(
        name="ask again after a first question without an answer",
        path="scenario/client.py",
        old="        verdict = quote_verdict if self._quotes_are_free else first_quote_verdict\n",
        new="        verdict = quote_verdict\n",
        test="tests/scenario/test_quotes.py::"
        "test_the_first_question_is_not_repeated_when_it_may_have_been_an_order",
    ),
    Mutant(
        name="ask for a price where asking has bought",
        path="usecases/questions.py",
        old="(silence := self._warning or silence)",
        new="silence",
        test="tests/usecases/test_purchases.py",
    ),
    Mutant(
        name="forget what asking for a price has bought",
        path="usecases/purchases.py",
        old="                journal.append(entry.key, intent, accepted)\n",
        new="                journal.records()\n",
        test="tests/usecases/test_purchases.py",
    ),
    Mutant(
        name="reserve the lowest price of a class",
        path="planning/pricing.py",
        old="high=max(one.high for one in known)",
        new="high=min(one.high for one in known)",
        test="tests/usecases/test_quotes.py",
    ),
    Mutant(
        name="confirm a refund of what has not ended",
        path="notes.py",
        old="record.remote_id if record.state in IN_FLIGHT else None",
        new="None",
        test="tests/core/test_lifecycle.py",
    ),
    Mutant(
        name="make room today by a refund of yesterday",
        path="planning/budget.py",
        old="    if told is None or told == record.remote_id:\n",
        new="    if told is None or record.intent_at is not None:\n",
        test="tests/journal/test_contract.py::test_yesterdays_refund_makes_no_room_today",
    ),
    Mutant(
        name="call a charge ours of which nothing says whose it is",
        path="reconcile/billing.py",
        old="    by_us = {one.remote_id for one in entries if owner_by_author(one.author, known).owner"
        " is Owner.OURS}\n",
        new="    by_us = {one.remote_id for one in entries}\n",
        test="tests/reconcile/test_billing.py",
    ),
)
