"""``{job: ID}``: other jobs as inputs, how they are written, and which job each names."""

from typing import Any

import pytest

from batchgen.model import Json
from tests.manifest.conftest import Complain, Read

TOP = (
    "version: 1\nvars: {set: a, none: ''}\ndefaults: {model: m}\njobs:\n"
    "  - {id: 'k-{p}', prompt: '{p}', matrix: {p: [a, deep run]}}\n"
)
AT = "jobs.yaml:6:"


def params(read: Read, entry: str, **options: Any) -> list[dict[str, Json]]:
    return [dict(job.params) for job in read(f"{TOP}  - {entry}\n", **options).jobs[2:]]


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("{params: {i: {job: k-a}}}", {"i": {"job": "k-a"}}),
        ("{params: {i: {job: k-a, output: 2}}}", {"i": {"job": "k-a", "output": 2}}),
        ("{params: {i: {job: k-a, outputs: all}}}", {"i": {"job": "k-a", "outputs": "all"}}),
        ("{params: {i: [{job: k-a}, asset_1]}}", {"i": [{"job": "k-a"}, "asset_1"]}),
        ("{params: {i: [{at: {job: k-a}}]}}", {"i": [{"at": {"job": "k-a"}}]}),
        ("{params: {i: {job: 'k-{set}'}}}", {"i": {"job": "k-a"}}),
        ("{params: {i: {job: 'k-{p}'}}, matrix: {p: a}}", {"i": {"job": "k-a"}}),
        # an id is made of its variables as that job's own is
        ("{params: {i: {job: 'k-{p}'}}, matrix: {p: deep run}}", {"i": {"job": "k-deep-run"}}),
        ("{params: {i: {job: 'k-{p}'}}, vars: {p: deep run}}", {"i": {"job": "k-deep-run"}}),
        ("{params: {i: {job: 'k-a{none?}'}}}", {"i": {"job": "k-a"}}),
        ("{params: {i: {job: '{none?}'}, j: [{job: '{none?}'}]}}", {"j": []}),
        ("{params: {i: {job: k-a, output: '{n}'}}, matrix: {n: 1}}", {"i": {"job": "k-a", "output": 1}}),
        ("{params: {i: {job: k-a, output: '{none?}'}}}", {"i": {"job": "k-a"}}),
        ("{params: {i: '{v}'}, vars: {v: {job: k-a}}}", {"i": {"job": "k-a"}}),
        ("{params: {i: '{v}'}, vars: {v: [{job: k-a, output: 0}]}}", {"i": [{"job": "k-a", "output": 0}]}),
        ("{params: {i: {job: k-a, at: 2}}}", {"i": {"job": "k-a", "at": 2}}),  # another key: a plain mapping
        ("{params: {i: {output: 2}}}", {"i": {"output": 2}}),
    ],
)
def test_a_job_stands_wherever_a_file_may(read: Read, entry: str, found: dict[str, Json]) -> None:
    assert params(read, entry) == [found]


@pytest.mark.parametrize(
    ("name", "text", "entry"),
    [
        ("t.csv", "parent,n\nk-a,0\nk-deep-run,1\n", "{job: '{parent}', output: '{n}'}"),
        (
            "t.jsonl",
            '{"c": {"job": "k-a", "output": 0}}\n{"c": {"job": "k-deep-run", "output": 1}}\n',
            "'{c}'",
        ),
        ("t.yaml", "- {c: {job: k-a, output: 0}}\n- {c: {job: k-deep-run, output: 1}}\n", "'{c}'"),
        ("t.json", '[{"j": "k-a", "n": 0}, {"j": "k-deep-run", "n": 1}]', "{job: '{j}', output: '{n}'}"),
    ],
)
def test_a_table_may_name_jobs(read: Read, name: str, text: str, entry: str) -> None:
    found = params(read, f"{{from: {name}, params: {{i: {entry}}}}}", files={name: text})
    assert found == [{"i": {"job": "k-a", "output": 0}}, {"i": {"job": "k-deep-run", "output": 1}}]


