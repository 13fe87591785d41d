"""A database that would lose what is paid for, or that is not ours, is refused before anything is bought."""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from batchgen.errors import InputError, JournalError
from batchgen.journal import schema
from batchgen.journal.health import Health
from batchgen.journal.postgres import tables
from batchgen.journal.postgres.checks import looked_at, make_tables
from batchgen.journal.postgres.connection import PostgresConnection
from batchgen.journal.postgres.store import PostgresStore
from tests.support.postgres import PostgresServer, postgres_server, programs_folder
from tests.support.postgres_runs import SCOPE, A, do, leading, started, until

pytestmark = pytest.mark.postgres


def look(url: str, *, tables_made: bool = True, **options: str) -> Health:
    given = "&".join(f"options=-c%20{name}%3D{value}" for name, value in options.items())
    connection = PostgresConnection(url + (f"?{given}" if given else ""), place="the database")
    try:
        return looked_at(connection, "the database", tables_made=tables_made)
    finally:
        connection.close()


def init(url: str, lease: float = 30.0) -> bool:
    connection = PostgresConnection(url, place="the database")
    try:
        return make_tables(connection, "the database", lease=lease)
    finally:
        connection.close()


def test_tables_are_made_once_and_keep_the_length_of_the_lease(database: str) -> None:
    assert look(database, tables_made=False).lease is None
    assert init(database, 7.5)
    assert not init(database, 9.0)
    found = look(database)
    assert found.lease == 7.5
    assert abs(found.offset) < 1
    assert 0 < found.round_trip < 1
    assert found.synchronous_commit == "on"
    assert found.server.startswith(tuple("123456789"))


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("synchronous_commit", "off", "answered before it is on the disk"),
        ("synchronous_commit", "local", "answered before it is on the disk"),
        ("default_transaction_read_only", "on", "takes no writes"),
        ("default_transaction_isolation", "repeatable\\%20read", "must be read committed"),
        ("default_transaction_isolation", "serializable", "must be read committed"),
    ],
)
def test_a_session_that_would_not_keep_or_not_take_what_is_written_is_refused(
    journal_database: str, setting: str, value: str, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        look(journal_database, **{setting: value})  # type: ignore[arg-type]  # none is called tables_made


def test_what_the_user_is_given_counts_too(journal_database: str, tmp_path: Path) -> None:
    do(journal_database, "ALTER ROLE postgres SET synchronous_commit = off")
    try:
        with pytest.raises(InputError, match="synchronous_commit is off"):
            PostgresStore(journal_database, tmp_path).opened()
    finally:
        do(journal_database, "ALTER ROLE postgres RESET synchronous_commit")
    PostgresStore(journal_database, tmp_path).opened().close()


@pytest.fixture
def careless(postgres: PostgresServer) -> Iterator[PostgresServer]:
    del postgres  # it says where there is none
    with postgres_server({"fsync": "off"}) as server:
        yield server


def test_a_server_that_does_not_sync_or_writes_no_whole_pages_is_refused(careless: PostgresServer) -> None:
    with pytest.raises(InputError, match="fsync is off"):
        init(careless.create_database())
    do(careless.url, "ALTER SYSTEM SET fsync = on")
    do(careless.url, "ALTER SYSTEM SET full_page_writes = off")
    do(careless.url, "SELECT pg_reload_conf()")
    until(lambda: do(careless.url, "SHOW fsync") == [("on",)])
    with pytest.raises(InputError, match="full_page_writes is off"):
        look(careless.url, tables_made=False)
    do(careless.url, "ALTER SYSTEM SET full_page_writes = on")
    do(careless.url, "SELECT pg_reload_conf()")
    until(lambda: do(careless.url, "SHOW full_page_writes") == [("on",)])
    assert init(careless.url)
    careless.stop()
    (careless.folder / "data" / "standby.signal").touch()
    careless.start()
    with pytest.raises(InputError, match="it is a standby"):
        look(careless.url, tables_made=False)


def test_a_database_in_another_encoding_is_refused(postgres: PostgresServer) -> None:
    postgres.start()
    do(postgres.url, "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0")
    url = postgres.url.removesuffix("postgres") + "ascii"
    with pytest.raises(InputError, match="is in SQL_ASCII"):
        init(url)
    postgres.drop_database(url)


@pytest.mark.parametrize("column", ["version", "journal_version"])
@pytest.mark.parametrize(
    ("by", "says"), [(1, "this program knows 1.1: update it"), (-1, "made by an older one")]
)
def test_tables_of_another_version_are_refused(
    journal_database: str, tmp_path: Path, column: str, by: int, says: str
) -> None:
    do(journal_database, f"UPDATE settings SET {column} = {column} + %s", by)
    with pytest.raises(InputError, match=says):
        PostgresStore(journal_database, tmp_path).opened()
    other = {"version": "journal_version", "journal_version": "version"}[column]
    do(journal_database, f"UPDATE settings SET {other} = {other} - %s", by)
    with pytest.raises(InputError, match="its tables are"):
        look(journal_database)
    assert (tables.VERSION, schema.VERSION) == (1, 1)


@pytest.mark.parametrize(
    "made",
    [
        "CREATE TABLE settings (name text)",
        "CREATE TABLE settings (application text, version int, journal_version int, lease float8)",
        "CREATE VIEW settings AS SELECT 'x' AS application, 1 AS version, 1 AS journal_version, 1.0 AS lease",
    ],
)
def test_tables_of_another_program_are_refused_and_left_alone(database: str, made: str) -> None:
    do(database, made)
    with pytest.raises(InputError, match="another program"):
        init(database)
    assert do(database, "SELECT count(*) FROM pg_class WHERE relname = 'events'") == [(0,)]


def test_a_database_without_a_journal_says_how_to_make_one(database: str, tmp_path: Path) -> None:
    for ask in (
        PostgresStore(database, tmp_path).opened,
        PostgresStore(database, tmp_path).runs,
        lambda: PostgresStore(database, tmp_path).is_held("spring"),
        lambda: PostgresStore(database, tmp_path).hold("spring", stamp=0.0).__enter__(),
    ):
        with pytest.raises(InputError, match="there are no tables of a journal: batchgen journal init"):
            ask()
    do(database, "CREATE TABLE events (id int)")
    with pytest.raises(JournalError, match='"events" already exists'):
        init(database)
    assert do(database, "SELECT count(*) FROM pg_class WHERE relname = 'scopes'") == [(0,)], "all or nothing"


def test_a_user_without_rights_is_told_so(journal_database: str, database: str, tmp_path: Path) -> None:
    do(database, "DROP ROLE IF EXISTS guest")
    do(database, "CREATE ROLE guest LOGIN")
    url = journal_database.replace("postgres@", "guest@")
    with pytest.raises(JournalError, match="may not do that"):
        PostgresStore(url, tmp_path).opened()
    with pytest.raises(JournalError, match="may not do that"):
        init(database.replace("postgres@", "guest@"))
    do(journal_database, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest")
    with pytest.raises(JournalError, match="may not do that"):
        PostgresStore(url, tmp_path).hold("spring", stamp=0.0).__enter__()
    # no more than this is needed to work with it
    do(journal_database, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO guest")
    with leading(url, tmp_path) as (batch, _):
        batch.append(A, started())
        with PostgresStore(url, tmp_path).opened() as journal:
            journal.names.join(SCOPE, replace(SCOPE, project="p"), at=1.0)
    do(journal_database, "DROP OWNED BY guest")
    do(journal_database, "DROP ROLE guest")


@pytest.mark.parametrize("change", ["", "?user=nobody_here", "x"])
def test_an_address_that_leads_nowhere_is_told_at_once(database: str, tmp_path: Path, change: str) -> None:
    if not change:
        PostgresConnection(database, place="x").close()
        return
    began = time.monotonic()
    with pytest.raises(InputError, match="does not exist"):
        PostgresStore(database + change, tmp_path).health()
    assert time.monotonic() - began < 5


def test_a_journal_that_was_dumped_and_restored_is_the_same(
    journal_database: str, database: str, tmp_path: Path
) -> None:
    folder = programs_folder()
    assert folder is not None
    with leading(journal_database, tmp_path) as (batch, _):
        batch.append(A, started("2"))
    dump = subprocess.run([folder / "pg_dump", "-d", journal_database], check=True, capture_output=True)
    subprocess.run(
        [folder / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", database], input=dump.stdout, check=True
    )
    with leading(database, tmp_path) as (again, lease):
        assert again.records() == batch.records()
        assert lease.silent_since() is None
        again.append(A._replace(ordinal=1), started("2"))
    with pytest.raises(psycopg.errors.RaiseException, match="never changed"):
        do(database, "UPDATE events SET name = ''")
    with pytest.raises(psycopg.errors.RaiseException, match="never changed"):
        do(database, "TRUNCATE events CASCADE")


def test_the_clock_is_the_servers_whatever_this_machine_shows(journal_database: str, tmp_path: Path) -> None:
    class Late:
        def now(self) -> float:
            return time.time() - 3 * 3600

    late = Late()
    store = PostgresStore(journal_database, tmp_path, wall=late.now)
    assert abs(store.clock(late).now() - time.time()) < 1
    assert abs(store.health().offset - 3 * 3600) < 1


def test_the_clock_is_measured_at_each_renewal(journal_database: str, tmp_path: Path) -> None:
    do(journal_database, "UPDATE settings SET lease = 1.2")
    behind = [0.0]

    class Set:
        def now(self) -> float:
            return time.time() - behind[0]

    clock = Set()
    store = PostgresStore(journal_database, tmp_path, wall=clock.now)
    with store.hold("spring", stamp=0.0):
        shown = store.clock(clock)
        assert abs(shown.now() - time.time()) < 1
        behind[0] = 500.0  # somebody sets the clock of this machine
        until(lambda: abs(shown.now() - time.time()) < 1)
