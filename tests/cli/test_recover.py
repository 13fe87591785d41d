"""A journal that was lost is rebuilt, and nothing that was paid for is bought again."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Service, Shell, simulator_process
from tests.cli.test_run import MANIFEST, QUICK, many, wait_until

Simulator = Callable[..., Service]

RUN = ("run", "jobs.yaml", "--rate", "50/s")
RECOVER = ("recover", "jobs.yaml", "--json")


def lose_the_journal(shell: Shell) -> None:
    files = list((shell.folder / "output").glob("journal.db*"))
    assert files
    for path in files:
        path.unlink()


def fates(document: dict[str, list[dict[str, str]]]) -> list[str]:
    return [one["fate"] for one in document["jobs"]]


@pytest.fixture
def done(shell: Shell, simulator: Simulator) -> tuple[Shell, Service]:
    """A batch that was carried to its results."""
    service = simulator(*QUICK)
    shell.write("jobs.yaml", MANIFEST)
    here = shell.at(service)
    assert here.call(*RUN).status == 0
    return here, service


def test_a_lost_journal_stops_a_run_and_is_rebuilt_and_nothing_is_bought_again(
    done: tuple[Shell, Service],
) -> None:
    here, service = done
    assert here.call("mark", "jobs.yaml", "kept", "*", "--only", "status:done", "--note", "mine").status == 0
    before = here.results()["jobs"]
    assert before[0]["files"][0]["note"] == "mine"
    lose_the_journal(here)
    refused = here.call(*RUN)
    assert refused.status == 2
    assert "batchgen journal rebuild jobs.yaml" in refused.err
    assert len(service.charged) == 5

    recovered = here.call(*RECOVER)
    assert (recovered.status, fates(recovered.json)) == (0, ["recovered"] * 5), recovered.err
    assert {one["state"] for one in recovered.json["jobs"]} == {"collected"}
    assert here.call("plan", "jobs.yaml", "--json").json["counts"] == {"done": 5}
    nobody = here.having(SCENARIO_SDK_API_KEY="", SCENARIO_SDK_API_SECRET="")
    assert nobody.call(*RUN).status == 0, "there is nothing to ask the service for"
    assert len(service.charged) == 5
    assert here.results()["jobs"] == before
    assert here.call("audit", "jobs.yaml").status == 0


def test_to_recover_twice_is_to_recover_once(done: tuple[Shell, Service]) -> None:
    here, _ = done
    lose_the_journal(here)
    first = here.call(*RECOVER)
    again = here.call(*RECOVER)
    assert (first.status, again.status) == (0, 0)
    assert fates(again.json) == ["known"] * 5
    states = here.call("status", "--json").json
    assert [one["states"] for one in states] == [{"collected": 5}]


def test_a_batch_killed_in_the_middle_is_recovered_from_listing_and_results(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator("--speed", "10", "--duration", "35-60", "--ceiling", "6")
    shell.write("jobs.yaml", many(14))
    here = shell.at(service)
    results = shell.folder / "output/spring/results.json"
    with here.start(*RUN) as run:
        wait_until(lambda: len(service.charged) >= 6 and results.exists())
        wait_until(lambda: any(job["status"] == "succeeded" for job in here.results()["jobs"]))
        run.kill()
    lose_the_journal(here)
    assert here.call(*RUN).status == 2
    paid = len(service.charged)
    recovered = here.call(*RECOVER)
    assert recovered.status == 0, recovered.err
    ids = {each for one in recovered.json["jobs"] for each in one["job_ids"]}
    assert ids == {one["remote_id"] for one in service.charged[:paid]}
    assert here.call(*RUN).status == 0
    bodies = [charged["body"] for charged in service.charged]
    assert len(set(map(str, bodies))) == len(bodies) == 14
    assert {job["status"] for job in here.results()["jobs"]} == {"succeeded"}


def test_without_results_the_listing_alone_names_what_a_seed_tells_apart(done: tuple[Shell, Service]) -> None:
    here, service = done
    lose_the_journal(here)
    (here.folder / "output/spring/results.json").unlink()
    recovered = here.call(*RECOVER)
    assert (recovered.status, recovered.json["told"]) == (0, None)
    assert fates(recovered.json) == ["adopted"] * 5
    assert here.call(*RUN).status == 0
    assert len(service.charged) == 5


def test_what_no_seed_tells_apart_is_held_for_a_person(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    text = MANIFEST.replace("height: 128", "height: 128, seed: 7")
    shell.write("jobs.yaml", text)
    here = shell.at(service)
    assert here.call(*RUN).status == 0
    lose_the_journal(here)
    (here.folder / "output/spring/results.json").unlink()
    recovered = here.call(*RECOVER)
    assert (recovered.status, fates(recovered.json)) == (7, ["held"] * 5)
    again = here.call("recover", "jobs.yaml")
    assert (again.status, again.out.count("batchgen resolve jobs.yaml")) == (7, 1)
    answers = [
        f"{one['id']}={each['job_id']}"
        for one in here.call("resolve", "jobs.yaml", "--json").json
        for each in one["candidates"]
        if each["certain"]
    ]
    adopted = here.call("resolve", "jobs.yaml", *(word for one in answers for word in ("--adopt", one)))
    assert adopted.status == 0, adopted.err
    assert here.call(*RUN).status == 0
    assert len(service.charged) == 5


def test_a_rehearsal_is_not_taken_for_bought(shell: Shell, simulator: Simulator) -> None:
    shell.write("jobs.yaml", MANIFEST)
    assert shell.call("run", "jobs.yaml", "--simulate").status == 0
    lose_the_journal(shell)
    service = simulator(*QUICK)
    here = shell.at(service)
    assert here.call(*RUN).status == 2
    recovered = here.call("recover", "jobs.yaml")
    assert recovered.status == 7
    assert "5 not at this service" in recovered.out
    assert all(job["job_id"] in recovered.out for job in here.results()["jobs"])
    assert here.call("status", "--json").json == []
    assert here.call(*RUN).status == 2, "a person says first that the results are of no use"
    assert shell.call("recover", "jobs.yaml", "--simulate").status == 0
    assert shell.call("run", "jobs.yaml", "--simulate").status == 0
    assert service.charged == []


def test_files_that_are_damaged_or_gone_are_fetched_again(done: tuple[Shell, Service]) -> None:
    here, service = done
    place = here.folder / "output/spring"
    paths = [place / job["files"][0]["path"] for job in here.results()["jobs"]]
    paths[0].unlink()
    data = paths[1].read_bytes()
    paths[1].write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    lose_the_journal(here)
    recovered = here.call(*RECOVER)
    assert [one["state"] for one in recovered.json["jobs"]] == ["succeeded"] * 2 + ["collected"] * 3
    assert here.call(*RUN).status == 8  # what was changed has the name still
    assert here.call("audit", "jobs.yaml", "--fix").status == 0
    assert here.call(*RUN).status == 0
    jobs = here.results()["jobs"]
    assert (place / jobs[1]["files"][0]["path"]).read_bytes() == data
    assert (place / jobs[0]["files"][0]["path"]).exists()
    assert len(service.charged) == 5


def test_jobs_in_doubt_stay_in_doubt_and_the_next_run_finds_them(shell: Shell, tmp_path: Path) -> None:
    state = tmp_path / "service.jsonl"
    shell.write(
        "jobs.yaml", many(8).replace("settle: 3s, settle_max: 6s", "settle: 1s, settle_max: 2s, then: hold")
    )
    with simulator_process(
        state, (*QUICK, "--fault", "submit:cut-after=50%", "--listing-lag", "20000")
    ) as service:
        assert shell.at(service).call(*RUN).status == 7
        port = service.base_url.rsplit(":", 1)[1].split("/")[0]
    lose_the_journal(shell)
    state.write_text(re.sub(r'"lag": ?[0-9.]+', '"lag": 0', state.read_text()))  # listings catch up
    with simulator_process(state, (*QUICK, "--port", port)) as service:
        here = shell.at(service)
        assert here.call(*RUN).status == 2
        recovered = here.call(*RECOVER)
        assert (recovered.status, set(fates(recovered.json))) == (0, {"in_doubt", "recovered"})
        assert fates(here.call(*RECOVER).json) == ["known"] * 8
        assert here.call(*RUN).status == 0
        assert len(service.charged) == 8


def test_later_attempts_keep_the_earlier_ones_and_what_they_cost(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK, "--failures", "50%", "--seed", "5")
    shell.write("jobs.yaml", many(6) + "retry: {attempts: 3}\n")
    here = shell.at(service)
    here.call(*RUN)
    before = here.results()
    assert max(job["attempts"] for job in before["jobs"]) > 1
    for keep_the_results in (True, False):
        lose_the_journal(here)
        if not keep_the_results:
            (here.folder / "output/spring/results.json").unlink()
        recovered = here.call(*RECOVER)
        assert recovered.status == 0, recovered.err
        here.call(*RUN)
        after = here.results()
        told = "quoted" if keep_the_results else ""  # no listing says what was quoted
        assert _but_quoted(after, told) == _but_quoted(before, told)
        assert [(one["job_id"], one["attempts"], one["seed"]) for one in after["jobs"]] == [
            (one["job_id"], one["attempts"], one["seed"]) for one in before["jobs"]
        ]
    assert len(service.charged) == sum(job["attempts"] for job in before["jobs"])


def _but_quoted(results: dict[str, Any], told: str) -> dict[str, Any]:
    return {name: one for name, one in results["summary"]["cost"].items() if name == told or name != "quoted"}


def test_a_recovery_cut_short_keeps_runs_away_until_it_has_ended(done: tuple[Shell, Service]) -> None:
    here, service = done
    mark = here.write("output/locks/spring.recovering", "")
    refused = here.call(*RUN)
    assert (refused.status, "was interrupted" in refused.err) == (2, True)
    assert here.call(*RECOVER).status == 0
    assert not mark.exists()
    assert here.call(*RUN).status == 0
    assert len(service.charged) == 5


def test_an_edited_job_does_not_take_what_was_bought_for_its_predecessor(done: tuple[Shell, Service]) -> None:
    here, service = done
    old = here.results()["jobs"]
    here.write("jobs.yaml", MANIFEST.replace("width: 128", "width: 256"))
    lose_the_journal(here)
    assert fates(here.call(*RECOVER).json) == ["recovered"] * 5
    assert here.call("plan", "jobs.yaml", "--json").json["counts"] == {"changed": 5}
    here.write("jobs.yaml", MANIFEST)
    assert here.call(*RUN).status == 0
    assert [job["job_id"] for job in here.results()["jobs"]] == [job["job_id"] for job in old]
    assert len(service.charged) == 5


def test_a_renamed_batch_is_not_bought_again_unless_it_is_asked_for(done: tuple[Shell, Service]) -> None:
    here, service = done
    here.write("jobs.yaml", MANIFEST.replace("spring", "summer"))
    refused = here.call(*RUN)
    assert refused.status == 2
    assert "`batch: spring`" in refused.err
    assert "--allow renamed" in refused.err
    assert len(service.charged) == 5
    assert here.call(*RUN, "--allow", "renamed").status == 0
    assert len(service.charged) == 10
    assert here.call(*RUN).status == 0, "from then on it is a batch like any other"


def test_the_same_jobs_in_a_second_manifest_are_no_rename(done: tuple[Shell, Service]) -> None:
    here, service = done
    here.write("other.yaml", MANIFEST.replace("spring", "summer"))
    assert here.call("run", "other.yaml", *RUN[2:]).status == 0
    assert len(service.charged) == 10


def test_a_few_jobs_in_common_stop_nobody(done: tuple[Shell, Service]) -> None:
    here, service = done
    prompts = json.dumps(["a castle", "a mill", "a ford", "a well", "a barn"])
    head = MANIFEST.split("jobs:")[0].replace("spring", "summer")
    here.write("jobs.yaml", f"{head}jobs: [{{prompt: {prompts}}}]\n")
    planned = here.call("plan", "jobs.yaml", "--offline", "--json").json["done_elsewhere"]
    assert (planned["batch"], planned["jobs"], planned["charged"] > 0) == ("spring", 2, True)
    assert here.call(*RUN).status == 0
    assert len(service.charged) == 10


def test_results_that_cannot_be_read_stop_a_run_and_a_recovery(done: tuple[Shell, Service]) -> None:
    here, service = done
    lose_the_journal(here)
    here.write("output/spring/results.json", '{"format": "something else"}')
    for words in (RUN, RECOVER):
        refused = here.call(*words)
        assert (refused.status, "is not a results file" in refused.err) == (2, True)
    assert len(service.charged) == 5


def test_other_batches_and_slots_that_were_lost_as_well_are_named_with_what_rebuilds_them(
    done: tuple[Shell, Service],
) -> None:
    here, _ = done
    here.write("other/more.yaml", MANIFEST.replace("spring", "autumn").replace("a castle", "a tower"))
    for words in (("other/more.yaml",), ("jobs.yaml", "--period", "launch")):
        assert here.call("run", *words, "--rate", "50/s").status == 0
    lose_the_journal(here)
    first = here.call("recover", "jobs.yaml", "--json").json
    assert (first["slot"], [one["batch"] for one in first["still_lost"]]) == ("launch", ["autumn"])
    told = here.call("recover", "jobs.yaml")
    [line] = [line for line in told.out.splitlines() if line.startswith("also lost: ")]
    command = line.rpartition("batchgen ")[2]
    assert "batch 'autumn'" in line
    again = here.call(*command.split())
    assert (again.status, "also lost" in again.out) == (0, False), again.err


def test_chains_of_what_a_person_keeps_come_back_with_the_marks(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    here = shell.at(service)
    here.write(
        "jobs.yaml",
        "version: 1\nbatch: spring\njobs:\n"
        "  - {entry: knight, id: 'k-{n}', prompt: 'a knight {n}', model: model_bfl-flux-1-dev,\n"
        "     params: {numOutputs: 2}, matrix: {n: [1, 2]}}\n"
        "  - {id: '{job}-cut', from: {jobs: knight, only: 'mark:kept'},\n"
        "     model: model_birefnet-background-removal, params: {image: {job: '{job}'}}}\n",
    )
    assert here.call(*RUN).status == 0
    assert here.call("mark", "jobs.yaml", "kept", "k-1", "--asset", "1").status == 0
    assert here.call(*RUN).status == 0
    before = here.results()
    assert [one["id"] for one in before["jobs"]] == ["k-1", "k-2", "k-1-cut"]
    lose_the_journal(here)
    recovered = here.call(*RECOVER)
    assert (recovered.status, fates(recovered.json)) == (0, ["recovered"] * 3), recovered.err
    assert here.call("plan", "jobs.yaml", "--json").json["counts"] == {"done": 3}
    assert here.call(*RUN).status == 0
    assert len(service.charged) == 3
    after = here.results()
    assert (after["jobs"], after["undecided"]) == (before["jobs"], before["undecided"])
