"""Outputs that a service shows late, as the command tells of them."""

from collections.abc import Callable

from tests.cli.conftest import Service, Shell

Simulator = Callable[..., Service]

MANIFEST = """\
version: 1
batch: spring
defaults:
  model: model_bfl-flux-1-dev
  params: {numOutputs: 4, width: 128, height: 128}
jobs:
  - prompt: [a tower, a mill, a well, a barn]
"""


def test_what_only_the_jobs_themselves_show_is_in_the_results(shell: Shell, simulator: Simulator) -> None:
    service = simulator(
        "--speed", "40", "--duration", "2-4", "--late-outputs", "100%", "--whole-after", "9000"
    )
    shell.write("jobs.yaml", MANIFEST)
    done = shell.at(service).call("run", "jobs.yaml", "--rate", "50/s", "--json")
    assert done.status == 0, done.err
    jobs = shell.results()["jobs"]
    assert [len(job["files"]) for job in jobs] == [4] * 4
    for job in jobs:
        assert [file["asset_id"] for file in job["files"]] == job["asset_ids"]


def test_what_comes_a_moment_later_is_waited_for(shell: Shell, simulator: Simulator) -> None:
    late = ("--late-outputs", "100%", "--whole-after", "120", "--late-in-jobs")
    service = simulator("--speed", "40", "--duration", "2-4", *late)
    shell.write("jobs.yaml", MANIFEST)
    done = shell.at(service).call("run", "jobs.yaml", "--rate", "50/s", "--json")
    assert done.status == 0, done.err
    jobs = shell.results()["jobs"]
    assert [len(job["files"]) for job in jobs] == [4] * 4
    assert all(job["error"] is None and "missing_assets" not in job for job in jobs)
    again = shell.at(service).call("run", "jobs.yaml", "--json")
    assert again.status == 0
    assert "nothing to do" in again.err
    assert len(service.charged) == 4
