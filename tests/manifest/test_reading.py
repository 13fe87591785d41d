"""Whole files: what they say when they are right, and every problem when they are not."""

import gc
import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import InputError
from batchgen.manifest.reading import read_manifest
from batchgen.manifest.values import Limits, Manifest, Output
from batchgen.model import Job, Rate
from tests.manifest.conftest import Complain, Read

LEAST = "version: 1\njobs: [{prompt: x, model: m}]\n"
GOLDEN = Path(__file__).parent / "bad_manifests.txt"


def test_the_least_manifest_is_all_defaults(read: Read) -> None:
    manifest = read(LEAST, name="spring sale.yaml")
    assert manifest.jobs == (Job(id="x", prompt="x", model="m"),)
    assert manifest.batch == "spring-sale"
    assert manifest.project is None
    assert manifest.limits == Limits(rate=None, in_flight=None)
    assert manifest.timeout is None
    assert manifest.output == Output(download=True, files="{id}_{index}")
    assert manifest.path == Path("spring sale.yaml")
    assert manifest.sha256 == hashlib.sha256(LEAST.encode()).hexdigest()


def test_every_key_at_the_top_reaches_the_manifest(read: Read) -> None:
    text = """version: 1
batch: spring
project: proj_${TEAM}
limits: {rate: 5/s, in_flight: 7}
timeout: 1h30m
output: {download: false, files: "${TEAM}-{asset_id}"}
jobs: [{prompt: x, model: m}]
"""
    manifest = read(text, environ={"TEAM": "art"})
    assert manifest.batch == "spring"
    assert manifest.project == "proj_art"
    assert manifest.limits == Limits(rate=Rate(count=5, seconds=1), in_flight=7)
    assert manifest.timeout == 5400
    assert manifest.output == Output(download=False, files="art-{asset_id}")


def test_a_manifest_in_json_is_a_manifest(read: Read) -> None:
    assert read('{"version": 1, "jobs": [{"prompt": "x", "model": "m"}]}').jobs[0].prompt == "x"


def test_words_that_older_yaml_takes_for_values_are_text(read: Read) -> None:
    text = "version: 1\njobs:\n" + "".join(
        f"  - {{prompt: {one}, model: m}}\n" for one in ("no", "on", "1:1", "2026-01-01")
    )
    assert [job.prompt for job in read(text).jobs] == ["no", "on", "1:1", "2026-01-01"]


def test_the_path_of_a_table_begins_at_the_manifest_and_may_name_the_environment(read: Read) -> None:
    text = "version: 1\njobs: [{prompt: '{a}', model: m, from: '${SET}/t.csv'}]\n"
    Path("in").mkdir()
    manifest = read(text, name="in/jobs.yaml", files={"in/sets/t.csv": "a\nx\n"}, environ={"SET": "sets"})
    assert str(manifest.places[0]) == "in/sets/t.csv:2"


def test_the_environment_is_not_read_in_prompts(complain: Complain) -> None:
    found = complain("version: 1\njobs: [{prompt: '${HOME}', model: m}]\n", environ={"HOME": "secret"})
    assert found == [
        "jobs.yaml:2:17: ${HOME}: the environment is read in project, output.files and paths only"
    ]


def test_a_missing_manifest_is_named() -> None:
    with pytest.raises(InputError, match=r"^nowhere\.yaml: there is no such file$"):
        read_manifest(Path("nowhere.yaml"), environ={})


def test_a_product_is_bounded_before_it_is_expanded(complain: Complain) -> None:
    axes = ", ".join(f"a{n}: [{', '.join(map(str, range(100)))}]" for n in range(9))
    names = " ".join(f"{{a{n}}}" for n in range(9))
    found = complain(
        f"version: 1\njobs: [{{prompt: '{names}', model: [m, n], matrix: {{{axes}}}, repeat: 3}}]\n"
    )
    arithmetic = " x ".join(["2 models", *(f"100 a{n}" for n in range(9)), "3 repeats"])
    assert found == [
        (
            f"jobs.yaml:2:8: {arithmetic} = {6 * 100**9:,} jobs, more than the 100,000 allowed at once; "
            "--max-jobs raises that"
        )
    ]


def test_small_entries_are_bounded_together(complain: Complain) -> None:
    text = "version: 1\njobs:\n" + "  - {prompt: x, model: m, repeat: 6}\n" * 2
    expected = "jobs.yaml:2:1: 12 jobs in all, more than the 10 allowed at once; --max-jobs raises that"
    assert complain(text, max_jobs=10) == [expected]


def test_as_many_jobs_as_allowed_are_allowed(read: Read) -> None:
    assert len(read("version: 1\njobs: [{prompt: x, model: m, repeat: 10}]\n", max_jobs=10).jobs) == 10


def test_problems_come_in_the_order_of_the_file_and_tables_after(complain: Complain) -> None:
    text = """version: 1
jobs:
  - {prompt: '{a} {b}', model: m, from: t.csv}
  - {prompt: x, modle: m}
  - {prompt: '{c}', model: m}
  - {prompt: '{a}', model: m, from: none.csv}
limits: {rate: fast}
"""
    assert complain(text, files={"t.csv": "a,b\n1,\n"}) == [
        "jobs.yaml:4:17: unknown key modle; did you mean model?",
        (
            "jobs.yaml:5:14: unknown variable {c}; there is no matrix and no table here "
            "(write {{ and }} for braces in text)"
        ),
        "jobs.yaml:6:37: none.csv: there is no such file",
        (
            'jobs.yaml:7:16: limits.rate: expected a rate such as "100/min", "5/s" or "6000/h", or none, '
            'not "fast"'
        ),
        "t.csv:2: b is empty; where it may be, write {b?}",
    ]


