"""The engine at work, with those who ask it to stop, and with results that are kept fresh."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from batchgen.engine.interrupts import ORDERED, OUT_OF_TIME, Interrupts
from batchgen.engine.runner import Runner
from batchgen.engine.together import carry_together
from batchgen.loop_clock import loop_time
from batchgen.ports import Observer
from batchgen.usecases.run_end import CameTo, keeps_results, refreshed
from batchgen.usecases.run_policy import policy_of
from batchgen.wiring.background import beside
from batchgen.wiring.opening import OpenBatch
from batchgen.wiring.options import speed_of


async def run_shown(
    runner: Runner,
    carried: Sequence[Runner],
    opened: OpenBatch,
    interrupts: Interrupts,
    observer: Observer,
    *,
    past: bool,
) -> CameTo:
    """Carry a slot and others beside it, with their results written now and then, until a signal or the end.

    Args:
        runner: of the slot.
        carried: of the others.
        opened: the slot, and how it is run.
        interrupts: by which it is asked to drain or to leave.
        observer: is told what a signal means.
        past: whether the batch's results are those of a later slot, and stay.
    """
    batch, options = opened.batch, opened.options
    stopping = _Stopping(runner, carried, observer, interrupts, options.drain_timeout)
    async with AsyncExitStack() as stack:
        stack.callback(stopping.over)
        interrupts.tell(stopping)
        if keeps_results(batch, past=past):
            fresh = refreshed(opened, observer)
            await stack.enter_async_context(beside(fresh, name="results"))
        settle = policy_of(batch, options, speed=speed_of(options)).doubt.settle
        own, others = await carry_together(runner, carried, settle=settle)
        return CameTo(replace(own, out_of_time=own.drained and interrupts.out_of_time), others)


class _Stopping:
    """What a run does when it is asked to stop: see ``Interrupts.tell``."""

    def __init__(
        self,
        runner: Runner,
        carried: Sequence[Runner],
        observer: Observer,
        interrupts: Interrupts,
        drain_timeout: float | None,
    ) -> None:
        self._runner = runner
        self._every = (runner, *carried)
        self._observer = observer
        self._interrupts = interrupts
        self._drain_timeout = drain_timeout
        self._end: asyncio.TimerHandle | None = None  # of the drain, where it is bounded

    def __call__(self, number: int) -> None:
        """Drain, or leave at the second signal."""
        if number > 1:
            self._leave()
            return
        for one in self._every:
            one.drain()
        # whoever sends a signal or bounds the time may kill next; whoever orders a drain wants to see its end
        if number != ORDERED and self._drain_timeout is not None and self._end is None:
            self._end = asyncio.get_running_loop().call_later(self._drain_timeout, self._end_drain)
        self._observer.warned(self._told(number))

    def over(self) -> None:
        """Forget the bound: the run has ended."""
        if self._end is not None:
            self._end.cancel()

    def _end_drain(self) -> None:
        self._interrupts.is_late = True
        self._leave()

    def _leave(self) -> None:
        for one in self._every:
            one.leave()

    def _told(self, number: int) -> str:
        running = len(self._runner.flow.in_flight)
        jobs = "1 job runs" if running == 1 else f"{running} jobs run"
        about = self._runner.longest_left()
        told = "" if about is None else f", for about {about:.0f} s more"
        bound = "" if self._end is None else f", at most {max(0.0, self._end.when() - loop_time()):.0f} s"
        why = "the time of this run is over (--max-duration)" if number == OUT_OF_TIME else "stopping"
        again = "again" if number > 0 else "twice"  # a first signal after an order, or the clock, drains too
        return (
            f"{why}: no more jobs are submitted; {jobs} at the service{told}; collecting{bound} "
            f"(press Ctrl-C {again} to leave at once)"
        )
