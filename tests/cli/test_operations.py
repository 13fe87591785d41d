"""Each command that docs/operations.md shows for a nightly batch is run, in the order of the page."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Service, Shell
from tests.cli.test_run import wait_until

PAGE = (Path(__file__).parent.parent.parent / "docs" / "operations.md").read_text()
NIGHTLY = PAGE.split("\n## Every night\n")[1].split("\n## ")[0]
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", NIGHTLY, re.DOTALL)
    for line in block.splitlines()
]
JOB = "{prompt: a castle, model: model_bfl-flux-1-dev, params: {width: 128, height: 128}, repeat: 2}"
MANIFEST = f"version: 1\nbatch: nightly\nperiod: day\njobs: [{JOB}]\n"
ASKS = {"run", "plan"}  # which ask a service: here a simulated one


def in_the_image(words: list[str], shell: Shell) -> list[str]:
    """Return what a container would be given, with its folders where they are here."""
    inside = words[words.index("batchgen") :]
    places = {"/manifest": str(shell.folder), "/output": str(shell.folder / "output")}
    return [re.sub(r"^/(manifest|output)\b", lambda found: places[found[0]], word) for word in inside]


def test_the_commands_of_the_page_do_what_it_says(shell: Shell) -> None:
    assert len(COMMANDS) > 10
    shell.write("nightly.yaml", MANIFEST)
    said = {}
    for line in COMMANDS:
        words = shlex.split(line, comments=True)
        if words[:2] == ["docker", "build"]:
            continue  # tests/test_image.py does its steps
        if words[0] == "docker":
            words = in_the_image(words, shell)
        if words[0] in {"tar", "python3"}:
            words[0] = words[0].replace("python3", sys.executable)
            subprocess.run(words, cwd=shell.folder, check=True)
            continue
        assert words.pop(0) == "batchgen", line
        words += ["--simulate"] if words[0] in ASKS else []
        done = shell.call(*words)
        assert done.status == 0, (line, done.err)
        said[line] = done.out + done.err
    assert (shell.folder / "units" / "batchgen-nightly.timer").exists()
    assert (shell.folder / "cluster" / "batchgen-nightly.yaml").exists()
    assert "2 of 2 done" in said["batchgen status"]
    assert "0 to buy" in said["batchgen plan nightly.yaml"]


def test_a_copy_of_the_journal_that_is_made_while_a_run_writes_is_one_to_go_on_with(
    shell: Shell, simulator: Callable[..., Service]
) -> None:
    [line] = [one for one in COMMANDS if one.startswith("python3")]
    service = simulator("--speed", "20", "--duration", "4-8", "--ceiling", "3")
    here = shell.at(service)
    here.write("nightly.yaml", MANIFEST.replace("repeat: 2", "repeat: 9"))
    words = ("run", "nightly.yaml", "--rate", "50/s")
    with here.start(*words) as run:
        wait_until(lambda: len(service.charged) > 3)
        subprocess.run([sys.executable, *shlex.split(line)[1:]], cwd=here.folder, check=True)
        assert run.poll() is None, "it was made in the middle"
        assert run.wait() == 0
    for path in (here.folder / "output").glob("journal.db*"):
        path.unlink()
    (here.folder / "journal.copy.db").rename(here.folder / "output" / "journal.db")
    refused = here.call(*words)
    assert (refused.status, "batchgen journal rebuild nightly.yaml" in refused.err) == (2, True), refused.err
    assert here.call("journal", "rebuild", "nightly.yaml").status == 0
    again = here.call(*words)
    assert again.status == 0, again.err
    assert len(service.charged) == 9, "what was bought after the copy is found, and not bought again"


def test_a_copy_that_is_put_back_has_nothing_left_to_buy(shell: Shell) -> None:
    shell.write("nightly.yaml", MANIFEST)
    assert shell.call("run", "nightly.yaml", "--simulate", "--quiet").status == 0
    for words in (
        ["tar", "-czf", "copy.tar.gz", "output"],
        ["rm", "-r", "output"],
        ["tar", "-xzf", "copy.tar.gz"],
    ):
        subprocess.run(words, cwd=shell.folder, check=True)
    again = shell.call("run", "nightly.yaml", "--simulate")
    assert (again.status, "nothing to do" in again.err) == (0, True), again.err
