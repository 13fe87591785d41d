"""Whatever the bytes: a manifest or an InputError, soon and in little memory."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import InputError
from batchgen.manifest.reading import read_manifest
from batchgen.manifest.source.problem_view import problems_document, shown_problems
from batchgen.manifest.values import Manifest

MOST_MEMORY = 512 * 1024 * 1024  # bytes beyond what the process has

PIECES = [
    "version: 1\n",
    "jobs:\n",
    "  - prompt: 'a {a} {b}'\n",
    "    model: m\n",
    "    matrix: {a: [1, 2], b: [x]}\n",
    "    zip: {a: [1, 2], b: [x, y]}\n",
    "    exclude: [{a: 1}]\n",
    "    include: [{a: 3, b: z}]\n",
    "    matrix: {a: {sample: 1, of: [1, 2]}}\n",
    "    from: t.csv\n",
    "    from: t.txt\n",
    "    from: t.yaml\n",
    "    params: {x: {file: jobs.yaml}, y: '{a}'}\n",
    "    params: {x: ~, y: [{file: '{a}'}]}\n",
    "    repeat: 3\n",
    "    tags: [x]\n",
    "    unchecked: y\n",
    "    id: '{a}'\n",
    "vars: {a: 1, c: [x]}\n",
    "defaults: {model: '{b}', params: {x: {y: 1}}}\n",
    "include: [jobs.yaml]\n",
    "include: t.yaml\n",
    "x-a: &x {y: 1}\n",
    "    params: *x\n",
    "period: day\n",
    "tz: UTC\n",
    "tz: ../x\n",
    "    prompt: {file: t.txt}\n",
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    ": ",
    "- ",
    "\n",
    "\t",
    "&x ",
    "*x",
    "<<: *x\n",
    "!t ",
    "# ",
    "\x00",
    "é",
    "\x85",
]
HEAD = "version: 1\ndefaults: {model: m}\njobs:\n  - prompt: 'a {a} {b}'\n"
PARTS = st.lists(st.sampled_from(PIECES), max_size=10).map("".join)
TEXTS = st.builds(lambda head, rest: (head + rest).encode(), st.sampled_from(["", HEAD]), PARTS)
FILES = (
    st.binary(max_size=80)
    | TEXTS
    | st.lists(st.sampled_from(["a,b\n", "1,2\n", '"', ",", "x\r"])).map(
        lambda parts: "".join(parts).encode()
    )
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    before, made = Path.cwd(), tmp_path_factory.mktemp("fuzz")
    os.chdir(made)
    yield made
    os.chdir(before)


@given(manifest=FILES, table=FILES)
def test_any_bytes_are_a_manifest_or_problems_that_can_be_shown(
    folder: Path, manifest: bytes, table: bytes
) -> None:
    for name in ("t.csv", "t.txt", "t.yaml"):
        (folder / name).write_bytes(table)
    (folder / "jobs.yaml").write_bytes(manifest)
    try:
        read = read_manifest(Path("jobs.yaml"), environ={"A": "1"}, max_jobs=200)
    except InputError as error:
        problems = error.problems
    else:
        check(read)
        return
    assert problems
    assert all(one.text and one.source for one in problems)
    assert len(list(shown_problems(problems))) < 400
    assert problems_document(problems)


def check(read: Manifest) -> None:
    assert len(read.jobs) <= 200
    for index, job in enumerate(read.jobs):
        assert job.prompt
        for name in job.params:
            assert read.place_of(index, "params", name).line
            assert read.is_literal(index, "params", name) in (True, False)


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\njobs: [{prompt: '{a0}', model: m, matrix: {"
        + ", ".join(f"a{n}: [{', '.join(map(str, range(1000)))}]" for n in range(9))
        + "}}]",
        "version: 1\njobs: [{prompt: '{a}{b}', model: m, repeat: 9999999999, matrix: {a: [1, 2], b: [1]}}]",
        "version: 1\njobs: [{prompt: x, model: m, params: {a: " + "[" * 5000,
        "version: 1\njobs:\n" + "  - {prompt: '{x}', modle: m}\n" * 3000,
        "version: 1\nx-a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"x-a{n}: &a{n} [{', '.join([f'*a{n - 1 if n else str()}'] * 9)}]\n" for n in range(9)),
    ],
    ids=["product", "repeat", "depth", "mistakes", "aliases"],
)
def test_no_small_file_costs_much_memory(folder: Path, text: str) -> None:
    (folder / "jobs.yaml").write_text(text)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    with pytest.raises(InputError):
        read_manifest(Path("jobs.yaml"), environ={})
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - used < MOST_MEMORY
