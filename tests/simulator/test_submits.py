"""What a POST of a generation does: a price, a refusal, or a job that is charged."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchgen.model import Rate
from batchgen.simulator.models import Catalogue
from batchgen.simulator.settings import Limits, Outcomes, RetryAfter, Settings, Views
from tests.simulator.caller import (
    EPOCH,
    GEMINI,
    GPT,
    MATERIAL,
    SEEDED,
    SEEDLESS,
    VIDEO,
    Caller,
    data_of,
)

ALL_MODELS = [one.id for one in Catalogue.recorded()]


def test_an_accepted_submit_answers_with_a_job_that_has_not_begun_and_its_cost() -> None:
    caller = Caller()
    data = data_of(caller.run(SEEDED, seed=7, numOutputs=2))
    assert data["job"]["status"] == "pending"
    assert data["job"]["jobType"] == "custom"
    assert data["job"]["jobId"].startswith("job_")
    assert len(data["job"]["jobId"]) == len("job_") + 24
    assert data["job"]["metadata"]["input"] == {
        "modelId": SEEDED,
        "numOutputs": 2,
        "prompt": "an oak",
        "seed": 7,
    }
    assert data["creativeUnitsCost"] == 8
    assert data["costDetails"] == {"custom-generation": 8}


@pytest.mark.parametrize("word", ["true", "api"])
def test_a_dry_run_in_the_query_prices_and_buys_nothing(word: str) -> None:
    caller = Caller()
    reply = caller.run(SEEDLESS, {"dryRun": word})
    assert reply.status == 269
    assert data_of(reply) == {
        "creativeUnitsCost": 8,
        "creativeUnitsDiscount": 0,
        "costDetails": {"custom-generation": 8},
    }
    assert not caller.service.submissions
    assert caller.service.counts == {"quote": 1}


def test_a_dry_run_in_the_body_is_not_even_looked_at_and_buys() -> None:
    caller = Caller()
    assert caller.run(dryRun=True).status == 200
    assert len(caller.service.submissions) == 1


def test_the_same_post_twice_is_two_paid_jobs() -> None:
    caller = Caller()
    assert caller.bought() != caller.bought()
    assert [job.cost for job in caller.service.submissions] == [8, 8]


def test_what_is_charged_is_what_was_quoted_add_ons_included() -> None:
    caller = Caller(Settings(quality_gate=True))
    quoted = data_of(caller.run(MATERIAL, {"dryRun": "true"}))
    charged = data_of(caller.run(MATERIAL))
    assert quoted["costDetails"] == {"custom-generation": 6, "quality-gate": 1.25}
    assert charged["creativeUnitsCost"] == quoted["creativeUnitsCost"] == 7.25
    assert caller.service.submissions[0].cost == Decimal("7.25")
    assert charged["job"]["billing"] == {
        "cuCost": 6,
        "cuDiscount": 0,
        "cuCostDetails": {"quality-gate": 1.25},
    }


@pytest.mark.parametrize(
    ("model", "inputs", "units"),
    [
        (SEEDED, {"numOutputs": 3}, 12),
        (SEEDED, {"numInferenceSteps": 14}, 2),
        (GPT, {"quality": "low"}, 2.75),
        (GEMINI, {"resolution": "4K"}, 24),
        (MATERIAL, {"maps": ["normal"]}, 2),
        (VIDEO, {"duration": 10}, 300),
    ],
)
def test_inputs_move_the_price(model: str, inputs: dict[str, Any], units: float) -> None:
    assert data_of(Caller().run(model, {"dryRun": "true"}, **inputs))["creativeUnitsCost"] == units


def test_a_price_can_be_set_by_model() -> None:
    caller = Caller(Settings(prices={SEEDLESS: Decimal("0.5")}))
    assert data_of(caller.run())["creativeUnitsCost"] == 0.5


@pytest.mark.parametrize(
    ("model", "inputs", "reason"),
    [
        (SEEDLESS, {"prompt": "  "}, "Input prompt is required"),
        (SEEDLESS, {"prompt": 3}, "Input prompt must be a string"),
        (SEEDLESS, {"colour": "red"}, "Input colour is not allowed"),
        (SEEDLESS, {"aspectRatio": "2:1"}, "Input aspectRatio must be one of: 9:16, 3:4, 1:1, 4:3, 16:9"),
        (SEEDED, {"width": 64}, "Input width must be at least 128"),
        (SEEDED, {"width": 4096}, "Input width must be at most 2048"),
        (SEEDED, {"width": 130}, "Input width must be a multiple of 16"),
        (SEEDED, {"seed": "7"}, "Input seed must be a number"),
        (SEEDED, {"seed": True}, "Input seed must be a number"),
        (GPT, {"prompt": "x" * 32_001}, "Input prompt must have at most 32000 characters"),
        (GPT, {"referenceImages": ["a"] * 11}, "Input referenceImages must have at most 10 items"),
        (GPT, {"mask": "asset_1"}, "A reference image is required when a mask is provided."),
        (GPT, {"referenceImages": ["https://host/a.png"]},
         "Missing required mimeType parameter for asset kind image"),
        (GEMINI, {"useGoogleSearch": "yes"}, "Input useGoogleSearch must be a boolean"),
        (MATERIAL, {"maps": ["gloss"]},
         "Input maps must be one of: basecolor, normal, roughness, metalness, height"),
        (MATERIAL, {"upscaleFactor": 3}, "Input upscaleFactor must be one of: 0, 2, 4"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("query", [{}, {"dryRun": "true"}])
def test_a_wrong_input_is_named_in_the_services_words_and_costs_nothing(
    model: str, inputs: dict[str, Any], reason: str, query: dict[str, str]
) -> None:
    caller = Caller()
    reply = caller.run(model, query, **inputs)
    assert reply.status == 400
    assert data_of(reply)["reason"] == reason
    assert not caller.service.submissions


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"null", b"\xff", b'{"prompt": NaN}', b'{"prompt": "\\ud800"}']
)
def test_a_body_that_no_answer_could_echo_is_refused(body: bytes) -> None:
    assert Caller().send("POST", f"/generate/custom/{SEEDLESS}", body).status == 400


def test_a_bare_value_for_a_list_is_dropped_without_a_word_and_charged() -> None:
    caller = Caller()
    data = data_of(caller.run(GPT, referenceImages="asset_of_nobody"))
    assert "referenceImages" not in data["job"]["metadata"]["input"]
    assert data["creativeUnitsCost"] == 11


def test_an_asset_as_an_input_has_to_exist() -> None:
    caller = Caller(Settings(outcomes=Outcomes(instant=True)))
    asset = caller.job(caller.bought())["metadata"]["assetIds"][0]
    assert caller.run(GPT, referenceImages=[asset]).status == 200
    missing = caller.run(GPT, referenceImages=["asset_of_nobody"])
    assert missing.status == 404
    assert data_of(missing)["reason"] == "Asset asset_of_nobody not found"


def test_a_model_that_is_not_there_is_not_found() -> None:
    assert Caller().run("model_of_nobody").status == 404


def test_a_plan_below_the_models_grade_is_refused_on_dry_runs_too() -> None:
    caller = Caller(Settings(limits=Limits(plan_rank=25)))
    assert caller.run(GPT).status == 200
    for query in ({}, {"dryRun": "true"}):
        reply = caller.run(MATERIAL, query)
        assert reply.status == 403
        assert data_of(reply) == {
            "reason": "You are not allowed to use this model with your plan",
            "name": "ModelAccessRestrictedError",
            "details": {"modelId": MATERIAL, "currentPlan": "cu-basic", "requiredPlan": "cu-pro-q3-25"},
        }


def test_a_body_over_six_megabytes_is_too_long() -> None:
    assert Caller().run(prompt="x" * 6_000_000).status == 413


def test_the_ceiling_refuses_with_its_name_and_its_value_until_a_job_ends() -> None:
    caller = Caller(Settings(duration=(10, 10), limits=Limits(ceiling=2)))
    caller.bought()
    caller.bought()
    refused = caller.run()
    assert refused.status == 429
    assert data_of(refused)["details"] == {"actionName": "parallelCustomJobs", "actionLimit": 2}
    assert caller.run(SEEDLESS, {"dryRun": "true"}).status == 269
    caller.now += 10
    caller.bought()
    assert len(caller.service.submissions) == 3
    assert caller.service.most_in_flight == 2
    assert caller.service.counts["refused_429"] == 1


@pytest.mark.parametrize("in_details", [False, True])
def test_a_cooldown_follows_a_refusal_and_says_how_long(in_details: bool) -> None:
    limits = Limits(ceiling=1, cooldown=30, cooldown_in_details=in_details)
    caller = Caller(Settings(duration=(1, 1), limits=limits))
    caller.bought()
    assert "actionLimit" in data_of(caller.run())["details"]
    caller.now += 20
    cold = caller.run()
    assert cold.status == 429
    data = data_of(cold)
    assert (data["details"] if in_details else data)["remainingSeconds"] == pytest.approx(10, abs=0.01)
    caller.now += 10
    caller.bought()


@pytest.mark.parametrize(
    ("how", "header", "value"),
    [
        (RetryAfter.SECONDS, "retry-after", "6.000"),
        (RetryAfter.MILLISECONDS, "retry-after-ms", "6001"),
        (RetryAfter.DATE, "retry-after", "Fri, 15 Jan 2027 08:00:07 GMT"),
    ],
)
def test_too_many_requests_in_a_minute_are_told_to_wait(how: RetryAfter, header: str, value: str) -> None:
    caller = Caller(Settings(limits=Limits(rate=Rate(count=10, seconds=60), retry_after=how)))
    assert [caller.get("/jobs").status for _ in range(10)] == [200] * 10
    refused = caller.get("/jobs")
    assert refused.status == 429
    assert refused.headers[header] == value
    caller.now += 6.01
    assert caller.get("/jobs").status == 200
    assert caller.get("/jobs").status == 429


def test_too_many_requests_can_be_refused_without_a_word_of_when() -> None:
    limits = Limits(rate=Rate(count=1, seconds=60), retry_after=RetryAfter.NOWHERE)
    caller = Caller(Settings(limits=limits))
    caller.get("/jobs")
    assert not {"retry-after", "retry-after-ms"} & set(caller.get("/jobs").headers)


def test_credits_run_out_and_come_back_when_a_job_fails() -> None:
    limits = Limits(credits=Decimal(10))
    caller = Caller(Settings(duration=(5, 5), limits=limits, outcomes=Outcomes(failures=1)))
    caller.bought()
    assert caller.run().status == 402
    caller.now += 5
    caller.bought()


@given(now=st.floats(EPOCH, EPOCH + 1), lag=st.floats(0, 5))
@example(now=EPOCH + 0.1229995, lag=0)  # a date is in milliseconds, and this one is rounded up
def test_a_job_can_have_ended_by_the_time_its_submit_is_answered(now: float, lag: float) -> None:
    settings = Settings(outcomes=Outcomes(instant=True), views=Views(listing_lag=(lag, lag)))
    caller = Caller(settings, now=now)
    job = data_of(caller.run())["job"]
    assert job["status"] == "success"
    assert len(job["metadata"]["assetIds"]) == 1
    assert caller.job(job["jobId"]) == job
    caller.now = now + lag
    assert len(caller.listed()) <= 1
    caller.now += 0.001
    assert caller.listed() == [job]


def test_the_echo_can_differ_from_what_was_sent() -> None:
    views = Views(echo_defaults=True, echo_floats=True)
    job = data_of(Caller(Settings(views=views)).run(SEEDED, seed=7))["job"]
    assert job["metadata"]["input"]["numInferenceSteps"] == 28.0
    assert b'"seed":7.0' in Caller(Settings(views=views)).run(SEEDED, seed=7).body
    blind = data_of(Caller(Settings(views=Views(echo_missing=1))).run(SEEDED))["job"]
    assert "input" not in blind["metadata"]


def test_whole_body_and_author_are_kept_for_an_audit() -> None:
    caller = Caller()
    body = '{ "prompt": "Eiche \u2028 ✓" }'
    caller.send("POST", f"/generate/custom/{SEEDLESS}", body.encode())
    caller.bought()
    first, second = caller.service.submissions
    assert first.body == body
    assert first.author == second.author
    assert first.author.startswith("apiu_")


PIXEL = "data:image/png;base64,iVBORw0KGgo="  # the beginning of one is enough
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
names = st.sampled_from(
    ["prompt", "seed", "width", "height", "numOutputs", "maps", "referenceImages", "mask", "duration",
     "aspectRatio", "quality", "numInferenceSteps", "guidance", "dryRun", "colour", "image", "images", "text",
     "instruction", "upscaleFactor", "speed", "outputFormat", "colorPalette", "pixelGridSize"]
)  # fmt: skip


@given(
    model=st.sampled_from(ALL_MODELS),
    body=st.dictionaries(names, scalars | st.lists(scalars, max_size=3) | st.dictionaries(names, scalars)),
)
def test_any_body_is_either_refused_or_charged_and_never_a_crash(model: str, body: dict[str, Any]) -> None:
    caller = Caller()
    words = dict.fromkeys(("prompt", "text", "instruction"), "x") | dict.fromkeys(
        ("image", "referenceImage"), PIXEL
    )
    taken = {one["name"] for one in data_of(caller.get(f"/models/{model}"))["model"]["inputs"]}
    sent = {**{name: one for name, one in words.items() if name in taken}, **body}
    reply = caller.send("POST", f"/generate/custom/{model}", json.dumps(sent).encode())
    assert reply.status in {200, 400, 404}
    assert len(caller.service.submissions) == (reply.status == 200)
    if reply.status == 200:
        caller.now += 100
        shown = caller.job(data_of(reply)["job"]["jobId"])["metadata"]["assetIds"]
        assert len(data_of(caller.post("/assets/get-bulk", {"assetIds": shown}))["assets"]) == len(shown)
