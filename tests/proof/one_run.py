"""One life of the program: the real engine, client and journal over the simulator's core, in virtual time.

The accidents happen here; whether what is left of a run is right is judged elsewhere, but for
what can be seen only while it happens: every POST is held against the journal as it arrives.
"""

import asyncio
import random
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from batchgen.engine.limits.budget import BudgetGuard
from batchgen.engine.limits.gate import RateGate
from batchgen.engine.outcome import EngineOutcome
from batchgen.engine.runner import Runner
from batchgen.engine.together import carry_together
from batchgen.errors import BoughtByQuoteError, JournalError, ModelClosedError, ServiceError
from batchgen.journal.file import JournalFile
from batchgen.lifecycle import TERMINAL, Event, Record, RedoAsked, State, replay
from batchgen.model import JobKey
from batchgen.planning.choosing import a_few_of
from batchgen.planning.make_plan import make_plan, with_editions, with_vanished
from batchgen.planning.plan import Plan
from batchgen.ports import Journal
from batchgen.scenario.client import ScenarioClient
from batchgen.service_clock import ServiceClock
from batchgen.usecases.prices import RunPrices
from batchgen.usecases.quotes import quote_jobs
from batchgen.wiring.background import beside
from tests.proof.acts import Act, notes_of
from tests.proof.crashes import CrashingJournal, Life, NotedJournal
from tests.proof.disks import of_memory
from tests.proof.law import order_of
from tests.proof.person import settled
from tests.proof.places import scope_of
from tests.proof.power_loss import Mains
from tests.proof.pricing_plan import Spending
from tests.proof.recovery import rebuild, results_of
from tests.proof.scenario import JournalFate, Leg
from tests.proof.slots import AssetStore, Beside, OldJournal, open_others, read_all, scope_in, tagged
from tests.proof.wire import Wire, Witness
from tests.proof.world import Earth
from tests.support.assembly import make_flow, make_runner
from tests.support.looped import virtual_loop
from tests.support.memory_journal import Disk, MemoryJournal


def _nothing() -> None: ...


LONGEST = 12 * 3600.0  # seconds of virtual time in which a run must end
_TRIES = 20


