"""The pages of the commands say what the program says."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from scripts.command_pages import FOLDER, pages

PINNED = re.search(
    r"^click==(.*)$", (Path(__file__).parent.parent / "constraints.txt").read_text(), re.MULTILINE
)


@pytest.mark.skipif(
    PINNED is None or PINNED[1] != version("click"), reason="another click words usage in another way"
)
def test_the_pages_of_the_commands_are_those_that_make_pages_writes() -> None:
    made = dict(pages())
    assert sorted(made) == sorted(one.name for one in FOLDER.glob("*.md"))
    assert [name for name, text in made.items() if (FOLDER / name).read_text(encoding="utf-8") != text] == []
