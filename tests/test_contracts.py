"""The contracts of the house catch a new file that nobody has named."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINTER = Path(sys.executable).with_name("lint-imports")

PLANTED: Mapping[str, Mapping[str, str]] = {
    "Imports point down": {"journal/planted.py": "from batchgen.engine.runner import Runner\n"},
    "The engine and the search for lost work know ports, no adapter": {
        "reconcile/planted.py": "from batchgen.journal.store import JournalFile\n"
    },
    "Within the engine imports point down": {
        "engine/limits/planted.py": "from batchgen.engine.runner import Runner\n"
    },
    "Within the manifest imports point down": {
        "manifest/source/planted.py": "from batchgen.manifest.reading import read_manifest\n"
    },
    "Only the journal speaks SQL": {"output/planted.py": "import sqlite3\n"},
    "Only scenario, the simulator's front and downloads speak HTTP": {
        "usecases/planted.py": "import aiohttp\n"
    },
    "Decisions do no I/O and know no time": {"plan/planted.py": "import time\n"},
}


def broken(folder: Path) -> set[str]:
    """Return the names of the contracts that do not hold for the package below a folder."""
    done = subprocess.run(
        [LINTER, "--no-cache", "--config", folder / ".importlinter"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts:" in done.stdout or "Missing layer" in done.stdout, done.stdout + done.stderr
    return set(re.findall(r"^(.+) BROKEN", done.stdout, re.MULTILINE))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "batchgen", folder / "batchgen", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", folder)
    return folder


def test_a_planted_file_breaks_the_contract_of_its_room(copy: Path) -> None:
    assert broken(copy) == set()
    for planted in PLANTED.values():
        for name, text in planted.items():
            (copy / "batchgen" / name).write_text(f'"""Planted."""\n\n{text}')
    assert broken(copy) == set(PLANTED)


def test_a_new_module_beside_the_rooms_has_to_say_on_which_floor_it_stands(copy: Path) -> None:
    (copy / "batchgen" / "planted.py").write_text('"""Planted."""\n')
    assert "Imports point down" in broken(copy)
