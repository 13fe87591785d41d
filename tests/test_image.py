"""The steps of the Dockerfile, done on this machine: what they make runs as another user."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from batchgen import __version__

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
USER = int(re.findall(r"^USER (\d+):", DOCKERFILE, re.MULTILINE)[0])

pytestmark = pytest.mark.image


@dataclass(frozen=True)
class Image:
    """A folder that holds what the image would: ``/opt/batchgen``, ``/manifest`` and ``/output``."""

    folder: Path

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of it: if we are root, as its user with nothing to write but /output."""
        environ = {"PATH": f"{self.folder}/opt/batchgen/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
        output = self.folder / "output"
        before: list[str] = []
        if os.getuid() == 0 and shutil.which("unshare") and shutil.which("setpriv"):
            lock = (
                'mount --make-rprivate / && mount --bind "$0" "$0" && mount -o remount,bind,ro / && exec "$@"'
            )
            user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
            before = ["unshare", "-m", "sh", "-c", lock, str(output), *user]
        return subprocess.run(
            [*before, *words],
            cwd=self.folder / "manifest",
            env={**environ, "TMPDIR": str(output)},
            capture_output=True,
            text=True,
            check=False,
        )


def steps_of_the_build() -> Iterator[tuple[str, str]]:
    """Return COPY and RUN of the first stage, in their order."""
    stage = DOCKERFILE.split("\nFROM ")[1]
    yield from re.findall(r"^(COPY|RUN) (.*)$", stage, re.MULTILINE)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    folder = Path(tempfile.mkdtemp(prefix="batchgen-image-"))
    try:
        folder.chmod(0o755)
        for name in ("source", "manifest", "output"):
            (folder / name).mkdir()
        for verb, words in steps_of_the_build():
            if verb == "COPY":
                *sources, target = words.split()
                for one in sources:
                    _copy(ROOT / one, folder / "source" / target, as_it_is=len(sources) == 1)
            else:
                here = re.sub(r"(?<=[ =])/(dist|opt)\b", f"{folder}/\\1", f" {words}")
                here = re.sub(r"^ python\b", f" {sys.executable}", here)
                subprocess.run(["sh", "-ec", here], cwd=folder / "source", check=True)
        shutil.copy(ROOT / "jobs.example.yaml", folder / "manifest" / "jobs.yaml")
        shutil.copytree(ROOT / "examples", folder / "manifest" / "examples")
        if os.getuid() == 0:
            os.chown(folder / "output", USER, USER)
        yield Image(folder)
    finally:
        shutil.rmtree(folder)


def _copy(source: Path, target: Path, *, as_it_is: bool) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target if as_it_is else target / source.name)


@pytest.mark.timeout(600)
def test_the_steps_make_a_command_without_what_only_developers_need(image: Image) -> None:
    done = image.run("batchgen", "--version")
    assert (done.returncode, __version__ in done.stdout) == (0, True), done.stderr
    packages = {one.name.split("-")[0].lower() for one in (image.folder / "opt").rglob("*.dist-info")}
    assert {"aiohttp", "psycopg", "psycopg_binary"} <= packages
    assert not {"pytest", "ruff", "mypy", "hypothesis", "pip", "wheel"} & packages


@pytest.mark.timeout(600)
def test_the_example_is_rehearsed_with_one_folder_to_write_and_is_remembered_there(image: Image) -> None:
    words = (
        "batchgen",
        "run",
        f"{image.folder}/manifest/jobs.yaml",
        "--simulate",
        "-o",
        f"{image.folder}/output",
    )
    first = image.run(*words, "--quiet", "--json")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["summary"]["statuses"]["failed"] == 0
    again = image.run(*words)
    assert (again.returncode, "nothing to do" in again.stderr) == (0, True), again.stderr


@pytest.mark.timeout(600)
def test_the_health_check_reads_the_journal(image: Image) -> None:
    [check] = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    words = [str(image.folder / one[1:]) if one.startswith("/") else one for one in json.loads(check)]
    done = image.run(*words)
    assert (done.returncode, type(json.loads(done.stdout))) == (0, list), done.stderr


def test_it_runs_in_exec_form_as_nobody_in_particular_and_is_built_by_a_workflow() -> None:
    [entry] = re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)
    assert json.loads(entry)[-1] == "batchgen"
    assert USER > 0
    assert "run: make image" in (ROOT / ".github/workflows/check.yml").read_text()


def test_nothing_but_what_is_copied_comes_near_the_build() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {one.removeprefix("!") for one in lines if one.startswith("!")}
    copied = {one for verb, words in steps_of_the_build() if verb == "COPY" for one in words.split()[:-1]}
    assert "*" in lines
    assert let_in == copied
