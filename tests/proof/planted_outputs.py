"""Faults in what is fetched of the outputs of a job, each held against the test that must fail with it."""

from tests.proof.planted import Mutant

_ENGINE = "tests/engine/test_outputs.py::"
_PROOF = "tests/proof/test_outputs.py"
_YIELDS = "tests/planning/test_yields.py::"

OF_OUTPUTS = (
    Mutant(
        name="believe a listing on how much came out",
        path="engine/watch/sweeper.py",
        old="        if remote.status is RemoteStatus.SUCCEEDED and not unheard:\n",
        new="        if remote.status is RemoteStatus.SUCCEEDED and not remote.asset_ids:\n",
        test=f"{_ENGINE}test_a_material_has_an_output_a_map_and_a_row_with_fewer_is_not_believed",
    ),
    Mutant(
        name="take the first three of a kind from a listing",
        path="planning/yields.py",
        old="            return Worth.LITTLE if count < kind.asked else Worth.UNKNOWN\n",
        new="            return Worth.LITTLE if count < kind.asked else Worth.FINAL\n",
        test=f"{_ENGINE}test_a_material_has_an_output_a_map_and_a_row_with_fewer_is_not_believed",
    ),
    Mutant(
        name="adopt a success with what its row shows",
        path="interpret.py",
        old="    return None if isinstance(end, Succeeded) else end\n",
        new="    return end\n",
        test=f"{_ENGINE}test_a_job_that_is_found_again_by_its_row_has_all_that_came_out",
    ),
    Mutant(
        name="ask a short one once and no more",
        path="engine/gleaning.py",
        old="                again = None if due >= WAITED else min(WAITED, 2 * due)\n",
        new="                again = None\n",
        test=f"{_ENGINE}test_assets_that_come_seconds_after_the_success_are_fetched_and_listed_"
        "in_the_services_order",
    ),
    Mutant(
        name="ask a short one for ever",
        path="engine/gleaning.py",
        old="                again = None if due >= WAITED else min(WAITED, 2 * due)\n",
        new="                again = due + WAITED\n",
        test=f"{_ENGINE}test_a_run_waits_two_minutes_for_what_is_missing_and_no_longer",
    ),
    Mutant(
        name="leave short ones to nobody once their run is over",
        path="engine/gleaning.py",
        old="        if entry.key in self._given_up or not is_young(entry.record, now=self._ledger.now()):\n",
        new="        if entry.key in self._given_up or self._age(entry) >= WAITED:\n",
        test="tests/engine/test_together.py",
    ),
    Mutant(
        name="ask short ones of any age",
        path="planning/yields.py",
        old="    return record.ended_at is not None and now - record.ended_at < YOUNG\n",
        new="    return record.ended_at is not None\n",
        test=f"{_ENGINE}test_a_day_after_its_end_a_short_one_is_left_to_the_audit",
    ),
    Mutant(
        name="record what came later and do not fetch it",
        path="notes.py",
        old="        to_fetch = (*record.grown, *new) if record.state is State.COLLECTED else ()\n",
        new="        to_fetch = ()\n",
        test=_PROOF,
    ),
    Mutant(
        name="forget in a later run that files of what came later are missing",
        path="record.py",
        old="is State.SUCCEEDED or (self.state is State.COLLECTED and bool(self.grown))\n",
        new="is State.SUCCEEDED\n",
        test=_PROOF,
    ),
    Mutant(
        name="put what is shown later before what was there",
        path="notes.py",
        old='        return {"asset_ids": (*record.asset_ids, *new), "grown": to_fetch}\n',
        new='        return {"asset_ids": (*new, *record.asset_ids), "grown": to_fetch}\n',
        test="tests/core/test_lifecycle.py::"
        "test_what_is_shown_later_is_on_record_behind_what_was_there_and_waits_for_its_files",
    ),
    Mutant(
        name="say nothing of a success without assets",
        path="engine/verdict.py",
        old=", *_short(shortage)]\n",
        new="]\n",
        test="tests/proof/test_outputs.py",
    ),
    Mutant(
        name="learn that a model gives nothing",
        path="planning/yields.py",
        old="for one in self.short.values() if one.assets and now - one.at >= WAITED]\n",
        new="for one in self.short.values() if now - one.at >= WAITED]\n",
        test=f"{_YIELDS}test_giving_nothing_is_no_models_way",
    ),
    Mutant(
        name="excuse what has fewer assets than others of its kind",
        path="planning/yields.py",
        old="        return count >= kind.asked or known.most < kind.asked\n",
        new="        return True\n",
        test=f"{_YIELDS}test_where_others_of_its_kind_gave_what_was_asked_for_one_with_fewer_is_never_excused",
    ),
    Mutant(
        name="never learn that a model gives fewer than it is asked for",
        path="planning/yields.py",
        old="        return min(vain) if len(vain) >= KNOWN_AFTER else None\n",
        new="        return None\n",
        test=f"{_ENGINE}test_a_model_that_gives_fewer_than_it_is_asked_for_is_learnt_and_costs_hardly_a_look",
    ),
    Mutant(
        name="let covers lapse while a slow listing is on its way",
        path="engine/watch/sweeper.py",
        old="            row.covered_until = loop_time() + 2 * self._gap + GRACE\n\n    def _believe",
        new="            row.covered_until = begun + 2 * self._gap + GRACE\n\n    def _believe",
        test="tests/engine/test_watching.py::"
        "test_where_the_rate_keeps_slots_free_hardly_any_of_it_goes_into_looks",
    ),
    Mutant(
        name="take a partial answer to a submit for all of it",
        path="engine/submit.py",
        old="            expected=self._yields.expected(entry.record),\n",
        new="            expected=0,\n",
        test=f"{_ENGINE}test_an_answer_to_a_submit_that_is_a_success_with_a_part_of_it_is_not_the_last_word",
    ),
)
