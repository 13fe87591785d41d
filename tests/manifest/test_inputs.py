from typing import Any

import pytest

from batchgen.catalog.inputs import MOST_PROBLEMS, check_jobs
from batchgen.model import Job, Model
from tests.manifest.declared_models import RECORDED, SourceFile, check, complaints, made

IMAGEN = RECORDED["model_imagen4-ultra"]
GPT = RECORDED["model_openai-gpt-image-2"]
PATINA = RECORDED["model_patina-material"]
SEEDANCE = RECORDED["model_bytedance-seedance-2-0"]


def number(**says: Any) -> Model:
    return made({"name": "n", "type": "number", **says})


def test_an_unknown_input_is_named_with_what_may_have_been_meant() -> None:
    assert complaints({"aspectratio": "1:1"}, IMAGEN) == [
        "params/aspectratio: aspectratio: there is no such input; did you mean aspectRatio?"
    ]
    assert complaints({"zzz": 1}, IMAGEN) == [
        "params/zzz: zzz: there is no such input; it takes prompt and aspectRatio"
    ]


def test_a_value_outside_the_closed_set_is_named_with_the_set() -> None:
    assert complaints({"aspectRatio": "5:4"}, IMAGEN) == [
        'params/aspectRatio: aspectRatio: "5:4" is not allowed; did you mean 3:4?'
    ]
    (said,) = complaints({"duration": 3}, SEEDANCE)
    assert said.startswith("params/duration: duration: 3 is not allowed; allowed are -1, 4, 5")
    assert complaints({"duration": 4.0}, SEEDANCE) == []


@pytest.mark.parametrize(
    ("says", "value", "said"),
    [
        ({"min": 1}, 0, "0 is too low; the minimum is 1"),
        ({"max": 2147483647}, 2147483648, "2147483648 is too high; the maximum is 2147483647"),
        ({"min": 16, "step": 16}, 100, "must be 16, 32, ...; nearest to 100 is 96"),
        ({"min": 1, "max": 20, "step": 8}, 20, "must be 1, 9, ...; nearest to 20 is 17"),
        ({"min": 0, "max": 5, "step": 1}, 2.5, "must be 0, 1, ...; nearest to 2.5 is 2"),
        ({}, "12", 'must be a number, not the text "12"; write 12 without quotes'),
        ({}, "many", 'must be a number, not the text "many"'),
        ({}, True, "must be a number, not true"),
        ({}, [1], "must be a number, not a list"),
    ],
)
def test_a_number_is_held_to_its_bounds(says: dict[str, Any], value: object, said: str) -> None:
    assert complaints({"n": value}, number(**says)) == [f"params/n: n: {said}"]


@pytest.mark.parametrize(
    ("says", "value"),
    [
        ({"min": 0, "max": 5, "step": 1}, 3.0),  # an integer all the same
        ({"min": 0, "max": 1, "step": 0.1}, 0.3),
        ({"min": 0, "max": 1}, 0.5),  # whole bounds do not make whole numbers
        ({"allowedValues": [0, 2, 4]}, 2.0),
        ({"min": "low", "step": 0, "allowedValues": []}, 7),  # bounds that are none
        ({"min": 1}, None),  # taken away, and so not given
    ],
)
def test_a_number_within_its_bounds_is_let_through(says: dict[str, Any], value: object) -> None:
    assert complaints({"n": value}, number(**says)) == []


def test_a_number_that_is_meant_as_text_is_shown_in_quotes() -> None:
    model = made({"name": "look", "type": "string"})
    assert complaints({"look": 16.5}, model) == [
        'params/look: look: must be text, not a number; write "16.5"'
    ]
    assert complaints({"look": True}, model) == ['params/look: look: must be text, not true; write "true"']


def test_a_number_of_a_table_becomes_text_and_is_checked_as_that() -> None:
    model = made({"name": "size", "type": "string", "allowedValues": ["1", "2"]})
    assert complaints({"size": 2}, model, literal=False) == []
    assert complaints({"size": 3}, model, literal=False) == [
        'params/size: size: "3" is not allowed; allowed are 1 and 2'
    ]


def test_lengths_are_characters_of_a_text_and_items_of_a_list() -> None:
    model = made(
        {"name": "look", "type": "string", "minLength": 2, "maxLength": 3},
        {"name": "looks", "type": "string_array", "minLength": 2, "maxLength": 3},
    )
    assert complaints({"look": "abcd", "looks": ["a" * 99]}, model) == [
        "params/look: look: 4 characters; the maximum is 3",
        "params/looks: looks: 1 item; the minimum is 2",
    ]
    assert complaints({"look": "", "looks": []}, model) == []  # not given


