"""Two laws of the rooms that no linter knows: who makes adapters, and whom the command line knows."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ADAPTERS = ("journal", "output", "scenario", "simulator", "wiring")
KNOWN_TO_CLI = {
    "batchgen.__version__",
    "batchgen.api",
    "batchgen.cli",
    "batchgen.errors",
    "batchgen.exits",
    "batchgen.formats",
}
VALUES = ("Error", "Enum", "Protocol", "NamedTuple", "TypedDict")


def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return all nodes of a file, which is read once, whichever package it is seen in by a link."""
    return _nodes(path.resolve())


@cache
def _nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text())))


def sources(package: Path, *rooms: str) -> Iterator[Path]:
    for room in rooms:
        yield from (package / room).rglob("*.py")


def adapters(package: Path) -> frozenset[str]:
    """Return the names of the classes of the adapter rooms that are more than values."""
    found = set()
    for path in sources(package, *ADAPTERS):
        for node in nodes(path):
            if not isinstance(node, ast.ClassDef):
                continue
            is_value = any("dataclass" in ast.unparse(one) for one in node.decorator_list)
            if not is_value and not any(ast.unparse(one).endswith(VALUES) for one in node.bases):
                found.add(node.name)
    return frozenset(found)


def made_in(path: Path, names: frozenset[str]) -> list[str]:
    """Return the calls of a file that make an adapter: of its class, or of one of its class methods."""
    imported = {
        one.asname or one.name: one.name
        for node in nodes(path)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("batchgen.")
        for one in node.names
    }
    found = []
    for node in nodes(path):
        called = node.func if isinstance(node, ast.Call) else None
        owner = called.value if isinstance(called, ast.Attribute) else called
        if isinstance(owner, ast.Name) and imported.get(owner.id) in names:
            found.append(f"{path.name}:{owner.lineno} {ast.unparse(owner)}")
    return found


def made_outside(package: Path) -> list[str]:
    names = adapters(package)
    rooms = [one.name for one in package.iterdir() if one.is_dir() and one.name not in ADAPTERS]
    files = [*sources(package, *rooms), *package.glob("*.py")]
    return [one for path in files for one in made_in(path, names)]


def known_to_cli(package: Path) -> set[str]:
    """Return what the command line imports of this package, by room."""
    found = set()
    for path in sources(package, "cli"):
        for node in nodes(path):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "batchgen":
                module = node.module or ""
                names = [module] if "." in module else [f"batchgen.{one.name}" for one in node.names]
                found |= {".".join(name.split(".")[:2]) for name in names}
    return found


def test_nobody_but_wiring_makes_an_adapter() -> None:
    assert adapters(ROOT / "batchgen") >= {"JournalFile", "ScenarioClient", "Downloader", "HttpTransport"}
    assert made_outside(ROOT / "batchgen") == []


def test_the_command_line_knows_the_api_and_no_other_room() -> None:
    assert known_to_cli(ROOT / "batchgen") <= KNOWN_TO_CLI


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("usecases/planted.py", "from batchgen.journal.file import JournalFile\nJournalFile.open('x')\n"),
        ("api/planted.py", "from batchgen.scenario.client import ScenarioClient\nScenarioClient(1, 2)\n"),
        ("planted.py", "from batchgen.output.progress import Progress as Shown\nShown(1)\n"),
    ],
)
def test_a_new_file_that_makes_an_adapter_is_caught(tmp_path: Path, place: str, text: str) -> None:
    for room in ADAPTERS:
        (tmp_path / room).symlink_to(ROOT / "batchgen" / room)
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text(text)
    assert len(made_outside(tmp_path)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from batchgen.usecases.run import run_batch\n",
        "from batchgen import wiring\n",
        "def late():\n    from batchgen.journal.file_store import FileStore\n",
    ],
)
def test_a_new_command_that_goes_past_the_api_is_caught(tmp_path: Path, text: str) -> None:
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "planted.py").write_text(text)
    assert not known_to_cli(tmp_path) <= KNOWN_TO_CLI
