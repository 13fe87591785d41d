"""A batch that is run under another project, address or name is carried on, and not bought again."""

import json
import signal
import sqlite3
from collections.abc import Callable

import pytest

from tests.cli.conftest import Service, Shell
from tests.cli.test_run import MANIFEST, QUICK, many, wait_until

Simulator = Callable[..., Service]

RUN = ("run", "jobs.yaml", "--rate", "50/s")
OWN = "proj_simulated"
SLOW = ("--speed", "10", "--duration", "20-30", "--ceiling", "30")


def killed_in_flight(shell: Shell, service: Service, *words: str) -> int:
    """Kill a run as soon as all its jobs are at the service, and tell how many these are."""
    shell.write("jobs.yaml", many(8))
    with shell.start(*RUN, *words) as process:
        wait_until(lambda: len(service.charged) >= 4)
        process.send_signal(signal.SIGKILL)
        process.wait()
    return len(service.charged)


@pytest.fixture
def done(shell: Shell, simulator: Simulator) -> tuple[Shell, Service]:
    """A batch that was carried to its results."""
    service = simulator(*QUICK)
    shell.write("jobs.yaml", MANIFEST)
    here = shell.at(service)
    assert here.call(*RUN).status == 0
    return here, service


def test_the_keys_own_project_by_its_name_is_the_same_account(done: tuple[Shell, Service]) -> None:
    here, service = done
    planned = here.call("plan", "jobs.yaml", "--project", OWN, "--json").json
    assert (planned["to_submit"], planned["goes_on_in"][0]["project"]) == (0, None)
    run = here.call(*RUN, "--project", OWN)
    assert run.status == 0, run.err
    assert "goes on with what is on record for the key's own project" in run.err
    assert len(service.charged) == 5
    for words in (("plan", "jobs.yaml", "--json"), ("plan", "jobs.yaml", "--json", "--project", OWN)):
        assert here.call(*words).json["counts"] == {"done": 5}
    assert here.call("audit", "jobs.yaml", "--project", OWN).status == 0
    assert here.having(SCENARIO_PROJECT_ID=OWN).call(*RUN).status == 0
    assert here.call(*RUN).status == 0, "and without the project as before"
    assert len(service.charged) == 5
    assert [one["states"] for one in here.call("status", "--json").json] == [{"collected": 5}]


def test_what_a_killed_run_has_paid_is_collected_under_the_projects_name(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*SLOW)
    here = shell.at(service)
    killed_in_flight(here, service)
    run = here.call(*RUN, "--project", OWN)
    assert run.status == 0, run.err
    assert len(service.charged) == 8
    assert {job["status"] for job in here.results()["jobs"]} == {"succeeded"}


def test_killed_then_with_its_project_then_renamed_and_nothing_is_bought_twice(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*SLOW)
    here = shell.at(service)
    killed_in_flight(here, service)
    with here.start(*RUN, "--project", OWN) as process:
        wait_until(lambda: len(service.charged) == 8)
        process.kill()
        process.wait()
    here.write("jobs.yaml", many(8).replace("spring", "summer"))
    refused = here.call(*RUN)
    assert refused.status == 2
    assert "paid for, or possibly so, and not done" in refused.err
    assert "`batch: spring`" in refused.err
    assert "--allow renamed" in refused.err
    assert "a run stops" in here.call("plan", "jobs.yaml", "--offline").out
    here.write("jobs.yaml", many(8))
    assert here.call(*RUN).status == 0
    assert len(service.charged) == 8


def test_a_project_that_does_not_show_what_was_bought_stops_the_run_before_anything_is_sent(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*QUICK)
    shell.write("jobs.yaml", MANIFEST)
    here = shell.at(service)
    assert here.call(*RUN).status == 0
    with sqlite3.connect(
        shell.folder / "output/journal.db"
    ) as file:  # bought long ago, and nobody said whose
        file.execute("UPDATE scopes SET owner = ''")
        file.execute("UPDATE records SET fields = json_replace(fields, '$.submissions[0].at', 1000.0)")
    refused = here.call(*RUN, "--project", "proj_another")
    assert refused.status == 2, refused.err
    assert "'proj_another'" in refused.err
    assert "the key's own project" in refused.err
    assert "--allow other-project" in refused.err
    assert len(service.charged) == 5
    allowed = here.call(*RUN, "--project", "proj_another", "--allow", "other-project")
    assert allowed.status == 0, allowed.err
    assert len(service.charged) == 5


