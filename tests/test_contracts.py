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

PLANTED: Mapping[str, tuple[str, str]] = {
    "Imports point down": ("journal/planted.py", "from batchgen.engine.runner import Runner"),
    "The engine and the search for lost work know ports, no adapter": (
        "reconcile/planted.py",
        "from batchgen.journal.file import JournalFile",
    ),
    "Only the journal speaks SQL": ("output/planted.py", "import sqlite3"),
    "Only scenario, the simulator's front and downloads speak HTTP": (
        "usecases/planted.py",
        "import aiohttp",
    ),
    "Decisions do no I/O and know no time": ("planning/planted.py", "import time"),
}
UPWARD = {
    "engine/limits": ("ceiling", "from batchgen.engine.limits.flow import Flow"),
    "manifest/source": ("yaml_errors", "from batchgen.manifest.source.document import read_document"),
    "output": ("kinds", "from batchgen.output.report import write_report"),
}


def within(room: str) -> str:
    return f"Within {room} imports point down"


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


def test_a_planted_file_breaks_the_contracts_of_its_room(copy: Path) -> None:
    assert broken(copy) == set()
    for name, line in PLANTED.values():
        (copy / "batchgen" / name).write_text(f'"""Planted."""\n\n{line}\n')
    rooms = {within(name.partition("/")[0]) for name, _ in PLANTED.values()}
    assert broken(copy) == rooms | set(PLANTED), "what it does, and that nobody said where it stands"
    for name, _ in PLANTED.values():
        (copy / "batchgen" / name).unlink()


@pytest.mark.parametrize("room", UPWARD)
def test_an_import_upward_within_a_room_breaks_its_contract(copy: Path, room: str) -> None:
    module, line = UPWARD[room]
    path = copy / "batchgen" / room / f"{module}.py"
    text = path.read_text()
    path.write_text(f"{text}\n{line}\n")
    assert broken(copy) == {within(room)}
    path.write_text(text)


def test_a_new_module_beside_the_rooms_has_to_say_on_which_floor_it_stands(copy: Path) -> None:
    (copy / "batchgen" / "planted.py").write_text('"""Planted."""\n')
    assert "Imports point down" in broken(copy)
