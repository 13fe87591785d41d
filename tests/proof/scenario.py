"""What one seed stands for: a manifest and its edits, a service with its faults, accidents for each run.

Pure: equal seeds give equal scenarios, and a scenario prints itself. Nothing runs here.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from pprint import pformat

from batchgen.engine.policy import Policy
from batchgen.manifest.values import Budget
from batchgen.model import Job, Rate
from batchgen.reconcile.absence import DoubtPolicy, OnAbsent
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import Limits, Outcomes, Settings, Views
from tests.proof.acts import Act
from tests.proof.denials import Denial
from tests.proof.disks import SlowDisk
from tests.proof.lens import Lens
from tests.proof.names import Name
from tests.proof.pricing_plan import PricingPlan, Spending

SEEDED, SEEDLESS = "model_bfl-flux-1-dev", "model_imagen4-ultra"
LONG = "a long corridor with a door, " * 12  # more than the service shows of a text without a download

_SUBMIT_FAULTS = (
    Fault.CUT_BEFORE,
    Fault.CUT_AFTER,
    Fault.HANG_AFTER,
    Fault.ERROR_BEFORE,
    Fault.ERROR_AFTER,
    Fault.BAD_GATEWAY,
    Fault.UNAVAILABLE,
    Fault.TIMEOUT,
    Fault.REDIRECT,
    Fault.NO_JSON,
    Fault.THROTTLED,
    Fault.SLOW,
)
LOOK_FAULTS = (
    Fault.CUT_AFTER,
    Fault.HANG_AFTER,
    Fault.ERROR_AFTER,
    Fault.BAD_GATEWAY,
    Fault.UNAVAILABLE,
    Fault.NO_JSON,
    Fault.THROTTLED,
)


class Accident(StrEnum):
    """What ends a run early."""

    NONE = "none"
    AT_TIME = "cut at a moment"
    BEFORE_APPEND = "cut before an append"
    AFTER_APPEND = "cut after an append"
    BEFORE_POST = "cut before a POST arrives"
    AFTER_POST = "cut when a POST was acted on"
    AFTER_ANSWER = "cut at the first wait after the answer to a POST"
    FULL_DISK = "the disk is full from an append on"
    FULL_ONCE = "the disk has no room for one append"


class JournalFate(StrEnum):
    """What became of the journal since the run before."""

    KEPT = "kept"
    LOST = "the journal is lost"
    OLDER = "an older copy of the journal is put back"
    REBUILT = "the journal is lost and rebuilt from the results"


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One run of the command.

    Attributes:
        jobs: the manifest as it is then.
        accident: how the run ends early.
        nth: of the appends or POSTs of this run, from 1.
        at: seconds of the run, where the accident has a moment.
        steps: of the event loop after that moment.
        power: whether what was not synced is lost at its end.
        pause: seconds until the next run.
        journal: what becomes of it before the run.
        copied: share of its events that an older copy has.
        spending: what it may buy; None where nobody speaks of money.
        key: that it uses; empty for the service's first one.
        clock: seconds by which our clock is wrong in this run, beside the usual difference.
        step: a moment of the run, and seconds by which our clock is then set; None where nobody does.
        slot: what it works on; empty for a batch that does not repeat.
        name: what it is called; None in a seed in which that never changes.
        retry: whether what failed is asked for once more.
        accepts: whether a person lets changed jobs keep what was bought before.
        acts: what a person does with jobs that are done, before this run and while it goes on.
        disk: how slow it is; None where it takes no time.
    """

    jobs: tuple[Job, ...]
    accident: Accident = Accident.NONE
    nth: int = 1
    at: float = 0.0
    steps: int = 0
    power: bool = False
    pause: float = 1.0
    journal: JournalFate = JournalFate.KEPT
    copied: float = 0.0
    spending: Spending | None = None
    key: str = ""
    clock: float = 0.0
    step: tuple[float, float] | None = None
    slot: str = ""
    name: Name | None = None
    retry: bool = False
    accepts: bool = False
    acts: tuple[Act, ...] = ()
    disk: SlowDisk | None = None


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A job of somebody else, accepted just before a POST of ours arrives.

    Attributes:
        post: which one, counted over all runs from 1.
        job: what is asked for: often what we ask for too.
        person: whether it comes from a person and not from a key.
        same_batch: whether it is of a batch of our batch's name, so that its derived seed is ours.
    """

    post: int
    job: Job
    person: bool
    same_batch: bool


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One seed, drawn.

    Attributes:
        legs: the runs with their accidents; calm ones follow until nothing is left to do.
        visits: jobs of others.
        skew: seconds by which our clock is ahead of the service's.
        unsent: share of POSTs that never leave.
        file: whether the journal is the SQLite file and not the one in memory.
        market: how prices are told; None where nobody asks for them.
        lens: how the service shows what it has.
        last_key: that undisturbed runs use; empty for the service's first one.
        opened: what is otherwise than the guides suggest.
        denial: what the service denies for a while; None where it denies nothing.
    """

    seed: int
    settings: Settings
    policy: Policy
    legs: tuple[Leg, ...]
    visits: tuple[Visit, ...] = ()
    skew: float = 0.0
    unsent: float = 0.0
    in_flight: int | None = None
    rate: Rate | None = None
    file: bool = False
    market: PricingPlan | None = None
    lens: Lens = field(default_factory=Lens)
    last_key: str = ""
    opened: tuple[str, ...] = ()
    denial: Denial | None = None

    @property
    def honest(self) -> bool:
        """Whether listings lag by no more than the settling time allows for."""
        return self.settings.views.listing_lag[1] <= self.policy.doubt.settle / 3

    @property
    def loses_journals(self) -> bool:
        """Whether what the journal knew is forgotten at some point."""
        return any(leg.journal is not JournalFate.KEPT for leg in self.legs)

    @property
    def raised(self) -> Spending | None:
        """What the last runs may buy: more than all costs, or anything where prices are not all told."""
        if self.market is None:
            return None
        every_price = not (self.market.silent or self.market.mute) and not self.settings.faults.chances.get(
            Call.QUOTE
        )
        return Spending(budget=Budget(total=Decimal(100_000)) if every_price else Budget())

    @property
    def last_manifest(self) -> tuple[Job, ...]:
        return self.legs[-1].jobs

    def __str__(self) -> str:
        return pformat(self, width=140)


