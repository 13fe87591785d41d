"""A manifest from its text, read in a folder of its own under the name a user would give."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from batchgen.errors import InputError
from batchgen.manifest.reading import read_manifest
from batchgen.manifest.values import Manifest

Read = Callable[..., Manifest]
Complain = Callable[..., list[str]]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Read a manifest given as text or bytes, beside the files it names."""
    monkeypatch.chdir(tmp_path)  # so that messages show the path as it was given

    def reading(
        text: str | bytes,
        *,
        files: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
        max_jobs: int = 100_000,
        name: str = "jobs.yaml",
    ) -> Manifest:
        for path, content in {**(files or {})}.items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(content, encoding="utf-8", newline="")
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_manifest(Path(name), environ=environ or {}, max_jobs=max_jobs)

    return reading


@pytest.fixture
def complain(read: Read) -> Complain:
    """Give the problems of a manifest as lines."""

    def complaining(text: str | bytes, **options: object) -> list[str]:
        with pytest.raises(InputError) as caught:
            read(text, **options)
        assert caught.value.problems
        return str(caught.value).splitlines()

    return complaining
