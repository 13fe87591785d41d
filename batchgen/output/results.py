"""The results manifest: all outcomes of a batch, in manifest order, as JSON and as a table.

The shape of ``batchgen/results@1`` is here and in ``entries``, and ``results.schema.json`` describes it,
as docs/results.md does for people. Building it is pure; only ``write_results`` touches the disk, and only
through ``atomic``.
"""

import csv
import hashlib
import io
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import overload

from batchgen.model import Json
from batchgen.output import atomic
from batchgen.output.entries import Row, entry
from batchgen.output.saved_progress import written_at
from batchgen.output.summary import Results, summary

FORMAT = "batchgen/results@1"
JSON_NAME = "results.json"
CSV_NAME = "results.csv"

_LINES_A_CHUNK = 500
_AT_HAND = 5_000  # jobs: of more not all elements are in memory at once

COLUMNS = (
    "id",
    "prompt",
    "model",
    "params",
    "status",
    "job_id",
    "asset_id",
    "file",
    "bytes",
    "sha256",
    "mime",
    "seed",
    "quoted",
    "charged",
    "refunded",
    "refund",
    "attempts",
    "submitted",
    "started",
    "finished",
    "error",
    "entry",
    "tags",
    "width",
    "height",
    "duration",
    "kind",
    "type",
    "parents",
    "parent_assets",
    "waits_for",
    "mark",
    "note",
)
_OF_A_JOB = ("id", "prompt", "model", "status", "job_id", "seed", "attempts", "entry")
_OF_A_FILE = ("bytes", "sha256", "mime", "width", "height", "duration", "kind", "type")
_VARIABLE = "var."
# without indent what is written in C does the work: four times as fast
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": "), allow_nan=False)


