"""Whole audits of the installed command: the journal against a simulator over HTTP and the disk."""

import asyncio
import base64
import hashlib
import json
import shlex
import sqlite3
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from batchgen.simulator.front import serve
from batchgen.simulator.settings import Settings, Views
from tests.cli.conftest import Done, Service, Shell, simulator_process
from tests.cli.test_run import wait_until

Simulator = Callable[..., Service]

QUICK = ("--speed", "40", "--duration", "2-4")
MODEL = "model_bfl-flux-1-dev"
MANIFEST = f"""\
version: 1
batch: spring
defaults: {{model: {MODEL}}}
jobs:
  - {{id: tower, prompt: a tower}}
  - {{id: castle, prompt: a castle}}
  - {{id: mill, prompt: a mill}}
"""


def run(shell: Shell, service: Service) -> Done:
    shell.write("jobs.yaml", MANIFEST)
    return shell.at(service).call("run", "jobs.yaml", "--rate", "50/s")


def ran(shell: Shell, service: Service) -> dict[str, Any]:
    done = run(shell, service)
    assert done.status == 0, done.err
    return {job["id"]: job for job in shell.results()["jobs"]}


def audit(shell: Shell, service: Service, *words: str) -> Done:
    return shell.at(service).call("audit", "jobs.yaml", *words)


