"""What prices the journal remembers, and for whom."""

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from batchgen.errors import JournalError
from batchgen.journal.file_store import FileStore
from batchgen.journal.quotes import QuoteRecords
from batchgen.journal.store import JournalStore
from batchgen.planning.pricing import Price
from tests.support.journals import Journals

ORIGIN = "http://127.0.0.1/v1"
SEVEN = Price(low=Decimal("7.25"), high=Decimal("7.250"))


def records(store: JournalStore, origin: str = ORIGIN, project: str = "p") -> QuoteRecords:
    return store.quotes(origin=origin, project=project)


@pytest.fixture
def store(journals: Journals) -> JournalStore:
    return journals.store


def test_a_price_is_remembered_exactly_until_it_is_too_old(store: JournalStore) -> None:
    records(store).keep({"a": SEVEN, "b": Price(low=Decimal(0), high=Decimal(1))}, at=100.0)
    assert records(store).find(["a", "c"], since=100.0) == {"a": SEVEN}
    assert records(store).find(["a", "b"], since=100.1) == {}


def test_a_later_price_takes_the_place_of_an_earlier_one(store: JournalStore) -> None:
    records(store).keep({"a": SEVEN}, at=1.0)
    records(store).keep({"a": Price(low=Decimal(8), high=Decimal(8))}, at=2.0)
    assert records(store).find(["a"], since=0) == {"a": Price(low=Decimal(8), high=Decimal(8))}


@pytest.mark.parametrize(("origin", "project"), [("https://other/v1", "p"), (ORIGIN, "q")])
def test_another_origin_or_project_has_its_own_prices(store: JournalStore, origin: str, project: str) -> None:
    records(store).keep({"a": SEVEN}, at=1.0)
    assert records(store, origin, project).find(["a"], since=0) == {}


def test_many_classes_are_found_at_once(store: JournalStore) -> None:
    records(store).keep({str(n): SEVEN for n in range(1200)}, at=1.0)
    assert len(records(store).find([str(n) for n in range(1200)], since=0)) == 1200


def test_without_a_journal_nothing_is_kept_and_nothing_is_made(tmp_path: Path) -> None:
    nowhere = FileStore(tmp_path / "output")
    records(nowhere).keep({"a": SEVEN}, at=1.0)
    assert records(nowhere).find(["a"], since=0) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_journal_without_tables_is_left_as_it_is(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "journal.db").close()
    empty = FileStore(tmp_path)
    records(empty).keep({"a": SEVEN}, at=1.0)
    assert records(empty).find(["a"], since=0) == {}


def test_a_price_that_cannot_be_read_is_an_error_and_no_zero(journals: Journals, store: JournalStore) -> None:
    records(store).keep({"a": SEVEN}, at=1.0)
    journals.write("UPDATE quotes SET low = 'much'")
    with pytest.raises(JournalError):
        records(store).find(["a"], since=0)
