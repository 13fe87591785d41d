"""``results.json`` and ``results.csv`` as the installed command writes them, with files of several kinds."""

import ast
import csv
import json
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

from PIL import Image

import batchgen
from tests.cli.conftest import Shell, simulator_process
from tests.support.results_format import faults

PAGE = (Path(__file__).parent.parent.parent / "docs" / "results.md").read_text("utf-8")
QUICK = ("--speed", "40", "--duration", "2-4")
Runs = tuple[Path, Any, Any]
RUN = ("run", "jobs.yaml", "--rate", "50/s")
MANIFEST = """\
version: 1
batch: spring
defaults: {tags: [cover, "hero, main"]}
vars: {style: "=flat"}
jobs:
  - id: "material-{name}"
    from: rows.csv
    model: model_patina-material
    prompt: "{name}, {style}"
    params: {maps: [basecolor, normal], width: 512, height: 512}
  - {id: film, model: model_bytedance-seedance-2-0, prompt: a sea, params: {duration: 4}}
  - {id: voice, model: model_elevenlabs-tts-v3, params: {text: Hello there}}
  - {id: words, model: model_scenario-llm, params: {instruction: say a word}}
  - {id: mesh, model: model_rodin-hyper3d-v2-5, params: {images: [{file: in.png}]}}
  - {id: vector, model: model_recraft-vectorize, params: {referenceImage: {file: in.png}}}
"""
ROWS = 'name,rarity,"a ""b"", c"\noak,rare,1\nbrass,common,=2\n'


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def _two_runs(folder: Path) -> Runs:
    """Return the folder, the results of a run in it, and those of a second one after much had changed.

    The second service knows nothing of the first one's jobs, and each of its own fails.
    """
    shell = Shell(folder, {"PATH": "/usr/bin:/bin", "SCENARIO_SDK_API_KEY": "key"})
    shell = shell.having(SCENARIO_SDK_API_SECRET="secret", PYTHONWARNINGS="error")
    shell.write("jobs.yaml", MANIFEST)
    shell.write("rows.csv", ROWS)
    Image.new("RGB", (300, 200), "#c63").save(folder / "in.png")
    port = ("--port", free_port())
    with simulator_process(folder / "first.jsonl", (*QUICK, *port)) as service:
        done = shell.at(service).call(*RUN)
        assert done.status == 0, done.err
    first = shell.results()
    shutil.copytree(folder / "output" / "spring", folder / "first")
    (folder / "output" / "spring" / "assets" / "film_0.mp4").unlink()
    changed = MANIFEST.replace("Hello there", "Hello again").replace("{id: words", "{id: other")
    shell.write("jobs.yaml", changed.replace("say a word", "say two"))
    with simulator_process(folder / "second.jsonl", (*QUICK, *port, "--failures", "100%")) as service:
        done = shell.at(service).call(*RUN)
        assert done.status == 3, done.err
    return folder, first, shell.results()


def _files_of_several_kinds_are_written_as_the_schema_says(two_runs: Runs) -> None:
    _, first, _ = two_runs
    assert faults(first) == []
    found = {
        job["id"]: [
            (file["width"], file["height"], file["duration"], file["kind"], file["type"])
            for file in job["files"]
        ]
        for job in first["jobs"]
    }
    maps = [(512, 512, None, "image", one) for one in ("texture", "texture-albedo", "texture-normal")]
    assert found["material-oak"] == found["material-brass"] == maps
    assert found["film"] == [(320, 180, 4.0, "video", "txt2video")]
    assert found["words"] == [(None, None, None, "text", "txt2txt")]
    assert found["mesh"] == [(300, 200, None, "image", "img23d"), (None, None, None, "3d", "img23d")]
    assert found["vector"] == [(300, 200, None, "image", "vectorization")]
    [(width, height, seconds, kind, role)] = found["voice"]
    assert (width, height, kind, role) == (None, None, "audio", "txt2audio")
    assert 0 < seconds < 5
    assert [job["prompt"] for job in first["jobs"]] == ["oak, =flat", "brass, =flat", "a sea", *[None] * 4]


def _what_failed_changed_went_and_is_gone_is_too(two_runs: Runs) -> None:
    _, first, second = two_runs
    assert faults(second) == []
    before = {job["id"]: job for job in first["jobs"]}
    now = {job["id"]: job for job in second["jobs"]}
    assert (now["voice"]["status"], now["other"]["status"]) == ("failed", "failed")
    assert [one["job_id"] for one in now["voice"]["earlier"]] == [before["voice"]["job_id"]]
    [earlier] = now["voice"]["earlier"]
    assert earlier["files"] == before["voice"]["files"]
    assert (now["film"]["files"], now["film"]["status"]) == ([], "succeeded")
    assert now["film"]["error"]["message"].startswith("not on the disk, and no longer at the service: asset_")
    assert {one["id"] for one in second["removed"]} == {"voice", "words"}
    for one in second["removed"]:
        assert (one["entry"], one["vars"], one["tags"]) == (None, {}, [])
        assert one["files"] == before[one["id"]]["files"]


