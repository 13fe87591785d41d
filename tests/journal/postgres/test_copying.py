"""Whole journals, copied from a file into a real database and back, and from one database into another."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchgen.errors import BatchLockedError, InputError, JournalError
from batchgen.journal.copying import copy_journal
from batchgen.journal.file_store import FileStore
from batchgen.journal.postgres.store import PostgresStore
from batchgen.journal.store import JournalStore
from batchgen.lifecycle import Accepted
from batchgen.model import JobKey
from batchgen.wiring.clock import SystemClock
from tests.journal.test_contract import started
from tests.journal.test_copying import NOW, SCOPE, records, rows
from tests.support.lives import lives
from tests.support.place import Place
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.postgres


def made(url: str, folder: Path) -> PostgresStore:
    store = PostgresStore(url, folder)
    store.prepare(lease=5.0)
    return store


def test_a_batch_goes_on_in_a_database_and_back_in_a_file(tmp_path: Path, database: str) -> None:
    place = Place.with_jobs(tmp_path, 5)
    place.run()
    source, target = FileStore(tmp_path / "output"), made(database, tmp_path / "output")
    copied = copy_journal(source, target, at=NOW)
    assert (copied.records, copied.submissions) == (5, 5)
    assert records(target) == records(source)
    assert place.run(journal_address=database).verdict.exit == 0
    copy_journal(target, FileStore(tmp_path / "back"), at=NOW)
    assert place.run(output=tmp_path / "back").verdict.exit == 0
    assert place.bought == 5
    paid = ("events", "records", "submissions")
    back, before = (
        [one for one in rows(tmp_path / place) if one.startswith(paid)] for place in ("back", "output")
    )
    assert back == before


@given(data=st.data())
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_a_journal_has_lived_through_is_the_same_after_two_databases(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    source, last = FileStore(folder / "here"), FileStore(folder / "there")
    with source.opened() as file:
        for number in range(2):
            scope = replace(SCOPE, slot=f"2026-11-{number + 1:02}")
            for key in (JobKey("v1:a", 0), JobKey("v1:a", 1)):
                for event in data.draw(lives(longest=6, first=100 * (2 * number + key.ordinal))):
                    file.batch(scope).append(key, event)
    if not records(source):
        return
    urls = [postgres.create_database() for _ in range(2)]
    try:
        stores: list[JournalStore] = [source, *(made(one, folder) for one in urls), last]
        for one, other in pairwise(stores):
            copy_journal(one, other, at=NOW)
        assert records(last) == records(source) == records(stores[1])
        assert sorted(rows(folder / "there")) == sorted(rows(folder / "here"))
    finally:
        for url in urls:
            postgres.drop_database(url)


def test_records_of_several_thousand_rows_are_copied_whole(tmp_path: Path, database: str) -> None:
    """More than are read, written and compared at a time."""
    source, target = FileStore(tmp_path / "here"), made(database, tmp_path)
    with source.opened() as file:
        journal = file.batch(SCOPE)
        for number in range(1100):
            receipt = Accepted(at=2.0, remote_id=f"job_{number}", author="apiu_us")
            journal.append(JobKey(f"v1:{number}", 0), started(), receipt)
    copied = copy_journal(source, target, at=NOW)
    assert (copied.records, copied.events, copied.submissions) == (1100, 2200, 1100)
    assert records(target) == records(source)


def test_a_submission_that_is_another_jobs_there_stops_the_copy(tmp_path: Path, database: str) -> None:
    target = made(database, tmp_path)
    for folder, batch in ((tmp_path / "a", "spring"), (tmp_path / "b", "autumn")):
        with FileStore(folder).opened() as file:
            file.batch(replace(SCOPE, batch=batch)).append(
                JobKey("v1:a", 0), started(), Accepted(at=2.0, remote_id="job_1", author="apiu_us")
            )
    copy_journal(FileStore(tmp_path / "a"), target, at=NOW)
    with pytest.raises(InputError, match="the submission job_1 as another job's"):
        copy_journal(FileStore(tmp_path / "b"), target, at=NOW)
    assert [one.batch for one in records(target)] == ["spring"]
    with FileStore(tmp_path / "b").read() as file:
        assert file.successor("autumn") is None


def test_a_batch_that_a_run_leads_and_one_that_is_being_rebuilt_are_not_copied(
    tmp_path: Path, database: str
) -> None:
    source, target = made(database, tmp_path), FileStore(tmp_path / "there")
    with source.hold("spring", stamp=NOW), source.opened() as file:
        file.batch(SCOPE).append(JobKey("v1:a", 0), started())
        with pytest.raises(BatchLockedError):
            copy_journal(PostgresStore(database, tmp_path), target, at=NOW)
    with pytest.raises(JournalError, match="cut off"), source.rebuilding("spring"):
        raise JournalError("cut off")
    with pytest.raises(InputError, match="finish it first"):
        copy_journal(source, target, at=NOW)


def test_what_a_run_that_was_taken_over_said_is_heard_before_a_copy(tmp_path: Path, database: str) -> None:
    store = made(database, tmp_path)
    with store.hold("spring", stamp=NOW), store.opened() as file:
        journal = file.batch(SCOPE)
        journal.append(JobKey("v1:a", 0), started())
        journal.testify(JobKey("v1:a", 0), Accepted(at=1.0, remote_id="job_1", author="apiu_us"))
    with pytest.raises(InputError, match="none has heard it"):
        copy_journal(store, FileStore(tmp_path / "there"), at=NOW)
    with store.hold("spring", stamp=NOW), store.opened() as file:
        journal = file.batch(SCOPE)
        journal.heard([one.number for one in journal.testimony()])
    copy_journal(store, FileStore(tmp_path / "there"), at=NOW)


def test_more_batches_are_copied_than_a_server_has_connections(tmp_path: Path, database: str) -> None:
    source, target = FileStore(tmp_path / "here"), made(database, tmp_path)
    with source.opened() as file:
        for number in range(130):
            file.batch(replace(SCOPE, batch=f"batch-{number}")).append(JobKey("v1:a", 0), started())
    copy_journal(source, target, at=NOW)
    copied = copy_journal(target, FileStore(tmp_path / "there"), at=NOW)
    assert (len(copied.batches), copied.events) == (130, 130)
    assert not any(one.left for one in target.health().leaders)


def test_a_journal_is_not_copied_while_a_run_that_was_lost_may_wake(tmp_path: Path, database: str) -> None:
    """It would testify in the journal that it knows, where no run hears it any more."""
    source, target = made(database, tmp_path), FileStore(tmp_path / "there")
    with source.hold("spring", stamp=NOW), source.opened() as file:
        file.batch(SCOPE).append(JobKey("v1:a", 0), started())
    now = source.clock(SystemClock()).now()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("UPDATE leases SET ended = false, until = clock_timestamp(), holder = 'somebody'")
    with pytest.raises(InputError, match="has gone without a word"):
        copy_journal(source, target, at=now)
    assert records(target) == {}
    copy_journal(source, target, at=now + 3700)
