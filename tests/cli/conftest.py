"""The installed command and a simulator in a process of its own."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.forked import Forked

Words = tuple[str, ...]


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Service:
    """A running simulator: where it is, and the file in which it keeps every job it charged for."""

    base_url: str
    state: Path

    @property
    def charged(self) -> list[dict[str, Any]]:
        lines = self.state.read_text().splitlines() if self.state.exists() else []
        return [json.loads(line) for line in lines]


@dataclass
class Shell:
    """A folder and an environment in which the command is called."""

    folder: Path
    environ: dict[str, str]
    agrees: bool = True  # whether a run gets --yes

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def at(self, service: Service) -> "Shell":
        return self.having(SCENARIO_BASE_URL=service.base_url)

    def having(self, **environ: str) -> "Shell":
        return Shell(self.folder, {**self.environ, **environ}, agrees=self.agrees)

    def start(self, *words: str) -> Forked:
        """Start the command; a run has somebody's word to buy, for there is no terminal to ask at."""
        if words[:1] == ("run",) and self.agrees:
            words = ("run", "--yes", *words[1:])
        return Forked(words, folder=self.folder, environ=self.environ)

    def call(self, *words: str) -> Done:
        with self.start(*words) as process:
            out, err = process.communicate()
            status = process.wait()
        assert "Traceback" not in err, err
        return Done(status, out, err)

    def results(self, batch: str = "spring") -> Any:
        return json.loads((self.folder / "output" / batch / "results.json").read_text())


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCENARIO")}
    credentials = {"SCENARIO_SDK_API_KEY": "key", "SCENARIO_SDK_API_SECRET": "secret"}
    return Shell(tmp_path, {**kept, **credentials, "PYTHONWARNINGS": "error"})


@contextmanager
def simulator_process(state: Path, words: Words) -> Iterator[Service]:
    served = ("simulate", "--port", "0", "--state", str(state), *words)
    with Forked(served, folder=state.parent, environ=os.environ) as process:
        try:
            yield Service(process.first_line(), state)
        finally:
            process.terminate()


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    with ExitStack() as stack:
        yield lambda *words: stack.enter_context(simulator_process(tmp_path / "service.jsonl", words))
