"""The installed command with a pool: enqueued here, led there, and taken over when it is killed."""

import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.cli.conftest import Service, Shell
from tests.support.forked import Forked
from tests.support.workers import LEASE, waited

PATIENCE = 60.0  # seconds
JOBS = """\
version: 1
batch: {batch}
defaults: {{model: model_bfl-flux-1-dev}}
limits: {{rate: 50/s}}
doubt: {{settle: 1s, settle_max: 5s}}
jobs:
  - {{id: tower, prompt: a tower of {batch}, repeat: {jobs}}}
"""

TWICE = "a queue may deliver a batch twice"
WHOLE = "a worker leads the whole batch"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--fresh"], TWICE),
        (["--retry-failed"], TWICE),
        (["--limit", "1"], TWICE),
        (["--sample", "1"], TWICE),
        (["--simulate"], WHOLE),
        (["--standby"], WHOLE),
        (["--wait-lock", "5s"], WHOLE),
        (["--max-duration", "5s"], WHOLE),
        (["--dry-run"], WHOLE),
        (["--collect-only"], WHOLE),
        (["--only", "tower"], WHOLE),
    ],
)
def test_what_a_queue_cannot_promise_is_not_enqueued(shell: Shell, words: Sequence[str], why: str) -> None:
    shell.write("jobs.yaml", JOBS.format(batch="spring", jobs=1))
    done = shell.call("run", "jobs.yaml", "--enqueue", *words)
    assert (done.status, words[0].split("=")[0] in done.err, why in done.err) == (2, True, True)


def test_the_words_of_a_queue_go_with_it(shell: Shell) -> None:
    shell.write("jobs.yaml", JOBS.format(batch="spring", jobs=1))
    done = shell.call("run", "jobs.yaml", "--every", "0 3 * * *")
    assert (done.status, "--queue and --every go with --enqueue" in done.err) == (2, True)


def test_times_have_slots_of_their_own(shell: Shell) -> None:
    shell.write("jobs.yaml", JOBS.format(batch="spring", jobs=1))
    words = ("--enqueue", "--every", "@daily", "--period", "day", "--slot", "2026-05-01")
    done = shell.call("run", "jobs.yaml", *words)
    assert (done.status, "each time has its own slot" in done.err) == (2, True)


def test_a_journal_in_a_file_has_no_queue(shell: Shell) -> None:
    shell.write("jobs.yaml", JOBS.format(batch="spring", jobs=1))
    for words in (("run", "jobs.yaml", "--enqueue"), ("worker", "run"), ("worker", "list")):
        done = shell.call(*words)
        assert (done.status, "workers share a journal on PostgreSQL" in done.err) == (2, True)


class Hosts:
    """Several hosts on one database and one service."""

    def __init__(self, shell: Shell, service: Service, url: str) -> None:
        self.service = service
        self.shell = shell.at(service).having(BATCHGEN_JOURNAL=url)

    def manifest(self, batch: str, jobs: int = 3, more: str = "") -> str:
        self.shell.write(f"{batch}.yaml", JOBS.format(batch=batch, jobs=jobs) + more)
        return f"{batch}.yaml"

    def worker(self, name: str, *words: str) -> Forked:
        return self.shell.start("worker", "run", "-o", name, *words)

    def listed(self) -> Any:
        return self.shell.call("worker", "list", "--json").json

    def batch(self, name: str) -> Any:
        [found] = [one for one in self.listed()["batches"] if one["batch"] == name]
        return found

    def until(self, what: Callable[[], object]) -> None:
        assert waited(what, PATIENCE), self.listed()


@pytest.fixture
def hosts(shell: Shell, database: str, simulator: Callable[..., Service]) -> Hosts:
    found = Hosts(shell, simulator("--duration", "0.5-1"), database)
    made = found.shell.call("journal", "init", "--lease", f"{LEASE:g}s")
    assert (made.status, "a journal and a queue" in made.out) == (0, True)
    return found


@pytest.mark.postgres
def test_a_batch_is_enqueued_led_and_shown(hosts: Hosts) -> None:
    shell = hosts.shell
    done = shell.call("run", hosts.manifest("spring"), "--enqueue")
    assert (done.status, "spring: in the queue 'batchgen'; a worker leads it" in done.err) == (0, True)
    again = shell.call("run", "spring.yaml", "--enqueue", "--json")
    assert (again.status, again.json["before"], again.json["waits"]) == (0, "wanted", True)
    assert "spring waits for a worker with room; asked by" in shell.call("worker", "list").out
    with hosts.worker("west") as worker:
        hosts.until(lambda: hosts.batch("spring")["state"] == "done")
        shown = shell.call("worker", "list").out
        assert "1 worker\n" in shown
        assert "spring is done ended last with 0 at" in shown
        worker.terminate()
        out, err = worker.communicate()
        assert (worker.wait(), out, "Traceback" in err) == (0, "", False)
        assert "spring: ended with 0, done; done" in err
    assert len(hosts.service.charged) == 3
    assert (shell.folder / "west" / "spring" / "results.json").is_file()
    assert hosts.listed()["workers"] == []


