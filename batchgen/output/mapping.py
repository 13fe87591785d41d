"""The mapping of an export: which file is which job's, as a table or as JSON, for whatever imports the files.

The columns are fixed and more are added at the end; each variable of the jobs has one of its own behind them.
"""

import csv
import hashlib
import io
import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from batchgen.model import Json
from batchgen.output.atomic import encoded, write_chunks, write_text
from batchgen.output.results import cell, told_value
from batchgen.plain_files import FileFaultError, open_plain, real_path
from batchgen.planning.export_changes import Obstacle

COLUMNS: Final = (
    "path",
    "job",
    "asset_id",
    "index",
    "entry",
    "model",
    "prompt",
    "tags",
    "kind",
    "type",
    "width",
    "height",
    "duration",
    "mark",
    "sha256",
)
FORMAT: Final = "batchgen/mapping@1"
_VARIABLE = "var."
_LINES_A_CHUNK = 500


def mapping_rows(jobs: Iterable[Mapping[str, Json]]) -> Iterator[dict[str, Json]]:
    """Return a row for each file of some jobs, without a value where there is none.

    Args:
        jobs: as results have them, with the paths of their files as they were exported.
    """
    for job in jobs:
        variables = {f"{_VARIABLE}{name}": value for name, value in job["vars"].items()}
        for file in job["files"]:
            ids = job["asset_ids"]
            yield {
                "path": file["path"],
                "job": job["id"],
                "asset_id": file["asset_id"],
                "index": ids.index(file["asset_id"]) if file["asset_id"] in ids else len(ids),
                "entry": job["entry"],
                "model": job["model"],
                "prompt": job["prompt"],
                "tags": " ".join(job["tags"]),
                **{name: file.get(name) for name in ("kind", "type", "width", "height", "duration", "mark")},
                "sha256": file["sha256"],
                **variables,
            }


def mapping_csv(rows: Iterable[Mapping[str, Json]], variables: Sequence[str]) -> Iterator[bytes]:
    """Write the table, RFC 4180, in UTF-8 with a mark that spreadsheets know it by.

    A cell that a spreadsheet would run as a formula gets an apostrophe in front.

    Args:
        rows: of ``mapping_rows``.
        variables: the names of those that get a column.
    """
    names = [f"{_VARIABLE}{one}" for one in variables]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow((*COLUMNS, *map(cell, names)))
    yield b"\xef\xbb\xbf"
    each = iter(rows)
    while True:
        yield buffer.getvalue().encode("utf-8", "replace")
        buffer.seek(0)
        buffer.truncate()
        if not (chunk := list(itertools.islice(each, _LINES_A_CHUNK))):
            return
        for row in chunk:
            told = (told_value(row.get(name)) for name in names)
            writer.writerow([*(cell(row[name]) for name in COLUMNS), *map(cell, told)])


def mapping_json(rows: Iterable[Mapping[str, Json]], *, batch: str, slot: str) -> Iterator[bytes]:
    """Write the same as JSON, one line a file.

    Args:
        rows: of ``mapping_rows``.
        batch: its name.
        slot: of a batch that repeats; empty for one that does not.
    """
    head = {"format": FORMAT, "batch": batch, "slot": slot or None}
    yield encoded("{\n" + "".join(f" {_dumps(name)}: {_dumps(value)},\n" for name, value in head.items()))
    yield b' "files": ['
    before = "\n  "
    for row in rows:
        yield encoded(before + _dumps(row))
        before = ",\n  "
    yield b"\n ]\n}\n"


def _dumps(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


class MappingFile:
    """The file that a mapping is written to: one that a person has changed since is not written over."""

    def __init__(self, path: Path, folder: Path, chunks: Callable[[], Iterator[bytes]]) -> None:
        """Name it.

        Args:
            path: as the user gave it.
            folder: of the export, from which it is known.
            chunks: gives its bytes, as often as they are asked for.
        """
        self._path = path
        self._chunks = chunks
        self._name = Path(os.path.relpath(real_path(path), real_path(folder))).as_posix()
        digest = hashlib.sha256()
        for one in chunks():
            digest.update(one)
        self._sha256 = digest.hexdigest()
        self._there = _sha256_of(path)

    def obstacles(self, known: Mapping[str, Sequence[str]], *, force: bool) -> Iterator[Obstacle]:
        """Return why it cannot be written.

        Args:
            known: what exports have written, by path from the folder.
            force: whether what a person has made of it may go.
        """
        hashes = known.get(self._name, ())
        if wrong := _wrong_with_place(self._path):
            yield Obstacle(str(self._path), wrong)
        elif self._there not in {"", self._sha256, *hashes} and not force:
            why = "it was changed since an export wrote it" if hashes else "no export wrote it"
            yield Obstacle(str(self._path), why, replaceable=True)

    def on_record(self, known: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
        """Return what exports have written, this one included, whether it is written in the end or not."""
        hashes = sorted({self._sha256, *([self._there] if self._there else [])})
        return {**known, self._name: hashes}

    def write(self) -> None:
        """Write it, all or nothing; one that is right already stays as it is.

        Raises:
            OutputError: it is as it was.
        """
        if self._path.is_symlink() or (self._path.exists() and not self._path.is_file()):
            write_text(self._path, b"".join(self._chunks()).decode())
        elif self._there != self._sha256:
            write_chunks(self._path, self._chunks(), aside=f".{self._path.name[:100]}.batchgen-export.tmp")


def _wrong_with_place(path: Path) -> str:
    """Return what keeps a file from being written there; empty where nothing is known to."""
    if path.is_dir():
        return "a folder is in the place of the mapping"
    there = next((one for one in path.parents if os.path.lexists(one)), path.parent)
    if not there.is_dir():
        return f"{there} is no folder"
    return "" if os.access(there, os.W_OK | os.X_OK) else f"{there} may not be written"


def _sha256_of(path: Path) -> str:
    """Return the hash of a plain file; empty where there is none."""
    try:
        if not path.is_file():
            return ""
        with open_plain(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileFaultError, OSError):
        return "unreadable"
