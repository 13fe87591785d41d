"""The exit status of a run, and every reason for it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from batchgen.engine.outcome import Closed, EngineOutcome
from batchgen.errors import NoListingError, NoRightError, StopCause
from batchgen.exits import Exit
from batchgen.formats import counted
from batchgen.lifecycle import Record, State
from batchgen.planning.yields import NOTHING_SHORT, YOUNG, Shortage
from batchgen.rights import Right

_NAMED = 3  # jobs that a sentence names


_WAY_ON = (
    "without a listing a lost reply cannot be found again, so nothing is bought; --allow no-listing buys all "
    "the same: then a job whose reply is lost needs your decision, and what a lost journal had bought is "
    "bought again"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The exit status and every reason there is for one.

    Attributes:
        exit: the first reason that counts.
        reasons: all of them, a sentence each; empty if everything wanted is done.
    """

    exit: Exit
    reasons: tuple[str, ...]


def judge(ending: EngineOutcome, records: Sequence[Record], *, shortage: Shortage = NOTHING_SHORT) -> Verdict:
    """Return what a run's end means, in the order of what a person has to do first.

    Args:
        ending: what the run came to.
        records: of the jobs that it was asked for.
        shortage: the successes that have fewer assets than they are to have.
    """
    return verdict_of(weigh(ending, records, shortage=shortage))


def weigh(
    ending: EngineOutcome,
    records: Sequence[Record],
    *,
    shortage: Shortage = NOTHING_SHORT,
    blocked: Sequence[tuple[bool, str]] = (),
    waiting: int = 0,
) -> list[tuple[Exit, str]]:
    """Return every reason for an exit status, each with its own; see ``judge``.

    Args:
        ending: what the run came to.
        records: of the jobs that it was asked for, without those that a parent blocks.
        shortage: the successes that have fewer assets than they are to have.
        blocked: what blocks jobs, a sentence each, and whether a person has to decide about the parent, or
            has given it up; otherwise it has failed, or what came out of it cannot go in.
        waiting: how many of the jobs that were not bought wait for a parent.
    """
    behind = [(Exit.DOUBT if decides else Exit.FAILED, text) for decides, text in blocked]
    twice = [(Exit.DOUBT, text) for text in (*ending.turned_up, *ending.orphans)]
    dear = [(Exit.BUDGET, text) for text in ending.over_budget]
    unwritable = [f"files could not be kept: {ending.unwritable}"] if ending.unwritable else []
    waits = [(Exit.REMAINS, text) for text in (*ending.waits_for, *ending.unpriced, *unwritable)]
    left = _left(ending, records, waiting=waiting)
    return [*_stops(ending), *twice, *dear, *waits, *left, *behind, *_short(shortage)]


def verdict_of(found: Sequence[tuple[Exit, str]]) -> Verdict:
    """Put the reasons in the order of what a person has to do first, and take the first one's status."""
    order = (Exit.CREDENTIALS, Exit.DOUBT, Exit.BUDGET, Exit.REMAINS, Exit.FAILED)
    ranked = sorted(found, key=lambda one: order.index(one[0]))
    return Verdict(exit=ranked[0][0] if ranked else Exit.DONE, reasons=tuple(text for _, text in ranked))


def _stops(ending: EngineOutcome) -> list[tuple[Exit, str]]:
    found = [(Exit.CREDENTIALS, text) for text in (*_of_closed(ending.closed), *ending.lacking.told())]
    if ending.stopped is None:
        return found
    status = Exit.BUDGET if ending.stopped.cause is StopCause.CREDITS else Exit.CREDENTIALS
    match ending.stopped:
        case NoListingError():
            text = f"{ending.stopped}; {_WAY_ON}"
        case NoRightError():
            text = ending.stopped.told
        case _:
            text = str(ending.stopped)
    return [(status, text), *found]


def _of_closed(closed: Mapping[str, Closed]) -> Iterator[str]:
    """Return what closed models leave, a sentence for each reason: many models may be closed for one."""
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for model, one in closed.items():
        if one.jobs:
            reasons[one.reason].append(f"{counted(one.jobs, 'job')} of {model}")
    for reason, jobs in reasons.items():
        models = "the model" if len(jobs) == 1 else "these models"
        yield f"{', '.join(jobs)} not bought: this account may not run {models}: {reason}"


