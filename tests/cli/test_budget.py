"""Budgets of the installed command: the manifest's, and the command line's in its place."""

from tests.cli.conftest import Shell

MANIFEST = """\
version: 1
batch: spring
budget: {total: 10}
defaults:
  model: model_bfl-flux-1-dev
jobs:
  - prompt: a tower, number {n}
    matrix: {n: [1, 2, 3, 4, 5]}
"""


def test_a_budget_stops_a_run_and_a_higher_one_of_the_command_line_goes_on(shell: Shell) -> None:
    shell.write("jobs.yaml", MANIFEST)
    stopped = shell.call("run", "jobs.yaml", "--simulate", "--json")
    assert stopped.status == 5, stopped.err
    assert "3 jobs are left, for 12 CU; a budget of 20 CU buys them all" in stopped.json["reasons"][0]
    assert [job["status"] for job in shell.results()["jobs"]].count("succeeded") == 2
    done = shell.call("run", "jobs.yaml", "--simulate", "--budget", "20")
    assert done.status == 0, done.err
    assert [job["status"] for job in shell.results()["jobs"]] == ["succeeded"] * 5
