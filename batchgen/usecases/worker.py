"""A worker: hears the rings, leads the batches that they are for, and looks after what nobody leads.

It has two halves. One answers the bell, for as long as the library behind it lasts, and then once more: what
is being led does not hang on it. The other looks at the records every few seconds: it says that this worker
is there, asks for the batches whose time has come, removes the rings of dead workers and rings for every
batch that is wanted and that nobody leads. It is no task of the queue: that would have to wait for room,
and would be lost with the rings that it is there to replace. All workers do so; that several ring for the
same batch harms nobody.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from batchgen.engine.interrupts import Interrupts
from batchgen.errors import BatchgenError, InputError, JournalError
from batchgen.exits import Exit
from batchgen.formats import counted, span
from batchgen.journal.enqueued import Enqueued, EnqueuedRecords, Wait, WorkerKept
from batchgen.ports import Clock
from batchgen.usecases.leading import Ending, Run, broken, keep, led
from batchgen.wiring.enqueuing import following
from batchgen.wiring.own_loop import OwnLoop, own_loop

_ONCE_MORE: Final = 1.0  # seconds before the bell is answered once more
# That something is cancelled may be lost on its way through the library and its pool: before Python 3.12
# ``asyncio.wait_for`` loses it where what it waits for comes in the same moment. Once is not enough then.
_CANCELLED_AGAIN: Final = 5.0  # seconds


class Bell(Protocol):
    """What is needed of the queue; see ``doorbell.Doorbell``."""

    async def ring(self, batch: str, queue: str) -> bool:
        """Ring for a batch; False where a ring waits."""
        ...

    async def sweep(self) -> int:
        """Remove the rings of dead workers."""
        ...

    async def answer(
        self,
        take: Callable[[str], Coroutine[None, None, None]],
        *,
        queues: tuple[str, ...],
        room: int,
        name: str,
    ) -> None:
        """Take rings until it is cancelled or cannot go on."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Leads:
    """What a worker is made of.

    Attributes:
        me: who it is, and how many batches it leads at most.
        bell: by which it is rung.
        records: of what is wanted.
        run: leads a batch.
        clock: the journal's.
        look_every: seconds between two looks at the records.
        say: tells people.
    """

    me: WorkerKept
    bell: Bell
    records: EnqueuedRecords
    run: Run
    clock: Clock
    look_every: float
    say: Callable[[str], None]


