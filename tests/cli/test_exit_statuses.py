"""Each exit status is provoked by the command, says what to do, and what docs/operations.md advises helps.

The kind: a status that a scheduler gets and nobody knows what to do about. A status of the code without a row
of the page, or a row without a status, fails here.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from batchgen.cli.main import EPILOG
from batchgen.exits import Exit
from tests.cli.conftest import Done, Service, Shell
from tests.cli.test_run import wait_until
from tests.support.forked import Forked

Simulator = Callable[..., Service]

PAGE_AT = Path(__file__).parent.parent.parent / "docs" / "operations.md"
PAGE = PAGE_AT.read_text()
SIGNALS = (signal.SIGINT, signal.SIGTERM)  # which cut a run short, each with a status of its own
STATUSES = {*map(int, Exit), *(128 + one for one in SIGNALS)}

QUICK = ("--speed", "40", "--duration", "2-4")
SLOW = ("--speed", "16", "--duration", "8-8", "--ceiling", "1")  # half a second a job, one after the other
RUN = ("run", "jobs.yaml", "--rate", "50/s", "--quiet")  # as a scheduler runs it
MODEL = "model: model_bfl-flux-1-dev, params: {width: 128, height: 128}"  # soon drawn
CASTLE = f"version: 1\nbatch: nightly\njobs:\n  - {{id: castle, prompt: a castle, {MODEL}}}\n"
TWO = f"{CASTLE}  - {{id: mill, prompt: a mill, {MODEL}}}\n"


def rows_of(section: str) -> Mapping[str, tuple[str, str]]:
    """Return the rows of the page's table by their first cell: what it means, and what to do."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    assert [len(row) for row in rows] == [3] * len(rows), "a cell has a bar in it"
    return {first.strip(): (means.strip(), to_do.strip()) for first, means, to_do in rows[2:]}


ROWS = {int(one): what for first, what in rows_of("Exit status").items() for one in first.split(", ")}


@dataclass
class Place:
    """Where a status is provoked: a folder with a manifest, and a service."""

    shell: Shell
    simulator: Simulator
    service: Service | None = None

    def serve(self, *words: str, manifest: str = CASTLE) -> Shell:
        """Start a service, and return a shell beside a manifest that may buy from it."""
        self.service = self.simulator(*words)
        self.shell = self.shell.at(self.service)
        self.shell.write("jobs.yaml", manifest)
        return self.shell

    @property
    def paid(self) -> int:
        assert self.service is not None
        return len(self.service.charged)

    @contextmanager
    def running(self, *words: str) -> Iterator[Forked]:
        """Start a run, and go on once it has paid for something."""
        with self.shell.start(*RUN, *words) as run:
            wait_until(lambda: self.paid > 0 or run.poll() is not None)
            yield run

    def follow(self, done: Done, name: str) -> list[str]:
        """Return the words of a command that a message names."""
        found = re.search(rf"\b(batchgen {name} [^`\n]+)", done.err)
        assert found is not None, done.err
        return shlex.split(found[1])[1:]


def all_is_done(place: Place) -> tuple[Done, Done]:
    here = place.serve(*QUICK)
    return here.call(*RUN), here.call(*RUN)


def the_journal_is_none(place: Place) -> tuple[Done, Done]:
    here = place.serve(*QUICK)
    journal = here.write("output/journal.db", "what is this? " * 100)
    done = here.call(*RUN)
    journal.unlink()
    return done, here.call(*RUN)


def the_manifest_is_wrong(place: Place) -> tuple[Done, Done]:
    here = place.serve(*QUICK, manifest=CASTLE.replace("prompt:", "prompts:"))
    done = here.call(*RUN)
    assert here.call("validate", "jobs.yaml").status == 2
    here.write("jobs.yaml", CASTLE)
    return done, here.call(*RUN)


def the_journal_is_lost(place: Place) -> tuple[Done, Done]:
    here = place.serve(*QUICK)
    assert here.call(*RUN).status == 0
    for path in (here.folder / "output").glob("journal.db*"):
        path.unlink()
    done = here.call(*RUN)
    assert here.call(*place.follow(done, "journal")).status == 0
    return done, here.call(*RUN)


def a_generation_fails(place: Place) -> tuple[Done, Done]:
    here = place.serve(*QUICK, "--failures", "50%", "--seed", "9")  # the first job fails, the second does not
    done = here.call(*RUN)
    assert "castle" in here.call("status", "--all").out
    return done, here.call("retry", "jobs.yaml", "castle")


def the_key_is_wrong(place: Place) -> tuple[Done, Done]:
    here = place.serve(*QUICK)
    return here.having(SCENARIO_SDK_API_KEY="another").call(*RUN), here.call(*RUN)


def the_budget_is_reached(place: Place) -> tuple[Done, Done]:
    here = place.serve(*QUICK, manifest=TWO)
    done = here.call(*RUN, "--budget", "4")
    [line] = set(re.findall(r"`(--budget \d+)`", done.err))
    return done, here.call(*RUN, *line.split())


