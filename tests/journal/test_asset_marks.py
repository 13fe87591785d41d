"""Marks of assets in a journal that others read and write."""

import sqlite3
import threading
from pathlib import Path

import pytest

from batchgen.errors import JournalError
from batchgen.journal.file import JournalFile
from batchgen.journal.file_store import FileStore
from batchgen.journal.store import JournalStore
from batchgen.model import Scope
from batchgen.planning.marks import Mark, Marked, Wanted
from tests.support.journals import Journals

SCOPE = Scope(origin="https://service", project="", batch="spring", slot="")
OTHER = Scope(origin="https://service", project="", batch="spring", slot="2026-12-01")
KEPT = [Wanted("asset_a", "kept", "good"), Wanted("asset_b", "rejected")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "journal.db"
    JournalFile.open(made).close()
    return made


@pytest.fixture
def store(journals: Journals) -> JournalStore:
    return journals.store


def read(store: JournalStore, scope: Scope = SCOPE) -> dict[str, Marked]:
    with store.read() as journal:
        return journal.asset_marks(scope).read()


def test_marks_are_of_one_scope_and_last(store: JournalStore) -> None:
    store.change_marks(SCOPE, KEPT, at=5.0)
    assert read(store) == {
        "asset_a": Marked(Mark.KEPT, "good", 5.0),
        "asset_b": Marked(Mark.REJECTED, "", 5.0),
    }
    assert read(store, OTHER) == {}
    store.change_marks(SCOPE, [Wanted("asset_a", "none"), Wanted("asset_b", None, "dark")], at=6.0)
    assert read(store) == {"asset_b": Marked(Mark.REJECTED, "dark", 6.0)}


def test_without_a_journal_there_are_none_and_none_is_made(tmp_path: Path) -> None:
    path, store = tmp_path / "journal.db", FileStore(tmp_path)
    assert store.change_marks(SCOPE, KEPT, at=1.0).made == {}
    assert read(store) == {}
    assert not path.exists()


def test_a_file_of_an_earlier_version_gets_the_table(path: Path) -> None:
    store = FileStore(path.parent)
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE asset_marks")
    assert read(store) == {}
    assert len(store.change_marks(SCOPE, KEPT, at=1.0).made) == 2
    assert len(read(store)) == 2


# The kind: somebody else has the file at that moment. It is waited for, whatever they do.
def test_a_mark_waits_for_whoever_writes(path: Path) -> None:
    store = FileStore(path.parent)
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO scopes (origin, project, batch, slot) VALUES ('o', '', 'b', '')")
    timer = threading.Timer(0.3, writer.execute, ["COMMIT"])
    timer.start()
    assert len(store.change_marks(SCOPE, KEPT, at=1.0).made) == 2
    timer.join()
    writer.close()
    assert len(read(store)) == 2


def test_a_reader_sees_marks_that_are_made_after_it_has_opened_the_file(store: JournalStore) -> None:
    with store.opened() as file:
        marks = file.asset_marks(SCOPE)
        assert marks.read() == {}
        store.change_marks(SCOPE, KEPT, at=1.0)
        assert len(marks.read()) == 2


def test_many_who_mark_at_once_all_have_their_way(store: JournalStore) -> None:
    def mark(number: int) -> None:
        store.change_marks(SCOPE, [Wanted(f"asset_{number}_{one}", "kept") for one in range(20)], at=1.0)

    threads = [threading.Thread(target=mark, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(read(store)) == 160


def test_what_cannot_be_written_leaves_all_as_it_was(path: Path) -> None:
    store = FileStore(path.parent)
    store.change_marks(SCOPE, KEPT, at=1.0)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TRIGGER no BEFORE INSERT ON asset_marks WHEN NEW.asset = 'asset_z' "
            "BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    with pytest.raises(JournalError):
        store.change_marks(SCOPE, [Wanted("asset_a", "none"), Wanted("asset_z", "kept")], at=2.0)
    assert read(store)["asset_a"] == Marked(Mark.KEPT, "good", 1.0)


def test_marks_go_along_where_records_join_those_of_another_name(store: JournalStore) -> None:
    kept = Scope(origin="https://other", project="p", batch="spring", slot="")
    store.change_marks(SCOPE, KEPT, at=1.0)
    with store.opened() as file:
        file.begin(SCOPE)
        file.begin(kept)
        file.names.join(SCOPE, kept, at=2.0)
    assert read(store) == {}
    assert len(read(store, kept)) == 2