@pytest.mark.postgres
def test_without_anybodys_word_or_a_cap_nothing_is_enqueued(hosts: Hosts) -> None:
    hosts.shell.agrees = False
    done = hosts.shell.call("run", hosts.manifest("spring"), "--enqueue")
    assert (done.status, "nobody is there to ask what it may cost" in done.err) == (2, True)
    assert hosts.shell.call("run", "spring.yaml", "--enqueue", "--budget", "100").status == 0
    wrong = hosts.shell.call("run", hosts.manifest("winter", more="  - {prompt: no}\n"), "--enqueue")
    assert wrong.status == 2
    assert [one["batch"] for one in hosts.listed()["batches"]] == ["spring"]


@pytest.mark.postgres
def test_a_worker_that_is_killed_is_taken_over(hosts: Hosts) -> None:
    hosts.shell.call("run", hosts.manifest("spring", jobs=12), "--enqueue")
    with hosts.worker("west") as west:
        hosts.until(lambda: len(hosts.service.charged) > 3)
        west.kill()
    with hosts.worker("east") as east:
        hosts.until(lambda: hosts.batch("spring")["state"] == "done")
        east.terminate()
        assert east.wait() == 0
    assert len({one["remote_id"] for one in hosts.service.charged}) == 12
    assert hosts.batch("spring")["exit"] == 0


@pytest.mark.postgres
def test_a_worker_that_stood_still_leaves_its_batch_to_another(hosts: Hosts) -> None:
    hosts.shell.call("run", hosts.manifest("spring", jobs=40), "--enqueue")
    with hosts.worker("west") as west, hosts.worker("east", "--concurrency", "2") as east:
        hosts.until(lambda: hosts.batch("spring")["state"] == "led")
        leader = int(hosts.batch("spring")["leader"].split()[1])
        os.kill(leader, signal.SIGSTOP)
        try:
            hosts.until(lambda: str(leader) not in str(hosts.batch("spring")["leader"] or leader))
        finally:
            os.kill(leader, signal.SIGCONT)
        hosts.until(lambda: hosts.batch("spring")["state"] == "done")
        for one in (west, east):
            one.terminate()
            assert one.wait() == 0
    assert len(hosts.service.charged) == 40


@pytest.mark.postgres
def test_what_a_worker_does_not_have_is_said_once_and_waits_for_a_person(hosts: Hosts) -> None:
    rows = hosts.shell.write("rows.csv", "row\na mill\n")
    path = hosts.manifest("spring", more='  - {id: "{row}", prompt: "{row}", from: rows.csv}\n')
    assert hosts.shell.call("run", path, "--enqueue").status == 0
    rows.unlink()  # as on a host that does not share the folder
    with hosts.worker("west") as west:
        hosts.until(lambda: hosts.batch("spring")["state"] == "stopped")
        west.terminate()
    batch = hosts.batch("spring")
    assert (batch["exit"], "rows.csv" in "".join(batch["reasons"])) == (2, True)
    assert hosts.service.charged == []


@pytest.mark.postgres
def test_a_night_is_asked_for_by_its_times(hosts: Hosts) -> None:
    done = hosts.shell.call("run", hosts.manifest("spring"), "--enqueue", "--every", "0 3 * * *")
    assert (done.status, "it has no `period`" in done.err) == (2, True)
    done = hosts.shell.call("run", "spring.yaml", "--enqueue", "--every", "0 3 * * *", "--period", "day")
    assert (done.status, "once more at" in done.err) == (0, True)
    assert hosts.batch("spring")["every"] == "0 3 * * *"
    assert hosts.shell.call("worker", "remove", "spring").out == "spring: taken out of the queue\n"
    assert hosts.shell.call("worker", "remove", "spring").status == 2
    assert hosts.listed()["batches"] == []


@pytest.mark.postgres
def test_a_journal_without_a_queue_says_how_to_make_it(hosts: Hosts, database: str) -> None:
    from tests.support.workers import Yard  # noqa: PLC0415 - speaks SQL

    Yard(database, hosts.shell.folder).sql("DROP TABLE procrastinate_jobs CASCADE")
    done = hosts.shell.call("worker", "run")
    assert (done.status, "has no tables of the queue; make them: batchgen journal init" in done.err) == (
        2,
        True,
    )