def draw_usual(seed: int, chance: random.Random) -> Scenario:
    """Draw what every seed has."""
    doubt = _doubt(chance)
    legs = _legs(chance)
    views = _views(chance, doubt)
    settings = Settings(
        seed=seed,
        duration=chance.choice([(0.5, 1.0), (4.0, 12.0), (20.0, 40.0)]),
        limits=_limits(chance),
        outcomes=_outcomes(chance, lagging=views.listing_lag[1] > 0),
        views=views,
        faults=_faults(chance),
    )
    return Scenario(
        seed=seed,
        settings=settings,
        policy=Policy(doubt=doubt, attempts=chance.choice([1, 1, 2, 3])),
        legs=legs,
        visits=_visits(chance, legs),
        skew=chance.choice([0.0, 0.0, chance.uniform(-900, 900)]),
        unsent=chance.choice([0.0, 0.0, 0.1]),
        in_flight=chance.choice([None, None, 1, 2, 4]),
        rate=chance.choice([None, Rate(count=100, seconds=60.0)]),
        file=chance.random() < 0.06,
    )


def _doubt(chance: random.Random) -> DoubtPolicy:
    settle, longest = chance.choice([(3.0, 9.0), (10.0, 30.0), (60.0, 600.0)])
    then = OnAbsent.HOLD if chance.random() < 0.1 else OnAbsent.RESUBMIT
    return DoubtPolicy(then=then, settle=settle, settle_max=longest)


def _limits(chance: random.Random) -> Limits:
    ceiling = chance.choice([None, None, 1, 2, 3, 5])
    cooldown = chance.choice([0.0, 0.0, 5.0, 60.0])
    return Limits(
        ceiling=ceiling,
        cooldown=cooldown if ceiling is not None else 0.0,
        cooldown_in_details=chance.random() < 0.5,
    )


def _outcomes(chance: random.Random, *, lagging: bool) -> Outcomes:
    return Outcomes(
        failures=chance.choice([0.0, 0.0, 0.2]),
        moderated=chance.choice([0.0, 0.5]),
        cancellations=chance.choice([0.0, 0.0, 0.1]),
        instant=chance.random() < 0.1 and not lagging,
        strange_word=chance.choice(["", "", "daydreaming"]),
    )


