"""Faults in how files are fetched and kept, each held against the test that must fail with it."""

from tests.proof.planted import Mutant

_DOWNLOADS = "tests/output/test_downloads.py::"
_CHECKS = "tests/output/test_file_checks.py::"
_LATE = "tests/engine/test_late_files.py::"
_MISSING = "tests/output/test_missing_files.py::"
_PROOF = "tests/proof/test_files.py"

OF_FILES = (
    Mutant(
        name="keep what came in a file's place",
        path="output/downloads.py",
        old="        if trouble:\n",
        new="        if trouble and not arrived.size:\n",
        test=f"{_DOWNLOADS}test_what_is_not_its_file_is_never_kept",
    ),
    Mutant(
        name="ask again for a file that does not fit by the same URL",
        path="output/downloads.py",
        old="raise TransferError(trouble, url_spent=True, reason=WhyMissing.UNFIT)",
        new="raise TransferError(trouble, reason=WhyMissing.UNFIT)",
        test=f"{_DOWNLOADS}test_what_is_not_its_file_is_never_kept",
    ),
    Mutant(
        name="take half a file for a whole one",
        path="output/file_checks.py",
        old='    flaw = flaw_of(part, "application/json" if declared == {"json"} else kind.mime)\n',
        new='    flaw = ""\n',
        test=f"{_CHECKS}test_a_part_of_a_file_is_none",
    ),
    Mutant(
        name="take a file of another kind",
        path="output/file_checks.py",
        old="    other = _other_kind(head, kind, asset, declared)\n",
        new='    other = ""\n',
        test=f"{_CHECKS}test_a_file_of_another_kind_is_not_taken",
    ),
    Mutant(
        name="give late files up when everything else has ended",
        path="engine/harvest.py",
        old="            left = max(began, self._arrived_at) + self.policy.last_files - loop_time()\n",
        new="            left = 0.0\n",
        test=_PROOF,
    ),
    Mutant(
        name="ask a server in trouble for every file",
        path="engine/file_queue.py",
        old="        return self._in_a_row >= _IN_A_ROW\n",
        new="        return False\n",
        test=f"{_LATE}test_a_server_in_trouble_for_four_minutes_costs_no_file",
    ),
    Mutant(
        name="leave files that vanished to nobody",
        path="engine/runner.py",
        old="entry.key for entry in entries if entry.vanished)\n",
        new="entry.key for entry in entries if entry.vanished and not entry.wanted)\n",
        test=_PROOF,
    ),
    Mutant(
        name="say that all is done though files vanished",
        path="engine/verdict.py",
        old=" for one in records) + len(ending.vanished)\n",
        new=" for one in records)\n",
        test=f"{_LATE}test_files_that_vanished_and_cannot_be_had_now_are_work_that_remains",
    ),
    Mutant(
        name="ask in every run for what is gone at the service",
        path="engine/harvest.py",
        old="        events = [AssetsGone(at=now, asset_ids=lost)] if lost else []\n",
        new="        events: list[AssetsGone] = []\n",
        test=f"{_LATE}test_what_is_gone_from_the_disk_and_from_the_service_is_named_and_asked_for_no_more",
    ),
    Mutant(
        name="take what is not shown yet for gone",
        path="engine/harvest.py",
        old="        return gone & {one.asset_id for one in entry.record.files} if young else gone\n",
        new="        return gone\n",
        test=f"{_LATE}test_what_the_service_does_not_show_yet_is_not_gone",
    ),
    Mutant(
        name="fetch again what somebody has edited",
        path="output/missing_files.py",
        old="        return Found.LOST if flaw_of(Path(path), mime) else Found.EDITED\n",
        new="        return Found.LOST\n",
        test=f"{_MISSING}test_a_file_that_somebody_edited_is_left_alone",
    ),
)
