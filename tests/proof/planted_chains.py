"""Faults of chains: what goes into a child, when it leaves, who it is, what is kept for it. Data, no code."""

from tests.proof.planted import Mutant

_CHAINS = "tests/engine/test_chains.py"
_MONEY = "tests/engine/test_chain_budget.py"
_MATCHING = "tests/planning/test_chain_matching.py"
_PROOF = "tests/proof/test_chains.py"
_UNDER_A_CAP = "tests/proof/test_chain_money.py"

OF_CHAINS = (
    Mutant(
        name="give a child the first asset of its parent, of however many",
        path="planning/parent_assets.py",
        old="    if wanted.every or len(assets) == 1:\n        return Handed(assets)\n",
        new="    if assets:\n        return Handed(assets if wanted.every else assets[:1])\n",
        test=f"{_CHAINS}::test_a_child_of_a_parent_with_two_assets_stays_unpaid_until_it_says_which",
    ),
    Mutant(
        name="call a child by what came out of its parent",
        path="planning/chain_matching.py",
        old='        return "" if place is None else self.keys[place].content\n',
        new="        key = None if place is None else self.keys[place]\n"
        "        assets = self._records[key].asset_ids if key in self._records else ()\n"
        '        return "" if key is None else next(iter(assets), key.content)\n',
        test=_PROOF,
    ),
    Mutant(
        name="take the record of another parent's child",
        path="planning/chain_matching.py",
        old="return Counter(map(_tie, bound_to)) == Counter(map(_tie, own))",
        new="return Counter(map(_tie, bound_to)) != Counter()",
        test=f"{_MATCHING}::test_a_child_follows_the_record_of_its_parent_and_not_the_best_one",
    ),
    Mutant(
        name="let one of equal jobs take what hangs on the other",
        path="planning/chain_matching.py",
        old="        return -same, bought.total() - same\n",
        new="        return 0, 0 * same\n",
        test=_PROOF,
    ),
    Mutant(
        name="let a child go when the first of its parents has ended",
        path="engine/handover.py",
        old="        if any(one.is_waited_for for one in given.values()):\n",
        new="        if all(one.is_waited_for for one in given.values()):\n",
        test=_PROOF,
    ),
    Mutant(
        name="bind another asset to a body that may have been paid for",
        path="notes.py",
        old="        if record.state is not State.PLANNED or record.body is None or record.absences:\n",
        new="        if record.state is not State.PLANNED or record.body is None:\n",
        test=_PROOF,
    ),
    Mutant(
        name="look for no child before buying it",
        path="engine/dispatch.py",
        old="        if self._look.was_taken:\n            self._look.again(entry)\n        else:\n"
        "            self._waiting.append(entry)\n",
        new="        self._waiting.append(entry)\n",
        test=f"{_CHAINS}::test_a_lost_journal_finds_whole_chains_again_and_asks_nobody",
    ),
    Mutant(
        name="submit one asset in other words while it is in doubt",
        path="engine/aside.py",
        old='        body = self._body_of(entry) if fed else ""\n',
        new='        body = "" if fed else ""\n',
        test=f"{_CHAINS}::test_one_asset_in_different_words_is_not_submitted_while_it_is_in_doubt",
    ),
    Mutant(
        name="tell no child that its parent has ended",
        path="engine/router.py",
        old="        self._to.dispatcher.parent_moved(entry)\n        self._to.harvest",
        new="        self._to.harvest",
        test=_PROOF,
    ),
    Mutant(
        name="let new chains begin before steps that are ready",
        path="engine/waiting.py",
        old="_Queue(not self.goes_on(entry), entry.job.model)",
        new="_Queue(self.goes_on(entry), entry.job.model)",
        test=_PROOF,
    ),
    Mutant(
        name="count what a parent blocks among what is to be bought",
        path="planning/plan.py",
        old=" and not self.is_blocked(place)\n",
        new=" and place >= 0\n",
        test="tests/planning/test_chains.py",
    ),
    Mutant(
        name="keep children blocked whose parent is tried again",
        path="planning/lanes.py",
        old="        elif record.state in _BAD and not entry.retry:\n",
        new="        elif record.state in _BAD:\n",
        test="tests/planning/test_lanes.py",
    ),
    Mutant(
        name="buy again what is fed by a job that keeps what was bought",
        path="planning/chain_matching.py",
        old="        self.kept.add(place)\n        self._give(place, old)\n",
        new="        self.kept.add(place)\n        self.matching.keep(old)\n",
        test=f"{_CHAINS}::test_a_chain_keeps_what_was_bought_before_its_beginning_was_edited",
    ),
    Mutant(
        name="hand on what the service has no more",
        path="engine/handover.py",
        old="if self._gone & {*each.assets}), None):\n",
        new="if self._gone & {*each.assets} and not self._gone), None):\n",
        test="tests/engine/test_handover.py",
    ),
    Mutant(
        name="ask no price at the door",
        path="usecases/prices.py",
        old="        return is_child and self.asked(job) is None and self.price(job) is None\n",
        new="        return is_child and self.asked(job) is None and self.price(job) is not None\n",
        test="tests/engine/test_door_prices.py",
    ),
    Mutant(
        name="begin a chain whose end a cap does not hold",
        path="engine/limits/chain_budget.py",
        old="for one, amount in zip(steps, amounts, strict=True) if one.key not in kept}\n",
        new="for one, amount in zip(steps, amounts, strict=True) if one.key in kept}\n",
        test=f"{_MONEY}::test_a_chain_is_begun_only_where_its_end_is_paid_for_too",
    ),
    Mutant(
        name="keep money for a step beside what its body holds",
        path="journal/batch.py",
        old="                self._kept.drop(scope_id, [key])\n",
        new="                self._kept.drop(scope_id, [])\n",
        test="tests/journal/test_contract.py",
    ),
    Mutant(
        name="leave what is kept for later steps at the end of a run",
        path="engine/limits/chain_budget.py",
        old="        self._journal.release(tuple(self._journal.reservations()))\n",
        new="        self._journal.release(())\n",
        test=_MONEY,
    ),
    Mutant(
        name="keep money behind a parent that failed",
        path="engine/limits/chain_budget.py",
        old="                ahead += [one for one in children if not is_paid(self._record(one))]\n"
        "        self._journal.release(gone)\n",
        new="                ahead += [one for one in children if not is_paid(self._record(one))]\n",
        test=_MONEY,
    ),
    Mutant(
        name="let the eldest chain wait for what is kept for younger ones",
        path="engine/limits/chain_budget.py",
        old="        if not self.is_later_step(entry):\n            return False\n",
        new="        if self._places:\n            return False\n",
        test=f"{_MONEY}::test_fifty_chains_that_are_each_dearer_by_one_do_not_stop_all",
    ),
    Mutant(
        name="keep nothing anew for chains that have begun",
        path="engine/limits/chain_budget.py",
        old="        for place in eldest_first(self._lineage, self._record) if self._keeps else ():\n",
        new="        for place in ():\n",
        test=f"{_MONEY}::test_chains_that_have_begun_come_before_new_ones_in_the_next_run",
    ),
    Mutant(
        name="keep money twice for a step of two chains",
        path="journal/reservations.py",
        old="        self._count(scope_id, ((one.at, in_units(one.amount)) for one in made.values()))\n",
        new="        self._count(scope_id, ((one.at, in_units(one.amount)) for one in wanted.values()))\n",
        test="tests/journal/test_contract.py::test_a_step_of_two_parents_is_kept_once",
    ),
    Mutant(
        name="buy a parent though another parent of its child cannot be bought",
        path="planning/chain_order.py",
        old="        return self.beside + self.behind\n",
        new="        return self.behind\n",
        test=f"{_MONEY}::test_a_parent_is_not_bought_where_another_parent_of_its_child_cannot_be",
    ),
    Mutant(
        name="take anybody's row with our asset for a child's",
        path="reconcile/fed.py",
        old="whose.is_free and not whose.is_other_work and row.author in authors",
        new="not whose.is_other_work and bool(authors)",
        test=f"{_CHAINS}::test_a_row_of_somebody_else_with_our_asset_is_no_childs",
    ),
    Mutant(
        name="hold a child after a lost journal although its input tells whose it is",
        path="reconcile/preflight.py",
        old="self._by_parents(entries_alike) or self._hold(entries_alike)",
        new="self._hold(entries_alike)",
        test=f"{_CHAINS}::test_a_lost_journal_finds_whole_chains_again_and_asks_nobody",
    ),
    Mutant(
        name="keep nothing again for a step that is shown absent after a kill",
        path="engine/limits/chain_budget.py",
        old="        if entry.key not in self._sent and not (self._runs and entry.record.absences):\n",
        new="        if entry.key not in self._sent:\n",
        test=f"{_UNDER_A_CAP}::test_a_step_that_is_shown_absent_after_a_kill_has_its_money_kept_again",
    ),
    Mutant(
        name="let an elder chain give way before the youngest",
        path="engine/limits/chain_budget.py",
        old="if one > mine), reverse=True):",
        new="if one > mine)):",
        test=f"{_MONEY}::test_what_is_kept_for_the_youngest_chain_gives_way_first",
    ),
    Mutant(
        name="go on keeping money for a chain whose first body bought nothing",
        path="engine/limits/chain_budget.py",
        old="        self._journal.release([one for one in steps if one in kept and",
        new="        self._journal.release([one for one in steps if one not in kept and",
        test=f"{_MONEY}::test_a_first_job_whose_body_bought_nothing_gives_back_what_it_kept",
    ),
    Mutant(
        name="begin a chain of which a later step is above the cap for one job",
        path="engine/limits/chain_budget.py",
        old="            self._refuse_waste(entry, place)\n",
        new="            pass\n",
        test=_MONEY,
    ),
    Mutant(
        name="hold no cap against an intent and what it keeps",
        path="journal/batch.py",
        old="                if change.allowed is not None:\n",
        new="                if change.allowed is not None and not made:\n",
        test="tests/journal/test_contract.py",
    ),
)
