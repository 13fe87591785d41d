"""One place for journals, a folder or a database, as a test has it: batches are led as they are asked for."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from batchgen.journal.batch import BatchJournal
from batchgen.journal.file_connection import connect
from batchgen.journal.opened import OpenJournal
from batchgen.journal.runs import RunRecords
from batchgen.journal.store import JournalStore
from batchgen.journal.stores import store_of
from batchgen.journal.uploads import UploadRecords
from batchgen.model import Scope


class Journals:
    """A store, and all that a test has opened of it, which is closed at its end."""

    def __init__(self, address: str | None, folder: Path) -> None:
        self.address = address
        self.folder = folder
        self.store: JournalStore = store_of(address, folder)
        self._stack = ExitStack()
        self._led: set[str] = set()
        if address is None:
            self.store.opened().close()

    @property
    def on_postgres(self) -> bool:
        return self.address is not None

    def open(self) -> OpenJournal:
        return self._stack.enter_context(self.store.opened())

    def read(self) -> OpenJournal:
        return self._stack.enter_context(self.store.read())

    def batch(self, scope: Scope) -> BatchJournal:
        """Return the journal of a scope, over a connection of its own, whose batch is led by the test."""
        self.lead(scope.batch)
        return self.open().batch(scope)

    def lead(self, *batches: str) -> None:
        for one in batches:
            if one not in self._led:
                self._led.add(one)
                self._stack.enter_context(self.store.hold(one, stamp=1.0))

    def runs(self) -> RunRecords:
        records = self.store.runs()
        assert records is not None
        return self._stack.enter_context(records)

    def uploads(self, *, origin: str, project: str) -> UploadRecords:
        return self._stack.enter_context(self.store.uploads(origin=origin, project=project))

    def write(self, statement: str) -> None:
        """Write what no code of ours would."""
        if self.address is None:
            connection: Any = connect(self.folder / "journal.db")
        else:
            import psycopg  # noqa: PLC0415  (for few tests)

            connection = psycopg.connect(self.address, autocommit=True)
        with ExitStack() as stack:
            stack.callback(connection.close)
            connection.execute(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
