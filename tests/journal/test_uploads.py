"""Which files the service has, as the journal remembers it."""

import sqlite3
from pathlib import Path

import pytest

from batchgen.journal.file_store import FileStore
from batchgen.journal.uploads import UploadRecords
from batchgen.model import Scope, Upload
from tests.support.journals import Journals

ORIGIN = "http://127.0.0.1/v1"
SENT = Upload(sha256="aa", asset_id="asset_1", name="a.png", bytes=3, at=1.5)
UNDER_WAY = Upload(sha256="bb", upload_id="upload_1", name="b.mp4", bytes=9, at=2.0)


@pytest.fixture
def records(journals: Journals) -> UploadRecords:
    return journals.uploads(origin=ORIGIN, project="p")


def test_an_upload_is_remembered_for_every_later_run(journals: Journals, records: UploadRecords) -> None:
    records.keep(SENT)
    records.keep(UNDER_WAY)
    with journals.store.uploads(origin=ORIGIN, project="p") as again:
        assert again.find(["aa", "bb", "cc"]) == {"aa": SENT, "bb": UNDER_WAY}


@pytest.mark.parametrize(("origin", "project"), [("https://other/v1", "p"), (ORIGIN, "q")])
def test_another_origin_or_project_has_its_own(
    journals: Journals, records: UploadRecords, origin: str, project: str
) -> None:
    records.keep(SENT)
    with journals.store.uploads(origin=origin, project=project) as others:
        assert not others.find(["aa"])
        others.forget(["asset_1"])
    assert records.find(["aa"])


def test_a_later_record_takes_the_place_of_an_earlier_one(records: UploadRecords) -> None:
    records.keep(UNDER_WAY)
    done = Upload(sha256="bb", asset_id="asset_2", name="b.mp4", bytes=9, at=3.0)
    records.keep(done)
    assert records.find(["bb"]) == {"bb": done}


def test_what_was_sent_again_outlives_the_forgetting_of_its_old_asset(records: UploadRecords) -> None:
    records.keep(SENT)
    records.keep(Upload(sha256="aa", asset_id="asset_9", name="a.png", bytes=3, at=4.0))
    records.forget(["asset_1"])
    assert records.find(["aa"])["aa"].asset_id == "asset_9"
    records.forget(["asset_9", ""])
    assert not records.find(["aa"])


def test_many_files_are_found_at_once(records: UploadRecords) -> None:
    for number in range(1200):
        records.keep(Upload(sha256=str(number), asset_id=f"asset_{number}", name="x", bytes=1, at=1.0))
    assert len(records.find([str(number) for number in range(1300)])) == 1200


def test_a_reader_needs_neither_a_file_nor_the_table(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "out")
    with store.uploads_to_read(origin=ORIGIN, project="p") as none:
        assert not none.find(["aa"])
    (tmp_path / "out").mkdir()
    sqlite3.connect(tmp_path / "out" / "journal.db").close()
    with store.uploads_to_read(origin=ORIGIN, project="p") as old:
        assert not old.find(["aa"])


def test_records_and_uploads_share_a_place(journals: Journals, records: UploadRecords) -> None:
    scope = Scope(origin=ORIGIN, project="p", batch="spring")
    journals.open().begin(scope)
    records.keep(SENT)
    with journals.store.uploads_to_read(origin=ORIGIN, project="p") as reader:
        assert reader.find(["aa"]) == {"aa": SENT}
