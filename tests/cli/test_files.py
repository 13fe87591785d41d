"""Every file of docs/files.md, with bad ones in its place: the status of the docs, a name, no trace, no hang.

The kind: whatever the program opens may be missing, of another kind, in another encoding. The row says which
status follows; the table is held to be equal to what is tried here.
"""

import os
import re
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from batchgen.cli.main import run
from batchgen.model import Model
from batchgen.wiring.model_cache import ModelCache

DOCS = Path(__file__).parent.parent.parent / "docs" / "files.md"
TOO_LONG = 20  # seconds: nothing here takes one

FILES = {
    "jobs.yaml": """\
version: 1
batch: spring
defaults: {model: model_bfl-flux-1-dev, params: {width: 128, height: 128}}
include: [more.yaml]
jobs:
  - {from: things.csv, prompt: "a {thing}"}
  - {prompt: {file: prompt.txt}}
  - {prompt: a castle, params: {x: {file: in.bin}}}
""",
    "more.yaml": "version: 1\njobs: [{prompt: a mill, model: model_bfl-flux-1-dev}]\n",
    "things.csv": "thing\ntower\n",
    "prompt.txt": "an old bridge",
    "in.bin": "any bytes",
}

CHECK = "validate jobs.yaml --offline"
RUN = "run jobs.yaml --simulate --collect-only"  # all of a run but for what is bought
A_SLOT = "run jobs.yaml --simulate --period one --limit 1"
IN_A_SLOT = RUN + " --slot one"
EXPORT = "export jobs.yaml --simulate --to game --mapping map.csv"
SINGLE_FILE = "report jobs.yaml --single-file"
ZIP = "report jobs.yaml --zip sent.zip"
REHEARSE = "run jobs.yaml --simulate --limit 1"  # the first job, of more.yaml


@dataclass(frozen=True)
class Row:
    """What one row of the tables says: the statuses that a command may have."""

    missing: frozenset[int]
    other_kind: frozenset[int]
    other_content: frozenset[int]


@dataclass(frozen=True)
class Try:
    """How a row is tried.

    Attributes:
        words: of the commands.
        before: of one that comes first.
    """

    words: tuple[str, ...]
    before: str = ""


TRIED = {
    "jobs.yaml": Try((CHECK, "plan jobs.yaml --simulate", "run jobs.yaml --simulate")),
    "more.yaml": Try((CHECK,)),
    "things.csv": Try((CHECK,)),
    "prompt.txt": Try((CHECK,)),
    "in.bin": Try((CHECK,)),
    ".env": Try((CHECK, RUN, "schema", "models flux --simulate", "resolve jobs.yaml --simulate")),
    "output": Try((RUN, "status", "cost")),
    "output/journal.db": Try(
        (RUN, "status", "cost", "plan jobs.yaml --offline", "audit jobs.yaml --simulate --offline")
    ),
    "output/journal.db-wal": Try((RUN,), before=RUN),
    "output/journal.db-shm": Try((RUN,), before=RUN),
    "output/locks": Try((RUN,)),
    "output/locks/spring.lock": Try((RUN,)),
    "output/locks/spring.recovering": Try((RUN,)),
    "output/simulator.jsonl": Try((REHEARSE,)),
    "output/models": Try((RUN,)),
    "output/spring": Try((RUN,)),
    "output/spring/results.json": Try((RUN,)),
    "output/spring/results.csv": Try((RUN,)),
    "output/spring/report.html": Try((RUN,)),
    "output/spring/spring.html": Try((SINGLE_FILE,), before=REHEARSE),
    "output/spring/slots": Try((IN_A_SLOT,), before=A_SLOT),
    "output/spring/slots/one/results.json": Try((IN_A_SLOT,), before=A_SLOT),
    "output/spring/slots/one/results.csv": Try((IN_A_SLOT,), before=A_SLOT),
    "output/spring/slots/one/report.html": Try((IN_A_SLOT,), before=A_SLOT),
    "output/spring/latest": Try((IN_A_SLOT,), before=A_SLOT),
    "output/spring/assets": Try((REHEARSE,)),
    "output/spring/earlier": Try((REHEARSE,)),
    "output/spring/.parts": Try((REHEARSE,)),
    "events.jsonl": Try((RUN + " --events events.jsonl",)),
    "schema.json": Try(("schema -o schema.json",)),
    "new.yaml": Try(("init new.yaml",)),
    "batchgen.schema.json": Try(("init new.yaml",)),
    "game": Try((EXPORT,), before=REHEARSE),
    "game/.batchgen-export.json": Try((EXPORT,), before=REHEARSE),
    "map.csv": Try((EXPORT,), before=REHEARSE),
    "sent.zip": Try((ZIP,), before=REHEARSE),
    "state.jsonl": Try(("simulate --port 0 --state state.jsonl",)),
}