def test_a_bare_value_for_a_list_is_refused_because_it_would_be_dropped_and_paid() -> None:
    assert complaints({"maps": "normal"}, PATINA) == [
        (
            "params/maps: maps: must be a list: the service ignores text and charges all the same; "
            "write [normal]"
        )
    ]
    (said,) = complaints({"referenceImages": {"file": "a.png", "sha256": "0"}}, GPT)
    assert said.endswith("write [ ] around it")


def test_items_of_a_list_are_checked_one_by_one_at_their_places() -> None:
    assert complaints({"maps": ["normal", "base", 3]}, PATINA) == [
        'params/maps/1: maps[1]: "base" is not allowed; did you mean basecolor?',
        'params/maps/2: maps[2]: must be text, not a number; write "3"',
        (
            'params/maps/2: maps[2]: "3" is not allowed; allowed are basecolor, normal, roughness, metalness '
            "and height"
        ),
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("asset_abc", None),
        ("data:image/png;base64,AAAA", None),
        ({"file": "a.PNG", "sha256": "0"}, None),
        ({"file": "a.unheard", "sha256": "0"}, None),
        ({"file": "clip.mp4", "sha256": "0"}, '"clip.mp4" is video; image is needed'),
        ("https://example.com/a.png", "the service takes no URLs"),
        ("refs/a.png", "for a file of this machine write {file: refs/a.png}"),
        ("abc", '"abc" is not an asset_... id'),
        (3, "must be a file, not a number"),
    ],
)
def test_a_file_is_an_asset_or_a_local_file_of_the_right_kind(value: object, said: str | None) -> None:
    found = complaints({"image": value}, PATINA)
    assert len(found) == (said is not None)
    assert all(said is not None and said in one for one in found)
    assert all(one.startswith("params/image: image: ") for one in found)


def test_a_boolean_is_not_a_word() -> None:
    (said,) = complaints({"enablePromptExpansion": "no"}, PATINA)
    assert said.endswith(': must be true or false, not the text "no"; write false')


def test_what_is_inside_a_list_of_mappings_is_checked_too() -> None:
    start = {"name": "start", "type": "number", "min": 0, "required": {"always": True}}
    model = made({"name": "cuts", "type": "inputs_array", "inputs": [start]})
    assert complaints({"cuts": [{"start": 1}, {"start": -1, "end": 2}, {}, 5]}, model) == [
        "params/cuts/1/start: cuts[1].start: -1 is too low; the minimum is 0",
        "params/cuts/1/end: cuts[1].end: there is no such input; it takes start",
        "params/cuts/2/start: cuts[2].start: missing; it is always needed",
        "params/cuts/3: cuts[3]: must be a mapping of start, not a number",
    ]


def test_a_missing_input_is_named_in_the_words_of_the_service() -> None:
    assert complaints({"mask": "asset_1"}, PATINA) == [
        "params/image: image: missing; An image is required when a mask is provided"
    ]


def test_the_prompt_is_checked_in_every_job_by_itself() -> None:
    model, shared = made(), {"x": 1}
    jobs = tuple(Job(id=str(n), prompt="a" * n, model=model.id, params=shared) for n in (3, 51, 52))
    found = check_jobs(SourceFile(jobs, off=frozenset({"x"})), {model.id: model}).problems
    assert [one.source for one in found] == ["1/prompt", "2/prompt"]


def test_a_model_without_a_prompt_says_so_at_the_prompt() -> None:
    model = made()
    silent = Model(id=model.id, name="", inputs=number().inputs[1:])
    assert complaints({}, silent) == ["prompt: prompt: there is no such input; it takes n; leave prompt out"]


def test_inputs_that_are_unchecked_are_left_alone() -> None:
    assert complaints({"mask": "x", "zzz": 1}, PATINA, off=frozenset({"mask", "zzz", "image"})) == []


def test_a_seed_that_will_be_derived_counts_as_given() -> None:
    model = made({"name": "seed", "type": "number", "required": {"always": True}})
    assert complaints({}, model) == []


def test_jobs_that_share_their_parameters_share_one_problem() -> None:
    shared = {"aspectRatio": "5:4"}
    jobs = tuple(Job(id=str(n), prompt=f"{n}", model=IMAGEN.id, params=shared) for n in range(30_000))
    (one,) = check_jobs(SourceFile(jobs), {IMAGEN.id: IMAGEN}).problems
    assert one.source == "0/params/aspectRatio"
    assert "(30,000 jobs)" in one.text


