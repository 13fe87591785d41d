"""Faults of what is denied, of ids that are not found and of slots that have ended. Data, no code."""

from tests.proof.planted import Mutant

_DENIALS = "tests/engine/test_denials.py"
_TOGETHER = "tests/engine/test_together.py"
_SLOTS = "tests/cli/test_other_slots.py"
_PROOF = "tests/proof/test_denials.py"

OF_SLOTS = (
    Mutant(
        name="let the refusal of one model stop all",
        path="scenario/verdicts.py",
        old="    if forbidden and names_a_model(answer):\n",
        new="    if forbidden and not answer.body:\n",
        test=_DENIALS,
    ),
    Mutant(
        name="take a scope for a model",
        path="scenario/reasons.py",
        old=r'\bmodel\b(?![.:]\w)"',
        new=r'\bmodels?\b"',
        test="tests/scenario/test_verdicts.py",
    ),
    Mutant(
        name="send on to a model that is closed",
        path="engine/dispatch.py",
        old="        self._waiting.drop(model)\n",
        new="",
        test=_DENIALS,
    ),
    Mutant(
        name="take a closed model for silence",
        path="engine/reach.py",
        old="            self._close(model, error)\n            self._flow.service_answered()\n",
        new="            self.is_silent(error)\n",
        test=_DENIALS,
    ),
    Mutant(
        name="keep quiet of what a closed model leaves",
        path="engine/verdict.py",
        old="        if one.jobs:\n            reasons",
        new="        if not one:\n            reasons",
        test=_DENIALS,
    ),
    Mutant(
        name="let a closed model stop the run before it begins",
        path="usecases/models.py",
        old="to_submit(batch), leave_closed=True)",
        new="to_submit(batch))",
        test="tests/cli/test_denied.py",
    ),
    Mutant(
        name="ask for what is not found as for what does not answer",
        path="engine/watch/watcher.py",
        old="        if isinstance(error, NotFoundError):\n            row.unseen",
        new="        if isinstance(error, NotFoundError) and row.doubted:\n            row.unseen",
        test=_DENIALS,
    ),
    Mutant(
        name="let a sweep wake what is not found",
        path="engine/watch/sweeper.py",
        old="if not one.polled and one.rests_until <= now)",
        new="if not one.polled)",
        test=_DENIALS,
    ),
    Mutant(
        name="begin with every run anew to ask for what is not found",
        path="engine/watch/schedule.py",
        old="max(gap, _UNSEEN_SHARE * waited)",
        new="gap",
        test=_DENIALS,
    ),
    Mutant(
        name="list jobs although it was told not to",
        path="engine/first_look.py",
        old="self._preflight is None and not self._is_blind:",
        new="self._preflight is None:",
        test=_DENIALS,
    ),
    Mutant(
        name="forget the look that was left out",
        path="engine/first_look.py",
        old="            journal.look_began(since)\n",
        new="            since += 0.0\n",
        test=_DENIALS,
    ),
    Mutant(
        name="leave a doubt that no listing can settle",
        path="engine/doubts.py",
        old="        if not self._listings:\n",
        new="        if self._given_up and not self._listings:\n",
        test=_DENIALS,
    ),
    Mutant(
        name="leave what runs because jobs cannot be listed",
        path="engine/router.py",
        old="            self._to.doubts.give_up()  # what is paid for is watched and "
        "collected all the same\n",
        new="            self._board.ended.set()\n",
        test=_DENIALS,
    ),
    Mutant(
        name="keep quiet of the way on without a listing",
        path="engine/verdict.py",
        old="    if ending.unlisted:\n",
        new="    if ending.unlisted and not ending.unreachable:\n",
        test=_DENIALS,
    ),
    Mutant(
        name="forget what other slots have paid for",
        path="usecases/other_slots.py",
        old="        if slot == scope.slot:\n            continue\n",
        new="        if slot:\n            continue\n",
        test=_SLOTS,
    ),
    Mutant(
        name="buy in a slot that has ended",
        path="planning/choosing.py",
        old="entries=tuple(replace(one, wanted=False, retry=False) for one in plan.entries)",
        new="entries=plan.entries",
        test="tests/cli/test_other_slots.py",
    ),
    Mutant(
        name="buy before the doubts of other slots are looked for",
        path="engine/dispatch.py",
        old="        await self._aside.let_others_settle()\n",
        new="        await asyncio.sleep(0)\n",
        test="tests/engine/test_together.py",
    ),
    Mutant(
        name="wait for the doubts of other slots without end",
        path="engine/aside.py",
        old="asyncio.timeout(self._patience)",
        new="asyncio.timeout(None)",
        test="tests/engine/test_together.py",
    ),
    Mutant(
        name="take equal jobs of two slots for one",
        path="engine/limits/flow.py",
        old='return key if self._slot is None else JobKey(f"{self._slot}/{key.content}", key.ordinal)',
        new="return key",
        test=_TOGETHER,
    ),
    Mutant(
        name="end while jobs wait for a doubt of another slot",
        path="engine/aside.py",
        old="        return 0 if all(one.clear for one in self._others) else len(self._jobs)\n",
        new="        return 0\n",
        test="tests/engine/test_together.py",
    ),
    Mutant(
        name="carry other slots on where one has broken",
        path="engine/together.py",
        old="                other.end()\n",
        new="                other.control.pause(paused=False)\n",
        test=_PROOF,
    ),
    Mutant(
        name="end with the same held job of another slot every time",
        path="usecases/other_slots.py",
        old="if key not in self.told or one.state is not State.HELD]",
        new="if key]",
        test=_SLOTS,
    ),
    Mutant(
        name="keep quiet of what another slot has not bought",
        path="usecases/other_slots.py",
        old="        if bought[slot] >= len(opened.batch.manifest.jobs):\n",
        new="        if bought[slot]:\n",
        test=_SLOTS,
    ),
    Mutant(
        name="let a slot of the past take the place of the batch's results",
        path="wiring/batch.py",
        old="    return due != scope and (due.slot in known or known[-1:] != [scope.slot])\n",
        new="    return due == scope\n",
        test=_SLOTS,
    ),
)
