"""The limits of a run with the installed command, in processes of their own."""

import json
from contextlib import ExitStack

from tests.cli.conftest import Shell, simulator_process
from tests.cli.test_unattended import RATE, many

FAST = ("--speed", "20", "--duration", "1-2")

# The kind: what a run may still wait for at the service when its drain is over, and what it then comes to.
HANGS: dict[str, tuple[tuple[str, ...], int, str]] = {
    "the end of a job": (("--duration", "8000-9000"), 8, "running"),
    "the answer to a submit": (("--fault", "submit:hang-after=100%"), 7, "in_doubt"),
    "the answer about a job": (("--fault", "job:hang-after=100%"), 8, "running"),
    "the address of a file": (("--fault", "assets:hang-after=100%"), 8, "files_missing"),
    "the addresses of many files": (("--deny", "bulk", "--latency", "0.2-0.2"), 8, "files_missing"),
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
