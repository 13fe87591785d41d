"""Jobs that stay in doubt are shown with their candidates and decided by a person."""

from collections.abc import Callable

import pytest

from tests.cli.conftest import Service, Shell
from tests.cli.test_run import wait_until

Simulator = Callable[..., Service]

QUICK = ("--speed", "40", "--duration", "2-4")
MANIFEST = """\
version: 1
batch: spring
doubt: {then: hold, settle: 1s, settle_max: 2s}
defaults: {model: model_bfl-flux-1-dev, params: {width: 128, height: 128}}
jobs: [{prompt: one}, {prompt: two}, {prompt: three}]
"""


@pytest.fixture
def held(shell: Shell, simulator: Simulator) -> tuple[Shell, Service]:
    """A batch with jobs in doubt: every answer to a submit is lost, and listings are too far behind."""
    service = simulator(*QUICK, "--fault", "submit:cut-after=100%", "--listing-lag", "20000")
    shell.write("jobs.yaml", MANIFEST)
    here = shell.at(service)
    assert here.call("run", "jobs.yaml", "--rate", "50/s").status == 7
    return here, service


def test_what_is_known_of_each_is_shown(held: tuple[Shell, Service]) -> None:
    here, service = held
    shown = here.call("resolve", "jobs.yaml", "--json")
    assert shown.status == 7
    assert [one["id"] for one in shown.json] == ["one", "two", "three"]
    assert {one["state"] for one in shown.json} == {"held"}
    assert all("the reply was lost" in one["reason"] and one["submitted_at"] for one in shown.json)
    assert len(service.charged) == 3


def test_each_answer_is_recorded_and_the_next_run_acts_on_it(held: tuple[Shell, Service]) -> None:
    here, service = held
    mine = next(one["remote_id"] for one in service.charged if '"one"' in one["body"])
    done = here.call(
        "resolve", "jobs.yaml", "--adopt", f"one={mine}", "--absent", "two", "--give-up", "three"
    )
    assert (done.status, done.out) == (0, "Nothing is in doubt.\n")
    assert here.call("plan", "jobs.yaml", "--json").json["counts"] == {
        "running": 1,
        "not accepted yet": 1,
        "failed": 1,
    }
    here.call("run", "jobs.yaml", "--rate", "50/s")
    assert len(service.charged) == 4, "only the one that is absent by a person's word was sent again"
    jobs = {job["id"]: job for job in here.results()["jobs"]}
    assert (jobs["one"]["status"], jobs["one"]["job_id"]) == ("succeeded", mine)
    assert jobs["three"]["error"]["message"].startswith("given up")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--absent", "four"), "no job 'four' is in doubt"),
        (("--adopt", "one=job_nobody"), "shows no job 'job_nobody'"),
        (("--adopt", "one"), "JOB=REMOTE_ID"),
        (("--absent", "one", "--give-up", "one"), "answered for twice"),
    ],
)
def test_a_wrong_answer_is_refused_and_nothing_is_recorded(
    held: tuple[Shell, Service], words: tuple[str, ...], said: str
) -> None:
    here, _ = held
    done = here.call("resolve", "jobs.yaml", "--give-up", "two", *words)
    assert (done.status, said in done.err) == (2, True), done.err
    assert len(here.call("resolve", "jobs.yaml", "--json").json) == 3


def test_what_is_listed_by_all_that_was_sent_is_absent_only_by_its_own_id(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*QUICK, "--fault", "submit:cut-after=100%", "--listing-lag", "400")
    shell.write("jobs.yaml", MANIFEST)
    here = shell.at(service)
    assert here.call("run", "jobs.yaml", "--rate", "50/s", "--in-flight", "1").status == 7
    row = next(one["remote_id"] for one in service.charged if '"one"' in one["body"])

    def shown() -> dict[str, list[str]]:
        found = here.call("resolve", "jobs.yaml", "--json").json
        return {one["id"]: [each["job_id"] for each in one["candidates"] if each["certain"]] for one in found}

    wait_until(lambda: all(shown().values()))
    others = ("--give-up", "two", "--give-up", "three")
    for words in ((), ("--sure", "job_another")):
        done = here.call("resolve", "jobs.yaml", "--absent", "one", *words, *others)
        assert done.status == 2
        assert f"one: the service lists {row}, " in done.err
        assert " CU, which echoes all that was sent" in done.err
        assert f"--absent one --sure {row}" in done.err
        assert len(shown()) == 3, "nothing is recorded"
    done = here.call("resolve", "jobs.yaml", "--absent", "one", "--sure", row, *others)
    assert (done.status, shown()) == (0, {})
