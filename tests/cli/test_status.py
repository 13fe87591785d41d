"""What status says of a batch: how much of it is done, how its last run ended, what failed."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchgen.cli.main import run
from batchgen.lifecycle import Accepted, AnswerLost, Failed, Held, SubmitStarted
from batchgen.model import Job, JobKey, Scope
from batchgen.wiring.options import SIMULATOR
from tests.support.opened import OpenedFile as JournalFile

MANIFEST = """\
version: 1
batch: spring
defaults: {model: model_bfl-flux-1-dev, params: {width: 128, height: 128}}
jobs:
  - id: house
    prompt: "a house, number {n}"
    matrix: {n: [1, 2, 3, 4, 5]}
"""

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    (tmp_path / "jobs.yaml").write_text(MANIFEST)

    def called(*words: str) -> tuple[int, str]:
        status = run([*words, "-o", str(tmp_path / "output")])
        return status, capsys.readouterr().out

    return called


def of_json(call: Call) -> Any:
    [one] = json.loads(call("status", "--json")[1])
    return one


def test_a_run_that_the_budget_stopped_is_two_of_five_and_not_two(call: Call, tmp_path: Path) -> None:
    manifest = str(tmp_path / "jobs.yaml")
    assert call("run", manifest, "--simulate", "--quiet", "--budget", "10")[0] == 5
    out = call("status")[1]
    assert out.startswith(
        "spring at simulator: 2 of 5 done, 3 not bought; 8 compute units charged, 8 quoted\n"
    )
    assert "the last run ended" in out
    assert "with exit status 5\n    stopped by the budget: " in out
    assert "3 jobs not submitted: the budget does not let them through\n" in out
    shown = of_json(call)
    assert (shown["jobs"], shown["counts"]["done"], shown["counts"]["not_bought"]) == (5, 2, 3)
    assert (shown["states"], shown["alive"], shown["last_run"]["exit"]) == ({"collected": 2}, False, 5)
    assert shown["last_run"]["ended_at"] >= shown["last_run"]["began_at"]
    assert call("run", manifest, "--simulate", "--quiet")[0] == 0
    assert call("status")[1].startswith("spring at simulator: 5 of 5 done; ")
    assert (of_json(call)["last_run"]["exit"], of_json(call)["last_run"]["reasons"]) == (0, [])


def test_what_the_manifest_no_longer_has_is_no_part_of_its_count(call: Call, tmp_path: Path) -> None:
    manifest = tmp_path / "jobs.yaml"
    call("run", str(manifest), "--simulate", "--quiet")
    manifest.write_text(MANIFEST.replace("[1, 2, 3, 4, 5]", "[4, 5, 6]"))
    call("run", str(manifest), "--simulate", "--quiet", "--limit", "1")
    assert "3 of 3 done, 3 removed from the manifest" in call("status")[1]


def test_a_run_that_was_killed_has_a_beginning_and_no_end(call: Call, tmp_path: Path) -> None:
    call("run", str(tmp_path / "jobs.yaml"), "--simulate", "--quiet", "--limit", "1")
    database = sqlite3.connect(tmp_path / "output" / "journal.db")
    with database:
        database.execute("UPDATE last_runs SET ended_at = NULL, exit = NULL")
    database.close()
    assert "and did not end: run the same command to continue" in call("status")[1]
    assert (of_json(call)["last_run"]["ended_at"], of_json(call)["alive"]) == (None, False)


def test_a_run_that_an_error_ended_has_its_exit_status(call: Call, tmp_path: Path) -> None:
    manifest = tmp_path / "jobs.yaml"
    manifest.write_text(MANIFEST.replace("model_bfl-flux-1-dev", "model_nosuch"))
    assert call("run", str(manifest), "--simulate", "--quiet")[0] == 2
    assert call("status")[1] == "No batch was run here yet.\n"
    manifest.write_text(MANIFEST)
    call("run", str(manifest), "--simulate", "--quiet", "--limit", "1")
    manifest.write_text(MANIFEST.replace("model_bfl-flux-1-dev", "model_nosuch"))
    assert call("run", str(manifest), "--simulate", "--quiet")[0] == 2
    last = of_json(call)["last_run"]
    assert (last["exit"], "model_nosuch" in last["reasons"][0]) == (2, True)


def test_failed_and_held_jobs_are_named_and_many_are_cut(call: Call, tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    with JournalFile.open(tmp_path / "output" / "journal.db") as file:
        journal = file.batch(Scope(origin=SIMULATOR, project="", batch="spring"))
        for number in range(8):
            job, key = Job(id=f"house-{number}", prompt="a", model="m"), JobKey(f"v1:{number}")
            journal.append(key, SubmitStarted(at=1.0, job=job, attempt=1, body="{}"))
            journal.append(key, Accepted(at=2.0, remote_id=f"job_{number}", charged=None))
            journal.append(key, Failed(at=3.0, error="moderated"))
        key = JobKey("v1:held")
        journal.append(
            key, SubmitStarted(at=1.0, job=Job(id="lost", prompt="a", model="m"), attempt=1, body="{}")
        )
        journal.append(key, AnswerLost(at=2.0, reason="cut"), Held(at=3.0, reason="two alike"))
    out = call("status")[1]
    assert out.startswith("spring at simulator: 8 failed, 1 in doubt; ")
    assert "  failed: house-4: moderated\n  failed: 3 more (--all shows each)\n" in out
    assert "  needs your decision (batchgen resolve): lost: two alike\n" in out
    assert "house-7" in call("status", "--all")[1]
    assert [one["id"] for one in of_json(call)["failed"]] == [f"house-{number}" for number in range(8)]


def test_a_journal_from_before_runs_were_kept_is_shown_and_can_be_run(call: Call, tmp_path: Path) -> None:
    call("run", str(tmp_path / "jobs.yaml"), "--simulate", "--quiet", "--limit", "2")
    database = sqlite3.connect(tmp_path / "output" / "journal.db")
    with database:
        database.execute("DROP TABLE last_runs")
    database.close()
    assert call("status")[1].startswith("spring at simulator: 2 done; ")
    assert call("run", str(tmp_path / "jobs.yaml"), "--simulate", "--quiet")[0] == 0
    assert call("status")[1].startswith("spring at simulator: 5 of 5 done; ")