class Entries(Sequence[Mapping[str, Json]]):
    """The elements of a document's ``jobs``, made when they are asked for; those of a small batch once.

    A hundred thousand of them held at once would take more memory than the rest of a run.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._made: list[Mapping[str, Json]] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Mapping[str, Json]]:
        if len(self._rows) > _AT_HAND:
            return map(entry, self._rows)
        if self._made is None:
            self._made = list(map(entry, self._rows))
        return iter(self._made)

    @overload
    def __getitem__(self, at: int) -> Mapping[str, Json]: ...
    @overload
    def __getitem__(self, at: slice) -> "Entries": ...
    def __getitem__(self, at: int | slice) -> "Mapping[str, Json] | Entries":
        if isinstance(at, slice):
            return Entries(self._rows[at])
        return entry(self._rows[at]) if self._made is None else self._made[at]


def results_schema() -> str:
    """Return the JSON Schema of the document, as text."""
    return resources.files(__package__).joinpath("results.schema.json").read_text("utf-8")


def results_document(results: Results, jobs: Entries | None = None) -> dict[str, Json]:
    """Return the whole document; its ``jobs`` and ``removed`` are made when they are asked for.

    Args:
        results: what it is made of.
        jobs: the elements, where there are some already.
    """
    document = {
        **_head(results),
        "prompts": prompts(results.rows),
        "chains": {last: list(ids) for last, ids in results.chains.items()},
        "summary": summary(results),
        "jobs": Entries(results.rows) if jobs is None else jobs,
    }
    if results.removed:
        document["removed"] = Entries(results.removed)
    if results.undecided:
        document["undecided"] = list(results.undecided)
    return document


def results_json(results: Results, entries: Entries | None = None) -> Iterator[bytes]:
    """Write the document piece by piece, one line a prompt and a job: it can be compared and searched.

    Args:
        results: all that it is made of.
        entries: the elements of ``jobs``, where they are at hand.
    """
    jobs = Entries(results.rows) if entries is None else entries
    yield b"{\n"
    for name, value in _head(results).items():
        yield atomic.encoded(f" {_dumps(name)}: {_dumps(value)},\n")
    named = (f"{_dumps(prompt)}: {_dumps(assets)}" for prompt, assets in prompts(results.rows).items())
    yield from _by_line("prompts", named, "{}")
    yield b",\n"
    ways = (f"{_dumps(last)}: {_dumps(ids)}" for last, ids in results.chains.items())
    yield from _by_line("chains", ways, "{}")
    yield atomic.encoded(f',\n "summary": {_dumps(summary(results))},\n')
    yield from _by_line("jobs", map(_dumps, jobs), "[]")
    if results.removed:
        yield b",\n"
        yield from _by_line("removed", map(_dumps, map(entry, results.removed)), "[]")
    if results.undecided:
        yield b",\n"
        yield from _by_line("undecided", map(_dumps, results.undecided), "[]")
    yield b"\n}\n"


def _by_line(name: str, lines: Iterable[str], brackets: str) -> Iterator[bytes]:
    yield f" {_dumps(name)}: {brackets[0]}".encode()
    start, before, after = "\n  ", "\n  ", ""
    each = iter(lines)
    while chunk := list(itertools.islice(each, _LINES_A_CHUNK)):
        yield atomic.encoded(before + f",{start}".join(chunk))
        before, after = f",{start}", "\n "
    yield f"{after}{brackets[1]}".encode()


def _dumps(value: Json) -> str:
    return _ENCODER.encode(value)


def _head(results: Results) -> dict[str, Json]:
    told = {"slot": results.slot, "folder": results.home, "rehearsal": results.rehearsal}
    return {
        "format": FORMAT,
        "batch": results.batch,
        **{name: one for name, one in told.items() if one},
        "manifest": {"path": results.manifest_path, "sha256": results.manifest_sha256},
    }


def prompts(rows: Iterable[Row]) -> dict[str, list[str]]:
    """Map every prompt to its assets, in manifest order and then in the service's.

    Jobs without a prompt are left out.
    """
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.job.prompt is None:
            continue
        found.setdefault(row.job.prompt, []).extend(row.record.asset_ids if row.record else ())
    return found


def results_csv(entries: Iterable[Mapping[str, Json]], variables: Sequence[str] = ()) -> Iterator[str]:
    """Write a table for spreadsheets, RFC 4180: a row per asset, one row for a job without any.

    A job's cost stands in its first row only, so that a column adds up. A cell that a
    spreadsheet would run as a formula gets an apostrophe in front.

    Args:
        entries: the elements of a document's ``jobs``.
        variables: the names of those that get a column.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow((*COLUMNS, *(cell(f"{_VARIABLE}{name}") for name in variables)))
    for count, one in enumerate(entries):
        writer.writerows(_table_rows(one, variables))
        if count % _LINES_A_CHUNK == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def variable_names(rows: Iterable[Row]) -> list[str]:
    """Return the names of all variables of some jobs, in the order in which they appear first."""
    return list(dict.fromkeys(itertools.chain.from_iterable(row.variables for row in rows)))


def _table_rows(one: Mapping[str, Json], variables: Sequence[str]) -> Iterator[list[Json]]:
    files = {file["asset_id"]: file for file in one["files"]}
    told = [cell(told_value(one["vars"].get(name))) for name in variables]
    of_job = {
        **{name: one[name] for name in _OF_A_JOB},
        **one["times"],
        "params": _dumps(one["params"]),
        "tags": ", ".join(one["tags"]),
        "error": (one["error"] or {}).get("message"),
        "parents": ", ".join([parent["job"] for parent in one["parents"]]),
        "parent_assets": ", ".join([parent["asset_id"] or "" for parent in one["parents"]]),
        "waits_for": ", ".join(one.get("waits_for", ())),
    }
    for place, asset_id in enumerate(one["asset_ids"] or [None]):
        file = files.get(asset_id, {})
        cost = one["cost"] if place == 0 else {}
        said = one.get("asset_marks", {}).get(asset_id) or file
        cells = {
            **of_job,
            **{name: file.get(name) for name in _OF_A_FILE},
            **{name: cost.get(name) for name in ("quoted", "charged", "refunded", "refund")},
            "asset_id": asset_id,
            "file": file.get("path"),
            **{name: said.get(name) for name in ("mark", "note")},
        }
        yield [*map(cell, map(cells.__getitem__, COLUMNS)), *told]


