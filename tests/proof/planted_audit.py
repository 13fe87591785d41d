"""Faults in what an audit names and adds up, and in what a person may call absent. Data, no code."""

from tests.proof.planted import Mutant

UNOWNED = "tests/reconcile/test_unowned.py"
WHOLE = "tests/cli/test_audit.py"
SEEDS = "tests/proof/test_proof.py::test_whatever_happens_nothing_is_paid_twice_and_nothing_paid_is_lost"

OF_AUDITS = (
    Mutant(
        name="pass over a row that may be ours",
        path="reconcile/unowned.py",
        old="        by_another = whose.owner is Owner.OTHERS and like is None\n",
        new="        by_another = whose.owner is not Owner.OURS and like is None\n",
        test=UNOWNED,
    ),
    Mutant(
        name="pass over what our key bought that is like nothing on record",
        path="reconcile/unowned.py",
        old="        by_another = whose.owner is Owner.OTHERS and like is None\n",
        new="        by_another = like is None\n",
        test=f"{SEEDS}[50]",
    ),
    Mutant(
        name="audit as if every listed row could be read",
        path="reconcile/orphans.py",
        old="sum(one.may_be_since(listing.reach) for one in listing.unreadable.values())",
        new="0",
        test=f"{SEEDS}[100]",
    ),
    Mutant(
        name="count a row like a job in doubt as somebody else's",
        path="reconcile/unowned.py",
        old="        by_another = whose.owner is Owner.OTHERS and like is None\n",
        new="        by_another = whose.owner is Owner.OTHERS\n",
        test=f"{UNOWNED}::test_a_row_by_somebody_unknown_that_is_like_a_job_in_doubt_may_be_ours",
    ),
    Mutant(
        name="take whatever is of another type for an upload",
        path="reconcile/unowned.py",
        old="whose.unusual and not row.cost and like is None",
        new="whose.unusual and like is None",
        test=UNOWNED,
    ),
    Mutant(
        name="liken a row that shows nothing to no job",
        path="reconcile/unowned.py",
        old='    if "modelId" not in (row.inputs or {}) and not waits:\n',
        new='    if "modelId" not in (row.inputs or {}):\n',
        test=UNOWNED,
    ),
    Mutant(
        name="take a row that is only written otherwise for a purchase of its own",
        path="reconcile/unowned.py",
        old="        same=may_be_bought(body, row, likeness, files_in(sent.job)),\n",
        new="        same=likeness is Likeness.MATCH,\n",
        test=UNOWNED,
    ),
    Mutant(
        name="take what a job waits for and is only written otherwise for another's",
        path="reconcile/unowned.py",
        old="    if same := whole or [one.sent for one in sent if one.same]:\n",
        new="    if same := whole:\n",
        test=UNOWNED,
    ),
    Mutant(
        name="call certainly ours what is only written otherwise",
        path="reconcile/orphans.py",
        old="whose.is_free and like.likeness is Likeness.MATCH\n",
        new="whose.is_free\n",
        test=f"{WHOLE}::test_what_is_only_written_otherwise_is_likely_paid_twice",
    ),
    Mutant(
        name="leave what may be ours out of the difference",
        path="reconcile/audit.py",
        old="        return self.surplus + self.possible + self.asked\n",
        new="        return self.surplus + self.asked\n",
        test=f"{WHOLE}::test_what_else_the_key_has_bought_is_named_with_its_cost",
    ),
    Mutant(
        name="leave what a question bought out of the difference",
        path="reconcile/audit.py",
        old="        return self.surplus + self.possible + self.asked\n",
        new="        return self.surplus + self.possible\n",
        test="tests/reconcile/test_audit.py",
    ),
    Mutant(
        name="audit and keep quiet of what asking for a price has bought",
        path="usecases/audit.py",
        old="    return tuple(one for one in known if one.remote_id not in owned)\n",
        new="    return tuple(one for one in known if one.remote_id in owned)\n",
        test="tests/usecases/test_purchases.py",
    ),
    Mutant(
        name="ask nobody what a batch bought that has sent nothing",
        path="usecases/audit.py",
        old="    if began_at is None and not options.journal.exists():\n",
        new="    if began_at is None:\n",
        test=f"{WHOLE}::test_a_batch_that_sent_nothing_yet_is_looked_for_beside_others_of_its_journal",
    ),
    Mutant(
        name="end an audit well though a job is held",
        path="usecases/findings.py",
        old='            (Exit.DOUBT, held, "{} waiting for your decision"),\n',
        new="",
        test=f"{WHOLE}::test_held_jobs_are_findings_with_the_command_that_settles_them",
    ),
    Mutant(
        name="leave held jobs out of an audit",
        path="usecases/audit.py",
        old="        if record.state in MISSING and key not in due",
        new='        if record.state in MISSING - {"held"} and key not in due',
        test=f"{WHOLE}::test_held_jobs_are_findings_with_the_command_that_settles_them",
    ),
    Mutant(
        name="pass over a success that is short",
        path="usecases/audit.py",
        old="            if not record.is_short and set(shown)",
        new="            if set(shown)",
        test=f"{WHOLE}::"
        "test_assets_that_came_after_all_was_taken_are_recorded_with_fix_and_fetched_by_the_next_run",
    ),
    Mutant(
        name="say that all agrees beside what may be ours",
        path="cli/audit.py",
        old="    if audit.doubtful:\n",
        new="    if audit.doubtful and reasons:\n",
        test=f"{WHOLE}::test_what_else_the_key_has_bought_is_named_with_its_cost",
    ),
    Mutant(
        name="say that all agrees beside a row that nobody can read",
        path="cli/audit.py",
        old="    if audit.unreadable:\n",
        new="    if audit.unreadable and reasons:\n",
        test="tests/cli/test_audit_commands.py",
    ),
    Mutant(
        name="count no row without a date that nobody can read",
        path="pages.py",
        old="        return self.created_at is None or self.created_at >= at\n",
        new="        return self.created_at is not None and self.created_at >= at\n",
        test="tests/reconcile/test_orphans.py",
    ),
    Mutant(
        name="believe an absence beside a row that echoes all that was sent",
        path="usecases/resolve.py",
        old="            if each.certain and each.remote.remote_id not in",
        new="            if not each.certain and each.remote.remote_id not in",
        test="tests/cli/test_resolve.py::"
        "test_what_is_listed_by_all_that_was_sent_is_absent_only_by_its_own_id",
    ),
)
