"""Nothing of a run whose lease is another's is written; all that it says of its POSTs is kept."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from batchgen.account import Known
from batchgen.errors import FencedError, JournalError
from batchgen.journal.postgres.batch import PostgresBatch
from batchgen.journal.postgres.connection import PostgresConnection
from batchgen.journal.postgres.journal import PostgresJournal
from batchgen.journal.postgres.lease import take
from batchgen.journal.postgres.store import PostgresStore
from batchgen.lifecycle import AnswerLost, ChargeShown, Deferred, Failed, NotSent
from batchgen.model import JobKey
from batchgen.planning.budget import Reservation
from tests.support.postgres_runs import (
    SCOPE,
    A,
    B,
    accepted,
    cap,
    deposed,
    do,
    leading,
    let_pass,
    started,
    take_over,
)

pytestmark = pytest.mark.postgres

TABLES = (
    *("scopes", "events", "records", "submissions", "marks", "looks", "totals", "reservations", "senders"),
    *("accepted", "manifests", "choices", "aliases"),
)
C, STEP = JobKey("v1:c"), JobKey("v1:step")
MORE = {STEP: Decimal(1)}
KEPT = {C: Reservation(Decimal(1), 1.0, A)}

WRITES: dict[str, Callable[[PostgresBatch], object]] = {
    "an intent": lambda one: one.append(C, started()),
    "an intent under caps": lambda one: one.append(C, started("1"), allowed=cap("9"), reserves=MORE),
    "a receipt": lambda one: one.append(A, accepted("job_1")),
    "what need not be durable": lambda one: one.append(A, Deferred(at=2.0, reason="full")),
    "notes": lambda one: one.append_to_all({B: [ChargeShown(at=9.0, remote_id="job_0", charged=Decimal(1))]}),
    "reservations": lambda one: one.reserve(KEPT),
    "reservations under caps": lambda one: one.reserve(KEPT, allowed=cap("9")),
    "a release": lambda one: one.release([STEP]),
    "a look that begins": lambda one: one.look_began(5.0),
    "a look that ends": lambda one: one.look_ended(),
    "a disowned submission": lambda one: one.disown(["job_9"]),
    "distrust": lambda one: one.distrust_absence(),
    "who a key is": lambda one: one.learn("k", Known(receipts=frozenset({"apiu_them"}))),
    "that testimony was heard": lambda one: one.heard([1]),
}


def content(url: str) -> dict[str, list[tuple[object, ...]]]:
    return {one: do(url, f"SELECT * FROM {one} ORDER BY 1, 2") for one in TABLES}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_run_that_was_taken_over_writes_nothing(
    journal_database: str, tmp_path: Path, write: Callable[[PostgresBatch], object]
) -> None:
    with leading(journal_database, tmp_path) as (batch, _):
        batch.append(B, started(), accepted("job_0"), Failed(at=3.0, error="no"), reserves={STEP: Decimal(2)})
        batch.append(A, started())
        batch.look_began(1.0)
        batch.testify(A, accepted("job_7"))
        take_over(journal_database, "spring")
        before, records = content(journal_database), dict(batch.records())
        kept = dict(batch.reservations())
        for _ in range(2):
            with pytest.raises(FencedError):
                write(batch)
        assert content(journal_database) == before
        assert dict(batch.records()) == records
        assert dict(batch.reservations()) == kept
        assert len(batch.testimony()) == 1


FIRST: dict[str, Callable[[PostgresJournal], object]] = {
    "a scope": lambda one: one.begin(SCOPE),
    "what takes reservations away": lambda one: one.drop_reservations("spring"),
    "the first append of all": lambda one: one.batch(SCOPE).append(A, started()),
}


@pytest.mark.parametrize("write", FIRST.values(), ids=FIRST)
def test_so_does_one_that_has_written_nothing_yet(
    journal_database: str, tmp_path: Path, write: Callable[[PostgresJournal], object]
) -> None:
    store = PostgresStore(journal_database, tmp_path)
    with store.hold("spring", stamp=0.0), store.opened() as journal:
        take_over(journal_database, "spring")
        with pytest.raises(FencedError):
            write(journal)
        assert journal.scopes() == []


def test_a_batch_that_is_not_led_can_be_read_and_not_written(journal_database: str, tmp_path: Path) -> None:
    with leading(journal_database, tmp_path) as (batch, _):
        batch.append(A, started())
    with PostgresStore(journal_database, tmp_path).read() as journal:
        assert set(journal.batch(SCOPE).records()) == {A}
        batch = journal.batch(SCOPE)
        with pytest.raises(JournalError, match="is not held by this process"):
            batch.append(B, started())


def test_a_lease_whose_time_is_over_is_good_as_long_as_nobody_took_it(
    journal_database: str, tmp_path: Path
) -> None:
    with leading(journal_database, tmp_path) as (batch, _):
        do(journal_database, "UPDATE leases SET until = now() - interval '1 h'")
        batch.append(A, started(), accepted("job_1"))
        batch.look_began(1.0)
        assert set(batch.records()) == {A}


def test_two_batches_of_one_process_have_their_own_leases(journal_database: str, tmp_path: Path) -> None:
    store = PostgresStore(journal_database, tmp_path)
    summer = replace(SCOPE, batch="summer")
    with store.hold("spring", stamp=0.0), store.hold("summer", stamp=0.0):
        first, second = store.opened(), store.opened()
        one, other = first.batch(SCOPE), second.batch(summer)
        take_over(journal_database, "summer")
        one.append(A, started())
        one.look_began(1.0)
        with pytest.raises(FencedError):
            other.append(A, started())
        first.close()
        second.close()


def test_what_was_written_before_a_takeover_is_there_when_the_next_one_reads(journal_database: str) -> None:
    connection = PostgresConnection(journal_database, place="x")
    first = take(connection, "spring", seconds=0.2)
    let_pass(0.3)
    connection.fence("spring", first.epoch)
    other = PostgresConnection(journal_database, place="x", patience=1.0, declares=False)
    with connection.written():
        with pytest.raises(JournalError):
            take(other, "spring", seconds=30.0)  # it waits for what is under way
        connection.execute("INSERT INTO choices (name, one, other, at) VALUES ('a', 'b', 'c', 1)")
    second = take(other, "spring", seconds=30.0)
    assert other.execute("SELECT count(*) FROM choices").fetchone() == (1,)
    assert second.epoch > first.epoch
    connection.close()
    other.close()


def test_a_run_that_was_taken_over_testifies_and_its_follower_hears_it_once(
    journal_database: str, tmp_path: Path
) -> None:
    never = NotSent(at=1.0, reason="the lease was over")
    with deposed(journal_database, tmp_path) as (batch, _):
        batch.testify(A, accepted("job_1"))
        batch.testify(A, accepted("job_1"))
        batch.testify(B, never)
        batch.testify(B)
    with PostgresStore(journal_database, tmp_path).read() as journal:
        batch = journal.batch(SCOPE)
        first, second = batch.testimony()
        assert (first.key, first.event, second.key, second.event) == (A, accepted("job_1"), B, never)
        assert journal.batch(replace(SCOPE, slot="monday")).testimony() == []
    do(journal_database, "UPDATE leases SET ended = true")
    with leading(journal_database, tmp_path) as (batch, _):
        batch.append(A, started(), AnswerLost(at=2.0, reason="taken over"))
        batch.heard([first.number])
        assert [one.number for one in batch.testimony()] == [second.number]
        batch.heard([first.number, second.number])
        batch.heard([])
        assert batch.testimony() == []
        batch.testify(A, accepted("job_1"))
        assert batch.testimony() == [], "what was heard is not said anew"


def test_text_that_no_database_holds_is_refused_and_may_still_be_said(
    journal_database: str, tmp_path: Path
) -> None:
    with leading(journal_database, tmp_path) as (batch, _):
        batch.append(A, started())
        odd = replace(accepted("x"), remote_id="job_\0")
        with pytest.raises(JournalError, match="NUL"):
            batch.append(A, odd)
        batch.testify(A, odd)
        assert [one.event for one in batch.testimony()] == [odd]
        batch.append(A, accepted("job_1"))