def test_a_job_in_the_defaults_is_replaced_as_a_whole_and_taken_away_by_null(read: Read) -> None:
    text = (
        "version: 1\ndefaults: {model: m, params: {i: {job: a, output: 1}}}\njobs:\n"
        "  - {id: a, params: {i: ~}}\n  - {id: b}\n  - {id: c, params: {i: {job: b}}}\n"
    )
    assert [job.params for job in read(text).jobs] == [
        {},
        {"i": {"job": "a", "output": 1}},
        {"i": {"job": "b"}},
    ]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("i: {job: 7}", 'job takes the id of a job, as text, not a number; write "7"'),
        ("i: {job: }", "job takes the id of a job, as text, not nothing"),
        ("i: {job: [k-a]}", "job takes the id of a job, as text, not a list"),
        ("i: {job: ''}", "job takes the id of a job, and here is none"),
        ("i: {job: k-a, output: -1}", "output takes the number of an asset, from 0, not -1"),
        ("i: {job: k-a, output: 1.5}", "output takes the number of an asset, from 0, not 1.5"),
        ("i: {job: k-a, output: true}", "output takes the number of an asset, from 0, not true"),
        ("i: {job: k-a, output: '0'}", "output takes the number of an asset, from 0, not text"),
        ("i: {job: k-a, output: all}", "output takes the number of an asset, from 0, not text"),
        ("i: {job: k-a, output: }", "output takes the number of an asset, from 0, not nothing"),
        ("i: {job: k-a, outputs: 2}", "outputs takes all, not a number; for one of them write output: 0"),
        ("i: {job: k-a, outputs: ALL}", "outputs takes all, not ALL; for one of them write output: 0"),
        (
            "i: {job: k-a, output: 0, outputs: all}",
            "output picks one asset and outputs takes all of them; leave one of the two out",
        ),
        ("i: {job: 'k-{'}", "a { opens no variable; write {{ for a brace in the text"),
    ],
)
def test_what_no_reference_can_be_is_a_problem_at_its_place(
    complain: Complain, entry: str, said: str
) -> None:
    (found,) = complain(f"{TOP}  - {{params: {{{entry}}}}}\n")
    assert found == f"{AT}{24 if 'opens' in said else 18}: params.i: {said}"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{params: {i: {job: k-b}}}", '18: params.i: no job has the id "k-b"; did you mean k-a?'),
        ("{params: {i: {job: K-A}}}", '18: params.i: no job has the id "K-A"; did you mean k-a?'),
        ("{params: {i: {job: zzz}}}", '18: params.i: no job has the id "zzz"'),
        (
            "{params: {i: {job: k}}}",
            (
                '18: params.i: no job has the id "k"; k is an entry: from: {jobs: k} '
                "makes a row for each of its jobs"
            ),
        ),
        ("{id: x, params: {i: {job: x}}}", '25: params.i: "x" goes into itself'),
        ("{params: {i: [asset_1, {job: no}]}}", '28: params.i: no job has the id "no"'),
        ("{params: {i: '{v}'}, vars: {v: {job: no}}}", '18: params.i: no job has the id "no"'),
    ],
)
def test_a_reference_names_exactly_one_job(complain: Complain, entry: str, said: str) -> None:
    assert [line.split(":", 2)[2] for line in complain(f"{TOP}  - {entry}\n")] == [said]


def test_a_row_that_names_no_job_is_named_with_its_line_and_many_are_cut_short(complain: Complain) -> None:
    files = {"t.csv": "parent\nk-a\nk-deep-rum\n" + "zz\n" * 30}
    found = complain(f"{TOP}  - {{from: t.csv, params: {{i: {{job: '{{parent}}'}}}}}}\n", files=files)
    assert found[0] == 't.csv:3: params.i: no job has the id "k-deep-rum"; did you mean k-deep-run?'
    assert len(found) == 4
    assert "more rows like this (lines" in found[-1]


def test_a_variable_that_holds_no_input_is_a_problem_and_not_an_accident(complain: Complain) -> None:
    text = (
        "version: 1\nvars: {f: {file: no.png}, j: {job: 1}, k: {job: a, output: x}}\n"
        "defaults: {model: m, params: {d: '{f}'}}\njobs:\n  - {id: a, params: {j: '{j}', k: '{k}'}}\n"
    )
    assert complain(text) == [
        "jobs.yaml:3:34: params.d: no.png: there is no such file",
        'jobs.yaml:5:25: params.j: job takes the id of a job, as text, not a number; write "1"',
        "jobs.yaml:5:35: params.k: output takes the number of an asset, from 0, not text",
    ]


