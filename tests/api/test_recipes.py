"""The recipes of docs/chains.md run as they stand, against a simulated service."""

import asyncio
import re
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

import batchgen

PAGE = (Path(__file__).parent.parent.parent / "docs" / "chains.md").read_text(encoding="utf-8")
MANIFESTS = re.findall(r"^```yaml\n(version: 1\n.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
[LINES] = re.findall(r"^```\n(number,words\n.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
KINDS = {
    "knights": {"png": 6, "webp": 3},
    "cut-outs": {"png": 2, "svg": 2},
    "sprites": {"png": 4, "webp": 2, "jpg": 1},
    "harbour": {"png": 2, "mp4": 1},
    "guards": {"png": 1, "wav": 2, "mp4": 2},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make what the recipes take: pictures in a folder, and a table."""
    (tmp_path / "scans" / "old").mkdir(parents=True)
    for name in ("scans/oak.png", "scans/old/elm.png"):
        Image.new("RGB", (64, 48), (200, len(name), 30)).save(tmp_path / name)
    (tmp_path / "lines.csv").write_text(LINES)
    return tmp_path


def test_the_page_has_as_many_recipes_as_are_run_here() -> None:
    names = [re.search(r"^batch: (\S+)$", one, re.MULTILINE) for one in MANIFESTS]
    assert [one[1] if one else "" for one in names] == list(KINDS)


def test_every_recipe_makes_what_it_says(folder: Path) -> None:
    async def made(text: str) -> tuple[str, batchgen.Results]:
        path = folder / f"{text.split()[3]}.yaml"
        path.write_text(text)
        # one output folder each: they run side by side
        return path.stem, await batchgen.run(batchgen.load(path), output=folder / path.stem, simulate=True)

    async def all_of_them() -> dict[str, batchgen.Results]:
        return dict(await asyncio.gather(*map(made, MANIFESTS)))

    for name, results in asyncio.run(all_of_them()).items():
        assert results.exit == 0, (name, results.reasons)
        made_files = [one for job in results.jobs for one in job.files]
        assert Counter(Path(one.path).suffix[1:] for one in made_files) == KINDS[name], name


EDITS = {
    "the ids": ([('id: "knight-{pose}"', 'id: "sir-{pose}"')], 0),
    "an only output by its number": ([('{job: "{job}"}}  ', '{job: "{job}", output: 0}}  ')], 0),
    "the last step": ([("upscaleFactor: 2x", "upscaleFactor: 4x")], 3),
    "a step in the middle": ([("model_birefnet-background", "model_bria-remove-background"),
                              ("remove-background-removal", "remove-background")], 6),
    "the first step": ([("a knight,", "a knight in armour,")], 9),
    "one of several": ([("running, jumping", "running, leaping")], 3),
    "another slot": ([("batch: knights", "batch: knights\nperiod: monday")], 9),
}  # fmt: skip


def test_an_edit_buys_again_what_the_page_says(folder: Path) -> None:
    text, path = MANIFESTS[0], folder / "knights.yaml"
    path.write_text(text)
    assert batchgen.run_sync(batchgen.load(path), output=folder, simulate=True).exit == 0

    async def bought(edits: list[tuple[str, str]]) -> int:
        edited = text
        for old, new in edits:
            assert old in edited
            edited = edited.replace(old, new)
        path.write_text(edited)
        return len((await batchgen.plan(batchgen.load(path), output=folder, simulate=True)).to_buy)

    async def all_of_them() -> dict[str, int]:
        return {name: await bought(edits) for name, (edits, _) in EDITS.items()}

    assert asyncio.run(all_of_them()) == {name: count for name, (_, count) in EDITS.items()}