def test_a_broken_table_is_reported_once_however_often_it_is_named(complain: Complain) -> None:
    text = "version: 1\njobs:\n" + "  - {prompt: '{a}', model: m, from: t.csv}\n" * 3
    assert complain(text, files={"t.csv": "a,b\n1\n"}) == [
        (
            "t.csv:2: has 1 cell, the header has 2; "
            "write 1, if the others are empty, or quotes around the text above if this belongs to it"
        )
    ]


def golden() -> list[tuple[str, str, str]]:
    cases = GOLDEN.read_text().split("\n=== ")[1:]
    parts = [case.split("\n", 1) for case in cases]
    return [(name, *body.split("--- problems\n", 1)) for name, body in parts]  # type: ignore[misc]  # two parts


@pytest.mark.parametrize(("name", "text", "problems"), golden(), ids=[one[0] for one in golden()])
def test_bad_manifests_say_all_that_is_wrong_with_them(
    complain: Complain, name: str, text: str, problems: str
) -> None:
    assert name
    files = {"icons.csv": "name,colour\nsword,red\nmap,blue\n"}
    assert complain(text, files=files, max_jobs=1000) == problems.strip().splitlines()


def test_the_collector_is_left_as_it_was(read: Read, complain: Complain) -> None:
    assert gc.isenabled()
    read(LEAST)
    complain("")
    assert gc.isenabled()
    gc.disable()
    try:
        read(LEAST)
        assert not gc.isenabled()
    finally:
        gc.enable()


KEYS = st.sampled_from(
    [
        "version",
        "jobs",
        "prompt",
        "model",
        "params",
        "matrix",
        "from",
        "id",
        "repeat",
        "seed",
        "defaults",
        "limits",
        "rate",
        "in_flight",
        "timeout",
        "output",
        "files",
        "download",
        "batch",
        "project",
        "doubt",
        "then",
        "settle",
        "retry",
        "attempts",
        "vars",
        "include",
        "exclude",
        "zip",
        "sample",
        "of",
        "tags",
        "unchecked",
        "period",
        "tz",
        "file",
        "x-a",
        "a",
        "<<",
    ]
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 3), st.floats(),
    st.sampled_from(["", " ", "x", "{a}", "{", "{{a}}", "${A}", "auto", "5/s", "none", "45m", "../x", "红"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)
JOBS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "prompt": st.sampled_from(["x", "{a}", "{a} {b}"]) | VALUES,
            "model": st.sampled_from(["m", "n"]) | VALUES,
            "matrix": st.dictionaries(st.sampled_from("ab"), st.lists(LEAVES, max_size=3), max_size=2)
            | VALUES,
            "zip": st.dictionaries(st.sampled_from("bc"), st.lists(LEAVES, max_size=2), max_size=2) | VALUES,
            "exclude": st.lists(st.dictionaries(st.sampled_from("abc"), LEAVES, max_size=2), max_size=2)
            | VALUES,
            "include": st.lists(st.dictionaries(st.sampled_from("abc"), LEAVES, max_size=3), max_size=2)
            | VALUES,
            "tags": VALUES,
            "unchecked": VALUES,
            "params": st.dictionaries(KEYS, VALUES, max_size=3) | VALUES,
            "id": st.sampled_from(["x", "{a}", "-{b}"]) | VALUES,
            "from": st.just("t.csv") | VALUES,
            "repeat": VALUES,
            "seed": VALUES,
        },
    )
    | VALUES,
    max_size=4,
)


def dumped(value: object) -> str:
    """Write YAML flow style with YAML's own words for what JSON has none for."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {dumped(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(dumped, value)) + "]"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return {"None": "~", "True": "true", "False": "false", "inf": ".inf", "nan": ".nan", "-inf": "-.inf"}.get(
        str(value), str(value)
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("fuzz")
    (made / "t.csv").write_text("a,c\n1,2\nx,\n")
    return made


@given(top=st.dictionaries(KEYS, VALUES, max_size=4), jobs=JOBS)
def test_any_structure_is_a_manifest_or_an_input_error_with_places(
    folder: Path, top: dict[str, object], jobs: object
) -> None:
    path = folder / "jobs.yaml"
    path.write_text(dumped({**top, "version": 1, "jobs": jobs}))
    found = outcome(path)
    if isinstance(found, InputError):
        assert all(problem.text and problem.source for problem in found.problems)
        assert "pydantic" not in str(found)
    else:
        assert found.jobs
        assert len({job.id.lower() for job in found.jobs}) == len(found.jobs) == len(found.places)


def outcome(path: Path) -> Manifest | InputError:
    try:
        return read_manifest(path, environ={"A": "1"}, max_jobs=500)
    except InputError as error:
        return error


@pytest.mark.parametrize(
    "said", ["jobs: [{prompt: {file: pipe}, model: m}]", "jobs: [{from: pipe.csv, prompt: a, model: m}]"]
)
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, said: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "jobs.yaml").write_text(f"version: 1\n{said}\n")
    with pytest.raises(InputError, match="not a regular file"):
        read_manifest(tmp_path / "jobs.yaml", environ={})
