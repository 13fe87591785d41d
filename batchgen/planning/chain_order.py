"""Whole chains, and the order in which a run buys them: begun ones first, the eldest at their head. Pure."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from batchgen.lifecycle import DONE, IN_FLIGHT, Record, State
from batchgen.lineage import Lineage
from batchgen.planning.lanes import is_unbought
from batchgen.planning.plan import Entry, Plan

_PAID = frozenset({*IN_FLIGHT, *DONE} - {State.HELD})


class ChainsToBuy(NamedTuple):
    """What is to be bought, chain by chain.

    Attributes:
        chains: the jobs of each, parents before their children; a job of no chain is one by itself.
        begun: how many of them, the first ones, are the rest of chains whose first steps are paid for.
    """

    chains: tuple[tuple[Entry, ...], ...]
    begun: int = 0


def is_paid(record: Record) -> bool:
    """Return whether a job is paid for, or may be, and what comes out of it may go into others."""
    return record.state in _PAID


def chains_to_buy(plan: Plan) -> ChainsToBuy:
    """Return the jobs that would be bought, in the order in which a run buys them."""
    if plan.lineage.is_empty:
        return one_by_one(plan)
    wanted = {one.key for one in plan.to_submit}
    left = {place for place, one in enumerate(plan.entries) if one.key in wanted} - out_of_reach(plan)
    places, beside = sorted(left), set[int]()

    def taken(place: int) -> tuple[int, ...]:
        """Take the steps of a chain beyond one of its jobs out of what is left."""
        found = steps_of(plan.lineage, place, lambda one: one in left or one in beside)
        steps = tuple(one for one in found.all if one in left)
        left.difference_update(steps)
        beside.update(found.beside)
        return steps

    begun: list[tuple[int, ...]] = []
    for place in eldest_first(plan.lineage, lambda place: plan.entries[place].record):
        steps = taken(place)
        begun += [steps] if steps else []
    new: list[tuple[int, ...]] = []
    for place in places:
        if place in left and not left.intersection(plan.lineage.parents.get(place, ())):
            left.discard(place)
            new.append((place, *taken(place)))
        elif place in beside and (steps := taken(place)):  # what needs it besides comes with its own intent
            new.append(steps)
    chains = (tuple(plan.entries[place] for place in steps) for steps in (*begun, *new))
    return ChainsToBuy(tuple(chains), len(begun))


def one_by_one(plan: Plan) -> ChainsToBuy:
    """Return the jobs that would be bought, each by itself."""
    return ChainsToBuy(tuple((one,) for one in plan.to_submit))


def out_of_reach(plan: Plan, closed: Collection[str] = ()) -> set[int]:
    """Return the places of jobs of chains that nobody buys now, and of all that need them.

    Args:
        plan: who feeds whom, and who is wanted.
        closed: models that may not be run.
    """
    found: set[int] = set()
    for place in plan.lineage.order if not plan.lineage.is_empty else ():
        one = plan.entries[place]
        if is_unbought(one) and (
            not one.wanted
            or one.job.model in closed
            or any(parent in found for parent in plan.lineage.parents.get(place, ()))
        ):
            found.add(place)
    return found


def eldest_first(lineage: Lineage, record_of: Callable[[int], Record]) -> list[int]:
    """Return the places of parents that are paid for, or may be, in the order of their first intents."""
    paid = {place: one for place in lineage.children if is_paid(one := record_of(place))}
    return sorted(paid, key=lambda place: (_begun_at(paid[place]), place))


class Steps(NamedTuple):
    """What belongs to a chain beyond one of its jobs, each once, parents before their children.

    Attributes:
        behind: the jobs that need it.
        beside: what these need besides, and is not bought: without it they are not bought either.
    """

    behind: tuple[int, ...]
    beside: tuple[int, ...]

    @property
    def all(self) -> tuple[int, ...]:
        """All of them: those beside first, for the others need them."""
        return self.beside + self.behind


def steps_of(lineage: Lineage, place: int, may: Callable[[int], bool]) -> Steps:
    """Return what belongs to a chain beyond a job.

    Args:
        lineage: who feeds whom.
        place: the job's.
        may: says which jobs are to be bought; what is reached only through others is left out with them.
    """
    behind = _reached([place], lineage.children, may)
    beside = _reached(behind, lineage.parents, lambda one: one != place and one not in behind and may(one))
    return Steps(_in_order(behind, lineage), _in_order(beside, lineage))


def _reached(
    places: Iterable[int], ways: Mapping[int, tuple[int, ...]], may: Callable[[int], bool]
) -> dict[int, None]:
    found: dict[int, None] = {}
    ahead = deque(one for place in places for one in ways.get(place, ()))
    while ahead:
        one = ahead.popleft()
        if one not in found and may(one):
            found[one] = None
            ahead.extend(ways.get(one, ()))
    return found


def _in_order(places: Iterable[int], lineage: Lineage) -> tuple[int, ...]:
    return tuple(sorted(places, key=lambda one: (lineage.depth.get(one, 0), one)))


def _begun_at(record: Record) -> float:
    if record.submissions:
        return record.submissions[0].at
    return record.intent_at or 0.0
