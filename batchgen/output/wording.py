"""What the terminal says of a run, as plain text: pure, and the only place with these sentences.

Whatever a manifest or the service wrote passes through ``clean`` first: a prompt must not
move the cursor, and an error of the service must not colour the screen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from batchgen.formats import clean, counted, not_told, span, stamp, units
from batchgen.lifecycle import (
    Abandoned,
    Accepted,
    Adopted,
    AnswerLost,
    AssetsGone,
    Canceled,
    ChargeShown,
    Collected,
    Deferred,
    Event,
    Failed,
    FilesMoved,
    Held,
    NotSent,
    OutputsGrew,
    Rebound,
    Record,
    RedoAsked,
    RefundShown,
    Refused,
    Restored,
    RetryAsked,
    ShownAbsent,
    Stopped,
    SubmitStarted,
    Succeeded,
    WrittenOff,
)
from batchgen.model import Job
from batchgen.planning.chains import NO_CHAINS, ChainCount, told_with_chains
from batchgen.planning.stages import Stage


@dataclass(frozen=True, kw_only=True, slots=True)
class Gauges:
    """What only the engine knows of the moment.

    Attributes:
        in_flight: submissions between submit and outcome, in doubt included.
        ceiling: how many there may be; None while it is not known.
        reserved: compute units held for what may have been charged and is not known to be.
        cap: compute units this batch may spend; None for no limit.
        note: what the run is doing besides, such as draining; empty for nothing.
    """

    in_flight: int = 0
    ceiling: int | None = None
    reserved: Decimal = Decimal(0)
    cap: Decimal | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """A run at one moment, as it is shown.

    Attributes:
        total: jobs of this run, those done before it included.
        stages: how many of them stand where.
        spent: compute units that were charged, as far as the service has said.
        untold: how many charges it has not told.
        refunded: of those, what came back.
        assumed: whether some of that is so by the service's rules alone.
        chains: how far chains are.
        per_minute: jobs ended a minute, lately; None while too few have.
        failures: the last ones, oldest first, as (job id, reason).
    """

    total: int
    stages: Mapping[Stage, int]
    spent: Decimal
    per_minute: float | None
    gauges: Gauges
    failures: tuple[tuple[str, str], ...] = ()
    untold: int = 0
    refunded: Decimal = Decimal(0)
    assumed: bool = False
    chains: ChainCount = NO_CHAINS

    @property
    def done(self) -> int:
        """How many have all that was wanted of them."""
        return self.stages.get(Stage.DONE, 0)

    @property
    def failed(self) -> int:
        """How many have ended without a result."""
        return self.stages.get(Stage.FAILED, 0)

    @property
    def ended(self) -> int:
        """How many have ended for good, whatever the end."""
        return self.done + self.failed

    @property
    def in_doubt(self) -> int:
        """How many may have been paid for, and nobody knows yet."""
        return self.stages.get(Stage.IN_DOUBT, 0)


def remaining(shot: Snapshot) -> float | None:
    """Return the seconds to the end at the pace of the last ends; None while there is no pace."""
    if shot.ended >= shot.total:
        return 0.0
    return (shot.total - shot.ended) / shot.per_minute * 60 if shot.per_minute else None


def figures(shot: Snapshot) -> list[str]:
    """Return the parts of the status line, the most wanted first."""
    gauges = shot.gauges
    ceiling = f" of {gauges.ceiling}" if gauges.ceiling is not None else ""
    held = f" + {units(gauges.reserved)} reserved" if gauges.reserved else ""
    cap = f" of {units(gauges.cap)}" if gauges.cap is not None else ""
    left = remaining(shot)
    parts = [
        f"{gauges.in_flight}{ceiling} in flight",
        f"{shot.in_doubt} in doubt" if shot.in_doubt else "",
        f"{shot.failed} failed" if shot.failed else "",
        str(shot.chains),
        f"{units(shot.spent)}{held}{cap} CU",
        not_told(shot.untold) if shot.untold else "",
        f"{shot.per_minute:.3g}/min" if shot.per_minute else "",
        f"{span(left)} left" if left else "",
        clean(gauges.note),
    ]
    return [part for part in parts if part]


def closing(shot: Snapshot) -> str:
    """Return the last line of a run."""
    parts = [told_with_chains(shot.stages, shot.chains, total=shot.total)]
    parts += [f"{units(shot.spent)} CU spent"] if shot.spent or not shot.untold else []
    parts += [not_told(shot.untold)] if shot.untold else []
    certainty = " (assumed)" if shot.assumed else ""
    parts += [f"{units(shot.refunded)} CU of it refunded{certainty}"] if shot.refunded else []
    return ", ".join(parts)


def line(at: float, job: Job, event: Event, record: Record) -> str | None:
    """Return the line for one event, None for those that say nothing to people."""
    said = happening(event, record)
    return None if said is None else f"{stamp(at)} {clean(job.id, 80)} {said}"


def happening(event: Event, record: Record) -> str | None:
    """Return what the event means."""
    return _paid_or_not(event, record) or _outcome(event, record)


def is_problem(event: Event) -> bool:
    """Tell the events that even a quiet run shows."""
    return isinstance(event, Failed | Refused | Canceled | Held | AnswerLost | Stopped | AssetsGone)


def _paid_or_not(event: Event, record: Record) -> str | None:
    match event:
        case Adopted():
            return f"found again as {clean(event.remote_id)}"
        case Accepted():
            cost = f", {units(event.charged)} CU" if event.charged is not None else ""
            return f"accepted as {clean(event.remote_id)}{cost}"
        case NotSent() | Deferred() | Stopped():
            return f"waiting: {clean(event.reason)}"
        case AnswerLost():
            return f"in doubt: {clean(event.reason)}"
        case ShownAbsent():
            return "was never accepted, will be sent again"
        case Held():
            return f"needs your decision: {clean(event.reason)}"
        case RetryAsked():
            return f"attempt {record.attempt} starts"
        case _:
            return None


def _outcome(event: Event, record: Record) -> str | None:
    match event:
        case Succeeded():
            count = len(event.asset_ids)
            if record.is_short:
                return f"succeeded, {count} of {record.expected} assets so far"
            return f"succeeded, {counted(count, 'asset')}"
        case OutputsGrew():
            return f"shows more assets: {len(record.asset_ids)} by now"
        case AssetsGone():
            return f"lost for good: {', '.join(map(clean, event.asset_ids))}"
        case Collected():
            return f"saved {', '.join(clean(file.path) for file in event.files)}" if event.files else None
        case Failed() | Refused() | Canceled():
            reason = clean(record.error)
            return type(event).__name__.lower() + (f": {reason}" if reason else "")
        case Abandoned() | WrittenOff():
            return f"given up: {clean(event.reason)}"
        case _:
            return _money(event)


def _money(event: Event) -> str | None:
    match event:
        case ChargeShown():
            return f"{units(event.charged)} CU charged, as the service shows, for {clean(event.remote_id)}"
        case RefundShown():
            return f"{units(event.refunded)} CU of {clean(event.remote_id)} refunded, as the service shows"
        case Rebound():
            return "gets its input anew: what came out of its parent was gone, and was sent again"
        case FilesMoved():
            return f"now lies at {', '.join(map(clean, event.paths.values()))}"
        case RedoAsked():
            return "is to be made again"
        case Restored():
            return "has again what it had before"
        case SubmitStarted() | _:
            return None
