"""Which jobs of a plan are bought where a person asks for some: what these need comes along. Pure."""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import replace

from batchgen.lifecycle import State
from batchgen.lineage import Lineage
from batchgen.planning.lanes import Lane
from batchgen.planning.plan import Entry, Plan, may_be_retried, places_of
from batchgen.planning.sampling import spread


def a_few_of(
    plan: Plan,
    *,
    limit: int | None = None,
    sample: int | None = None,
    origins: Sequence[Hashable] | None = None,
) -> Plan:
    """Leave only some of the jobs to be bought: the first ones, or some that are spread over all.

    Args:
        plan: of all.
        limit: how many of the first; None for all.
        sample: how many that are spread over entries, models and values; None for all.
        origins: for each entry of the plan what tells the manifest's entry that it comes from.

    A chain counts as one, its last job of those to be bought; what that one needs is bought along with it.
    """
    keys = {one.key for one in plan.to_submit}
    buying = places_of(plan.entries, lambda one: one.key in keys)
    fed = {parent for place in buying for parent in plan.lineage.parents.get(place, ())}
    wanted = ends = [place for place in buying if place not in fed]
    if sample is not None and sample < len(wanted):
        jobs = [plan.entries[place].job for place in wanted]
        known = [origins[place] if origins is not None else None for place in wanted]
        wanted = [wanted[place] for place in spread(jobs, known, sample)]
    if limit is not None:
        wanted = wanted[:limit]
    if len(wanted) == len(ends):
        return plan
    chosen = frozenset(wanted)
    along = _needed(plan.lineage, chosen, frozenset(buying))
    left = frozenset(buying) - chosen - along
    entries = tuple(
        replace(
            one,
            wanted=one.wanted and place not in left,
            along=place in along or (one.along and place not in left),
        )
        for place, one in enumerate(plan.entries)
    )
    return replace(plan, entries=entries)


def _needed(lineage: Lineage, meant: Collection[int], buying: Collection[int]) -> frozenset[int]:
    """Return what some jobs need that is to be bought, however far back, without themselves."""
    if lineage.is_empty:
        return frozenset()
    needed: set[int] = set()
    for place in reversed(lineage.order):
        if place in buying and (place in meant or place in needed):
            needed.update(parent for parent in lineage.parents.get(place, ()) if parent in buying)
    return frozenset(needed.difference(meant))


def _freed(plan: Plan, tried: Collection[int]) -> frozenset[int]:
    """Return the jobs that go on once some are tried again, and that have waited for nothing else."""
    lineage, freed = plan.lineage, set(tried)
    for place in () if lineage.is_empty else lineage.order:
        parents = lineage.parents.get(place, ())
        if freed.isdisjoint(parents) or plan.entries[place].record.state is not State.PLANNED:
            continue
        unbought = (one for one in parents if plan.entries[one].record.state is State.PLANNED)
        if plan.lane_of(place) is not Lane.BLOCKED and freed.issuperset(unbought):
            freed.add(place)
    return frozenset(freed.difference(tried))


def only_selected(plan: Plan, places: Collection[int], *, retry: bool = False) -> Plan:
    """Leave only some jobs to be bought or tried again.

    Args:
        plan: of all.
        places: of the jobs that are meant, among the manifest's and the removed ones behind them.
        retry: ask for another attempt at those that have failed, as far as that may be asked for.

    What they need and is not bought yet is bought along with them. The children of what is tried again go on.
    """
    meant, first = frozenset(places), len(plan.entries)
    tried = {one for one in meant if one < first and retry and may_be_retried(plan.entries[one].record)}
    if tried:
        again = (
            replace(one, retry=True) if place in tried else one for place, one in enumerate(plan.entries)
        )
        plan = replace(plan, entries=tuple(again))
    keys = {one.key for one in plan.to_submit}
    buying = frozenset(places_of(plan.entries, lambda one: one.key in keys))
    along = _freed(plan, tried) if retry else _needed(plan.lineage, meant, buying)

    names = {plan.entries[one].job.id for one in meant if one < first}
    names |= {plan.removed[one - first].job.id for one in meant if one >= first}

    def chosen(one: Entry, place: int) -> Entry:
        if place in meant:
            return one
        if place in along:
            return replace(one, selected=False, along=True)
        return replace(one, wanted=False, retry=False, selected=False)

    return replace(
        plan,
        entries=tuple(chosen(one, place) for place, one in enumerate(plan.entries)),
        removed=tuple(chosen(one, place) for place, one in enumerate(plan.removed, start=first)),
        earlier=tuple(replace(one, selected=one.job.id in names) for one in plan.earlier),
    )


def only_carried(plan: Plan) -> Plan:
    """Leave nothing to be bought or tried again: what is paid for is carried to its end."""
    return replace(plan, entries=tuple(replace(one, wanted=False, retry=False) for one in plan.entries))


def wrong_with_retry(plan: Plan, name: str) -> str | None:
    """Return why the job of this id, one of the plan's, cannot be tried again; None if it can."""
    entry = plan.by_id[name]
    if may_be_retried(entry.record):
        return None
    match entry.record.state:
        case State.FAILED | State.REFUSED | State.CANCELED:
            what = "what goes in" if entry.job.prompt is None else "its prompt"
            return f"{name!r} was stopped by moderation, and would be again; change {what}"
        case State.RUNNING:
            return f"{name!r} is paid for and still runs at the service"
        case State.SUBMITTING | State.IN_DOUBT | State.HELD:
            return f"{name!r} is in doubt: it may have been paid for; `batchgen resolve` decides"
        case State.PLANNED:
            return f"{name!r} has not failed: {_what_keeps(plan, name)}"
        case State.ABANDONED:
            return (
                f"{name!r} was given up for good; give the job another prompt, input or seed to buy it anew"
            )
        case State.SUCCEEDED | State.COLLECTED:
            return f"{name!r} has not failed: it is done"


def _what_keeps(plan: Plan, name: str) -> str:
    """Return what a job that is not bought waits for."""
    place = next(place for place, one in enumerate(plan.entries) if one.job.id == name)
    wait = plan.waits.get(place)
    if wait is None:
        return "a run submits it"
    if wait.root is None:
        return f"a run submits it, behind {', '.join(one.job.id for one in plan.waits_for(place))}"
    root = plan.entries[wait.root]
    told = f"it is blocked, for {wait.why}"
    return f"{told}; try {root.job.id!r} again" if may_be_retried(root.record) else told
