"""Workers and what they are to lead: batches put into a queue, led, shown and taken out again."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batchgen.errors import GuardError, InputError, JournalAwayError
from batchgen.journal.enqueued import Enqueued, Wait, WorkerKept
from batchgen.wiring.enqueuing import options_of, wish_of
from batchgen.wiring.file_names import check_file_names
from batchgen.wiring.options import Options
from batchgen.wiring.queues import QUEUE, bell_of, is_installed, queue_of
from batchgen.wiring.reading import manifest_of

if TYPE_CHECKING:
    from batchgen.engine.interrupts import Interrupts
    from batchgen.journal.health import Leader
    from batchgen.journal.store import ServerStore
    from batchgen.usecases.audience import Audience
    from batchgen.usecases.run_end import RunOutcome

_ONCE_MORE = 1.0  # seconds before a database that was away is asked once more
_LOOKS, _LEAST, _MOST = 6, 0.25, 10.0  # looks in the time of a lease, and seconds between two


@dataclass(frozen=True, kw_only=True, slots=True)
class Rung:
    """What became of a batch that was enqueued.

    Attributes:
        batch: its name.
        queue: whose workers are to lead it.
        before: where it stood before; None where it is new.
        waits: whether a ring for it waited already.
        due: when it is asked for next by its times, seconds since the epoch; None where it has none.
    """

    batch: str
    queue: str
    before: Wait | None
    waits: bool
    due: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """The workers, and what they lead and are to lead.

    Attributes:
        workers: those that are there, the oldest first.
        silent: of them those that were not seen for as long as a lease lasts.
        batches: what was enqueued, by name.
        leaders: who leads which batch now, by the batch's name.
        rings: the batches for which a ring waits in the queue.
        now: seconds since the epoch by the server's clock.
    """

    workers: Sequence[WorkerKept]
    silent: Sequence[WorkerKept]
    batches: Sequence[Enqueued]
    leaders: "dict[str, Leader]"
    rings: frozenset[str]
    now: float


async def enqueue(options: Options, *, queue: str = QUEUE, every: str = "") -> Rung:
    """Put a batch into the queue; whoever listens leads it. To do so twice buys nothing twice.

    Args:
        options: which batch, and what a person has agreed to.
        queue: whose workers are to lead it.
        every: five fields of cron at which it is asked for once more; empty for never.

    Raises:
        InputError: the manifest is wrong, nobody has agreed to what it costs, there is no queue, or the
            journal is a file.
        JournalError: the database does not take it.
    """
    store, bell = queue_of(options), bell_of(options)
    manifest = check_file_names(options, manifest_of(options))
    _refuse_times_without_a_period(options, every, manifest.period)
    caps = manifest.budget
    held = any(one is not None for one in (options.budget, caps.total, caps.per_day, caps.per_month))
    if options.unattended and not held:
        raise GuardError(
            f"{manifest.batch}: nobody is there to ask what it may cost when a worker leads it. Add --yes to "
            "buy at whatever it costs, or a cap: --budget N, or `budget:` in the manifest. "
            f"What it would cost: {options.command_line('plan')}"
        )
    now = await asyncio.to_thread(options.clock.now)
    wish = wish_of(options, manifest, queue=queue, every=every, now=now)
    before = await asyncio.to_thread(store.enqueued().ask, wish)
    rang = await bell.ring(wish.batch, queue)
    return Rung(batch=wish.batch, queue=queue, before=before, waits=not rang, due=wish.due)


async def prepare_queue(options: Options) -> bool:
    """Make the queue's tables where they are not there yet; return False where what rings is not installed.

    Raises:
        JournalError: they cannot be made.
    """
    if not is_installed():
        return False
    await bell_of(options).prepare()
    return True


def _refuse_times_without_a_period(options: Options, every: str, period: str | None) -> None:
    if every and not (options.period or period):
        raise InputError(
            f"{options.manifest}: it has no `period`, so that everything is bought once, and every further "
            "time would find nothing to do. Write `period: day` into it, or add --period day"
        )


async def work(
    options: Options,
    interrupts: "Interrupts",
    *,
    queues: Sequence[str],
    room: int,
    audience: "Callable[[str], Audience]",
    say: Callable[[str], None],
) -> None:
    """Lead batches as they are rung for, until a signal comes; then drain them.

    Args:
        options: where the journal and the output folder are, and the environment of every run.
        interrupts: by which it is asked to drain or to leave.
        queues: which it listens to.
        room: how many batches it leads at once.
        audience: gives whom a batch's run is shown to.
        say: tells people what the worker does.

    Raises:
        InputError: the database cannot be relied on, or there is no queue in it.
        JournalError: the queue cannot be looked at.
    """
    # most commands are no workers, and to enqueue needs none of this
    from batchgen.api.runs import run  # noqa: PLC0415
    from batchgen.usecases.worker import Leads, Worker  # noqa: PLC0415

    store = queue_of(options)
    lease = await _lease_of(store, interrupts, say)
    if lease is None:
        return
    bell = bell_of(options, lease=lease)
    if not await bell.is_there():
        raise InputError(f"{store}: has no tables of the queue; make them: batchgen journal init")
    me = WorkerKept(
        token=os.urandom(8).hex(),
        host=os.uname().nodename,
        pid=os.getpid(),
        queues=tuple(queues),
        room=room,
    )

    async def lead(one: Enqueued, passed: "Interrupts") -> "RunOutcome":
        return await run(options_of(one, options), passed, audience(one.batch))

    say(f"{me}: listens to {', '.join(queues)} at {store}, leads {room} at once")
    worker = Worker(
        Leads(
            me=me,
            bell=bell,
            records=store.enqueued(),
            run=lead,
            clock=options.clock,
            look_every=min(_MOST, max(_LEAST, lease / _LOOKS)),
            say=say,
        )
    )
    await worker.work(interrupts)


async def pool(options: Options) -> Pool:
    """Return who works, what is led and what waits; nothing is changed.

    Raises:
        InputError: there is no queue, or the journal is a file.
        JournalError: the database cannot be read.
    """
    store = queue_of(options)
    health = await asyncio.to_thread(store.health)
    records = store.enqueued()
    workers, now = await asyncio.to_thread(records.workers)
    rings = await bell_of(options).rings()
    silent_after = health.lease or 0.0
    return Pool(
        workers=workers,
        silent=[one for one in workers if now - one.seen_at > max(silent_after, 2 * _MOST)],
        batches=await asyncio.to_thread(records.all),
        leaders={one.batch: one for one in health.leaders if one.left > 0},
        rings=frozenset(one.batch for one in rings if not one.taken),
        now=now,
    )


async def remove(options: Options, batch: str) -> bool:
    """Take a batch out of the queue, with its times; a run of it goes on. Return whether it was there.

    Raises:
        InputError: the journal is a file.
        JournalError: the database does not take it.
    """
    return await asyncio.to_thread(queue_of(options).enqueued().remove, batch)


async def _lease_of(
    store: "ServerStore", interrupts: "Interrupts", say: Callable[[str], None]
) -> float | None:
    """Return how long a lease lasts, as soon as the database says it; None where a signal came before."""
    told = False
    while not interrupts.draining:
        try:
            return await asyncio.to_thread(_checked_lease, store)
        except JournalAwayError as error:
            if not told:
                say(f"waits until the journal is there: {error}")
            told = True
            await asyncio.sleep(_ONCE_MORE)
    return None


def _checked_lease(store: "ServerStore") -> float:
    health = store.health()
    for one in health.problems():
        raise InputError(f"{health.place}: {one}")
    assert health.lease is not None
    return health.lease
