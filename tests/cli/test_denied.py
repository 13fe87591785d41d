"""A key that may not do everything: one model is closed to it, or the listing of jobs is."""

from collections.abc import Callable

from tests.cli.conftest import Service, Shell

Simulator = Callable[..., Service]

RUN = ("run", "jobs.yaml", "--rate", "50/s")
QUICK = ("--speed", "40", "--duration", "2-4")
CLOSED = "model_imagen4-ultra"
MANIFEST = f"""\
version: 1
batch: spring
doubt: {{settle: 3s, settle_max: 6s}}
defaults: {{model: model_bfl-flux-1-dev}}
jobs:
  - {{prompt: a castle, model: {CLOSED}}}
  - prompt: [a mill, a well, a barn]
"""


def test_a_model_that_is_closed_keeps_no_other_models_jobs(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK, "--deny-model", CLOSED)
    shell.write("jobs.yaml", MANIFEST)
    here = shell.at(service)
    for _ in range(2):
        done = here.call(*RUN, "--json")
        assert done.status == done.json["exit"] == 4
        (reason,) = done.json["reasons"]
        assert f"1 job of {CLOSED} not bought" in reason
        assert "You are not allowed to use this model" in reason
        assert [one["status"] for one in here.results()["jobs"]] == ["pending", *["succeeded"] * 3]
        assert len(service.charged) == 3, "and the second run buys nothing again"


def test_validate_still_points_at_a_closed_model_in_the_manifest(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK, "--deny-model", CLOSED)
    shell.write("jobs.yaml", MANIFEST)
    wrong = shell.at(service).call("validate", "jobs.yaml")
    assert (wrong.status, f"jobs.yaml:6:31: model '{CLOSED}' (1 job)" in wrong.err) == (2, True), wrong.err


def test_a_key_that_may_not_list_jobs_buys_nothing_unless_it_is_told_to(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*QUICK, "--deny-listing")
    shell.write("jobs.yaml", MANIFEST)
    here = shell.at(service)
    refused = here.call(*RUN, "--json")
    assert (refused.status, len(service.charged)) == (4, 0)
    told = "; ".join(refused.json["reasons"])
    assert "this key may not list jobs (GET /jobs)" in told
    assert "--allow no-listing" in told
    assert "needs your decision" in told, "the risk"
    assert here.call(*RUN, "--allow", "no-listing").status == 0
    assert [one["status"] for one in here.results()["jobs"]] == ["succeeded"] * 4
    assert len(service.charged) == 4


def test_without_a_listing_what_is_lost_waits_for_a_person_and_is_never_bought_again(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*QUICK, "--deny-listing", "--fault", "submit:cut-after=100%")
    shell.write("jobs.yaml", MANIFEST)
    here = shell.at(service)
    for _ in range(2):
        done = here.call(*RUN, "--allow", "no-listing", "--limit", "1")
        assert done.status == 7
    (first, *_) = here.results()["jobs"]
    assert first["status"] == "in_doubt"
    assert "with --allow no-listing this run could not look for it" in first["error"]["message"]
    assert len({one["body"] for one in service.charged}) == len(service.charged)