class Worker:
    """One worker; see the module."""

    def __init__(self, leads: Leads) -> None:
        self._its = leads
        self._leading: dict[str, OwnLoop] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()
        self._ended = asyncio.Event()
        self._has_room = asyncio.Event()
        self._trouble = ""

    async def work(self, interrupts: Interrupts) -> None:
        """Work until a signal comes; then drain what is led, and return when all of it has ended.

        Args:
            interrupts: by which it is asked to drain or to leave.
        """
        interrupts.tell(lambda _: self._take(interrupts))
        its = self._its
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_after(), name="looking after the batches")
            answering = group.create_task(self._answer(), name="answering the bell")
            await self._stopped.wait()
            answering.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([answering])
            while self._under_way:
                await asyncio.wait(self._under_way)
            self._ended.set()  # a look that goes on would say after the last word that this worker is there
        with suppress(JournalError):
            await asyncio.to_thread(its.records.leave, its.me)

    def _take(self, interrupts: Interrupts) -> None:
        """Pass the last signal on to all that is led."""
        if not self._stopped.is_set() and self._leading:
            names = ", ".join(sorted(self._leading))
            self._its.say(f"stopping: takes no more, and drains {names}")
        self._stopped.set()
        for one in self._leading.values():
            one.take(interrupts.received[-1])

    async def _answer(self) -> None:
        its = self._its
        while not self._stopped.is_set():
            room = its.me.room - len(self._leading)
            if not room:
                self._has_room.clear()
                await self._has_room.wait()
                continue
            try:
                await self._answer_once(room)
            except BatchgenError as error:
                self._tell_of_trouble(str(error))
            await asyncio.sleep(_ONCE_MORE)

    async def _answer_once(self, room: int) -> None:
        """Answer until the library gives up, or what was begun before leaves room it does not know of."""
        its = self._its
        answer = asyncio.create_task(
            its.bell.answer(self._take_ring, queues=its.me.queues, room=room, name=str(its.me)),
            name="hearing the bell",
        )
        try:
            # not awaited itself: what it makes of being cancelled must not be what this makes of it
            await asyncio.wait({answer, *self._under_way}, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                answer.result()
                self._tell_of_trouble("the queue was lost, and is listened to once more")
        finally:
            while not answer.done():
                answer.cancel()  # once is not always enough: see ``_CANCELLED_AGAIN``
                await asyncio.wait({answer}, timeout=_CANCELLED_AGAIN)

    async def _take_ring(self, batch: str) -> None:
        """Lead a batch, unless this worker does; what was begun goes on where the library ends this."""
        if batch in self._leading or self._stopped.is_set() or len(self._leading) >= self._its.me.room:
            return  # whoever is needed is rung for anew
        self._leading[batch] = own_loop()
        task = asyncio.create_task(self._lead(batch), name=f"leading {batch}")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await asyncio.shield(task)

    async def _lead(self, batch: str) -> None:
        its, own = self._its, self._leading[batch]
        try:
            one = await asyncio.to_thread(its.records.wanted, batch)
            if one is None:
                return
            its.say(f"{batch}: rung")
            came = await own.run(lambda passed: led(its.run, one, passed), name=f"batch {batch}")
            bug = came.exception()
            await self._end(one, came.result() if bug is None else broken(bug))
        except JournalError as error:
            its.say(f"{batch}: {error}")
        finally:
            del self._leading[batch]
            self._has_room.set()

    async def _end(self, one: Enqueued, ending: Ending) -> None:
        its = self._its
        follows = await asyncio.to_thread(keep, its.records, one, ending)
        if follows is None:
            its.say(f"{one.batch}: another run leads it; left to that")
            return
        then = {
            Wait.DONE: "done",
            Wait.STOPPED: "not led again before somebody enqueues it anew",
            Wait.WANTED: f"again in {span(follows.again_in)}"
            if follows.again_in
            else "left to the next worker",
        }[follows.state]
        why = f" ({ending.reasons[0]})" if ending.reasons else ""
        its.say(f"{one.batch}: ended with {_status(ending.status)}{why}; {then}")
        if follows.state is Wait.WANTED and not follows.again_in:
            await its.bell.ring(one.batch, one.queue)

    async def _look_after(self) -> None:
        its = self._its
        while not self._ended.is_set():
            try:
                await asyncio.to_thread(its.records.see, its.me)
                await self._fire()
                if swept := await its.bell.sweep():
                    its.say(f"{counted(swept, 'ring')} of workers that are gone removed")
                for batch, queue in await asyncio.to_thread(its.records.to_ring):
                    await self._ring(batch, queue)
                self._trouble = ""
            except BatchgenError as error:
                self._tell_of_trouble(str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), its.look_every)

    async def _fire(self) -> None:
        its = self._its
        for one in await asyncio.to_thread(its.records.due):
            try:
                after_that = following(one, its.clock.now())
                if await asyncio.to_thread(its.records.fire, one, following=after_that):
                    its.say(f"{one.batch}: its time has come ({one.every})")
            except InputError as error:
                self._tell_of_trouble(str(error))

    async def _ring(self, batch: str, queue: str) -> None:
        """Ring for one batch; what is wrong with it must not keep the bell from the others."""
        try:
            await self._its.bell.ring(batch, queue)
        except BatchgenError as error:
            self._tell_of_trouble(f"{batch}: {error}")

    def _tell_of_trouble(self, text: str) -> None:
        """Say it once, however often it comes."""
        if text != self._trouble and not self._stopped.is_set():
            self._trouble = text
            self._its.say(text)


def _status(status: int) -> str:
    try:
        return f"{status}, {Exit(status).name.lower()}"
    except ValueError:
        return str(status)
