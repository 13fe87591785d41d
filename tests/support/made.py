"""A batch that a rehearsal has made, to be copied for each test: one run for all of them."""

import fcntl
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from batchgen.cli.main import run

MANIFEST = """\
version: 1
batch: spring
defaults: {model: model_bfl-flux-1-dev, params: {width: 128, height: 128}}
jobs:
  - entry: towers
    id: "tower-{n}-{style}"
    prompt: "a {style} tower, number {n}"
    matrix: {n: [1, 2], style: [flat, "pixel art"]}
    tags: [cover]
  - {id: keep, prompt: '=a "keep"', vars: {rarity: rare}, params: {numOutputs: 2}, tags: [draft, wide]}
"""


class Made:
    """A copy of the batch in a folder of its own.

    Attributes:
        folder: with ``jobs.yaml`` and ``output``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def output(self) -> Path:
        return self.folder / "output"

    @property
    def results(self) -> Any:
        return json.loads((self.output / "spring" / "results.json").read_text())

    @property
    def files(self) -> dict[str, bytes]:
        """The bytes of each file, by job and asset."""
        return {
            f"{job['id']} {file['asset_id']}": (self.output / "spring" / file["path"]).read_bytes()
            for job in self.results["jobs"]
            for file in job["files"]
        }

    def words(self, name: str, *words: str) -> list[str]:
        return [name, str(self.folder / "jobs.yaml"), "-o", str(self.output), *words]

    def copied_to(self, folder: Path) -> "Made":
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Made(folder)


def make(folder: Path, manifest: str = MANIFEST) -> Made:
    """Run a manifest against the simulated service, in this process."""
    (folder / "jobs.yaml").write_text(manifest)
    made = Made(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name in [one for one in os.environ if one.startswith("SCENARIO")]:
            patch.delenv(name)
        assert run(made.words("run", "--simulate", "--yes", "-q")) == 0
    return made


def make_once(factory: pytest.TempPathFactory, manifest: str = MANIFEST) -> Made:
    """Run a manifest once for all processes of the suite and all files of tests, which copy what it made."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return make(factory.mktemp("made"), manifest)
    folder = factory.getbasetemp().parent / f"made-{hashlib.sha256(manifest.encode()).hexdigest()[:8]}"
    folder.mkdir(exist_ok=True)
    with folder.with_suffix(".done").open("a+") as done:
        fcntl.flock(done, fcntl.LOCK_EX)
        if not os.fstat(done.fileno()).st_size:
            make(folder, manifest)
            done.write("made")
    return Made(folder)
