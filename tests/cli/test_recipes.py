"""The recipes of docs/recipes: every command of a page is run, and the scripts do what they say."""

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from batchgen.cli.main import run
from batchgen.output.mapping import COLUMNS
from tests.support.made import Made, make

RECIPES = Path(__file__).parent.parent.parent / "docs" / "recipes"
PAGES = sorted(RECIPES.glob("*.md"))
INDEX = (RECIPES / "index.md").read_text(encoding="utf-8")
[MANIFEST] = re.findall(r"^```yaml\n(.*?)^```", INDEX, re.DOTALL | re.MULTILINE)
[TABLE] = re.findall(r"^```\n(name,.*?)^```", INDEX, re.DOTALL | re.MULTILINE)
UNREAL = '''\
"""Stands in for the editor: keeps assets and their tags in a file, and notes each task."""

import json
from pathlib import Path

STATE = Path("unreal.json")
state = json.loads(STATE.read_text()) if STATE.exists() else {"assets": {}, "tasks": []}


def _save():
    STATE.write_text(json.dumps(state))


class AssetImportTask:
    def __init__(self):
        self.settings = {}

    def set_editor_property(self, name, value):
        assert name in {
            "filename", "destination_path", "destination_name", "automated", "replace_existing", "save"
        }, name
        self.settings[name] = value


class _Tools:
    def import_asset_tasks(self, tasks):
        for one in tasks:
            assert Path(one.settings["filename"]).is_file()
            state["assets"][f"{one.settings['destination_path']}/{one.settings['destination_name']}"] = {}
            state["tasks"].append(one.settings)
        _save()


class AssetToolsHelpers:
    @staticmethod
    def get_asset_tools():
        return _Tools()


class EditorAssetLibrary:
    does_asset_exist = staticmethod(lambda path: path in state["assets"])
    load_asset = staticmethod(lambda path: path if path in state["assets"] else None)
    get_metadata_tag = staticmethod(lambda asset, tag: state["assets"][asset].get(tag, ""))
    set_metadata_tag = staticmethod(lambda asset, tag, value: state["assets"][asset].__setitem__(tag, value))
    save_asset = staticmethod(lambda path: _save())


log = log_warning = print
'''


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("icons")
    (folder / "items.csv").write_text(TABLE)
    return make(folder, MANIFEST)


