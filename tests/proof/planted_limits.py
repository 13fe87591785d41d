"""Faults of the limits of a run: its time, its drain, and the wait for its batch. Data, no code."""

from tests.proof.planted import Mutant

_LIMITS = "tests/usecases/test_limits.py"

OF_LIMITS = (
    Mutant(
        name="go on buying when the time of the run is over",
        path="api/runs.py",
        old=".call_later(options.max_duration, interrupts.run_out)",
        new=".call_later(options.max_duration, lambda: None)",
        test=f"{_LIMITS}::test_a_run_whose_time_is_over_buys_no_more_collects_and_leaves_the_rest_to_the_next",
    ),
    Mutant(
        name="leave a drain by the clock unbounded",
        path="usecases/run_shown.py",
        old="        if number != ORDERED and self._drain_timeout",
        new="        if number > 0 and self._drain_timeout",
        test=f"{_LIMITS}::test_the_drain_of_a_run_whose_time_is_over_is_bounded_where_a_bound_is_given",
    ),
    Mutant(
        name="take the end of the time for a first signal",
        path="engine/interrupts.py",
        old="        self._out_of_time = True\n",
        new="        self._out_of_time = True\n        self.received.append(15)\n",
        test=f"{_LIMITS}::test_the_first_who_may_kill_next_bounds_the_drain_and_nobody_makes_it_longer",
    ),
    Mutant(
        name="wait for an answer of the account although the run is to end",
        path="usecases/run_with_service.py",
        old="    pools = await unless_interrupted("
        "pools_of(batch, options, client, opened.file), interrupts)\n",
        new="    pools = await pools_of(batch, options, client, opened.file)\n",
        test=f"{_LIMITS}::test_a_run_that_is_stopped_while_it_still_asks_buys_nothing_and_ends_at_once",
    ),
    Mutant(
        name="buy by the manifest read before the wait",
        path="wiring/opening.py",
        old="            manifest = read() if wait.has_waited else manifest\n",
        new="",
        test=f"{_LIMITS}::test_what_is_run_is_the_manifest_as_it_is_when_the_batch_is_free",
    ),
    Mutant(
        name="hold a batch by the name that its manifest had before the wait",
        path="wiring/opening.py",
        old="            if manifest.batch == name:\n",
        new="            if True:\n",
        test=f"{_LIMITS}::test_a_manifest_that_became_another_or_wrong_meanwhile_is_taken_as_it_is",
    ),
    Mutant(
        name="buy after a wait what nobody was shown the price of",
        path="usecases/guards.py",
        old="    if new and not options.redo:",
        new="    if False:",
        test=f"{_LIMITS}::test_who_agreed_to_a_price_buys_nothing_else_after_a_wait",
    ),
    Mutant(
        name="make again what was edited since its price was shown",
        path="usecases/redo.py",
        old="    if shown is not None and not shown",
        new="    if False and not shown",
        test=f"{_LIMITS}::test_a_redo_makes_nothing_again_that_was_edited_while_it_waited",
    ),
    Mutant(
        name="draw every picture of a run that may be killed next",
        path="usecases/run_end.py",
        old="await asyncio.to_thread(write_all, batch.folder, results, enough=enough)",
        new="await asyncio.to_thread(write_all, batch.folder, results)",
        test=f"{_LIMITS}::test_a_run_that_is_left_writes_its_page_without_drawing_and_the_next_one_draws",
    ),
)