def the_credits_are_spent(place: Place) -> tuple[Done, Done]:
    """Nobody can buy any here: what is paid for is kept, and the same command ends the same."""
    here = place.serve(*QUICK, "--credits", "4", manifest=TWO)
    done = here.call(*RUN)
    assert "1 of 2 done, 1 not bought" in here.call("status").out
    return done, here.call(*RUN)


def another_run_is_at_it(place: Place) -> tuple[Done, Done]:
    here = place.serve(*SLOW)
    with place.running() as first:
        done = here.call(*RUN)
        assert str(first.pid) in done.err
        assert "at work" in here.call("status").out
        assert first.wait() == 0
    return done, here.call(*RUN)


def jobs_are_in_doubt(place: Place) -> tuple[Done, Done]:
    """Journal and results are lost, of a job that nothing but its words tell from others."""
    alike = CASTLE.replace(MODEL, "model: model_imagen4-ultra")
    here = place.serve(*QUICK, manifest=alike)
    assert here.call(*RUN, "-o", "lost").status == 0
    done = here.call(*RUN)
    resolve = place.follow(done, "resolve")
    [candidate] = here.call(*resolve, "--json").json[0]["candidates"]
    assert here.call(*resolve, "--adopt", f"castle={candidate['job_id']}").status == 0
    after = here.call(*RUN)
    assert place.paid == 1
    return done, after


def it_is_told_to_stop(place: Place) -> tuple[Done, Done]:
    here = place.serve(*SLOW, manifest=TWO)
    with place.running() as run:
        run.send_signal(signal.SIGTERM)
        out, err = run.communicate()
        done = Done(run.wait(), out, err)
    return done, here.call(*RUN)


def told_twice(number: signal.Signals) -> Callable[[Place], tuple[Done, Done]]:
    def cut_short(place: Place) -> tuple[Done, Done]:
        here = place.serve(*SLOW)
        with place.running() as run:
            run.send_signal(signal.SIGTERM)
            wait_until(lambda: "no more jobs are submitted" in run.err)
            run.send_signal(number)
            out, err = run.communicate()
            done = Done(run.wait(), out, err)
        after = here.call(*RUN)
        assert place.paid == 1
        return done, after

    return cut_short


SAME = "the same command"
# By status: how it comes about, what the command has to say of it (nothing where all is well), and what of
# the page's advice was followed.
PROVOKED: tuple[tuple[int, Callable[[Place], tuple[Done, Done]], str, str], ...] = (
    (0, all_is_done, "", "nothing"),
    (1, the_journal_is_none, "move it away, or give another output folder with -o", SAME),
    (2, the_manifest_is_wrong, "jobs.yaml:4:18: ", "batchgen validate"),
    (2, the_journal_is_lost, "batchgen journal rebuild jobs.yaml", "mend what it names"),
    (3, a_generation_fails, "try them again with --retry-failed", "batchgen retry jobs.yaml JOB"),
    (4, the_key_is_wrong, "the credentials are those of the environment", SAME),
    (5, the_budget_is_reached, "`--budget 8`", "the line that it prints"),
    (5, the_credits_are_spent, "buy credits, then run the same command", "buy credits"),
    (6, another_run_is_at_it, "wait for it, or stop it", "batchgen status"),
    (7, jobs_are_in_doubt, "batchgen resolve jobs.yaml", "batchgen resolve jobs.yaml"),
    (8, it_is_told_to_stop, "run the same command to continue", SAME),
    (130, told_twice(signal.SIGINT), "run the same command to collect them", SAME),
    (143, told_twice(signal.SIGTERM), "run the same command to collect them", SAME),
)
NOT_MENDED = {the_credits_are_spent}


@pytest.mark.parametrize(
    ("status", "provoke", "said", "advice"),
    PROVOKED,
    ids=[one[1].__name__ + f"-{one[0]}" for one in PROVOKED],
)
def test_a_status_comes_with_what_to_do_and_that_helps(
    shell: Shell,
    simulator: Simulator,
    status: int,
    provoke: Callable[[Place], tuple[Done, Done]],
    said: str,
    advice: str,
) -> None:
    done, after = provoke(Place(shell, simulator))
    assert done.status == status, done.err
    assert said in done.err if said else done.err == ""
    assert advice in ROWS[status][1]
    assert after.status == (status if provoke in NOT_MENDED else 0), after.err


def test_page_help_and_code_have_the_same_statuses_and_each_is_provoked() -> None:
    assert set(ROWS) == STATUSES == {status for status, *_ in PROVOKED}
    helped = re.findall(r"^  (\d+(?:, \d+)*)  \S", EPILOG, re.MULTILINE)
    assert {int(one) for text in helped for one in text.split(", ")} == STATUSES
    assert all(len(means) > 3 and len(to_do) > 3 for means, to_do in ROWS.values())


def test_ctrl_c_while_libraries_are_loaded_leaves_no_trace(shell: Shell) -> None:
    """Played by a library that is interrupted each time it is loaded."""
    shell.write("early/click.py", "raise KeyboardInterrupt\n")
    path = os.pathsep.join([str(shell.folder / "early"), str(PAGE_AT.parent.parent)])
    done = subprocess.run(
        [sys.executable, "-m", "batchgen", "status"],
        env={**shell.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (Exit.INTERRUPTED, "", "")
