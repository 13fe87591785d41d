"""Work beside other work, in TaskGroups whose wrapping of errors ends here."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import TypeVar

from batchgen.engine.interrupts import Interrupts
from batchgen.errors import BatchgenError

T = TypeVar("T")


@asynccontextmanager
async def beside(work: Coroutine[None, None, None], *, name: str) -> AsyncIterator[None]:
    """Do the work for as long as the block lasts, then cancel it; the block's errors come out as they are."""
    failed: BatchgenError | None = None
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work, name=name)
        try:
            yield
        except BatchgenError as error:
            failed = error
        finally:
            task.cancel()
    if failed is not None:
        raise failed


async def unless_interrupted(work: Coroutine[None, None, T], interrupts: Interrupts) -> T | None:
    """Do the work and give its result; None if a signal came before it was done."""

    async def guarded() -> tuple[T | None, BatchgenError | None]:
        try:
            return await work, None
        except BatchgenError as error:
            return None, error

    async with asyncio.TaskGroup() as group:
        task = group.create_task(guarded(), name="before the run")

        def stop(_: int) -> None:
            task.cancel()

        interrupts.tell(stop)
    if task.cancelled():
        work.close()  # where the signal came before it began
        return None
    result, error = task.result()
    if error is not None:
        raise error
    return result
