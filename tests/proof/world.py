"""One life of the program: the real engine, client and journal over the simulator's core, in virtual time.

The accidents happen here; whether what is left of a run is right is judged elsewhere, but for
what can be seen only while it happens: every POST is held against the journal as it arrives.
"""

import asyncio
import math
import random
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import looptime

from batchgen.app.background import beside
from batchgen.engine.ceiling import Ceiling
from batchgen.engine.ending import Ending
from batchgen.engine.flow import Flow
from batchgen.engine.gate import RateGate
from batchgen.engine.policy import World
from batchgen.engine.runner import Runner
from batchgen.errors import JournalError, NotSentError, ServiceError
from batchgen.identity import compose_body, content_key, seed_for
from batchgen.journal.store import JournalFile
from batchgen.lifecycle import Event, Record, State, replay
from batchgen.model import Job, JobKey, Model, RemoteJob
from batchgen.plan.plan import make_plan
from batchgen.ports import Gate, Journal
from batchgen.scenario.client import ScenarioClient
from batchgen.scenario.credentials import Credentials
from batchgen.scenario.transport import Answer, Call, LostAnswerError
from batchgen.scenario.verdicts import submit_verdict
from batchgen.simulator.draws import Draws
from batchgen.simulator.exchange import Fate, Request
from batchgen.simulator.service import Service
from batchgen.simulator.submits import author_of
from tests.proof.law import Order, order_of
from tests.proof.mortality import Life, MortalJournal
from tests.proof.scenario import Leg, Scenario, Visit
from tests.support.memory_journal import Disk, MemoryJournal
from tests.support.virtual import EPOCH, SCOPE, Shelves

LONGEST = 12 * 3600.0  # seconds of virtual time in which a run must end
_PATIENCE = 120.0  # seconds that a client waits for an answer
_HOP = 0.02  # seconds from here to the service
_UNANSWERED = frozenset({State.SUBMITTING, State.IN_DOUBT, State.RUNNING})


@dataclass
class Earth:
    """What outlives a run: the service, the disk, the time of day, and what was seen to go wrong."""

    scenario: Scenario
    folder: Path
    service: Service = field(init=False)
    disk: Disk = field(default_factory=Disk)
    passed: float = EPOCH
    posts: int = 0
    models: dict[str, Model] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.service = Service(self.scenario.settings)

    @property
    def our_author(self) -> str:
        return author_of(self.scenario.settings)

    def service_time(self) -> float:
        # in whole milliseconds, as the service dates what it accepts: nothing ends before it began
        return math.floor((self.passed + asyncio.get_running_loop().time()) * 1000) / 1000

    def now(self) -> float:
        """Our own clock."""
        return self.passed + asyncio.get_running_loop().time() + self.scenario.skew

    def receive(self, visit: Visit, nth: int) -> None:
        """Let somebody else submit a job to the same service."""
        stranger = Service(replace(self.scenario.settings, key=f"stranger-{nth}", seed=1_000_003 + nth))
        job, model = visit.job, self.models.get(visit.job.model)
        scope = SCOPE if visit.same_batch else replace(SCOPE, batch="somebody else's")
        seed = seed_for(job, model, scope, JobKey(content_key(job)), 1) if model else None
        token = Credentials(key=f"stranger-{nth}", secret="secret").token
        stranger.handle(_post(job.model, compose_body(job, seed), token), self.service_time())
        for one in stranger.submissions:
            author = f"user_{nth}" if visit.person else one.author
            self.service.restore([replace(one, ordinal=len(self.service.submissions), author=author)])


def _post(model: str, body: str, token: str) -> Request:
    headers = {"authorization": f"Basic {token}", "content-type": "application/json"}
    return Request(method="POST", path=f"/v1/generate/custom/{model}", headers=headers, body=body.encode())


class Wire:
    """Carries calls to the core, and holds every POST against the journal as it arrives."""

    def __init__(self, earth: Earth, life: Life, journal: Journal) -> None:
        self._earth = earth
        self._life = life
        self._journal = journal
        self._chance = Draws(earth.scenario.seed)
        self._open: Counter[Order] = Counter()
        self.bought: list[str] = []
        token = Credentials(key=earth.scenario.settings.key, secret="secret").token
        self._headers = {"authorization": f"Basic {token}", "content-type": "application/json"}

    async def exchange(self, call: Call) -> Answer:
        if not call.once:
            return await self._carry(call)
        order = _sent_by(call)
        self._open[order] += 1
        try:
            return await self._carry(call)
        finally:
            self._open[order] -= 1

    async def _carry(self, call: Call) -> Answer:
        await asyncio.sleep(_HOP)
        self._life.check()
        if call.once:
            self._arrive(_sent_by(call))
        request = Request(
            method=call.method,
            path=f"/v1{call.path}",
            query=call.query,
            headers=self._headers,
            body=call.body or b"",
        )
        reply = self._earth.service.handle(request, self._earth.service_time())
        if call.once:
            self._life.after_post()
        if reply.fate is Fate.HUNG or reply.delay > _PATIENCE:
            await asyncio.sleep(_PATIENCE)
            raise LostAnswerError("no answer in time")
        await asyncio.sleep(reply.delay + _HOP)
        self._life.check()
        if reply.fate is Fate.CUT:
            raise LostAnswerError("the connection was cut")
        answer = Answer(status=reply.status, headers=reply.headers, body=reply.body)
        if call.once:
            self._note_what_was_bought(answer)
            self._life.after_answer()
        return answer

    def _note_what_was_bought(self, answer: Answer) -> None:
        try:
            self.bought.append(submit_verdict(answer).job.remote_id)
        except ServiceError:
            return

    def _arrive(self, order: Order) -> None:
        earth = self._earth
        earth.posts += 1
        self._hold_against_the_journal(order)
        self._life.before_post()
        for nth, visit in enumerate(earth.scenario.visits):
            if visit.post == earth.posts:
                earth.receive(visit, nth)
        if self._chance.chance(earth.scenario.unsent, "unsent", earth.posts):
            raise NotSentError("connection refused")

    def _hold_against_the_journal(self, order: Order) -> None:
        records = list(self._journal.records().values())
        equal = [record.state for record in records if order_of(record) == order]
        if equal.count(State.SUBMITTING) < self._open[order]:
            self._earth.wrong.append(f"a POST without its intent in the journal: {order}")
        bound = self._earth.scenario.in_flight
        if bound is not None and sum(1 for one in records if one.state in _UNANSWERED) > bound:
            self._earth.wrong.append(f"more than {bound} in flight")


