"""Runs that share a database, as tests of the lease and its fence have them: each with a store of its own."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from batchgen.journal.postgres.batch import PostgresBatch
from batchgen.journal.postgres.checks import make_tables
from batchgen.journal.postgres.connection import PostgresConnection
from batchgen.journal.postgres.lease import Lease
from batchgen.journal.postgres.store import PostgresStore
from batchgen.lifecycle import Accepted, SubmitStarted
from batchgen.model import JobKey, Scope
from batchgen.planning.budget import Allowance, Window
from tests.support.lives import JOB
from tests.support.postgres import PostgresServer

SCOPE = Scope(origin="http://127.0.0.1/v1", project="", batch="spring")
A, B = JobKey("v1:a"), JobKey("v1:b", 1)


def started(cost: str = "0", *, at: float = 1.0) -> SubmitStarted:
    return SubmitStarted(at=at, job=JOB, attempt=1, body="{}", reserved=Decimal(cost))


def accepted(remote_id: str) -> Accepted:
    return Accepted(at=2.0, remote_id=remote_id, author="apiu_us", owner="proj_us")


def cap(amount: str, since: float | None = None) -> Allowance:
    return Allowance(windows=(Window(name="the budget", cap=Decimal(amount), since=since),))


@contextmanager
def leading(url: str, folder: Path, scope: Scope = SCOPE) -> Iterator[tuple[PostgresBatch, Lease]]:
    """Lead a batch as a run does, with its journal open."""
    store = PostgresStore(url, folder)
    with store.hold(scope.batch, stamp=0.0) as lease, store.opened() as journal:
        yield journal.batch(scope), lease


@contextmanager
def deposed(url: str, folder: Path, scope: Scope = SCOPE) -> Iterator[tuple[PostgresBatch, Lease]]:
    """Lead a batch, which is another's from the moment on that the block begins."""
    with leading(url, folder, scope) as (batch, lease):
        take_over(url, scope.batch)
        yield batch, lease


def take_over(url: str, batch: str) -> None:
    """Let another one take a lease over, as if its time were over."""
    do(url, "UPDATE leases SET until = clock_timestamp() - interval '1 s' WHERE batch = %s", batch)
    [(epoch,)] = do(url, "SELECT epoch FROM take_lease(%s, 'another', 30, NULL)", batch)
    assert epoch is not None


def do(url: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        done = connection.execute(statement.encode(), values)
        return done.fetchall() if done.description else []


def database_with_lease(server: PostgresServer, seconds: float) -> str:
    """Make a database whose leases last so long."""
    server.start()
    url = server.create_database()
    connection = PostgresConnection(url, place="a test's")
    make_tables(connection, "a test's", lease=seconds)
    connection.close()
    return url


def until(what: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: It was not so in time.
    """
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)


def let_pass(seconds: float) -> None:
    """Let time pass on the server's clock, which nobody sets."""
    time.sleep(seconds)
