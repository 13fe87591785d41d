"""Waiting in a command for what the functions of ``api`` do."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def awaited(work: Coroutine[Any, Any, T]) -> T:
    """Run it in a loop of its own to its end and return what comes of it.

    It is no return value of a task: when ``asyncio.run`` puts the signal's handler back, Python writes out
    the whole result of its task, which is 200 MB of text for a plan of 100,000 jobs, and throws it away.
    """
    results: list[T] = []

    async def main() -> None:
        results.append(await work)

    asyncio.run(main())
    return results[0]
