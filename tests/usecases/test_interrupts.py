"""What stops a run: signals by their number, and a drain that is ordered."""

import asyncio
import os
import signal

import pytest

from batchgen.cli.signals import caught
from batchgen.engine.interrupts import ORDERED, Interrupts
from batchgen.wiring.background import unless_interrupted


def test_an_ordered_drain_is_told_once_and_to_whoever_listens_later() -> None:
    interrupts, early, late = Interrupts(), list[int](), list[int]()
    interrupts.tell(early.append)
    assert not interrupts.draining
    interrupts.drain()
    interrupts.drain()
    interrupts.tell(late.append)
    assert (early, late, interrupts.draining, interrupts.exit) == ([ORDERED], [ORDERED], True, None)


def test_a_signal_after_an_ordered_drain_is_a_first_one_still() -> None:
    interrupts, told = Interrupts(), list[int]()

    async def main() -> None:
        interrupts.tell(told.append)
        with caught(interrupts):
            interrupts.drain()
            for expected in ([ORDERED, 1], [ORDERED, 1, 2]):
                os.kill(os.getpid(), signal.SIGTERM)
                async with asyncio.timeout(5):
                    while told != expected:  # noqa: ASYNC110 - the signal comes when the system likes
                        await asyncio.sleep(0)
        interrupts.drain()

    asyncio.run(main())
    assert (told, interrupts.exit) == ([ORDERED, 1, 2], 128 + signal.SIGTERM)


@pytest.mark.parametrize("before", [True, False])
def test_an_ordered_drain_ends_what_comes_before_the_run(*, before: bool) -> None:
    interrupts = Interrupts()

    async def endless() -> str:
        await asyncio.Event().wait()
        return "never"

    async def main() -> str | None:
        if before:
            interrupts.drain()
        else:
            asyncio.get_running_loop().call_soon(interrupts.drain)
        return await unless_interrupted(endless(), interrupts)

    assert asyncio.run(main()) is None
