"""Moves the wall clock of a process by hours, with Debian's ``faketime``.

Only what says the date is moved. What counts durations (``CLOCK_MONOTONIC``, and with it asyncio's
loop and every timeout) stays true, as it does on a machine whose clock is set: faketime 0.9.10
moves it too unless told otherwise, and waits hang then. Even so it breaks ``time.sleep``, which
neither the command nor the simulator calls.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

_SHARED = Path("/dev/shm")
_PROBE = "import time; print(time.time(), time.monotonic())"
_LATE = 30.0  # seconds that a probe may take to start


class MovedClock:
    """Says what a process needs in its environment for its clock to be wrong."""

    def __init__(self, library: str) -> None:
        self._library = library

    @classmethod
    def found(cls) -> "MovedClock | str":
        """Return the way to move clocks on this machine, or why there is none."""
        if shutil.which("faketime") is None:
            return "faketime is not installed"
        told = subprocess.run(
            ["faketime", "-f", "+0", "printenv", "LD_PRELOAD"], capture_output=True, text=True, check=False
        )
        moved = cls(told.stdout.strip())
        return moved if moved._works() else "faketime does not move the clock of this Python alone"

    def by(self, seconds: float) -> dict[str, str]:
        """Return the environment of a process that is so far ahead (below nought: behind)."""
        return {**self._always(), "FAKETIME": f"{seconds:+.3f}"}

    def following(self, file: Path) -> dict[str, str]:
        """Return the environment of a process that is as far ahead as a file says at the moment."""
        return {**self._always(), "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1"}

    def forget(self, process: int) -> None:
        """Remove what a killed process leaves in the shared memory; another of its number would stumble."""
        for name in (f"faketime_shm_{process}", f"sem.faketime_sem_{process}"):
            (_SHARED / name).unlink(missing_ok=True)

    def _always(self) -> dict[str, str]:
        # not the command ``faketime``: it stands between us and the process that is to be killed
        return {"LD_PRELOAD": self._library, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}

    def _works(self) -> bool:
        hours = 5 * 3600.0
        told = subprocess.run(
            [sys.executable, "-c", _PROBE],
            env={**os.environ, **self.by(hours)},
            capture_output=True,
            text=True,
            check=False,
        )
        if told.returncode:
            return False
        date, count = (float(word) for word in told.stdout.split())
        ahead = date - time.time() - hours
        return -_LATE < ahead <= 0 and -_LATE < count - time.monotonic() <= 0


def set_ahead(file: Path, seconds: float) -> None:
    """Write for ``MovedClock.following`` how far ahead the clock is; whoever reads sees all of it."""
    written = file.with_suffix(".new")
    written.write_text(f"{seconds:+.3f}\n")
    written.replace(file)
