"""Variables that may have no value: ``{name?}``."""

import json

import pytest

from batchgen import Job, Manifest, ManifestError
from batchgen.manifest.templates import parse
from batchgen.manifest.trees import tree_of
from tests.manifest.conftest import Complain, Read

HEAD = "version: 1\ndefaults: {model: m}\njobs:\n"
CSV = "name,colour,negative\nsword,red,blurry\nshield,,\n"
# params, and what they are where the last two columns are empty and where they are not
PARAMS = [
    ("{n: '{negative?}'}", {}, {"n": "blurry"}),
    ("{n: '{ negative ? }'}", {}, {"n": "blurry"}),
    ("{n: 'no {negative?}!'}", {"n": "no !"}, {"n": "no blurry!"}),
    ("{n: '{negative?}{colour?}'}", {"n": ""}, {"n": "blurryred"}),
    ("{n: [a, '{negative?}', 'b{colour?}']}", {"n": ["a", "b"]}, {"n": ["a", "blurry", "bred"]}),
    ("{n: ['{negative?}']}", {"n": []}, {"n": ["blurry"]}),
    (
        "{n: {deep: {x: '{negative?}', y: 1}}}",
        {"n": {"deep": {"y": 1}}},
        {"n": {"deep": {"x": "blurry", "y": 1}}},
    ),
    ("{n: [{x: '{negative?}'}]}", {"n": [{}]}, {"n": [{"x": "blurry"}]}),
]


@pytest.mark.parametrize(("params", "without", "given"), PARAMS)
def test_an_empty_cell_leaves_out_what_it_is_the_whole_of_and_is_nothing_in_a_text(
    params: str, without: object, given: object, read: Read
) -> None:
    text = f"{HEAD}  - {{from: t.csv, prompt: '{{name}}, {{colour?}} steel', params: {params}}}\n"
    jobs = read(text, files={"t.csv": CSV}).jobs
    assert [one.params for one in jobs] == [given, without]
    assert [one.prompt for one in jobs] == ["sword, red steel", "shield,  steel"]


@pytest.mark.parametrize("row", ['{"name": "b"}', '{"name": "b", "n": null}', '{"name": "b", "n": ""}'])
def test_a_value_that_is_absent_null_or_empty_is_no_value(row: str, read: Read) -> None:
    text = f"{HEAD}  - {{from: t.jsonl, prompt: '{{name}}{{n?}}', params: {{n: '{{n?}}', k: 0}}}}\n"
    jobs = read(text, files={"t.jsonl": '{"name": "a", "n": 0}\n' + row}).jobs
    assert [(one.prompt, one.params) for one in jobs] == [("a0", {"n": 0, "k": 0}), ("b", {"k": 0})]


def test_values_of_axes_and_vars_may_be_empty_too(read: Read) -> None:
    text = (
        "version: 1\nvars: {style: '', hdr: false}\njobs:\n  - prompt: a mill{style?}\n    model: m\n"
        "    matrix: {n: ['', fog]}\n    params: {n: '{n?}', s: '{style?}', l: ['{style?}'], h: '{hdr?}'}\n"
    )
    assert [one.params for one in read(text).jobs] == [
        {"l": [], "h": False},
        {"n": "fog", "l": [], "h": False},
    ]


