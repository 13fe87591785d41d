"""Entries without a prompt: what they are called, and what becomes of the lines of a text file."""

from typing import Any

import pytest

from batchgen.catalog.declared import declare
from batchgen.model import Json, Model
from tests.manifest.conftest import Complain, Read
from tests.manifest.declared_models import CUT_OUT, RECORDED, SPEECH, complaints, made, promptless

TOP = "version: 1\ndefaults: {model: model_cut}\njobs:\n"


def made_of(read: Read, entry: str, **options: Any) -> list[tuple[str, str | None, dict[str, Json]]]:
    jobs = read(f"{TOP}  - {entry}\n", **options).jobs
    return [(job.id, job.prompt, dict(job.params)) for job in jobs]


def ids(read: Read, entry: str, **options: Any) -> list[str]:
    return [name for name, *_ in made_of(read, entry, **options)]


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("{params: {image: {file: 'in/My Cat.png'}}}", ["my-cat"]),
        ("{params: {refs: [{file: in/a.png}, {file: in/b.png}]}}", ["a"]),
        ("{params: {deep: [{image: {file: in/b.png}}]}}", ["b"]),
        ("{params: {image: {file: 'in/{n}.png'}}, matrix: {n: [a, b]}}", ["a", "b"]),
        ("{params: {image: {file: '{d}/a.png'}}, matrix: {d: [in, on]}}", ["a-in", "a-on"]),
        ("{params: {image: {file: in/a.png}, by: '{f}'}, matrix: {f: [2x, 4x]}}", ["a-2x", "a-4x"]),
        ("{params: {image: {file: in/a.png}}, repeat: 2}", ["a", "a-2"]),
        ("{params: {image: {file: in/a.png}}, model: [model_x, model_y]}", ["a-x", "a-y"]),
        ("{params: {text: Good morning to you all there}}", ["good-morning-to-you-all"]),
        ("{params: {text: '{n} says hi'}, matrix: {n: [Ann, Bob]}}", ["ann-says-hi", "bob-says-hi"]),
        ("{params: {lyrics: la la}}", ["la-la"]),
        ("{params: {image: asset_1}}", ["cut"]),  # nothing to read in it but the model
        ("{params: {image: ['asset_1', 'asset_2']}, repeat: 2}", ["cut", "cut-2"]),
        ("{params: {image: '{a}'}, matrix: {a: [asset_1, asset_2]}}", ["cut-asset-1", "cut-asset-2"]),
        ("{params: {image: asset_1}, model: [model_x, model_y]}", ["x", "y"]),
        ("{params: {image: {file: in/猫.png}}}", ["mao"]),
        ("{id: mine, params: {image: {file: in/a.png}}}", ["mine"]),
        ("{id: mine, params: {by: '{f}'}, matrix: {f: [2x, 4x]}}", ["mine-2x", "mine-4x"]),
        ("{}", ["cut"]),  # whether that is enough is the model's to say
    ],
)
def test_a_job_without_a_prompt_is_called_by_its_file_its_text_or_its_model(
    read: Read, entry: str, names: list[str]
) -> None:
    paths = ("in/My Cat.png", "in/a.png", "in/b.png", "on/a.png", "in/猫.png")
    assert ids(read, entry, files=dict.fromkeys(paths, "x")) == names
    assert {prompt for _, prompt, _ in made_of(read, entry)} == {None}


def test_rows_of_a_table_are_called_by_what_they_hold(read: Read) -> None:
    files = {"t.csv": "picture,by\nin/a.png,2x\nin/b.png,4x\n", "in/a.png": "x", "in/b.png": "y"}
    entry = "{from: t.csv, params: {image: {file: '{picture}'}, by: '{by}'}}"
    assert ids(read, entry, files=files) == ["a-2x", "b-4x"]
    lines = {"t.jsonl": '{"text": ["not", "text"], "who": "Ann"}\n'}
    assert ids(read, "{from: t.jsonl, params: {text: '{text}', voice: '{who}'}}", files=lines) == ["cut-ann"]


def test_ids_we_made_are_numbered_where_they_are_taken_and_a_users_own_are_a_problem(
    read: Read, complain: Complain
) -> None:
    two = "  - {params: {image: asset_1}}\n  - {params: {image: asset_2}}\n"
    assert [job.id for job in read(TOP + two).jobs] == ["cut", "cut-2"]
    assert complain(f"{TOP}{two}  - {{id: CUT, prompt: x}}\n") == [
        (
            'jobs.yaml:6:5: id: "CUT" is taken, the job at jobs.yaml:4:5 was given it '
            "(upper and lower case are one file)"
        )
    ]


