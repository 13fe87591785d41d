"""The faults that are planted: each a textual patch and the test that must fail with it. Data, no code.

They go by the rules that they break: identity, submitting, doubt, watching, lost journals.
"""

from dataclasses import dataclass

PROOF = "tests/proof/test_proof.py::test_whatever_happens_nothing_is_paid_twice_and_nothing_paid_is_lost"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One fault.

    Attributes:
        path: below the package.
        old, new: the patch; ``old`` stands there once.
        test: what must fail with it.
    """

    name: str
    path: str
    old: str
    new: str
    test: str = PROOF


MUTANTS = (
    Mutant(
        name="retry the POST when its reply is lost",
        path="scenario/client.py",
        old='            raise AmbiguousError(f"the reply was lost: {exc}") from exc\n'
        "        try:\n            receipt = submit_verdict",
        new="            return await self.submit(model, body)\n"
        "        try:\n            receipt = submit_verdict",
    ),
    Mutant(
        name="record the intent after the POST",
        path="engine/submit.py",
        old="        try:\n            entry, intent = self._begun(entry)\n"
        "        except (OverBudgetError, NoRoomError) as lack:\n"
        "            return Submitted(entry, left=False, lack=lack)\n"
        "        if why := await self._held_back(entry, intent, turn, refusal):\n"
        "            return Submitted(self._unpaid(entry, intent, self._not_sent(intent, why)), left=False)\n"
        "        left = loop_time()\n        try:\n"
        "            receipt = await self._generator.submit(entry.job.model, intent.body,"
        " may_leave=self._leads)\n",
        new="        intent = self._intent(entry)\n"
        "        left = loop_time()\n        try:\n            try:\n"
        "                receipt = await self._generator.submit(entry.job.model, intent.body)\n"
        "            finally:\n                entry = self._ledger.record(entry, intent)\n",
    ),
    Mutant(
        name="rebuild the body on a resubmission",
        path="engine/submit.py",
        old="        if entry.record.body is not None:\n            return entry.record.body\n",
        new="",
        test="tests/proof/test_rules.py",
    ),
    Mutant(
        name="adopt without looking at ownership",
        path="reconcile/ownership.py",
        old="        return self.holder is None and self.owner is not Owner.OTHERS\n",
        new="        return self.owner is not Owner.OTHERS\n",
    ),
    Mutant(
        name="record the receipt after an await",
        path="engine/submit.py",
        old="        entry = self._received(entry, intent, receipt)\n",
        new="        import asyncio\n\n        await asyncio.sleep(0)\n"
        "        entry = self._received(entry, intent, receipt)\n",
    ),
    Mutant(
        name="call it absent without a witness",
        path="reconcile/absence.py",
        old="    if not (shown and witness):\n",
        new="    if not shown:\n",
        test="tests/reconcile/test_reconciler.py::test_without_a_control_nothing_is_called_absent",
    ),
    Mutant(
        name="call it absent after one listing",
        path="reconcile/absence.py",
        old="    return early and late >= settled\n",
        new="    return late >= settled or early\n",
        test="tests/reconcile/test_absence.py::test_anything_less_shows_nothing",
    ),
    Mutant(
        name="call it absent before the settling time",
        path="reconcile/absence.py",
        old="    return early and late >= settled\n",
        new="    return early\n",
        test="tests/reconcile/test_absence.py::test_anything_less_shows_nothing",
    ),
    Mutant(
        name="call it absent beside a near-match",
        path="reconcile/reconciler.py",
        old="            elif likeness is not Likeness.OTHER:\n",
        new="            elif likeness is Likeness.UNREAD:\n",
        test="tests/reconcile/test_reconciler.py::"
        "test_a_row_without_inputs_proves_nothing_and_the_job_waits_for_a_person",
    ),
    Mutant(
        name="call it absent by a listing that broke off",
        path="reconcile/reconciler.py",
        old="        covered = view.listing.complete and view.listing.reach <= window.low\n",
        new="        covered = view.listing.reach <= window.low\n",
        test="tests/proof/test_rules.py",
    ),
    Mutant(
        name="treat 404 as failed",
        path="engine/watch/watcher.py",
        old="        except ServiceError as error:  # whatever",
        new="        except __import__('batchgen.errors').errors.NotFoundError:\n"
        "            from batchgen.lifecycle import Failed\n"
        "            self._list.remove(row)\n"
        "            failed = Failed(at=self._ledger.now())\n"
        "            self._moves.route(self._ledger.record(row.entry, failed))\n"
        "        except ServiceError as error:  # whatever",
    ),
    Mutant(
        name="adopt another author's row",
        path="reconcile/ownership.py",
        old="    if author in known.ours:\n",
        new="    if author:\n",
    ),
    Mutant(
        name="take rows by a person for nobody's of ours, whoever we are",
        path="reconcile/ownership.py",
        old="    by_author = owner_by_author(row.author, known)\n",
        new='    by_author = owner_by_author(row.author.replace("user_", "apiu_else_"), known)\n',
        test="tests/proof/test_proof.py::test_the_jobs_of_a_persons_key_are_found_again",
    ),
    Mutant(
        name="ignore the difference of the clocks",
        path="reconcile/matching.py",
        old="            self.intent_at + min(skew, *then) - BEFORE,\n"
        "            max(self.intent_at, self.lost_at) + max(skew, *then) + AFTER,\n",
        new="            self.intent_at - BEFORE,\n            max(self.intent_at, self.lost_at) + AFTER,\n",
        test="tests/reconcile/test_matching.py",
    ),
    Mutant(
        name="adopt while an equal job waits for its answer",
        path="reconcile/reconciler.py",
        old="        if any(one.state is State.SUBMITTING"
        " and one.body == case.doubt.body.text for one in peers)",
        new="        if not isinstance(peers, list)",
        test="tests/proof/test_rules.py",
    ),
    Mutant(
        name="submit what equals a job in doubt",
        path="engine/aside.py",
        old="in bodies\n",
        new="in ()\n",
        test="tests/proof/test_proof.py::test_whatever_happens_nothing_is_paid_twice_and_nothing_paid_is_lost",
    ),
    Mutant(
        name="forget at the start that a POST may have left",
        path="engine/router.py",
        old="                cut = AnswerLost(at=self._ledger.now(), "
        'reason="the run was cut off during the submit")\n',
        new="                from batchgen.lifecycle import NotSent\n"
        '                cut = NotSent(at=self._ledger.now(), reason="")\n',
    ),
    Mutant(
        name="do not sync the receipt",
        path="events.py",
        old="    DURABLE: ClassVar[bool] = True\n    BY_ROW",
        new="    DURABLE: ClassVar[bool] = False\n    BY_ROW",
    ),
    Mutant(
        name="do not sync the intent",
        path="events.py",
        old="    DURABLE: ClassVar[bool] = True\n\n    job: Job\n",
        new="    DURABLE: ClassVar[bool] = False\n\n    job: Job\n",
    ),
    Mutant(
        name="number equal jobs instead of matching them",
        path="planning/matching.py",
        old="(_STANDING[records[key].state], key.ordinal)",
        new="key.ordinal",
        test="tests/planning/test_matching.py",
    ),
    Mutant(
        name="buy what the manifest no longer names",
        path="engine/router.py",
        old="        if entry.key in self._wanted:\n",
        new="        if entry is not None:\n",
        test="tests/engine/test_runs.py::test_a_removed_job_is_carried_to_its_end_and_never_bought",
    ),
    Mutant(
        name="ignore the breaker",
        path="engine/limits/flow.py",
        old="TRIPS_AT = 3 ",
        new="TRIPS_AT = 1_000_000 ",
        test="tests/reconcile/test_reconciler.py::"
        "test_a_service_that_answers_nothing_but_errors_puts_few_jobs_in_doubt",
    ),
    Mutant(
        name="ignore the ceiling",
        path="engine/limits/ceiling.py",
        old="        if self.limit is not None and in_flight >= self.limit:\n            return False\n",
        new="",
        test="tests/engine/test_ceiling.py",
    ),
    Mutant(
        name="take a 408 for a refusal",
        path="scenario/verdicts.py",
        old="        HTTPStatus.UNPROCESSABLE_ENTITY,\n",
        new="        HTTPStatus.UNPROCESSABLE_ENTITY,\n        HTTPStatus.REQUEST_TIMEOUT,\n",
    ),
    Mutant(
        name="take another project's records for ours",
        path="journal/scopes.py",
        old="    return scope.origin, scope.project, scope.batch, scope.slot\n",
        new='    return scope.origin, "", scope.batch, scope.slot\n',
        test="tests/proof/test_rules.py",
    ),
    Mutant(
        name="put the job's id into its key",
        path="identity.py",
        old='    asked = {"model": job.model, ',
        new='    asked = {"id": job.id, "model": job.model, ',
        test="tests/core/test_identity.py::test_only_model_prompt_and_params_are_in_the_key",
    ),
    Mutant(
        name="run again what is done under another name",
        path="usecases/naming.py",
        old="            if not one.stops_a_run:\n",
        new="            if one.batch:\n",
        test="tests/cli/test_recover.py::test_a_renamed_batch_is_not_bought_again_unless_it_is_asked_for",
    ),
    Mutant(
        name="give equal jobs one seed",
        path="identity.py",
        old="str(key.ordinal), str(attempt)",
        new="str(attempt)",
        test="tests/core/test_identity.py::"
        "test_a_derived_seed_is_stable_and_differs_by_batch_slot_equal_and_attempt",
    ),
    Mutant(
        name="try again with the seed that failed",
        path="identity.py",
        old="str(key.ordinal), str(attempt)",
        new="str(key.ordinal)",
        test="tests/core/test_identity.py::"
        "test_a_derived_seed_is_stable_and_differs_by_batch_slot_equal_and_attempt",
    ),
    Mutant(
        name="follow a redirect with the POST",
        path="scenario/http.py",
        old="            allow_redirects=False,\n",
        new="            allow_redirects=True,\n",
        test="tests/scenario/test_http.py::test_no_redirect_is_followed_and_no_credentials_cross",
    ),
    Mutant(
        name="take a lost reply for a POST that never left",
        path="scenario/http.py",
        old="_refused(body) or LostAnswerError(self._said(exc))\n",
        new="NotSentError(self._said(exc))\n",
        test="tests/scenario/test_http.py::"
        "test_an_answer_that_is_cut_leaves_the_purchase_in_doubt_and_is_bought_once",
    ),
    Mutant(
        name="take a no that names a job for a no",
        path="scenario/verdicts.py",
        old="    if _purchase(answer) is not None:\n",
        new="    if not answer:\n",
        test="tests/scenario/test_verdicts.py::test_a_no_that_carries_a_job_id_leaves_the_purchase_in_doubt",
    ),
    Mutant(
        name="submit side by side after a breakdown",
        path="engine/limits/flow.py",
        old="return self._ambiguous < TRIPS_AT or not (self._unanswered or not self._service_answers)",
        new="return True",
        test="tests/proof/test_rules.py",
    ),
    Mutant(
        name="keep quiet of what was paid and cannot be recorded",
        path="engine/submit.py",
        old='f"paid for but not recorded: {receipt.job.remote_id} {entry.job.id}"',
        new='f"paid for but not recorded: {entry.job.id}"',
        test="tests/engine/test_runs.py::test_a_journal_that_breaks_stops_the_run_and_shows_what_was_paid",
    ),
    Mutant(
        name="cut submits off when the run is cancelled",
        path="engine/runner.py",
        old="                self.leave()\n                await dispatcher.finish()\n",
        new="                self.leave()\n",
        test="tests/engine/test_accidents.py::test_a_run_that_is_cancelled_lets_submits_finish_for_a_moment",
    ),
    Mutant(
        name="look for late arrivals no further than the loss",
        path="reconcile/matching.py",
        old="AFTER = 900.0 ",
        new="AFTER = 1.0 ",
        test="tests/proof/test_rules.py",
    ),
    Mutant(
        name="take the beginning of a prompt for all of it",
        path="reconcile/matching.py",
        old="if text.whole else same_seed and prompt",
        new="if text.whole else prompt",
        test="tests/reconcile/test_matching.py::"
        "test_a_prompt_that_became_an_asset_is_read_and_a_cut_one_needs_an_equal_seed",
    ),
    Mutant(
        name="call it absent though that was wrong before",
        path="reconcile/absence.py",
        old="    if not found.trusted:\n",
        new="    if not found:\n",
        test="tests/proof/test_rules.py",
    ),
    Mutant(
        name="call it absent without end",
        path="reconcile/absence.py",
        old="MOST_ABSENCES = 2 ",
        new="MOST_ABSENCES = 1_000 ",
        test="tests/reconcile/test_reconciler.py::test_what_is_shown_absent_for_the_third_time_is_held",
    ),
    Mutant(
        name="call it absent as if listings had not lagged",
        path="reconcile/absence.py",
        old="        return max(self.settle, 3 * lag)\n",
        new="        return self.settle\n",
        test="tests/reconcile/test_absence.py",
    ),
    Mutant(
        name="date what a listing misses by the run that found it",
        path="reconcile/listing_lag.py",
        old="left_at = record.intent_at + record.skew if dated",
        new="left_at = paid.at + record.skew if dated",
        test="tests/reconcile/test_listing_lag.py",
    ),
    Mutant(
        name="name nobody who turned up",
        path="reconcile/reconciler.py",
        old="        self._search.late_arrivals.notice(candidates)\n",
        new="",
        test="tests/proof/test_rules.py",
    ),
    Mutant(
        name="take a word that nobody knows for an end",
        path="scenario/wire.py",
        old="STATUSES.get(word.lower(), RemoteStatus.RUNNING)",
        new="STATUSES.get(word.lower(), RemoteStatus.FAILED)",
        test="tests/engine/test_runs.py::test_a_word_nobody_knows_counts_as_running",
    ),
    Mutant(
        name="end what outlasts the timeout",
        path="engine/watch/watcher.py",
        old="            self._board.out_of_sight(row.entry.key)  # the next run watches it\n"
        "            self._moves.close(row.entry)\n",
        new="            from batchgen.lifecycle import Failed\n"
        "            failed = Failed(at=self._ledger.now())\n"
        "            self._moves.route(self._ledger.record(row.entry, failed))\n",
        test="tests/engine/test_runs.py::"
        "test_what_outlasts_the_timeout_is_left_out_of_sight_and_watched_by_the_next_run",
    ),
    Mutant(
        name="buy what was accepted",
        path="planning/make_plan.py",
        old="        if old in free and key not in records:\n",
        new="        if old in free and key in records:\n",
        test="tests/planning/test_acceptance.py",
    ),
    Mutant(
        name="let one record serve two jobs",
        path="planning/make_plan.py",
        old="            free.discard(old)\n",
        new="",
        test="tests/planning/test_acceptance.py",
    ),
    Mutant(
        name="leave to sweeps what they do not show",
        path="engine/watch/sweeper.py",
        old="        if row.missing > 1:\n",
        new="        if row.missing > 10**6:\n",
        test="tests/engine/test_watching.py",
    ),
    Mutant(
        name="believe a listing that lags",
        path="engine/watch/listing_trust.py",
        old="        return sum(self._ends) > MOST_OVERLOOKED\n",
        new="        return sum(self._ends) > REMEMBERED\n",
        test="tests/engine/test_watching.py",
    ),
    Mutant(
        name="take a success without assets as it is shown",
        path="engine/watch/sweeper.py",
        old="        if remote.status is RemoteStatus.SUCCEEDED and not unheard:\n",
        new="        if remote.status is RemoteStatus.SUCCEEDED and remote.asset_ids:\n",
        test="tests/engine/test_watching.py",
    ),
    Mutant(
        name="go on after a sweep that was cut off as if it had been whole",
        path="engine/watch/sweep.py",
        old="                return Sweep(way=way, rows=rows, count=count, error=error)\n",
        new="                self._move(newest, lag)\n"
        "                return Sweep(way=way, rows=rows, count=count, error=error)\n",
        test="tests/engine/test_sweep.py",
    ),
    Mutant(
        name="never hold a sweep to its word",
        path="engine/watch/sweeper.py",
        old="        if self._checked or (not self._trust.young and self._count % _CHECKED):\n",
        new="        if self._count:\n",
        test="tests/engine/test_watching.py",
    ),
    Mutant(
        name="try again what moderation stopped",
        path="engine/router.py",
        old="and not record.moderated and self._board.submitting\n",
        new="and self._board.submitting\n",
        test="tests/reconcile/test_reconciler.py::test_what_moderation_stopped_is_not_tried_again",
    ),
    Mutant(
        name="buy without a look at what is there",
        path="engine/first_look.py",
        old="        if self._waiting and self._preflight is None and not self._is_blind:\n",
        new="        if self._unsure and self._preflight is None:\n",
        test="tests/reconcile/test_preflight.py",
    ),
    Mutant(
        name="adopt what only looks the same",
        path="reconcile/preflight.py",
        old="*self._history.hold(self._now(entry), matches)",
        new='*self._history.adoption(self._now(entry), matches[0], by="prompt")',
        test="tests/reconcile/test_preflight.py",
    ),
    Mutant(
        name="take a colleague's rows for what we bought",
        path="reconcile/preflight.py",
        old="an answer may have told who we are\n        self._candidates.refresh()\n",
        new="an answer may have told who we are\n",
        test="tests/reconcile/test_preflight.py",
    ),
    Mutant(
        name="run on without the lost journal",
        path="usecases/guards.py",
        old="        if told is None or not submitted or (known and told.slot != slot):\n",
        new="        if options:\n",
        test="tests/cli/test_recover.py::"
        "test_a_lost_journal_stops_a_run_and_is_rebuilt_and_nothing_is_bought_again",
    ),
    Mutant(
        name="go on in a journal that was taken away",
        path="journal/batch.py",
        old="            self.check_place()\n",
        new="            place_of(self._path)\n",
        test="tests/journal/test_file.py::test_a_journal_that_is_removed_under_a_run_takes_no_intent",
    ),
    Mutant(
        name="go on with the first fresh slot",
        path="planning/slots.py",
        old="for one in reversed(known) if",
        new="for one in known if",
        test="tests/planning/test_slots.py::test_the_last_fresh_slot_counts_and_those_of_other_days_do_not",
    ),
    Mutant(
        name="check a cap before the transaction that reserves under it",
        path="journal/batch.py",
        old="                    self._totals.check(scope_id, change.allowed, what)\n",
        new="                    pass\n",
        test="tests/journal/test_contract.py",
    ),
    Mutant(
        name="count only what was charged against a cap",
        path="planning/budget.py",
        old="    return total + Committed(gross=open_now, reserved=open_now)\n",
        new="    return total\n",
        test="tests/engine/test_budget.py",
    ),
    Mutant(
        name="buy what has no price under a cap",
        path="engine/limits/budget.py",
        old="        if price is None and self._budget.is_set:\n            price = self._budget.estimate\n"
        "            if price is None:\n",
        new="        if price is None and self._budget.is_set:\n            price = self._budget.estimate\n"
        "            if False:\n",
        test="tests/engine/test_budget.py",
    ),
    Mutant(
        name="hand the credentials to the session, and so to a proxy",
        path="scenario/http.py",
        old="cookie_jar=aiohttp.DummyCookieJar()",
        new="cookie_jar=aiohttp.DummyCookieJar(),"
        ' headers={"Authorization": f"Basic {self._credentials.token}"}',
        test="tests/core/test_proxy.py",
    ),
    Mutant(
        name="let a file go straight to its host though only ALL_PROXY leads there",
        path="proxy.py",
        old='{"https": "HTTPS_PROXY", "all": "ALL_PROXY"}',
        new='{"https": "HTTPS_PROXY"}',
        test="tests/core/test_proxy.py",
    ),
)
