"""``from: {jobs: ENTRY}``: a row for every job of another entry, with its variables and its id."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.errors import InputError
from batchgen.identity import references_of
from batchgen.manifest.reading import read_manifest
from batchgen.manifest.values import Manifest
from batchgen.model import Json
from tests.manifest.conftest import Complain, Read

TOP = "version: 1\ndefaults: {model: m}\njobs:\n"
KNIGHT = TOP + "  - {entry: knight, id: 'k-{pose}', prompt: '{pose}', matrix: {pose: [idle, run]}}\n"
CUT = "  - {id: '{job}-cut', from: {jobs: knight}, params: {i: {job: '{job}'}}}\n"


def said(manifest: Manifest) -> list[tuple[str, dict[str, Json]]]:
    return [(job.id, dict(job.params)) for job in manifest.jobs]


def sheet(manifest: Manifest) -> dict[str, dict[str, Json]]:
    return {job.id: manifest.variables(number) for number, job in enumerate(manifest.jobs)}


def test_a_row_is_a_job_with_its_variables_and_its_id(read: Read) -> None:
    entry = "  - {id: '{job}-big', from: {jobs: knight}, params: {i: {job: '{job}'}, of: 'a {pose}'}}\n"
    manifest = read(KNIGHT + entry)
    assert said(manifest)[2:] == [
        ("k-idle-big", {"i": {"job": "k-idle"}, "of": "a idle"}),
        ("k-run-big", {"i": {"job": "k-run"}, "of": "a run"}),
    ]
    assert sheet(manifest)["k-run-big"] == {"pose": "run", "job": "k-run"}
    assert manifest.previews == ("knight: 2 poses = 2 jobs", "{job}-big: 2 jobs of knight = 2 jobs")


def test_chains_go_on_and_a_variable_is_known_at_every_step(read: Read) -> None:
    more = (
        "  - {entry: cut, id: '{job}-cut', from: {jobs: knight}, vars: {by: me}, "
        "params: {i: {job: '{job}'}}}\n"
        "  - {entry: big, id: '{job}-{f}', from: {jobs: cut}, params: {i: {job: '{job}'}, f: '{f}'}, "
        "matrix: {f: [2x, 4x]}}\n"
        "  - {id: '{pose}-{f}', from: {jobs: big}, params: {i: {job: '{job}'}, by: '{by}'}}\n"
    )
    manifest = read(KNIGHT + more)
    assert said(manifest)[-1] == ("run-4x", {"i": {"job": "k-run-cut-4x"}, "by": "me"})
    assert sheet(manifest)["run-4x"] == {"pose": "run", "by": "me", "f": "4x", "job": "k-run-cut-4x"}
    assert [manifest.entry(number) for number in range(len(manifest.jobs))][4:] == [*["big"] * 4, *[""] * 4]


ONLY_KEPT = "only mark:kept can stand here, for jobs that a person keeps"


@pytest.mark.parametrize(
    ("name", "table", "found"),
    [
        ("t.csv", "n,w\na,512\nb,1.10\n", [512, 1.1]),
        ("t.jsonl", '{"n": "a", "w": 512}\n{"n": "b", "w": 1.10}\n', [512, 1.1]),
        ("t.yaml", "- {n: a, w: 512}\n- {n: b, w: 1.10}\n", [512, 1.1]),
    ],
)
def test_a_value_is_in_a_later_step_what_it_was_in_the_first(
    read: Read, name: str, table: str, found: list[Json]
) -> None:
    text = (
        f"{TOP}  - {{entry: first, id: '{{n}}', from: {name}, prompt: '{{n}} {{w}}', "
        "params: {w: '{w}'}}\n"
        "  - {entry: next, id: '{job}-x', from: {jobs: first}, params: {i: {job: '{job}'}}}\n"
        "  - {id: '{job}-y', from: {jobs: next}, prompt: 'at {w}', params: {i: {job: '{job}'}, w: '{w}'}}\n"
    )
    manifest = read(text, files={name: table})
    assert [job.params["w"] for job in manifest.jobs[:2]] == found
    assert [job.params["w"] for job in manifest.jobs[4:]] == found
    assert [job.prompt for job in manifest.jobs[4:]] == ["at 512", "at 1.10"]


def test_values_of_axes_files_and_vars_go_on_as_they_are(read: Read) -> None:
    text = (
        f"{TOP}  - {{entry: scan, id: '{{folder}}-{{stem}}', from: {{files: 's/*.png'}}, vars: {{z: 1.50}}, "
        "params: {i: {file: '{path}'}, n: '{n}'}, matrix: {n: [007]}}\n"
        "  - {id: '{path}-{n}-x', from: {jobs: scan}, prompt: '{n} {z} {stem}', "
        "params: {i: {job: '{job}'}, n: '{n}', z: '{z}'}}\n"
    )
    manifest = read(text, files={"s/a.png": "x"})
    assert manifest.jobs[1].id == "s-a.png-007-x"
    assert manifest.jobs[1].prompt == "007 1.50 a"
    assert manifest.jobs[1].params == {"i": {"job": "s-a-7"}, "n": 7, "z": 1.5}


def test_sources_may_stand_later_and_jobs_stay_in_the_order_of_the_file(read: Read) -> None:
    text = (
        f"{TOP}  - {{id: '{{job}}-big', from: {{jobs: cut}}, params: {{i: {{job: '{{job}}'}}}}, tags: big}}\n"
        "  - {entry: cut, id: '{job}-cut', from: {jobs: knight}, params: {i: {job: '{job}'}}}\n"
        "  - {id: other, prompt: o}\n"
        "  - {entry: knight, id: 'k-{pose}', prompt: '{pose}', matrix: {pose: [idle, run]}}\n"
    )
    manifest = read(text)
    names = ["k-idle-cut-big", "k-run-cut-big", "k-idle-cut", "k-run-cut", "other", "k-idle", "k-run"]
    assert [job.id for job in manifest.jobs] == names
    assert [manifest.places[number].line for number in range(7)] == [4, 4, 5, 5, 6, 7, 7]
    assert [manifest.tags(number) for number in range(3)] == [("big",), ("big",), ()]
    assert sheet(manifest)["k-run-cut-big"] == {"pose": "run", "job": "k-run-cut"}
    assert manifest.place_of(1, "params", "i").line == 4
    assert manifest.place_of(3, "params", "i").line == 5


def test_entries_of_other_files_go_in_both_ways(read: Read) -> None:
    files = {
        "more.yaml": "version: 1\nvars: {v: 2}\njobs:\n"
        "  - {id: '{job}-cut', model: m, from: {jobs: knight}, params: {i: {job: '{job}'}, v: '{v}'}}\n"
        "  - {entry: base, id: 'b-{n}', model: m, prompt: x, params: {n: '{n}'}, matrix: {n: [1, 2]}}\n"
    }
    text = KNIGHT.replace("version: 1\n", "version: 1\ninclude: more.yaml\n")
    text += "  - {id: '{job}-big', from: {jobs: base}, params: {i: {job: '{job}'}, v: '{v}'}}\n"
    manifest = read(text, files=files)
    assert said(manifest)[2] == ("b-1-big", {"i": {"job": "b-1"}, "v": 2})
    assert said(manifest)[4] == ("k-idle-cut", {"i": {"job": "k-idle"}, "v": 2})
    assert sheet(manifest)["b-2-big"] == {"v": 2, "n": 2, "job": "b-2"}


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("'{stem}-clean'", "{id: '{stem}-clean', prompt: '{stem}', matrix: {stem: [a, b]}}"),
        ("shot", "{id: 'shot-{n}', prompt: '{n}', matrix: {n: [1, 2]}}"),
        ("shot", "{id: shot, prompt: '{n}', matrix: {n: [1, 2]}}"),
        ("set-a", "{id: '{set}-a-{n}', vars: {set: set}, prompt: '{n}', matrix: {n: [1, 2]}}"),
    ],
)
def test_an_entry_without_a_name_goes_by_its_id_or_what_it_begins_with(
    read: Read, name: str, entry: str
) -> None:
    text = f"{KNIGHT}  - {entry}\n  - {{from: {{jobs: {name}}}, params: {{i: {{job: '{{job}}'}}}}}}\n"
    assert len(read(text).jobs) == 6


def test_a_name_goes_before_what_an_id_begins_with(read: Read) -> None:
    text = f"{KNIGHT}  - {{id: 'knight-{{n}}', prompt: '{{n}}', matrix: {{n: [a]}}}}\n{CUT}"
    assert [job.id for job in read(text).jobs][3:] == ["k-idle-cut", "k-run-cut"]


def test_entries_of_one_name_go_in_together_and_what_one_lacks_is_no_value(read: Read) -> None:
    text = (
        f"{KNIGHT}  - {{entry: {{part_of: knight}}, id: k-horse, prompt: horse, vars: {{legs: 4}}}}\n"
        "  - {id: '{job}-cut', from: {jobs: knight}, params: {i: {job: '{job}'}, legs: '{legs?}'}}\n"
    )
    manifest = read(text)
    assert said(manifest)[3:] == [
        ("k-idle-cut", {"i": {"job": "k-idle"}}),
        ("k-run-cut", {"i": {"job": "k-run"}}),
        ("k-horse-cut", {"i": {"job": "k-horse"}, "legs": 4}),
    ]
    assert sheet(manifest)["k-horse-cut"] == {"pose": None, "legs": 4, "job": "k-horse"}


def test_every_repeat_is_a_job_of_its_own_and_rows_go_with_models_and_axes(read: Read) -> None:
    text = (
        f"{TOP}  - {{id: a, prompt: x, repeat: 2}}\n"
        "  - {id: '{job}-c', from: {jobs: a}, model: [model_x, model_y], "
        "params: {i: {job: '{job}'}, f: '{f}'}, matrix: {f: [1, 2]}, repeat: 2}\n"
    )
    manifest = read(text)
    assert len(manifest.jobs) == 2 + 2 * 2 * 2 * 2
    assert said(manifest)[-1] == ("a-2-c-2-y-2", {"i": {"job": "a-2"}, "f": 2})
    assert manifest.previews[1] == "{job}-c: 2 jobs of a x 2 models x 2 f x 2 repeats = 16 jobs"


def test_jobs_without_an_id_are_called_by_the_job_before_and_what_is_done(read: Read) -> None:
    text = KNIGHT + "  - {from: {jobs: knight}, model: model_cut-out, params: {i: {job: '{job}'}}}\n"
    assert [job.id for job in read(text).jobs][2:] == ["k-idle-cut-out", "k-run-cut-out"]


@pytest.mark.parametrize(
    ("more", "found"),
    [
        (
            "  - {from: {jobs: knigt}, params: {i: {job: '{job}'}}}\n",
            ['jobs.yaml:5:19: from: no entry has the name "knigt"; did you mean knight?'],
        ),
        (
            "  - {from: {jobs: zz}, params: {i: {job: '{job}'}}}\n",
            [
                (
                    'jobs.yaml:5:19: from: no entry has the name "zz"; '
                    "write entry: with that name in the one whose jobs go in"
                )
            ],
        ),
        (
            (
                "  - {id: 'a-{x}', prompt: '{x}', matrix: {x: 1}}\n"
                "  - {id: 'a-{y}', prompt: '{y}', matrix: {y: 2}}\n"
                "  - {from: {jobs: a}, params: {i: {job: '{job}'}}}\n"
            ),
            [
                (
                    'jobs.yaml:7:19: from: "a" may be the entry at jobs.yaml:5:5 '
                    "or the entry at jobs.yaml:6:5; "
                    "write entry: and a name in the one that is meant, and that name here"
                )
            ],
        ),
        (
            (
                "  - {entry: a, from: {jobs: c}, params: {i: {job: '{job}'}}}\n"
                "  - {entry: b, from: {jobs: a}, params: {i: {job: '{job}'}}}\n"
                "  - {entry: c, from: {jobs: b}, params: {i: {job: '{job}'}}}\n"
                "  - {entry: d, from: {jobs: b}, params: {i: {job: '{job}'}}}\n"
                "  - {entry: e, from: {jobs: e}, params: {i: {job: '{job}'}}}\n"
            ),
            [
                "jobs.yaml:5:29: from: a circle of entries, of which none can be first: a -> b -> c -> a",
                "jobs.yaml:9:29: from: e cannot go through its own jobs",
            ],
        ),
        (
            "  - {from: {jobs: knight}, prompt: x}\n",
            ['jobs.yaml:5:12: none of the 2 jobs of knight goes in; write {job: "{job}"} in params'],
        ),
        (
            "  - {from: {jobs: knight}, params: {i: {job: '{job}'}, p: '{pose}'}, matrix: {pose: [a]}}\n",
            ["jobs.yaml:5:79: pose is a variable of the jobs of knight too; rename the axis"],
        ),
        (
            "  - {from: {jobs: knight}, params: {i: {job: '{job}'}, j: '{job}'}, matrix: {job: [a]}}\n",
            ["jobs.yaml:5:78: job is a variable of the jobs of knight too; rename the axis"],
        ),
        (
            "  - {from: {jobs: knight}, vars: {pose: a}, params: {i: {job: '{job}'}}}\n",
            ["jobs.yaml:5:12: pose is a variable of the jobs of knight and one of the vars; rename one"],
        ),
        (
            (
                "  - {id: 'a-{job}', prompt: '{job}', matrix: {job: [a, b]}}\n"
                "  - {from: {jobs: a}, params: {i: {job: '{job}'}}}\n"
            ),
            [
                (
                    "jobs.yaml:6:19: from: {job} is the id of each job here, and a variable of a too; "
                    "rename that there"
                )
            ],
        ),
        (
            "  - {from: {jobs: knight, only: a=b}, params: {i: {job: '{job}'}}}\n",
            [f'jobs.yaml:5:33: from.only: {ONLY_KEPT}, not "a=b"'],
        ),
        (
            "  - {from: {jobs: knight, files: '*'}, params: {i: {job: '{job}'}}}\n",
            ["jobs.yaml:5:27: files cannot stand beside jobs; leave one of them out"],
        ),
        (
            "  - {from: {job: knight}, params: {i: {job: '{job}'}}}\n",
            ["jobs.yaml:5:13: unknown key job; did you mean jobs?"],
        ),
        (
            "  - {from: {jobs: [knight]}, params: {i: {job: '{job}'}}}\n",
            ["jobs.yaml:5:19: from.jobs: expected text, not a list"],
        ),
        (
            "  - {from: {jobs: knight}, params: {i: {job: '{jop}'}}}\n",
            [
                'jobs.yaml:5:12: none of the 2 jobs of knight goes in; write {job: "{job}"} in params',
                "jobs.yaml:5:46: unknown variable {jop}; did you mean job?",
            ],
        ),
        (
            "  - {id: x, from: {jobs: knight}, params: {i: {job: '{job}-x'}}}\n",
            [
                'jobs.yaml:5:47: params.i: no job has the id "k-idle-x"; did you mean k-idle?',
                'jobs.yaml:5:47: params.i: no job has the id "k-run-x"; did you mean k-run?',
            ],
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place_and_all_at_once(
    complain: Complain, more: str, found: list[str]
) -> None:
    assert complain(KNIGHT + more) == found


def test_what_is_wrong_with_an_entry_is_not_said_again_of_those_that_go_through_it(
    complain: Complain,
) -> None:
    text = f"{KNIGHT}{CUT}  - {{id: x, params: {{i: {{job: k-idle}}, j: {{job: no}}}}}}\n"
    assert complain(text.replace("'{pose}', matrix", "'{pose} {pos}', matrix")) == [
        "jobs.yaml:4:45: unknown variable {pos}; did you mean pose?",
        'jobs.yaml:6:43: params.j: no job has the id "no"',
    ]
    assert complain(text.replace("prompt: '{pose}'", "promt: '{pose}'").replace("j: {job: no}", "j: 1")) == [
        "jobs.yaml:4:37: unknown key promt; did you mean prompt?",
    ]


def test_variables_of_the_file_are_no_two_and_one_of_an_entry_that_differs_is_a_problem(
    read: Read, complain: Complain
) -> None:
    text = KNIGHT.replace("version: 1\n", "version: 1\nvars: {style: flat}\n")
    assert sheet(read(text + CUT))["k-run-cut"] == {"style": "flat", "pose": "run", "job": "k-run"}
    assert complain(text.replace("matrix:", "vars: {style: ink}, matrix:") + CUT) == [
        "jobs.yaml:6:29: style is a variable of the jobs of knight and one of the vars; rename one"
    ]


def test_an_empty_cell_of_a_step_before_is_a_problem_that_names_the_job(complain: Complain) -> None:
    text = (
        f"{TOP}  - {{entry: first, id: '{{n}}', from: t.csv, prompt: '{{n}}'}}\n"
        "  - {id: '{job}-x', from: {jobs: first}, params: {i: {job: '{job}'}, w: '{w}'}}\n"
    )
    assert complain(text, files={"t.csv": "n,w\na,1\nb,\nc,#REF!\n"}) == [
        "jobs.yaml:5:34: b: w is empty; where it may be, write {w?}",
        "t.csv:4: w is #REF!, an error of the spreadsheet; mend it there and save it again",
    ]


def test_too_many_are_refused_before_any_is_made(complain: Complain) -> None:
    more = "  - {id: '{job}-x', from: {jobs: knight}, params: {i: {job: '{job}'}}, repeat: 9}\n"
    assert complain(KNIGHT + more, max_jobs=15) == [
        (
            "jobs.yaml:5:5: 2 jobs of knight x 9 repeats = 18 jobs, more than the 15 allowed at once; "
            "--max-jobs raises that"
        )
    ]


def test_entries_may_go_through_each_other_as_deep_as_there_are_any(read: Read) -> None:
    steps = "".join(
        f"  - {{entry: e{n}, id: '{{v}}-{n}', from: {{jobs: e{n - 1}}}, params: {{i: {{job: '{{job}}'}}}}}}\n"
        for n in range(1, 1100)
    )
    manifest = read(f"{TOP}  - {{entry: e0, id: x, prompt: x, vars: {{v: x}}}}\n{steps}")
    assert said(manifest)[-1] == ("x-1099", {"i": {"job": "x-1098"}})
    assert sheet(manifest)["x-1099"] == {"v": "x", "job": "x-1098"}


@st.composite
def _sheets(draw: st.DrawFn) -> tuple[str, int]:
    """Entries that name each other as they like, and how many there are."""
    count = draw(st.integers(1, 6))
    lines = []
    for number in range(count):
        other = draw(st.integers(0, count))  # one that there is not, at times
        kind = draw(st.sampled_from(["plain", "rows", "named", "list"]))
        parts: dict[str, Any] = {
            "plain": "prompt: '{a}', matrix: {a: [x, y]}",
            "rows": f"from: {{jobs: e{other}}}, params: {{i: {{job: '{{job}}'}}}}",
            "named": f"params: {{i: {{job: e{other}-x}}}}",
            "list": f"params: {{i: [{{job: e{other}-x, output: 0}}, {{job: e{other}, outputs: all}}]}}",
        }
        tail = {"plain": "-{a}", "rows": "-{job}"}.get(kind, draw(st.sampled_from(["", "-x"])))
        lines.append(f"  - {{entry: e{number}, id: 'e{number}{tail}', {parts[kind]}}}\n")
    return TOP + "".join(draw(st.permutations(lines))), count


def _read_or_refused(path: Path) -> Manifest | InputError:
    try:
        return read_manifest(path, environ={})
    except InputError as error:
        return error


@given(sheet_=_sheets())
@settings(max_examples=150)
def test_every_reference_names_one_job_of_the_manifest_or_is_a_problem(
    tmp_path_factory: pytest.TempPathFactory, sheet_: tuple[str, int]
) -> None:
    path = Path(tmp_path_factory.getbasetemp()) / "drawn.yaml"
    path.write_text(sheet_[0])
    manifest = _read_or_refused(path)
    if isinstance(manifest, InputError):
        assert manifest.problems
        assert all(one.line and one.column for one in manifest.problems)
        return
    numbers = {job.id: number for number, job in enumerate(manifest.jobs)}
    assert len(numbers) == len(manifest.jobs)
    parents = {job.id: [one.job for one in references_of(job)] for job in manifest.jobs}
    assert {name for of in parents.values() for name in of} <= numbers.keys()
    left = dict(parents)
    while ready := [name for name, of in left.items() if not set(of) & left.keys()]:
        for name in ready:
            del left[name]
    assert not left  # no circle
    for number, job in enumerate(manifest.jobs):
        if (parent := manifest.variables(number).get("job")) is not None:
            assert parents[job.id] == [parent]
