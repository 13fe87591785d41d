"""Faults of jobs that were made again, when their journal is lost: what is found, and whose. Data."""

from tests.proof.planted import Mutant

_LOST = "tests/usecases/test_lost_editions.py"

OF_EDITIONS = (
    Mutant(
        name="look for no edition after the first, once the journal is lost",
        path="reconcile/unowned_editions.py",
        old="        while ordinal <= last + BEYOND:\n",
        new="        while ordinal <= last:\n",
        test=f"{_LOST}::test_from_the_listing_alone_the_highest_edition_is_the_jobs_own",
    ),
    Mutant(
        name="buy a job again of which only a later edition is listed",
        path="reconcile/preflight.py",
        old="        if self.editions.has_of(entry):\n            return True\n",
        new="",
        test=f"{_LOST}::test_an_edition_is_there_where_the_first_is_too_old_to_be_listed",
    ),
    Mutant(
        name="buy a child again that was made of another edition of its parent",
        path="reconcile/preflight.py",
        old="        for job in made if len(made) > 1 else ():\n",
        new="        for job in ():\n",
        test=f"{_LOST}::test_a_child_is_found_again_whichever_edition_of_its_parent_went_in",
    ),
    Mutant(
        name="make the newest a job's own that was restored to an earlier one, once the journal is lost",
        path="reconcile/saved_editions.py",
        old="    if own in there and own != last and (wanted or not record.editions):\n",
        new="    if own in there and own != last and not wanted:\n",
        test=f"{_LOST}::test_one_that_was_restored_is_the_jobs_own_again_and_not_the_newest",
    ),
    Mutant(
        name="tell no job of an edition that was adopted before a kill",
        path="usecases/run.py",
        old="    named = with_all_told(named)\n",
        new="",
        test=f"{_LOST}::test_what_was_adopted_before_a_kill_and_told_to_no_job_is_told_by_the_next_run",
    ),
    Mutant(
        name="go on with the old plan where the look found editions",
        path="usecases/run.py",
        old="    while edits.made or outcome.anew:\n",
        new="    while edits.made:\n",
        test=f"{_LOST}::test_from_the_listing_alone_the_highest_edition_is_the_jobs_own",
    ),
    Mutant(
        name="ask for a body again that may be paid for with another seed",
        path="reconcile/recall.py",
        old="one.role is Role.REDO and one.in_doubt and naming.derives_seed(one, job)",
        new="False",
        test=f"{_LOST}::test_what_may_be_paid_for_with_a_seed_that_nothing_tells_is_forgotten_and_said",
    ),
    Mutant(
        name="take the rows of a child that was made again for a job in doubt",
        path="reconcile/preflight.py",
        old="        jobs += self.editions.anew(entries, [job for _, job in more])\n",
        new="        rows = rows[: len(jobs)]\n",
        test=f"{_LOST}::test_a_child_that_was_made_again_is_known_by_what_went_in_and_nobody_is_asked",
    ),
)
