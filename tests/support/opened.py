"""Journal files that a test opens and need not close: the fixture in conftest.py does."""

from pathlib import Path

from batchgen.journal.file import JournalFile
from batchgen.journal.file_connection import FileConnection

_opened: list["OpenedFile"] = []


class OpenedFile(JournalFile):
    def __init__(self, connection: FileConnection, path: Path) -> None:
        super().__init__(connection, path)
        _opened.append(self)


def close_all() -> None:
    while _opened:
        _opened.pop().close()
