"""What changed in a job, and how long a plan takes."""

from dataclasses import replace
from typing import Any

import pytest

from batchgen.identity import content_key
from batchgen.model import Job, JobKey, Rate
from batchgen.planning.changes import changed_jobs, changes
from batchgen.planning.forecast import forecast, unrecognisable
from batchgen.planning.make_plan import make_plan
from batchgen.record import Record, State
from tests.support.builders import make_job, make_model

OLD = make_job(steps=20, size="1K")
SEED = {"name": "seed", "type": "number"}
MODELS = {"m": make_model("m", SEED, latency_p75=30.0)}


def named(new: Job) -> dict[str, tuple[Any, Any]]:
    return {one.name: (one.before, one.after) for one in changes(OLD, new)}


def test_every_input_that_differs_is_named_with_both_values() -> None:
    new = replace(OLD, prompt="a mill", model="n", params={"steps": 30, "size": "1K"})
    assert named(new) == {"model": ("m", "n"), "prompt": ("a tower", "a mill"), "steps": (20, 30)}


def test_what_was_added_is_told_from_what_was_dropped() -> None:
    new = replace(OLD, params={"size": "1K", "grade": None})
    assert [(one.name, one.added, one.dropped) for one in changes(OLD, new)] == [
        ("steps", False, True),
        ("grade", True, False),
    ]


def test_what_is_the_same_to_identity_is_no_change() -> None:
    here = replace(OLD, params={"file": [{"file": "a.png", "sha256": "aa"}], "steps": 20})
    there = replace(OLD, id="t", params={"steps": 20.0, "file": [{"file": "b.png", "sha256": "aa"}]})
    assert content_key(here) == content_key(there)
    assert changes(here, there) == ()


def test_a_changed_job_is_shown_beside_the_one_that_was_bought() -> None:
    before = Record(state=State.COLLECTED, job=OLD)
    plan = make_plan([replace(OLD, prompt="a mill")], {JobKey(content_key(OLD)): before})
    [one] = changed_jobs(plan)
    assert (one.entry.job.prompt, one.before.record, len(one.changes)) == ("a mill", before, 1)


@pytest.mark.parametrize(
    ("jobs", "at_once", "rate", "seconds"),
    [
        (40, 20, None, 60.0),
        (3, 20, None, 30.0),  # never less than one job takes
        (101, 100, Rate(count=60, seconds=60), 130.0),  # the last is submitted after 100 s
    ],
)
def test_the_time_follows_from_ceiling_latency_and_rate(
    jobs: int, at_once: int, rate: Rate | None, seconds: float
) -> None:
    wanted = [replace(OLD, id=str(n)) for n in range(jobs)]
    assert forecast(wanted, MODELS, at_once=at_once, rate=rate).seconds == seconds


def test_the_time_is_not_guessed() -> None:
    assert forecast([OLD], {"m": make_model("m", SEED)}, at_once=5, rate=None).unknown == ("m",)
    assert forecast([OLD], {}, at_once=5, rate=None).seconds is None
    assert forecast([OLD], MODELS, at_once=None, rate=None).seconds is None


def test_jobs_without_a_seed_are_counted() -> None:
    unseeded = replace(OLD, derive_seed=False)
    assert unrecognisable([OLD, unseeded], MODELS) == 1
    assert unrecognisable([OLD], {"m": make_model()}) == 1
    assert unrecognisable([replace(unseeded, params={"seed": 7})], MODELS) == 0
    assert unrecognisable([unseeded], {}) == 0
