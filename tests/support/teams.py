"""Several batches of one account, each in a run of its own, at one service in virtual time.

Their journals are in memory, or one file that all of them have a connection of their own to.
"""

import asyncio
import random
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from batchgen.engine.limits.ceiling import Ceiling
from batchgen.engine.limits.flow import Flow
from batchgen.engine.limits.gate import RateGate
from batchgen.engine.limits.pools import Pools
from batchgen.engine.outcome import EngineOutcome
from batchgen.journal.file_store import FileStore
from batchgen.lifecycle import State
from batchgen.model import Job, Rate
from batchgen.planning.make_plan import make_plan
from batchgen.ports import CeilingMemory, Journal, SharedRoom
from batchgen.scenario.client import ScenarioClient
from batchgen.scenario.transport import Answer, Call
from batchgen.wiring.background import beside
from tests.support.assembly import make_runner, models_of
from tests.support.looped import virtual_loop
from tests.support.memory_journal import SCOPE
from tests.support.shared_account import Account
from tests.support.virtual import SEEDED, Earth, Shelves, VirtualTransport, Watching

_LOOK = 0.25  # seconds between samples
_REFUSED = 429
_DONE = frozenset({State.SUCCEEDED, State.COLLECTED})


@dataclass(frozen=True, kw_only=True)
class Team:
    """One batch, and when its run begins."""

    name: str
    jobs: int
    begins: float = 0.0
    rate: Rate | None = None

    @property
    def list(self) -> list[Job]:
        return [
            Job(id=f"{self.name}-{n}", prompt=f"a watch tower of {self.name}, number {n}", model=SEEDED)
            for n in range(self.jobs)
        ]


class Sample(NamedTuple):
    """How many jobs each batch had in flight at a moment, and how many wait; in the order of the teams."""

    at: float
    in_flight: tuple[int, ...]
    left: tuple[int, ...]


@dataclass
class Play:
    """What is played, and what came of it.

    Attributes:
        folder: of the file; None for journals in memory.
        shares: whether the runs know of each other.
        refused: when the service refused a job.
        requests: all that were sent.
    """

    earth: Earth
    teams: Sequence[Team]
    folder: Path | None = None
    shares: bool = True
    seed: int = 0
    account: Account = field(default_factory=Account)
    samples: list[Sample] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    requests: int = 0
    endings: dict[str, EngineOutcome] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    done: int = 0
    _flows: dict[str, Flow] = field(default_factory=dict)
    _journals: dict[str, Journal] = field(default_factory=dict)

    def go(self) -> "Play":
        with asyncio.Runner(loop_factory=virtual_loop) as runner, ExitStack() as held:
            runner.run(self._main(held))
        self.done = sum(
            record.state in _DONE for one in self._journals.values() for record in one.records().values()
        )
        return self

    async def _main(self, held: ExitStack) -> None:
        async with beside(self._sampled(), name="samples"), asyncio.TaskGroup() as group:
            for team in self.teams:
                group.create_task(self._run(team, held))

    async def _sampled(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            flying = tuple(self._in_flight(one) for one in self.teams)
            self.samples.append(
                Sample(asyncio.get_running_loop().time(), flying, tuple(map(self._left, self.teams)))
            )

    def _in_flight(self, team: Team) -> int:
        return len(self._flows[team.name].in_flight) if team.name in self._flows else 0

    def _left(self, team: Team) -> int:
        journal = self._journals.get(team.name)
        begun = [] if journal is None else journal.records().values()
        return team.jobs - sum(one.state is not State.PLANNED for one in begun)

    def _ports(self, team: Team, held: ExitStack) -> tuple[Journal, CeilingMemory, SharedRoom]:
        if self.folder is None:
            member = self.account.batch(team.name)
            return member.journal(), member, member
        scope = replace(SCOPE, batch=team.name)
        opened = held.enter_context(FileStore(self.folder).opened())
        return opened.batch(scope), opened.ceilings(scope), opened.room(scope)

    async def _run(self, team: Team, held: ExitStack) -> None:
        await asyncio.sleep(team.begins)
        chance = random.Random(f"{self.seed} {team.name}")
        gate = RateGate(team.rate)
        transport = VirtualTransport(self.earth, twist=self._noted)
        client = ScenarioClient(transport, gate, project=None, rng=chance)
        journal, memory, room = self._ports(team, held)
        self._journals[team.name] = journal
        async with beside(gate.run(), name="gate"):
            models = await models_of(team.list, client)
            pools = Pools(Ceiling(), memory=memory, clock=self.earth, room=room if self.shares else None)
            flow = self._flows[team.name] = Flow(pools=pools, gate=gate, chance=chance)
            runner = make_runner(
                make_plan(team.list, journal.records(), now=self.earth.now()),
                scope=replace(SCOPE, batch=team.name),
                models=models,
                generator=client,
                journal=journal,
                collector=Shelves(),
                gate=gate,
                clock=self.earth,
                observer=Watching(),
                chance=chance,
                flow=flow,
            )
            began = asyncio.get_running_loop().time()
            self.endings[team.name] = await runner.run()
            self.took[team.name] = asyncio.get_running_loop().time() - began
            pools.end()

    def _noted(self, call: Call, answer: Answer) -> Answer:
        del call
        self.requests += 1
        if answer.status == _REFUSED:
            self.refused.append(asyncio.get_running_loop().time())
        return answer