def test_a_batch_is_bought_in_two_projects_that_are_known_to_be_two(done: tuple[Shell, Service]) -> None:
    here, service = done
    here.write("other.yaml", MANIFEST.replace("spring", "autumn").replace("a castle", "a tower"))
    assert here.call("run", "other.yaml", *RUN[2:], "--project", "proj_another").status == 0
    count = len(service.charged)
    assert here.call(*RUN, "--project", "proj_another").status == 0
    assert len(service.charged) == count + 5


def test_another_name_of_this_machine_is_the_same_service(done: tuple[Shell, Service]) -> None:
    here, service = done
    alias = here.having(SCENARIO_BASE_URL=service.base_url.replace("127.0.0.1", "localhost"))
    assert alias.call(*RUN).status == 0
    assert len(service.charged) == 5
    states = [one["states"] for one in here.call("status", "--json").json]
    assert states == [{"collected": 5}], "and no row is owned twice"


def test_a_choice_to_buy_once_more_is_remembered(done: tuple[Shell, Service]) -> None:
    here, service = done
    here.write("jobs.yaml", MANIFEST.replace("spring", "summer"))
    assert here.call(*RUN).status == 2
    assert here.call(*RUN, "--allow", "renamed", "--limit", "1").status in {0, 8}
    assert here.call(*RUN).status == 0
    assert len(service.charged) == 10


def test_a_manifest_that_lies_there_is_not_gone_because_its_run_was_killed(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*SLOW)
    here = shell.at(service)
    killed_in_flight(here, service)
    assert not (shell.folder / "output/spring/results.json").exists()
    shell.write("other.yaml", many(8).replace("spring", "summer"))
    planned = here.call("plan", "other.yaml", "--offline", "--json").json
    assert planned["stopped"] is None
    assert planned["done_elsewhere"]["manifest_is_gone"] is False
    assert planned["done_elsewhere"]["open"] >= 3


def test_a_manifest_that_moved_with_its_batch_is_no_rename(done: tuple[Shell, Service]) -> None:
    here, service = done
    (here.folder / "jobs.yaml").unlink()
    here.write("there/moved.yaml", MANIFEST)
    assert here.call("run", "there/moved.yaml", *RUN[2:]).status == 0
    assert len(service.charged) == 5


def test_a_file_that_holds_another_batch_now_is_not_the_manifest_that_lay_there(
    done: tuple[Shell, Service],
) -> None:
    here, service = done
    here.write("jobs.yaml", MANIFEST.replace("spring", "autumn").replace("a castle", "a tower"))
    here.write("third.yaml", MANIFEST.replace("spring", "summer"))
    refused = here.call("run", "third.yaml", *RUN[2:])
    assert (refused.status, "`batch: spring`" in refused.err) == (2, True)
    assert len(service.charged) == 5


def test_part_of_a_batch_that_is_there_already_does_not_hide_a_rename(done: tuple[Shell, Service]) -> None:
    here, service = done
    head = MANIFEST.split("jobs:")[0].replace("spring", "summer")
    here.write("other.yaml", f"{head}jobs: [{{prompt: a well}}]\n")
    assert here.call("run", "other.yaml", *RUN[2:]).status == 0
    (here.folder / "jobs.yaml").unlink()
    body = MANIFEST.split("jobs:")[1]
    here.write("other.yaml", f"{head}jobs:{body}\n  - {{prompt: a well}}\n")
    refused = here.call("run", "other.yaml", *RUN[2:])
    assert (refused.status, "--allow renamed" in refused.err) == (2, True), refused.err
    assert len(service.charged) == 6
    assert json.loads(here.call("plan", "other.yaml", "--json").out)["stopped"]


def test_twenty_jobs_or_half_of_them_done_elsewhere_stop_a_run_and_fewer_are_said(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*QUICK)
    here = shell.at(service)
    here.write("jobs.yaml", many(2))
    assert here.call(*RUN).status == 0
    here.write("jobs.yaml", many(4).replace("spring", "summer"))
    assert here.call(*RUN).status == 2, "half of them are done"
    here.write("jobs.yaml", many(5).replace("spring", "summer"))
    run = here.call(*RUN)
    assert run.status == 0, run.err
    assert "batch 'spring' of the same journal has 2 done; here they are bought once more" in run.err
    assert len(service.charged) == 7
