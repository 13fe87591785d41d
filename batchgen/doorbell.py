"""The queue that rings for workers: Procrastinate, and the only module that knows it.

It is a doorbell and no more. A ring says "look at this batch" and carries nothing but its name: who leads is
the lease's to say, and what is done the journal's. So a ring that comes twice, late, never, or for a batch
that is finished changes nothing; its own word that something "succeeded" means nothing, and is not asked.

What is known of the library, and held by tests: it has no fence, so none of its states is trusted. Its
``retry_job`` fails where an equal ring waits, so it is never called: a ring that was taken is used up, and
whoever needs another one rings. Its worker ends when its row was pruned, or its pool had no connection in
time; and without a periodic task it does not even notice that its heart has stopped or that it hears no
more, so there is one that never comes.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from procrastinate import App, PsycopgConnector, exceptions, jobs
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from batchgen.errors import JournalAwayError, JournalError
from batchgen.redaction import without_password

TASK: Final = "batchgen.lead"
_PATIENCE: Final = 8.0  # seconds for a connection: as long as a restart of the server may take
_ABANDONED_AFTER: Final = 1.0  # seconds that the end of a listening waits for what it has rung for
_NEVER: Final = "0 0 29 2 *"  # nearly
_CONNECTIONS: Final = 4  # of which one may be taken for as long as something is written
_PARAMETERS: Final = {
    "connect_timeout": 2,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 3000,
    "application_name": "batchgen queue",
    "prepare_threshold": None,
}

# they tell of each failed try on standard error where nobody listens; what counts is raised here
for _name in ("procrastinate", "psycopg.pool"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

Take = Callable[[str], Awaitable[None]]


class _Pool(AsyncConnectionPool):
    """The library's pool, which waits no longer for its first connection than for a later one."""

    async def open(self, wait: bool = False, timeout: float = _PATIENCE) -> None:  # noqa: ASYNC109, FBT001, FBT002 - theirs
        await super().open(wait=wait, timeout=min(timeout, _PATIENCE))


@dataclass(frozen=True, kw_only=True, slots=True)
class Ring:
    """A ring in the queue.

    Attributes:
        batch: for which it is.
        queue: whose workers hear it.
        taken: whether a worker has it.
    """

    batch: str
    queue: str
    taken: bool


