import math
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from batchgen.errors import BatchLockedError
from batchgen.journal.lock import hold_batch

HOLD = """
import sys, pathlib
from batchgen.journal.lock import hold_batch
with hold_batch(pathlib.Path(sys.argv[1]), stamp=0.0):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "locks" / "spring.lock"


def hold_elsewhere(path: Path) -> subprocess.Popen[str]:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    return other


def test_a_second_run_is_refused_with_who_holds_the_batch_and_since_when(path: Path) -> None:
    with hold_elsewhere(path) as other:
        with pytest.raises(BatchLockedError) as refused, hold_batch(path, stamp=1.0):
            pass
        assert f"'spring' is being run by process {other.pid} on " in str(refused.value)
        assert "since 1970-01-01 00:00:00 UTC" in str(refused.value)
        other.communicate("")
    with hold_batch(path, stamp=1.0):
        assert path.exists()


def test_the_kernel_frees_the_batch_of_a_killed_run(path: Path) -> None:
    with hold_elsewhere(path) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
    with hold_batch(path, stamp=1.0):
        assert "since" in path.read_text()


def test_what_stands_in_the_file_locks_nobody_out(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("process 1 holds this, believe me")
    with (
        hold_batch(path, stamp=1.0),
        pytest.raises(BatchLockedError, match="being run by process"),
        hold_batch(path, stamp=2.0),
    ):
        pass


def test_a_lock_of_the_kernels_is_a_lease_for_as_long_as_the_process_lives(tmp_path: Path) -> None:
    with hold_batch(tmp_path / "spring.lock", stamp=1.0) as lease:
        assert lease.left() == math.inf
        assert lease.silent_since() is None
