"""The engine at work, with those who ask it to stop, and with results that are kept fresh."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from batchgen.engine.interrupts import ORDERED, OUT_OF_TIME, Interrupts
from batchgen.engine.runner import Runner
from batchgen.engine.together import carry_together
from batchgen.ports import Observer
from batchgen.usecases.run_end import CameTo, keeps_results, refreshed
from batchgen.usecases.run_policy import policy_of
from batchgen.wiring.background import beside
from batchgen.wiring.batch import Batch
from batchgen.wiring.options import Options, speed_of


async def run_shown(
    runner: Runner,
    carried: Sequence[Runner],
    batch: Batch,
    options: Options,
    interrupts: Interrupts,
    observer: Observer,
    *,
    past: bool,
) -> CameTo:
    """Carry a slot and others beside it, with their results written now and then, until a signal or the end.

    Args:
        runner: of the slot.
        carried: of the others.
        batch: the slot.
        options: how it is run.
        interrupts: by which it is asked to drain or to leave.
        observer: is told what a signal means.
        past: whether the batch's results are those of a later slot, and stay.
    """
    loop = asyncio.get_running_loop()

    def on_signal(number: int) -> None:
        every = (runner, *carried)
        if number > 1:
            for one in every:
                one.leave()
            return
        for one in every:
            one.drain()
        # whoever sends a signal or bounds the time may kill next; whoever orders a drain wants to see its end
        limit = None if number == ORDERED else options.drain_timeout
        if limit is not None:
            for one in every:
                loop.call_later(limit, one.leave)
        why = "--max-duration is over: " if number == OUT_OF_TIME else ""
        observer.warned(why + _draining(runner, limit=limit))

    interrupts.tell(on_signal)
    async with AsyncExitStack() as stack:
        if keeps_results(batch, past=past):
            fresh = refreshed(batch, observer, options.clock)
            await stack.enter_async_context(beside(fresh, name="results"))
        settle = policy_of(batch, options, speed=speed_of(options)).doubt.settle
        return CameTo(*await carry_together(runner, carried, settle=settle))


def _draining(runner: Runner, *, limit: float | None) -> str:
    running = len(runner.flow.in_flight)
    jobs = "1 job runs" if running == 1 else f"{running} jobs run"
    about = runner.longest_left()
    told = "" if about is None else f", for about {about:.0f} s more"
    bound = "" if limit is None else f", at most {limit:.0f} s"
    return (
        f"stopping: no more jobs are submitted; {jobs} at the service{told}; collecting{bound} "
        "(press Ctrl-C again to leave at once)"
    )
