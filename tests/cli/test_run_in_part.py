"""A rehearsal of some jobs of a manifest: done as asked is done."""

import json
from pathlib import Path

import pytest

from batchgen.cli.main import run

MANIFEST = """
version: 1
batch: spring
defaults: {model: model_bfl-flux-1-dev, params: {numInferenceSteps: 28}}
jobs:
  - prompt: "a house, number {n}"
    matrix: {n: [1, 2, 3]}
"""

EXACT = {"estimated": {"jobs": 0, "cost": 0}}  # nothing of it is an estimate


def test_a_run_of_a_few_jobs_is_done_when_they_are_and_tells_what_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "jobs.yaml"
    manifest.write_text(MANIFEST)
    words = ["run", str(manifest), "-o", str(tmp_path / "output"), "--simulate", "--json"]
    assert run([*words, "--limit", "1"]) == 0
    shown = capsys.readouterr()
    told = json.loads(shown.out)
    assert told["left_out"] == {"jobs": 2, "of": 3, "cost": 8, "unpriced": 0, **EXACT}
    assert (told["reasons"], told["summary"]["statuses"]["pending"]) == ([], 2)
    assert "2 jobs were left out as asked, of 3; the rest would cost 8 CU" in shown.err
    assert run(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["left_out"], told["summary"]["cost"]["charged"]) == (None, 12)


def test_a_sample_tells_what_the_rest_costs_also_of_models_it_did_not_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "jobs.yaml"
    manifest.write_text(
        MANIFEST.replace(", params: {numInferenceSteps: 28}", "")
        + "  - {prompt: a keep, model: model_imagen4-ultra}\n"
        + "  - {prompt: 'a {n}', matrix: {n: [1, 2]}, params: {numInferenceSteps: 42}}\n"
    )
    words = ["run", str(manifest), "-o", str(tmp_path / "output"), "--simulate", "--json", "--sample", "1"]
    assert run(words) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["left_out"] == {"jobs": 5, "of": 6, "cost": 28, "unpriced": 0, **EXACT}
    assert "5 jobs were left out as asked, of 6; the rest would cost 28 CU\n" in shown.err


def test_a_run_that_only_collects_buys_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = tmp_path / "jobs.yaml"
    manifest.write_text(MANIFEST)
    words = ["run", str(manifest), "-o", str(tmp_path / "output"), "--simulate", "--json"]
    assert run([*words, "--limit", "1"]) == 0
    capsys.readouterr()
    assert run([*words, "--collect-only"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["summary"]["statuses"]["pending"], told["summary"]["cost"]["charged"]) == (2, 4)


@pytest.mark.parametrize("other", [["--limit", "1"], ["--sample", "1"], ["--fresh"], ["--retry-failed"]])
def test_only_collecting_goes_with_nothing_that_buys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], other: list[str]
) -> None:
    manifest = tmp_path / "jobs.yaml"
    manifest.write_text(MANIFEST)
    assert run(["run", str(manifest), "--simulate", "--collect-only", *other]) == 2
    assert "--collect-only buys nothing" in capsys.readouterr().err
