"""Buying again on purpose: by the day, afresh, or one job that failed."""

from collections.abc import Callable

from batchgen.cli.flags import ALLOWED
from batchgen.wiring.options import Allow
from tests.cli.conftest import Service, Shell

Simulator = Callable[..., Service]

RUN = ("run", "jobs.yaml", "--rate", "50/s")
QUICK = ("--speed", "40", "--duration", "2-4")
MANIFEST = """\
version: 1
batch: spring
defaults: {model: model_bfl-flux-1-dev, params: {width: 128, height: 128}}
jobs: [{prompt: a castle}, {prompt: a mill}]
"""


def test_a_slot_is_bought_once_and_a_fresh_one_anew(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    shell.write("jobs.yaml", MANIFEST)
    here = shell.at(service)
    assert here.call(*RUN).status == 0
    for _ in range(2):  # a cron that fires twice
        assert here.call(*RUN, "--period", "launch").status == 0
        assert len(service.charged) == 4
    fresh = here.call(*RUN, "--fresh")
    assert (fresh.status, "a fresh slot, fresh-" in fresh.err) == (0, True)
    assert len(service.charged) == 6
    assert here.call(*RUN).status == 0
    assert len(service.charged) == 6, "the same command goes on with the fresh slot"
    assert len({one["asset_ids"][0] for one in here.results()["jobs"]}) == 2
    quiet = here.call(*RUN, "--period", "launch", "--quiet", "--json")
    assert (quiet.json["batch"], quiet.json["slot"]) == ("spring", "launch")
    for words in (("plan",), ("audit", "--offline")):
        told = here.call(words[0], "jobs.yaml", *words[1:], "--slot", "launch", "--json").json
        assert told["slot"] == "launch", words
    unknown = here.call("plan", "jobs.yaml", "--slot", "yesterday")
    assert (unknown.status, "'launch'" in unknown.err) == (2, True)
    assert here.call("plan", "jobs.yaml", "--slot", "launch", "--json").json["counts"] == {"done": 2}


def test_a_fresh_slot_waits_for_the_last_one_unless_it_is_left(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    shell.write("jobs.yaml", MANIFEST)
    here = shell.at(service)
    assert here.call(*RUN).status == 0
    shell.write("jobs.yaml", MANIFEST.replace("a mill", "a well"))
    refused = here.call(*RUN, "--fresh")
    assert (refused.status, "--allow unfinished-slot" in refused.err, len(service.charged)) == (2, True, 2)
    assert here.call(*RUN, "--fresh", "--allow", "unfinished-slot").status == 0
    assert len(service.charged) == 4


def test_a_change_may_be_accepted_and_the_word_taken_back(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    shell.write("jobs.yaml", MANIFEST.replace("prompt: a castle", "id: keep, prompt: a castle"))
    here = shell.at(service)
    assert here.call(*RUN).status == 0
    shell.write("jobs.yaml", MANIFEST.replace("prompt: a castle", "id: keep, prompt: a castel"))
    accepted = here.call("accept", "jobs.yaml", "keep")
    assert (accepted.status, "keeps what was bought as 'a castle'" in accepted.out) == (0, True)
    assert here.call("plan", "jobs.yaml", "--check", "--offline").status == 0
    assert here.call(*RUN).status == 0
    assert len(service.charged) == 2
    (kept, _) = here.results()["jobs"]
    assert (kept["prompt"], kept["accepted"], kept["bought_as"]["prompt"]) == ("a castel", True, "a castle")
    assert kept["asset_ids"]
    wrong = here.call("forget", "jobs.yaml", "keep", "a-mill")
    assert (wrong.status, "nothing was accepted for 'a-mill'" in wrong.err) == (2, True)
    assert here.call("forget", "jobs.yaml", "keep").status == 0
    assert here.call(*RUN).status == 0
    assert len(service.charged) == 3


def test_one_job_that_failed_is_tried_again_and_no_other(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK, "--failures", "100%")
    shell.write("jobs.yaml", MANIFEST)
    here = shell.at(service)
    assert here.call(*RUN).status == 3
    wrong = here.call("retry", "jobs.yaml", "a-castel", "a-castle")
    assert (wrong.status, "did you mean 'a-castle'?" in wrong.err, len(service.charged)) == (2, True, 2)
    again = here.call("retry", "jobs.yaml", "a-castle", "--json")
    assert again.status == again.json["exit"] == 3
    assert [one["attempts"] for one in here.results()["jobs"]] == [2, 1]
    assert len(service.charged) == 3


def test_every_guard_that_can_be_passed_is_a_word_of_one_flag() -> None:
    assert set(ALLOWED) == {str(one) for one in Allow}