def test_circles_are_named_the_way_round_each_once(complain: Complain) -> None:
    text = (
        "version: 1\ndefaults: {model: m}\njobs:\n"
        "  - {id: a, params: {i: {job: c}}}\n  - {id: b, params: {i: {job: a}}}\n"
        "  - {id: c, params: {i: [asset_1, {job: b}]}}\n  - {id: d, params: {i: {job: a}}}\n"
        "  - {id: x, params: {i: {job: y}}}\n  - {id: y, params: {i: {job: x, output: 1}}}\n"
        "  - {id: z, params: {i: {job: z}}}\n"
    )
    assert complain(text) == [
        "jobs.yaml:4:25: params.i: a circle of jobs, of which none can be first: a -> b -> c -> a",
        "jobs.yaml:8:25: params.i: a circle of jobs, of which none can be first: x -> y -> x",
        'jobs.yaml:10:25: params.i: "z" goes into itself',
    ]


def test_a_long_circle_is_named_in_short(complain: Complain) -> None:
    jobs = "".join(f"  - {{id: j{n}, params: {{i: {{job: j{(n + 1) % 50}}}}}}}\n" for n in range(50))
    (said,) = complain(f"version: 1\ndefaults: {{model: m}}\njobs:\n{jobs}")
    assert said.endswith("j0 -> j49 -> j48 -> j47 -> j46 -> ... 44 more ... -> j1 -> j0")


def test_a_chain_may_be_as_long_as_a_manifest(read: Read) -> None:
    rows = "".join(f"j{n},j{n + 1}\n" for n in range(30_000))
    text = (
        "version: 1\ndefaults: {model: m}\njobs:\n  - {id: j30000}\n"
        "  - {id: '{id}', from: t.csv, params: {i: {job: '{parent}'}}}\n"
    )
    manifest = read(text, files={"t.csv": f"id,parent\n{rows}"})
    assert manifest.jobs[1].params == {"i": {"job": "j1"}}
    assert manifest.warnings == ()


def test_jobs_of_other_files_are_named_like_those_of_this_one(read: Read) -> None:
    files = {"more.yaml": "version: 1\njobs:\n  - {id: big, model: m, params: {i: {job: a}}}\n"}
    text = (
        "version: 1\ninclude: more.yaml\njobs:\n  - {id: a, model: m, params: {i: asset_1}}\n"
        "  - {id: b, model: m, params: {i: {job: big}}}\n"
    )
    assert [job.params["i"] for job in read(text, files=files).jobs] == [
        "asset_1",
        {"job": "big"},
        {"job": "a"},
    ]


@pytest.mark.parametrize(
    ("entry", "ids"),
    [
        ("{params: {i: {job: k-a}}, model: model_cut-out}", ["k-a-cut-out"]),
        ("{params: {i: {job: 'k-{p}'}}, matrix: {p: [a, deep run]}}", ["k-a-m", "k-deep-run-m"]),
        ("{params: {i: {job: k-a}}, model: [model_x, model_y]}", ["k-a-x", "k-a-y"]),
        ("{params: {i: {job: k-a}, by: '{n}'}, matrix: {n: [2x, 4x]}}", ["k-a-m-2x", "k-a-m-4x"]),
        ("{params: {i: {job: k-a}, text: hello}}", ["k-a-m"]),
        ("{prompt: a red fox, params: {i: {job: k-a}}}", ["a-red-fox"]),
        ("{params: {i: {job: k-a}}, repeat: 2}", ["k-a-m", "k-a-m-2"]),
    ],
)
def test_a_job_that_is_about_another_one_is_called_by_it_and_by_what_is_done(
    read: Read, entry: str, ids: list[str]
) -> None:
    assert [job.id for job in read(f"{TOP}  - {entry}\n").jobs[2:]] == ids


def test_jobs_ask_for_the_same_only_where_their_parents_are_the_same(read: Read) -> None:
    same = "  - {id: x, params: {i: {job: k-a}}}\n  - {id: y, params: {i: {job: k-deep-run}}}\n"
    assert read(TOP + same).warnings == ()
    other = "  - {id: z, params: {i: {job: k-a, output: 0}}}\n  - {id: w, params: {j: {job: k-a}}}\n"
    assert read(TOP + same + other).warnings == ()
    (said,) = read(f"{TOP}{same}  - {{id: z, params: {{i: {{job: k-a}}}}}}\n").warnings
    assert said.text.startswith("asks for the same as line 6")