def test_the_preview_of_an_entry_names_what_it_is_about(read: Read) -> None:
    text = (
        TOP + "  - {params: {image: {file: a.png}}}\n  - {params: {text: hello}}\n  - {model: [model_x, m]}\n"
    )
    found = read(text, files={"a.png": "x"}).previews
    assert found == ("a.png: 1 job", "hello: 1 job", "model_x: 2 models = 2 jobs")


def test_the_lines_of_a_text_file_are_prompts_unless_a_parameter_takes_them(read: Read) -> None:
    files = {"t.txt": "Good morning\nGood night\n"}
    assert made_of(read, "{from: t.txt}", files=files)[0] == ("good-morning", "Good morning", {})
    spoken = made_of(read, "{from: t.txt, params: {text: '{line}', voice: Ann}}", files=files)
    assert spoken == [
        ("good-morning", None, {"text": "Good morning", "voice": "Ann"}),
        ("good-night", None, {"text": "Good night", "voice": "Ann"}),
    ]
    both = made_of(read, "{from: t.txt, prompt: '{line}', params: {text: '{line}'}}", files=files)
    assert both[0][1:] == ("Good morning", {"text": "Good morning"})
    named = made_of(read, "{from: t.txt, id: '{line}'}", files=files)
    assert named[0][:2] == ("good-morning", "Good morning")


def test_an_axis_and_a_table_have_to_go_in_somewhere(complain: Complain) -> None:
    assert complain(TOP + "  - {params: {image: asset_1}, matrix: {f: [1, 2]}}\n") == [
        (
            "jobs.yaml:4:41: f is not used in prompt or params, so its values make equal jobs; "
            "to buy the same again write repeat: 2"
        )
    ]
    files = {"t.csv": "prompt\na cat\na dog\n"}
    assert complain(TOP + "  - {params: {image: asset_1}, from: t.csv}\n", files=files) == [
        (
            "jobs.yaml:4:38: no column of t.csv is used in prompt or params, so its rows make equal jobs; "
            "to buy the same again write repeat: 2"
        )
    ]


TEXT = {"name": "text", "type": "string"}


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (SPEECH, "text"),
        (CUT_OUT, None),
        (promptless(TEXT, {"name": "lyrics", "type": "string"}), None),  # two: nobody knows which
        (
            promptless({"name": "words", "type": "string", "prompt": True}, TEXT),
            "words",
        ),  # the service's own mark
        (promptless({"name": "speech", "type": "string", "required": {"always": True}}), "speech"),
        (
            promptless({"name": "voice", "type": "string", "maxLength": 20, "required": {"always": True}}),
            None,
        ),
        (promptless({"name": "text", "type": "string", "allowedValues": ["a"]}), None),
        (promptless({"name": "text", "type": "string_array"}), None),
        (promptless({"name": "style", "type": "string"}), None),
    ],
)
def test_a_text_is_told_from_other_strings_only_where_it_is_clear(model: Model, name: str | None) -> None:
    assert declare(model).text_input == name


def test_a_prompt_for_a_model_that_takes_none_says_where_it_goes() -> None:
    assert complaints({"text": "x"}, SPEECH, prompt="Hello there") == [
        (
            "prompt: prompt: there is no such input; it takes text and voice; write params: "
            '{text: "Hello there"} in place of prompt'
        )
    ]
    assert complaints({"image": "asset_1"}, CUT_OUT, prompt="x", off=frozenset({"prompt"})) == []


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ({"required": {"always": True}}, ["prompt: prompt: missing; it is always needed"]),
        ({"required": {"always": True}, "default": "a cat"}, []),
        ({}, []),
        ({"required": {"ifNotDefined": {"n": "give one"}}}, ["prompt: prompt: missing; give one"]),
        ({"required": {"ifDefined": {"n": "give one"}}}, []),
    ],
)
def test_a_prompt_is_needed_exactly_where_the_model_says_so(says: dict[str, Json], found: list[str]) -> None:
    model = promptless({"name": "prompt", "type": "string", **says}, {"name": "n", "type": "number"})
    assert complaints({}, model, prompt=None) == found
    assert complaints({"n": 1}, made({"name": "n", "type": "number"}), prompt=None) == []


@pytest.mark.parametrize("model", RECORDED.values(), ids=RECORDED)
def test_what_is_missing_is_named_whatever_the_model(model: Model) -> None:
    needed = {
        name for name, one in declare(model).inputs.items() if one.required.always and one.default is None
    }
    assert {one.split(":")[0].removeprefix("params/") for one in complaints({}, model, prompt=None)} == needed
