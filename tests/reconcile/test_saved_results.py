import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.identity import compose_body, content_key, derive_seed
from batchgen.lifecycle import Record, State
from batchgen.model import Job, JobKey, Json, Model, ModelInput, Scope, Submission
from batchgen.reconcile.recall import Recalled, recall
from batchgen.reconcile.saved_results import SavedJob, read_results

SEED = ModelInput(name="seed", type="number", minimum=0, maximum=2_147_483_647)
MODELS = {"m": Model(id="m", name="M", inputs=(SEED,))}
SCOPE = Scope(origin="o", project="", batch="spring")
TOWER = Job(id="tower", prompt="a tower", model="m", params={"width": 512})
KEY = JobKey(content_key(TOWER))


def seed_of(key: JobKey, attempt: int = 1) -> float:
    return derive_seed(SCOPE, key, attempt, SEED)


def told(
    job: Job = TOWER, *, key: JobKey = KEY, remote_id: str | None = "job_1", attempt: int = 1
) -> SavedJob:
    seed = seed_of(key, attempt)
    return SavedJob(
        id=job.id,
        prompt=job.prompt,
        model=job.model,
        params={**job.params, "seed": seed},
        status="succeeded" if remote_id else "in_doubt",
        remote_id=remote_id,
        attempt=attempt,
        seed=seed,
    )


def recalled(
    *some: SavedJob, jobs: tuple[Job, ...] = (TOWER,), records: dict[JobKey, Record] | None = None
) -> list[Recalled]:
    shown = {job.id: dict(job.params) for job in jobs}
    return recall(
        some, jobs=jobs, records=records or {}, scope=SCOPE, models=MODELS, shown=lambda job: shown[job.id]
    )


def test_a_job_the_manifest_still_says_is_the_manifests() -> None:
    (one,) = recalled(told())
    assert (one.job, one.key, one.known) == (TOWER, KEY, False)
    assert one.body == compose_body(TOWER, seed_of(KEY))


def test_an_edited_job_is_made_from_what_was_sent_without_the_derived_seed() -> None:
    (one,) = recalled(told(), jobs=(replace(TOWER, params={"width": 1024}),))
    assert (one.key, one.job.params) == (KEY, {"width": 512})


def test_a_seed_that_was_given_stays_in_what_the_job_asks_for() -> None:
    given_one = replace(TOWER, params={"width": 512, "seed": 7})
    (one,) = recalled(replace(told(), params=given_one.params, seed=7), jobs=())
    assert one.key == JobKey(content_key(given_one))


@given(st.permutations(range(6)), st.integers(1, 3))
def test_the_seed_names_which_of_the_equals_it_is_in_whatever_order(order: list[int], attempt: int) -> None:
    keys = [JobKey(KEY.content, ordinal) for ordinal in order]
    jobs = tuple(replace(TOWER, id=f"tower-{number}") for number in order)
    some = [
        told(job, key=key, remote_id=str(key), attempt=attempt) for job, key in zip(jobs, keys, strict=True)
    ]
    assert [one.key for one in recalled(*some, jobs=jobs)] == keys


def test_equals_without_a_derived_seed_each_get_a_key_that_no_seed_names() -> None:
    plain = replace(told(), params=TOWER.params, seed=None)
    found = recalled(plain, replace(plain, remote_id="job_2"), replace(told(), remote_id="job_3"))
    assert [one.key.ordinal for one in found] == [1, 2, 0]


def test_what_the_journal_has_is_known_by_its_submission_or_by_its_id_in_doubt() -> None:
    paid = Submission(remote_id="job_1", attempt=1, at=1.0, charged=None)
    has_it = {KEY: Record(state=State.COLLECTED, job=TOWER, submissions=(paid,))}
    assert [one.known for one in recalled(told(), records=has_it)] == [True]
    doubts_it = {KEY: Record(state=State.IN_DOUBT, job=TOWER, body="{}")}
    assert [one.known for one in recalled(told(remote_id=None), records=doubts_it)] == [True]


