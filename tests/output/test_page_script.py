"""The script of the page: modules that become one text, each with a scope of its own."""

import shutil
import subprocess
from pathlib import Path

import pytest

from batchgen.output import page_script
from batchgen.output.page_script import MODULES, resource, script

FOLDER = Path(page_script.__file__).parent / "page"


def test_every_module_is_in_the_script_and_none_is_left_over() -> None:
    assert sorted(one.stem for one in FOLDER.glob("*.js")) == sorted(MODULES)
    whole = script()
    assert all(f"const ${one} = (() => {{" in whole for one in MODULES)
    assert "import {" not in whole
    assert "\nexport " not in whole
    assert "</script" not in whole.lower()


@pytest.mark.parametrize(
    "text",
    [
        'import { nothing } from "./dom.js";\n',
        'import { make, nothing } from "./dom.js";\n',
        'import { start } from "./main.js";\n',
        'import { x } from "./elsewhere.js";\n',
    ],
)
def test_an_import_of_what_is_not_there_before_it_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(page_script, "resource", lambda name: text if name == "keys.js" else resource(name))
    script.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"keys\.js: \w+ is not in \w+\.js before it"):
            script()
    finally:
        script.cache_clear()


def test_modules_are_short_and_say_what_they_are_for() -> None:
    texts = {one: resource(f"{one}.js") for one in MODULES}
    assert [one for one, text in texts.items() if len(text.splitlines()) > 400] == []
    assert [one for one, text in texts.items() if not text.startswith("/** ")] == []


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_the_script_is_one_that_a_program_can_read() -> None:
    subprocess.run(["node", "--check", "-"], input=script(), text=True, check=True, timeout=30)