@pytest.fixture
def folder(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the batch, with the scripts and what stands in for the engine's module beside it."""
    for name in [one for one in os.environ if one.startswith("SCENARIO")]:
        monkeypatch.delenv(name)
    made.copied_to(tmp_path)
    for script in RECIPES.glob("*.py"):
        shutil.copy(script, tmp_path)
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "unreal.py").write_text(UNREAL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commands(page: str) -> Iterator[list[str]]:
    """Return the words of each command that a page shows."""
    text = (RECIPES / page).read_text(encoding="utf-8")
    for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            assert line.startswith("$ "), f"{page}: {line}"
            yield shlex.split(line[2:], comments=True)


def perform(words: list[str]) -> str:
    """Do what a page shows, in a rehearsal, and return what a script prints."""
    program, *rest = words
    if program == "batchgen":
        more = [one for one in ("--simulate",) if one not in rest]
        assert run([*rest, *more]) == 0, words
        return ""
    assert program == "python", words
    return script(*rest)


def script(*words: str) -> str:
    environ = {**os.environ, "PYTHONPATH": os.fspath(Path.cwd() / "engine")}
    done = subprocess.run(
        [sys.executable, "-W", "error", *words], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def mapping(path: str) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def test_every_recipe_has_a_page_that_shows_its_script_and_is_in_the_list() -> None:
    listed = re.findall(r"^([\w-]+)$", INDEX.split("```{toctree}")[1].split("```")[0], re.MULTILINE)
    assert sorted(f"{one}.md" for one in listed) == [one.name for one in PAGES if one.name != "index.md"]
    shown = {
        name
        for page in PAGES
        for name in re.findall(r"^```\{literalinclude\} (\S+)$", page.read_text(), re.MULTILINE)
    }
    assert shown == {one.name for one in RECIPES.iterdir() if one.suffix != ".md" and one.is_file()}


@pytest.mark.usefixtures("folder")
def test_the_list_shows_how_the_batch_is_made() -> None:
    [words] = commands("index.md")
    assert words == ["batchgen", "run", "jobs.yaml", "--simulate"]
    perform(words)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("page", "path", "source", "given"),
    [
        (
            "unity.md",
            "game/Assets/Icons/batchgen.json",
            "BatchgenImporter.cs",
            r"public (?:string|int|List<Row>) (\w+);",
        ),
        ("godot.md", "game/icons/batchgen.json", "batchgen_import.gd", r'row\["(\w+)"\]|mapping\["(\w+)"\]'),
        ("unreal.md", "art/icons/batchgen.json", "import_unreal.py", r'(?:row|other|document)\["(\w+)"\]'),
    ],
)
def test_an_importer_reads_what_the_mapping_has(page: str, path: str, source: str, given: str) -> None:
    for words in commands(page):
        perform(words)
    document = mapping(path)
    top = Path(path).parent
    assert sorted(one["path"] for one in document["files"]) == [
        "common/potion.png",
        "common/shield.png",
        "rare/crown.png",
        "rare/sword.png",
    ]
    assert all((top / one["path"]).is_file() for one in document["files"])
    text = (RECIPES / source).read_text(encoding="utf-8")
    named = {
        name for found in re.findall(given, text) for name in ([found] if isinstance(found, str) else found)
    }
    assert len(named - {""}) >= 3
    assert named - {""} <= {*document, *COLUMNS}
    assert f'"{document["format"]}"' in text
    assert Path(path).name in text or page == "unreal.md"


@pytest.mark.parametrize("name", ["BatchgenImporter.cs", "batchgen_import.gd"])
def test_the_brackets_of_a_script_match_and_its_texts_end(name: str) -> None:
    text = (RECIPES / name).read_text(encoding="utf-8")
    bare = re.sub(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', "0", text)
    bare = re.sub(r"//.*|#.*" if name.endswith("cs") else r"#.*", "", bare)
    assert '"' not in bare
    opened: list[str] = []
    for one in bare:
        if one in "([{":
            opened.append(one)
        elif one in ")]}":
            assert opened
            assert opened.pop() + one in {"()", "[]", "{}"}
    assert opened == []


def test_the_unreal_script_imports_each_file_once_and_again_where_it_changed(folder: Path) -> None:
    for words in commands("unreal.md"):
        perform(words)
    text = (RECIPES / "unreal.md").read_text()
    [shown] = re.findall(r'-script="([^"]+)"', text)
    assert "4 of 4 files imported" in script(*shown.split())
    state = json.loads((folder / "unreal.json").read_text())
    sword = state["assets"]["/Game/Icons/rare/sword"]
    row = next(one for one in mapping("art/icons/batchgen.json")["files"] if one["job"] == "sword")
    assert sword == {f"batchgen.{name}": row[name] for name in ("job", "asset_id", "tags", "sha256")}
    assert {one["destination_name"] for one in state["tasks"]} == {"sword", "shield", "potion", "crown"}
    assert all(one["automated"] and one["replace_existing"] and one["save"] for one in state["tasks"])
    assert "0 of 4 files imported" in script(*shown.split())
    changed = folder / "output" / "icons" / "assets" / "sword_0.png"
    Image.new("RGB", (40, 40), "red").save(changed)
    for words in commands("unreal.md"):
        perform(words)
    assert "1 of 4 files imported" in script(*shown.split())


def test_the_contact_sheet_has_a_card_for_each_job(folder: Path) -> None:
    [first, second] = [perform(words) for words in commands("contact-sheet.md")]
    assert (first, second) == ("sheet.png: 4 cards\n", "rare.png: 2 cards\n")
    with Image.open(folder / "sheet.png") as sheet, Image.open(folder / "rare.png") as rare:
        assert sheet.size == (4 * 252 + 12, 240 + 12 + 40 + 12)
        assert rare.size == (2 * 412 + 12, 400 + 12 + 40 + 12)
        assert len(sheet.convert("P").getcolors() or ()) > 20, "there are pictures on it"


def test_the_contact_sheet_shows_jobs_without_a_picture(folder: Path) -> None:
    results = folder / "output" / "icons" / "results.json"
    document = json.loads(results.read_text())
    document["jobs"][0] |= {"files": [], "status": "in_doubt"}
    document["jobs"][1]["files"][0]["mark"] = "rejected"
    results.write_text(json.dumps(document))
    assert script("contact_sheet.py", str(results), "a.png") == "a.png: 4 cards\n"
    assert script("contact_sheet.py", str(results), "b.png", "--without-rejected") == "b.png: 3 cards\n"


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_table_that_comes_back_keeps_and_rejects(folder: Path, separator: str) -> None:
    for words in commands("spreadsheet.md"):
        if "picks.csv" in words[-1] and not Path("picks.csv").exists() and words[1] == "mark":
            _filled_in_by_a_person(Path("review/picks.csv"), Path("picks.csv"), separator)
        perform(words)
        if words[1] == "export" and "mark:kept" in words:
            assert sorted(one.name for one in Path("game/icons").rglob("*.png")) == ["crown.png", "sword.png"]
    document = json.loads((folder / "output" / "icons" / "results.json").read_text())
    # the script's rule at last: it keeps what nobody had decided
    assert {one["id"]: one["mark"] for one in document["jobs"]} == {
        "sword": "kept",
        "crown": "kept",
        "shield": "kept",
        "potion": "kept",
    }


def _filled_in_by_a_person(source: Path, target: Path, separator: str) -> None:
    """Save a table as a spreadsheet does: another separator, columns moved, rows sorted, one column added."""
    lines = source.read_text(encoding="utf-8-sig").splitlines()
    table = list(csv.DictReader(lines))
    for row in table:
        row["mark"] = {"rare": "kept", "common": "rejected"}[row["var.rarity"]]
        row["who"] = "the art director"
    names = ["mark", "who", *(name for name in table[0] if name not in {"mark", "who"})]
    with target.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, fieldnames=names, delimiter=separator)
        writer.writeheader()
        writer.writerows(sorted(table, key=lambda row: row["job"]))
