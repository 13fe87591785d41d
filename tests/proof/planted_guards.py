"""Faults of what other names of a batch mean. Data, no code."""

from tests.proof.planted import Mutant

_NAMES = "tests/cli/test_names.py"
_ACCOUNTS = "tests/reconcile/test_accounts.py"
_JOURNAL = "tests/journal/test_names.py"
_PROOF = "tests/proof/test_names.py"

OF_NAMES = (
    Mutant(
        name="take each project for an account of its own",
        path="usecases/naming.py",
        old="            if told is Relation.SAME or is_let:\n",
        new="            if is_let:\n",
        test=_PROOF,
    ),
    Mutant(
        name="go on where the service does not say whose account it is",
        path="usecases/naming.py",
        old="            elif told is Relation.UNKNOWN and self._may_have(scope, other, wanted):\n",
        new="            elif told is Relation.UNKNOWN and not wanted:\n",
        test=f"{_NAMES}::test_a_project_that_does_not_show_what_was_bought_stops_the_run_before_anything_is_sent",
    ),
    Mutant(
        name="leave under another name what is on its way, if nothing is to be bought",
        path="usecases/naming.py",
        old="_EVER_PAID if wanted else _UNDER_WAY",
        new="_EVER_PAID if wanted else ()",
        test=_PROOF,
    ),
    Mutant(
        name="count only what is done under another name",
        path="usecases/rename_check.py",
        old="self.is_gone and (self.open > 0 or self.jobs >= min(MANY, self.of / 2))",
        new="self.is_gone and 0 < self.jobs >= min(MANY, self.of / 2)",
        test=f"{_NAMES}::test_killed_then_with_its_project_then_renamed_and_nothing_is_bought_twice",
    ),
    Mutant(
        name="ask for much where little is left of a large batch",
        path="usecases/rename_check.py",
        old="min(MANY, self.of / 2)",
        new="self.of",
        test=f"{_NAMES}::test_twenty_jobs_or_half_of_them_done_elsewhere_stop_a_run_and_fewer_are_said",
    ),
    Mutant(
        name="call a manifest gone whose run was killed",
        path="usecases/rename_check.py",
        old="        paths = known or named_by_results",
        new="        paths = named_by_results",
        test=f"{_NAMES}::test_a_manifest_that_lies_there_is_not_gone_because_its_run_was_killed",
    ),
    Mutant(
        name="take a file of another batch for the manifest that lay there",
        path="usecases/rename_check.py",
        old="path.is_file() and read_heading(path, environ=environ).batch == batch",
        new="path.is_file()",
        test=f"{_NAMES}::test_a_file_that_holds_another_batch_now_is_not_the_manifest_that_lay_there",
    ),
    Mutant(
        name="forget a choice between two batches",
        path="usecases/naming.py",
        old="            let.append(one.batch)\n",
        new="            let.extend(())\n",
        test=f"{_NAMES}::test_a_choice_to_buy_once_more_is_remembered",
    ),
    Mutant(
        name="take another address for another service unseen",
        path="scenario/credentials.py",
        old='    return len({is_loopback(host or "") for host in hosts}) == 1\n',
        new="    return False\n",
        test=f"{_NAMES}::test_another_name_of_this_machine_is_the_same_service",
    ),
    Mutant(
        name="take a service that shows a job of that id for the same one",
        path="reconcile/accounts.py",
        old="        if not one_address and not _is_that(row, one):\n            continue\n",
        new="",
        test=_ACCOUNTS,
    ),
    Mutant(
        name="believe that a job of a moment ago is not shown",
        path="reconcile/accounts.py",
        old="        if clock.now() - youngest >= _FRESH:\n",
        new="        if clock.now() >= youngest:\n",
        test=_ACCOUNTS,
    ),
    Mutant(
        name="keep equals of two names under one ordinal",
        path="journal/names.py",
        old="            free[content] = max(free.get(content, 0), last + 1)\n",
        new="            free[content] = max(free.get(content, 0), last + 2)\n",
        test=_JOURNAL,
    ),
    Mutant(
        name="leave the sums of the second name behind",
        path="journal/names.py",
        old="ON CONFLICT (scope, quarter) DO UPDATE SET gross = totals.gross + excluded.gross, ",
        new="ON CONFLICT (scope, quarter) DO UPDATE SET gross = totals.gross, ",
        test=_JOURNAL,
    ),
    Mutant(
        name="let events be changed after names have joined",
        path="journal/file_connection.py",
        old="        yield\n        self.execute(kept)\n",
        new="        yield\n",
        test=_JOURNAL,
    ),
    Mutant(
        name="look for doubts in one project alone",
        path="journal/equals.py",
        old="(project = :project OR owner IN (SELECT name FROM us) OR project IN (SELECT name FROM us))",
        new="project = :project",
        test="tests/journal/test_names.py",
    ),
    Mutant(
        name="run a second manifest of a batch beside the first",
        path="usecases/shared_batch.py",
        old="    if why := stopped_by_another_manifest(options, file, manifest):\n",
        new='    if why := "":\n',
        test="tests/usecases/test_shared_batch.py",
    ),
    Mutant(
        name="take equal manifests with other tables for one",
        path="usecases/shared_batch.py",
        old="        return manifest_of(replace(options, manifest=other)).jobs == manifest.jobs\n",
        new="        return True\n",
        test="tests/usecases/test_shared_batch.py",
    ),
    Mutant(
        name="let one right that is missing stop everything",
        path="scenario/verdicts.py",
        old="            return not (names_a_model(answer) or names_a_project(answer))\n",
        new="            return False\n",
        test="tests/usecases/test_rights.py",
    ),
    Mutant(
        name="buy under a cap although no price may be asked",
        path="engine/asking.py",
        old="            self._denied(self._lacks, self._taken(kind))\n",
        new="            self._told(self._taken(kind))\n",
        test="tests/usecases/test_rights.py",
    ),
)
