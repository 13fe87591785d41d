"""Faults of marks: which asset goes into a child, what waits, what is written. Data, no code."""

from tests.proof.planted import Mutant

_KEPT = "tests/planning/test_kept_parents.py"
_UNDECIDED = "tests/planning/test_undecided.py"
_MARKING = "tests/usecases/test_marking.py"
_JOURNAL = "tests/journal/test_asset_marks.py"

OF_MARKS = (
    Mutant(
        name="buy a child again when the mark that chose its input is taken away",
        path="planning/chain_matching.py",
        old="        old = old or self._bought_of_several(place, self.jobs[place])\n",
        new="",
        test=f"{_KEPT}::test_a_mark_that_is_taken_away_or_not_alone_any_more_leaves_what_was_bought",
    ),
    Mutant(
        name="let the number of a kept asset out of the identity of a child",
        path="planning/chain_matching.py",
        old="self._with_kept(job) if self._marks else job",
        new="job",
        test=f"{_KEPT}::test_the_one_kept_asset_of_several_is_what_goes_in",
    ),
    Mutant(
        name="take the asset of the same number of another edition for the kept one",
        path="planning/chain_matching.py",
        old="            and not self._is_made_again(one.job)\n",
        new="",
        test=f"{_KEPT}::test_a_mark_counts_for_the_edition_whose_asset_it_is_on",
    ),
    Mutant(
        name="take the first of several kept assets",
        path="planning/parent_assets.py",
        old="    return assets.index(kept[0]) if len(kept) == 1 else None\n",
        new="    return assets.index(kept[0]) if kept else None\n",
        test=f"{_KEPT}::test_the_one_kept_asset_of_several_is_what_goes_in",
    ),
    Mutant(
        name="buy what hangs on a job that waits for a mark",
        path="planning/undecided.py",
        old="        for one in (*plan.lineage.children.get(place, ()), *hanging.get(place, ())):\n",
        new="        for one in hanging.get(place, ()):\n",
        test=f"{_UNDECIDED}::test_what_hangs_on_a_job_that_nobody_keeps_waits_with_it",
    ),
    Mutant(
        name="forget what was bought of jobs that wait for a mark",
        path="planning/undecided.py",
        old="        removed=(*plan.removed, *removed),\n",
        new="        removed=plan.removed,\n",
        test=f"{_UNDECIDED}::test_what_hangs_on_a_job_that_nobody_keeps_waits_with_it",
    ),
    Mutant(
        name="write results without looking at the marks anew",
        path="wiring/batch.py",
        old="            marks=self.read_marks(),\n",
        new="            marks=self.marks,\n",
        test=f"{_MARKING}::test_a_run_writes_marks_that_are_made_beside_it_even_where_nothing_else_happens",
    ),
    Mutant(
        name="let marks behind where records join those of another name",
        path="journal/names.py",
        old='("asset_marks", ("asset",)), ',
        new="",
        test=f"{_JOURNAL}::test_marks_go_along_where_records_join_those_of_another_name",
    ),
)
