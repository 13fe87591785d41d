"""Programs of the system that a test holds our texts against: real ones, where there are any."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest


def program(name: str) -> str:
    """Return where a program is; skip the test where it is not, and fail it on Linux under CI."""
    if found := shutil.which(name):
        return found
    return without(f"needs {name}")


def without(reason: str) -> str:
    """End a test that cannot be done here."""
    if os.environ.get("CI") and sys.platform == "linux":
        pytest.fail(reason)
    pytest.skip(reason)


def said_by(words: Sequence[str | Path]) -> tuple[int, str]:
    """Run a program, and return its exit status with all that it said."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout
