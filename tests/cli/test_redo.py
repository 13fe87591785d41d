"""Jobs are made again and given back by the command, over the simulator, alone and beside a run."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from batchgen.cli.main import run as command
from tests.cli.conftest import Service, Shell
from tests.cli.test_run import wait_until

MODEL, CUT = "model_bfl-flux-1-dev", "model_birefnet-background-removal"
SMALL = f"model: {MODEL}, params: {{width: 128, height: 128}}"  # soon drawn
MANIFEST = f"""\
version: 1
batch: spring
jobs:
  - {{entry: knight, id: "knight-{{p}}", prompt: "{{p}} knight", {SMALL}, matrix: {{p: [idle, run]}}}}
  - {{id: "{{job}}-cut", from: {{jobs: knight}}, model: {CUT}, params: {{image: {{job: "{{job}}"}}}}}}
  - {{id: fixed, prompt: a mill, model: {MODEL}, params: {{seed: 7, width: 128, height: 128}}}}
"""


@dataclass
class Desk:
    """A folder with a manifest, in which commands are called."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, name: str, *words: str) -> tuple[int, str, str]:
        simulate = [] if name in {"status", "report"} else ["--simulate"]
        target = [] if name == "status" else [str(self.folder / "jobs.yaml")]
        status = command([name, *target, "-o", str(self.folder / "output"), *simulate, *words])
        shown = self.capsys.readouterr()
        return status, shown.out, shown.err

    @property
    def results(self) -> dict[str, Any]:
        return json.loads((self.folder / "output" / "spring" / "results.json").read_text())  # type: ignore[no-any-return]

    def job(self, name: str) -> dict[str, Any]:
        return next(one for one in self.results["jobs"] if one["id"] == name)

    @property
    def charged(self) -> int:
        return len((self.folder / "output" / "simulator.jsonl").read_text().splitlines())

    def bytes_of(self, name: str) -> bytes:
        (file,) = self.job(name)["files"]
        path = self.folder / "output" / "spring" / str(file["path"])
        return path.read_bytes()


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name in [one for one in os.environ if one.startswith("SCENARIO")]:
        monkeypatch.delenv(name)
    (tmp_path / "jobs.yaml").write_text(MANIFEST)
    made = Desk(tmp_path, capsys)
    assert made("run")[0] == 0
    return made


def test_the_new_one_has_the_name_and_the_old_one_is_given_back(desk: Desk) -> None:
    before, old, mill = desk.job("knight-run"), desk.bytes_of("knight-run"), desk.job("fixed")
    status, _, err = desk("redo", "knight-run")
    assert (status, desk.charged) == (0, 6)
    assert "spring: 1 job to make again, for 4 CU.\n" in err
    assert "1 file renamed, 1 file moved to earlier/" in err
    now = desk.job("knight-run")
    assert now["files"][0]["path"] == before["files"][0]["path"]
    assert desk.bytes_of("knight-run") != old
    (earlier,) = now["earlier"]
    assert (earlier["asset_ids"], earlier["seed"]) == (before["asset_ids"], before["seed"])
    assert (desk.folder / "output/spring" / earlier["files"][0]["path"]).read_bytes() == old
    assert desk.results["summary"]["cost"]["charged"] == 3 * 4 + 2 * 2 + 4
    assert desk.job("fixed") == mill

    status, out, _ = desk("restore", "knight-run")
    assert (status, out) == (0, f"knight-run: has {before['asset_ids'][0]} again\n")
    assert (desk.bytes_of("knight-run"), desk.job("knight-run")["asset_ids"]) == (old, before["asset_ids"])
    assert desk.job("knight-run")["earlier"][0]["asset_ids"] == now["asset_ids"]
    assert desk("restore", "knight-run")[0] == 2, "there is nothing before it"
    assert desk("restore", "knight-run", "--undo")[0] == 0
    assert desk.job("knight-run")["asset_ids"] == now["asset_ids"]
    assert desk("restore", "knight-run", "--to", before["asset_ids"][0])[0] == 0
    assert desk("run")[0] == 0
    assert (desk.charged, desk.job("knight-run")["asset_ids"]) == (6, before["asset_ids"])
    assert "6 of 6" not in desk("status")[1]


