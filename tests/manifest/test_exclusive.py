"""Inputs that exclude each other by a model's own prose: warnings, for prose is no rule."""

import pytest

from batchgen.catalog.exclusive import exclusions
from batchgen.catalog.inputs import check_jobs
from batchgen.model import Json
from tests.manifest.declared_models import RECORDED, SourceFile, check, complaints, made, paper

SEEDANCE = RECORDED["model_bytedance-seedance-2-0"]
GEMINI = RECORDED["model_google-gemini-3-1-flash"]


def elements(text: str, **says: Json) -> list[dict[str, Json]]:
    names = {
        "firstFrame": "First Frame",
        "videoFps": "Video FPS",
        "video": "Video",
        "referenceImages": "References",
    }
    others = [{"name": name, "label": label} for name, label in names.items()]
    return [{"name": "it", "label": "It", "description": text, **says}, *others]


@pytest.mark.parametrize(
    ("text", "excluded"),
    [
        ("Mutually exclusive with a video.", {"video"}),
        ("An image. Mutually exclusive with `referenceImages`; see there.", {"referenceImages"}),
        ("mutually exclusive with first frame and reference images", {"firstFrame", "referenceImages"}),
        (
            "Cannot be used together with video, firstFrame or references.",
            {"video", "firstFrame", "referenceImages"},
        ),
        ("Can't be combined with the video input.", {"video"}),
        ("Incompatible with a video in the same request.", {"video"}),
        ("Provide either it or a video, but not both.", {"video"}),
        ("Mutually exclusive with frames.", {"firstFrame"}),
        ("Mutually exclusive with sounds.", set()),
        ("Used together with a video.", set()),
        ("", set()),
    ],
)
def test_prose_names_inputs_by_their_names_and_labels(text: str, excluded: set[str]) -> None:
    assert exclusions(elements(text))["it"] == excluded
    assert exclusions(elements("", hint=text))["it"] == excluded


def test_a_rule_s_message_may_say_it_too() -> None:
    both = {"ifNotDefined": {"video": {"message": "Give a video or this, not both."}, "nosuch": "not both"}}
    assert exclusions(elements("", required=both))["it"] == {"video"}
    one = {"ifDefined": {"video": "needed beside a video"}}
    assert exclusions(elements("", required=one))["it"] == set()
    assert exclusions(elements("", required=True))["it"] == set()


def test_both_given_is_one_warning_a_pair_and_no_problem() -> None:
    params = {
        "image": "asset_1",
        "referenceImages": ["asset_2"],
        "referenceVideos": ["asset_3"],
        "prompt": "x",
    }
    found = check(params, SEEDANCE)
    assert complaints(params, SEEDANCE) == []
    assert [str(one) for one in found.warnings] == [
        f"0/params/{name}: {name} of {SEEDANCE.id}: given beside image; the model says of it "
        '"Mutually exclusive with a first frame.": leave one of them out'
        for name in ("referenceImages", "referenceVideos")
    ]


@pytest.mark.parametrize(
    "params",
    [
        {"video": "asset_1"},
        {"video": "asset_1", "referenceImages": []},
        {"video": " ", "referenceImages": ["asset_1"]},
        {"video": "asset_1", "videoFps": 4},
    ],
)
def test_what_counts_as_not_given_excludes_nothing(params: dict[str, Json]) -> None:
    assert check(params, GEMINI).warnings == ()


def test_unchecked_inputs_are_left_alone_and_many_jobs_are_one_warning() -> None:
    params = {"video": "asset_1", "referenceImages": ["asset_1"]}
    assert check(params, GEMINI, off=frozenset({"video"})).warnings == ()
    one = paper(params, GEMINI).jobs[0]

    (warning,) = check_jobs(SourceFile((one, one, one)), {GEMINI.id: GEMINI}).warnings
    assert "(3 jobs)" in warning.text


def test_an_input_never_excludes_itself() -> None:
    model = made({"name": "a", "type": "string", "description": "Mutually exclusive with a."})
    assert check({"a": "x"}, model).warnings == ()
