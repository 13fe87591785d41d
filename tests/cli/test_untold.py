"""What the service does not tell of a charge is said to be unknown, and never to be nought."""

from decimal import Decimal
from pathlib import Path

import pytest

from batchgen.cli.main import run
from batchgen.journal.file import JournalFile
from batchgen.lifecycle import Accepted, SubmitStarted
from batchgen.model import Job, JobKey, Scope


@pytest.mark.parametrize(
    ("charges", "said"),
    [
        ((Decimal(5), None, None), "3 running; 5 compute units charged, 2 charges not told"),
        ((None,), "1 running; 1 charge not told"),
        ((Decimal(0),), "1 running; 0 compute units charged"),
    ],
)
def test_status_counts_the_charges_that_are_not_told(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    charges: tuple[Decimal | None, ...],
    said: str,
) -> None:
    with JournalFile.open(tmp_path / "journal.db") as file:
        journal = file.batch(Scope(origin="https://a.example/v1", project="", batch="spring", slot=""))
        for number, charged in enumerate(charges):
            key, job = JobKey(f"v1:{number}"), Job(id=str(number), prompt="p", model="m")
            journal.append(key, SubmitStarted(at=1.0, job=job, attempt=1, body="{}"))
            journal.append(key, Accepted(at=2.0, remote_id=f"job_{number}", charged=charged))
    assert run(["status", "-o", str(tmp_path)]) == 0
    assert said in capsys.readouterr().out
