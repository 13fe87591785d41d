"""A cap holds for all who spend under it at once, whatever they are: threads, batches, projects, hosts."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from batchgen.errors import OverBudgetError
from batchgen.journal.postgres.batch import PostgresBatch
from batchgen.journal.postgres.store import PostgresStore
from batchgen.lifecycle import AnswerLost, NotSent
from batchgen.model import JobKey, Scope
from batchgen.planning.budget import Allowance, Reservation, Window
from tests.support.postgres_runs import SCOPE, A, do, leading, started

pytestmark = pytest.mark.postgres
ROUNDS, PLACES = 60, 3
TODAY = 86_400.0

SPENDS: dict[str, Callable[[PostgresBatch, JobKey, Allowance], object]] = {
    "intents": lambda one, key, caps: one.append(key, started("1", at=TODAY), allowed=caps),
    "intents that keep for later": lambda one, key, caps: one.append(
        key, started("0.5", at=TODAY), allowed=caps, reserves={key._replace(ordinal=9): Decimal("0.5")}
    ),
    "reservations": lambda one, key, caps: one.reserve(
        {key: Reservation(Decimal(1), TODAY, key)}, allowed=caps
    ),
}
NAMES: dict[str, Callable[[int], Scope]] = {
    "two batches": lambda number: replace(SCOPE, batch=f"batch {number}"),
    "two projects": lambda number: replace(SCOPE, batch=f"batch {number}", project=f"project {number}"),
}


@pytest.mark.parametrize("scope_of", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("spend", SPENDS.values(), ids=SPENDS)
def test_whoever_spends_at_once_stays_under_the_cap_of_the_day(
    journal_database: str,
    tmp_path: Path,
    spend: Callable[[PostgresBatch, JobKey, Allowance], object],
    scope_of: Callable[[int], Scope],
) -> None:
    starting, refused, failed = threading.Barrier(3), [], []

    def run(number: int) -> None:
        store, scope = PostgresStore(journal_database, tmp_path), scope_of(number)
        try:
            with store.hold(scope.batch, stamp=0.0), store.opened() as journal:
                batch = journal.batch(scope)
                for nth in range(ROUNDS):
                    allowed = at_most((nth + 1) * PLACES)
                    starting.wait(30)
                    for try_ in range(PLACES):
                        try:
                            spend(batch, JobKey(f"v1:{nth} {try_}"), allowed)
                        except OverBudgetError:
                            refused.append(number)
        except BaseException as error:
            failed.append(error)
            starting.abort()
            raise

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failed
    [(spent,)] = do(journal_database, "SELECT sum(gross) FROM totals")
    assert spent == ROUNDS * PLACES * 10**9, "all of it, and no more"
    assert len(refused) == 2 * ROUNDS * PLACES


def at_most(cap: int) -> Allowance:
    return Allowance(windows=(Window(name="the budget of the day", cap=Decimal(cap), since=TODAY),))


def test_the_first_intents_of_two_projects_wait_for_each_other(journal_database: str, tmp_path: Path) -> None:
    """Neither has an account on record before, so that there is nothing yet that both could lock."""
    for nth in range(10):
        origin, starting, bought = f"http://127.0.0.1/{nth}", threading.Barrier(2), list[int]()

        def run(number: int, origin: str = origin, starting: threading.Barrier = starting) -> None:
            scope = Scope(origin=origin, project=f"p{number}", batch=f"{origin} {number}")
            store = PostgresStore(journal_database, tmp_path)
            with ExitStack() as stack:
                stack.enter_context(store.hold(scope.batch, stamp=0.0))
                batch = stack.enter_context(store.opened()).batch(scope)
                starting.wait(30)
                try:
                    batch.append(JobKey("v1:a"), started("1", at=TODAY), allowed=at_most(1))
                except OverBudgetError:
                    return
                bought.append(number)  # noqa: B023  (the threads end within the round)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert len(bought) == 1


@pytest.mark.parametrize("whose", [0, 1])
@pytest.mark.parametrize("spend", SPENDS.values(), ids=SPENDS)
def test_whoever_spends_waits_for_what_is_being_committed_in_any_project_of_the_origin(
    journal_database: str,
    tmp_path: Path,
    spend: Callable[[PostgresBatch, JobKey, Allowance], object],
    whose: int,
) -> None:
    scope = NAMES["two projects"]
    with (
        leading(journal_database, tmp_path, scope(0)) as (one, _),
        leading(journal_database, tmp_path, scope(1)) as (other, _),
    ):
        for batch in (one, other):
            batch.append(JobKey("v1:a"), started("1", at=TODAY))
        with psycopg.connect(journal_database) as under_way:
            project = f"project {whose}"
            under_way.execute("SELECT 1 FROM accounts WHERE project = %s FOR UPDATE", [project])
            under_way.execute("UPDATE totals SET gross = gross + 1000000000 WHERE scope = 1")
            ended = threading.Timer(0.7, under_way.commit)
            ended.start()
            with pytest.raises(OverBudgetError):
                spend(other, JobKey("v1:b"), at_most(3))
            ended.join()
        spend(other, JobKey("v1:b"), at_most(4))


def test_a_doubt_of_another_host_is_seen_by_whoever_asks_behind_an_intent(
    journal_database: str, tmp_path: Path
) -> None:
    """The answer that comes along with an intent is good once, and only where nothing is in doubt."""
    west, east = replace(SCOPE, batch="west"), replace(SCOPE, batch="east")
    with (
        leading(journal_database, tmp_path, west) as (mine, _),
        leading(journal_database, tmp_path, east) as (
            other,
            _,
        ),
    ):
        other.append(A, started())
        mine.append(A, started())
        assert mine.bodies_in_doubt(A) == frozenset(), "it may come yet"
        other.append(A, AnswerLost(at=2.0, reason="no answer in time"))
        assert mine.bodies_in_doubt(A) == {started().body}, "who asks again asks the server"
        mine.append(A, NotSent(at=3.0, reason="an equal job is in doubt"))
        mine.append(A, started())
        assert mine.bodies_in_doubt(A) == {started().body}, "it is there with the intent already"
