import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import InputError
from batchgen.identity import (
    canonical,
    compose_body,
    content_key,
    derive_seed,
    files_of,
    references_of,
    seed_for,
    with_parents,
)
from batchgen.model import Job, JobKey, Json, Model, ModelInput, Scope

SCOPE = Scope(origin="https://api.example/v1", project="", batch="spring")
SEED = ModelInput(name="seed", type="number", minimum=0, maximum=2_147_483_647)
SEEDED = Model(id="m", name="M", inputs=(ModelInput(name="prompt", type="string"), SEED))
SEEDLESS = Model(id="m", name="M", inputs=(ModelInput(name="prompt", type="string"),))

scalars = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8)
values = st.recursive(
    scalars, lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=5), one, max_size=3)
)


def job(**changes: Any) -> Job:
    return Job(**{"id": "a", "prompt": "a tower", "model": "model_x", "params": {"width": 512}, **changes})


def test_the_key_of_a_known_job_never_changes() -> None:
    # a change here makes every job of every journal new, and buys it again
    assert content_key(job()) == "v1:97e3251c884fa136a61eea5c2076b8ce29d1b1afd2c95da7c37119e925e9132a"


def test_the_key_of_a_job_without_a_prompt_never_changes() -> None:
    bare = job(prompt=None, params={"image": a_file(), "upscaleFactor": "4x"})
    assert content_key(bare) == "v1:dea21129ba3fed32319206d06f5252c195780aaa653d1ea33ced336b3f73e149"
    asked = canonical({"model": "model_x", "params": {"image": {"sha256": HASH}, "upscaleFactor": "4x"}})
    assert content_key(bare) == "v1:" + hashlib.sha256(asked.encode()).hexdigest()


def test_no_prompt_and_an_empty_one_are_two_jobs_and_only_one_of_them_says_so_in_its_body() -> None:
    assert len({content_key(job(prompt=one)) for one in (None, "", "null")}) == 3
    assert json.loads(compose_body(job(prompt=None), 5)) == {"width": 512, "seed": 5}
    assert json.loads(compose_body(job(prompt=""), None)) == {"prompt": "", "width": 512}


def test_a_prompt_among_the_params_is_in_neither_key_nor_body_of_a_job_without_one() -> None:
    odd = job(prompt=None, params={"width": 512, "prompt": "x"})
    assert content_key(odd) == content_key(job(prompt=None))
    assert compose_body(odd, None) == compose_body(job(prompt=None), None)


def test_only_model_prompt_and_params_are_in_the_key() -> None:
    key = content_key(job())
    assert content_key(job(id="other", derive_seed=False)) == key
    assert content_key(job(model="model_y")) != key
    assert content_key(job(prompt="a tower ")) != key
    assert content_key(job(params={"width": 513})) != key
    assert content_key(job(params={})) != key


@given(st.dictionaries(st.text(max_size=5), values, max_size=4))
def test_the_order_of_keys_says_nothing(params: dict[str, Any]) -> None:
    turned = dict(reversed(list(params.items())))
    assert content_key(job(params=params)) == content_key(job(params=turned))


def test_one_and_one_point_nought_are_equal_and_true_is_not() -> None:
    assert canonical({"n": 1}) == canonical({"n": 1.0}) != canonical({"n": True})
    assert canonical([0.5, -0.0, 1e3]) == "[0.5,0,1000]"


def test_composed_and_decomposed_letters_are_equal() -> None:
    assert canonical("é") == canonical("e\u0301")


def test_what_json_cannot_carry_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(float("nan"))


@given(st.dictionaries(st.text(max_size=5), values, max_size=4))
def test_the_canonical_form_loses_no_value(params: dict[str, Any]) -> None:
    assert canonical(json.loads(canonical(params))) == canonical(params)


@given(
    low=st.integers(-1000, 1000),
    places=st.integers(0, 5000),
    step=st.none() | st.integers(1, 50),
    attempt=st.integers(1, 9),
    ordinal=st.integers(0, 9),
)
def test_a_derived_seed_fits_the_declared_bounds_and_step(
    low: int, places: int, step: int | None, attempt: int, ordinal: int
) -> None:
    declared = ModelInput(name="seed", type="number", minimum=low, maximum=low + places, step=step)
    seed = derive_seed(SCOPE, JobKey("v1:x", ordinal), attempt, declared)
    assert low <= seed <= low + places
    assert (seed - low) % (step or 1) == 0


def test_a_derived_seed_is_stable_and_differs_by_batch_slot_equal_and_attempt() -> None:
    def seed(scope: Scope = SCOPE, ordinal: int = 0, attempt: int = 1) -> float:
        return derive_seed(scope, JobKey("v1:x", ordinal), attempt, SEED)

    night = Scope(origin=SCOPE.origin, project="", batch="spring", slot="2026-11-22")
    assert seed() == seed()
    assert len({seed(), seed(night), seed(ordinal=1), seed(attempt=2)}) == 4