class Doorbell:
    """The bell of one database; every method may be called at any time, from any loop."""

    def __init__(self, url: str, *, beat: float = 10.0, silent_after: float = 30.0) -> None:
        """Name the database; nothing is opened before it is asked.

        Args:
            url: of it.
            beat: seconds between two signs of life of a worker.
            silent_after: seconds after which one that gave none counts as dead.
        """
        self._url = url
        self._place = without_password(url)
        self._beat = beat
        self._silent_after = silent_after

    async def prepare(self) -> None:
        """Make the queue's tables where they are not there yet; those of a later version stay as they are.

        Raises:
            JournalAwayError: the database does not answer.
            JournalError: they cannot be made.
        """
        async with self._opened() as app:
            if await app.check_connection_async():
                return
            try:
                await app.schema_manager.apply_schema_async()
            except exceptions.ConnectorException:
                if not await app.check_connection_async():  # else somebody else has made them just now
                    raise

    async def is_there(self) -> bool:
        """Return whether the queue's tables are there.

        Raises:
            JournalAwayError: the database does not answer.
        """
        async with self._opened() as app:
            return await app.check_connection_async()

    async def ring(self, batch: str, queue: str) -> bool:
        """Ring for a batch; return False where a ring for it waits already, which is as good.

        Raises:
            JournalAwayError: the database does not answer; nobody was rung for, or a moment later.
            JournalError: it will not do it.
        """
        async with self._opened() as app:
            bell = app.configure_task(TASK, queue=queue, queueing_lock=f"{TASK} {batch}")
            try:
                await bell.defer_async(batch=batch)
            except exceptions.AlreadyEnqueued:
                return False
            return True

    async def rings(self) -> list[Ring]:
        """Return the rings that wait, and those that a worker has.

        Raises:
            JournalAwayError: the database does not answer.
            JournalError: it will not do it.
        """
        async with self._opened() as app:
            found = [one for one in await app.job_manager.list_jobs_async(task=TASK) if _is_live(one)]
        return [
            Ring(
                batch=str(one.task_kwargs.get("batch", "")),
                queue=one.queue,
                taken=one.status == jobs.Status.DOING.value,
            )
            for one in found
        ]

    async def sweep(self) -> int:
        """Remove the rings that dead workers had; return how many. Whoever is needed is rung for anew.

        A worker that was thought dead and is not finds its ring gone when it is through, which harms nobody.

        Raises:
            JournalAwayError: the database does not answer.
            JournalError: it will not do it.
        """
        swept = 0
        async with self._opened() as app:
            manager = app.job_manager
            dead = await manager.get_stalled_jobs(task_name=TASK, seconds_since_heartbeat=self._silent_after)
            for one in dead:
                assert one.id is not None
                try:
                    await manager.finish_job_by_id_async(one.id, status=jobs.Status.FAILED, delete_job=True)
                except exceptions.ConnectorException:
                    continue  # another worker sweeps too, or it lives: the others must not wait for it
                swept += 1
        return swept

    async def answer(self, take: Take, *, queues: Collection[str], room: int, name: str) -> None:
        """Hear the rings, and take each of them, until this is cancelled or the library gives up.

        That it gives up is ordinary: after a restart of the server, or a pause of this process. What is
        being taken then goes on, and whoever called calls again.

        Args:
            take: is given the batch's name; a ring counts as taken until it is through. It is cancelled
                where this ends.
            queues: which rings.
            room: how many at once.
            name: of this worker, for the library's log.

        Raises:
            JournalAwayError: the database did not answer for long.
            JournalError: the library gave up for another reason.
        """
        async with self._opened(room=room) as app:
            _register(app, take)
            with _lost_rings_are_nothing(asyncio.get_running_loop()):
                await app.run_worker_async(
                    queues=list(queues),
                    name=name,
                    concurrency=room,
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=_ABANDONED_AFTER,
                    delete_jobs=jobs.DeleteJobCondition.ALWAYS,
                    fetch_job_polling_interval=self._beat / 2,
                    update_heartbeat_interval=self._beat,
                    stalled_worker_timeout=self._silent_after,
                )

    @asynccontextmanager
    async def _opened(self, *, room: int = 0) -> AsyncIterator[App]:
        connector = PsycopgConnector(
            pool_factory=_Pool,
            conninfo=self._url,
            min_size=1,
            max_size=_CONNECTIONS + room,
            timeout=_PATIENCE,
            name=f"batchgen {uuid.uuid4().hex[:6]}",
            kwargs=dict(_PARAMETERS),
        )
        app = App(connector=connector)
        with self._explained():
            try:
                await app.open_async()
                yield app
            finally:
                await app.close_async()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (exceptions.ProcrastinateException, PoolTimeout) as error:
            raise self._told(error) from None  # the library's error may hold the address, and a password

    def _told(self, error: exceptions.ProcrastinateException | PoolTimeout) -> JournalError:
        cause = error if isinstance(error, PoolTimeout) else error.__cause__
        state = getattr(cause, "sqlstate", None)
        lines = f"{cause or error}".strip().splitlines() or [type(cause).__name__]
        if state in {"42P01", "42883", "42704"}:
            return JournalError(
                f"{self._place}: has no tables of the queue; make them: batchgen journal init"
            )
        away = type(cause).__name__ in {"OperationalError", "PoolTimeout", "PoolClosed"} or (
            state or ""
        ).startswith(("08", "57P", "53"))
        if away:
            return JournalAwayError(f"{self._place}: the queue does not answer ({lines[0]})")
        return JournalError(f"{self._place}: the queue: {lines[0]}")


def _register(app: App, take: Take) -> None:
    @app.task(name=TASK)
    async def lead(batch: str) -> None:
        await take(batch)

    # else nobody looks whether the tasks beside the fetching are alive, see above
    @app.periodic(cron=_NEVER)
    @app.task(name="batchgen.nothing", queueing_lock="batchgen.nothing")
    async def nothing(timestamp: int) -> None:
        del timestamp


def _is_live(one: jobs.Job) -> bool:
    return one.status in {"todo", jobs.Status.DOING.value}


@contextmanager
def _lost_rings_are_nothing(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Keep silent, in the block, that a ring could not be called finished: it was swept, or will be."""
    before = loop.get_exception_handler()

    def handler(its_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if isinstance(context.get("exception"), exceptions.ProcrastinateException):
            return
        if before is None:
            its_loop.default_exception_handler(context)
        else:
            before(its_loop, context)

    loop.set_exception_handler(handler)
    try:
        yield
    finally:
        loop.set_exception_handler(before)
