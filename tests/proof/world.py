"""One life of the program: the real engine, client and journal over the simulator's core, in virtual time.

The accidents happen here; whether what is left of a run is right is judged elsewhere, but for
what can be seen only while it happens: every POST is held against the journal as it arrives.
"""

import asyncio
import random
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from batchgen.app.background import beside
from batchgen.engine.ceiling import Ceiling
from batchgen.engine.ending import Ending
from batchgen.engine.flow import Flow
from batchgen.engine.gate import RateGate
from batchgen.engine.policy import World
from batchgen.engine.pools import Pools
from batchgen.engine.runner import Runner
from batchgen.errors import JournalError, NotSentError, ServiceError
from batchgen.journal.store import JournalFile
from batchgen.lifecycle import Event, Record, State, replay
from batchgen.model import Job, JobKey, RemoteJob
from batchgen.plan.plan import make_plan
from batchgen.ports import Journal
from batchgen.scenario.client import ScenarioClient
from batchgen.scenario.credentials import Credentials
from batchgen.scenario.transport import Answer, Call, LostAnswerError
from batchgen.scenario.verdicts import submit_verdict
from batchgen.simulator.draws import Draws
from batchgen.simulator.exchange import Fate, Request
from tests.proof.earth import Earth
from tests.proof.law import MAY_BE_PAID, Order, order_of
from tests.proof.mortality import Life, MortalJournal
from tests.proof.power import Mains
from tests.proof.recovery import rebuild, results_of
from tests.proof.scenario import JournalFate, Leg
from tests.support.looped import virtual_loop
from tests.support.memory_journal import MemoryJournal
from tests.support.virtual import SCOPE, Shelves

LONGEST = 12 * 3600.0  # seconds of virtual time in which a run must end
_PATIENCE = 120.0  # seconds that a client waits for an answer
_TRIES = 20
_HOP = 0.02  # seconds from here to the service
_UNANSWERED = frozenset({State.SUBMITTING, State.IN_DOUBT, State.RUNNING})


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
        reply = self._earth.arrive(request)
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
        if self._is_bought_already(order, equal):
            self._earth.wrong.append(f"bought again, though the service shows it: {order}")
        bound = self._earth.scenario.in_flight
        if bound is not None and sum(1 for one in records if one.state in _UNANSWERED) > bound:
            self._earth.wrong.append(f"more than {bound} in flight")

    def _is_bought_already(self, order: Order, equal: Sequence[State]) -> bool:
        """Tell whether the service shows more of it than is owned, doubted or was shown absent."""
        if not self._earth.scenario.honest:
            return False
        late = self._earth.late
        books = self._earth.books(self._journal.records(), list(self._journal.history()))
        shown = sum(1 for one in books.unowned() if order_of(one) == order and one.remote_id not in late)
        others = sum(state in MAY_BE_PAID for state in equal) - 1
        return shown > others + books.absences()[order]


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
        self.earth.meet(self.leg)
        if self.leg.journal is JournalFate.REBUILT and self.earth.results is not None:
            self._rebuild(self.earth.results)
        if self.earth.scenario.file:
            self._live_on_the_file(self.earth.folder / "journal.db")
            with JournalFile.open(self.earth.folder / "journal.db") as file:
                self._read(file.batch(SCOPE))
                if self.ending is not None:
                    now = self.earth.passed + self.earth.scenario.skew
                    self.earth.results = results_of(self.earth.folder, self.leg, file, self.ending, now)
            self.earth.keep_a_copy()
        else:
            self._live(MemoryJournal(self.earth.disk))
            if self.leg.power:
                self.earth.disk.lose_power()
            self._read(MemoryJournal(self.earth.disk))
        self._look_for_receipts()
        return self

    def _rebuild(self, told: str) -> None:
        """Do as a person does who is told to: try again while the service does not answer."""
        for _ in range(_TRIES):
            with (
                JournalFile.open(self.earth.folder / "journal.db") as file,
                asyncio.Runner(loop_factory=virtual_loop) as runner,
            ):
                earth = self.earth
                wire = Wire(earth, Life(Leg(jobs=self.leg.jobs)), file.batch(SCOPE))
                try:
                    seed = earth.scenario.seed
                    runner.run(rebuild(earth.folder, self.leg, file, told, wire, earth, seed))
                except ServiceError:
                    continue
                else:
                    return
                finally:
                    self.earth.passed += runner.get_loop().time() + 60.0
        self.earth.wrong.append(f"the journal could not be rebuilt in {_TRIES} tries")

    def _live_on_the_file(self, path: Path) -> None:
        mains, left = Mains(path), b""
        with JournalFile.open(path) as file:
            mains.sync()
            self._live(file.batch(SCOPE), on_sync=mains.sync if self.leg.power else None)
            if self.leg.power:
                left = mains.fail(random.Random(f"{self.earth.scenario.seed} {self.earth.passed}"))
        if self.leg.power:
            mains.come_back(left)

    def _look_for_receipts(self) -> None:
        """An answer that was read is on the disk, whatever came next."""
        owned = {one.remote_id for record in self.records.values() for one in record.submissions}
        bought = self._wire.bought if self._wire else []
        if not self.life.may_lose_receipts and (lost := set(bought) - owned):
            self.earth.wrong.append(f"answered and not recorded: {', '.join(sorted(lost))}")

    def _read(self, journal: Journal) -> None:
        self.records, self.history = dict(journal.records()), list(journal.history())

    def _live(self, journal: Journal, on_sync: Callable[[], None] | None = None) -> None:
        with asyncio.Runner(loop_factory=virtual_loop) as runner:
            try:
                runner.run(self._main(journal, on_sync or (lambda: None)))
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

    async def _main(self, inner: Journal, on_sync: Callable[[], None]) -> None:
        main = asyncio.current_task()
        assert main is not None
        self.life.begin(main.cancel)
        asyncio.get_running_loop().call_later(LONGEST, main.cancel)
        journal = MortalJournal(inner, self.life, self.earth.wrong, on_sync)
        gate = RateGate(self.earth.scenario.rate)
        async with beside(gate.run(), name="gate"):
            chance = random.Random(self.earth.scenario.seed)
            self._wire = Wire(self.earth, self.life, journal)
            client = ScenarioClient(self._wire, gate, project=None, rng=chance)
            for name in sorted({job.model for job in self.leg.jobs} - self.earth.models.keys()):
                self.earth.models[name] = await client.model(name)
            self.ending = await self._runner(client, journal, gate, chance).run()

    def _runner(
        self, client: ScenarioClient, journal: MortalJournal, gate: RateGate, chance: random.Random
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
            flow=Flow(pools=Pools(Ceiling(bound=self.earth.scenario.in_flight)), gate=gate, chance=chance),
            policy=self.earth.scenario.policy,
        )
