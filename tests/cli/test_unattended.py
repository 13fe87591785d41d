"""Runs that nobody watches: what they may buy unasked, and what a terminal that is closed does to them."""

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import replace

from tests.cli.conftest import Service, Shell

Simulator = Callable[..., Service]

JOB = "{prompt: a castle, model: model_bfl-flux-1-dev, params: {width: 128, height: 128}}"
MANIFEST = f"version: 1\nbatch: spring\njobs: [{JOB}]\n"
SLOW = ("--speed", "15", "--duration", "10-15", "--ceiling", "2")  # some tenths of a second a job
RATE = ("--rate", "50/s")


def many(count: int) -> str:
    return f"version: 1\nbatch: spring\njobs:\n  - {JOB[:-1]}, repeat: {count}}}\n"


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        signal.sigtimedwait([], 0.01)


def test_without_a_terminal_a_purchase_needs_a_yes_or_a_cap(shell: Shell, simulator: Simulator) -> None:
    service = simulator("--speed", "40", "--duration", "1-2")
    here = replace(shell.at(service), agrees=False)
    here.write("jobs.yaml", MANIFEST)
    capped = MANIFEST + "budget: {per_job: 100}\n"  # that is a cap on one job, and there may be any number
    for manifest, words in ((MANIFEST, ()), (MANIFEST, ("--fresh",)), (capped, ("--limit", "1"))):
        here.write("jobs.yaml", manifest)
        done = here.call("run", "jobs.yaml", *RATE, *words)
        assert done.status == 2, done.err
        assert "spring: 1 job to buy" in done.err
        assert "--yes" in done.err
        assert "--budget N" in done.err
    assert service.charged == []
    assert here.call("status", "--json").json == []  # no slot was begun either

    here.write("jobs.yaml", MANIFEST)
    for words in (("--collect-only",), ("--simulate",)):  # these buy nothing
        assert here.call("run", "jobs.yaml", *RATE, *words).status == 0, words
    assert service.charged == []
    assert here.call("run", "jobs.yaml", *RATE, "--budget", "100").status == 0
    assert here.call("run", "jobs.yaml", *RATE).status == 0  # there is nothing to buy any more
    assert len(service.charged) == 1
    here.write("jobs.yaml", many(2) + "budget: {per_month: 100}\n")
    assert here.call("run", "jobs.yaml", *RATE).status == 0


def test_a_hangup_collects_what_is_paid_for_however_often_it_is_said(
    shell: Shell, simulator: Simulator
) -> None:
    """A shell and the kernel say it both: the second is not a second Ctrl-C."""
    service = simulator(*SLOW)
    here = shell.at(service)
    here.write("jobs.yaml", many(6))
    with here.start("run", "jobs.yaml", *RATE) as run:
        until(lambda: len(service.charged) >= 2)
        run.send_signal(signal.SIGHUP)
        until(lambda: "no more jobs are submitted" in run.err)
        run.send_signal(signal.SIGHUP)
        assert run.wait(30) == 8, run.err
    statuses = [job["status"] for job in here.results()["jobs"]]
    assert statuses.count("succeeded") == len(service.charged) < 6


def started(shell: Shell, words: tuple[str, ...], **more: object) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "batchgen", *words]
    return subprocess.Popen(command, cwd=shell.folder, env=shell.environ, **more)  # type: ignore[call-overload,no-any-return]


def test_a_terminal_that_is_closed_ends_the_printing_and_drains_the_run(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*SLOW)
    here = shell.at(service)
    here.write("jobs.yaml", many(6))
    outside, inside = pty.openpty()
    name = os.ttyname(inside)

    def take_terminal() -> None:  # as a login does: a session of its own, of which this is the terminal
        os.setsid()
        fcntl.ioctl(os.open(name, os.O_RDWR), termios.TIOCSCTTY, 0)

    words = ("run", "jobs.yaml", "--yes", *RATE)
    with started(here, words, stdin=inside, stdout=inside, stderr=inside, preexec_fn=take_terminal) as run:
        os.close(inside)
        until(lambda: len(service.charged) >= 2)
        os.close(outside)
        assert run.wait(30) == 8
    statuses = [job["status"] for job in here.results()["jobs"]]
    assert statuses.count("succeeded") == len(service.charged) < 6


def test_who_starts_it_with_nohup_wants_it_to_outlive_the_terminal(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*SLOW)
    here = shell.at(service)
    here.write("jobs.yaml", many(4))

    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with started(here, ("run", "jobs.yaml", "--yes", "-q", *RATE), preexec_fn=ignore) as run:
        until(lambda: len(service.charged) >= 2)
        run.send_signal(signal.SIGHUP)
        assert run.wait(30) == 0
    assert len(service.charged) == 4
