"""The engine as a run puts it together, over parts that are given: the only place that builds it here.

Start-up, progress, downloads, results and the report are left out; the journal is the real one, but in
virtual time, where it is the tests' in memory.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from batchgen.account import Identity
from batchgen.engine.limits.budget import BudgetGuard
from batchgen.engine.limits.ceiling import Ceiling
from batchgen.engine.limits.flow import Flow
from batchgen.engine.limits.gate import RateGate
from batchgen.engine.limits.pools import Pools
from batchgen.engine.policy import Policy, World
from batchgen.engine.runner import Runner
from batchgen.journal.file import JournalFile
from batchgen.lifecycle import Event, Record, State, Succeeded
from batchgen.model import (
    Asset,
    Job,
    JobKey,
    Model,
    Receipt,
    RemoteJob,
    RemoteStatus,
    Scope,
    Text,
)
from batchgen.pages import JobPage
from batchgen.planning.make_plan import make_plan
from batchgen.ports import Clock, Collector, Generator, Journal, Lease, LifelongLease, PacedGate
from batchgen.scenario.client import ScenarioClient
from batchgen.scenario.credentials import Credentials
from batchgen.scenario.http import HttpTransport
from batchgen.wiring.background import beside
from batchgen.wiring.clock import SystemClock
from batchgen.wiring.sync_thread import SyncThread
from bench.machine import sync_time
from bench.server import Numbers, serving
from bench.service import MODEL, Load
from bench.stands import standing_loop, stands_of

_DONE = frozenset({State.SUCCEEDED, State.COLLECTED})


@dataclass
class Noting:
    """An observer that remembers when the end of each submission was noticed, and does nothing else."""

    clock: Clock
    noticed_at: dict[str, float] = field(default_factory=dict)

    def recorded(self, key: JobKey, job: Job, event: Event, record: Record) -> None:
        del key, job
        if type(event) is Succeeded and record.submission is not None:
            self.noticed_at[record.submission.remote_id] = self.clock.now()

    def polled(self, job: Job, remote: RemoteJob) -> None: ...

    def warned(self, text: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a run of the engine is made of; ``in_flight`` is the user's bound, None for none."""

    jobs: Sequence[Job]
    scope: Scope
    generator: Generator
    gate: PacedGate
    journal: Journal
    clock: Clock
    collector: Collector | None = None
    in_flight: int | None = None
    purse: BudgetGuard = field(default_factory=BudgetGuard)
    seed: int = 0
    lease: Lease = field(default_factory=LifelongLease)


@dataclass(frozen=True, kw_only=True)
class Carried:
    """What a run of the engine came to.

    Attributes:
        wall: seconds by the loop's clock, from the plan in hand to the end.
        cpu: seconds of this process in them.
        done: jobs that the journal calls done.
        noticed_at: seconds since the epoch by remote id.
        stands: seconds for which each turn of the loop waited for something else than the processor,
            shortest first; empty where nobody measured it.
    """

    wall: float
    cpu: float
    done: int
    noticed_at: Mapping[str, float]
    stands: Sequence[float] = ()


async def carry(parts: Parts) -> Carried:
    """Run the engine over the parts; the gate runs already."""
    names = sorted({job.model for job in parts.jobs})
    models = {name: await parts.generator.model(name) for name in names}
    noting, chance = Noting(parts.clock), random.Random(parts.seed)
    runner = Runner(
        plan=make_plan(parts.jobs, parts.journal.records()),
        scope=parts.scope,
        models=models,
        world=World(
            generator=parts.generator,
            journal=parts.journal,
            collector=parts.collector,
            gate=parts.gate,
            clock=parts.clock,
            observer=noting,
            chance=chance,
            purse=parts.purse,
            lease=parts.lease,
        ),
        flow=Flow(pools=Pools(Ceiling(bound=parts.in_flight)), gate=parts.gate, chance=chance),
        policy=Policy(),
    )
    loop = asyncio.get_running_loop()
    wall, cpu = loop.time(), time.process_time()
    await runner.run()
    wall, cpu = loop.time() - wall, time.process_time() - cpu
    done = sum(record.state in _DONE for record in parts.journal.records().values())
    return Carried(wall=wall, cpu=cpu, done=done, noticed_at=noting.noticed_at)


