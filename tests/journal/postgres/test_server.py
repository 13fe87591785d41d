"""The server of these tests: it ends and comes back as a real one does, and leaves nothing."""

import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest

from tests.support.cut_wire import cut_wire
from tests.support.postgres import PostgresServer, postgres_server

pytestmark = pytest.mark.postgres


def asked(url: str, question: str) -> object:
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        [[answer]] = connection.execute(question.encode()).fetchall()
    return answer


def write(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (x int)")
        connection.execute("INSERT INTO kept VALUES (1)")


def test_what_is_committed_is_durable_and_the_server_may_be_written_to(database: str) -> None:
    wanted = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "transaction_read_only": "off",
    }
    assert {name: asked(database, f"SHOW {name}") for name in wanted} == wanted
    assert asked(database, "SELECT pg_is_in_recovery()") is False


def test_each_test_has_an_empty_database_that_is_gone_after_it(postgres: PostgresServer) -> None:
    postgres.start()
    first, second = postgres.create_database(), postgres.create_database()
    write(first)
    assert asked(second, "SELECT to_regclass('kept')") is None
    with psycopg.connect(first):
        postgres.drop_database(first)  # though somebody is connected to it
    postgres.drop_database(second)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(first)


def test_a_database_is_a_copy_of_its_template(postgres: PostgresServer) -> None:
    postgres.start()
    pattern = postgres.create_database("pattern")
    write(pattern)
    copy = postgres.create_database(template="pattern")
    assert asked(copy, "SELECT count(*) FROM kept") == 1
    for one in (pattern, copy):
        postgres.drop_database(one)


@pytest.mark.parametrize("mode", ["fast", "immediate", "kill"])
def test_what_was_committed_is_there_after_every_kind_of_end(
    postgres: PostgresServer, database: str, mode: str
) -> None:
    write(database)
    before = postgres.url
    with psycopg.connect(database) as connection:
        if mode == "kill":
            postgres.kill()
        else:
            postgres.stop("fast" if mode == "fast" else "immediate")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(database)
    postgres.start()
    assert postgres.url == before
    assert asked(database, "SELECT count(*) FROM kept") == 1


def test_a_commit_that_does_not_wait_for_the_disk_may_be_lost_with_the_server(
    postgres: PostgresServer, database: str
) -> None:
    write(database)
    lost = 0
    for _ in range(20):
        before = asked(database, "SELECT count(*) FROM kept")
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            connection.execute("INSERT INTO kept VALUES (2)")
            postgres.kill()
        postgres.start()
        lost += asked(database, "SELECT count(*) FROM kept") == before
        if lost:
            break
    assert lost


def test_a_server_that_is_frozen_takes_connections_and_answers_when_it_thaws(
    postgres: PostgresServer, database: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        postgres.freeze()
        with pytest.raises(psycopg.errors.ConnectionTimeout):
            psycopg.connect(database, connect_timeout=2)
        postgres.thaw()
        assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_a_commit_whose_answer_the_wire_keeps_is_done(postgres: PostgresServer, database: str) -> None:
    with cut_wire(postgres.port) as wire:

        def lose_the_answer() -> None:
            wire.wait_until_held()
            wire.cut()

        with psycopg.connect(wire.through(database), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (x int)")
            wire.silence(of_client=False)
            losing = threading.Thread(target=lose_the_answer)
            losing.start()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("INSERT INTO kept VALUES (1)")
            losing.join()
        with pytest.raises(psycopg.errors.ConnectionTimeout):
            psycopg.connect(wire.through(database), connect_timeout=2)
        wire.heal()
        assert asked(wire.through(database), "SELECT count(*) FROM kept") == 1


@pytest.mark.usefixtures("postgres")  # it says where there is none
def test_a_server_may_be_made_otherwise_and_leaves_nothing() -> None:
    with postgres_server({"fsync": "off", "synchronous_commit": "off"}) as server:
        assert asked(server.url, "SHOW fsync") == "off"
        assert asked(server.create_database(), "SHOW synchronous_commit") == "off"
        folder = server.folder
    assert not folder.exists()
    assert not server.is_running


@pytest.mark.usefixtures("postgres")  # it says where there is none
def test_nothing_of_it_is_left_when_the_test_process_is_killed() -> None:
    script = """
import sys
import threading
from tests.support.postgres import postgres_server
with postgres_server() as server:
    print(server.folder, server.url, flush=True)
    sys.stdin.read()
"""
    words = [sys.executable, "-c", script]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        folder, url = tests.stdout.readline().split()
        assert asked(url, "SELECT 1") == 1
        tests.kill()
        tests.stdout.read()  # what cleans up has it open, too, until it has done so
    assert not Path(folder).exists()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(url)