def test_children_are_named_with_what_they_cost_and_made_again_when_they_are_meant(desk: Desk) -> None:
    told = json.loads(desk("plan", "--json")[1])
    assert told["chains"]["outdated"] == []
    assert desk("redo", "knight-run", "--dry-run")[0] == 0
    assert desk("redo", "knight-run", "--budget", "1")[0] == 5
    assert desk.job("knight-run")["redo"]["status"] == "pending"
    assert desk.results["summary"]["redo"] == {"pending": 1}
    out = desk("plan")[1]
    assert "1  to be made again" in out
    assert (
        "knight-run is made again; no run makes it again for that, `batchgen redo` does (it has cost 2" in out
    )
    status, _, err = desk("redo", "knight-run")
    assert (status, "is being made again already: `batchgen run" in err) == (2, True)
    assert desk("run")[0] == 0
    assert desk.charged == 6
    assert "which knight-run no longer has as its own" in desk("plan")[1]
    assert desk("redo", "knight-run-cut")[0] == 0
    assert "no longer has" not in desk("plan")[1]
    parents = desk.job("knight-run-cut")["parents"]
    assert parents == [{"job": "knight-run", "asset_id": desk.job("knight-run")["asset_ids"][0]}]
    assert desk("redo", "--only", "entry:knight", "--children")[0] == 0
    assert desk.charged == 7 + 4


def test_typed_twice_nothing_is_made_again_while_a_part_of_it_waits(desk: Desk) -> None:
    assert desk("redo", "knight-*", "--budget", "27")[0] == 5  # one knight and its cut, or two knights
    bought = desk.charged
    assert desk("redo", "knight-*")[0] == 2
    assert (
        "is being made again already: `batchgen run"
        in desk("redo", "--only", "entry:knight", "--children")[2]
    )
    assert desk.charged == bought
    assert desk("run")[0] == 0
    assert desk.charged == 5 + 4


def test_a_redo_is_taken_back_before_it_is_bought(desk: Desk) -> None:
    before = desk.job("knight-run")["asset_ids"]
    assert desk("redo", "knight-run", "knight-idle", "--budget", "1")[0] == 5
    assert "2 being made again" in desk("status")[1]
    status, out, _ = desk("restore", "knight-run")
    assert (status, out) == (0, f"knight-run: has {before[0]} again\n")
    assert desk("run")[0] == 0
    assert (desk.charged, desk.job("knight-run")["asset_ids"]) == (6, before)
    assert "redo" not in desk.job("knight-run")


def test_what_cannot_be_made_again_is_said_and_nothing_is_on_record(desk: Desk) -> None:
    for words, said in [
        (["fixed"], "jobs.yaml:6:"),
        (["fixed"], "'fixed' has a fixed seed"),
        (["knight-rum"], "did you mean 'knight-run'?"),
        ([], "name the jobs: JOB, or --only"),
        (["--only", "mark:rejected"], "no job has the mark 'rejected'"),
    ]:
        status, _, err = desk("redo", *words)
        assert (status, said in err) == (2, True), err
        assert desk("restore", *words)[0] == 2
    assert desk("plan")[1].endswith("Plan: 0 to buy, 5 done.\n")


def test_a_changed_job_keeps_what_was_bought_and_is_given_that_back(desk: Desk) -> None:
    (desk.folder / "jobs.yaml").write_text(MANIFEST.replace("a mill", "a windmill"))
    assert "1  changed" in desk("plan")[1]
    status, out, _ = desk("restore", "fixed")
    assert (status, out.endswith(" again, bought before it was changed\n")) == (0, True)
    assert desk("plan")[1].endswith("Plan: 0 to buy, 5 done.\n")
    assert "batchgen restore" in desk("redo", "fixed")[2]
    status, out, _ = desk("restore", "fixed", "--undo")
    assert (status, out) == (0, "fixed: is bought by the next run\n")
    assert "1 to buy" in desk("plan")[1]


