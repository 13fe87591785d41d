"""Each command that docs/operations.md shows for a nightly batch is run, in the order of the page."""

import re
import shlex
import subprocess
from pathlib import Path

from tests.cli.conftest import Shell

PAGE = (Path(__file__).parent.parent.parent / "docs" / "operations.md").read_text()
NIGHTLY = PAGE.split("\n## Every night\n")[1].split("\n## ")[0]
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", NIGHTLY, re.DOTALL)
    for line in block.splitlines()
]
JOB = "{prompt: a castle, model: model_bfl-flux-1-dev, repeat: 2}"
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
        if words[0] == "tar":
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
