"""Which seeds are this batch's alone, and which rows show that another key runs it too."""

from dataclasses import replace

import pytest

from batchgen.identity import derive_seed, seed_places
from batchgen.lifecycle import SubmitStarted
from batchgen.model import Job, JobKey, Json, Model, ModelInput, RemoteJob, RemoteStatus
from batchgen.plan.plan import make_plan
from batchgen.reconcile.lone_rows import BatchSeeds
from batchgen.record import Record
from tests.support.memory_journal import SCOPE, Disk, MemoryJournal

SEED = ModelInput(name="seed", type="number", minimum=0, maximum=2**31 - 1)
MODEL = Model(id="model_a", name="a", inputs=(SEED,))
JOBS = [Job(id=name, prompt=name, model="model_a") for name in ("tower", "mill")]
SENT = Record(body="{}", seed=7)


def row(seed: Json) -> RemoteJob:
    inputs = {"modelId": "model_a", "seed": seed}
    return RemoteJob(remote_id="job_1", status=RemoteStatus.RUNNING, word="queued", inputs=inputs)


def seeds(journal: MemoryJournal, model: Model = MODEL) -> tuple[BatchSeeds, list[JobKey]]:
    plan = make_plan(JOBS, journal.records())
    made = BatchSeeds(scope=SCOPE, models={"model_a": model}, entries=plan.entries, journal=journal)
    return made, [entry.key for entry in plan.entries]


def test_a_row_with_the_seed_of_what_was_never_sent_is_a_stray_and_of_what_was_sent_is_none() -> None:
    journal = MemoryJournal(Disk())
    found, (tower, mill) = seeds(journal)
    journal.append(tower, SubmitStarted(at=1.0, job=JOBS[0], attempt=1, body="{}", seed=7))
    first, second = (row(derive_seed(SCOPE, tower, attempt, SEED)) for attempt in (1, 2))
    assert [found.has_strays([one]) for one in (first, second)] == [False, True]
    assert found.has_strays([row(derive_seed(SCOPE, mill, 1, SEED))])
    assert not found.has_strays([row(7), row(None), replace(row(7), inputs=None)])


def test_what_is_sent_after_the_seeds_were_derived_is_no_stray() -> None:
    journal = MemoryJournal(Disk())
    found, (_, mill) = seeds(journal)
    its = row(derive_seed(SCOPE, mill, 1, SEED))
    assert found.has_strays([its])
    journal.append(mill, SubmitStarted(at=1.0, job=JOBS[1], attempt=1, body="{}", seed=7))
    assert not found.has_strays([its])


@pytest.mark.parametrize(
    ("job", "record", "most", "telling"),
    [
        (JOBS[0], SENT, 2**24 - 1, True),
        (JOBS[0], SENT, 2**24 - 2, False),
        (replace(JOBS[0], params={"seed": 7}), SENT, 2**31 - 1, False),
        (replace(JOBS[0], derive_seed=False), SENT, 2**31 - 1, False),
        (JOBS[0], replace(SENT, seed=None), 2**31 - 1, False),
        (replace(JOBS[0], model="model_b"), SENT, 2**31 - 1, False),
    ],
)
def test_only_a_derived_seed_of_many_places_tells(job: Job, record: Record, most: int, telling: bool) -> None:
    declared = replace(SEED, maximum=most)
    found, _ = seeds(MemoryJournal(Disk()), replace(MODEL, inputs=(declared,)))
    assert found.is_telling(job, record) is telling
    assert seed_places(declared) == most + 1
