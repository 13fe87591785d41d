"""Chains as people read them: which steps they have, how far they are, and what keeps jobs from being bought.

Pure. A chain is named after its last job; the jobs on its way are all that one needs, however far back.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from batchgen.formats import counted, units
from batchgen.identity import references_of
from batchgen.lifecycle import DONE, State
from batchgen.lineage import Lineage
from batchgen.model import Job, JobKey
from batchgen.planning.lanes import Lane
from batchgen.planning.parent_assets import asks_which
from batchgen.planning.plan import Entry, Plan, may_be_retried
from batchgen.planning.stages import Stage, stage_of, told_stages
from batchgen.record import Record

_NAMED = 5  # jobs that a sentence names
_SAID_APART = 3  # parents that have a sentence each

Typed = Callable[..., str]  # gives a command on the batch as people type it: its name, and what follows


def ways_of(plan: Plan) -> dict[str, list[str]]:
    """Return the ids on the way to each last job, parents first and without itself, by its id."""
    entries, lineage = plan.entries, plan.lineage
    return {
        entries[last].job.id: [entries[one].job.id for one in lineage.ancestors(last)]
        for last in lineage.last
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class ChainCount:
    """How far the chains of a batch are.

    Attributes:
        chains, done: how many there are, and of how many the last job is done.
        steps, steps_done: how many jobs are in chains, and how many of these are done.
        waiting, blocked: how many of these are not bought as they wait for a parent, or a parent blocks them.
    """

    chains: int = 0
    done: int = 0
    steps: int = 0
    steps_done: int = 0
    waiting: int = 0
    blocked: int = 0

    def __str__(self) -> str:
        """Return it for people; empty where there is no chain."""
        return f"{self.done_of}, {self.steps_done} of {self.steps} steps" if self.chains else ""

    @property
    def done_of(self) -> str:
        """How many chains are done, for people."""
        return f"{self.done} of {self.chains} {'chain' if self.chains == 1 else 'chains'} done"


NO_CHAINS = ChainCount()


def told_with_chains(
    counts: Mapping[Stage, int], chains: ChainCount = NO_CHAINS, *, total: int | None = None
) -> str:
    """Return where jobs stand, for people, with how far their chains are; see ``told_stages``."""
    total = sum(counts.values()) if total is None else total
    all_steps = bool(chains.chains) and chains.steps == total
    told = told_stages(
        counts, total=total, waiting=chains.waiting, blocked=chains.blocked, are_steps=all_steps
    )
    return ", ".join(filter(None, [told, chains.done_of if all_steps else str(chains)]))


def count_chains(plan: Plan, *, to_buy: bool = False) -> ChainCount:
    """Count the chains of a plan, and their steps.

    Args:
        plan: whose.
        to_buy: of the jobs that wait or are blocked count those alone that are to be bought.
    """
    lineage = plan.lineage
    if lineage.is_empty:
        return NO_CHAINS
    steps = steps_of(lineage)
    done = {place for place in steps if is_done(plan.entries[place])}
    lanes = Counter(one.lane for place, one in plan.waits.items() if plan.entries[place].wanted or not to_buy)
    return ChainCount(
        chains=len(lineage.last),
        done=sum(place in done for place in lineage.last),
        steps=len(steps),
        steps_done=len(done),
        waiting=lanes[Lane.WAITING],
        blocked=lanes[Lane.BLOCKED],
    )


def steps_of(lineage: Lineage) -> frozenset[int]:
    """Return the places of the jobs that are in a chain."""
    return frozenset(lineage.parents) | frozenset(lineage.children)


def is_done(entry: Entry) -> bool:
    """Return whether a job has all that was wanted of it, as long as another one is wanted what it has."""
    return stage_of(entry.current.record) is Stage.DONE and not entry.vanished


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockedBy:
    """Jobs that are not bought as one job further back keeps them from it.

    Attributes:
        parent: that job.
        jobs: the ids of those that it blocks.
        why: what is wrong with it, beginning with its id.
    """

    parent: Entry
    jobs: tuple[str, ...]
    why: str

    @property
    def needs_a_decision(self) -> bool:
        """Whether a person has to decide about the parent, or has given it up."""
        return self.parent.record.state in {State.HELD, State.ABANDONED}

    def __str__(self) -> str:
        """Return how many are blocked and by what."""
        return f"{len(self.jobs)} blocked by {self._cause}"

    @property
    def _cause(self) -> str:
        name = self.parent.job.id
        rest = self.why.removeprefix(f"{name} ")
        return f"{name}: {rest}" if rest == self.why else f"{name}, which {rest}"

    def told(self, typed: Typed) -> str:
        """Return the same as a sentence, with what lets them go on."""
        count = "1 job is" if len(self.jobs) == 1 else f"{len(self.jobs)} jobs are"
        return f"{count} {self.reason(typed)}"

    def reason(self, typed: Typed) -> str:
        """Return why one of them is blocked, with what lets it go on."""
        is_gone = not self.why.startswith(f"{self.parent.job.id} ")
        way_on = _anew(self.parent) if is_gone else _way_on(self.parent, self.why, typed)
        return f"blocked by {self._cause}; {way_on}".removesuffix("; ")


def _anew(parent: Entry) -> str:
    return f"give {parent.job.id} another prompt, input or seed to buy it anew"


def _way_on(parent: Entry, why: str, typed: Typed) -> str:
    """Return what a person can do about a job that blocks others; empty where the reason says it."""
    record, name = parent.record, parent.job.id
    if record.state is State.HELD:
        return f"`{typed('resolve')}` decides"
    if record.state is State.ABANDONED:
        return _anew(parent)
    if record.state in DONE:
        if asks_which(why):
            one = typed("mark", "kept", name, "--asset", "0")
            return f"or keep exactly one of them: `{one}`, and no mark `kept` on the others"
        return "" if record.asset_ids else _anew(parent)
    if not may_be_retried(record):
        what = "what goes into it" if parent.job.prompt is None else "its prompt"
        return f"it was stopped by moderation, and would be again: change {what}"
    again = f"`{typed('retry', name)}` tries it again and frees what it blocks"
    return again if parent.stands is None else f"{again}; `{typed('restore', name)}` keeps what it had"


def blocked_told(found: Sequence[BlockedBy], typed: Typed) -> list[tuple[bool, str]]:
    """Return what blocks jobs as sentences, one for many that are blocked alike.

    Args:
        found: in the order of the manifest.
        typed: gives a command on the batch.

    Returns:
        Each with whether a person has to decide about the parents, or has given them up.
    """
    alike: dict[tuple[State, bool], list[BlockedBy]] = {}
    for one in found:
        record = one.parent.record
        alike.setdefault((record.state, may_be_retried(record)), []).append(one)
    told: list[tuple[bool, str]] = []
    for group in alike.values():
        decides = group[0].needs_a_decision
        if len(group) <= _SAID_APART:
            told += [(decides, one.told(typed)) for one in group]
        else:
            told.append((decides, _told_together(group, typed)))
    return told


def _told_together(group: Sequence[BlockedBy], typed: Typed) -> str:
    """Return one sentence for many parents; what is said of the first holds for each of its own."""
    first, jobs = group[0], sum(len(one.jobs) for one in group)
    names = ", ".join(one.parent.job.id for one in group[:_SAID_APART])
    head = f"{jobs} jobs are blocked by {len(group)} others ({names}, ...)"
    if may_be_retried(first.parent.record):
        return (
            f"{head}, which failed; `{typed('run', '--retry-failed')}` tries these again and frees the rest"
        )
    if first.parent.record.state is State.HELD:
        return f"{head}, which need your decision; `{typed('resolve')}` decides"
    return f"{head}; the first is {first.reason(typed)}"


def blocked_in(plan: Plan) -> list[BlockedBy]:
    """Return what blocks jobs that are to be bought, in the order of the manifest."""
    found: dict[tuple[int, str], list[str]] = {}
    for place in sorted(plan.waits):
        one, entry = plan.waits[place], plan.entries[place]
        if one.lane is Lane.BLOCKED and one.root is not None and entry.wanted:
            found.setdefault((one.root, one.why), []).append(entry.job.id)
    return [
        BlockedBy(parent=plan.entries[root], jobs=tuple(jobs), why=why) for (root, why), jobs in found.items()
    ]


def blocks_of(plan: Plan, place: int) -> BlockedBy | None:
    """Return what blocks a job; None where nothing does."""
    one = plan.waits.get(place)
    if one is None or one.root is None:
        return None
    return BlockedBy(parent=plan.entries[one.root], jobs=(plan.entries[place].job.id,), why=one.why)


def parents_of(
    job: Job, record: Record | None, names: Mapping[JobKey, str]
) -> tuple[tuple[str, str | None], ...]:
    """Return a job's parents as (id, asset id), each once, in the order of its inputs.

    What is on record counts, with the names that the parents have by now; of a job that was not bought it is
    what the manifest says, and no asset is bound yet.

    Args:
        job: as the manifest has it.
        record: what the journal says of it.
        names: the ids of the manifest's jobs by their keys.
    """
    bound = references_of(record.job) if record is not None and _is_bound(record) and record.job else ()
    found: dict[tuple[str, str | None], None] = {}
    for one in bound or references_of(job):
        name = names.get(one.key, one.job) if one.key is not None else one.job
        found.update(dict.fromkeys((name, asset) for asset in one.assets or (None,)))
    return tuple(found)


def made_of(job: Job, record: Record | None = None) -> str:
    """Return what a job is made of, for people: its parents with their assets; empty where it has none."""
    found = parents_of(job, record, {})
    return ", ".join(name if asset is None else f"{name} ({asset})" for name, asset in found)


def _is_bound(record: Record) -> bool:
    """Return whether something was, or may have been, sent for a job: then its inputs stay what they are."""
    return record.body is not None or bool(record.submissions)


def drawn(plan: Plan, names: Sequence[str]) -> list[str]:
    """Draw the chains of a plan by the entries of the manifest: ``knight (3) -> cut (3) -> big (3)``.

    Each entry at which chains end is a line, with how many jobs of which entries feed it; several on one step
    are joined by ``+``.

    Args:
        plan: whose.
        names: what the entry of each job is called, by the job's place.
    """
    ends: dict[str, list[int]] = {}
    for place in plan.lineage.last:
        ends.setdefault(names[place], []).append(place)
    return [_line(plan.lineage, places, names) for places in ends.values()]


def _line(lineage: Lineage, ends: Sequence[int], names: Sequence[str]) -> str:
    places, ahead = set(ends), list(ends)
    while ahead:
        new = [one for one in lineage.parents.get(ahead.pop(), ()) if one not in places]
        places.update(new)
        ahead += new
    counts = Counter(names[place] for place in places)
    step: dict[str, int] = {}
    for place in sorted(places):
        step[names[place]] = max(step.get(names[place], 0), lineage.depth.get(place, 0))
    steps: dict[int, list[str]] = {}
    for name in sorted(step, key=step.__getitem__):  # those of one step stay in the manifest's order
        steps.setdefault(step[name], []).append(f"{name} ({counts[name]:,})")
    return " -> ".join(" + ".join(one) for one in steps.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Outdated:
    """A child that was bought with an asset that its parent no longer has as its own.

    Attributes:
        child, parent: the jobs.
        assets: what it was bought with, and is the parent's no more.
        soon: whether that is so once the parent has been made again, which is wanted.
    """

    child: Entry
    parent: Entry
    assets: tuple[str, ...]
    soon: bool = False

    @property
    def cost(self) -> Decimal | None:
        """What the child has cost, compute units, and is likely to cost again; None where nobody has said."""
        return self.child.current.record.charged or self.child.current.record.quoted_in_all

    def __str__(self) -> str:
        """Return it for people, with what the child is likely to cost once more."""
        cost = "what it cost is not known" if self.cost is None else f"it has cost {units(self.cost)} CU"
        child, parent, assets = self.child.job.id, self.parent.job.id, ", ".join(self.assets)
        if self.soon:
            why = f"{child} was made of {assets}, and {parent} is made again"
        else:
            why = f"{child} was made of {assets}, which {parent} no longer has as its own"
        return f"{why}; no run makes it again for that, `batchgen redo` does ({cost})"


def outdated_in(plan: Plan, *, soon: bool = False) -> list[Outdated]:
    """Return the children that were bought with what is not their parents' any more.

    Args:
        plan: whose.
        soon: those too whose parents are being made again.
    """
    found: list[Outdated] = []
    for place in sorted(plan.lineage.parents):
        child, parents = plan.entries[place], plan.lineage.parents[place]
        record = child.current.record
        if child.stands is not None and child.record.state not in _NOTHING_CAME:
            continue  # it is made again
        if record.job is None or not _is_bound(record) or record.state in _NOTHING_CAME:
            continue
        named = {plan.entries[one].job.id: plan.entries[one] for one in parents}
        asked = references_of(child.job)
        for one, wanted in zip(references_of(record.job), asked, strict=False):
            parent = named.get(wanted.job)
            if parent is None or parent.current.record.state not in DONE:
                continue
            gone = tuple(asset for asset in one.assets if asset not in parent.current.record.asset_ids)
            if gone:
                found.append(Outdated(child=child, parent=parent, assets=gone))
            elif soon and parent.stands is not None and parent.record.state not in _NOTHING_CAME:
                found.append(Outdated(child=child, parent=parent, assets=one.assets, soon=True))
    return found


_NOTHING_CAME = frozenset({State.FAILED, State.REFUSED, State.CANCELED, State.ABANDONED})


def told_along(plan: Plan, *, retry: bool = False) -> str:
    """Return what is bought along with the jobs that a person means; empty where nothing is.

    Args:
        plan: with only these.
        retry: whether jobs are tried again, so that it is their children that go on.
    """
    ids = [one.job.id for one in plan.along]
    if not ids:
        return ""
    few = ids if len(ids) <= _NAMED + 1 else [*ids[:_NAMED], f"{len(ids) - _NAMED} more"]
    if retry:
        what = "1 job that waited goes" if len(ids) == 1 else f"{len(ids)} jobs that waited go"
        return f"{what} on: {', '.join(few)}"
    return f"{counted(len(ids), 'parent')} {'comes' if len(ids) == 1 else 'come'} along: {', '.join(few)}"
