"""Seeds whose jobs feed others: what is planted in chains shows in one of them."""

from dataclasses import replace

import pytest

from batchgen.errors import TransitionError
from batchgen.identity import references_of
from batchgen.lifecycle import Rebound, Record, State, apply
from batchgen.model import Job
from tests.proof.chains import has_chains
from tests.proof.play import play
from tests.proof.rare import draw
from tests.proof.scenario import JournalFate, Scenario

_SEEDS = (
    1, 8, 14, 42, 57, 78, 79, 103, 107, 123, 125, 144,
    165, 177, 184, 193, 221, 245, 254, 273, 337, 374, 376, 394,
)  # fmt: skip


def test_whatever_happens_to_chains_each_step_is_paid_once_and_fed_by_its_own_parents() -> None:
    for seed in _SEEDS:
        report = play(seed)
        assert report.tally["seeds with chains"], f"seed {seed} has none: choose another one"
        assert not report.wrong, str(report)


def test_the_seeds_of_this_suite_have_every_kind_of_chain_and_every_accident_of_theirs() -> None:
    scenarios = [draw(seed) for seed in _SEEDS]
    assert all(map(has_chains, scenarios))
    legs = [leg for one in scenarios for leg in one.legs]
    assert any(leg.retry for leg in legs)
    assert any(leg.accepts for leg in legs)
    assert any(leg.journal is not JournalFate.KEPT for leg in legs)
    named = [references_of(job) for leg in legs for job in leg.jobs]
    assert {one.output for found in named for one in found} == {None, 0, 1}
    assert any(one.every for found in named for one in found)
    assert any(len(found) > 1 for found in named)
    assert max(map(_longest, scenarios)) >= 3
    assert any(_is_edited(one) for one in scenarios)


def test_a_body_that_may_have_been_paid_for_is_never_bound_to_another_asset() -> None:
    waits = Record(state=State.PLANNED, job=Job(id="cut", model="model_any"), body='{"image":"asset_1"}')
    assert apply(waits, Rebound(at=1.0)).body is None
    for record in (
        replace(waits, absences=1),
        replace(waits, state=State.IN_DOUBT),
        replace(waits, state=State.SUBMITTING),
        replace(waits, state=State.HELD),
        Record(),
    ):
        with pytest.raises(TransitionError):
            apply(record, Rebound(at=1.0))


def _longest(scenario: Scenario) -> int:
    """Return how many steps stand before the job that has most."""
    return max(_steps(leg.jobs, job) for leg in scenario.legs for job in leg.jobs)


def _steps(jobs: tuple[Job, ...], job: Job) -> int:
    named = {one.id: one for one in jobs}
    return max((1 + _steps(jobs, named[one.job]) for one in references_of(job)), default=0)


def _is_edited(scenario: Scenario) -> bool:
    """Return whether ids of jobs that feed others change between runs."""
    ids = [frozenset(one.job for job in leg.jobs for one in references_of(job)) for leg in scenario.legs]
    return len(set(filter(None, ids))) > 1