def told_value(value: Json) -> Json:
    """Return a variable's value as a cell: a text or a number as it is, all else as JSON."""
    plain = value is None or (isinstance(value, str | int | float) and not isinstance(value, bool))
    return value if plain else _dumps(value)


def cell(value: Json) -> Json:
    """Return what stands in a table's cell; nothing that a spreadsheet would run as a formula."""
    if not isinstance(value, str):
        return value
    risky = value.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")) or value[:1] in "\t\r\n"  # noqa: RUF001 - spreadsheets read the wide signs too
    return f"'{value}" if value and risky else value.replace("\x00", "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """Results as they are on the disk.

    Attributes:
        results: what was written, or found to be there already; then with the time of that.
        sha256: of ``results.json``, hexadecimal.
        entries: the elements of ``jobs`` in it.
        table: the same of ``results.csv``.
    """

    results: Results
    sha256: str
    entries: Entries
    table: str = ""


def write_results(
    folder: Path, results: Results, *, is_known: Callable[[str, str], bool] | None = None
) -> Written:
    """Put ``results.json`` and ``results.csv`` into their folder, each all or nothing.

    A file that says the same already stays as it is, but for when it was written.
    Takes seconds for a hundred thousand jobs: call it from a worker thread.

    Args:
        folder: the batch's.
        results: of a slot of it, or of a batch without slots.
        is_known: whether a table was made of a document, by the digests of both: then it is not made again to
            be compared. None where nobody knows.

    Raises:
        OutputError: one of the files is as it was.
    """
    place = folder / results.home
    if len(results.rows) <= _AT_HAND:  # they are gone through six times
        results = replace(results, rows=list(results.rows))
    entries = Entries(results.rows)
    written = _kept(place / JSON_NAME, results, entries)
    if written is None:
        digest = hashlib.sha256()
        atomic.write_chunks(place / JSON_NAME, _counted(results_json(results, entries), digest.update))
        written = Written(results=results, sha256=digest.hexdigest(), entries=entries)
    table = atomic.digest_of(place / CSV_NAME)
    if table is None or is_known is None or not is_known(written.sha256, table):
        table = _put_table(place / CSV_NAME, results, entries)
    return replace(written, table=table)


def _put_table(path: Path, results: Results, entries: Entries) -> str:
    """Write the table where it is not there already, and return its digest."""
    digest = hashlib.sha256()
    if not atomic.holds(path, _counted(_table(results, entries), digest.update)):
        digest = hashlib.sha256()
        atomic.write_chunks(path, _counted(_table(results, entries), digest.update))
    return digest.hexdigest()


def _kept(path: Path, results: Results, entries: Entries) -> Written | None:
    """Return what is on the disk, if it says the same as these results and was only written earlier."""
    at = written_at(path)
    if at is None:
        return None
    earlier, digest = replace(results, written_at=at), hashlib.sha256()
    if not atomic.holds(path, _counted(results_json(earlier, entries), digest.update)):
        return None
    return Written(results=earlier, sha256=digest.hexdigest(), entries=entries)


def _counted(chunks: Iterable[bytes], see: Callable[[bytes], object]) -> Iterator[bytes]:
    for chunk in chunks:
        see(chunk)
        yield chunk


def _table(results: Results, entries: Entries) -> Iterator[bytes]:
    table = results_csv(entries, variable_names(results.rows))
    # the mark in front makes spreadsheets read UTF-8
    chunks = itertools.chain(["\ufeff"], table)
    return (chunk.encode("utf-8", "replace") for chunk in chunks)
