"""The real engine and the real client over the simulator's core, in virtual time.

There is no socket and no file: the transport hands requests to the core as values, and the
journal is the one in memory. A run can be cut at any moment or at any event.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from batchgen.engine.limits.budget import BudgetGuard
from batchgen.engine.limits.gate import RateGate
from batchgen.engine.outcome import EngineOutcome
from batchgen.engine.policy import Policy
from batchgen.engine.runner import Runner
from batchgen.engine.settings import RunSettings
from batchgen.errors import NotSentError
from batchgen.lifecycle import Event, Record
from batchgen.model import Acceptance, File, Job, JobKey, Model, Rate, RemoteJob
from batchgen.planning.make_plan import make_plan, with_vanished
from batchgen.planning.plan import Plan
from batchgen.ports import Collector, Gate, Uploader
from batchgen.scenario.client import ScenarioClient
from batchgen.scenario.credentials import Credentials
from batchgen.scenario.transport import Answer, Call, LostAnswerError
from batchgen.service_clock import ServiceClock
from batchgen.simulator.exchange import Fate, Reply, Request
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Settings
from batchgen.wiring.background import beside
from tests.support.assembly import make_flow, make_runner, models_of
from tests.support.looped import virtual_loop
from tests.support.memory_journal import SCOPE, Disk, MemoryJournal

EPOCH = 1_800_000_000.0
SEEDED, SEEDLESS = "model_bfl-flux-1-dev", "model_imagen4-ultra"
Twist = Callable[[Call, Answer], Answer]  # what comes back instead of the answer to a call


@dataclass
class Earth:
    """What outlives a run: the service, the disk and the time of day."""

    service: Service = field(default_factory=lambda: Service(Settings()))
    disk: Disk = field(default_factory=Disk)
    clock_offset: float = EPOCH

    def now(self) -> float:
        """Return the time of day, which stands still between runs."""
        try:
            return self.clock_offset + asyncio.get_running_loop().time()
        except RuntimeError:
            return self.clock_offset


class VirtualTransport:
    """Carries calls to the core; a hang lasts as long as the client's own timeout."""

    def __init__(
        self,
        earth: Earth,
        *,
        key: str = "key",
        hop: float = 0.02,
        patience: float = 120.0,
        twist: Twist | None = None,
    ) -> None:
        self._earth = earth
        self._twist = twist
        self._hop = hop
        self._patience = patience
        self._headers = headers_of(key)

    async def exchange(self, call: Call) -> Answer:
        look_before(call)
        await asyncio.sleep(self._hop)
        reply = self._earth.service.handle(request_of(call, self._headers), self._earth.now())
        answer = await received(reply, hop=self._hop, patience=self._patience)
        return answer if self._twist is None else self._twist(call, answer)


def look_before(call: Call) -> None:
    """Ask whether a call may leave, as whatever carries it does in the moment of the write."""
    if call.may_leave is not None and not call.may_leave():
        raise NotSentError("the right to buy had run out before the request left")


def headers_of(key: str) -> dict[str, str]:
    token = Credentials(key=key, secret="secret").token
    return {"authorization": f"Basic {token}", "content-type": "application/json"}


def request_of(call: Call, headers: Mapping[str, str]) -> Request:
    return Request(
        method=call.method, path=f"/v1{call.path}", query=call.query, headers=headers, body=call.body or b""
    )


async def received(reply: Reply, *, hop: float, patience: float) -> Answer:
    """Wait for an answer as a client does, who gives up when its patience ends."""
    if reply.fate is Fate.HUNG or reply.delay > patience:
        await asyncio.sleep(patience)
        raise LostAnswerError("no answer in time")
    await asyncio.sleep(reply.delay + hop)
    if reply.fate is Fate.CUT:
        raise LostAnswerError("the connection was cut")
    return Answer(status=reply.status, headers=reply.headers, body=reply.body)