def buy(service: Service, body: Mapping[str, Any] | str) -> str:
    """Submit beside the command, as a lost answer or a person with the same key would."""
    token = base64.b64encode(b"key:secret").decode()
    request = urllib.request.Request(
        f"{service.base_url}/generate/custom/{MODEL}",
        data=(body if isinstance(body, str) else json.dumps(body)).encode(),
        headers={"Authorization": f"Basic {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        remote_id: str = json.load(answer)["job"]["jobId"]
    return remote_id


def place_of(shell: Shell, job: Mapping[str, Any]) -> Path:
    path: str = job["files"][0]["path"]
    return shell.folder / "output/spring" / path


def test_after_a_whole_run_all_agree(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    jobs = ran(shell, service)
    done = audit(shell, service)
    assert (done.status, done.out.splitlines()[-1]) == (0, "All agree.")
    found = audit(shell, service, "--json").json
    charged = sum(job["cost"]["charged"] for job in jobs.values())
    assert found["sums"] == {
        "recorded": charged,
        "untold": 0,
        "refunded": 0,
        "shown": charged,
        "unseen": 0,
        "surplus": 0,
        "may_be_ours": 0,
        "bought_by_asking": 0,
        "difference": 0,
        "not_listed": 0,
    }
    assert (found["exit"], found["reasons"], found["troubles"]) == (0, [], [])
    assert (found["submissions"], found["listed"], found["files"]) == (3, 3, 3)
    assert (found["surplus"], found["changed"], found["damaged"], found["journal"]) == ([], [], [], [])


def test_what_was_bought_twice_is_named_with_its_cost(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    jobs = ran(shell, service)
    body = next(one["body"] for one in service.charged if one["remote_id"] == jobs["castle"]["job_id"])
    twice = buy(service, body)
    done = audit(shell, service)
    assert done.status == 7, done.err
    assert f"castle: {twice}" in done.out
    assert f"already has {jobs['castle']['job_id']}" in done.out
    found = audit(shell, service, "--json").json
    (one,) = found["surplus"]
    rows = {row["job_id"]: (row["owner"], row["reason"].partition(" ")[0]) for row in found["rows"]}
    assert rows.pop(twice) == ("ours", "by")
    assert rows == {job["job_id"]: ("ours", "recorded") for job in jobs.values()}
    cost = jobs["castle"]["cost"]["charged"]
    assert (one["id"], one["job_id"], one["cost"]) == ("castle", twice, cost)
    assert (one["situation"], one["instead_of"], one["adopt"]) == ("paid", jobs["castle"]["job_id"], None)
    assert (found["sums"]["surplus"], found["sums"]["difference"]) == (cost, cost)


def test_what_else_the_key_has_bought_is_named_with_its_cost(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    ran(shell, service)
    bought = {buy(service, {"prompt": "a bridge", "seed": number}) for number in range(2)}
    found = audit(shell, service, "--json")
    assert (found.status, found.json["surplus"]) == (0, [])
    rows = found.json["may_be_ours"]
    assert {(one["job_id"], one["owner"], one["like"]) for one in rows} == {
        (one, "ours", None) for one in bought
    }
    cost = sum(one["cost"] for one in rows)
    assert cost > 0
    assert (found.json["sums"]["may_be_ours"], found.json["sums"]["difference"]) == (cost, cost)
    text = audit(shell, service).out
    assert all(one in text for one in bought)
    assert f"2 jobs of no record may be ours, {cost:g} compute units" in text
    assert "All agree." not in text


GUIDED = MANIFEST.replace(f"model: {MODEL}", f"model: {MODEL}, params: {{guidance: 3.5}}")


def test_what_is_like_a_job_of_ours_is_named_with_what_differs(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    shell.write("jobs.yaml", GUIDED)
    assert shell.at(service).call("run", "jobs.yaml", "--rate", "50/s").status == 0
    jobs = {job["id"]: job for job in shell.results()["jobs"]}
    body = next(one["body"] for one in service.charged if one["remote_id"] == jobs["castle"]["job_id"])
    near = buy(service, {**json.loads(body), "seed": 12, "guidance": 7.5})
    found = audit(shell, service, "--json").json
    (one,) = found["may_be_ours"] or [None]
    assert one is not None, found["surplus"]
    assert (one["job_id"], one["like"], one["adopt"]) == (near, "castle", None)
    assert sorted(one["differs"]) == ["guidance", "seed"]
    assert found["sums"]["difference"] == one["cost"]


def test_what_is_only_written_otherwise_is_likely_paid_twice(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    jobs = ran(shell, service)
    body = next(one["body"] for one in service.charged if one["remote_id"] == jobs["castle"]["job_id"])
    twice = buy(service, {**json.loads(body), "prompt": "a  castle"})
    found = audit(shell, service, "--json")
    (one,) = found.json["surplus"]
    assert (found.status, one["id"], one["job_id"]) == (7, "castle", twice)
    assert (one["certain"], one["differs"], one["situation"]) == (False, ["prompt"], "paid")


def test_what_a_question_for_a_price_may_have_bought_is_a_finding(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    ran(shell, service)
    bought = buy(service, {"prompt": "a castle"})
    done = audit(shell, service)
    assert done.status == 7, done.out
    assert f"castle: {bought}" in done.out
    assert "likely bought by asking for its price" in done.out
    (one,) = audit(shell, service, "--json").json["surplus"]
    assert (one["job_id"], one["situation"], one["adopt"]) == (bought, "asked", None)


def test_a_batch_that_sent_nothing_yet_is_looked_for_beside_others_of_its_journal(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*QUICK)
    ran(shell, service)
    shell.write("jobs.yaml", MANIFEST.replace("batch: spring", "batch: autumn").replace("a mill", "a barn"))
    assert audit(shell, service).status == 0
    bought = buy(service, {"prompt": "a barn"})
    found = audit(shell, service, "--json")
    assert (found.status, [one["job_id"] for one in found.json["surplus"]]) == (7, [bought])


def test_what_others_in_the_project_have_bought_is_one_line(shell: Shell, tmp_path: Path) -> None:
    state = tmp_path / "service.jsonl"
    with simulator_process(state, QUICK) as service:
        port = service.base_url.rsplit(":", 1)[1].split("/")[0]
        ran(shell, service)
        theirs = [buy(service, {"prompt": "a bridge", "seed": one}) for one in range(2)]
    lines = [json.loads(line) for line in state.read_text().splitlines()]
    for line in lines:
        if line["remote_id"] in theirs:
            line["author"] += "_another"
    state.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with simulator_process(state, (*QUICK, "--port", port)) as service:
        found = audit(shell, service, "--json").json
        text = audit(shell, service).out
    assert (found["exit"], found["may_be_ours"], found["others"]["jobs"]) == (0, [], 2)
    assert found["sums"]["difference"] == 0
    assert f"others in this project: 2 jobs, {found['others']['cost']:g} compute units" in text
    assert not any(one in text for one in theirs)
    assert "All agree." in text


def test_held_jobs_are_findings_with_the_command_that_settles_them(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*QUICK, "--fault", "submit:cut-after=100%", "--listing-lag", "20000")
    shell.write("jobs.yaml", MANIFEST + "doubt: {then: hold, settle: 1s, settle_max: 2s}\n")
    assert shell.at(service).call("run", "jobs.yaml", "--rate", "50/s").status == 7
    done = audit(shell, service)
    assert done.status == 7, done.out
    assert "3 jobs waiting for your decision" in done.out
    assert done.out.count("to settle it: batchgen resolve jobs.yaml") == 3
    found = audit(shell, service, "--json").json
    assert {(one["id"], one["state"]) for one in found["open"]} == {
        (name, "held") for name in ("tower", "castle", "mill")
    }


def test_a_row_near_a_held_job_is_named_with_the_command_that_adopts_it(shell: Shell, tmp_path: Path) -> None:
    state = tmp_path / "service.jsonl"
    shell.write("jobs.yaml", MANIFEST + "doubt: {then: hold, settle: 1s, settle_max: 2s}\n")
    with simulator_process(state, (*QUICK, "--fault", "submit:cut-before=100%")) as service:
        port = service.base_url.rsplit(":", 1)[1].split("/")[0]
        assert shell.at(service).call("run", "jobs.yaml", "--rate", "50/s").status == 7
    with simulator_process(state, (*QUICK, "--port", port)) as service:
        near = buy(service, {"prompt": "a castle", "guidance": 7.5, "seed": 3})
        found = audit(shell, service, "--json").json
        text = audit(shell, service).out
    (one,) = found["may_be_ours"]
    assert (found["exit"], one["job_id"], one["like"], one["differs"]) == (7, near, "castle", ["seed"])
    assert f"to adopt it: {one['adopt']}" in text
    assert one["adopt"] == f"batchgen resolve jobs.yaml --adopt castle={near}"
    assert found["sums"]["difference"] == one["cost"]


def test_assets_that_came_after_all_was_taken_are_recorded_with_fix_and_fetched_by_the_next_run(
    shell: Shell, tmp_path: Path
) -> None:
    state = tmp_path / "service.jsonl"
    manifest = MANIFEST.replace(f"model: {MODEL}", f"model: {MODEL}, params: {{numOutputs: 4}}")
    late = ("--late-outputs", "100%", "--whole-after", "90000", "--late-in-jobs")
    shell.write("jobs.yaml", manifest)
    with simulator_process(state, (*QUICK, *late)) as service:
        port = service.base_url.rsplit(":", 1)[1].split("/")[0]
        here = shell.at(service)
        with here.start("run", "jobs.yaml", "--rate", "50/s") as running:
            wait_until(
                lambda: any(one["states"] == {"collected": 3} for one in here.call("status", "--json").json)
            )
            running.kill()
        short = audit(shell, service, "--json")
    assert short.status == 8
    assert {one["id"] for one in short.json["short"]} == {"tower", "castle", "mill"}
    assert all(one["expected"] == 4 and not one["new"] for one in short.json["short"])
    with simulator_process(state, (*QUICK, "--port", port)) as service:
        grown = audit(shell, service, "--json")
        assert grown.status == 8
        assert all(len(one["new"]) + one["assets"] == 4 for one in grown.json["short"])
        assert "with assets that appeared after it was collected" in audit(shell, service, "--fix").out
        assert audit(shell, service, "--json").json["short"] == []
        assert shell.at(service).call("run", "jobs.yaml").status == 0
        assert [len(job["files"]) for job in shell.results()["jobs"]] == [4] * 3
        assert audit(shell, service).status == 0


def test_a_job_in_doubt_is_shown_with_the_command_that_adopts(shell: Shell, tmp_path: Path) -> None:
    state = tmp_path / "service.jsonl"
    shell.write("jobs.yaml", MANIFEST)
    # no answer ever says who we are, so that the run itself adopts nothing
    with simulator_process(state, (*QUICK, "--fault", "submit:cut-after=100%")) as service:
        port = service.base_url.rsplit(":", 1)[1].split("/")[0]
        here = shell.at(service)
        with here.start("run", "jobs.yaml", "--in-flight", "1", "--rate", "50/s") as running:
            wait_until(lambda: any("in_doubt" in one["states"] for one in here.call("status", "--json").json))
            running.kill()
        (paid,) = service.charged
    with simulator_process(state, (*QUICK, "--port", port)) as service:
        found = audit(shell, service, "--json")
        assert (found.status, found.json["exit"]) == (7, 7)
        (one,) = found.json["surplus"]
        assert (one["id"], one["job_id"], one["situation"]) == ("tower", paid["remote_id"], "open")
        assert one["adopt"] in audit(shell, service).out
        name, *words = shlex.split(one["adopt"])
        assert name == "batchgen"
        assert shell.at(service).call(*words).status == 0
        assert run(shell, service).status == 0
        assert audit(shell, service).status == 0
        assert len(service.charged) == 3


def test_a_submit_that_was_cut_off_by_a_kill_is_left_to_the_next_run(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*QUICK, "--fault", "submit:hang-after=100%")
    shell.write("jobs.yaml", MANIFEST)
    with shell.at(service).start("run", "jobs.yaml", "--in-flight", "1") as running:
        wait_until(lambda: len(service.charged) == 1)
        beside = audit(shell, service, "--json")
        running.kill()
    for found in (beside, audit(shell, service, "--json")):
        assert found.status == 8, found.err
        assert [one["situation"] for one in found.json["surplus"]] == ["due"]
    assert "this records it: batchgen run jobs.yaml" in audit(shell, service).out


async def test_a_prompt_that_became_an_asset_and_pages_with_few_rows_hide_no_surplus(
    shell: Shell, tmp_path: Path
) -> None:
    views = Views(archived_after=0.0, short_pages=1.0)
    state = tmp_path / "service.jsonl"
    async with serve(Settings(views=views, duration=(2, 4)), speed=40, state=state) as running:
        service = Service(running.base_url, state)
        jobs = await asyncio.to_thread(ran, shell, service)
        bodies = {one["remote_id"]: one["body"] for one in service.charged}
        twice = await asyncio.to_thread(buy, service, bodies[jobs["tower"]["job_id"]])
        alone = await asyncio.to_thread(buy, service, {"prompt": "a bridge", "seed": 1})
        await asyncio.to_thread(wait_until, lambda: running.service.submissions[-1].ended(time.time()))
        found = await asyncio.to_thread(audit, shell, service, "--json")
    assert found.status == 7, found.err
    assert [(one["id"], one["job_id"]) for one in found.json["surplus"]] == [("tower", twice)]
    assert (found.json["listed"], len(found.json["may_be_ours"]), found.json["troubles"]) == (5, 1, [])
    assert alone != twice


def test_an_end_that_changed_is_told(shell: Shell, tmp_path: Path) -> None:
    state = tmp_path / "service.jsonl"
    with simulator_process(state, QUICK) as service:
        port = service.base_url.rsplit(":", 1)[1].split("/")[0]
        jobs = ran(shell, service)
    lines = [json.loads(line) for line in state.read_text().splitlines()]
    for line in lines:
        if line["remote_id"] == jobs["mill"]["job_id"]:
            line["steps"][-1][0] = "failure"
    state.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with simulator_process(state, (*QUICK, "--port", port)) as service:
        done = audit(shell, service, "--json")
        text = audit(shell, service).out
    assert done.status == 7
    told = {"id": "mill", "job_id": jobs["mill"]["job_id"], "recorded": "succeeded", "shown": "failure"}
    assert done.json["changed"] == [told]
    assert "ended succeeded by the journal, and is failure now" in text


def test_files_that_are_missing_or_damaged_are_told_and_fixed(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    jobs = ran(shell, service)
    tower, castle, mill = (place_of(shell, jobs[name]) for name in ("tower", "castle", "mill"))
    tower.unlink()
    castle.write_bytes(b"my own work")
    mill.write_bytes(mill.read_bytes()[:-1] + b"?")
    found = audit(shell, service, "--json")
    assert found.status == 8
    kinds = {one["id"]: one["found"] for one in found.json["damaged"]}
    assert kinds == {"tower": "missing", "castle": "another size", "mill": "other bytes"}
    assert castle.read_bytes() == b"my own work", "nothing changes without --fix"

    fixed = audit(shell, service, "--fix")
    assert fixed.status == 0, fixed.out
    asset = jobs["castle"]["asset_ids"][0].replace("_", "")
    assert f"what was there is kept as earlier/castle_0_{asset}.webp" in fixed.out
    for job in jobs.values():
        data = place_of(shell, job).read_bytes()
        assert hashlib.sha256(data).hexdigest() == job["files"][0]["sha256"]
    kept = castle.parent.parent / "earlier" / f"castle_0_{asset}.webp"
    assert kept.read_bytes() == b"my own work"
    assert not (shell.folder / "output/spring/.audit").exists()
    assert (audit(shell, service).status, len(service.charged)) == (0, 3)


def test_a_file_that_the_service_gives_otherwise_now_is_not_taken(shell: Shell, tmp_path: Path) -> None:
    state = tmp_path / "service.jsonl"
    with simulator_process(state, QUICK) as service:
        port = service.base_url.rsplit(":", 1)[1].split("/")[0]
        jobs = ran(shell, service)
    castle = place_of(shell, jobs["castle"])
    castle.write_bytes(b"my own work")
    state.write_text(state.read_text().replace("a castle", "a garden"))
    with simulator_process(state, (*QUICK, "--port", port)) as service:
        done = audit(shell, service, "--fix", "--json")
    assert done.status == 8
    (one,) = done.json["damaged"]
    assert (one["fixed"], one["told"].startswith("the service gives other bytes now")) == (False, True)
    assert castle.read_bytes() == b"my own work"


def test_a_listing_that_breaks_off_is_told_and_the_disk_is_looked_at_all_the_same(
    shell: Shell, tmp_path: Path
) -> None:
    state = tmp_path / "service.jsonl"
    with simulator_process(state, QUICK) as service:
        port = service.base_url.rsplit(":", 1)[1].split("/")[0]
        jobs = ran(shell, service)
    place_of(shell, jobs["mill"]).unlink()
    with simulator_process(state, (*QUICK, "--port", port, "--fault", "jobs:redirect=100%")) as service:
        found = audit(shell, service, "--json")
    assert found.status == 8
    assert found.json["troubles"][0].startswith("the listing broke off after 0 rows")
    assert "the service could not be read to the end" in found.json["reasons"]
    assert [one["id"] for one in found.json["damaged"]] == ["mill"]


def test_a_record_that_is_not_its_history_is_told_before_all_else(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    jobs = ran(shell, service)
    place_of(shell, jobs["mill"]).unlink()
    with sqlite3.connect(shell.folder / "output/journal.db") as journal:
        journal.execute(
            "UPDATE records SET fields = replace(fields, 'collected', 'running') "
            "WHERE fields LIKE '%/mill_0.%'"
        )
    journal.close()
    found = audit(shell, service, "--json")
    assert found.status == 1
    told = {"id": "mill", "problem": "the record says running, the history collected"}
    assert found.json["journal"] == [told]
    assert len(found.json["reasons"]) == 2


def test_what_was_never_run_needs_no_service(shell: Shell) -> None:
    shell.write("jobs.yaml", MANIFEST)
    done = shell.having(SCENARIO_BASE_URL="http://127.0.0.1:9/v1").call("audit", "jobs.yaml")
    assert (done.status, "the service was not asked" in done.out) == (0, True)
    assert not (shell.folder / "output").exists()


@pytest.mark.parametrize("value", ["wrong", ""])
def test_credentials_that_will_not_do_end_it(shell: Shell, simulator: Simulator, value: str) -> None:
    service = simulator(*QUICK)
    ran(shell, service)
    assert audit(shell.having(SCENARIO_SDK_API_KEY=value), service).status == 4


def test_a_run_is_audited_undisturbed_and_its_files_are_its_own(shell: Shell, simulator: Simulator) -> None:
    service = simulator("--speed", "5", "--duration", "40-50")
    shell.write("jobs.yaml", MANIFEST)
    with shell.at(service).start("run", "jobs.yaml", "--rate", "50/s") as running:
        wait_until(lambda: len(service.charged) == 3)
        looked = audit(shell, service, "--json")
        fixing = audit(shell, service, "--fix")
        running.kill()
    assert looked.status in {0, 8}, looked.out
    assert looked.json["changed"] == looked.json["journal"] == []
    assert fixing.status == 6


def test_a_rehearsal_is_audited_in_its_own_origin(shell: Shell) -> None:
    shell.write("jobs.yaml", MANIFEST)
    assert shell.call("run", "jobs.yaml", "--simulate").status == 0
    found = shell.call("audit", "jobs.yaml", "--simulate", "--json")
    assert (found.status, found.json["listed"], found.json["origin"]) == (0, 3, "simulator")


def test_a_batch_that_sent_nothing_is_told_of_without_credentials_as_far_as_the_journal_knows(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*QUICK)
    ran(shell, service)
    shell.write("jobs.yaml", MANIFEST.replace("batch: spring", "batch: autumn"))
    done = audit(shell.having(SCENARIO_SDK_API_KEY="wrong"), service)
    assert done.status == 8
    assert "the service could not be looked through" in done.out


def test_an_audit_offline_looks_at_the_journal_and_the_disk_alone(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    jobs = ran(shell, service)
    buy(service, {"prompt": "beside"})
    done = audit(shell, service, "--offline")
    assert (done.status, "The service was not asked." in done.out) == (0, True), done.out
    (file,) = jobs["mill"]["files"]
    (shell.folder / "output" / "spring" / file["path"]).unlink()
    done = audit(shell, service, "--offline")
    assert (done.status, f"{file['path']}: missing" in done.out) == (8, True), done.out
    refused = audit(shell, service, "--offline", "--fix")
    assert (refused.status, "not with --offline" in refused.err) == (2, True)
