"""Several slots side by side: what is paid for in the others is carried, and nothing is bought there."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from batchgen.engine.limits.flow import Flow
from batchgen.engine.limits.gate import RateGate
from batchgen.engine.outcome import EngineOutcome
from batchgen.engine.policy import Policy
from batchgen.engine.runner import Runner
from batchgen.engine.together import carry_together
from batchgen.errors import JournalError
from batchgen.identity import content_key
from batchgen.journal.file import JournalFile
from batchgen.lifecycle import Event, Record, State, SubmitStarted
from batchgen.model import Job, JobKey, Model
from batchgen.planning.make_plan import make_plan
from batchgen.planning.yields import YOUNG
from batchgen.reconcile.absence import DoubtPolicy
from batchgen.scenario.client import ScenarioClient
from batchgen.simulator.exchange import Call as Asked
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import Outcomes, Views
from batchgen.wiring.background import beside
from tests.support.assembly import make_flow, make_runner, models_of
from tests.support.builders import make_earth, make_jobs
from tests.support.looped import virtual_loop
from tests.support.memory_journal import SCOPE
from tests.support.virtual import SEEDED, SEEDLESS, Earth, Shelves, VirtualTransport, Watching

MONDAY, TUESDAY = (replace(SCOPE, slot=day) for day in ("monday", "tuesday"))
DOUBT = DoubtPolicy(settle=6.0, settle_max=60.0)


@dataclass
class Week:
    """A file with slots, over a service."""

    path: Path
    earth: Earth = field(default_factory=Earth)
    policy: Policy = field(default_factory=lambda: Policy(doubt=DOUBT))
    in_flight: int | None = None
    watching: Watching = field(default_factory=Watching)

    def run(self, slot: str, jobs: Sequence[Job], *, cut_at: float | None = None) -> EngineOutcome | None:
        """Run one slot and carry the others; None where the process was cut."""
        with asyncio.Runner(loop_factory=virtual_loop) as runner:
            try:
                return runner.run(self._main(slot, jobs, cut_at))
            except asyncio.CancelledError:
                return None
            finally:
                self.earth.clock_offset += runner.get_loop().time() + 1.0

    def states(self, slot: str) -> list[State]:
        with JournalFile.open(self.path) as file:
            return [one.state for one in file.batch(replace(SCOPE, slot=slot)).records().values()]

    async def _main(self, slot: str, jobs: Sequence[Job], cut_at: float | None) -> EngineOutcome:
        main = asyncio.current_task()
        assert main is not None
        if cut_at is not None:
            asyncio.get_running_loop().call_later(cut_at, self._cut, main)
        gate, self._dead = RateGate(None), False
        async with beside(gate.run(), name="gate"):
            client = ScenarioClient(VirtualTransport(self.earth), gate, project=None, rng=random.Random(0))
            models = await models_of(jobs, client)
            flow = make_flow(gate, in_flight=self.in_flight)
            with ExitStack() as stack:
                file = stack.enter_context(JournalFile.open(self.path))
                others = []
                for name in file.slots(SCOPE).to_carry(since=self.earth.now() - YOUNG):
                    if name != slot:
                        own = stack.enter_context(JournalFile.open(self.path))
                        others.append(self._runner(own, name, (), {}, client, gate, flow.beside(name)))
                buying = self._runner(file, slot, jobs, models, client, gate, flow)
                self._runners = [*others, buying]
                ending, _ = await carry_together(buying, others, settle=DOUBT.settle)
                return ending

    def _cut(self, main: asyncio.Task[EngineOutcome]) -> None:
        for runner in self._runners:
            runner.leave()
        main.cancel()

    def _runner(
        self,
        file: JournalFile,
        slot: str,
        jobs: Sequence[Job],
        models: dict[str, Model],
        client: ScenarioClient,
        gate: RateGate,
        flow: Flow,
    ) -> Runner:
        scope = replace(SCOPE, slot=slot)
        journal = file.batch(scope)
        return make_runner(
            make_plan(jobs, journal.records()),
            scope=scope,
            models=models,
            generator=client,
            journal=journal,
            collector=Shelves(),
            gate=gate,
            clock=self.earth,
            observer=self.watching,
            flow=flow,
            policy=replace(self.policy, slot_began=self.earth.clock_offset),
        )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_what_runs_in_an_older_slot_is_collected_beside_the_new_one(path: Path) -> None:
    week = Week(path, make_earth(duration=(30.0, 40.0)), in_flight=3)
    assert week.run("monday", make_jobs(5), cut_at=5.0) is None
    assert week.states("monday") == [State.RUNNING] * 3
    week.run("tuesday", make_jobs(4))
    assert week.states("monday") == [State.COLLECTED] * 3
    assert week.states("tuesday") == [State.COLLECTED] * 4
    assert len(week.earth.service.submissions) == 7, "monday's other two are not bought"
    assert week.earth.service.most_in_flight <= 3, "both slots count against one limit"


def test_a_generation_that_fails_in_an_older_slot_is_not_tried_again_there(path: Path) -> None:
    outcomes = Outcomes(failures=1.0)
    week = Week(path, make_earth(duration=(30.0, 40.0), outcomes=outcomes))
    week.policy = replace(week.policy, attempts=3)
    week.run("monday", make_jobs(2), cut_at=5.0)
    week.run("tuesday", [])
    assert (week.states("monday"), len(week.earth.service.submissions)) == ([State.FAILED] * 2, 2)


def test_an_answer_that_an_older_slot_lost_is_found_before_anything_is_bought(path: Path) -> None:
    faults = FaultPlan(script={Asked.SUBMIT: [None, Fault.HANG_AFTER]})
    week = Week(path, make_earth(faults=faults))
    week.run("monday", make_jobs(2), cut_at=10.0)
    week.watching = Watching()
    week.run("tuesday", make_jobs(2))
    assert week.states("monday") == [State.COLLECTED] * 2
    assert len(week.earth.service.submissions) == 4
    kinds = [type(event).__name__ for _, event in week.watching.events]
    assert kinds.index("Adopted") < kinds.index("SubmitStarted")


def test_what_equals_a_doubt_of_an_older_slot_waits_for_it_and_then_goes_on(path: Path) -> None:
    faults = FaultPlan(script={Asked.SUBMIT: [None, Fault.CUT_BEFORE]})
    week = Week(path, make_earth(faults=faults))
    week.run("monday", make_jobs(2, model=SEEDLESS), cut_at=1.0)
    assert State.IN_DOUBT in week.states("monday")
    ending = week.run("tuesday", make_jobs(2, model=SEEDLESS))
    assert ending is not None
    assert State.IN_DOUBT not in week.states("monday")
    assert week.states("tuesday") == [State.COLLECTED] * 2


def test_a_doubt_that_nothing_settles_keeps_the_rest_waiting_for_a_bounded_time(path: Path) -> None:
    faults = FaultPlan(script={Asked.SUBMIT: [Fault.CUT_BEFORE]})
    week = Week(path, make_earth(faults=faults))
    week.run("monday", make_jobs(1), cut_at=1.0)
    began = week.earth.clock_offset
    week.watching = Watching()
    week.run("tuesday", make_jobs(2))
    first = next(event.at for _, event in week.watching.events if isinstance(event, SubmitStarted))
    assert first - began < 2 * DOUBT.settle + 5
    assert week.states("tuesday") == [State.COLLECTED] * 2


def test_a_disk_that_takes_nothing_more_ends_every_slot(path: Path) -> None:
    week = Week(path, make_earth(duration=(30.0, 40.0)))
    week.run("monday", make_jobs(2), cut_at=5.0)

    class Full(Watching):
        def recorded(self, key: JobKey, job: Job, event: Event, record: Record) -> None:
            super().recorded(key, job, event, record)
            if key == JobKey(content_key(make_jobs(1)[0])) and not isinstance(event, SubmitStarted):
                raise JournalError("the disk is full")

    week.watching = Full()
    with pytest.raises(JournalError, match="full"):
        week.run("tuesday", make_jobs(3))


def test_the_slots_with_something_open_are_found_without_their_records(path: Path) -> None:
    week = Week(path, make_earth(duration=(30.0, 40.0)))
    week.run("monday", make_jobs(2), cut_at=5.0)
    with JournalFile.open(path) as file:
        slots = file.slots(TUESDAY)
        assert dict(slots.open()) == {"monday": {State.RUNNING: 2}}
        assert slots.bought()["monday"] == 2
        key = JobKey(content_key(make_jobs(1)[0]))
        slots.tell("monday", [key])
        slots.tell("monday", [key])
        assert (slots.told("monday"), slots.told("tuesday")) == (frozenset({key}), frozenset())
    week.run("tuesday", [])
    with JournalFile.open(path) as file:
        assert not file.slots(MONDAY).open()


def test_a_success_of_an_older_slot_that_lacks_assets_is_asked_again_for_a_day(path: Path) -> None:
    late = Views(late_outputs=1.0, outputs_whole_after=(600.0, 600.0), outputs_late_in_jobs=True)
    week = Week(path, make_earth(duration=(5.0, 6.0), views=late))
    pair = [Job(id="pair", prompt="a house", model=SEEDED, params={"numOutputs": 2})]
    week.run("monday", pair)
    since = week.earth.clock_offset
    week.earth.clock_offset += 900.0
    with JournalFile.open(path) as file:
        assert file.slots(TUESDAY).to_carry(since=since - YOUNG) == {"monday": 1}
        assert not file.slots(TUESDAY).to_carry(since=since + 1), "what ended before is not asked again"
    week.run("tuesday", make_jobs(1))
    with JournalFile.open(path) as file:
        (record,) = file.batch(MONDAY).records().values()
        assert (record.state, len(record.files)) == (State.COLLECTED, 2)
        assert "monday" not in file.slots(TUESDAY).short(since=0.0)