def test_the_origin_does_not_change_the_seed() -> None:
    # found again after the journal is lost, whatever address the service had
    moved = Scope(origin="http://127.0.0.1:1/v1", project="", batch="spring")
    assert derive_seed(moved, JobKey("v1:x"), 1, SEED) == derive_seed(SCOPE, JobKey("v1:x"), 1, SEED)


def test_a_seed_of_the_manifest_wins_and_a_model_without_one_gets_none() -> None:
    key = JobKey("v1:x")
    assert seed_for(job(params={"seed": 7}), SEEDED, SCOPE, key, 1) == 7
    assert seed_for(job(), SEEDLESS, SCOPE, key, 1) is None
    assert seed_for(job(derive_seed=False), SEEDED, SCOPE, key, 1) is None
    assert isinstance(seed_for(job(), SEEDED, SCOPE, key, 1), int)


def test_the_body_holds_the_params_as_they_are_and_the_seed() -> None:
    assert json.loads(compose_body(job(), 5)) == {"prompt": "a tower", "width": 512, "seed": 5}
    assert json.loads(compose_body(job(params={"seed": 7}), 7)) == {"prompt": "a tower", "seed": 7}


HASH, OTHER = "ab" * 32, "cd" * 32


def a_file(path: str = "refs/style.png", sha256: str = HASH) -> dict[str, str]:
    return {"file": path, "sha256": sha256}


@given(st.text(max_size=9), st.text(max_size=9))
def test_a_file_is_its_content_wherever_it_lies(one: str, other: str) -> None:
    for wrap in (lambda file: file, lambda file: [file], lambda file: {"deep": [1, {"er": file}]}):
        assert content_key(job(params={"image": wrap(a_file(one))})) == content_key(
            job(params={"image": wrap(a_file(other))})
        )
        assert content_key(job(params={"image": wrap(a_file(one))})) != content_key(
            job(params={"image": wrap(a_file(one, OTHER))})
        )


@given(st.dictionaries(st.text(max_size=5), values, max_size=4))
def test_the_key_of_a_job_without_files_is_what_it_was_before_there_were_files(
    params: dict[str, Any],
) -> None:
    asked = canonical({"model": "model_x", "params": {**params, "prompt": "a tower"}})
    assert content_key(job(params=params)) == "v1:" + hashlib.sha256(asked.encode()).hexdigest()


def test_the_body_names_assets_in_place_of_files() -> None:
    asked = job(params={"image": a_file(), "refs": [a_file("b.png", OTHER), "asset_0", a_file()]})
    assert json.loads(compose_body(asked, None, assets={HASH: "asset_1", OTHER: "asset_2"})) == {
        "prompt": "a tower",
        "image": "asset_1",
        "refs": ["asset_2", "asset_0", "asset_1"],
    }


@pytest.mark.parametrize("assets", [None, {}, {OTHER: "asset_2"}, {HASH: ""}])
def test_a_file_without_an_asset_is_never_sent(assets: dict[str, str] | None) -> None:
    with pytest.raises(InputError, match=r"refs/style\.png: was not uploaded"):
        compose_body(job(params={"refs": [a_file()]}), None, assets=assets)


def test_the_files_of_a_job_are_named_once_and_in_order() -> None:
    asked = job(params={"refs": [a_file("b.png", OTHER), a_file()], "image": a_file(), "width": 512})
    assert files_of(asked) == (OTHER, HASH)
    assert files_of(job()) == ()


def test_a_mapping_with_other_keys_is_no_file() -> None:
    params = {
        "a": {"file": "x"},
        "b": {"file": "x", "sha256": HASH, "more": 1},
        "c": {"file": 1, "sha256": 2},
    }
    assert files_of(job(params=params)) == ()
    assert json.loads(compose_body(job(params=params), None))["b"]["more"] == 1


@pytest.mark.parametrize(
    "value",
    [
        {"job": "engineer", "content": "builds bridges"},
        {"job": "engineer", "ordinal": 1},
        {"job": "engineer", "assets": ["a"], "content": None},
        {"job": "engineer", "salary": 1},
        {"content": "v1:x"},
    ],
)
def test_an_input_that_only_looks_like_another_job_is_sent_as_it_is(value: Json) -> None:
    job = Job(id="a", model="m", params={"who": value, "list": [value]})
    assert references_of(job) == ()
    assert json.loads(compose_body(job, None)) == {"who": value, "list": [value]}
    assert with_parents(job, lambda _: "v1:x").params == job.params
