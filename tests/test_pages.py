"""The pages of the commands say what the program says."""

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PINNED = re.search(r"^click==(.*)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)


@pytest.mark.skipif(
    PINNED is None or PINNED[1] != version("click"), reason="another click words usage in another way"
)
def test_the_pages_of_the_commands_are_those_that_make_pages_writes() -> None:
    # in a process of its own: click keeps what a command's help was called when it was first asked for it
    done = subprocess.run(
        [sys.executable, "-m", "scripts.command_pages", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