def test_a_local_file_whose_path_is_empty_is_left_out(read: Read) -> None:
    text = (
        f"{HEAD}  - from: t.csv\n    prompt: '{{name}}'\n"
        "    params: {one: {file: '{f?}'}, many: [{file: '{f?}'}, {file: a.png}]}\n"
    )
    files = {"t.csv": "name,f\nx,a.png\ny,\n", "a.png": "picture"}
    first, second = read(text, files=files).jobs
    assert (len(first.params["many"]), "one" in first.params) == (2, True)
    assert (len(second.params["many"]), "one" in second.params) == (1, False)
    bound = (
        "version: 1\nvars: {f: ''}\njobs:\n  - {prompt: x, model: m, params: {one: {file: '{f?}'}, k: 1}}\n"
    )
    assert read(bound).jobs[0].params == {"k": 1}


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("'{name}-{v?}'", ["sword-2", "shield"]),
        ("'{v?}-{name}'", ["2-sword", "shield"]),
        ("'{name}-{v?}-x'", ["sword-2-x", "shield-x"]),
        ("'{v?}'", ["2", "a-shield"]),
    ],
)
def test_an_id_closes_around_an_empty_value_and_is_made_of_the_prompt_where_nothing_is_left(
    name: str, ids: list[str], read: Read
) -> None:
    text = f"{HEAD}  - {{from: t.csv, id: {name}, prompt: 'a {{name}}'}}\n"
    jobs = read(text, files={"t.csv": "name,v\nsword,2\nshield,\n"}).jobs
    assert [one.id for one in jobs] == ids


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{prompt: '{x?}'}", "jobs.yaml:4:14: unknown variable {x?}; there is no matrix and no table here"),
        ("{from: t.csv, prompt: '{nme?}'}", "jobs.yaml:4:27: unknown variable {nme?}; did you mean name?"),
        (
            "{from: t.csv, prompt: '{name}', params: {n: ['{nagative?}']}}",
            "jobs.yaml:4:50: unknown variable {nagative?}; did you mean negative?",
        ),
        (
            "{from: t.csv, prompt: '{name}', model: '{colour?}'}",
            "jobs.yaml:4:44: model: every job needs a model, so it cannot be optional; write {colour}",
        ),
        ("{from: t.csv, prompt: '{name}{?}'}", "jobs.yaml:4:27: unknown variable {?}"),
        (
            "{from: t.csv, prompt: '{name} {colour}', params: {c: '{colour?}'}}",
            "t.csv:3: colour is empty; where it may be, write {colour?}",
        ),
        ("{from: t.csv, prompt: '{colour?}'}", "t.csv:3: the prompt is empty"),
    ],
)
def test_a_name_nobody_knows_and_a_value_that_is_needed_are_problems_with_the_mark_or_without(
    entry: str, problem: str, complain: Complain
) -> None:
    found = complain(f"{HEAD}  - {entry}\n", files={"t.csv": CSV})
    assert [one for one in found if one.startswith(problem)]


def test_the_names_of_files_have_no_optional_parts(complain: Complain) -> None:
    (found,) = complain(HEAD + "  - {prompt: x}\noutput: {files: '{id?}_{index}'}\n")
    assert found.endswith("output.files: {id} always has a value; write it without the ?")


def test_a_column_that_is_a_question_is_named_as_before(read: Read) -> None:
    params = "{r: '{Red?}', s: '{Red??}'}"
    text = f"{HEAD}  - {{from: t.csv, prompt: 'a {{Red?}} {{name}}', params: {params}}}\n"
    jobs = read(text, files={"t.csv": "name,Red?\nx,yes\ny,no\n"}).jobs
    assert [(one.prompt, one.params) for one in jobs] == [
        ("a yes x", {"r": "yes", "s": "yes"}),
        ("a no y", {"r": "no", "s": "no"}),
    ]


def test_a_job_made_in_python_has_them_too() -> None:
    job = Job(model="m", prompt="a{x?}b", params={"n": "{x?}", "l": ["{x?}", "c"], "k": 1}, vars={"x": ""})
    text = Manifest(batch="b", jobs=[job]).text.decode()
    assert "prompt: ab" in text
    assert "'n'" not in text.replace('"', "'")
    assert text.endswith("  params:\n    l:\n    - c\n    k: 1\n")
    with pytest.raises(ManifestError, match="unknown variable"):
        _ = Manifest(batch="b", jobs=[Job(model="m", prompt="a {y?}", vars={"x": ""})]).text


def test_a_template_knows_which_of_its_names_may_be_empty() -> None:
    template = parse("{a?}{b}{a}{c?}")
    assert (template.names, template.optional) == (("a", "b", "a", "c"), frozenset({"c"}))
    assert template.bind({"b": 1}).optional == {"c"}
    assert template.bind({"c": "x"}).optional == frozenset()
    tree = tree_of({"x": "{a?}", "y": ["{b?} z"], "z": {"k": "{b}"}})
    assert (tree.names, tree.optional) == (("a", "b"), frozenset({"a"}))
    assert json.dumps(tree.render({"a": None, "b": 1})) == '{"y": ["1 z"], "z": {"k": 1}}'
