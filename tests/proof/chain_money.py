"""Chains under caps: budgets that end in the middle of one, steps that are dearer at their door. By seed.

A world of its own beside that of the other seeds: few chains, and all that may happen to money and to runs.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from batchgen.engine.policy import Policy
from batchgen.identity import references_of
from batchgen.lifecycle import DONE, State, SubmitStarted
from batchgen.lineage import lineage_of
from batchgen.model import Job
from batchgen.planning.budget import committed
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import Limits, Outcomes
from tests.support.builders import make_earth, records_of
from tests.support.chains import CUT_OUT, QUOTES, UPSCALE, WHOLE, chain, charged, child, parent, purse
from tests.support.virtual import Earth, Run, Watching

SHARE = 0.05  # of all seeds
_STEPS = 3  # of a chain
_STUCK = frozenset({State.FAILED, State.CANCELED, State.REFUSED, State.HELD, State.ABANDONED})
_ENOUGH = 100_000  # compute units
_FAULTS = (Fault.CUT_AFTER, Fault.BAD_GATEWAY, Fault.CUT_BEFORE, Fault.THROTTLED)
_LOWER: tuple[Mapping[str, Decimal], ...] = (
    {},
    {},
    {CUT_OUT: Decimal(1)},
    {UPSCALE: Decimal(7)},
    {CUT_OUT: Decimal(1), UPSCALE: Decimal(9)},
)


def is_of_chain_money(seed: int) -> bool:
    """Return whether a seed plays this too."""
    return random.Random(f"batchgen proof {seed}, money of chains").random() < SHARE


@dataclass(frozen=True, kw_only=True)
class Story:
    """What happens in a seed.

    Attributes:
        jobs: what is wanted.
        cap: on all of it, compute units.
        lower: by model, what is said of its price before its input is there.
        whole: whether whole chains are reserved.
        cuts: for each run, before which append the process dies; None for a run that ends by itself.
        power: whether the power goes with it.
        retries: whether later runs try again what has failed.
    """

    jobs: tuple[Job, ...]
    cap: int
    lower: Mapping[str, Decimal]
    whole: bool
    cuts: tuple[int | None, ...]
    power: bool
    retries: bool
    failures: float
    ceiling: int | None
    in_flight: int
    faults: Mapping[Fault, float]


def story_of(seed: int) -> Story:
    """Draw a seed's story."""
    chance = random.Random(f"batchgen proof {seed}, chains under a cap")
    count = chance.randint(2, 5)
    jobs = [one for number in range(count) for one in chain(f"k{number}")]
    if chance.random() < 0.4:
        jobs.append(child("sheet", "k0", "k1-cut"))
    if chance.random() < 0.4:
        jobs.append(parent("single"))
    if chance.random() < 0.3:
        chance.shuffle(jobs)
    cuts = [chance.randint(1, 60) for _ in range(chance.randint(0, 3))]
    return Story(
        jobs=tuple(jobs),
        cap=chance.choice([WHOLE * chance.randint(1, count) + chance.randint(-2, 4), chance.randint(0, 90)]),
        lower=chance.choice(_LOWER),
        whole=chance.random() < 0.75,
        cuts=(*cuts, None),
        power=chance.random() < 0.5,
        retries=chance.random() < 0.5,
        failures=chance.choice([0.0, 0.0, 0.3]),
        ceiling=chance.choice([None, 1, 2, 50]),
        in_flight=chance.choice([1, 2, 50]),
        faults={one: chance.uniform(0, 0.15) for one in chance.sample(_FAULTS, chance.randint(0, 3))},
    )


