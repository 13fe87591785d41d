"""Several slots of a batch carried side by side: one may buy, the others are only carried to their end."""

import asyncio
from collections.abc import Sequence

from batchgen.engine.outcome import EngineOutcome
from batchgen.engine.runner import Runner
from batchgen.errors import BatchgenError

SETTLING = 2  # times ``settle``: what is listed is found by then, and what equals the rest waits for it


async def carry_together(
    buying: Runner, others: Sequence[Runner], *, settle: float
) -> tuple[EngineOutcome, list[EngineOutcome]]:
    """Run them, and give how each ended.

    What is in doubt in the others is looked for before anything is bought, for a time that is bounded;
    then whatever equals such a job waits for it.

    Args:
        buying: the one that may buy.
        others: runners whose plans want nothing.
        settle: as the policy of doubts has it, in seconds.

    Raises:
        BatchgenError: what broke the first of them that broke; it ended the others, for it is the disk's.
    """
    buying.control.follow((one.doubts for one in others), patience=SETTLING * settle)
    failed: list[BatchgenError] = []

    async def carry(one: Runner) -> EngineOutcome:
        try:
            return await one.run()
        except BatchgenError as error:
            failed.append(error)
            for other in (*others, buying):
                other.end()
            return EngineOutcome()
        finally:
            one.doubts.end()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(carry(one), name="slot") for one in (*others, buying)]
    if failed:
        raise failed[0]
    endings = [task.result() for task in tasks]
    return endings[-1], endings[:-1]