def test_no_more_problems_are_made_than_anybody_reads() -> None:
    jobs = tuple(
        Job(id=str(n), prompt="p", model=IMAGEN.id, params={"aspectRatio": f"{n}"}) for n in range(3_000)
    )
    *found, last = check_jobs(SourceFile(jobs), {IMAGEN.id: IMAGEN}).problems
    assert len(found) == MOST_PROBLEMS
    assert "not listed" in last.text
    assert len(check_jobs(SourceFile(jobs[:MOST_PROBLEMS]), {IMAGEN.id: IMAGEN}).problems) == MOST_PROBLEMS


def test_what_is_required_by_the_values_of_others_is_looked_at_in_every_job() -> None:
    rule = {"required": {"conditional": {"values": {"mode": ["edit"]}}}}
    model = made({"name": "mode", "type": "string"}, {"name": "image", "type": "file", **rule})
    jobs = tuple(
        Job(id=mode, prompt="p", model=model.id, params={"mode": mode}) for mode in ("draw", "edit", "draw")
    )
    found = check_jobs(SourceFile(jobs), {model.id: model}).problems
    assert [(one.source, one.text) for one in found] == [
        ("1/params/image", "image of model_made: missing; it is needed with this mode")
    ]


def test_only_the_jobs_that_are_asked_for_are_checked() -> None:
    jobs = tuple(Job(id=str(n), prompt="p", model=IMAGEN.id, params={"zzz": n}) for n in range(3))
    found = check_jobs(SourceFile(jobs), {IMAGEN.id: IMAGEN}, [1]).problems
    assert [one.source for one in found] == ["1/params/zzz"]


def test_what_cannot_be_checked_is_noted_and_stops_nobody() -> None:
    rule = {"required": {"ifNotDefined": {"firstFrame": {"message": "no"}}}}
    model = made({"name": "look", "type": "string", **rule}, {"name": "new", "type": "hologram"})
    findings = check({"new": 1}, model)
    assert findings.problems == ()
    assert findings.notes == (
        "model_made: a rule of look names firstFrame, which is not declared; it is passed over",
        "model_made: new cannot be checked: of a type that is new to this batchgen",
    )


def test_trained_models_are_explained() -> None:
    findings = check({}, made(type="flux.1-lora", parentModelId="model_base"))
    assert findings.problems == ()
    assert "is a LoRA (flux.1-lora)" in findings.notes[0]
    assert "base model model_base" in findings.notes[0]
    bare = Model(id="model_bare", name="", inputs=(), type="flux.1-composition")
    assert ["composition" in check({"a": 1}, bare).notes[0], "no inputs" in check({}, bare).notes[1]] == [
        True,
        True,
    ]


MADE_OF = {
    "picture": made(capabilities=["txt2img", "img2img"], id="model_picture"),
    "mesh": made(capabilities=["img23d"], id="model_mesh"),
    "clip": made(capabilities=["txt2video"], id="model_clip"),
    "voice": made(capabilities=["txt2audio"], id="model_voice"),
    "text": made(capabilities=["txt2txt", "img2txt"], id="model_text"),
    "new": made(capabilities=["txt2img", "txt2smell"], id="model_new"),
    "unsaid": made(id="model_unsaid"),
}


def fits(value: object, *, many: bool = False, **says: Any) -> list[str]:
    """What is said of a value whose jobs are called by what they make, warnings last."""
    element = {"name": "it", "type": "file_array" if many else "file", **says}
    tool = made(element, id="model_tool")
    jobs = tuple(Job(id=name, prompt="x", model=one.id) for name, one in MADE_OF.items())
    sheet = SourceFile((*jobs, Job(id="last", prompt="x", model="model_tool", params={"it": value})))
    models = {one.id: one for one in (*MADE_OF.values(), tool)}
    found = check_jobs(sheet, models)
    return [
        f"{one.source.removeprefix('7/params/')}: {one.text.partition(': ')[2]}"
        for one in (*found.problems, *found.warnings)
    ]


@pytest.mark.parametrize("kind", ["image", "image,video", "image-hdr", "image,smell", ""])
@pytest.mark.parametrize("name", ["picture", "new", "unsaid", "gone"])
def test_what_may_fit_or_is_not_known_goes_in(kind: str, name: str) -> None:
    assert fits({"job": name}, kind=kind) == []
    assert fits([{"job": name}, "asset_1", {"job": name, "outputs": "all"}], many=True, kind=kind) == []