@dataclass
class Run:
    """One run, and what is left of it.

    Attributes:
        ending: None for a run that was cut, or that its disk or the service kept from running.
        took: seconds of virtual time.
        records, history: as the journal has them after the run, read anew; of all slots.
        own: the records of this run's slot.
        before: the records as the run found them.
        began: by our clock.
        plan: that it began with; None where it did not come so far.
        results: that it wrote, where it came to its end on the SQLite file.
    """

    earth: Earth
    leg: Leg
    ending: EngineOutcome | None = None
    broken: str = ""
    took: float = 0.0
    life: Life = field(init=False)
    witness: Witness = field(default_factory=Witness)
    records: Mapping[JobKey, Record] = field(default_factory=dict)
    history: list[tuple[JobKey, Event]] = field(default_factory=list)

    own: Mapping[JobKey, Record] = field(default_factory=dict)
    before: Mapping[JobKey, Record] = field(default_factory=dict)
    began: float = 0.0
    plan: Plan | None = None
    results: str | None = None

    def __post_init__(self) -> None:
        self.life = Life(self.leg)
        self._wire: Wire | None = None
        self._spending = self.leg.spending or Spending()
        self.scope = scope_of(self.leg.name) if self.leg.name else scope_in(self.leg.slot)
        self._file: JournalFile | None = None
        self._lived_in: NotedJournal | None = None
        self._others: dict[str, OldJournal] = {}
        self._all: Mapping[str, Journal] = {}
        self._round: Plan | None = None
        self._ordered = False

    def key_of(self, key: JobKey) -> JobKey:
        """Name a job of this run's slot among those of all."""
        return tagged(self.leg.slot, key)

    @property
    def ended(self) -> float:
        """By our clock."""
        return self.began + self.took

    def go(self) -> "Run":
        """Run to the end or to the accident, and read what is on the disk then."""
        self.earth.meet(self.leg)
        if self.leg.name is not None:
            self.earth.places.prepare(self.leg.name)
        if self._spending.elsewhere:
            self.earth.spend_elsewhere(self._spending.elsewhere)
        if self.leg.journal is JournalFate.REBUILT and self.earth.results is not None:
            self._rebuild(self.earth.results)
        if self.earth.scenario.file:
            self._live_on_the_file(self.earth.folder / "journal.db")
            with JournalFile.open(self.earth.folder / "journal.db") as file:
                self.own = dict(file.batch(self.scope).records())
                self._look_for_reservations(file.batch(self.scope))
                self._read(file.batch(self.scope) if self.leg.name else read_all(file))
                if self.ending is not None and self.leg.name is not None:
                    self.earth.places.written(self.leg.name)
                elif self.ending is not None and not self.leg.slot:
                    now = self.earth.passed + self.earth.scenario.skew
                    self.results = results_of(self.earth.folder, self.leg, file, self.ending, now)
                    self.earth.results = self.results
            self.earth.keep_a_copy()
        else:
            self._live_in_memory(self.earth.disk)
            left = MemoryJournal(self.earth.disk)
            self._read(left)
            self._look_for_reservations(left)
            self.own = self.records
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
                wire = Wire(earth, Life(Leg(jobs=self.leg.jobs)), AssetStore({"": file.batch(self.scope)}))
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

    @property
    def _chance(self) -> random.Random:
        return random.Random(f"{self.earth.scenario.seed} {self.earth.passed}")

    @property
    def _has_kept_the_rest(self) -> bool:
        """Whether it has come to its end, and synced what nobody had waited for."""
        facts = self.life.facts
        return facts.are_shared and not (self.life.dead or facts.has_failed)

    def _live_in_memory(self, disk: Disk) -> None:
        if self.leg.disk is not None:
            disk.syncer = self.life.facts.syncer(self._chance, lambda: of_memory(disk))
        self._live(MemoryJournal(disk))
        disk.syncer = None
        if self._has_kept_the_rest:
            disk.synced = max(
                disk.synced, *(n for n, (_, one) in enumerate(disk.events, 1) if one.DURABLE), 0
            )
        if self.leg.power:
            there = self._chance.randint(0, len(disk.events) - disk.synced) if self.leg.disk else 0
            disk.lose_power(there)

    def _live_on_the_file(self, path: Path) -> None:
        mains, left = Mains(path), b""
        with JournalFile.open(path) as file, ExitStack() as stack:
            if self.leg.disk is not None:
                begin = mains.begin if self.leg.power else lambda: _nothing
                stack.enter_context(file.grouped(self.life.facts.syncer(self._chance, begin)))
            mains.sync()
            on_sync = mains.sync if self.leg.power else _nothing
            self._file = file
            if self.leg.slot:
                self.earth.begins(self.leg.slot)
                now = self.earth.now_before_a_run
                others = open_others(
                    path, self.leg.slot, stack, self.life, self.earth.wrong, on_sync, now=now
                )
                self._others = dict(others)
                self._all = read_all(file).journals
            self._live(file.batch(self.scope), on_sync=on_sync)
            if self._has_kept_the_rest:
                mains.sync()
            if self.leg.power:
                left = mains.fail(self._chance)
        if self.leg.power:
            mains.come_back(left)

    def _look_for_receipts(self) -> None:
        """An answer that was read is on the disk, whatever came next."""
        owned = {one.remote_id for record in self.records.values() for one in record.submissions}
        bought = self._wire.bought if self._wire else []
        if not self.life.may_lose_receipts and (
            lost := set(bought) - owned - self._lost_with_the_power(owned)
        ):
            self.earth.wrong.append(f"answered and not recorded: {', '.join(sorted(lost))}")

    def _lost_with_the_power(self, owned: AbstractSet[str]) -> set[str]:
        """Give the receipts that the power took before their sync had ended: their intents are there."""
        if not (self.leg.power and self.life.facts.are_shared):
            return set()
        waiting = Counter(order_of(one) for one in self.records.values() if one.state is State.SUBMITTING)
        charged = [one for one in self.earth.charged_in_all if one.remote_id not in owned]
        lost = Counter(map(order_of, charged))
        return {one.remote_id for one in charged if lost[order_of(one)] <= waiting[order_of(one)]}

    def _look_for_reservations(self, journal: Journal) -> None:
        """Nothing is kept for later steps when a run has come to its end."""
        if self.ending is not None and (left := journal.reservations()):
            self.earth.wrong.append(f"kept for later steps after the end: {dict(left)}")

    def _read(self, journal: Journal | AssetStore) -> None:
        self.records, self.history = dict(journal.records()), list(journal.history())

    def _live(self, journal: NotedJournal, on_sync: Callable[[], None] = _nothing) -> None:
        with asyncio.Runner(loop_factory=virtual_loop) as runner:
            try:
                runner.run(self._main(journal, on_sync))
            except asyncio.CancelledError:
                self.ending = None
            except (ServiceError, BoughtByQuoteError) as error:
                self.broken = str(error)
            except JournalError as error:
                self.broken = str(error)
                if not (self.life.full or self.life.facts.has_failed):
                    self.earth.wrong.append(f"the journal would not take what happened: {error}")
            except BaseExceptionGroup as group:
                self.broken = "".join(traceback.format_exception(group))
                self.earth.wrong.append(f"the engine broke: {self.broken}")
            self.took = runner.get_loop().time()
        if self.took >= LONGEST:
            self.earth.wrong.append(f"a run did not end in {LONGEST:.0f} s")
        journal = self._lived_in or journal
        lived = journal.records()
        if replay(journal.history()) != lived:
            self.earth.wrong.append("the records are not what the history tells")
        self.earth.till.process_ended()
        self.earth.passed += self.took + self.leg.pause

    async def _main(self, inner: NotedJournal, on_sync: Callable[[], None]) -> None:
        main = asyncio.current_task()
        assert main is not None
        self.life.begin(main.cancel)
        asyncio.get_running_loop().call_later(LONGEST, main.cancel)
        journal = CrashingJournal(inner, self.life, self.earth.wrong, on_sync)
        gate = RateGate(self.earth.scenario.rate)
        async with beside(gate.run(), name="gate"):
            chance = random.Random(self.earth.scenario.seed)
            shelf = AssetStore({**self._all, self.leg.slot: journal, **self._others})
            self._wire = Wire(self.earth, self.life, shelf, self._spending, self.witness)
            clock = ServiceClock(self.earth)
            client = self._client(None, gate, chance, clock)
            closed = await self._look_up_models(client)
            if self.leg.name is not None:
                client = await self._settle(journal, gate, chance, clock)
            self.before, self.began = dict(journal.records()), self.earth.now()
            self.earth.till.run_began = self.began
            for act in (one for one in self.leg.acts if one.at is None):
                self._do(act, self.earth.plan(self.leg, journal.records()), journal)
            self._order_acts(journal)
            await self._carry(journal, client, gate, clock, closed)
            # as a run does: what was ordered meanwhile, or was found, is gone on with in a round of its own
            while self._goes_on:
                self._ordered, self.leg = False, replace(self.leg, retry=False)
                self.witness.begin_a_round()
                await self._carry(journal, client, gate, clock, closed)

    async def _carry(
        self,
        journal: CrashingJournal,
        client: ScenarioClient,
        gate: RateGate,
        clock: ServiceClock,
        closed: dict[str, str],
    ) -> None:
        """Carry the batch once, as far as it goes."""
        journal.planned_with = dict(journal.records())
        plan = self.earth.plan(self.leg, journal.records())
        plan = a_few_of(plan, limit=self._spending.limit)
        plan = with_vanished(plan, self.earth.shelves.lost_of(journal.records()))
        self._round = plan
        self.plan = self.plan or plan
        purse, refused = await self._purse(client, plan)
        closed.update(refused)
        runner = self._runner(plan, purse, client, journal, gate, clock, closed)
        others = [self._of_other(runner, client, gate, clock, *one) for one in self._others.items()]
        settle = self.earth.scenario.policy.doubt.settle
        self.ending, _ = await carry_together(runner, others, settle=settle)

    def _do(self, act: Act, plan: Plan, journal: CrashingJournal) -> bool:
        """Put on record what a person asks for, and return whether that is anything."""
        notes = notes_of(act, plan, journal.records(), at=self.earth.now())
        for head, events in notes.items():
            asked = (JobKey(head.content, one.ordinal) for one in events if isinstance(one, RedoAsked))
            owned = (one.remote_id for record in journal.records().values() for one in record.submissions)
            before = frozenset(owned)
            for key in map(self.key_of, asked):
                self.earth.asked_at[key] = before
                self.earth.asked_in_all[key.content] += 1
        if notes:
            journal.append_to_all(notes)
            told = ((self.key_of(head), one) for head, events in notes.items() for one in events)
            self.witness.events.extend(told)
        return bool(notes)

    @property
    def _goes_on(self) -> bool:
        """Whether something was ordered, or found, that another plan goes on with."""
        ending = self.ending
        return ending is not None and not ending.is_stopped and (self._ordered or ending.anew)

    def _order_acts(self, journal: CrashingJournal) -> None:
        """Let a person order something of this run while it goes on."""

        def order(act: Act) -> None:
            if self._round is not None and not self.life.dead:
                plan = with_editions(self._round, journal.records())
                with suppress(JournalError, asyncio.CancelledError):  # told to who ordered it
                    self._ordered |= self._do(act, plan, journal)

        for act in self.leg.acts:
            if act.at is not None:
                asyncio.get_running_loop().call_later(act.at, order, act)

    def _client(
        self, project: str | None, gate: RateGate, chance: random.Random, clock: ServiceClock
    ) -> ScenarioClient:
        assert self._wire is not None
        return ScenarioClient(self._wire, gate, project=project, rng=chance, service_clock=clock)

    async def _settle(
        self, journal: CrashingJournal, gate: RateGate, chance: random.Random, clock: ServiceClock
    ) -> ScenarioClient:
        """Pass the guards, with what a person answers them, and go on under the name that comes of it."""
        assert self._file is not None
        assert self._wire is not None
        name, scope, wrong = await settled(
            self.earth.places,
            self.leg,
            self._file,
            lambda one: self._client(one, gate, chance, clock),
            self.earth,
        )
        self.earth.wrong += wrong
        self.leg, self.scope, self._wire.account = replace(self.leg, name=name), scope, name.account
        self._lived_in = self._file.batch(scope)
        journal.go_on_in(self._lived_in)
        return self._client(name.project, gate, chance, clock)

    def _of_other(
        self,
        main: Runner,
        client: ScenarioClient,
        gate: RateGate,
        clock: ServiceClock,
        slot: str,
        journal: OldJournal,
    ) -> Runner:
        """Carry what is paid for in another slot, and buy nothing there."""
        return make_runner(
            make_plan((), journal.records()),
            scope=scope_in(slot),
            generator=client,
            journal=journal,
            collector=self.earth.shelves,
            gate=gate,
            clock=self.earth,
            observer=Beside(self.witness, slot),
            chance=random.Random(self.earth.scenario.seed),
            sender=self.leg.key or self.earth.scenario.settings.key,
            service_clock=clock,
            flow=main.flow.beside(slot),
            policy=self.earth.scenario.policy,
        )

    async def _look_up_models(self, client: ScenarioClient) -> dict[str, str]:
        """Describe those that are not known yet, and give those that may not be used."""
        closed = {}
        for name in sorted({job.model for job in self.leg.jobs} - self.earth.models.keys()):
            try:
                self.earth.models[name] = await client.model(name)
            except ModelClosedError as error:
                closed[name] = str(error)
        return closed

    async def _purse(self, client: ScenarioClient, plan: Plan) -> tuple[BudgetGuard, Mapping[str, str]]:
        market = self.earth.scenario.market
        if market is None:
            return BudgetGuard(), {}
        began = asyncio.get_running_loop().time()
        jobs = [one.job for one in plan.entries if one.wanted and one.record.state not in TERMINAL]
        models, kept = self.earth.models, self.earth.prices
        quoted = await quote_jobs(client, jobs, models, store=kept, clock=self.earth)
        prices = RunPrices(quoted, began=began, generator=client, models=models, store=kept, clock=self.earth)
        zone = market.zone
        purse = BudgetGuard(budget=self._spending.budget, prices=prices, questions=prices, zone=zone)
        return purse, quoted.closed

    def _runner(
        self,
        plan: Plan,
        purse: BudgetGuard,
        client: ScenarioClient,
        journal: CrashingJournal,
        gate: RateGate,
        clock: ServiceClock,
        closed: Mapping[str, str],
    ) -> Runner:
        chance = random.Random(self.earth.scenario.seed)
        return make_runner(
            plan,
            scope=self.scope,
            models=self.earth.models,
            generator=client,
            journal=journal,
            collector=self.earth.shelves,
            gate=gate,
            clock=self.earth,
            observer=self.witness,
            chance=chance,
            purse=purse,
            sender=self.leg.key or self.earth.scenario.settings.key,
            service_clock=clock,
            flow=make_flow(gate, in_flight=self.earth.scenario.in_flight, chance=chance),
            policy=replace(
                self.earth.scenario.policy,
                most_failures=self._spending.most_failures,
                slot_began=self.earth.slots.get(self.leg.slot),
                listings=not (self.earth.denial and self.earth.denial.allowed),
            ),
            closed=closed,
        )
