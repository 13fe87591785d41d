"""What exports have put into a folder, as they keep it there: ``.batchgen-export.json``.

It lies among files of others and is not trusted further than that: a path in it that leads anywhere else is
none, and a file counts as ours only as long as its bytes are those that are told here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchgen.errors import InputError
from batchgen.model import Json
from batchgen.plain_files import FileFaultError, decode, parse_json
from batchgen.planning.export_changes import Put

FORMAT = "batchgen/export@1"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportRecord:
    """What was put there.

    Attributes:
        puts: by path below the folder: what is there, and what an export that was cut off may have put there.
        mappings: the hashes of what the mapping of an export may have in it, by its path from the folder.
    """

    puts: Mapping[str, Sequence[Put]] = field(default_factory=dict)
    mappings: Mapping[str, Sequence[str]] = field(default_factory=dict)


def read_record(raw: bytes, path: Path) -> ExportRecord:
    """Read a record.

    Raises:
        InputError: it is none.
    """
    try:
        document = parse_json(decode(raw, path), path)
        if document["format"] != FORMAT:
            raise ValueError(document["format"])  # noqa: TRY301 - told below, with all that is not what it was
        puts: dict[str, list[Put]] = {}
        for name in ("files", "coming"):
            for below, one in _mapping(document.get(name)).items():
                if _is_below(below):
                    puts.setdefault(below, []).append(_put(one))
        mappings = {
            below: [str(one) for one in hashes]
            for below, hashes in _mapping(document.get("mappings")).items()
            if isinstance(hashes, list)
        }
    except (FileFaultError, ValueError, TypeError, KeyError) as error:
        why = error if isinstance(error, FileFaultError) else f"{path}: is not what an export writes"
        raise InputError(
            f"{why}; move it away: the files that earlier exports put there count as not ours then"
        ) from error
    return ExportRecord(puts=puts, mappings=mappings)


def record_chunks(
    files: Mapping[str, Put], coming: Mapping[str, Put], mappings: Mapping[str, Sequence[str]]
) -> Iterator[bytes]:
    """Write a record, a line a file.

    Args:
        files: what is there.
        coming: what is about to be put there.
        mappings: see ``ExportRecord``.
    """
    yield f'{{\n "format": {_dumps(FORMAT)},\n "files": {{'.encode()
    yield from _lines(files)
    if coming:
        yield b',\n "coming": {'
        yield from _lines(coming)
    yield f',\n "mappings": {_dumps({one: list(hashes) for one, hashes in mappings.items()})}\n}}\n'.encode()


def _lines(puts: Mapping[str, Put]) -> Iterator[bytes]:
    before = "\n  "
    for path in sorted(puts):
        yield f"{before}{_dumps(path)}: {_dumps(puts[path]._asdict())}".encode()
        before = ",\n  "
    yield b"\n }" if puts else b"}"


def _dumps(value: Json) -> str:
    return json.dumps(value, ensure_ascii=True)


def _mapping(value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


def _put(one: Mapping[str, Any]) -> Put:
    return Put(
        sha256=str(one["sha256"]),
        bytes=int(one["bytes"]),
        modified=int(one["modified"]),
        asset_id=str(one["asset_id"]),
        batch=str(one["batch"]),
    )


def _is_below(path: str) -> bool:
    """Return whether a path leads to a file below the folder, and to none of ours that are hidden."""
    parts = path.split("/")
    return all(one and not one.startswith(".") for one in parts) and "\0" not in path
