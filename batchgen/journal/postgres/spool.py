"""Receipts that the database did not take: in a file of the output folder, until it does."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from batchgen.errors import JournalError
from batchgen.journal.filesystem import lies_there, sync_folder
from batchgen.model import JobKey, Scope

_BLANK: Final = b" "


class Saying(NamedTuple):
    """What a run says of one of its POSTs.

    Attributes:
        scope, key: whose it was.
        epoch: of the lease under which it was sent.
        name, fields: of the event, as the journal keeps it.
    """

    scope: Scope
    key: JobKey
    epoch: int
    name: str
    fields: str


class Spool:
    """The file ``journal.spool`` of one output folder; a line a saying, of whatever database."""

    def __init__(self, folder: Path, database: Callable[[], str]) -> None:
        """Name the file; nothing is made before it is needed.

        Args:
            folder: the output folder.
            database: gives the identity of the journal's; a saying waits for the one that it is of.
        """
        self._path = folder / "journal.spool"
        self._database = database

    def keep(self, said: Sequence[Saying]) -> None:
        """Put sayings behind those that are there, on the disk itself.

        Raises:
            JournalError: the file cannot be written.
        """
        database = self._database()
        with self._locked("a+b") as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # whoever wrote last was cut off
                    file.write(b"\n")
            file.write("".join(_line(database, one) for one in said).encode())
            _synced(file)

    def replay(self, hear: Callable[[Sequence[Saying]], None]) -> int:
        """Give what waits for this database to it, and strike it off when it was taken.

        Args:
            hear: puts sayings on record; one that is there already stays as it is.

        Returns:
            How many there were.

        Raises:
            JournalError: the file cannot be read, or the database does not take them: they stay in it.
        """
        if not lies_there(self._path):
            return 0
        wanted = self._database()
        with self._locked("r+b") as file:
            lines = file.read().splitlines(keepends=True)
            read = [_read(line, wanted) for line in lines]
            ours = [one for one in read if one is not None]
            if not ours:
                return 0
            hear(ours)
            # in place, so that none of the others is elsewhere for a moment, in which the power may fail
            left = [
                line if one is None else _BLANK * (len(line) - 1) + b"\n"
                for line, one in zip(lines, read, strict=True)
            ]
            file.seek(0)
            if any(map(bytes.strip, left)):
                file.write(b"".join(left))
            file.truncate()
            _synced(file)
        return len(ours)

    @contextmanager
    def _locked(self, mode: str) -> Iterator[BinaryIO]:
        """Open the file, alone: runs of other batches share it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lies_there(self._path)
            with self._path.open(mode) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield file  # type: ignore[misc]  # both modes are of bytes
            sync_folder(self._path.parent)
        except OSError as error:
            raise JournalError(f"{self._path}: cannot be used: {error.strerror}") from error


def _line(database: str, one: Saying) -> str:
    plain = one._asdict() | {"database": database, "scope": asdict(one.scope), "key": list(one.key)}
    return json.dumps(plain, ensure_ascii=True) + "\n"


def _read(line: bytes, database: str) -> Saying | None:
    """Return the saying of a line, if it waits for a database; of one that was cut off there is none."""
    try:
        plain = json.loads(line)
        scope, (content, ordinal) = Scope(**plain["scope"]), plain["key"]
        said = Saying(scope, JobKey(content, ordinal), plain["epoch"], plain["name"], plain["fields"])
        return said if plain["database"] == database else None
    except (ValueError, KeyError, TypeError):
        return None


def _synced(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
