"""What a look at a batch says of its chains: their steps, what waits, and what is out of date."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from batchgen.planning.chains import (
    NO_CHAINS,
    BlockedBy,
    ChainCount,
    Outdated,
    blocked_in,
    count_chains,
    drawn,
    outdated_in,
)
from batchgen.wiring.batch import Batch
from batchgen.wiring.options import Options

_VARIABLE = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ChainOutlook:
    """What a plan says of chains.

    Attributes:
        drawn: the steps, a line for the entries that feed one another.
        count: how far they are.
        blocked: what blocks jobs that are to be bought.
        outdated: the children that were bought with what is not their parents' any more.
    """

    drawn: tuple[str, ...] = ()
    count: ChainCount = NO_CHAINS
    blocked: tuple[BlockedBy, ...] = ()
    outdated: tuple[Outdated, ...] = field(default=())


def look_at_chains(options: Options, batch: Batch) -> ChainOutlook:
    """Return what a plan says of the chains of the jobs that are meant.

    Raises:
        JournalError: it cannot be read what was sent to the service.
    """
    asked = batch.plan.asked
    if batch.plan.lineage.is_empty:
        return ChainOutlook()
    names = _names_of_steps(batch)
    if asked is not batch.plan:
        names = [name for name, one in zip(names, batch.plan.entries, strict=True) if one.is_asked]
    return ChainOutlook(
        drawn=tuple(drawn(asked, names)),
        count=count_chains(asked, to_buy=True),
        blocked=tuple(blocked_in(batch.plan)),
        outdated=tuple(one for one in outdated_children(options, batch, soon=True) if one.child.selected),
    )


def outdated_children(options: Options, batch: Batch, *, soon: bool = False) -> list[Outdated]:
    """Return the children that were bought with what is not their parents' any more.

    What stands for an asset of the parent, as it was sent again from the disk, is the parent's.

    Raises:
        JournalError: it cannot be read what was sent.
    """
    found = outdated_in(batch.plan, soon=soon)
    if not found:
        return []
    hashes = sorted({file.sha256 for one in found for file in one.parent.current.record.files})
    with options.journal.uploads_to_read(origin=batch.scope.origin, project=batch.project) as records:
        sent = {one.asset_id for one in records.find(hashes).values()} if hashes else set()
    return [one for one in found if one.soon or not sent.issuperset(one.assets)]


def _names_of_steps(batch: Batch) -> list[str]:
    """Return what the entry of each job is called: its name, else what its ids have in common."""
    origins, previews = batch.manifest.origins, batch.manifest.previews
    owners = [origins[place] for place in range(len(batch.plan.entries))]
    entries = list({id(one): one for one in owners}.values())
    heads = [one.partition(": ")[0] for one in previews]
    if len(heads) != len(entries):
        heads = [one.name for one in entries]
    short = _unique(
        [one.name or _without_variables(head) for one, head in zip(entries, heads, strict=True)], heads
    )
    names = dict(zip(map(id, entries), short, strict=True))
    return [names[id(one)] for one in owners]


def _unique(names: Sequence[str], instead: Sequence[str]) -> list[str]:
    """Return the names, and something else for those that several share or that are empty."""
    counts = Counter(names)
    return [name if name and counts[name] == 1 else other for name, other in zip(names, instead, strict=True)]


def _without_variables(head: str) -> str:
    return _VARIABLE.sub("", head).strip("-_. ")