def _every_job_says_its_row_and_every_name_has_a_column(two_runs: Runs) -> None:
    folder, first, _ = two_runs
    assert first["jobs"][1]["vars"] == {
        "style": "=flat",
        "name": "brass",
        "rarity": "common",
        'a "b", c': "=2",
    }
    assert first["jobs"][1]["entry"] == "material"
    assert first["jobs"][1]["tags"] == ["cover", "hero, main"]
    for place in ("first", "output/spring"):
        with (folder / place / "results.csv").open(encoding="utf-8-sig", newline="") as table:
            rows = list(csv.DictReader(table))
        named = [name for name in rows[0] if name.startswith("var.")]
        assert named == ["var.style", "var.name", "var.rarity", 'var.a "b", c']
        brass = next(row for row in rows if row["id"] == "material-brass")
        assert [brass[name] for name in named] == ["'=flat", "brass", "common", "'=2"]
        assert [row["type"] for row in rows if row["id"] == "material-oak"] == [
            "texture", "texture-albedo", "texture-normal",
        ]  # fmt: skip


def _python_reads_the_words_and_the_files(two_runs: Runs) -> None:
    folder, first, second = two_runs
    found = batchgen.Results.load(folder / "output" / "spring")
    oak = found["material-oak"]
    assert (oak.entry, oak.tags, oak.vars["rarity"]) == ("material", ("cover", "hero, main"), "rare")
    normal = oak.files[2]
    assert (normal.width, normal.height, normal.duration) == (512, 512, None)
    assert (normal.kind, normal.type, normal.path.is_file()) == ("image", "texture-normal", True)
    [earlier] = found["voice"].earlier
    assert (earlier.prompt, earlier.status) == (None, "succeeded")
    assert earlier.files[0].path.is_file()
    assert earlier.job_id == next(job["job_id"] for job in first["jobs"] if job["id"] == "voice")
    assert len(found) == len(second["jobs"])


def _python_reads_what_an_earlier_version_wrote(two_runs: Runs) -> None:
    folder, first, _ = two_runs
    old = json.loads(json.dumps(first))
    for job in old["jobs"]:
        for name in ("entry", "vars", "tags", "earlier"):
            del job[name]
        for file in job["files"]:
            for name in ("width", "height", "duration", "kind", "type"):
                del file[name]
    (folder / "old").mkdir()
    (folder / "old" / "results.json").write_text(json.dumps(old))
    oak = batchgen.Results.load(folder / "old")["material-oak"]
    assert (oak.entry, oak.vars, oak.tags, oak.earlier) == ("", {}, (), ())
    assert {(one.width, one.height, one.duration, one.kind, one.type) for one in oak.files} == {
        (None, None, None, None, None)
    }


def _the_example_in_python_finds_the_rare_ones(two_runs: Runs) -> None:
    found = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(compile(ast.parse(found[1]), "docs/results.md", "exec"), names)
    rare = names["rare_icons"](two_runs[0] / "output" / "spring")
    assert [one.name for one in rare] == [f"material-oak_{n}.png" for n in range(3)]


def _the_examples_with_jq_say_what_the_page_promises(two_runs: Runs) -> None:
    folder, _, second = two_runs
    maps, failed, costs = (
        subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=folder / "output" / "spring",
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for line in re.findall(r"^\$ (jq .*)$", PAGE, re.MULTILINE)
    )
    assert maps.splitlines() == [
        "oak\tassets/material-oak_2.png", "brass\tassets/material-brass_2.png",
    ]  # fmt: skip
    assert [line.split("\t")[0] for line in failed.splitlines()] == ["voice", "other"]
    told = json.loads(costs)
    assert told["material"] == sum(job["cost"]["charged"] for job in second["jobs"][:2])


def test_what_the_installed_command_writes_is_what_the_schema_and_the_page_say(tmp_path: Path) -> None:
    two_runs = _two_runs(tmp_path)  # the same two for all of it: they take seconds
    _files_of_several_kinds_are_written_as_the_schema_says(two_runs)
    _what_failed_changed_went_and_is_gone_is_too(two_runs)
    _every_job_says_its_row_and_every_name_has_a_column(two_runs)
    _python_reads_the_words_and_the_files(two_runs)
    _python_reads_what_an_earlier_version_wrote(two_runs)
    _the_example_in_python_finds_the_rare_ones(two_runs)
    if shutil.which("jq") is not None:
        _the_examples_with_jq_say_what_the_page_promises(two_runs)
