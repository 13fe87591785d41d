"""Who leads a batch: one run at a time, by the server's clock, and never twice under one number."""

import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchgen.errors import BatchLockedError, FencedError, JournalAwayError, JournalError
from batchgen.journal.postgres.connection import PostgresConnection
from batchgen.journal.postgres.lease import take
from batchgen.journal.postgres.store import PostgresStore
from tests.support.cut_wire import CutWire, cut_wire
from tests.support.postgres import PostgresServer
from tests.support.postgres_runs import (
    A,
    B,
    database_with_lease,
    deposed,
    do,
    leading,
    let_pass,
    started,
    take_over,
    until,
)

pytestmark = pytest.mark.postgres
SHORT = 1.2  # seconds


@pytest.fixture
def short(postgres: PostgresServer) -> Iterator[str]:
    url = database_with_lease(postgres, SHORT)
    yield url
    postgres.thaw()
    postgres.start()
    postgres.drop_database(url)


@pytest.fixture
def wire(postgres: PostgresServer, journal_database: str) -> Iterator[CutWire]:
    del journal_database  # it starts the server
    with cut_wire(postgres.port) as made:
        yield made


def epoch_of(url: str) -> int:
    [(epoch,)] = do(url, "SELECT epoch FROM leases")
    return int(epoch)


def test_one_run_leads_a_batch_and_another_is_told_who_that_is(journal_database: str, tmp_path: Path) -> None:
    store = PostgresStore(journal_database, tmp_path)
    with store.hold("spring", stamp=0.0) as lease:
        assert 25 < lease.left() <= 30
        assert lease.silent_since() is None
        assert store.is_held("spring")
        assert not store.is_held("summer")
        [one] = store.health().leaders
        assert (one.batch, one.holder) == ("spring", f"process {os.getpid()} on {os.uname().nodename}")
        assert 25 < one.left <= 30
        with pytest.raises(
            BatchLockedError, match=rf"'spring' is being run by process {os.getpid()} on .* since"
        ):
            PostgresStore(journal_database, tmp_path).hold("spring", stamp=0.0).__enter__()
        with PostgresStore(journal_database, tmp_path).hold("summer", stamp=0.0):
            assert [one.left > 0 for one in store.health().leaders] == [True, True]
    assert lease.left() == -math.inf
    assert not any(one.left for one in store.health().leaders)
    with store.hold("spring", stamp=0.0) as next_one:
        assert next_one.epoch > lease.epoch
        assert next_one.silent_since() is None, "the one before it has ended"


def test_a_lease_is_renewed_for_as_long_as_its_run_lasts(short: str, tmp_path: Path) -> None:
    with leading(short, tmp_path) as (batch, lease):
        began = time.monotonic()
        while time.monotonic() < began + 2 * SHORT:
            assert lease.left() > 0
            let_pass(0.05)
        batch.append(A, started())
        with pytest.raises(BatchLockedError):
            PostgresStore(short, tmp_path).hold("spring", stamp=0.0).__enter__()


def test_a_lease_ends_here_no_later_than_by_the_servers_clock(short: str, tmp_path: Path) -> None:
    with leading(short, tmp_path) as (_, lease):
        for _ in range(20):
            ours = lease.left()
            [(theirs,)] = do(
                short, "SELECT extract(epoch FROM until - clock_timestamp())::float8 FROM leases"
            )
            # what was asked of the server took time, and a renewal may lie between
            assert ours <= theirs + 0.3 or lease.left() > ours
            let_pass(0.02)


def test_one_that_is_not_renewed_can_be_taken_when_its_time_is_over_and_not_before(
    short: str, postgres: PostgresServer, tmp_path: Path
) -> None:
    del postgres
    connection = PostgresConnection(short, place="x")
    lease = take(connection, "spring", seconds=SHORT)  # nobody renews it
    pretend_another_machine(short)
    store = PostgresStore(short, tmp_path)
    began, waited = time.monotonic(), 0.0
    while not waited:
        try:
            with store.hold("spring", stamp=0.0) as taken:
                waited = time.monotonic() - began
                assert lease.left() <= 0, "whoever had it knows first"
                assert taken.epoch > lease.epoch
                silent = taken.silent_since()
                assert silent is not None
                assert abs(silent - (time.time() - waited + SHORT)) < 1.0
        except BatchLockedError:
            let_pass(0.02)
    assert SHORT - 0.3 < waited < SHORT + 2
    connection.close()