def _views(chance: random.Random, doubt: DoubtPolicy) -> Views:
    honest = doubt.settle / 3
    lag = chance.choice([0.0, 0.0, honest * chance.random(), honest])
    if chance.random() < 0.1:
        lag = doubt.settle * chance.uniform(0.5, 3.0)
    return Views(
        listing_lag=(chance.choice([0.0, lag]), lag),
        job_lag=chance.choice([0.0, 0.0, chance.uniform(0, 30)]),
        short_pages=chance.choice([0.0, 0.0, 0.5]),
        archived_after=chance.choice([None, None, 0.0, 5.0]),
        echo_defaults=chance.random() < 0.3,
        echo_floats=chance.random() < 0.3,
        echo_missing=chance.choice([0.0, 0.0, 0.0, 0.2, 1.0]),
    )


def _faults(chance: random.Random) -> FaultPlan:
    look: dict[Call, dict[Fault, float]] = {
        call: dict.fromkeys(chance.sample(LOOK_FAULTS, chance.choice([0, 0, 1, 2])), chance.uniform(0, 0.1))
        for call in (Call.JOB, Call.JOBS, Call.ASSETS, Call.MODEL)
    }
    some = chance.sample(_SUBMIT_FAULTS, chance.choice([0, 1, 2, 3]))
    submit = {fault: chance.uniform(0.0, 0.15) for fault in some}
    script = tuple(
        chance.choice(_SUBMIT_FAULTS) if chance.random() < 0.4 else None
        for _ in range(chance.choice([0, 2, 5]))
    )
    return FaultPlan(chances={Call.SUBMIT: submit, **look}, script={Call.SUBMIT: script})


@dataclass
class _Author:
    """Writes a manifest and edits it between runs."""

    chance: random.Random
    jobs: list[Job] = field(default_factory=list)
    gone: list[Job] = field(default_factory=list)
    named: int = 0

    def add(self) -> None:
        self.named += 1
        chance = self.chance
        model = chance.choice([SEEDED, SEEDLESS])
        prompt = LONG if chance.random() < 0.1 else f"a house, number {chance.randrange(5)}"
        params: dict[str, object] = {}
        if model == SEEDED and chance.random() < 0.4:
            params = {"width": 512, "guidance": chance.choice([3, 3.5])}
        if model == SEEDED and chance.random() < 0.15:
            params["seed"] = 7
        derive = chance.random() < 0.85
        job = Job(id=f"job-{self.named}", prompt=prompt, model=model, params=params, derive_seed=derive)
        if self.jobs and chance.random() < 0.25:
            job = replace(chance.choice(self.jobs), id=job.id)
        self.jobs.append(job)

    def edit(self) -> None:
        """Change one thing, as people do between runs."""
        chance, place = self.chance, self.chance.randrange(len(self.jobs))
        match chance.choice(["add", "remove", "rename", "reword", "back", "swap"]):
            case "add":
                self.add()
            case "remove" if len(self.jobs) > 1:
                self.gone.append(self.jobs.pop(place))
            case "rename":
                self.named += 1
                self.jobs[place] = replace(self.jobs[place], id=f"job-{self.named}")
            case "reword":
                self.jobs[place] = replace(self.jobs[place], prompt=f"a barn, number {chance.randrange(3)}")
            case "back" if self.gone:
                self.jobs.append(self.gone.pop())
            case _:
                self.jobs.reverse()


def _legs(chance: random.Random) -> tuple[Leg, ...]:
    author = _Author(chance)
    for _ in range(chance.choice([1, 2, 3, 4, 6, 9])):
        author.add()
    legs = []
    for _ in range(chance.choice([1, 2, 2, 3, 4])):
        legs.append(_leg(chance, tuple(author.jobs)))
        for _ in range(chance.choice([0, 0, 0, 1, 2])):
            author.edit()
    return tuple(legs)


def _leg(chance: random.Random, jobs: tuple[Job, ...]) -> Leg:
    return Leg(
        jobs=jobs,
        accident=chance.choice(tuple(Accident)),
        nth=min(1 + int(chance.expovariate(0.15)), 60),
        at=chance.choice([chance.uniform(0, 3), chance.uniform(0, 60)]),
        steps=chance.choice([0, 0, 1, 3, 10]),
        power=chance.random() < 0.4,
        pause=chance.choice([1.0, 1.0, 20.0, 900.0, 86_400.0]),
    )


def _visits(chance: random.Random, legs: Sequence[Leg]) -> tuple[Visit, ...]:
    jobs = [job for leg in legs for job in leg.jobs]
    return tuple(
        Visit(
            post=chance.randrange(1, 12),
            job=chance.choice(jobs),
            person=chance.random() < 0.3,
            same_batch=chance.random() < 0.5,
        )
        for _ in range(chance.choice([0, 0, 1, 3]))
    )
