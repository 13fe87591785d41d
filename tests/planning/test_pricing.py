"""Which jobs cost the same, and which of them are asked about."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from batchgen.model import Job
from batchgen.planning.pricing import (
    LARGE,
    MOST_QUOTES,
    Classifier,
    Group,
    Price,
    group,
    price_classes,
    published,
)
from tests.support.builders import FLUX, GPT, make_model, priced_job, recorded_models


def questions(groups: list[Group]) -> int:
    return sum(len(places) for one in groups for _, places in one.asked)


def names(*jobs: Job) -> set[str | None]:
    classifier = Classifier(recorded_models(FLUX, GPT))
    return {classifier.name(one) for one in jobs}


def test_what_does_not_move_the_price_makes_no_class() -> None:
    assert len(names(priced_job(seed=1), priced_job(seed=2, guidance=3.5), priced_job(prompt="a mill"))) == 1


def test_a_default_that_is_given_is_the_same_class_as_one_that_is_not() -> None:
    same = names(priced_job(), priced_job(numOutputs=1), priced_job(numOutputs=1.0, numInferenceSteps=28))
    assert len(same) == 1
    assert len(names(priced_job(), priced_job(numOutputs=2))) == 2


def test_of_files_only_their_number_counts() -> None:
    here, there = {"file": "a.png", "sha256": "aa"}, {"file": "b.png", "sha256": "bb"}
    one = priced_job(model=GPT, referenceImages=[here])
    assert len(names(one, priced_job(model=GPT, referenceImages=[there]))) == 1
    assert len(names(one, priced_job(model=GPT, referenceImages=["asset_1"]))) == 1
    assert len(names(one, priced_job(model=GPT, referenceImages=[here, there]), priced_job(model=GPT))) == 3


def test_a_job_of_an_unknown_model_has_no_class() -> None:
    assert names(priced_job(model="model_x")) == {None}
    assert price_classes([priced_job(model="model_x")], Classifier({})) == []


def test_a_small_class_is_asked_about_once_and_a_large_one_at_both_ends() -> None:
    classifier = Classifier(recorded_models(FLUX))
    small = [priced_job(n) for n in range(LARGE)]
    assert questions(group(small, classifier)) == 1
    large = [priced_job(n, prompt="x" * (n + 1)) for n in range(LARGE + 1)]
    [made] = group(large, classifier)
    assert made.asked[0][1] == (LARGE, 0), "the one that asks for most, and the one that asks for least"


def test_a_thousand_jobs_in_five_classes_are_ten_questions_at_most() -> None:
    jobs = [priced_job(n, numInferenceSteps=20 + n % 5) for n in range(1000)]
    groups = group(jobs, Classifier(recorded_models(FLUX)))
    assert (len(groups), sum(one.jobs for one in groups)) == (5, 1000)
    assert questions(groups) <= 10


def test_where_nearly_every_job_is_a_class_the_extremes_and_a_spread_are_asked_about() -> None:
    by_prompt = make_model("m", {"name": "prompt", "type": "string", "costImpact": True})
    jobs = [priced_job(n, model="m", prompt="x" * (n + 1)) for n in range(1000)]
    [made] = group(jobs, Classifier({"m": by_prompt}))
    asked = {place for _, places in made.asked for place in places}
    assert made.is_spread
    assert {0, 999} <= asked
    assert 20 <= len(asked) <= 24


def test_a_spread_has_the_extremes_of_each_input_and_of_all_together() -> None:
    grades = {"name": "grade", "type": "string", "allowedValues": ["low", "mid", "high"], "costImpact": True}
    seconds = {"name": "seconds", "type": "number", "costImpact": True}
    jobs = [
        priced_job(3 * n + k, model="m", grade=grade, seconds=n)
        for n in range(40)
        for k, grade in enumerate(("low", "mid", "high"))
    ]
    [made] = group(jobs, Classifier({"m": make_model("m", grades, seconds)}))
    asked = {(jobs[p].params["grade"], jobs[p].params["seconds"]) for _, places in made.asked for p in places}
    assert {("high", 39), ("low", 0)} <= asked


@given(
    st.lists(st.tuples(st.integers(0, 260), st.integers(0, 60)), min_size=1, max_size=400),
    st.integers(1, 300),
)
def test_a_plan_asks_two_hundred_questions_at_most_and_every_job_has_one_group(
    drawn: list[tuple[int, int]], models: int
) -> None:
    steps = {"name": "steps", "type": "number", "costImpact": True}
    known = {f"m{n}": make_model(f"m{n}", steps) for n in range(models)}
    jobs = [priced_job(n, model=f"m{m % models}", steps=s) for n, (m, s) in enumerate(drawn)]
    groups = group(jobs, Classifier(known))
    assert questions(groups) <= MOST_QUOTES
    placed = [place for one in groups for member in one.classes for place in member.jobs]
    assert sorted(placed) == list(range(len(jobs)))


def test_what_a_model_publishes_is_a_range_for_all_outputs_and_nothing_else_is_made_up() -> None:
    stats = {"variants": [{"costPerAssetMinCU": 2, "costPerAssetMaxCU": 3.5}, {"costPerAssetMaxCU": None}]}
    told = make_model(
        "m", {"name": "numOutputs", "type": "number", "default": 2}, raw={"performanceStats": stats}
    )
    assert published(told, priced_job(model="m")) == Price(low=Decimal(4), high=Decimal(7))
    assert published(told, priced_job(model="m", numOutputs=1)) == Price(low=Decimal(2), high=Decimal("3.5"))
    assert published(make_model("m"), priced_job(model="m")) is None
