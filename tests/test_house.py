"""What the house forbids everywhere, and no linter looks for."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "batchgen").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def each(paths: Iterable[Path]) -> Iterator[tuple[str, str, ast.Module]]:
    """Return every file's name, text and tree; one test looks at all: to collect a test a file costs more."""
    for path in paths:
        yield name(path), *_read(path)


@cache
def _read(path: Path) -> tuple[str, ast.Module]:
    text = path.read_text()
    return text, ast.parse(text)


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    assert [name(path) for path in SOURCES if words.search(path.read_text())] == []


def test_no_module_outgrows_one_noun() -> None:
    assert [name(path) for path in SOURCES if len(path.read_text().splitlines()) > 400] == []


def test_nothing_swallows_what_it_does_not_know() -> None:
    broad, found = {"Exception", "BaseException"}, []
    for file, _, tree in each(SOURCES):
        for node in ast.walk(tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            named = (
                {one.id for one in ast.walk(node.type) if isinstance(one, ast.Name)} if node.type else broad
            )
            if named & broad and not isinstance(node.body[-1], ast.Raise):
                found.append(f"{file}:{node.lineno}")
    assert found == []


def test_every_module_states_its_law() -> None:
    assert [file for file, _, tree in each(SOURCES) if not ast.get_docstring(tree)] == []


def test_the_engine_starts_tasks_only_in_groups() -> None:
    found = []
    for file, _, tree in each(one for one in SOURCES if "engine" in one.parts):
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in {"create_task", "ensure_future", "gather"}:
                owner = node.value.attr if isinstance(node.value, ast.Attribute) else ast.unparse(node.value)
                found += [] if owner.endswith(("_group", "group")) else [f"{file}:{node.lineno}"]
    assert found == []


def test_no_test_sleeps_on_the_real_clock_or_patches_our_code() -> None:
    denied = ("time.sleep" + "(", "mock.patch" + "(")
    texts = ((name(path), path.read_text()) for path in TESTS)
    assert [file for file, text in texts if any(word in text for word in denied)] == []


def test_the_main_way_is_a_dozen_files_that_are_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text().split("## The main way")[1].split("## The rooms")[0]
    files = re.findall(r"^\d+\. `([\w/.]+)`", text, re.MULTILINE)
    assert 0 < len(files) <= 12
    assert [one for one in files if not (ROOT / "batchgen" / one).exists()] == []


def test_every_module_that_the_rooms_name_is_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text().split("## The rooms")[1].split("## The laws")[0]
    stems = {path.stem for path in SOURCES} | {
        path.name for path in (ROOT / "batchgen").rglob("*") if path.is_dir()
    }
    named = {
        word
        for row in re.findall(r"^\| \d+ \|.*$", text, re.MULTILINE)
        for word in re.findall(r"`(\w+)/?`", row)
    }
    assert sorted(named - stems - {"__main__"}) == []


def test_every_fact_about_the_service_that_code_names_has_its_source() -> None:
    known = set(re.findall(r"^\| ([\w-]+) \|", (ROOT / "docs" / "service.md").read_text(), re.MULTILINE)) - {
        "name"
    }
    named = {
        word
        for path in SOURCES
        for word in re.findall(r"source: docs/service\.md ([\w-]+)", path.read_text())
    }
    assert named <= known
    assert sorted(known - named) == ["cancel"], "only what is relied on by leaving it out has no place"