def pretend_another_machine(url: str) -> None:
    [(holder,)] = do(url, "SELECT holder FROM leases")
    do(url, "UPDATE leases SET holder = %s", json.dumps(json.loads(holder) | {"machine": "another"}))


def test_whoever_is_taken_over_knows_at_the_next_renewal(short: str, tmp_path: Path) -> None:
    with leading(short, tmp_path) as (batch, lease):
        take_over(short, "spring")
        until(lambda: lease.left() == -math.inf)
        with pytest.raises(FencedError):
            batch.append(A, started())
    [(ended,)] = do(short, "SELECT ended FROM leases")
    assert not ended, "it is another's"


def test_a_number_is_never_given_twice_even_where_the_table_of_leases_is_set_back(
    journal_database: str, tmp_path: Path
) -> None:
    seen = []
    for change in (
        "DELETE FROM leases",
        "UPDATE leases SET epoch = 7",
        "UPDATE leases SET epoch = epoch + 1",
    ):
        for _ in range(3):
            with PostgresStore(journal_database, tmp_path).hold("spring", stamp=0.0) as lease:
                seen.append(lease.epoch)
        do(journal_database, change)
    assert seen == sorted(set(seen))


def test_a_lease_that_was_lost_with_the_table_cannot_be_renewed_or_written_under(
    short: str, tmp_path: Path
) -> None:
    with leading(short, tmp_path) as (batch, lease):
        batch.append(A, started())
        do(short, "DELETE FROM leases")
        with pytest.raises(FencedError):
            batch.append(B, started())
        until(lambda: lease.left() == -math.inf)


def test_a_lease_whose_answer_was_lost_is_the_one_that_was_taken(
    journal_database: str, wire: CutWire, tmp_path: Path
) -> None:
    store = PostgresStore(wire.through(journal_database), tmp_path)
    store.health()
    connection = PostgresConnection(wire.through(journal_database), place="x")
    connection.execute("SELECT 1")
    wire.silence(of_client=False)
    losing = threading.Thread(target=lose_answers, args=(wire, 2))
    losing.start()
    lease = take(connection, "spring", seconds=30.0)
    losing.join()
    assert lease.epoch == epoch_of(journal_database)
    assert lease.silent_since() is None
    assert lease.left() < 30
    connection.close()


def lose_answers(wire: CutWire, count: int) -> None:
    """Let the server do so many things of which nobody hears: the answer to each is cut off."""
    for _ in range(count):
        wire.wait_until_held()
        wire.cut()
    wire.heal()


