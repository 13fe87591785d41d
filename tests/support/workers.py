"""Workers in this process on a real database, whose runs are told by a test how they end."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psycopg

from batchgen.doorbell import Doorbell
from batchgen.engine.interrupts import Interrupts
from batchgen.errors import JournalAwayError
from batchgen.journal.enqueued import Enqueued, EnqueuedRecords, Wait, Wish, WorkerKept
from batchgen.journal.postgres.store import PostgresStore
from batchgen.usecases.run_end import RunOutcome
from batchgen.usecases.worker import Leads, Worker
from batchgen.wiring.clock import SystemClock

LEASE = 2.0  # seconds
PATIENCE = 30.0  # seconds for what has to come about
WISH = Wish(
    batch="spring", queue="q", manifest="/m/spring.yaml", text=b"batch: spring", settings="{}", asked_by="us"
)


@dataclass
class Yard:
    """A database with its queue, and what was led by whoever works on it.

    Attributes:
        led: how often each batch was.
        at_once: the most that led one batch at the same time.
        status: with which exit status a run ends.
        gate: for which every run waits.
        said: what the workers said.
    """

    url: str
    folder: Path
    led: Counter[str] = field(default_factory=Counter)
    at_once: int = 0
    status: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    said: list[str] = field(default_factory=list)

    async def prepare(self) -> None:
        """Make the tables."""
        await asyncio.to_thread(self.store().prepare, lease=LEASE)
        await self.bell.prepare()

    def store(self) -> PostgresStore:
        """Return the journal, as another host would open it."""
        return PostgresStore(self.url, self.folder)

    @property
    def records(self) -> EnqueuedRecords:
        """What is wanted."""
        return self.store().enqueued()

    @property
    def bell(self) -> Doorbell:
        """The bell, of workers that are soon taken for dead."""
        return Doorbell(self.url, beat=0.3, silent_after=1.2)

    async def ask(self, **changed: Any) -> None:
        """Enqueue a batch."""
        wish = replace(WISH, **changed)
        await asyncio.to_thread(self.records.ask, wish)
        await self.bell.ring(wish.batch, wish.queue)

    def one(self, batch: str = "spring") -> Enqueued:
        """Return what is on record of a batch."""
        [found] = [one for one in self.records.all() if one.batch == batch]
        return found

    def sql(self, statement: str) -> list[Any]:
        """Do something to the database behind everybody's back."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []

    async def until(self, what: Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    if await asyncio.to_thread(what):
                        return
                except (psycopg.OperationalError, JournalAwayError):
                    pass
                await asyncio.sleep(0.05)

    async def run(self, one: Enqueued, interrupts: Interrupts) -> RunOutcome:
        """Lead a batch as a run does: under its lease, until the gate is open or it is told to stop."""
        store = self.store()
        with store.hold(one.batch, stamp=0.0):
            self.led[one.batch] += 1
            under = self.led[one.batch] - self.ended[one.batch]
            self.at_once = max(self.at_once, under)
            while not (self.gate.is_set() or interrupts.draining):  # noqa: ASYNC110 - of another loop
                await asyncio.sleep(0.02)
            self.ended[one.batch] += 1
            status = 8 if interrupts.draining else self.status
        return cast("RunOutcome", SimpleNamespace(verdict=SimpleNamespace(exit=status, reasons=("so",))))

    ended: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def worker(
        self, *, room: int = 1, bell: Doorbell | None = None
    ) -> AsyncIterator["asyncio.Task[None]"]:
        """Let a worker work, and stop it as a signal does."""
        interrupts = Interrupts()
        me = WorkerKept(token=os.urandom(4).hex(), host="here", pid=os.getpid(), queues=("q",), room=room)
        worker = Worker(
            Leads(
                me=me,
                bell=bell or self.bell,
                records=self.records,
                run=self.run,
                clock=SystemClock(),
                look_every=0.3,
                say=self.said.append,
            )
        )
        task = asyncio.create_task(worker.work(interrupts))
        try:
            await self.until(lambda: me.token in {one.token for one in self.records.workers()[0]})
            yield task
        finally:
            interrupts.take(15)
            await asyncio.wait_for(task, PATIENCE)


def waited(what: Callable[[], object], seconds: float) -> bool:
    """Wait until something is so; return whether it is."""
    until = time.monotonic() + seconds
    while not (done := bool(what())) and time.monotonic() < until:
        time.sleep(0.1)
    return done


def is_done(yard: Yard, batch: str = "spring") -> bool:
    """Return whether a batch is done."""
    return yard.one(batch).state is Wait.DONE
