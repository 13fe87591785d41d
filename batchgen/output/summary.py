"""All that a results manifest is made of, and what it sums up. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal

from batchgen.formats import moment, number
from batchgen.lifecycle import Record
from batchgen.model import Json, Refund
from batchgen.output.entries import Row, Status, status_of, without_signature
from batchgen.planning.chains import NO_CHAINS, ChainCount
from batchgen.planning.stages import counted_stages


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """All that a results manifest is made of.

    Attributes:
        batch: its name.
        manifest_path: as the user gave it.
        manifest_sha256: of the manifest's bytes, hexadecimal.
        rows: one a job, in manifest order.
        removed: records that the manifest names no longer.
        earlier: other editions of jobs that were redone, all but the newest.
        written_at: seconds since the epoch, UTC.
        reasons: why the run ended as it did, one sentence each.
        exit: the run's exit status; None while it runs.
        slot: of a batch that repeats; empty for one that does not.
        home: the folder of the slot's results, relative to the batch's; empty for one that does not repeat.
        undecided: the ids of the manifest's jobs that wait for a mark on another one, in its order.
        chains: by the id of each last job the ids on its way, parents first and without itself.
        progress: how far they are.
        rehearsal: whether the simulator made all of it.
    """

    batch: str
    manifest_path: str
    manifest_sha256: str
    rows: Sequence[Row]
    removed: Sequence[Row] = ()
    earlier: Sequence[Row] = ()
    written_at: float
    reasons: Sequence[str] = ()
    exit: int | None = None
    slot: str = ""
    home: str = ""
    undecided: Sequence[str] = ()
    chains: Mapping[str, Sequence[str]] = field(default_factory=dict)
    progress: ChainCount = NO_CHAINS
    rehearsal: bool = False


def summary(results: Results) -> dict[str, Json]:
    """Count. Statuses are those of the manifest's jobs; assets and money count what was removed too."""
    counted: Counter[Status] = Counter()
    records, files = list[Record | None](), 0
    redone: Counter[Status] = Counter()
    others: list[Row] = []
    for row in results.rows:  # made anew by every look
        counted[status_of(row)] += 1
        records.append(row.record)
        files += len(row.files)
        if row.redo is not None:
            redone[status_of(row.redo)] += 1
            others.append(row.redo)
    stages = _stages(records, alive=results.exit is None)
    shown = {row.key for row in results.rows} if results.earlier else set()
    others += [*results.removed, *(row for row in results.earlier if row.key not in shown)]
    records += [row.record for row in others]
    known = [one for one in records if one is not None]
    told: dict[str, Json] = {
        "jobs": len(results.rows),
        "statuses": {str(status): counted[status] for status in Status},
        "counts": stages,
        "assets": sum(len(one.asset_ids) for one in known),
        "files": files + sum(len(row.files) for row in others),
        "cost": _cost(known),
        "written_at": moment(results.written_at),
    }
    if (chains := results.progress).chains:
        told["chains"] = asdict(chains)
    if redone:
        told["redo"] = {str(status): count for status, count in redone.items()}
    if results.removed:
        told["removed"] = len(results.removed)
    if results.reasons:
        told["reasons"] = [without_signature(one) for one in results.reasons]
    if results.exit is not None:
        told["exit"] = results.exit
    return told


def _stages(records: Iterable[Record | None], *, alive: bool) -> dict[str, Json]:
    """Return how many of the manifest's jobs stand where, in the words of ``planning.stages``."""
    return {stage.replace(" ", "_"): count for stage, count in counted_stages(records, alive=alive).items()}


def _cost(records: Sequence[Record]) -> dict[str, Json]:
    """Add up in decimals; ``refunds`` says how it is known what came back."""
    paid = [one for record in records for one in record.submissions]
    net = (None if one.charged is None else one.charged - (one.refunded or Decimal(0)) for one in paid)
    untold = sum(one.charged is None for one in paid)
    return {
        "quoted": _total(record.quoted_in_all for record in records),
        "charged": _total(record.charged for record in records),
        "refunded": _total(record.refunded for record in records),
        "net": _total(net),
        "refunds": {
            str(kind): _total(one.refunded for one in paid if one.refund is kind)
            for kind in (Refund.ASSUMED, Refund.CONFIRMED)
        },
        **({"untold": untold} if untold else {}),
    }


def _total(amounts: Iterable[Decimal | None]) -> int | float | None:
    total = None
    for amount in amounts:  # a list of them would be as large as all else that is written
        if amount is not None:
            total = amount if total is None else total + amount
    return number(total)
