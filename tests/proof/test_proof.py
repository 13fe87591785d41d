"""A few hundred seeds of the proof; ``make prove`` plays thousands."""

import shutil
from pathlib import Path

import pytest

from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import LATE
from tests.proof.mutants import FAULTS, ROOT, plant
from tests.proof.openness import KINDS
from tests.proof.planted import Mutant
from tests.proof.play import play, play_out
from tests.proof.rare import draw
from tests.proof.scenario import Accident, JournalFate
from tests.proof.tools import has_tools

_A_TEST = 25
_FEW = 5
_OF_A_PERSON = (201, 208, 234, 269)  # whose key has jobs by user_..., and whose answers are lost
# what the guides leave open is otherwise in each of these, and one of the faults planted there shows
_OPEN = (0, 2, 24, 67, 97, 99, 116, 3, 5, 15, 22, 234, 247, 695, 863, 902, 929)
# in each of these something goes wrong with two or more of the faults planted in what is spent
_OF_MONEY = (86, 149, 233, 344, 379, 380, 616, 623, 633, 647, 681, 748, 805, 827, 890, 935, 951)


@pytest.mark.parametrize("first", range(0, 120, _A_TEST))
def test_whatever_happens_nothing_is_paid_twice_and_nothing_paid_is_lost(first: int) -> None:
    for seed in range(first, first + _A_TEST):
        report = play(seed)
        assert not report.wrong, str(report)


def test_no_cap_is_overshot_and_what_fits_is_bought() -> None:
    for seed in _OF_MONEY:
        report = play(seed)
        assert report.tally["seeds with a budget"], f"seed {seed} has none: choose another one"
        assert not report.wrong, str(report)


def test_the_jobs_of_a_persons_key_are_found_again() -> None:
    for seed in _OF_A_PERSON:
        assert draw(seed).settings.author_prefix == "user_", f"seed {seed} has none: choose another one"
        report = play(seed)
        assert not report.wrong, str(report)


def test_a_seed_plays_the_same_every_time() -> None:
    for seed in (3, 11, 42, 149):
        assert draw(seed) == draw(seed)
        one, other = play(seed), play(seed)
        assert one.log == other.log
        assert one.tally == other.tally


def test_the_seeds_of_this_suite_meet_every_accident() -> None:
    legs = [leg for seed in range(120) for leg in draw(seed).legs]
    assert {leg.accident for leg in legs} == set(Accident)
    assert {leg.journal for leg in legs} == set(JournalFate)


def test_the_seeds_of_this_suite_have_jobs_without_a_prompt() -> None:
    assert sum(has_tools(draw(seed)) for seed in range(120)) >= _FEW


def test_the_seeds_of_this_suite_let_submits_arrive_late() -> None:
    submits = [draw(seed).settings.faults.script[Call.SUBMIT] for seed in range(120)]
    assert {fault for script in submits for fault in script} >= LATE


def test_the_seeds_of_this_suite_have_every_kind_of_budget_and_fill_every_slot() -> None:
    budgets = [leg.spending.budget for seed in _OF_MONEY for leg in draw(seed).legs if leg.spending]
    kinds = {
        name for one in budgets for name in ("total", "per_job", "per_day", "per_month") if getattr(one, name)
    }
    assert kinds == {"total", "per_job", "per_day", "per_month"}
    assert {one.trust_refunds for one in budgets} == {True, False}
    assert play(149).tally["largest number in flight under a budget"] == 50


def test_a_report_says_how_to_play_its_seed_again() -> None:
    report = play_out(draw(7))
    assert str(report).endswith("make prove SEEDS=7-7")
    assert "Scenario(seed=7" in str(report)


def test_what_the_guides_leave_open_costs_nothing() -> None:
    assert {kind for seed in _OPEN for kind in draw(seed).opened} == set(KINDS)
    for seed in _OPEN:
        report = play(seed)
        assert not report.wrong, str(report)


@pytest.mark.parametrize("mutant", FAULTS, ids=lambda one: one.name)
def test_every_planted_fault_still_has_its_place(mutant: Mutant, tmp_path: Path) -> None:
    path = tmp_path / "batchgen" / mutant.path
    path.parent.mkdir(parents=True)
    shutil.copy(ROOT / "batchgen" / mutant.path, path)
    plant(mutant, tmp_path)
    if path.suffix == ".py":  # SQL is tried by the tests that each names
        compile(path.read_text(), mutant.path, "exec")
    assert mutant.name in (ROOT / "docs" / "proof.md").read_text()
