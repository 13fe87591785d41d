"""A whole journal is copied as it is, or not at all; and from then on one of the two goes on."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchgen.errors import BatchLockedError, GuardError, InputError, JournalError
from batchgen.journal import copying
from batchgen.journal.copying import copy_journal
from batchgen.journal.file_connection import connect
from batchgen.journal.file_store import FileStore
from batchgen.journal.later_tables import LATER
from batchgen.journal.schema import TABLES
from batchgen.journal.store import JournalStore
from batchgen.lifecycle import Record
from batchgen.model import JobKey, Scope
from batchgen.planning.selection import of_ids
from batchgen.usecases.marking import Marking, mark_assets
from batchgen.wiring.opening import open_batch
from tests.support.place import Place

NOW = 1_000_000.0
SCOPE = Scope(origin="https://service.example/v1", project="", batch="spring", slot="")
_OF_RUNS = {"accounts", "runs", "orders", "waiting"}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A batch that was run, with three jobs, of which a person has kept one's asset."""
    place = Place.with_jobs(tmp_path, 3)
    place.run()
    return place


def records(store: JournalStore) -> dict[Scope, dict[JobKey, Record]]:
    with store.read() as file:
        return {one: dict(file.batch(one).records()) for one in file.scopes()}


def rows(folder: Path) -> Iterator[str]:
    """Return every row of a file that is no run's, but for what says where a batch goes on."""
    connection = connect(folder / "journal.db")
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in names:
        if table not in _OF_RUNS and not table.startswith("sqlite_"):
            found = [tuple(row) for row in connection.execute(f"SELECT * FROM {table}")]
            yield from (f"{table}: {row!r}" for row in found if not str(row[-1]).startswith("copied "))
    connection.close()


@pytest.mark.usefixtures("place")
def test_a_copy_of_a_file_has_every_row_of_it(tmp_path: Path) -> None:
    source, target = FileStore(tmp_path / "output"), FileStore(tmp_path / "there")
    copied = copy_journal(source, target, at=NOW)
    assert (copied.batches, copied.slots, copied.records, copied.submissions) == (["spring"], 1, 3, 3)
    assert records(target) == records(source)
    assert sorted(rows(tmp_path / "there")) == sorted(rows(tmp_path / "output"))


def test_no_table_is_forgotten() -> None:
    """Whoever adds a table says here whether a copy takes it along."""

    made = [
        one.split("CREATE TABLE ")[1].removeprefix("IF NOT EXISTS ")
        for one in LATER + TABLES
        if "TABLE" in one
    ]
    told = {*copying._NAMED, *copying._NUMBERED, "scopes", "submissions", *_OF_RUNS}
    assert {one.split()[0] for one in made} == told


def test_after_a_copy_the_batch_goes_on_there_and_not_here(place: Place, tmp_path: Path) -> None:
    copy_journal(FileStore(tmp_path / "output"), FileStore(tmp_path / "there"), at=NOW)
    with pytest.raises(GuardError, match="and goes on there"):
        place.run()
    outcome = place.run(output=tmp_path / "there")
    assert outcome.verdict.exit == 0
    assert place.bought == 3


def test_after_a_copy_a_mark_is_not_made_where_nobody_reads_it(place: Place, tmp_path: Path) -> None:
    place.run()
    copy_journal(FileStore(tmp_path / "output"), FileStore(tmp_path / "there"), at=NOW)
    with pytest.raises(GuardError, match="and goes on there"), open_batch(place.options()):
        pass
    with pytest.raises(GuardError, match="and goes on there"):
        place.play(mark_assets(place.options(selection=of_ids(["job-1"])), Marking(mark="kept")))


def test_a_batch_that_begins_after_a_copy_begins_here(place: Place, tmp_path: Path) -> None:
    copy_journal(FileStore(tmp_path / "output"), FileStore(tmp_path / "there"), at=NOW)
    (tmp_path / "jobs.yaml").write_text((tmp_path / "jobs.yaml").read_text().replace("spring", "autumn"))
    (tmp_path / "other.yaml").write_text((tmp_path / "jobs.yaml").read_text().replace("a house", "a barn"))
    place.run(manifest=tmp_path / "other.yaml")
    assert place.bought == 6


@pytest.mark.usefixtures("place")
def test_what_is_there_already_is_not_joined(tmp_path: Path) -> None:
    source, target = FileStore(tmp_path / "output"), FileStore(tmp_path / "there")
    copy_journal(source, target, at=NOW)
    with pytest.raises(InputError, match="has records of 'spring' already"):
        copy_journal(source, target, at=NOW)
    with pytest.raises(InputError, match="goes on there"):
        copy_journal(source, FileStore(tmp_path / "elsewhere"), at=NOW)
    copy_journal(target, FileStore(tmp_path / "elsewhere"), at=NOW)
    assert sorted(rows(tmp_path / "elsewhere")) == sorted(rows(tmp_path / "output"))


def test_nothing_is_copied_while_a_run_holds_a_batch(place: Place, tmp_path: Path) -> None:
    source, target = FileStore(tmp_path / "output"), FileStore(tmp_path / "there")
    for held in (source, target):
        with held.hold("spring", stamp=NOW), pytest.raises(BatchLockedError):
            copy_journal(source, target, at=NOW)
    assert records(target) == {}
    place.run()


def test_where_there_is_nothing_to_copy_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no journal"):
        copy_journal(FileStore(tmp_path / "output"), FileStore(tmp_path / "there"), at=NOW)
    assert not (tmp_path / "there").exists()


@pytest.mark.usefixtures("place")
def test_a_record_that_its_events_do_not_make_is_not_copied(tmp_path: Path) -> None:
    connection = connect(tmp_path / "output" / "journal.db")
    connection.execute("UPDATE records SET fields = (SELECT fields FROM records ORDER BY id DESC LIMIT 1)")
    connection.close()
    with pytest.raises(JournalError, match="do not make its records"):
        copy_journal(FileStore(tmp_path / "output"), FileStore(tmp_path / "there"), at=NOW)
    assert records(FileStore(tmp_path / "there")) == {}


def test_a_copy_that_fails_leaves_the_source_as_it_was(place: Place, tmp_path: Path) -> None:
    before = sorted(rows(tmp_path / "output"))
    FileStore(tmp_path / "there").opened().close()
    connection = connect(tmp_path / "there" / "journal.db")
    connection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON submissions BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    connection.close()
    with pytest.raises(JournalError):
        copy_journal(FileStore(tmp_path / "output"), FileStore(tmp_path / "there"), at=NOW)
    assert records(FileStore(tmp_path / "there")) == {}
    assert sorted(rows(tmp_path / "output")) == before
    place.run()
    assert place.bought == 3


def test_a_copy_that_is_killed_is_made_again_and_nothing_is_bought_meanwhile(
    place: Place, tmp_path: Path
) -> None:
    """What a killed process leaves: the marks of the source, and nothing in the target."""
    source, target = FileStore(tmp_path / "output"), FileStore(tmp_path / "there")
    mark = json.dumps(["spring", str(target)])
    connection = connect(tmp_path / "output" / "journal.db")
    (origin,) = connection.execute("SELECT origin FROM scopes").fetchone()
    connection.execute("INSERT INTO marks (origin, name) VALUES (?, ?)", (origin, f"copied {mark}"))
    connection.close()
    with pytest.raises(GuardError, match="make it again"):
        place.run()
    copy_journal(source, target, at=NOW)
    assert records(target) == records(source)