def rows() -> dict[str, Row]:
    found = {}
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        cells = [one.strip() for one in line.strip("|").split("|")]
        name = re.fullmatch(r"`([^`]+)`", cells[0])
        if name and len(cells) == 6:
            statuses = [frozenset(int(one) for one in cell.split(",")) for cell in cells[3:]]
            found[name[1]] = Row(*statuses)
    return found


ROWS = rows()


class Hung(BaseException):
    """Nothing catches it but the test."""


def spoil(path: Path, kind: str) -> None:
    """Put something in the place of a file."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    _MAKE[kind](path)


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "something").touch()


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one, chdir(path.parent):
        one.bind(path.name)  # a whole path may be too long for it


_MAKE: dict[str, Callable[[Path], object]] = {
    "missing": lambda _: None,
    "folder": _folder,
    "pipe": os.mkfifo,
    "loop": lambda path: path.symlink_to(path.name),
    "socket": _socket,
    "device": lambda path: path.symlink_to("/dev/full"),
    "UTF-16": lambda path: path.write_bytes("version: 1\n".encode("utf-16")),
    "Latin-1": lambda path: path.write_bytes(b"version: \xe9\n"),
    "NUL": lambda path: path.write_bytes(bytes(64)),
    "deep": lambda path: path.write_bytes(b"[" * 100_000),
    "empty": lambda path: path.touch(),
}


FOLDERS = frozenset(
    {
        "output",
        "output/locks",
        "output/models",
        "output/spring",
        "output/spring/slots",
        "output/spring/assets",
        "output/spring/earlier",
        "output/spring/.parts",
        "game",
    }
)
# What goes on to write results, or to rehearse, takes a second: these are tried with fewer.
SLOW = frozenset(
    name
    for name, one in TRIED.items()
    if EXPORT in one.words or (name.startswith("output/") and name != "output/journal.db")
)
KINDS = ("folder", "pipe", "loop", "socket", "device")
CONTENTS = ("UTF-16", "Latin-1", "NUL", "deep", "empty")


def kinds_for(name: str) -> Iterator[tuple[str, frozenset[int]]]:
    """Return what is put in the place of a file, with the statuses that may follow."""
    row = ROWS[name]
    served = name == "state.jsonl"  # what can be used would be served for ever
    if not served:
        yield "missing", row.missing
    for kind in KINDS[:2] if name in SLOW else KINDS:
        if not (kind == "folder" and name in FOLDERS):
            yield kind, row.other_kind
    for kind in () if served else CONTENTS[:1] if name in SLOW else CONTENTS:
        yield kind, row.other_content


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    def hung(*_: object) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, hung)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def fill(folder: Path) -> None:
    for one in folder.iterdir():
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one)
        else:
            one.unlink()
    for name, text in FILES.items():
        (folder / name).write_text(text)


def test_the_list_in_the_docs_is_what_is_tried() -> None:
    assert list(ROWS) == list(TRIED)


@pytest.mark.parametrize("name", TRIED)
def test_whatever_is_in_a_files_place_is_named_with_the_status_of_the_docs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    tried, seen = TRIED[name], set()
    for kind, statuses in kinds_for(name):
        for words in tried.words:
            fill(tmp_path)
            if tried.before:
                assert run(tried.before.split()) == 0
            spoil(tmp_path / name, kind)
            capsys.readouterr()
            with at_most(TOO_LONG):
                status = run(words.split())
            err = capsys.readouterr().err
            assert status in statuses, (kind, words, err)
            assert "Traceback" not in err, (kind, words, err)
            if status:
                assert Path(name).stem in err, (kind, words, err)
            seen.add(int(status))
    documented = frozenset().union(*(statuses for _, statuses in kinds_for(name)))
    assert seen == documented  # no status stands in the docs that does not come


def test_a_model_that_is_kept_and_cannot_be_read_is_asked_for_again(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path, origin="o", project="p")
    cache.put(
        Model(id="model_x", name="X", inputs=(), raw={"id": "model_x", "name": "X", "inputs": []}), now=0
    )
    (place,) = (tmp_path / "models").glob("*/*.json")
    for kind in (*KINDS, *CONTENTS):
        spoil(place, kind)
        with at_most(TOO_LONG):
            assert cache.get("model_x", now=1) is None
