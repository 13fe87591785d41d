"""Two batches of one folder that ask for the same, when the answer to one of them is lost."""

import time
from collections.abc import Callable

import pytest

from batchgen.identity import content_key
from batchgen.journal.file import JournalFile
from batchgen.lifecycle import State, SubmitStarted
from batchgen.model import Job, JobKey, Scope
from tests.cli.conftest import Service, Shell

Simulator = Callable[..., Service]

MANIFEST = """\
version: 1
batch: {batch}
defaults: {{model: model_imagen4-ultra}}
doubt: {{settle: 1s, settle_max: 3s}}
jobs:
  - {{id: tower, prompt: a tower, seed: none}}
  - {{id: mill, prompt: a mill, seed: none}}
"""


@pytest.mark.parametrize("slot", ["", "2020-01-01"], ids=["another batch", "another slot"])
def test_a_run_that_died_elsewhere_stands_in_nobodys_way(
    shell: Shell, simulator: Simulator, slot: str
) -> None:
    service = simulator("--duration", "0.2-0.4")
    here = shell.at(service)
    here.write("winter.yaml", MANIFEST.format(batch="winter"))
    job = Job(id="tower", prompt="a tower", model="model_imagen4-ultra", derive_seed=False)
    theirs = Scope(origin=service.base_url, project="", batch="winter" if slot else "autumn", slot=slot)
    sent = SubmitStarted(at=time.time(), job=job, attempt=1, body='{"prompt":"a tower"}')
    with JournalFile.open(here.folder / "output" / "journal.db") as file:
        file.batch(theirs).append(JobKey(content_key(job)), sent)
    done = here.call("run", "winter.yaml", "--yes", "--quiet", "--allow", "renamed")
    # what is open in another slot of this batch is carried along, and a person is told of it
    assert done.status == (7 if slot else 0), done.err
    assert ("slot 2020-01-01: 1 job held" in done.err) == bool(slot)
    assert len(service.charged) == 2
    with JournalFile.open(here.folder / "output" / "journal.db") as file:
        (record,) = file.batch(theirs).records().values()
    assert record.state in {State.HELD, State.PLANNED}, "its answer was looked for, and it was never accepted"
