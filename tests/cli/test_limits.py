"""The limits of a run with the installed command, in processes of their own."""

import json
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from batchgen.cli.main import run as command
from batchgen.cli.redo import _preview
from batchgen.journal.file_store import FileStore
from tests.cli.conftest import Shell, simulator_process
from tests.cli.test_unattended import MANIFEST, RATE, many, until
from tests.support.place import Place
from tests.usecases.test_limits import BEFORE, Silent

FAST = ("--speed", "20", "--duration", "1-2")

# (seconds of the simulator are a twentieth)
# The kind: what a run may still wait for at the service when its drain is over, and what it then comes to.
HANGS: dict[str, tuple[tuple[str, ...], int, str]] = {
    "the end of a job": (("--duration", "8000-9000"), 8, "running"),
    "the answer to a submit": (("--fault", "submit:hang-after=100%"), 8, "in_doubt"),
    "the answer about a job": (("--fault", "job:hang-after=100%"), 8, "running"),
    "the address of a file": (("--fault", "assets:hang-after=100%"), 8, "files_missing"),
    "the addresses of many files": (("--deny", "bulk", "--latency", "4-4"), 8, "files_missing"),
    "a file": (("--fault", "download:hang-after=100%"), 8, "files_missing"),
}


def test_whatever_hangs_a_run_ends_when_its_drain_is_over_and_has_all_written(shell: Shell) -> None:
    """Kubernetes kills 30 s after SIGTERM: a drain takes 25, so that the end of it has five."""
    with ExitStack() as stack:
        runs = {}
        for number, (name, (words, _, _)) in enumerate(HANGS.items()):
            state = shell.folder / f"{number}.jsonl"
            service = stack.enter_context(simulator_process(state, (*FAST, *words)))
            here = shell.at(service)
            here.write(f"{number}.yaml", many(30).replace("spring", f"b{number}"))
            allow = ("--allow", "no-listing") if "job:" in words[-1] else ()
            limits = ("--max-duration", "3s", "--drain-timeout", "1s")
            run = here.start("run", f"{number}.yaml", "-o", f"out{number}", *RATE, *limits, *allow)
            runs[name] = stack.enter_context(run)
        for number, (name, (_, status, stage)) in enumerate(HANGS.items()):
            run = runs[name]
            assert run.wait(60) == status, (name, run.err)
            ended = run.err.partition("no more jobs are submitted")[2]
            assert "at most 1 s" in ended, (name, run.err)
            results = shell.folder / f"out{number}" / f"b{number}" / "results.json"
            assert json.loads(results.read_text())["summary"]["counts"][stage] > 0, (name, run.err)


def test_a_wait_for_the_batch_is_said_ends_by_a_signal_and_takes_the_manifest_of_then(shell: Shell) -> None:
    shell.write("jobs.yaml", MANIFEST)
    words = ("run", "jobs.yaml", "--simulate", "--wait-lock", "80s")
    with ExitStack() as stack:
        held = stack.enter_context(ExitStack())
        held.enter_context(FileStore(shell.folder / "output").hold("spring", stamp=0.0))
        assert shell.call(*words[:-2]).status == 6
        log = shell.folder / "quiet.log"
        told = ["-q", "--log-file", str(log)]
        stopped, waits, quiet = (stack.enter_context(shell.start(*words, *more)) for more in ([], [], told))
        for run in (stopped, waits):
            until(lambda run=run: "waiting up to 80 s for the batch 'spring'" in run.err)  # type: ignore[misc]
        until(lambda: log.exists() and "waiting up to 80 s" in log.read_text())
        stopped.send_signal(signal.SIGTERM)
        assert stopped.wait(30) == 6
        assert "is still being run by process" in stopped.err
        shell.write("jobs.yaml", MANIFEST.replace("a castle", "a mill"))
        held.close()
        assert (waits.wait(60), quiet.wait(60)) == (0, 0), (waits.err, quiet.err)
        assert "waiting" not in quiet.err, "cron would mail it"
    assert [job["prompt"] for job in shell.results()["jobs"]] == ["a mill"]
    assert len((shell.folder / "output" / "simulator.jsonl").read_text().splitlines()) == 1


def test_a_standby_says_for_whom_ends_by_its_signal_and_takes_over_what_is_free(shell: Shell) -> None:
    shell.write("jobs.yaml", MANIFEST)
    words = ("run", "jobs.yaml", "--simulate", "--standby")
    with ExitStack() as stack:
        held = stack.enter_context(ExitStack())
        held.enter_context(FileStore(shell.folder / "output").hold("spring", stamp=0.0))
        ended, stopped, waits = (stack.enter_context(shell.start(*words)) for _ in range(3))
        for run in (ended, stopped, waits):
            until(lambda run=run: "standing by for the batch 'spring'" in run.err)  # type: ignore[misc]
        ended.send_signal(signal.SIGTERM)
        stopped.send_signal(signal.SIGINT)
        assert (ended.wait(30), stopped.wait(30)) == (143, 130)
        assert "stopped while standing by" in ended.err
        assert "nothing was begun" in stopped.err
        held.close()
        assert waits.wait(60) == 0, waits.err
        assert waits.err.count("standing by") == 1
        assert "the batch 'spring' is free: this run goes on with it" in waits.err
    assert len((shell.folder / "output" / "simulator.jsonl").read_text().splitlines()) == 1


def test_a_standby_that_has_had_its_time_ends_as_one_that_waited(shell: Shell) -> None:
    shell.write("jobs.yaml", MANIFEST)
    with FileStore(shell.folder / "output").hold("spring", stamp=0.0):
        done = shell.call("run", "jobs.yaml", "--simulate", "--standby", "--max-duration", "1s")
    assert done.status == 6
    assert "is still being run by process" in done.err


REFUSED = {
    ("run", "--max-duration", "0s"): "leaves no time for anything; --collect-only buys nothing",
    ("retry", "x", "--max-duration", "0"): "leaves no time",
    ("redo", "x", "--max-duration", "soon"): 'expected a duration such as "45m"',
    ("run", "--standby", "--wait-lock", "5m"): "--standby waits as long as it takes: not with --wait-lock",
    ("run", "--wait-lock", "-5s"): 'expected a duration such as "45m"',
    ("cron", "--at", "@daily", "--max-duration", "0h"): "leaves no time",
    ("audit", "--wait-lock", "5m"): "--wait-lock goes with --fix",
}


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_a_limit_that_means_nothing_is_refused(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "jobs.yaml").write_text(MANIFEST)
    name, *rest = words
    assert command([name, str(tmp_path / "jobs.yaml"), *rest]) == 2
    assert REFUSED[words] in " ".join(capsys.readouterr().err.split())


def test_a_redo_that_nobody_watches_does_not_ask_for_its_price_longer_than_it_may(tmp_path: Path) -> None:
    place = Place.with_jobs(tmp_path, 2)
    silent = place.options(transport=Silent(place.earth, to=BEFORE["prices"]))
    assert place.play(_preview(silent, within=5.0)) is None
    assert place.play(_preview(place.options(), within=5.0)) is not None
