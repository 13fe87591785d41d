"""Faults of holds without need: what makes a person decide though the rules can tell. Data, no code."""

from tests.proof.planted import Mutant

_RECONCILER = "tests/reconcile/test_reconciler.py"

OF_HOLDS = (
    Mutant(
        name="take what a listing was not asked for as late",
        path="reconcile/listing_lag.py",
        old="        if left_at is not None and left_at < listing.reach + _ROUGH:\n",
        new="        if left_at is not None and left_at < 0:\n",
        test=f"{_RECONCILER}::test_what_a_listing_was_not_asked_for_is_no_sign_of_a_lag",
    ),
    Mutant(
        name="leave the prompt of a witness unread",
        path="reconcile/reconciler.py",
        old="                await candidates.read_recorded(newest_of(case.doubt.body.model, records))\n",
        new="",
        test=f"{_RECONCILER}::test_a_control_whose_prompt_became_an_asset_is_read_and_will_do",
    ),
    Mutant(
        name="look for an old witness at the date of its adoption",
        path="reconcile/listing_lag.py",
        old="    return record.intent_at + (skew if record.skew is None else record.skew)\n",
        new="    return paid.at + (skew if record.skew is None else record.skew)\n",
        test=f"{_RECONCILER}::test_an_old_control_that_was_found_late_is_looked_for_where_its_body_left",
    ),
    Mutant(
        name="hold a job for a row with the seed of another one",
        path="reconcile/reconciler.py",
        old="                    return Likeness.OTHER\n",
        new="                    return Likeness.NEAR\n",
        test=f"{_RECONCILER}::test_a_row_with_the_seed_of_another_job_holds_nobody",
    ),
    Mutant(
        name="take a seed that a person wrote for one that nobody else would choose",
        path="reconcile/reconciler.py",
        old="                if record.has_derived_seed and sent.seed is None:\n",
        new="                if one.seed is not None and sent.seed is None:\n",
        test=_RECONCILER,
    ),
    Mutant(
        name="use up patience while no listing can be had",
        path="reconcile/patience.py",
        old="            self.watched += min(begun - since, longest)\n",
        new="            self.watched += begun - since\n",
        test=f"{_RECONCILER}::test_listings_that_fail_slowly_use_up_no_patience",
    ),
    Mutant(
        name="wait for ever where no listing can be had",
        path="reconcile/absence.py",
        old="        waited = max(found.watched, found.blind) if found.incomplete else found.watched\n",
        new="        waited = found.watched\n",
        test=f"{_RECONCILER}::test_listings_that_never_come_leave_the_job_to_a_person",
    ),
    Mutant(
        name="learn who a key is from another key's attempt",
        path="reconcile/lessons.py",
        old="        if self._keeps and latest and row.author and record.sender:\n",
        new="        if self._keeps and row.author and record.sender:\n",
        test="tests/reconcile/test_lessons.py",
    ),
    Mutant(
        name="learn nothing from an earlier attempt",
        path="reconcile/lessons.py",
        old="next((one for one in record.submissions if one.remote_id == remote_id), None)\n",
        new="record.submission\n",
        test="tests/reconcile/test_lessons.py",
    ),
    Mutant(
        name="ask what is short again in its own slot alone",
        path="journal/slots.py",
        old="        return {slot: short[slot] for slot in dict.fromkeys((*self.open(), *short))}\n",
        new="        return {slot: short[slot] for slot in self.open()}\n",
        test="tests/engine/test_together.py",
    ),
    Mutant(
        name="give up before listings that lag could have shown it absent",
        path="reconcile/absence.py",
        old="        return max(_END * self.settle_max, late)\n",
        new="        return min(_END * self.settle_max, late)\n",
        test="tests/reconcile/test_absence.py",
    ),
    Mutant(
        name="count as a lag the time in which nobody looked",
        path="reconcile/listing_lag.py",
        old="min(begun - missed[1], self._closely)",
        new="begun - missed[1]",
        test="tests/reconcile/test_listing_lag.py",
    ),
)
