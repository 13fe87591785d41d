"""What a manifest takes from beside it: files as inputs, prompts in files, other manifests, variables."""

import hashlib
import os
from pathlib import Path

import pytest

from batchgen.manifest.tables import files as local
from tests.manifest.conftest import Complain, Read

TOP = "version: 1\ndefaults: {model: m}\njobs:\n"
INK, PEN = hashlib.sha256(b"ink").hexdigest(), hashlib.sha256(b"pen").hexdigest()


def test_a_local_file_is_its_path_and_what_is_in_it(read: Read) -> None:
    text = TOP + "  - {prompt: x, params: {image: {file: a.png}, refs: [asset_1, {file: b/c.png}]}}\n"
    manifest = read(text, files={"in/a.png": "ink", "in/b/c.png": "pen"}, name="in/jobs.yaml")
    assert manifest.jobs[0].params == {
        "image": {"file": "a.png", "sha256": INK},
        "refs": ["asset_1", {"file": "b/c.png", "sha256": PEN}],
    }
    assert manifest.files == {INK: Path("in/a.png").resolve(), PEN: Path("in/b/c.png").resolve()}


def test_a_path_may_be_filled_in_by_a_row_a_variable_or_the_environment(read: Read) -> None:
    text = (
        "version: 1\nvars: {set: art}\ndefaults: {model: m}\njobs:\n"
        "  - {prompt: '{n}', from: t.csv, params: {image: {file: '${SET}/{set}/{n}.png'}, "
        "again: {file: '{n}.png'}}}\n"
    )
    files = {"t.csv": "n\na\n", "a.png": "ink", "s{}/art/a.png": "pen"}
    assert read(text, files=files, environ={"SET": "s{}"}).jobs[0].params == {
        "image": {"file": "s{}/art/a.png", "sha256": PEN},
        "again": {"file": "a.png", "sha256": INK},
    }


def test_a_row_may_hold_the_whole_value(read: Read) -> None:
    files = {"t.jsonl": '{"p": "x", "r": [{"file": "a.png"}]}\n', "a.png": "ink"}
    text = TOP + "  - {prompt: '{p}', from: t.jsonl, params: {refs: '{r}'}}\n"
    assert read(text, files=files).jobs[0].params == {"refs": [{"file": "a.png", "sha256": INK}]}


