"""Which files of chains are fetched, and that what is left at the service is not missing. Rehearsals."""

import json
from pathlib import Path
from typing import Any

import pytest

from batchgen.cli.main import run

MANIFEST = """\
version: 1
batch: spring
output: {download: MODE}
jobs:
  - {id: knight, prompt: a knight, model: model_bfl-flux-1-dev}
  - {id: cut, model: model_birefnet-background-removal, params: {image: {job: knight}}}
"""


class Folder:
    """A manifest whose ``download`` changes, and what commands make of it."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self._capsys = capsys

    def call(self, mode: str, command: str, *words: str) -> tuple[int, Any]:
        manifest = self.path / "jobs.yaml"
        manifest.write_text(MANIFEST.replace("MODE", mode))
        named = [str(manifest)] if command != "audit" else [str(manifest), "--offline"]
        status = run([command, *named, "-o", str(self.path / "output"), "--simulate", "--json", *words])
        return status, json.loads(self._capsys.readouterr().out)

    @property
    def files(self) -> set[str]:
        return {one.stem for one in (self.path / "output" / "spring" / "assets").glob("*")}

    def job(self, name: str) -> Any:
        document = json.loads((self.path / "output" / "spring" / "results.json").read_text())
        return next(one for one in document["jobs"] if one["id"] == name)


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path, capsys)


def test_what_only_feeds_other_jobs_is_left_at_the_service_until_it_is_wanted(folder: Folder) -> None:
    status, told = folder.call("last", "run")
    assert (status, folder.files) == (0, {"cut_0"})
    knight = folder.job("knight")
    assert (len(knight["asset_ids"]), knight["files"], knight["error"]) == (1, [], None)
    assert (told["summary"]["counts"]["files_missing"], told["summary"]["files"]) == (0, 1)
    page = (folder.path / "output" / "spring" / "report.html").read_text()
    assert "not downloaded" in page
    assert page.count(knight["asset_ids"][0]) >= 3, "on its card, in its details and in the strip"
    assert folder.call("last", "plan", "--check")[0] == 0
    assert folder.call("last", "audit")[1]["damaged"] == []
    status, told = folder.call("all", "plan", "--check")
    assert (status, told["counts"]["files missing"], told["to_submit"]) == (8, 1, 0)
    status, told = folder.call("all", "run")
    assert (status, folder.files, told["summary"]["cost"]["charged"]) == (0, {"cut_0", "knight_0"}, 6)
    assert len(folder.job("knight")["files"]) == 1


def test_from_none_to_last_to_lost(folder: Folder) -> None:
    assert folder.call("none", "run")[0] == 0
    assert folder.files == set()
    assert folder.call("last", "run")[0] == 0
    assert folder.files == {"cut_0"}
    assert folder.call("true", "run")[0] == 0
    for one in (folder.path / "output" / "spring" / "assets").glob("*"):
        one.unlink()
    told = folder.call("last", "audit")[1]
    assert [one["id"] for one in told["damaged"]] == ["cut"], "what need not be here is not missing"
    assert folder.call("last", "run")[0] == 0
    assert folder.files == {"cut_0"}


@pytest.mark.parametrize("mode", ["some", "1", "[all]", "''"])
def test_another_word_is_a_problem_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    manifest = tmp_path / "jobs.yaml"
    manifest.write_text(MANIFEST.replace("MODE", mode))
    assert run(["validate", str(manifest), "--offline"]) == 2
    told = capsys.readouterr()
    assert (
        "jobs.yaml:3:20: output.download: expected all, last, none, true or false, not" in told.out + told.err
    )
