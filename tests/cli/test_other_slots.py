"""What is paid for in a slot that has ended is carried by the runs of the slots after it."""

import json
from collections.abc import Callable

from tests.cli.conftest import Service, Shell
from tests.cli.test_run import wait_until

Simulator = Callable[..., Service]

RUN = ("run", "jobs.yaml", "--rate", "50/s")


def manifest(slot: str, count: int) -> str:
    prompts = ", ".join(f"a house number {number}" for number in range(count))
    return (
        f"version: 1\nbatch: spring\nperiod: {slot}\ndoubt: {{settle: 3s, settle_max: 6s}}\n"
        f"defaults: {{model: model_bfl-flux-1-dev, params: {{width: 128, height: 128}}}}\n"
        f"jobs:\n  - prompt: [{prompts}]\n"
    )


def test_what_a_killed_run_has_paid_for_is_collected_in_the_next_slot(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator("--speed", "20", "--duration", "60-80")
    shell.write("jobs.yaml", manifest("monday", 8))
    here = shell.at(service)
    with here.start(*RUN, "--in-flight", "5") as killed:
        wait_until(lambda: len(service.charged) == 5)
        killed.kill()
        killed.wait()
    shell.write("jobs.yaml", manifest("tuesday", 3))
    plan = here.call("plan", "jobs.yaml", "--offline")
    assert (
        "slot monday: 5 jobs paid for, or in doubt, and not collected: the next run collects them" in plan.out
    )
    assert here.call("plan", "jobs.yaml", "--offline", "--check").status == 8

    shell.write("jobs.yaml", manifest("tuesday", 8))
    done = here.call(*RUN, "--json")
    assert done.status == 0, done.err
    assert "also continues 5 jobs of slot monday" in done.err
    notes = "\n".join(done.json["notes"])
    assert "slot monday: 5 jobs collected that were paid for there" in notes
    assert "slot monday: 3 jobs not bought: batchgen run jobs.yaml --slot monday" in notes
    assert len(service.charged) == 13, "nothing is bought in monday"
    results = here.results()
    assert (results["slot"], len(results["jobs"])) == ("tuesday", 8)
    place = here.folder / "output" / "spring" / "slots" / "monday" / "results.json"
    kept = json.loads(place.read_text())
    assert [one["status"] for one in kept["jobs"]].count("succeeded") == 5
    for job in kept["jobs"]:
        for file in job["files"]:
            assert file["path"].startswith("assets/")
            assert (place.parent / file["path"]).is_file()

    _finish_monday(here, service)


def _finish_monday(here: Shell, service: Service) -> None:
    place = here.folder / "output" / "spring" / "slots" / "monday" / "results.json"
    again = here.call(*RUN)
    assert (again.status, "nothing to do" in again.err) == (0, True)
    assert here.call(*RUN, "--slot", "monday").status == 0
    assert len(service.charged) == 16
    assert here.results()["slot"] == "tuesday", "a slot of the past leaves the batch's results alone"
    assert json.loads(place.read_text())["summary"]["statuses"]["succeeded"] == 8
    assert "not bought" not in here.call(*RUN).err


def test_a_job_that_is_held_in_an_older_slot_is_said_once_with_the_exit_and_then_in_a_line(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator("--speed", "40", "--duration", "2-4", "--fault", "submit:cut-after=40%")
    shell.write("jobs.yaml", manifest("monday", 6))
    here = shell.at(service)
    assert here.call(*RUN, "--allow", "no-listing").status == 7
    shell.write("jobs.yaml", manifest("tuesday", 2))
    first, second = here.call(*RUN), here.call(*RUN)
    assert "slot monday: " in first.err
    assert (first.status, second.status) == (7, 0), first.err + second.err
    for done in (first, second):
        assert "batchgen resolve jobs.yaml --slot monday" in done.err
    assert len(service.charged) == 8
