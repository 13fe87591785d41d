"""The real engine and client over the simulator's core in virtual time: minutes of rate take seconds.

Nothing waits on a socket or a disk, so that what comes out is the schedule alone.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from batchgen.engine.limits.budget import BudgetGuard
from batchgen.engine.limits.gate import RateGate
from batchgen.manifest.values import Budget
from batchgen.model import File, Job, Rate
from batchgen.output.urls import AssetUrls, spacing_at
from batchgen.scenario.client import ScenarioClient
from batchgen.scenario.transport import Answer, Call
from batchgen.simulator.exchange import Call as Kind
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Limits, Outcomes, Settings, Views
from batchgen.wiring.background import beside
from bench.engine import Carried, Parts, carry
from bench.service import kind_of
from tests.support.looped import virtual_loop
from tests.support.memory_journal import SCOPE, Disk, MemoryJournal
from tests.support.virtual import SEEDED, Earth, VirtualTransport

_NEVER = 1e9  # seconds by which a listing is behind that never shows anything
_PRICE = Decimal(4)
_TOOLS = ("model_birefnet-background-removal", "model_topaz-image-upscale")


@dataclass(frozen=True, kw_only=True)
class Virtual:
    """One run in virtual time.

    Attributes:
        low, high: seconds that a job takes.
        ceiling: the service's; None for any number.
        rate: the client's own pace; None for none.
        lists: whether the service's listings show anything.
        steps: of the chain that each job begins: what comes out goes into the next; 1 for none.
    """

    jobs: int
    low: float
    high: float
    ceiling: int | None
    rate: Rate | None = None
    lists: bool = True
    steps: int = 1


@dataclass(frozen=True, kw_only=True)
class Passed:
    """What it came to.

    Attributes:
        asked: when each request left, and its kind.
        lives: when each job was created and ended, in the order of acceptance.
        delays: seconds from the end of each job to the moment it was noticed, in the same order.
        chains: of each chain, in the manifest's order, the seconds that its steps took.
    """

    carried: Carried
    asked: list[tuple[float, str]]
    lives: list[tuple[float, float]]
    delays: list[float]
    chains: list[list[float]]

    @property
    def kinds(self) -> Counter[str]:
        return Counter(kind for _, kind in self.asked)

    @property
    def durations(self) -> list[float]:
        return [end - created for created, end in self.lives]


@dataclass
class _Counting:
    """A transport that remembers what went through it."""

    inner: VirtualTransport
    earth: Earth
    asked: list[tuple[float, str]] = field(default_factory=list)

    async def exchange(self, call: Call) -> Answer:
        self.asked.append((self.earth.now(), kind_of(call.method, f"/v1{call.path}", call.query)[0]))
        return await self.inner.exchange(call)


@dataclass(frozen=True)
class _Collecting:
    """Asks for the URLs of assets as a run does, and fetches no bytes: those are no requests to the API."""

    urls: AssetUrls

    async def collect(self, job: Job, asset_ids: Sequence[str]) -> tuple[File, ...]:
        for one in asset_ids:
            await self.urls.fresh(one)
        return tuple(
            File(asset_id=one, path=f"assets/{job.id}_{n}.png", bytes=1, sha256="00" * 32, mime="image/png")
            for n, one in enumerate(asset_ids)
        )


def virtually(case: Virtual) -> Passed:
    """Carry the jobs of a case from the plan to the last asset's URL."""
    views = Views() if case.lists else Views(listing_lag=(_NEVER, _NEVER))
    settings = Settings(duration=(case.low, case.high), limits=Limits(ceiling=case.ceiling), views=views)
    earth = Earth(service=Service(settings))
    transport = _Counting(VirtualTransport(earth), earth)
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        carried = runner.run(_carried(case, earth, transport))
    made = earth.service.submissions
    return Passed(
        carried=carried,
        asked=transport.asked,
        lives=[(one.created_at, one.end.at) for one in made],
        delays=[carried.noticed_at[one.remote_id] - one.end.at for one in made],
        chains=_chains(case, earth),
    )


