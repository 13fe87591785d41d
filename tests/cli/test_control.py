"""A run that goes on is ordered about by commands, killed, and followed by one that has nothing about it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from batchgen.cli.main import run as command
from tests.cli.conftest import Shell
from tests.cli.test_run import many, wait_until
from tests.support.forked import Forked

MANIFEST = many(40) + "limits: {rate: 60/min, in_flight: 2}\n"


@dataclass
class Rehearsal:
    """A manifest that is rehearsed by the installed command, and ordered about from this process."""

    shell: Shell
    capsys: pytest.CaptureFixture[str]

    def __post_init__(self) -> None:
        self.jobs = self.shell.write("jobs.yaml", MANIFEST)
        self.output = self.shell.folder / "output"

    @property
    def bought(self) -> int:
        state = self.output / "simulator.jsonl"
        return len(state.read_text().splitlines()) if state.exists() else 0

    @contextmanager
    def going(self) -> Iterator[Forked]:
        """Begin a run that has bought two jobs more; it is killed if it goes on after the block."""
        before = self.bought
        with self.shell.start("run", "jobs.yaml", "--simulate") as run:
            try:
                wait_until(lambda: self.bought >= before + 2 or run.poll() is not None)
                yield run
            finally:
                run.kill()

    def order(self, name: str, *words: str) -> tuple[int, str]:
        self.capsys.readouterr()
        status = command([name, str(self.jobs), "-o", str(self.output), "--simulate", *words])
        return status, self.capsys.readouterr().out


def test_a_run_is_paused_set_and_continued_and_what_was_ordered_dies_with_it(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    play = Rehearsal(shell, capsys)
    with play.going() as run:
        status, out = play.order("pause")
        assert (status, out.split(":")[:2]) == (0, ["spring", " paused"])
        assert out.endswith("until batchgen control resume jobs.yaml --simulate\n"), "as the run was called"
        paused_at = play.bought
        status, out = play.order("set", "in_flight=8", "rate=none", "--json")
        said = [one["said"] for one in json.loads(out)["orders"]]
        assert status == 0
        assert said == ["at most 8 in flight (was 2)", "requests without a rate (was 60/min)"]
        assert play.bought == paused_at < 40
        assert play.order("continue") == (0, "spring: resumed\n")
        wait_until(lambda: play.bought >= paused_at + 4)
        run.kill()
        _, err = run.communicate()
    for line in ("spring: paused", "spring: at most 8 in flight (was 2)", "spring: resumed"):
        assert line in err
    with play.going() as run:
        assert play.order("set", "in_flight=3") == (0, "spring: at most 3 in flight (was 2)\n")
        assert play.order("drain")[0] == 0
        _, err = run.communicate(timeout=60)
    assert run.returncode == 8, err
    assert "stopping: no more jobs are submitted" in err
    statuses = [job["status"] for job in shell.results()["jobs"]]
    assert statuses.count("succeeded") == play.bought < 40
    assert play.order("drain")[0] == 2, "nobody is there any more"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set", "jobs.yaml"], "KEY=VALUE"),
        (["set", "jobs.yaml", "rat=5/s"], "did you mean rate?"),
        (["set", "jobs.yaml", "in_flight=0"], "batchgen control pause"),
        (["pause", "none.yaml"], "none.yaml: there is no such file"),
    ],
)
def test_a_wrong_order_is_told_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert command([*words, "-o", str(tmp_path / "output")]) == 2
    assert said in capsys.readouterr().err
