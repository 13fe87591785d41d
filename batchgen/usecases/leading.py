"""What a worker does when it is rung: lead the batch, and say what follows from how that ended.

A ring may come twice, late, or for nothing, and a worker may die in between: so nothing here is counted on.
What waits is on record beside the journal, and whoever looks next finds it there.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import NamedTuple

from batchgen.engine.interrupts import Interrupts
from batchgen.errors import BatchgenError, InputError
from batchgen.exits import Exit, status_of
from batchgen.journal.enqueued import After, Enqueued, EnqueuedRecords, Wait
from batchgen.usecases.run_end import RunOutcome

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0  # seconds before work that remains is tried again
MOST_BUGS = 5  # tries of what ends with 1: the disk of one worker may be full, and that of the next is not

_FOR_A_PERSON = frozenset({Exit.INPUT, Exit.CREDENTIALS, Exit.BUDGET, Exit.DOUBT})
_DONE = frozenset({Exit.DONE, Exit.FAILED})


class Ending(NamedTuple):
    """How a run ended.

    Attributes:
        status: its exit status.
        reasons: for that, a sentence each.
        drained: whether it was told to stop.
    """

    status: int
    reasons: tuple[str, ...] = ()
    drained: bool = False


Run = Callable[[Enqueued, Interrupts], Coroutine[None, None, RunOutcome]]


async def led(run: Run, one: Enqueued, interrupts: Interrupts) -> Ending:
    """Lead a batch to where a run of it ends; what goes wrong with it is how it ended.

    Args:
        run: does it.
        one: the batch.
        interrupts: by which it is asked to drain or to leave.
    """
    try:
        outcome = await run(one, interrupts)
    except BatchgenError as error:
        told = [one.text for one in error.problems] if isinstance(error, InputError) else []
        return Ending(status_of(error), (str(error), *told), drained=interrupts.draining)
    status = interrupts.exit or int(outcome.verdict.exit)
    return Ending(status, tuple(outcome.verdict.reasons), drained=interrupts.draining)


def broken(error: BaseException) -> Ending:
    """Return how a run ended that nobody foresaw to end so: a bug in one batch must not end the others."""
    return Ending(Exit.BUG, (f"{type(error).__name__}: {error}",))


def after(ending: Ending, tries: int) -> After | None:
    """Return what follows from the end of a run; None where another run leads the batch.

    Args:
        ending: how it ended.
        tries: how many runs before it ended with work left, one after the other.
    """
    if ending.status == Exit.LOCKED:
        return None
    if ending.status in _DONE:
        return After(state=Wait.DONE)
    if ending.status in _FOR_A_PERSON:
        return After(state=Wait.STOPPED)
    if ending.drained:
        return After(state=Wait.WANTED, tries=tries)
    if ending.status == Exit.BUG and tries + 1 >= MOST_BUGS:
        return After(state=Wait.STOPPED)
    pause = min(FIRST_PAUSE * 2 ** min(tries, 30), LONGEST_PAUSE)
    return After(state=Wait.WANTED, again_in=pause, tries=tries + 1)


def keep(records: EnqueuedRecords, one: Enqueued, ending: Ending) -> After | None:
    """Keep how a run ended, and return what follows from it.

    Raises:
        JournalError: it could not be written; the batch is rung for once more then.
    """
    follows = after(ending, one.tries)
    if follows is not None:
        records.ended(one, status=ending.status, reasons=few(ending.reasons), after=follows)
    return follows


def few(reasons: Sequence[str]) -> list[str]:
    """Return as many reasons as somebody reads."""
    most = 20
    return [*reasons[:most], *([f"and {len(reasons) - most} more"] if len(reasons) > most else [])]