def jobs_of(count: int) -> list[Job]:
    return [Job(id=f"job-{n}", prompt=f"a watch tower, number {n}", model=MODEL) for n in range(count)]


class SlowThread(SyncThread):
    """A thread that waits for a disk which takes some seconds more for each sync."""

    def __init__(self, more: float) -> None:
        super().__init__()
        self._more = more

    def start(self, sync: Callable[[], None]) -> asyncio.Future[None]:
        def slowly() -> None:
            time.sleep(self._more)
            sync()

        return super().start(slowly if self._more else sync)


def over_http(
    load: Load, count: int, folder: Path, in_flight: int | None = None, more: float = 0.0
) -> tuple[Carried, Numbers]:
    """Carry jobs through a lean service of their own; no rate holds them back.

    Args:
        load: how the service behaves.
        count: of the jobs.
        folder: of the journal.
        in_flight: the user's bound; None for none.
        more: seconds that each sync takes beside the disk's own; those that SQLite makes itself do not.
    """
    folder.mkdir(parents=True)
    with serving(load) as served, asyncio.Runner(loop_factory=standing_loop) as runner:
        carried = runner.run(_over_http(served.base_url, count, folder, in_flight, more))
        return replace(carried, stands=stands_of(runner.get_loop())), served.numbers()


async def _over_http(
    base_url: str, count: int, folder: Path, in_flight: int | None = None, more: float = 0.0
) -> Carried:
    scope, gate = Scope(origin=base_url, project="", batch="bench"), RateGate(None)
    with JournalFile.open(folder / "journal.db") as file, SlowThread(more) as thread, file.grouped(thread):
        async with (
            HttpTransport(base_url, Credentials(key="key", secret="secret")) as transport,
            beside(gate.run(), name="gate"),
        ):
            client = ScenarioClient(transport, gate, project=None)
            parts = Parts(
                jobs=jobs_of(count),
                scope=scope,
                generator=client,
                gate=gate,
                journal=file.batch(scope),
                clock=SystemClock(),
                in_flight=in_flight,
            )
            return await carry(parts)


class Instant:
    """A Generator in this process whose jobs have ended before anybody asks."""

    def __init__(self) -> None:
        self._submits = 0

    async def submit(self, model: str, body: str, *, may_leave: Callable[[], bool] | None = None) -> Receipt:
        del model, body, may_leave
        self._submits += 1
        return Receipt(job=_ended(f"job_{self._submits}"), charged=None)

    async def job(self, remote_id: str) -> RemoteJob:
        return _ended(remote_id)

    async def jobs(self, filters: Mapping[str, str], token: str | None = None) -> JobPage:
        del filters, token
        return JobPage(jobs=(), next_token=None)

    async def text(self, asset_id: str) -> Text | None:
        del asset_id
        return None

    async def identify(self) -> Identity | None:
        return None

    async def model(self, model_id: str) -> Model:
        return Model(id=model_id, name="Bench", inputs=())

    async def assets(self, asset_ids: Sequence[str]) -> Mapping[str, Asset]:
        del asset_ids
        return {}


def _ended(remote_id: str) -> RemoteJob:
    return RemoteJob(
        remote_id=remote_id, status=RemoteStatus.SUCCEEDED, word="success", asset_ids=("asset_1",)
    )


def without_service(count: int, folder: Path) -> tuple[Carried, float]:
    """Carry jobs with the engine and the journal alone; give the seconds of a sync of the same disk too."""
    folder.mkdir(parents=True)
    before = sync_time(folder)
    carried = asyncio.run(_without_service(count, folder))
    return carried, (before + sync_time(folder)) / 2


async def _without_service(count: int, folder: Path) -> Carried:
    scope, gate = Scope(origin="instant", project="", batch="bench"), RateGate(None)
    with JournalFile.open(folder / "journal.db") as file, SyncThread() as thread, file.grouped(thread):
        async with beside(gate.run(), name="gate"):
            parts = Parts(
                jobs=jobs_of(count),
                scope=scope,
                generator=Instant(),
                gate=gate,
                journal=file.batch(scope),
                clock=SystemClock(),
            )
            return await carry(parts)
