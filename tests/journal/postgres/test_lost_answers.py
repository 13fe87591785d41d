"""What is written once is there once, whether or not the answer to it arrives."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from batchgen.account import Known
from batchgen.errors import JournalError, OverBudgetError, RemoteIdTakenError
from batchgen.journal.postgres.batch import PostgresBatch
from batchgen.journal.postgres.store import PostgresStore
from batchgen.lifecycle import AssetsGone, ChargeShown, Collected, Deferred, Failed, RedoAsked, Succeeded
from batchgen.model import JobKey, Scope
from batchgen.planning.budget import Reservation
from tests.support.cut_wire import cut_wire
from tests.support.postgres import PostgresServer
from tests.support.postgres_runs import A, B, accepted, cap, do, leading, started

pytestmark = pytest.mark.postgres
C, STEP = JobKey("v1:c"), JobKey("v1:step")
DONE = (Succeeded(at=3.0, asset_ids=("asset_1",)), Collected(at=4.0))

WRITES: dict[str, Callable[[PostgresBatch], object]] = {
    "an intent": lambda one: one.append(C, started("2")),
    "an intent under a cap that it fills": lambda one: one.append(C, started("2"), allowed=cap("6")),
    "an intent that keeps for later steps": lambda one: one.append(
        C, started("1"), allowed=cap("6"), reserves={STEP: Decimal(9), JobKey("v1:last"): Decimal(1)}
    ),
    "the intent of what was kept for": lambda one: one.append(STEP, started("1"), allowed=cap("4")),
    "a receipt": lambda one: one.append(A, accepted("job_1")),
    "two receipts of one job": lambda one: one.append(A, accepted("job_1"), Failed(at=3.0)),
    "what need not be durable": lambda one: one.append(A, Deferred(at=2.0, reason="full")),
    "an end": lambda one: one.append(A, accepted("job_1"), *DONE),
    "notes of several": lambda one: one.append_to_all(
        {B: [ChargeShown(at=9.0, remote_id="job_0", charged=Decimal(7))]}
    ),
    "reservations": lambda one: one.reserve({C: Reservation(Decimal(2), 1.0, A)}, allowed=cap("6")),
    "a release": lambda one: one.release([STEP]),
    "a look": lambda one: one.look_began(5.0),
    "the end of a look": lambda one: one.look_ended(),
    "a disowned submission": lambda one: one.disown(["job_9", "job_8"]),
    "distrust": lambda one: one.distrust_absence(),
    "who a key is": lambda one: one.learn("k", Known(receipts=frozenset({"apiu_them"}))),
    "testimony": lambda one: one.testify(A, accepted("job_7")),
}


def prepare(batch: PostgresBatch) -> None:
    batch.append(B, started(), accepted("job_0"), Failed(at=3.0, error="no"))
    batch.append(A, started("1"), reserves={STEP: Decimal(3)})
    batch.look_began(1.0)


def state_of(batch: PostgresBatch, url: str) -> dict[str, object]:
    sums = "SELECT quarter, gross, assumed, confirmed FROM totals WHERE scope = %s ORDER BY 1"
    versions = "SELECT content, ordinal, version FROM records WHERE scope = %s ORDER BY 1, 2"
    holders = batch.holders(["job_0", "job_1", "job_7", "job_8", "job_9"])
    return {
        "records": dict(batch.records()),
        "history": list(batch.history()),
        "reservations": dict(batch.reservations()),
        "spent": [*batch.spent(cap("1")), *batch.spent(cap("1", since=0.0))],
        "holders": {name: one.key for name, one in holders.items()},
        "known": (batch.known(), batch.known("k"), batch.authors),
        "looks": (batch.looking_since, batch.trusts_absence),
        "testimony": [(one.key, one.event) for one in batch.testimony()],
        "totals": do(url, sums, batch._scope_id),
        "versions": do(url, versions, batch._scope_id),
        "owner": do(url, "SELECT owner FROM scopes WHERE id = %s", batch._scope_id),
    }


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_what_is_written_is_the_same_whichever_answer_is_lost(
    postgres: PostgresServer, journal_database: str, tmp_path: Path, write: Callable[[PostgresBatch], object]
) -> None:
    plain = None
    with cut_wire(postgres.port) as wire:
        store = PostgresStore(wire.through(journal_database), tmp_path)
        for lost in (None, 0, 1, 2, 3, 4, 5, 6):
            scope = Scope(origin=f"http://127.0.0.1/{lost}", project="", batch=f"spring-{lost}")
            with store.hold(scope.batch, stamp=0.0), store.opened() as journal:
                batch = journal.batch(scope)
                prepare(batch)
                if lost is not None:
                    wire.lose_answer(after=lost)
                write(batch)
                found = state_of(batch, journal_database)
                plain = plain or found
                assert (lost, found) == (lost, plain)
                with store.read() as again:
                    assert (lost, state_of(again.batch(scope), journal_database)) == (lost, plain)


def test_an_append_whose_answer_was_lost_is_refused_for_the_same_reasons(
    postgres: PostgresServer, journal_database: str, tmp_path: Path
) -> None:
    with cut_wire(postgres.port) as wire, leading(wire.through(journal_database), tmp_path) as (batch, _):
        batch.append(A, started("2"), accepted("job_1"))
        batch.append(B, started("2"))
        for lost in range(3):
            wire.lose_answer(after=lost)
            with pytest.raises(RemoteIdTakenError):
                batch.append(B, accepted("job_1"))
            wire.lose_answer(after=lost)
            with pytest.raises(OverBudgetError):
                batch.append(C, started("2"), allowed=cap("5"))
        assert set(batch.records()) == {A, B}
        assert list(batch.spent(cap("1"))) == [4]


def test_another_record_of_the_same_version_is_not_taken_for_an_append_whose_answer_was_lost(
    journal_database: str, tmp_path: Path
) -> None:
    with leading(journal_database, tmp_path) as (batch, _):
        batch.append(A, started(), accepted("job_0"), *DONE)
        do(journal_database, "UPDATE records SET version = version + 1")
        with pytest.raises(JournalError, match="another process has written"):
            batch.append(A, RedoAsked(at=5.0, ordinal=1))
        with pytest.raises(JournalError, match="another process has written"):
            batch.append_to_all({A: [AssetsGone(at=1.0, asset_ids=("asset_1",))]})
