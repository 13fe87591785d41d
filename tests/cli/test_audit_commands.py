"""The commands that an audit tells people to type."""

import shlex
from pathlib import Path

import pytest

from batchgen.cli.audit import _adopt, _lines
from batchgen.model import Job, JobKey, RemoteJob, RemoteStatus, Scope
from batchgen.reconcile.audit import Sent, Situation, Surplus
from batchgen.usecases.findings import Audit
from batchgen.wiring.options import Options

ROW = RemoteJob(remote_id="job_2", status=RemoteStatus.SUCCEEDED, word="success")
SENT = Sent(key=JobKey("v1:a"), job=Job(id="tower", prompt="", model="m"), attempt=1, body="{}")
OPEN = Surplus(row=ROW, sent=SENT, situation=Situation.OPEN)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, []),
        ({"slot": "2026-09-21"}, ["--slot", "2026-09-21"]),
        ({"project": "proj_1", "slot": "launch"}, ["--project", "proj_1", "--slot", "launch"]),
    ],
)
def test_the_command_that_adopts_is_about_the_same_slot(options: dict[str, str], words: list[str]) -> None:
    known = Options(manifest=Path("my jobs.yaml"), output=Path("output"), environ={}, **options)  # type: ignore[arg-type]  # names of texts
    told = shlex.split(_adopt(OPEN, known) or "")
    assert told == ["batchgen", "resolve", "my jobs.yaml", *words, "--adopt", "tower=job_2"]


@pytest.mark.parametrize("situation", sorted(set(Situation) - {Situation.OPEN, Situation.EDITION}))
def test_nothing_is_adopted_for_a_job_that_is_not_in_doubt(situation: Situation) -> None:
    known = Options(manifest=Path("jobs.yaml"), output=Path("output"), environ={})
    assert _adopt(Surplus(row=ROW, sent=SENT, situation=situation), known) is None


def test_nobody_is_told_that_all_agrees_beside_a_row_that_nobody_can_read() -> None:
    known = Options(manifest=Path("jobs.yaml"), output=Path("output"), environ={})
    scope = Scope(origin="o", project="", batch="spring")
    last = {
        unreadable: list(_lines(Audit(scope=scope, listed=(), unreadable=unreadable), known))[-1]
        for unreadable in (0, 1)
    }
    assert last == {0: "All agree.", 1: "1 listed row cannot be read, and may be any job's"}