@dataclass
class ChainMoney:
    """One batch under a cap.

    Attributes:
        wrong: what must not have happened.
    """

    seed: int
    wrong: list[str] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)

    def play(self) -> list[str]:
        """Play every run under the cap, and one with enough of everything, and judge each."""
        story = story_of(self.seed)
        over = make_earth(
            seed=self.seed,
            faults=FaultPlan(chances={Call.SUBMIT: story.faults}),
            limits=Limits(ceiling=story.ceiling),
            outcomes=Outcomes(failures=story.failures),
            duration=(1.0, 9.0),
        )
        for nth, cut in enumerate(story.cuts):
            self._run(over, story, cap=story.cap, cut=cut, retries=story.retries and nth > 0)
        self._note(over, story)
        for _ in range(2):  # what is in doubt at the end of the first may still be settled by the second
            self._run(over, story, cap=_ENOUGH, cut=None, retries=True)
        self.wrong += _left_undone(over, story)
        return [f"chains under a cap, {story}: {one}" for one in self.wrong]

    def _run(self, over: Earth, story: Story, *, cap: int, cut: int | None, retries: bool) -> None:
        watching = Watching(lambda: self._hold_against(over, cap, watching))
        Run(
            over,
            story.jobs,
            purse=purse(cap, before=story.lower, trust_refunds=False, whole_chains=story.whole),
            cut_at_append=cut,
            seed=self.seed,
            in_flight=story.in_flight,
            policy=Policy(attempts=2),
            retry_failed=retries,
            watching=watching,
        ).go()
        self.tally["runs of chains under a cap"] += 1
        if charged(over) > cap:
            self.wrong.append(f"{charged(over)} CU charged under a cap of {cap}")
        if cut is None and over.disk.reservations:
            self.wrong.append(f"a run ended, and is still kept: {over.disk.reservations}")
        if cut is not None and story.power:
            over.disk.lose_power()
        self.wrong += _unfed(over)
        if story.whole and not story.failures:
            self.wrong += _begun_in_vain(over, story, cap)

    def _hold_against(self, over: Earth, cap: int, watching: Watching) -> None:
        """Count at each intent what is charged, what is held and what is kept."""
        if isinstance(watching.events[-1][1], SubmitStarted):
            paid = sum((committed(one).gross for one in records_of(over).values()), Decimal(0))
            kept = sum((one.amount for one in over.disk.reservations.values()), Decimal(0))
            if paid + kept > cap:
                self.wrong.append(f"{paid} CU charged or held and {kept} kept under a cap of {cap}")

    def _note(self, over: Earth, story: Story) -> None:
        steps = Counter(one.split("-")[0] for one in _bought(over) if one.startswith("k"))
        self.tally["seeds of chains under a cap"] += 1
        partial = any(count < _STEPS for count in steps.values())
        self.tally["of those whose cap ends in the middle of a chain"] += partial
        self.tally["of those dearer at the door"] += bool(story.lower)


def _bought(over: Earth) -> list[str]:
    return [one.job.id for one in records_of(over).values() if one.job is not None and one.submissions]


def _unfed(over: Earth) -> Iterator[str]:
    """No child leaves without what its parents gave."""
    for _, event in over.disk.events:
        if isinstance(event, SubmitStarted) and not all(one.assets for one in references_of(event.job)):
            yield f"{event.job.id} left without its input"


def _begun_in_vain(over: Earth, story: Story, cap: int) -> Iterator[str]:
    """No chain is begun whose end the cap does not hold, as far as prices were known and nothing failed.

    Where one job goes into two chains, it is bought for the one that has begun, whatever the other costs. A
    job of no chain may be bought beside one that has become too dear.
    """
    held = any(
        one.state is State.HELD for one in records_of(over).values()
    )  # what it needs waits for a person
    if held or any(len(references_of(one)) > 1 for one in story.jobs):
        return
    needed = _needed(story.jobs, set(_bought(over)))
    said = {**QUOTES, **story.lower}  # before the inputs are there
    worth = sum(
        (said[one.model] for one in story.jobs if one.id in needed and one.id != "single"), Decimal(0)
    )
    if worth > cap:
        yield f"chains of {worth} CU were begun under a cap of {cap}"


def _needed(jobs: Sequence[Job], begun: set[str]) -> set[str]:
    """Return the jobs that are begun, and all that need one of them."""
    found = set(begun)
    while more := {
        one.id for one in jobs if one.id not in found and any(ref.job in found for ref in references_of(one))
    }:
        found |= more
    return found


def _left_undone(over: Earth, story: Story) -> Iterator[str]:
    """With enough money all is done, but what failed or needs a person, and what is behind that."""
    states = {one.job.id: one.state for one in records_of(over).values() if one.job is not None}
    lineage = lineage_of(story.jobs)
    stuck = {place for place, one in enumerate(story.jobs) if states.get(one.id) in _STUCK}
    excused = stuck | {behind for place in stuck for behind in lineage.descendants(place)}
    for place, one in enumerate(story.jobs):
        if place not in excused and states.get(one.id) not in DONE:
            yield f"{one.id} is not done with enough money: {states.get(one.id)}"
    if not story.failures and len(over.service.submissions) > len(story.jobs):
        yield f"{len(over.service.submissions)} submissions of {len(story.jobs)} jobs"
