"""A database that is away: for a moment nothing is lost and nothing done twice, for longer the run ends."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from batchgen.errors import FencedError, InputError, JournalAwayError, JournalError
from batchgen.journal.postgres.batch import PostgresBatch
from batchgen.journal.postgres.connection import PostgresConnection
from batchgen.journal.postgres.store import PostgresStore
from batchgen.journal.postgres.wire import connect
from batchgen.journal.runs import RunKept
from batchgen.lifecycle import Deferred
from batchgen.model import JobKey
from batchgen.planning.budget import Reservation
from tests.support.cut_wire import CutWire, cut_wire
from tests.support.postgres import PostgresServer, programs_folder
from tests.support.postgres_runs import SCOPE, A, B, accepted, do, leading, started, until

pytestmark = pytest.mark.postgres


@pytest.fixture
def wire(postgres: PostgresServer, journal_database: str) -> Iterator[CutWire]:
    del journal_database  # it starts the server
    with cut_wire(postgres.port) as made:
        yield made


@contextmanager
def within(least: float, most: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert least <= took <= most


def test_the_library_ends_a_wait_with_the_error_that_is_expected(journal_database: str) -> None:
    wire = connect(journal_database, patience=0.2)
    with within(0.1, 1.5), pytest.raises(Exception, match="no answer within"):
        wire.execute("SELECT pg_sleep(5)")
    assert wire.closed


@pytest.mark.parametrize("how", ["fast", "immediate", "kill"])
def test_an_append_outlives_a_restart_of_the_server(
    postgres: PostgresServer, journal_database: str, tmp_path: Path, how: str
) -> None:
    with leading(journal_database, tmp_path) as (batch, lease):
        batch.append(A, started())
        end(postgres, how)
        back = threading.Timer(1.0, postgres.start)
        back.start()
        with within(0.8, 7):
            batch.append(A, accepted("job_1"))
        back.join()
        assert lease.left() > 0
        batch.append(B, started())
        assert len(list(batch.history())) == 3


def end(server: PostgresServer, how: str) -> None:
    if how == "kill":
        server.kill()
    else:
        server.stop("fast" if how == "fast" else "immediate")


def test_what_must_be_durable_is_there_when_the_server_was_killed(
    postgres: PostgresServer, journal_database: str, tmp_path: Path
) -> None:
    with leading(journal_database, tmp_path) as (batch, _):
        for number in range(5):
            batch.disown([f"job_x{number}"])
            batch.look_began(float(number))
            # last, for what is durable takes with it all that was written before
            batch.append(JobKey(f"v1:{number}"), started(), accepted(f"job_{number}"))
            postgres.kill()
            postgres.start()
        with PostgresStore(journal_database, tmp_path).read() as journal:
            again = journal.batch(SCOPE)
            assert again.records() == batch.records()
            assert len(again.holders([f"job_x{number}" for number in range(5)])) == 5
            assert again.looking_since == 4.0


def test_a_run_whose_last_word_was_lost_with_the_server_ends(
    postgres: PostgresServer, journal_database: str, tmp_path: Path
) -> None:
    for number in range(20):
        origin = SCOPE.__class__(origin=f"http://127.0.0.1/{number}", project="", batch=f"{number}", slot="")
        with leading(journal_database, tmp_path, origin) as (batch, _):
            batch.append(A, started())
            batch.append(A, Deferred(at=2.0, reason="full"))  # it need not be on the disk
            postgres.kill()
            postgres.start()
            lost = do(journal_database, "SELECT max(version) FROM records") == [(1,)]
            if not lost:
                batch.append(B, started())
                do(journal_database, "UPDATE records SET version = 1")  # for the next round
                continue
            with within(0, 10.5), pytest.raises(JournalAwayError, match="is not there any more"):
                batch.append(B, started())
            return
    pytest.fail("nothing was ever lost")


def test_a_database_that_was_set_back_ends_the_run(
    journal_database: str, database: str, tmp_path: Path
) -> None:
    folder = programs_folder()
    assert folder is not None
    with leading(journal_database, tmp_path) as (batch, lease):
        batch.append(A, started())
        dump = subprocess.run([folder / "pg_dump", "-d", journal_database], check=True, capture_output=True)
        batch.append(A, accepted("job_1"))
        subprocess.run([folder / "psql", "-q", "-d", database], input=dump.stdout, check=True)
        exchange(journal_database, database)
        with within(0, 10.5), pytest.raises(JournalAwayError, match="was set back"):
            batch.append(B, started())
        assert lease.left() > 0, "it is this run's still, by its number"
    assert do(journal_database, "SELECT count(*) FROM records") == [(1,)]


def exchange(one: str, other: str) -> None:
    first, second = (urlsplit(url).path.removeprefix("/") for url in (one, other))
    server = one.removesuffix(first) + "postgres"
    do(
        server,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN (%s, %s)",
        first,
        second,
    )
    for old, new in ((first, "aside"), (second, first), ("aside", second)):
        for _ in range(100):
            with suppress(psycopg.errors.ObjectInUse):  # the lease has come back meanwhile
                do(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", old)
                do(server, f'ALTER DATABASE "{old}" RENAME TO "{new}"')
                break


WRITES: dict[str, Callable[[PostgresBatch], object]] = {
    "an intent": lambda one: one.append(B, started()),
    "the first append": lambda one: one.append(B, started(), accepted("job_1")),
    "reservations": lambda one: one.reserve({B: Reservation(Decimal(1), 1.0, A)}),
    "a look": lambda one: one.look_began(1.0),
    "who is asked": lambda one: one.holders(["a"]),
    "what was said": lambda one: one.testimony(),
}


@pytest.mark.parametrize("away", ["stopped", "frozen", "silent"])
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_server_that_stays_away_is_waited_for_once_and_hardly_after_that(
    postgres: PostgresServer,
    journal_database: str,
    wire: CutWire,
    tmp_path: Path,
    away: str,
    write: Callable[[PostgresBatch], object],
) -> None:
    url = wire.through(journal_database)
    with leading(url, tmp_path) as (batch, _):
        if write is not WRITES["the first append"]:
            batch.append(A, started())
        batch._database.wait_at_most(2_500)
        {"stopped": postgres.stop, "frozen": postgres.freeze, "silent": wire.silence}[away]()
        with within(1.0, 2.5 + 0.7), pytest.raises(JournalAwayError, match="does not answer"):
            write(batch)
        with within(0, 2.7), pytest.raises(JournalAwayError):
            write(batch)
        with within(0, 2.7):
            batch.testify(A, accepted("job_1"))
        assert b"job_1" in (tmp_path / "journal.spool").read_bytes()
        postgres.thaw()
        postgres.start()
        wire.heal()
    with leading(journal_database, tmp_path) as (batch, _):  # under another address
        assert [one.event for one in batch.testimony()] == [accepted("job_1")]


def test_a_run_waits_for_eight_seconds(
    postgres: PostgresServer, journal_database: str, tmp_path: Path
) -> None:
    with leading(journal_database, tmp_path) as (batch, _):
        postgres.stop()
        with within(7.5, 8.7), pytest.raises(JournalAwayError):
            batch.append(A, started())
        postgres.start()

        def goes_on() -> bool:  # for a moment everybody is told at once what the one has found out
            with suppress(JournalAwayError):
                batch.append(A, started())
            return A in batch.records()

        until(goes_on)


def test_an_answer_that_the_network_swallows_is_asked_for_again(
    journal_database: str, wire: CutWire, tmp_path: Path
) -> None:
    with leading(wire.through(journal_database), tmp_path) as (batch, _):
        batch.append(A, started())
        wire.silence()
        back = threading.Timer(2.5, wire.heal)
        back.start()
        with within(1.9, 8.7):
            batch.append(A, accepted("job_1"))
        back.join()
        assert len(list(batch.history())) == 2


def test_a_run_that_beats_and_looks_for_orders_does_not_end_by_an_outage(
    postgres: PostgresServer, journal_database: str, tmp_path: Path
) -> None:
    run = RunKept(token="a", scope=SCOPE, pid=7, host="here", began_at=1000.0, seen_at=1000.0)
    with PostgresStore(journal_database, tmp_path).runs() as records:
        records.begin(run)
        postgres.stop()
        with within(0, 1.5):
            assert not records.beat(run, at=1001.0)
        postgres.start()
        assert records.beat(run, at=1002.0)


def test_a_block_that_is_cut_off_leaves_no_transaction_behind(journal_database: str, wire: CutWire) -> None:
    connection = PostgresConnection(wire.through(journal_database), place="x")
    with pytest.raises(JournalAwayError), connection.written():  # noqa: PT012  (what happens in the block)
        connection.execute("INSERT INTO choices (name, one, other, at) VALUES ('a', 'b', 'c', 1)")
        wire.cut()
        connection.execute("SELECT 1")
    with pytest.raises(ZeroDivisionError), connection.written():  # noqa: PT012  (as above)
        connection.execute("INSERT INTO choices (name, one, other, at) VALUES ('a', 'b', 'c', 1)")
        raise ZeroDivisionError
    assert connection.execute("SELECT count(*) FROM choices").fetchone() == (0,)
    connection.close()


def test_a_block_in_which_a_statement_failed_is_not_called_written(journal_database: str) -> None:
    connection = PostgresConnection(journal_database, place="x")
    with pytest.raises(JournalError, match="nothing was"), connection.written():  # noqa: PT012  (as above)
        connection.execute("INSERT INTO choices (name, one, other, at) VALUES ('a', 'b', 'c', 1)")
        with suppress(JournalError):
            connection.execute("SELECT 1 / 0")
    assert connection.execute("SELECT count(*) FROM choices").fetchone() == (0,)
    connection.close()


def test_a_row_that_somebody_holds_for_a_moment_is_waited_for(journal_database: str, tmp_path: Path) -> None:
    with leading(journal_database, tmp_path) as (batch, _):
        batch.append(A, started())
        holder = psycopg.connect(journal_database)
        holder.execute("SELECT 1 FROM accounts FOR UPDATE")
        free = threading.Timer(2.5, holder.rollback)
        free.start()
        with within(2.0, 8.7):
            batch.append(B, started())
        free.join()
        holder.close()
        assert set(batch.records()) == {A, B}


def test_whoever_was_taken_over_while_the_server_was_away_is_told_so(
    journal_database: str, wire: CutWire, tmp_path: Path
) -> None:
    with leading(wire.through(journal_database), tmp_path) as (batch, _):
        batch.append(A, started())
        wire.cut()
        do(journal_database, "UPDATE leases SET epoch = epoch + 1, holder = 'another'")
        with pytest.raises(FencedError):
            batch.append(A, accepted("job_1"))


def test_a_server_that_cannot_be_written_for_a_moment_is_waited_for(
    journal_database: str, tmp_path: Path
) -> None:
    """As a failover does it that leads to a standby first; at the first connection it is a wrong address."""
    name = urlsplit(journal_database).path.removeprefix("/")
    with leading(journal_database, tmp_path) as (batch, _):
        batch.append(A, started())
        do(journal_database, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        do(
            journal_database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
        )
        with pytest.raises(InputError, match="takes no writes"):
            PostgresStore(journal_database, tmp_path).opened()

        def be_written_again() -> None:
            server = journal_database.removesuffix(name) + "postgres"
            do(server, f'ALTER DATABASE "{name}" RESET default_transaction_read_only')

        back = threading.Timer(1.5, be_written_again)
        back.start()
        batch.append(A, accepted("job_1"))
        back.join()
        assert len(list(batch.history())) == 2