@pytest.mark.parametrize(
    ("name", "kind", "makes"),
    [
        ("mesh", "image", "3d"),
        ("clip", "image,image-hdr", "video"),
        ("voice", "video", "audio"),
        ("picture", "3d", "image"),
        ("picture", "audio,video", "image"),
    ],
)
def test_what_another_kind_comes_out_of_cannot_go_in(name: str, kind: str, makes: str) -> None:
    (said,) = fits({"job": name}, kind=kind)
    assert said.startswith("it: ")
    assert said.endswith(f" is needed, and model_{name} makes {makes}")
    (said,) = fits(["asset_1", {"job": name}], many=True, kind=kind)
    assert said.startswith("it/1: ")


def test_a_picture_beside_a_mesh_may_be_meant_where_a_number_says_which() -> None:
    (said,) = fits({"job": "mesh", "output": 1}, kind="image")
    assert said == "it: image is needed, and model_mesh makes 3d"
    assert fits({"job": "mesh", "output": 1}, kind="3d") == []


@pytest.mark.parametrize(
    ("which", "asked", "usual", "said"),
    [
        (
            {},
            2,
            1,
            "pair is to make 2 assets, and one goes in; write {job: pair, output: 0} for the first",
        ),
        (
            {},
            None,
            4,
            "pair is to make 4 assets, and one goes in; write {job: pair, output: 0} for the first",
        ),
        ({"output": 2}, 2, 1, "pair is to make 2 assets, the last of which is output 1"),
        ({"output": 1}, None, 1, "pair is to make 1 asset, the only one of which is output 0"),
        ({"output": 1}, 2, 1, None),
        ({"outputs": "all"}, 2, 1, None),
        ({}, 1, 4, None),
        ({}, None, None, None),
        ({"output": 5}, None, None, None),
    ],
)
def test_a_parent_that_is_to_make_another_number_of_assets_is_warned_of(
    which: dict[str, Any], asked: int | None, usual: int | None, said: str | None
) -> None:
    count = [] if usual is None else [{"name": "numOutputs", "type": "number", "default": usual}]
    pair = made(*count, {"name": "prompt", "type": "string"}, id="model_pair")
    tool = made({"name": "it", "type": "file_array"}, id="model_tool")
    jobs = (
        Job(id="pair", prompt="x", model="model_pair", params={"numOutputs": asked} if asked else {}),
        Job(id="last", model="model_tool", params={"it": [{"job": "pair", **which}]}),
    )
    found = check_jobs(SourceFile(jobs), {one.id: one for one in (pair, tool)})
    assert [one.text for one in found.problems] == []
    told = [
        one.text.partition(": ")[2].removesuffix(", or keep one of them when they are made")
        for one in found.warnings
    ]
    assert told == ([said] if said else [])


def test_no_text_goes_into_another_job() -> None:
    for kind in ("image", "text", "document", ""):
        assert fits({"job": "text"}, kind=kind) == [
            "it: model_text makes text, and no text of another job can go in"
        ]


@pytest.mark.parametrize(
    ("value", "many", "said"),
    [
        ({"job": "picture", "outputs": "all"}, True, None),
        ([{"job": "picture", "outputs": "all"}], True, None),
        ({"job": "picture", "outputs": "all"}, False, "takes one file, and outputs: all gives as many"),
        ([{"job": "picture"}], False, "takes one file, not a list of 1; write one of them without the [ ]"),
        ({"job": "picture", "output": 0}, True, "write [{job: picture, output: 0}]"),
        ({"job": "picture", "ouput": 0}, False, "has no other key; here ouput"),
        ([{"job": "a"}, {"job": "b"}, {"job": "c", "outputs": "all"}], True, "3 items; the maximum is 2"),
    ],
)
def test_one_file_takes_one_and_a_list_takes_a_list(value: object, many: bool, said: str | None) -> None:
    found = fits(value, many=many, kind="image", maxLength=2, minLength=2)
    assert [said in one for one in found] == [True] if said else found == []


def test_another_job_goes_into_files_alone() -> None:
    for word, right in (("string", "text"), ("number", "a number"), ("boolean", "true or false")):
        model = made({"name": "it", "type": word})
        (found,) = complaints({"it": {"job": "a"}}, model)
        assert found == (
            f"params/it: it: takes no file, so nothing that comes out of another job; write {right}"
        )
