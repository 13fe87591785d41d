"""Shows that the tests can fail: plants faults, one at a time, in a copy of the package and runs the test.

``python -m tests.proof.mutants [word]``; exits with 1 if a fault is not caught. A patch must fit
exactly once, so that one the code has outgrown fails loudly and is written anew.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.proof.planted import MUTANTS, Mutant
from tests.proof.planted_audit import OF_AUDITS
from tests.proof.planted_buying import OF_BUYING
from tests.proof.planted_chains import OF_CHAINS
from tests.proof.planted_copies import OF_COPIES
from tests.proof.planted_durable import OF_DURABILITY
from tests.proof.planted_editions import OF_EDITIONS
from tests.proof.planted_files import OF_FILES
from tests.proof.planted_guards import OF_NAMES
from tests.proof.planted_holds import OF_HOLDS
from tests.proof.planted_inputs import OF_INPUTS
from tests.proof.planted_leases import OF_LEASES
from tests.proof.planted_limits import OF_LIMITS
from tests.proof.planted_marks import OF_MARKS
from tests.proof.planted_money import OF_MONEY
from tests.proof.planted_names import OF_FILE_NAMES
from tests.proof.planted_open import OF_OPENNESS
from tests.proof.planted_outputs import OF_OUTPUTS
from tests.proof.planted_outside import OF_OUTSIDE
from tests.proof.planted_pace import OF_PACE
from tests.proof.planted_prices import OF_PRICES
from tests.proof.planted_redos import OF_REDOS
from tests.proof.planted_room import OF_ROOM
from tests.proof.planted_slots import OF_SLOTS
from tests.proof.planted_workers import OF_WORKERS

ROOT = Path(__file__).parent.parent.parent
FAULTS = (
    *MUTANTS,
    *OF_NAMES,
    *OF_MONEY,
    *OF_BUYING,
    *OF_OUTPUTS,
    *OF_FILES,
    *OF_FILE_NAMES,
    *OF_OUTSIDE,
    *OF_PRICES,
    *OF_OPENNESS,
    *OF_SLOTS,
    *OF_HOLDS,
    *OF_INPUTS,
    *OF_AUDITS,
    *OF_CHAINS,
    *OF_REDOS,
    *OF_MARKS,
    *OF_EDITIONS,
    *OF_DURABILITY,
    *OF_LIMITS,
    *OF_PACE,
    *OF_ROOM,
    *OF_LEASES,
    *OF_WORKERS,
    *OF_COPIES,
)
_LONGEST = 300  # seconds that a test of a broken package may take


def plant(mutant: Mutant, root: Path) -> None:
    """Write the fault into the package below a folder.

    Raises:
        ValueError: the patch is stale: what it replaces does not stand there exactly once.
    """
    path = root / "batchgen" / mutant.path
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.name}: {text.count(mutant.old)} places fit in {mutant.path}, not one")
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")


def _copy(root: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("batchgen", "tests"):
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", root)


def _passes(root: Path, *tests: str) -> bool:
    """Run tests against the package below a folder.

    Raises:
        RuntimeError: they could not be run at all.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-x", f"--timeout={_LONGEST}", *tests]
    environment = {**os.environ, "PYTHONPATH": str(root), "CI": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"{' '.join(tests)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == 0


def _caught(mutant: Mutant) -> str:
    """Say whether the test fails with the fault in place; empty if it does."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _copy(root)
        try:
            plant(mutant, root)
        except ValueError as error:
            return str(error)
        return f"{mutant.name}: not caught by {mutant.test}" if _passes(root, mutant.test) else ""


def main(words: list[str]) -> int:
    """Plant the faults whose names hold a word, or all of them."""
    chosen = [one for one in FAULTS if not words or words[0] in one.name]
    with tempfile.TemporaryDirectory() as folder:
        _copy(Path(folder))
        if not _passes(Path(folder), *sorted({one.test for one in chosen})):
            sys.stdout.write("the tests fail without any fault: nothing can be shown\n")
            return 1
    left = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for mutant, trouble in zip(chosen, pool.map(_caught, chosen), strict=True):
            left += bool(trouble)
            sys.stdout.write(f"{'NOT CAUGHT' if trouble else 'caught':<10}  {trouble or mutant.name}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - left} of {len(chosen)} faults caught\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