def test_a_record_that_is_only_planned_takes_what_the_results_tell() -> None:
    planned = {KEY: Record(state=State.PLANNED, job=TOWER)}
    (one,) = recalled(told(), records=planned)
    assert (one.key, one.known) == (KEY, False)


def test_queries_that_results_cut_off_are_the_manifests_in_the_body() -> None:
    url = "https://x.example/a.png?token=1"
    job = replace(TOWER, params={"image": url})
    one = replace(told(), params={"image": url.split("?", maxsplit=1)[0]}, seed=None)
    found = recall(
        [one],
        jobs=(job,),
        records={},
        scope=SCOPE,
        models=MODELS,
        shown=lambda _: {"image": url.split("?", maxsplit=1)[0]},
    )
    assert (found[0].job, found[0].body) == (job, compose_body(job, None))


def test_what_was_never_submitted_is_not_recalled() -> None:
    assert recalled(replace(told(remote_id=None), status="pending", attempt=0)) == []


ROW: dict[str, Json] = {
    "id": "tower",
    "prompt": "a tower",
    "model": "m",
    "params": {"width": 512},
    "status": "failed",
    "job_id": None,
    "asset_ids": [],
    "files": [],
    "cost": {"quoted": None, "charged": 7.25, "refunded": None},
    "attempts": 1,
    "seed": None,
    "times": {"submitted": "2026-01-02T03:04:05.678Z", "started": None, "finished": None},
    "error": {"message": "given up: cut"},
}


def test_results_are_read_with_those_that_were_removed() -> None:
    text = json.dumps({"format": "batchgen/results@1", "jobs": [ROW], "removed": [{**ROW, "error": None}]})
    one, removed = read_results(text).jobs
    assert (one.charged, one.submitted_at) == (Decimal("7.25"), 1767323045.678)
    assert (one.given_up, one.was_submitted, removed.was_submitted) == (True, True, False)


def test_what_was_accepted_is_read_in_the_form_that_was_paid_for() -> None:
    accepted = {**ROW, "accepted": True, "bought_as": {"prompt": "a keep", "model": "old"}}
    (one,) = read_results(json.dumps({"format": "batchgen/results@1", "jobs": [accepted]})).jobs
    assert (one.prompt, one.model) == ("a keep", "old")


FILE: dict[str, Json] = {
    "asset_id": "asset_a",
    "path": "assets/tower_0.png",
    "bytes": 9,
    "sha256": "ab",
    "mime": "image/png",
}


@pytest.mark.parametrize(
    ("more", "known"),
    [
        ({}, (None, None, None, "", "")),  # as an earlier version wrote it
        (dict.fromkeys(("width", "height", "duration", "kind", "type")), (None, None, None, "", "")),
        (
            {"width": 64, "height": 32, "duration": 2.5, "kind": "video", "type": "img2video", "colour": 1},
            (64, 32, 2.5, "video", "img2video"),  # with a key of a later version
        ),
        (
            {"width": "64", "height": True, "duration": [2], "kind": 7, "type": {}},
            (None, None, None, "", ""),  # spoiled by hand: a journal that has it could not be read
        ),
    ],
)
def test_what_results_say_of_a_file_is_read_back_by_every_version(
    more: dict[str, Json], known: tuple[Json, ...]
) -> None:
    row = {**ROW, "files": [{**FILE, **more}], "entry": None, "vars": {}, "tags": [], "earlier": [], "new": 1}
    (one,) = read_results(json.dumps({"format": "batchgen/results@1", "jobs": [row]})).jobs
    (file,) = one.files
    assert (file.width, file.height, file.duration, file.kind, file.type) == known
    assert (file.asset_id, file.path, file.bytes) == ("asset_a", "assets/tower_0.png", 9)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"format": "batchgen/results@2", "jobs": []}',
        '{"format": "batchgen/results@1"}',
        '{"format": "batchgen/results@1", "jobs": [{"id": "tower"}]}',
        '{"format": "batchgen/results@1", "jobs": [3]}',
    ],
)
def test_what_is_no_results_manifest_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_results(text)