class Watching:
    """An observer that remembers, and looks at the run at every event if asked to."""

    def __init__(self, at_event: Callable[[], None] | None = None) -> None:
        self.events: list[tuple[JobKey, Event]] = []
        self.troubles: list[str] = []
        self._at_event = at_event

    def recorded(self, key: JobKey, job: Job, event: Event, record: Record) -> None:
        del job, record
        self.events.append((key, event))
        if self._at_event is not None:
            self._at_event()

    def polled(self, job: Job, remote: RemoteJob) -> None: ...

    def warned(self, text: str) -> None:
        self.troubles.append(text)


@dataclass
class Shelves:
    """A collector that takes a moment and keeps no bytes, but remembers what it was asked for."""

    kept: set[str] = field(default_factory=set)

    async def collect(self, job: Job, asset_ids: Sequence[str]) -> tuple[File, ...]:
        await asyncio.sleep(0.05)
        self.kept.update(asset_ids)
        return tuple(
            File(asset_id=one, path=f"assets/{job.id}_{n}.png", bytes=1, sha256="00" * 32, mime="image/png")
            for n, one in enumerate(asset_ids)
        )


@dataclass
class Run:
    """One run of the program over an earth."""

    earth: Earth
    jobs: Sequence[Job]
    rate: Rate | None = None
    in_flight: int | None = None
    policy: Policy = field(default_factory=Policy)
    cut_at: float | None = None
    cut_at_append: int | None = None
    seed: int = 0
    key: str = "key"
    purse: BudgetGuard = field(default_factory=BudgetGuard)
    accepted: Mapping[Acceptance, JobKey] = field(default_factory=dict)
    retry_failed: bool = False
    hop: float = 0.02
    twist: Twist | None = None
    command: Callable[[Runner], None] | None = None
    collector: Collector = field(default_factory=Shelves)
    uploader: Uploader | None = None
    vanished: Collection[JobKey] = ()
    ending: EngineOutcome | None = None
    watching: Watching = field(default_factory=Watching)
    took: float = 0.0
    most_tasks: int = 0

    def go(self) -> "Run":
        """Run to the end or to the cut; ``ending`` is None if it was cut."""
        self.earth.disk.revive(self.cut_at_append)
        with asyncio.Runner(loop_factory=virtual_loop) as runner:
            try:
                runner.run(self._main())
            except asyncio.CancelledError:
                self.ending = None
            loop = runner.get_loop()
            self.earth.clock_offset += loop.time() + 1.0
        return self

    async def _main(self) -> None:
        main = asyncio.current_task()
        assert main is not None
        self.earth.disk.on_death = main.cancel
        if self.cut_at is not None:
            asyncio.get_running_loop().call_later(self.cut_at, self.earth.disk.die)
        began = asyncio.get_running_loop().time()
        gate = RateGate(self.rate)
        async with beside(gate.run(), name="gate"):
            self.ending = await self._runner(gate, await self._models(gate)).run()
        self.took = asyncio.get_running_loop().time() - began

    async def _models(self, gate: Gate) -> dict[str, Model]:
        client = ScenarioClient(VirtualTransport(self.earth, key=self.key), gate, project=None)
        return await models_of(self.jobs, client)

    def _plan(self, journal: MemoryJournal) -> Plan:
        return make_plan(
            self.jobs,
            journal.records(),
            accepted=self.accepted,
            retry_failed=self.retry_failed,
            now=self.earth.now(),
        )

    def _runner(
        self, gate: RateGate, models: dict[str, Model], settings: RunSettings | None = None
    ) -> Runner:
        chance = random.Random(self.seed)
        journal = MemoryJournal(self.earth.disk)
        transport = VirtualTransport(self.earth, key=self.key, hop=self.hop, twist=self.twist)
        clock = ServiceClock(self.earth)
        client = ScenarioClient(transport, gate, project=None, rng=chance, service_clock=clock)
        runner = make_runner(
            with_vanished(self._plan(journal), self.vanished),
            scope=SCOPE,
            models=models,
            generator=client,
            journal=journal,
            collector=self.collector,
            gate=gate,
            clock=self.earth,
            observer=self.watching,
            chance=chance,
            purse=self.purse,
            sender=self.key,
            service_clock=clock,
            flow=make_flow(gate, in_flight=self.in_flight, chance=chance),
            policy=self.policy,
            settings=settings,
            uploader=self.uploader,
        )
        if self.command is not None:
            self.command(runner)
        return runner
