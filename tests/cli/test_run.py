"""Whole runs of the installed command against a simulator over HTTP."""

import csv
import hashlib
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Service, Shell, simulator_process

Simulator = Callable[..., Service]

MANIFEST = """\
version: 1
batch: spring
defaults:
  model: model_bfl-flux-1-dev
  params: {width: 128, height: 128}  # soon drawn
jobs:
  - id: tower
    prompt: "a {material} watch tower"
    matrix: {material: [oak, granite, brass]}
  - prompt: [a castle, a mill]
"""


def many(count: int) -> str:
    lines = "\n".join(f"  - prompt: a house, number {number}" for number in range(count))
    head = "version: 1\nbatch: spring\ndoubt: {settle: 3s, settle_max: 6s}\n"
    model = "{model: model_bfl-flux-1-dev, params: {width: 128, height: 128}}"
    return f"{head}defaults: {model}\njobs:\n{lines}\n"


def wait_until(true: Callable[[], bool], *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    pause = __import__("threading").Event()
    while not true():
        assert time.monotonic() < end, "waited for too long"
        pause.wait(0.02)


QUICK = ("--speed", "40", "--duration", "2-4")


def test_a_manifest_is_carried_to_files_and_a_second_run_buys_nothing(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*QUICK)
    shell.write("jobs.yaml", MANIFEST)
    first = shell.at(service).call("run", "jobs.yaml", "--rate", "50/s", "--json")
    assert first.status == 0, first.err
    assert (first.json["exit"], first.json["reasons"]) == (0, [])
    assert len(service.charged) == 5
    results = shell.results()
    assert [job["status"] for job in results["jobs"]] == ["succeeded"] * 5
    assert list(results["prompts"])[:2] == ["a oak watch tower", "a granite watch tower"]
    for job in results["jobs"]:
        assert job["job_id"]
        assert job["cost"]["charged"] > 0
        for file in job["files"]:
            data = (shell.folder / "output" / "spring" / file["path"]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == file["sha256"]
            assert (len(data), data[:4]) == (file["bytes"], b"RIFF")
    rows = list(
        csv.DictReader((shell.folder / "output/spring/results.csv").read_text("utf-8-sig").splitlines())
    )
    assert [row["id"] for row in rows] == [job["id"] for job in results["jobs"]]
    assert "a castle" in (shell.folder / "output/spring/report.html").read_text()

    second = shell.at(service).call("run", "jobs.yaml", "--rate", "50/s")
    assert second.status == 0
    assert len(service.charged) == 5
    assert [job["job_id"] for job in shell.results()["jobs"]] == [job["job_id"] for job in results["jobs"]]


def test_what_is_done_is_known_without_the_service_and_its_credentials(
    shell: Shell, simulator: Simulator
) -> None:
    shell.write("jobs.yaml", MANIFEST)
    service = simulator(*QUICK)
    assert shell.at(service).call("run", "jobs.yaml", "--rate", "50/s").status == 0
    blank = shell.at(service).having(SCENARIO_SDK_API_KEY="", SCENARIO_SDK_API_SECRET="")
    assert blank.call("run", "jobs.yaml").status == 0


def test_no_secret_and_no_signed_url_is_left_anywhere(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK, "--key", "key-5ecret", "--secret", "hush-hush")
    shell.write("jobs.yaml", MANIFEST)
    known = shell.at(service).having(SCENARIO_SDK_API_KEY="key-5ecret", SCENARIO_SDK_API_SECRET="hush-hush")
    done = known.call("run", "jobs.yaml", "--rate", "50/s")
    assert done.status == 0, done.err
    texts = [path.read_bytes() for path in (shell.folder / "output").rglob("*") if path.is_file()]
    texts += [done.out.encode(), done.err.encode()]
    assert len(texts) > 8
    for text in texts:
        for secret in (b"key-5ecret", b"hush-hush", b"a2V5LTVlY3JldDpodXNoLWh1c2g", b"Signature="):
            assert secret not in text


def test_a_killed_run_is_resumed_and_nothing_is_paid_twice(shell: Shell, simulator: Simulator) -> None:
    service = simulator("--speed", "10", "--duration", "4-9", "--ceiling", "6")
    shell.write("jobs.yaml", many(24))
    here = shell.at(service)
    for kills in (3, 9, 15):
        with here.start("run", "jobs.yaml", "--rate", "50/s") as run:
            wait_until(lambda kills=kills: len(service.charged) >= kills or run.poll() is not None)  # type: ignore[misc]  # a bound default
            run.kill()
    last = here.call("run", "jobs.yaml", "--rate", "50/s")
    jobs = shell.results()["jobs"]
    done = [job for job in jobs if job["status"] == "succeeded"]
    assert last.status == 0, last.err
    assert len(done) == 24
    bodies = [charged["body"] for charged in service.charged]
    assert len(set(map(str, bodies))) == len(bodies) == 24, "no body was accepted twice, none forgotten"
    assert {job["job_id"] for job in done} == {charged["remote_id"] for charged in service.charged}
    assert all(
        (shell.folder / "output/spring" / file["path"]).exists() for job in done for file in job["files"]
    )


def test_answers_that_are_lost_are_found_again(shell: Shell, simulator: Simulator) -> None:
    service = simulator(
        *QUICK,
        "--fault",
        "submit:cut-after=20%",
        "--fault",
        "submit:502=10%",
        "--fault",
        "submit:cut-before=10%",
    )
    shell.write("jobs.yaml", many(30))
    done = shell.at(service).call("run", "jobs.yaml", "--rate", "50/s", "--json")
    assert done.status == 0, done.err
    assert len(service.charged) == 30
    assert "in doubt" in done.err
    assert {job["status"] for job in shell.results()["jobs"]} == {"succeeded"}


def test_a_job_that_cannot_be_settled_is_held_for_a_person_and_never_sent_again(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*QUICK, "--fault", "submit:cut-after=40%", "--listing-lag", "20000", "--seed", "3")
    shell.write("jobs.yaml", many(10).replace("settle_max: 6s", "settle_max: 4s"))
    here = shell.at(service)
    first = here.call("run", "jobs.yaml", "--rate", "50/s", "--json")
    jobs = shell.results()["jobs"]
    doubtful = {job["id"] for job in jobs if job["status"] == "in_doubt"}
    assert 0 < len(doubtful) < 10
    assert first.status == first.json["exit"] == 7
    assert "in doubt" in first.json["reasons"][0]
    assert len(service.charged) == 10
    again = here.call("run", "jobs.yaml", "--rate", "50/s")
    assert again.status == 7
    assert len(service.charged) == 10
    assert {job["id"] for job in shell.results()["jobs"] if job["status"] == "in_doubt"} == doubtful


def test_a_ceiling_is_waited_for_and_is_no_failure(shell: Shell, simulator: Simulator) -> None:
    service = simulator("--speed", "20", "--duration", "2-4", "--ceiling", "3")
    shell.write("jobs.yaml", many(15))
    done = shell.at(service).call("run", "jobs.yaml", "--rate", "100/s", "--json")
    assert done.status == 0, done.err
    assert len(service.charged) == 15
    assert {job["attempts"] for job in shell.results()["jobs"]} == {1}


def test_failed_generations_are_told_and_not_bought_again(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK, "--failures", "50%", "--seed", "5")
    shell.write("jobs.yaml", many(10))
    done = shell.at(service).call("run", "jobs.yaml", "--rate", "50/s", "--json")
    failed = [job for job in shell.results()["jobs"] if job["status"] == "failed"]
    assert failed
    assert all(job["error"]["message"] for job in failed)
    assert (done.status, done.json["exit"]) == (3, 3)
    assert shell.at(service).call("run", "jobs.yaml", "--rate", "50/s").status == 3
    assert len(service.charged) == 10

    planned = shell.at(service).call("run", "jobs.yaml", "--retry-failed", "--dry-run", "--json").json
    assert planned["to_submit"] == len(failed)
    nobody = shell.at(service).having(SCENARIO_SDK_API_KEY="")
    assert nobody.call("run", "jobs.yaml", "--retry-failed").status == 4
    assert shell.at(service).call("run", "jobs.yaml", "--rate", "50/s").status == 3, "asked for once only"
    assert len(service.charged) == 10

    again = shell.at(service).call("run", "jobs.yaml", "--rate", "50/s", "--retry-failed")
    assert again.status in {0, 3}
    assert len(service.charged) == 10 + len(failed)
    tried_again = [job for job in shell.results()["jobs"] if job["attempts"] == 2]
    assert {job["id"] for job in tried_again} == {job["id"] for job in failed}
    assert all(job["seed"] not in {old["seed"] for old in failed} for job in tried_again)


def test_ctrl_c_collects_what_is_paid_for_and_the_same_command_goes_on(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator("--speed", "15", "--duration", "10-15", "--ceiling", "4")
    shell.write("jobs.yaml", many(12))
    here = shell.at(service)
    with here.start("run", "jobs.yaml", "--rate", "50/s") as run:
        wait_until(lambda: len(service.charged) >= 4)
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=60)
    assert run.returncode == 8, err
    assert "no more jobs are submitted" in err
    statuses = [job["status"] for job in shell.results()["jobs"]]
    assert statuses.count("succeeded") == len(service.charged)
    assert statuses.count("pending") == 12 - len(service.charged) > 0
    assert here.call("run", "jobs.yaml", "--rate", "50/s").status == 0
    assert len(service.charged) == 12


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_second_signal_leaves_what_runs_to_the_next_run(
    shell: Shell, simulator: Simulator, number: signal.Signals, status: int
) -> None:
    service = simulator("--speed", "20", "--duration", "50-60")
    shell.write("jobs.yaml", many(3))
    here = shell.at(service)
    with here.start("run", "jobs.yaml", "--rate", "50/s") as run:
        wait_until(lambda: len(service.charged) == 3)
        run.send_signal(number)
        wait_until(lambda: "no more jobs are submitted" in run.err)
        run.send_signal(number)
        run.communicate(timeout=30)
    assert run.returncode == status
    assert here.call("run", "jobs.yaml", "--rate", "50/s").status == 0
    assert len(service.charged) == 3


def test_a_second_run_of_a_batch_is_refused_and_status_is_not(shell: Shell, simulator: Simulator) -> None:
    service = simulator("--speed", "5", "--duration", "400-500")
    shell.write("jobs.yaml", many(2))
    here = shell.at(service)
    with here.start("run", "jobs.yaml", "--rate", "50/s") as run:
        wait_until(lambda: len(service.charged) == 2)
        # removing the batch's folder to begin anew does not let a second run in beside the first
        shutil.rmtree(shell.folder / "output" / "spring", ignore_errors=True)
        refused = here.call("run", "jobs.yaml")
        assert refused.status == 6
        assert f"process {run.pid} on " in refused.err
        looked = here.call("status", "--json")
        assert looked.status == 0
        assert looked.json[0]["states"] == {"running": 2}
        run.kill()


def test_an_edited_job_is_new_and_its_predecessor_is_kept(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    here = shell.at(service)
    shell.write("jobs.yaml", MANIFEST)
    assert here.call("run", "jobs.yaml", "--rate", "50/s").status == 0
    old = shell.results()["jobs"][0]
    shell.write("jobs.yaml", MANIFEST.replace("a {material}", "one {material}"))
    planned = here.call("plan", "jobs.yaml", "--json").json
    assert planned["counts"] == {"changed": 3, "done": 2}
    assert here.call("run", "jobs.yaml", "--rate", "50/s").status == 0
    results = shell.results()
    assert len(service.charged) == 8
    kept = next(job for job in results["removed"] if job["job_id"] == old["job_id"])
    place = shell.folder / "output/spring"
    assert (
        hashlib.sha256((place / kept["files"][0]["path"]).read_bytes()).hexdigest()
        == old["files"][0]["sha256"]
    )
    assert results["jobs"][0]["files"][0]["path"] != kept["files"][0]["path"]


def test_a_rehearsal_has_an_origin_of_its_own_and_survives_a_kill(shell: Shell) -> None:
    shell.write("jobs.yaml", MANIFEST)
    nowhere = shell.having(SCENARIO_BASE_URL="http://127.0.0.1:9/v1", SCENARIO_SDK_API_KEY="")
    state = shell.folder / "output/simulator.jsonl"
    with nowhere.start("run", "jobs.yaml", "--simulate") as run:
        wait_until(lambda: state.exists() and len(state.read_text().splitlines()) >= 2)
        run.kill()
    done = nowhere.call("run", "jobs.yaml", "--simulate")
    assert done.status == 0, done.err
    assert len(state.read_text().splitlines()) == 5
    origins = [one["origin"] for one in nowhere.call("status", "--json").json]
    assert origins == ["simulator"]
    assert nowhere.call("plan", "jobs.yaml", "--json").json["counts"] == {"new": 5}, "nothing is bought yet"


def test_downloads_can_be_off(shell: Shell, simulator: Simulator) -> None:
    shell.write("jobs.yaml", MANIFEST + "output: {download: false}\n")
    assert shell.at(simulator(*QUICK)).call("run", "jobs.yaml", "--rate", "50/s").status == 0
    assert all(job["asset_ids"] and not job["files"] for job in shell.results()["jobs"])
    assert not (shell.folder / "output/spring/assets").exists()


def test_files_that_do_not_arrive_are_fetched_by_the_next_run(shell: Shell, tmp_path: Path) -> None:
    shell.write("jobs.yaml", many(2))
    state = tmp_path / "service.jsonl"
    with simulator_process(state, (*QUICK, "--fault", "download:half=100%")) as service:
        first = shell.at(service).call("run", "jobs.yaml", "--rate", "50/s")
        port = service.base_url.rsplit(":", 1)[1].split("/")[0]
    assert first.status == 8, first.err
    assert [job["status"] for job in shell.results()["jobs"]] == ["succeeded"] * 2
    with simulator_process(state, (*QUICK, "--port", port)) as service:
        assert shell.at(service).call("run", "jobs.yaml", "--rate", "50/s").status == 0
        assert len(service.charged) == 2
    assert all(job["files"] for job in shell.results()["jobs"])


def test_events_are_lines_that_a_program_can_follow_and_the_last_is_the_summary(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*QUICK)
    shell.write("jobs.yaml", MANIFEST)
    done = shell.at(service).call("run", "jobs.yaml", "--rate", "50/s", "--quiet", "--events", "-")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert (lines[0]["event"], lines[0]["schema"]) == ("run_started", "batchgen/events@1")
    assert [one["event"] for one in lines].count("collected") == 5
    assert (lines[-1]["event"], lines[-1]["exit"]) == ("summary", 0)


def test_events_are_added_to_a_file_also_when_an_error_ends_the_run(shell: Shell) -> None:
    shell.write("jobs.yaml", "version: 1\nbatch: spring\njobs: [{prompt: 3}]\n")
    for _ in range(2):
        assert shell.call("run", "jobs.yaml", "--simulate", "--events", "run.jsonl").status == 2
    lines = [json.loads(line) for line in (shell.folder / "run.jsonl").read_text().splitlines()]
    assert [(one["event"], one["exit"], one["batch"]) for one in lines] == [("summary", 2, None)] * 2


def test_events_and_a_document_do_not_share_standard_output(shell: Shell) -> None:
    shell.write("jobs.yaml", MANIFEST)
    for words in (("--events", "-", "--json"), ("--json", "--events", "-")):
        done = shell.call("run", "jobs.yaml", "--simulate", *words)
        assert done.status == 2
        assert "both want standard output" in done.err
        assert done.out == ""


def test_events_that_cannot_be_written_end_no_run(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    shell.write("jobs.yaml", MANIFEST)
    done = shell.at(service).call("run", "jobs.yaml", "--rate", "50/s", "--events", "/dev/full")
    assert done.status == 0
    assert done.err.count("events to /dev/full end here") == 1
    assert len(service.charged) == 5


def test_a_reader_of_events_that_goes_away_ends_no_run(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    shell.write("jobs.yaml", MANIFEST)
    program = f"{sys.executable} -m batchgen"
    command = (
        f"{program} run jobs.yaml --yes --rate 50/s --quiet --events - | head -n 1; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=shell.folder,
        env=shell.at(service).environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0", done.stderr
    assert "run_started" in done.stdout
    assert len(service.charged) == 5
