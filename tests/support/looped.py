"""Event loops whose time is virtual: a sleep of an hour takes no time at all."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import looptime

T = TypeVar("T")


def virtual_loop() -> asyncio.AbstractEventLoop:
    """Make one that moves its clock as soon as nothing is ready to run.

    By default it turns 42 times more before each move, for code that schedules its timers late;
    nothing here does, and the turns are nine tenths of the time that such tests take.
    """
    return looptime.new_event_loop(noop_cycles=0)


def run_virtually(work: Coroutine[Any, Any, T]) -> T:
    """Return what the work comes to, in a loop of its own whose time is virtual."""
    return time_virtually(work)[0]


def time_virtually(work: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """Return what the work comes to, and how many virtual seconds it took."""
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        loop = runner.get_loop()
        began = loop.time()
        return runner.run(work), loop.time() - began