def test_jobs_that_name_the_same_file_share_its_value_and_it_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"ink")
    found = local.Files()
    first = local.Filing(found, tmp_path)({"file": "a.png"})
    path.unlink()
    assert local.Filing(found, tmp_path)({"file": "./a.png"})["sha256"] == first["sha256"] == INK


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ("image: {file: none.png}", "jobs.yaml:4:33: params.image: none.png: there is no such file"),
        ("a: [x, {file: empty.png}]", "jobs.yaml:4:33: params.a: empty.png: is empty"),
        ("image: {file: .}", "jobs.yaml:4:33: params.image: .: is a folder, not a file"),
        ("image: {file: pipe}", "jobs.yaml:4:33: params.image: pipe: is not a regular file"),
        ("image: {file: 12}", "jobs.yaml:4:33: params.image: file takes the path of a file, as text"),
        (
            "image: {file: a.png, kind: b}",
            (
                "jobs.yaml:4:33: params.image: a local file is written {file: a.png} and has no other key; "
                "here kind"
            ),
        ),
        (
            "i: {file: '${NOPE}/x'}",
            "jobs.yaml:4:25: params: the environment variable NOPE is not set",
        ),
        ("i: {file: '{x}.png'}", "jobs.yaml:4:36: unknown variable {x}"),
    ],
)
def test_a_file_that_cannot_be_sent_is_a_problem_at_its_place(
    complain: Complain, tmp_path: Path, params: str, expected: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    found = complain(
        TOP + f"  - {{prompt: x, params: {{{params}}}}}\n", files={"empty.png": "", "a.png": "ink"}
    )
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_a_file_that_a_row_names_is_a_problem_of_the_row(complain: Complain) -> None:
    text = TOP + "  - {prompt: '{n}', from: t.csv, params: {image: {file: '{n}.png'}}}\n"
    assert complain(text, files={"t.csv": "n\na\nb\n", "a.png": "ink"}) == [
        "t.csv:3: params: b.png: there is no such file"
    ]


def test_a_prompt_may_be_a_file_with_variables(read: Read) -> None:
    text = TOP + "  - {prompt: [{file: p/x.txt}, 'a {m}'], matrix: {m: [oak]}}\n"
    manifest = read(text, files={"in/p/x.txt": "an {m} tower,\nat night\n"}, name="in/jobs.yaml")
    assert [job.prompt for job in manifest.jobs] == ["an oak tower,\nat night", "a oak"]
    assert not manifest.is_literal(0, "prompt")
    assert str(manifest.place_of(0, "prompt")) == "in/jobs.yaml:4:15"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a { b", "prompt in x.txt: a { opens no variable; write {{ for a brace in the text"),
        (" \n", "prompt: x.txt: is empty"),
        (
            "{m}",
            "unknown variable {m}; there is no matrix and no table here (write {{ and }} for braces in text)",
        ),
    ],
)
def test_what_is_wrong_with_a_prompt_in_a_file_is_said_where_it_is_named(
    complain: Complain, content: str, expected: str
) -> None:
    assert complain(TOP + "  - {prompt: {file: x.txt}}\n", files={"x.txt": content}) == [
        f"jobs.yaml:4:14: {expected}"
    ]


def test_the_lines_of_a_text_file_are_prompts(read: Read) -> None:
    jobs = read(TOP + "  - {from: t.txt}\n", files={"t.txt": "a castle\n\nan inn\n"}).jobs
    assert [(job.id, job.prompt) for job in jobs] == [("a-castle", "a castle"), ("an-inn", "an inn")]
    jobs = read(TOP + "  - {from: t.txt, prompt: '{line}, oil'}\n", files={"t.txt": "a castle\n"}).jobs
    assert jobs[0].prompt == "a castle, oil"


def test_a_column_may_name_the_model_and_keeps_a_number_a_number(read: Read, complain: Complain) -> None:
    text = "version: 1\njobs: [{prompt: '{p}', model: '{model}', params: {seed: '{s}'}, from: t.csv}]\n"
    jobs = read(text, files={"t.csv": "p,model,s\nx,model_a,7\ny,b,8\n"}).jobs
    assert [(job.id, job.model, job.params) for job in jobs] == [
        ("x-model-a-7", "model_a", {"seed": 7}),
        ("y-b-8", "b", {"seed": 8}),
    ]
    assert complain(text, files={"t.csv": "p,model,s\nx,a b,7\n"}) == [
        't.csv:2: model: "a b" is not a model id; one looks like model_imagen4-ultra'
    ]


def test_variables_of_the_whole_manifest_are_in_every_text(read: Read) -> None:
    text = """version: 1
vars: {style: oil, steps: 30, refs: [a, b], m: model_x}
jobs:
  - {id: "x-{style}", prompt: "{style} {{style}}", model: "{m}", params: {n: "{steps}", r: "{refs}"}}
"""
    job = read(text).jobs[0]
    assert (job.id, job.prompt, job.model) == ("x-oil", "oil {style}", "model_x")
    assert job.params == {"n": 30, "r": ["a", "b"]}


def test_a_name_with_two_meanings_is_a_problem(complain: Complain) -> None:
    text = "version: 1\nvars: {a: 1, b: ~}\njobs:\n  - {prompt: '{a}', model: m, matrix: {a: [x]}}\n"
    assert complain(text) == [
        "jobs.yaml:2:17: vars.b: has no value; write one or leave it out",
        "jobs.yaml:4:40: a is one of the vars too; rename the axis",
    ]
    assert complain(text.replace(", b: ~", "")) == [
        "jobs.yaml:4:40: a is one of the vars too; rename the axis"
    ]


def test_null_takes_a_default_away_and_mappings_are_merged(read: Read, complain: Complain) -> None:
    text = """version: 1
defaults: {model: m, params: {a: 1, b: {c: [1], d: {e: 2}}, f: {file: x.png}}}
jobs:
  - {prompt: x, params: {a: ~, b: {d: {e: ~, g: 3}, c: [2]}, f: {file: y.png}}}
"""
    files = {"x.png": "ink", "y.png": "pen"}
    assert read(text, files=files).jobs[0].params == {
        "b": {"c": [2], "d": {"g": 3}},
        "f": {"file": "y.png", "sha256": PEN},
    }
    assert complain(text.replace("a: ~", "q: ~"), files=files) == [
        "jobs.yaml:4:26: params.q has no value; write one or leave the key out"
    ]


def test_keys_of_the_users_own_hold_anchors(read: Read) -> None:
    text = "version: 1\nx-square: &s {aspectRatio: 1:1}\njobs: [{prompt: x, model: m, params: *s}]\n"
    assert read(text).jobs[0].params == {"aspectRatio": "1:1"}


def test_a_batch_that_repeats_says_how_often_and_where_its_day_begins(read: Read) -> None:
    least = "version: 1\njobs: [{prompt: x, model: m}]\n"
    assert (read(least).period, read(least).tz) == (None, "UTC")
    manifest = read(least + "period: week\ntz: Europe/Paris\n")
    assert (manifest.period, manifest.tz) == ("week", "Europe/Paris")


MAIN = "version: 1\nbatch: b\ninclude: [sub/two.yaml]\ndefaults: {model: m}\njobs: [{prompt: one}]\n"


def test_the_jobs_of_other_manifests_are_taken_in_with_their_own_defaults(read: Read) -> None:
    two = "version: 1\nvars: {v: 2}\ndefaults: {model: n}\ninclude: three.yaml\njobs: [{prompt: 'two {v}'}]\n"
    three = "version: 1\njobs: [{prompt: '{p}', model: o, from: t.csv}]\n"
    files = {"sub/two.yaml": two, "sub/three.yaml": three, "sub/t.csv": "p\nthree\n"}
    manifest = read(MAIN, files=files)
    assert [(job.prompt, job.model) for job in manifest.jobs] == [
        ("one", "m"),
        ("two 2", "n"),
        ("three", "o"),
    ]
    assert str(manifest.place_of(1, "model")) == "sub/two.yaml:3:19"
    assert str(manifest.place_of(2, "prompt")) == "sub/t.csv:2"


@pytest.mark.parametrize(
    ("two", "expected"),
    [
        (
            "version: 1\ninclude: [../jobs.yaml]\njobs: []\n",
            [
                "sub/two.yaml:2:11: include: sub/../jobs.yaml includes itself",
                "sub/two.yaml:3:7: jobs is empty; write a list of jobs under it",
            ],
        ),
        (
            "version: 1\nbatch: c\njobs: [{prompt: x, model: m}]\n",
            ["sub/two.yaml:2:1: batch cannot stand in a manifest that another one includes; write it there"],
        ),
        (
            "version: 1\ninclude: [no.yaml]\njobs: [{prompt: x}]\n",
            [
                "sub/two.yaml:2:11: sub/no.yaml: there is no such file",
                "sub/two.yaml:3:8: model is missing; write model: here or under defaults",
            ],
        ),
        ("jobs: [1\nb: 2", ["sub/two.yaml:1:7: a [ opens here; a comma or the ] is missing behind it"]),
        (
            "version: 1\njobs: [{id: one, prompt: x, model: m}]\n",
            [
                (
                    'sub/two.yaml:2:8: id: "one" is taken, the job at jobs.yaml:5:8 got it from its prompt '
                    "(upper and lower case are one file)"
                )
            ],
        ),
    ],
)
def test_what_is_wrong_with_an_included_manifest_is_said_there(
    complain: Complain, two: str, expected: list[str]
) -> None:
    assert complain(MAIN, files={"sub/two.yaml": two}) == expected


def test_a_manifest_is_included_once_and_chains_end(complain: Complain) -> None:
    again = MAIN.replace("[sub/two.yaml]", "[a.yaml, ./a.yaml]")
    text = "version: 1\njobs: [{prompt: two, model: m}]\n"
    assert complain(again, files={"a.yaml": text}) == [
        (
            "jobs.yaml:3:19: include: a.yaml is included already, at jobs.yaml:3:11; "
            "its jobs would be bought twice"
        )
    ]
    files = {f"{n}.yaml": f"version: 1\ninclude: {n + 1}.yaml\n" for n in range(1, 12)}
    assert complain(MAIN.replace("[sub/two.yaml]", "1.yaml"), files=files) == [
        "9.yaml:2:10: include: 10.yaml: more than 10 files include each other"
    ]