async def _carried(case: Virtual, earth: Earth, transport: _Counting) -> Carried:
    gate = RateGate(case.rate)
    client = ScenarioClient(transport, gate, project=None, rng=random.Random(1))
    urls = AssetUrls(client, oldest=3600.0, spacing=spacing_at(case.rate))
    async with beside(gate.run(), name="gate"), beside(urls.serve(), name="urls"):
        parts = Parts(
            jobs=_jobs(case.jobs, case.steps),
            scope=SCOPE,
            generator=client,
            gate=gate,
            journal=MemoryJournal(earth.disk),
            clock=earth,
            collector=_Collecting(urls),
            seed=1,
        )
        return await carry(parts)


def _jobs(count: int, steps: int = 1) -> list[Job]:
    jobs = []
    for n in range(count):
        jobs.append(Job(id=_id(n, 0), prompt=f"a watch tower, number {n}", model=SEEDED))
        for step in range(1, steps):
            into = {"image": {"job": _id(n, step - 1)}}
            jobs.append(Job(id=_id(n, step), model=_TOOLS[step % len(_TOOLS)], params=into))
    return jobs


def _id(number: int, step: int) -> str:
    return f"job-{number}-{step}" if step else f"job-{number}"


def _chains(case: Virtual, earth: Earth) -> list[list[float]]:
    took = {one.remote_id: one.end.at - one.created_at for one in earth.service.submissions}
    records = MemoryJournal(earth.disk).records().values()
    by_id = {one.job.id: took[one.remote_id] for one in records if one.job and one.remote_id}
    return [[by_id[_id(n, step)] for step in range(case.steps)] for n in range(case.jobs)]


class _Quoted:
    """Prices as the service quotes them."""

    def price(self, job: Job) -> Decimal | None:
        del job
        return _PRICE

    def kind(self, job: Job) -> str:
        return job.model


def overshoot(seed: int) -> tuple[Decimal, int]:
    """Run once under a budget with faults drawn from the seed; give what is over it, and most in flight."""
    chance = random.Random(f"bench budget {seed}")
    lost = FaultPlan(
        chances={Kind.SUBMIT: {Fault.CUT_AFTER: 0.1, Fault.BAD_GATEWAY: 0.05, Fault.CUT_BEFORE: 0.05}}
    )
    settings = Settings(
        seed=seed,
        prices={SEEDED: _PRICE},
        faults=lost,
        duration=(1.0, 9.0),
        outcomes=Outcomes(failures=chance.choice([0.0, 0.3])),
    )
    count, cap = 80, Decimal(chance.randint(1, 340))
    earth = Earth(service=Service(settings), disk=Disk())
    purse = BudgetGuard(budget=Budget(total=cap, trust_refunds=False), prices=_Quoted())
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        runner.run(_spend(earth, _jobs(count), purse, seed))
    charged = sum((one.cost for one in earth.service.submissions), Decimal(0))
    return max(Decimal(0), charged - cap), earth.service.most_in_flight


async def _spend(earth: Earth, jobs: Sequence[Job], purse: BudgetGuard, seed: int) -> None:
    gate = RateGate(None)
    client = ScenarioClient(VirtualTransport(earth), gate, project=None, rng=random.Random(seed))
    async with beside(gate.run(), name="gate"):
        parts = Parts(
            jobs=jobs,
            scope=SCOPE,
            generator=client,
            gate=gate,
            journal=MemoryJournal(earth.disk),
            clock=earth,
            in_flight=50,
            purse=purse,
            seed=seed,
        )
        await carry(parts)


def overshoots(first: int, last: int) -> list[tuple[Decimal, int]]:
    """Do so for a range of seeds, both ends included."""
    return [overshoot(seed) for seed in range(first, last + 1)]
