"""The oracle of holds can say that one was without need, and what excuses others."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from batchgen.lifecycle import Accepted, AnswerLost, Event, Held, SubmitStarted
from batchgen.model import Job, JobKey
from batchgen.reconcile.absence import DoubtPolicy, OnAbsent
from batchgen.simulator.faults import FaultPlan
from batchgen.simulator.settings import Settings, Views
from tests.proof.holds import count, needless
from tests.proof.law import Books
from tests.proof.lens import Garbage, Lens, Uploads
from tests.proof.scenario import SEEDED, SEEDLESS, Scenario, draw_usual

JOB = Job(id="tower", prompt="a tower", model=SEEDED)
KEY, OTHER = JobKey("v1:a"), JobKey("v1:b")


def plain(**changes: object) -> Scenario:
    """Give a world in which the rules can tell, but for what is changed."""
    drawn = draw_usual(0, random.Random(0))
    settings = Settings(seed=0, views=Views(), faults=FaultPlan())
    told = replace(drawn, settings=settings, visits=(), lens=Lens(uploads=Uploads.LISTED))
    policy = replace(told.policy, doubt=DoubtPolicy())
    return replace(told, policy=policy, **changes)  # type: ignore[arg-type]  # fields, as the tests give them


def sent(key: JobKey, job: Job = JOB) -> tuple[JobKey, Event]:
    intent = SubmitStarted(at=10.0, job=job, attempt=1, body='{"prompt":"a tower"}', sender="key", skew=0.0)
    return key, intent


def held(*before: tuple[JobKey, Event]) -> Books:
    history: Sequence[tuple[JobKey, Event]] = (
        *before,
        sent(KEY),
        (KEY, AnswerLost(at=11.0, reason="cut")),
        (KEY, Held(at=900.0, reason="cut; not listed")),
    )
    return Books(charged=[], late=frozenset(), others=frozenset(), records={}, history=history)


def test_a_hold_that_nothing_excuses_is_named_and_counted() -> None:
    scenario, books = plain(), held()
    assert needless(scenario, books) == [f"{KEY} was held without need: cut; not listed"]
    assert count(scenario, books) == {"held: without need": 1}


@pytest.mark.parametrize(
    ("world", "excuse"),
    [
        ({"lens": Lens(uploads=Uploads.REFUSED)}, "nobody knows who sent it"),
        ({"lens": Lens(uploads=Uploads.HIDDEN)}, "no row can prove that it would be listed"),
        (
            {"lens": Lens(uploads=Uploads.LISTED, garbage=Garbage.DATED)},
            "a row that nobody can read may be anything",
        ),
        ({"lens": Lens(uploads=Uploads.LISTED, loops=True)}, "listings do not come to an end"),
    ],
)
def test_a_world_that_hides_what_the_rules_need_excuses_a_hold(world: dict[str, object], excuse: str) -> None:
    assert count(plain(**world), held()) == {f"held: {excuse}": 1}


def test_a_manifest_that_says_to_hold_excuses_it() -> None:
    scenario = plain()
    policy = replace(scenario.policy, doubt=DoubtPolicy(then=OnAbsent.HOLD))
    assert not needless(replace(scenario, policy=policy), held())


@pytest.mark.parametrize("model", [SEEDED, SEEDLESS])
def test_a_job_whose_row_the_service_does_not_show_is_no_witness(model: str) -> None:
    hidden, other = plain(lens=Lens(uploads=Uploads.HIDDEN)), replace(JOB, id="mill", model=model)
    took = (OTHER, Accepted(at=12.0, remote_id="job_1"))
    assert not needless(hidden, held(sent(OTHER, other), took))