def test_a_dead_holder_on_this_machine_is_followed_at_once_and_is_not_silent(
    journal_database: str, tmp_path: Path
) -> None:
    script = f"""
import os
from pathlib import Path
from batchgen.journal.postgres.store import PostgresStore
with PostgresStore({journal_database!r}, Path({str(tmp_path)!r})).hold("spring", stamp=0.0):
    print("held", flush=True)
    os.read(0, 1)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        store = PostgresStore(journal_database, tmp_path)
        with pytest.raises(BatchLockedError, match=f"process {other.pid} on"):
            store.hold("spring", stamp=0.0).__enter__()
        other.kill()
        other.wait()
        with store.hold("spring", stamp=0.0) as lease:
            assert lease.silent_since() is None


def test_a_holder_elsewhere_is_silent_until_it_says_that_it_has_ended(
    journal_database: str, tmp_path: Path
) -> None:
    with deposed(journal_database, tmp_path) as (_, lease):
        do(journal_database, "UPDATE leases SET until = clock_timestamp() - interval '1 s'")
        with PostgresStore(journal_database, tmp_path).hold("spring", stamp=0.0) as third:
            silent = third.silent_since()
            assert silent is not None, "neither the first nor the second has ended"
            assert abs(silent - time.time()) < 10
            [(ones,)] = do(journal_database, "SELECT silent_epochs FROM leases")
            assert lease.epoch in ones
            assert len(ones) == 2
            do(journal_database, "SELECT end_lease('spring', %s)", ones[1])
            assert do(journal_database, "SELECT silent_until IS NULL FROM leases") == [(False,)]
            do(journal_database, "SELECT end_lease('spring', %s)", lease.epoch)
            assert do(journal_database, "SELECT silent_until IS NULL FROM leases") == [(True,)]
            assert epoch_of(journal_database) == third.epoch
            assert do(journal_database, "SELECT ended FROM leases") == [(False,)]


def test_what_is_heard_of_a_holder_before_comes_with_the_next_renewal(short: str, tmp_path: Path) -> None:
    take_over_by_nobody(short)
    with leading(short, tmp_path) as (_, lease):
        assert lease.silent_since() is not None
        do(short, "SELECT end_lease('spring', 1)")
        until(lambda: lease.silent_since() is None)


def take_over_by_nobody(url: str) -> None:
    do(
        url,
        "INSERT INTO leases (batch, epoch, holder, since, until) "
        "VALUES ('spring', 1, 'another', now() - interval '9 s', now() - interval '1 s')",
    )


def test_an_ended_lease_is_free_at_once_and_ends_once(journal_database: str, tmp_path: Path) -> None:
    with leading(journal_database, tmp_path) as (batch, lease):
        lease.end()
        with PostgresStore(journal_database, tmp_path).hold("spring", stamp=0.0) as after:
            assert after.silent_since() is None
            with pytest.raises(FencedError):
                batch.append(A, started())


def test_a_process_that_stopped_within_a_transaction_does_not_hold_a_takeover_up_for_ever(
    journal_database: str, tmp_path: Path
) -> None:
    connection = PostgresConnection(journal_database, place="x")
    first = take(connection, "spring", seconds=0.3)
    connection.fence("spring", first.epoch)
    pretend_another_machine(journal_database)
    with pytest.raises(JournalError), connection.written():  # noqa: PT012  (it stands still within the block)
        let_pass(0.4)
        began = time.monotonic()
        while True:
            try:
                with PostgresStore(journal_database, tmp_path).hold("spring", stamp=0.0):
                    break
            except JournalAwayError:
                assert time.monotonic() - began < 10
        connection.execute("SELECT 1")
    connection.close()


def test_a_renewal_does_not_wait_for_an_append_under_way(journal_database: str) -> None:
    connection = PostgresConnection(journal_database, place="x")
    lease = take(connection, "spring", seconds=30.0)
    other = PostgresConnection(journal_database, place="x")
    other.fence("spring", lease.epoch)
    with other.written():
        began = time.monotonic()
        connection.execute("UPDATE leases SET until = until + interval '1 s' WHERE batch = 'spring'")
        assert time.monotonic() - began < 1.0
    connection.close()
    other.close()


def test_whoever_gave_up_waiting_for_a_lease_does_not_get_it_afterwards(journal_database: str) -> None:
    connection = PostgresConnection(journal_database, place="x")
    first = take(connection, "spring", seconds=0.2)
    let_pass(0.3)
    holder = PostgresConnection(journal_database, place="x")
    holder.fence("spring", first.epoch)
    impatient = PostgresConnection(journal_database, place="x", patience=1.0)
    with holder.written():
        with pytest.raises(JournalAwayError):
            take(impatient, "spring", seconds=30.0)
        let_pass(1.6)  # longer than the server lets it wait
    assert epoch_of(journal_database) == first.epoch
    for one in (connection, holder, impatient):
        one.close()


def test_two_who_take_one_lease_at_once_do_not_both_get_it(journal_database: str, tmp_path: Path) -> None:
    got: list[int] = []

    def try_it() -> None:
        connection = PostgresConnection(journal_database, place="x")
        for number in range(20):
            try:
                take(connection, f"batch {number}", seconds=30.0)
            except BatchLockedError:
                continue
            got.append(number)
        connection.close()

    threads = [threading.Thread(target=try_it) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(got) == list(range(20))
    assert sum(one.left > 0 for one in PostgresStore(journal_database, tmp_path).health().leaders) == 20
