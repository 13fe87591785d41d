"""How a run ended: what it left, and the exit status that says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum

from batchgen.errors import StopCause, StoppedError
from batchgen.lifecycle import Record, State
from batchgen.model import JobKey


class Exit(IntEnum):
    """The exit statuses, as the README lists them."""

    DONE = 0
    BUG = 1
    INPUT = 2
    FAILED = 3
    CREDENTIALS = 4
    BUDGET = 5
    HELD = 6
    DOUBT = 7
    REMAINS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """The jobs that nobody asked this run to buy.

    Attributes:
        jobs: how many.
        of: how many the manifest has.
        cost: compute units for those whose price is known.
        unpriced: how many have no price that is known.
    """

    jobs: int
    of: int
    cost: Decimal
    unpriced: int

    def __str__(self) -> str:
        """Give the sentence for people; it is no reason for an exit status."""
        were = "1 job was" if self.jobs == 1 else f"{self.jobs} jobs were"
        text = f"{were} left out as asked, of {self.of}"
        if self.unpriced == self.jobs:
            return text
        more = f", without {self.unpriced} whose price was not asked" if self.unpriced else ""
        return f"{text}; the rest would cost {self.cost.normalize():f} CU{more}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """What one run of the engine came to.

    Attributes:
        stopped: why no further job can be submitted; None where nothing stopped it.
        drained: whether it was asked to submit no more.
        unreachable: whether it gave up because the service could not be reached, or took no job for an hour.
        out_of_sight: paid and still running when their timeout passed.
        missing: why the assets of these are not all on disk.
        turned_up: submissions that were shown absent and are there after all, a sentence each.
        lost: answers to submits that were lost in this run.
        over_budget: what the budget has left out, a sentence each.
        unpriced: what waits for a price that the service did not tell, a sentence each.
        failures: how many jobs failed where they were too many to go on; 0 otherwise.
        orphans: what a look after the run found paid for and owned by no record, a sentence each.
        left_out: the jobs that it was not asked to buy; None where it was asked for all.
    """

    stopped: StoppedError | None = None
    drained: bool = False
    unreachable: bool = False
    out_of_sight: frozenset[JobKey] = frozenset()
    missing: Mapping[JobKey, str] = field(default_factory=dict)
    turned_up: Sequence[str] = ()
    lost: int = 0
    orphans: Sequence[str] = ()
    over_budget: Sequence[str] = ()
    unpriced: Sequence[str] = ()
    failures: int = 0
    left_out: LeftOut | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The exit status and every reason there is for one.

    Attributes:
        exit: the first reason that counts.
        reasons: all of them, a sentence each; empty if everything wanted is done.
    """

    exit: Exit
    reasons: tuple[str, ...]


def judge(ending: Ending, records: Sequence[Record]) -> Verdict:
    """Say what a run's end means, in the order of what a person has to do first.

    Args:
        ending: what the run came to.
        records: of the jobs that it was asked for.
    """
    twice = [(Exit.DOUBT, text) for text in (*ending.turned_up, *ending.orphans)]
    dear = [(Exit.BUDGET, text) for text in ending.over_budget]
    untold = [(Exit.REMAINS, text) for text in ending.unpriced]
    found = [*_stops(ending), *twice, *dear, *untold, *_left(ending, records)]
    order = (Exit.CREDENTIALS, Exit.DOUBT, Exit.BUDGET, Exit.REMAINS, Exit.FAILED)
    ranked = sorted(found, key=lambda one: order.index(one[0]))
    return Verdict(exit=ranked[0][0] if ranked else Exit.DONE, reasons=tuple(text for _, text in ranked))


def _stops(ending: Ending) -> list[tuple[Exit, str]]:
    if ending.stopped is None:
        return []
    status = Exit.BUDGET if ending.stopped.cause is StopCause.CREDITS else Exit.CREDENTIALS
    return [(status, str(ending.stopped))]


def _left(ending: Ending, records: Sequence[Record]) -> list[tuple[Exit, str]]:
    states = [record.state for record in records]
    pending = states.count(State.PLANNED)
    running = states.count(State.RUNNING) - len(ending.out_of_sight)
    bad = sum(states.count(one) for one in (State.FAILED, State.REFUSED, State.CANCELED, State.ABANDONED))
    doubt = sum(states.count(one) for one in (State.SUBMITTING, State.IN_DOUBT, State.HELD))
    counted = (
        (Exit.DOUBT, doubt, "in doubt: may have been paid for, and will not be sent again unseen"),
        (Exit.REMAINS, pending, _why_pending(ending)),
        (Exit.REMAINS, running, "still running at the service; the same command collects them"),
        (Exit.REMAINS, len(ending.out_of_sight), "out of sight: paid for and not ended within the timeout"),
        (Exit.REMAINS, states.count(State.SUCCEEDED), "with files missing; the same command fetches them"),
        (Exit.FAILED, bad, "failed for good"),
    )
    return [
        (status, f"{count} {'job' if count == 1 else 'jobs'} {text}")
        for status, count, text in counted
        if count
    ]


def _why_pending(ending: Ending) -> str:
    if ending.failures:
        return f"not submitted: {ending.failures} failed, and --max-failures stops there"
    if ending.unreachable:
        return "not submitted: the service could not be reached, or took no job"
    return "not submitted yet; a further run goes on with them"
