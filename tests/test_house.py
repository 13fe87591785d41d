"""What the house forbids everywhere, and no linter looks for."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "batchgen").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_nothing_is_left_for_later(path: Path) -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    assert not [line for line in path.read_text().splitlines() if words.search(line)]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_module_outgrows_one_noun(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_nothing_swallows_what_it_does_not_know(path: Path) -> None:
    broad = {"Exception", "BaseException"}
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = {one.id for one in ast.walk(node.type) if isinstance(one, ast.Name)} if node.type else broad
        ends_with_raise = isinstance(node.body[-1], ast.Raise)
        assert not caught & broad or ends_with_raise, f"{name(path)}:{node.lineno}"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_every_module_states_its_law(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", [one for one in SOURCES if "engine" in one.parts], ids=name)
def test_the_engine_starts_tasks_only_in_groups(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr in {"create_task", "ensure_future", "gather"}:
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else ast.unparse(node.value)
            assert owner.endswith(("_group", "group")), f"{name(path)}:{node.lineno}"


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_no_test_sleeps_on_the_real_clock_or_patches_our_code(path: Path) -> None:
    text = path.read_text()
    assert "time.sleep(" not in text.replace('"time.sleep(" not in', "")
    assert "mock.patch(" not in text.replace('"mock.patch(" not in', "")


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
