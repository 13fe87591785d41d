"""Faults of the turns that the runs of an account share. Data, no code."""

from tests.proof.planted import Mutant

_ORDERS = "tests/usecases/test_control_server.py"
_RULE = "tests/journal/test_pacing.py"
_SHARED = "tests/engine/test_shared_pace.py"

OF_PACE = (
    Mutant(
        name="let each run have the whole rate by itself",
        path="control/server.py",
        old="        self._gate.share(self._records.pace(self._run.scope, now=self._clock.now))\n",
        new="",
        test=f"{_ORDERS}::test_the_rate_is_shared_with_a_run_that_comes_and_whole_when_it_goes",
    ),
    Mutant(
        name="take turns with others when the run has ended",
        path="control/server.py",
        old="        self._gate.share(OwnPace())\n",
        new="",
        test=f"{_ORDERS}::test_a_run_that_has_ended_takes_turns_with_nobody",
    ),
    Mutant(
        name="keep to oneself what the service asks to wait",
        path="engine/limits/flow.py",
        old="            self._gate.hold(error.retry_after)\n",
        new="            self._gate.pause(Lane.SUBMIT, error.retry_after)\n",
        test="tests/engine/test_flow.py",
    ),
    Mutant(
        name="tell nobody what the service asks to wait",
        path="engine/limits/gate.py",
        old="        self._pace.hold(seconds)\n",
        new="",
        test=f"{_SHARED}::test_what_the_service_asks_one_run_to_wait_all_runs_wait_and_looks_go_on",
    ),
    Mutant(
        name="forget a hold that the journal did not take",
        path="journal/turns.py",
        old="        if found is not None:\n            self._unsaid_until = 0.0\n",
        new="        self._unsaid_until = 0.0\n        if found is not None:\n",
        test=f"{_SHARED}::test_a_hold_that_a_busy_file_did_not_take_is_said_with_the_next_turn",
    ),
    Mutant(
        name="do not ask again before a submit that has waited for its turn",
        path="engine/limits/gate.py",
        old="            self._hear(pace.held())\n        return True\n",
        new="            pass\n        return True\n",
        test=f"{_SHARED}::test_a_submit_that_waits_for_its_turn_hears_of_it_too",
    ),
    Mutant(
        name="save turns up that nobody has used",
        path="journal/pacing.py",
        old="else max(now, row.last_turn + gap)\n",
        new="else row.last_turn + gap if row.last_turn else now\n",
        test=_RULE,
    ),
    Mutant(
        name="save turns up that were taken together",
        path="journal/turns.py",
        old="(self._next < now - _DUST or self._interval != interval)",
        new="self._interval != interval",
        test=f"{_SHARED}::test_what_is_not_used_is_not_saved_up",
    ),
    Mutant(
        name="use a turn long after it came",
        path="engine/limits/gate.py",
        old=" or loop_time() - due > MOMENT:",
        new=":",
        test=f"{_SHARED}::test_a_run_that_stood_still_uses_no_turn_that_others_have_had_since",
    ),
    Mutant(
        name="submit without a turn while the journal is busy",
        path="engine/limits/gate.py",
        old="                return frozenset(Lane) - {Lane.SUBMIT}\n",
        new="                return frozenset(Lane)\n",
        test=f"{_SHARED}::test_a_busy_file_holds_submits_and_looks_go_on_at_the_runs_own_pace",
    ),
    Mutant(
        name="hold a quick run back by the interval of a slow one",
        path="journal/pacing.py",
        old="    gap, gap_until = (row.gap, row.gap_until) if slower else (interval, 0.0)\n",
        new="    gap, gap_until = max(row.gap, interval), row.gap_until * slower\n",
        test=_RULE,
    ),
    Mutant(
        name="give a turn however far ahead",
        path="journal/pacing.py",
        old="    if first > now + HORIZON:\n",
        new="    if first > now + 1000 * HORIZON:\n",
        test=_RULE,
    ),
)