def _lacking_files(ending: EngineOutcome, records: Sequence[Record]) -> int:
    """Count the jobs whose files another run may fetch."""
    lacking = sum(one.lacks_files for one in records) + len(ending.vanished)
    return max(0, lacking - len(ending.spoiled) - ending.lacking.count(Right.ASSETS))


def _left(ending: EngineOutcome, records: Sequence[Record], *, waiting: int = 0) -> list[tuple[Exit, str]]:
    states = [record.state for record in records]
    aside = sum(one.jobs for one in ending.closed.values()) + ending.lacking.count(
        Right.UPLOADS, Right.PRICES
    )
    pending = max(0, states.count(State.PLANNED) - aside)
    running = states.count(State.RUNNING) - len(ending.out_of_sight)
    bad = sum(states.count(one) for one in (State.FAILED, State.REFUSED, State.CANCELED, State.ABANDONED))
    # a run that was cut short while it looked leaves that to the next one, and asks nobody
    looked_for = states.count(State.SUBMITTING) + states.count(State.IN_DOUBT)
    counted = (
        (
            Exit.DOUBT,
            states.count(State.HELD),
            "in doubt: may have been paid for, and will not be sent again until you decide",
        ),
        (
            Exit.REMAINS,
            looked_for,
            "in doubt: may have been paid for; run the same command to look for what was sent",
        ),
        (Exit.REMAINS, pending, _why_pending(ending) + _behind_parents(min(waiting, pending))),
        (Exit.REMAINS, running, "still running at the service; run the same command to collect them"),
        (
            Exit.REMAINS,
            len(ending.out_of_sight),
            "not finished within the timeout and watched no longer; paid for, and still running",
        ),
        (
            Exit.REMAINS,
            _lacking_files(ending, records),
            "with missing files; run the same command to fetch them",
        ),
        (Exit.FAILED, bad, "failed; try them again with --retry-failed"),
        (
            Exit.FAILED,
            len(ending.spoiled),
            "with files that do not arrive as they should, a day after the job's end; every run tries again",
        ),
        (
            Exit.FAILED,
            sum(bool(one.gone) for one in records),
            "with files that are lost: not on the disk, and no longer at the service",
        ),
    )
    return [
        (status, f"{count} {'job' if count == 1 else 'jobs'} {text}")
        for status, count, text in counted
        if count
    ]


def _short(shortage: Shortage) -> list[tuple[Exit, str]]:
    """Return what came out of jobs in part, or not at all: it is paid for."""
    again = f"; further runs ask again for {YOUNG / 3600:.0f} h after their end"
    counted = (
        (Exit.REMAINS, shortage.bare, f"succeeded without any asset so far{again}"),
        (Exit.REMAINS, shortage.partial, f"with fewer assets than asked for or usual{again}"),
        (Exit.FAILED, shortage.bare_for_good, "succeeded without any asset, although paid for"),
    )
    return [
        (status, f"{len(short)} {'job' if len(short) == 1 else 'jobs'} {text}: {_a_few(short)}")
        for status, short, text in counted
        if short
    ]


def _a_few(short: Sequence[Record]) -> str:
    named = [f"{one.job.id if one.job else one.remote_id} ({_share(one)})" for one in short[:_NAMED]]
    return ", ".join([*named, *(["..."] if len(short) > _NAMED else [])])


def _share(short: Record) -> str:
    count = len(short.asset_ids)
    return f"{count} of {short.expected}" if short.is_short else f"{count}"


def _behind_parents(waiting: int) -> str:
    return f" ({waiting} of them {'waits' if waiting == 1 else 'wait'} for a parent)" if waiting else ""


_MENDS = {
    StopCause.CREDENTIALS: "give a key that may do this",
    StopCause.PLAN: "get a plan that allows this",
    StopCause.CREDITS: "buy credits",
}


def _why_pending(ending: EngineOutcome) -> str:
    if ending.stopped is not None:
        return f"not submitted: {_MENDS[ending.stopped.cause]}, then run the same command to continue"
    if ending.failures:
        return f"not submitted: {ending.failures} failed, and --max-failures stops there"
    if ending.unlisted:
        return f"not submitted: the service's jobs could not be listed ({ending.unlisted}); {_WAY_ON}"
    if ending.unreachable:
        return "not submitted: the service could not be reached, or took no job"
    if ending.out_of_time:
        return (
            "not submitted: the time of this run was over (--max-duration); run the same command to continue"
        )
    if ending.over_budget and not ending.drained:
        return "not submitted: the budget does not let them through"
    return "not submitted yet; run the same command to continue"
