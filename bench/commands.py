"""The installed command as people run it: how long it takes and how much memory."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_BESIDE = Path(sys.executable).parent / "batchgen"
_COMMAND = [str(_BESIDE)] if _BESIDE.exists() else [sys.executable, "-m", "batchgen"]


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command came to.

    Attributes:
        wall: seconds from its start to its end, Python's own included.
        cpu: seconds of processor time, its own and the system's.
        memory: the most it had resident, in MB.
    """

    status: int
    wall: float
    cpu: float
    memory: float
    said: str
    troubled: str


def batchgen(*words: str, folder: Path, base_url: str = "") -> Ran:
    """Run it in a folder, against a service that takes any key."""
    where = {"SCENARIO_BASE_URL": base_url} if base_url else {}
    return _ran([*_COMMAND, *words], words[0], folder, where)


def python(code: str, *, folder: Path) -> Ran:
    """Run some code as a command is run, in a folder."""
    return _ran([sys.executable, "-c", code], "python", folder, {})


def _ran(command: Sequence[str], name: str, folder: Path, where: Mapping[str, str]) -> Ran:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCENARIO")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # who installs a command compiles it once
    known = {"SCENARIO_SDK_API_KEY": "key", "SCENARIO_SDK_API_SECRET": "secret"}
    path, trouble = folder / f"said-{name}.txt", folder / f"trouble-{name}.txt"
    with path.open("w") as said, trouble.open("w") as troubled:
        began = time.perf_counter()
        with subprocess.Popen(
            command,
            cwd=folder,
            env={**kept, **known, **where},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=troubled,
        ) as process:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
    memory = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    return Ran(
        status=process.returncode,
        wall=wall,
        cpu=used.ru_utime + used.ru_stime,
        memory=memory,
        said=path.read_text(),
        troubled=trouble.read_text(),
    )


def module(*words: str) -> str:
    """Run a module of this repository and give what it says, whatever its status."""
    ended = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
    return ended.stdout + ended.stderr