def _sent_by(call: Call) -> Order:
    return Order(call.path.rsplit("/", 1)[-1], (call.body or b"").decode())


class Witness:
    """An observer that remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[tuple[JobKey, Event]] = []
        self.troubles: list[str] = []

    def noticed(self, key: JobKey, job: Job, event: Event, record: Record) -> None:
        del job, record
        self.events.append((key, event))

    def looked(self, job: Job, remote: RemoteJob) -> None: ...

    def troubled(self, text: str) -> None:
        self.troubles.append(text)


@dataclass
class Run:
    """One run, and what is left of it.

    Attributes:
        ending: None for a run that was cut, or that its disk or the service kept from running.
        took: seconds of virtual time.
        records, history: as the journal has them after the run, read anew.
    """

    earth: Earth
    leg: Leg
    ending: Ending | None = None
    broken: str = ""
    took: float = 0.0
    life: Life = field(init=False)
    witness: Witness = field(default_factory=Witness)
    records: Mapping[JobKey, Record] = field(default_factory=dict)
    history: list[tuple[JobKey, Event]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.life = Life(self.leg)
        self._wire: Wire | None = None

    def go(self) -> "Run":
        """Run to the end or to the accident, and read what is on the disk then."""
        if self.earth.scenario.file:
            with JournalFile.open(self.earth.folder / "journal.db") as file:
                self._live(file.batch(SCOPE))
            with JournalFile.open(self.earth.folder / "journal.db") as file:
                self._read(file.batch(SCOPE))
        else:
            self._live(MemoryJournal(self.earth.disk))
            if self.leg.power:
                self.earth.disk.lose_power()
            self._read(MemoryJournal(self.earth.disk))
        self._look_for_receipts()
        return self

    def _look_for_receipts(self) -> None:
        """An answer that was read is on the disk, whatever came next."""
        owned = {one.remote_id for record in self.records.values() for one in record.submissions}
        bought = self._wire.bought if self._wire else []
        if not self.life.may_lose_receipts and (lost := set(bought) - owned):
            self.earth.wrong.append(f"answered and not recorded: {', '.join(sorted(lost))}")

    def _read(self, journal: Journal) -> None:
        self.records, self.history = dict(journal.records()), list(journal.history())

    def _live(self, journal: Journal) -> None:
        with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
            try:
                runner.run(self._main(journal))
            except asyncio.CancelledError:
                self.ending = None
            except ServiceError as error:
                self.broken = str(error)
            except JournalError as error:
                self.broken = str(error)
                if not self.life.full:
                    self.earth.wrong.append(f"the journal would not take what happened: {error}")
            except BaseExceptionGroup as group:
                self.broken = "".join(traceback.format_exception(group))
                self.earth.wrong.append(f"the engine broke: {self.broken}")
            self.took = runner.get_loop().time()
        if self.took >= LONGEST:
            self.earth.wrong.append(f"a run did not end in {LONGEST:.0f} s")
        lived = journal.records()
        if replay(journal.history()) != lived:
            self.earth.wrong.append("the records are not what the history tells")
        self.earth.passed += self.took + self.leg.pause

    async def _main(self, inner: Journal) -> None:
        main = asyncio.current_task()
        assert main is not None
        self.life.begin(main.cancel)
        asyncio.get_running_loop().call_later(LONGEST, main.cancel)
        journal = MortalJournal(inner, self.life, self.earth.wrong)
        gate = RateGate(self.earth.scenario.rate)
        async with beside(gate.run(), name="gate"):
            chance = random.Random(self.earth.scenario.seed)
            self._wire = Wire(self.earth, self.life, journal)
            client = ScenarioClient(self._wire, gate, project=None, rng=chance)
            for name in sorted({job.model for job in self.leg.jobs} - self.earth.models.keys()):
                self.earth.models[name] = await client.model(name)
            self.ending = await self._runner(client, journal, gate, chance).run()

    def _runner(
        self, client: ScenarioClient, journal: MortalJournal, gate: Gate, chance: random.Random
    ) -> Runner:
        return Runner(
            plan=make_plan(self.leg.jobs, journal.records()),
            scope=SCOPE,
            models=self.earth.models,
            world=World(
                generator=client,
                journal=journal,
                collector=Shelves(),
                gate=gate,
                clock=self.earth,
                observer=self.witness,
                chance=chance,
            ),
            flow=Flow(ceiling=Ceiling(bound=self.earth.scenario.in_flight), gate=gate, chance=chance),
            policy=self.earth.scenario.policy,
        )