def test_of_several_forms_the_one_that_the_job_had_last_is_given_back(desk: Desk) -> None:
    mill = desk.job("fixed")["asset_ids"]
    for text in ("a windmill", "a mill"):
        (desk.folder / "jobs.yaml").write_text(MANIFEST.replace("a mill", text))
        assert desk("run")[0] == 0
    (desk.folder / "jobs.yaml").write_text(MANIFEST.replace("a mill", "a watermill"))
    assert "windmill" not in desk("plan")[1]
    assert desk("restore", "fixed")[0] == 0
    assert desk.job("fixed")["asset_ids"] == mill


def test_without_a_terminal_somebody_must_agree(shell: Shell, simulator: Callable[..., Service]) -> None:
    shell.write("jobs.yaml", f"version: 1\nbatch: spring\njobs:\n  - {{id: a, prompt: a, {SMALL}}}\n")
    service = simulator("--speed", "100", "--duration", "1-2")
    here = shell.at(service)
    assert here.call("run", "jobs.yaml").status == 0
    done = here.call("redo", "jobs.yaml", "a")
    assert (done.status, "nobody at a terminal to ask" in done.err) == (2, True)
    assert "1 job to make again, for 4 CU" in done.err
    assert json.loads(here.call("plan", "jobs.yaml", "--json").out)["to_submit"] == 0
    assert here.call("redo", "jobs.yaml", "a", "--budget", "8").status == 0
    assert here.call("redo", "jobs.yaml", "a", "--yes", "-q").status == 0
    assert len(service.charged) == 3


def test_marks_say_what_is_made_again_and_do_not_outlive_it(desk: Desk) -> None:
    assert desk("mark", "rejected", "knight-run")[0] == 0
    assert desk("redo", "--only", "mark:rejected")[0] == 0
    job = desk.job("knight-run")
    assert (job["mark"], desk.charged) == (None, 6)
    assert desk("redo", "--only", "mark:rejected")[0] == 2
    old = desk.job("knight-run")["earlier"][0]["asset_ids"][0]
    (desk.folder / "late.csv").write_text(f"asset_id,mark\n{old},kept\n")
    told = desk("mark", "--from", str(desk.folder / "late.csv"))[1]
    assert told == "1 kept; 1 of them on what jobs had before what they have now\n"
    assert desk.job("knight-run")["mark"] is None
    assert desk("restore", "knight-run")[0] == 0
    assert desk.job("knight-run")["mark"] == "kept"
    assert (
        "  1 of them is kept; what is made has no mark until you give it one\n"
        in desk("redo", "knight-run")[2]
    )


LIVE = "version: 1\nbatch: spring\nlimits: {rate: 60/min, in_flight: 2}\njobs:\n" + "".join(
    f"  - {{id: t{n}, prompt: 'tower {n}', {SMALL}}}\n" for n in range(9)
)


def test_a_run_that_goes_on_makes_jobs_again_when_its_own_are_done(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs, output = shell.write("jobs.yaml", LIVE), shell.folder / "output"

    def ordered(name: str, *words: str) -> tuple[int, str]:
        status = command([name, str(jobs), "-o", str(output), "--simulate", *words])
        shown = capsys.readouterr()
        return status, shown.out + shown.err

    assert shell.call("run", "jobs.yaml", "--simulate", "t0", "t1").status == 0
    old = {one["id"]: one["asset_ids"] for one in shell.results()["jobs"]}
    with shell.start("run", "jobs.yaml", "--simulate") as run:
        wait_until(lambda: _bought(output) >= 4 or run.poll() is not None)
        status, said = ordered("redo", "t0", "t1")
        assert (status, "spring: 2 jobs to make again, for 8 CU.\n" in said) == (0, True)
        assert "spring: makes 2 jobs again: bought when its jobs are done\n" in said
        status, said = ordered("redo", "t0")
        assert (status, "is being made again already" in said) == (2, True)
        assert ordered("restore", "t1")[0] == 0
        out, err = run.communicate(timeout=60)
    assert run.returncode == 0, out + err
    now = {one["id"]: one["asset_ids"] for one in shell.results()["jobs"]}
    assert now["t0"] != old["t0"]
    assert now["t1"] == old["t1"]
    assert _bought(output) == 10


def _bought(output: Path) -> int:
    state = output / "simulator.jsonl"
    return len(state.read_text().splitlines()) if state.exists() else 0
