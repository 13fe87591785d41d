"""A child's price is asked when its inputs are there: under a cap it decides, without one nobody waits."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from batchgen.engine.asking import AHEAD, HURRY
from batchgen.engine.limits.budget import BudgetGuard
from batchgen.exits import Exit
from batchgen.lifecycle import State, SubmitStarted
from batchgen.manifest.values import Budget
from batchgen.model import Job, Json
from batchgen.planning.make_plan import make_plan
from batchgen.planning.stand_ins import Outputs
from batchgen.rights import Right
from batchgen.scenario.transport import Answer, Call
from batchgen.scenario.uploads import UploadClient
from batchgen.simulator import exchange
from batchgen.simulator.settings import Denied
from batchgen.usecases.prices import RunPrices
from batchgen.usecases.quotes import Quoted, quote_jobs
from batchgen.usecases.stand_ins import StandIns
from batchgen.wiring.blanks import blank_picture
from tests.scenario.fakes import OpenGate
from tests.support.builders import events_of, make_earth, recorded_models, records_of, states_of, verdict_of
from tests.support.looped import virtual_loop
from tests.support.memory_journal import MemoryJournal
from tests.support.virtual import SEEDED, Earth, Run, Twist, VirtualTransport
from tests.usecases.test_quotes import Kept

CUT_OUT, UPSCALE = "model_birefnet-background-removal", "model_topaz-image-upscale"
MODELS = recorded_models(SEEDED, CUT_OUT, UPSCALE)


def chains(count: int, *steps: str, size: int = 1024) -> list[Job]:
    jobs = []
    for n in range(count):
        params: dict[str, Json] = {"width": size, "height": size}
        jobs.append(Job(id=f"k{n}", prompt=f"knight {n}", model=SEEDED, params=params))
        for number, model in enumerate(steps):
            more = {"upscaleFactor": "4x"} if model == UPSCALE else {}
            params = {"image": {"job": jobs[-1].id}, **more}
            jobs.append(Job(id=f"k{n}-{number}", model=model, params=params))
    return jobs


@dataclass
class Doors:
    """Runs of one manifest whose prices are asked from the service of its earth, before and at the door."""

    over: Earth
    jobs: Sequence[Job]
    total: int | None = None
    per_job: int | None = None
    twist: Twist | None = None
    prices: RunPrices | None = None
    quoted: Quoted = field(default_factory=Quoted)
    asked_before: int = 0

    def go(self, **how: object) -> Run:
        """Quote everything, as a run does first, and run."""
        transport = VirtualTransport(self.over, twist=self.twist)
        client = UploadClient(transport, OpenGate(), project=None, parts=None)  # type: ignore[arg-type]  # none is sent

        async def blank(width: int, height: int) -> str:
            return await client.send_image("blank.png", "image/png", blank_picture(width, height))

        journal = MemoryJournal(self.over.disk)
        plan = make_plan(self.jobs, journal.records(), now=self.over.now())
        stand_ins = StandIns(
            Outputs(MODELS, plan.by_id.get, lambda: records_of(self.over), now=self.over.now()),
            models=MODELS,
            parents=MODELS,
            records=journal.records(),
            others=(),
            known=lambda _: {},
            blank=blank,
            files={},
        )
        wanted = [one.job for one in plan.to_submit]
        store = Kept()
        with asyncio.Runner(loop_factory=virtual_loop) as runner:
            asking = quote_jobs(client, wanted, MODELS, store=store, clock=self.over, stand_ins=stand_ins)
            self.quoted = runner.run(asking)
            self.over.clock_offset += runner.get_loop().time()
        self.asked_before = self.questions
        self.prices = RunPrices(
            self.quoted,
            began=0.0,
            generator=client,
            models=MODELS,
            store=store,
            clock=self.over,
            stand_ins=stand_ins,
        )
        total, per_job = (None if cap is None else Decimal(cap) for cap in (self.total, self.per_job))
        budget = Budget(total=total, per_job=per_job)
        purse = BudgetGuard(budget=budget, prices=self.prices, questions=self.prices)
        return Run(self.over, self.jobs, purse=purse, twist=self.twist, **how).go()  # type: ignore[arg-type]  # as given

    @property
    def questions(self) -> int:
        return self.over.service.counts[exchange.Call.QUOTE]

    @property
    def at_the_door(self) -> int:
        return self.questions - self.asked_before


def quotes_of(run: Run) -> Mapping[str, Decimal | None]:
    return {one.job.id: one.quoted for one in events_of(run, SubmitStarted)}


def bought(over: Earth) -> list[str]:
    return [one.model for one in over.service.submissions]


@pytest.mark.parametrize("total", [None, 10_000])
def test_every_child_leaves_with_the_price_of_what_really_goes_in(total: int | None) -> None:
    doors = Doors(Earth(), chains(3, UPSCALE), total)
    run = doors.go()
    assert states_of(doors.over) == {State.COLLECTED: 6}
    assert quotes_of(run) == {name: 40 if "-" in name else 4 for name in quotes_of(run)}
    assert doors.quoted.estimated.jobs == 3
    assert doors.asked_before == 2
    assert doors.at_the_door == 3, "one question a child: nothing is known of what is not fetched yet"


def test_no_question_is_asked_at_the_door_where_no_file_moves_the_price() -> None:
    doors = Doors(Earth(), chains(20, CUT_OUT))
    run = doors.go()
    assert (states_of(doors.over), doors.at_the_door) == ({State.COLLECTED: 40}, 0)
    assert {one for name, one in quotes_of(run).items() if "-" in name} == {2}
    capped = Doors(Earth(), chains(20, CUT_OUT), 10_000)
    capped.go()
    assert capped.at_the_door == 0, "what was asked at the start decides for a quarter of an hour"


def raised(over: Earth, prices: Mapping[str, int]) -> Twist:
    """Return a twist that raises prices as soon as the first job was bought."""

    def twist(_: Call, answer: Answer) -> Answer:
        if over.service.submissions:
            over.service.reprice({name: Decimal(price) for name, price in prices.items()})
        return answer

    return twist


def run_with_a_rise(
    total: int | None, each: int, *, per_job: int | None = None, count: int = 2
) -> tuple[Earth, Run]:
    over = Earth()
    return over, Doors(over, chains(count, UPSCALE), total, per_job, raised(over, {UPSCALE: each})).go()


def test_a_rise_at_the_door_that_no_cap_forbids_is_paid_on_record_and_told_once() -> None:
    over, run = run_with_a_rise(None, 25)
    (told,) = (one for one in run.watching.troubles if "were expected" in one)
    assert "costs 100 CU now that what goes into it is there, and about 40 were expected; so may" in told
    assert states_of(over) == {State.COLLECTED: 4}
    assert [price for name, price in quotes_of(run).items() if "-" in name] == [100, 100]


def test_a_rise_that_breaks_a_cap_leaves_the_child_and_says_what_it_costs_and_what_was_expected() -> None:
    over, run = run_with_a_rise(100, 25)
    assert bought(over) == [SEEDED, SEEDED]
    assert states_of(over) == {State.COLLECTED: 2}, "what the parents made stays"
    told = " ".join(verdict_of(run).reasons)
    assert verdict_of(run).exit is Exit.BUDGET
    assert "costs 100 CU" in told
    assert "about 40 were expected" in told
    assert "stays for the next run" in told
    again = Doors(over, chains(2, UPSCALE), 1000)
    assert verdict_of(again.go()).exit is Exit.DONE
    assert bought(over) == [SEEDED, SEEDED, UPSCALE, UPSCALE], "nothing is bought twice"


def test_a_rise_above_the_cap_for_one_job_says_the_same() -> None:
    over, run = run_with_a_rise(None, 25, per_job=60)
    assert bought(over) == [SEEDED, SEEDED]
    told = " ".join(verdict_of(run).reasons)
    assert verdict_of(run).exit is Exit.BUDGET
    assert "per_job: 100" in told
    assert "about 40 were expected" in told


def test_a_fall_at_the_door_lets_through_what_an_estimate_would_not_have() -> None:
    _, run = run_with_a_rise(50, 5, count=1)  # 4 and 40, now 4 and 20
    assert verdict_of(run).exit is Exit.DONE
    assert quotes_of(run)["k0-0"] == 20


def silent_about(over: Earth, model: str, status: int = 503) -> Twist:
    """Return a twist that loses the prices of one model as soon as the first job was bought."""

    def twist(call: Call, answer: Answer) -> Answer:
        is_question = "dryRun" in call.query and call.path.endswith(model)
        if over.service.submissions and is_question:
            return Answer(status=status, headers={}, body=b"{}")
        return answer

    return twist


def test_without_a_cap_nobody_waits_for_a_price_that_is_not_told() -> None:
    over = Earth()
    doors = Doors(over, chains(5, UPSCALE), twist=None)
    doors.twist = silent_about(over, UPSCALE)
    run = doors.go()
    assert states_of(over) == {State.COLLECTED: 10}
    assert [price for name, price in quotes_of(run).items() if "-" in name] == [None] * 5
    assert run.took < 60 + HURRY


def test_under_a_cap_no_child_leaves_on_an_estimate() -> None:
    over = Earth()
    doors = Doors(over, chains(2, UPSCALE), 1000)
    doors.twist = silent_about(over, UPSCALE)
    run = doors.go()
    assert bought(over) == [SEEDED, SEEDED]
    assert run.ending is not None
    assert all("waits for a price" in one for one in run.ending.unpriced)
    assert len(run.ending.unpriced) == 2


def test_a_price_that_is_refused_at_the_door_is_none_and_no_cap_can_cover_it() -> None:
    over = Earth()
    doors = Doors(over, chains(1, UPSCALE), 1000)
    doors.twist = silent_about(over, UPSCALE, status=400)
    run = doors.go()
    assert bought(over) == [SEEDED]
    assert verdict_of(run).exit is Exit.BUDGET
    free = Doors(Earth(), chains(1, UPSCALE))
    free.twist = silent_about(free.over, UPSCALE, status=400)
    free.go()
    assert states_of(free.over) == {State.COLLECTED: 2}


def test_a_key_that_may_not_ask_prices_buys_children_where_no_cap_needs_one() -> None:
    over = make_earth(denied=Denied(rights=frozenset({Right.PRICES})))
    Doors(over, chains(2, UPSCALE)).go()
    assert states_of(over) == {State.COLLECTED: 4}


def test_only_so_many_children_wait_for_a_price_as_leave_before_it_is_old() -> None:
    over = make_earth(duration=(400.0, 400.0))
    doors = Doors(over, chains(AHEAD + 10, UPSCALE), 100_000)
    doors.go(in_flight=AHEAD + 10)
    first = doors.at_the_door
    assert states_of(over) == {State.COLLECTED: 2 * (AHEAD + 10)}
    assert first <= AHEAD + 10 + 3, "at most one question a child"


def test_the_body_of_a_question_at_the_door_names_the_parents_asset() -> None:
    over, bodies = Earth(), list[str]()

    def twist(call: Call, answer: Answer) -> Answer:
        if "dryRun" in call.query and over.service.submissions:
            bodies.append((call.body or b"").decode())
        return answer

    doors = Doors(over, chains(1, UPSCALE), twist=twist)
    doors.go()
    [record] = [one for one in records_of(over).values() if one.job is not None and one.job.model == SEEDED]
    assert [json.loads(one)["image"] for one in bodies] == [*record.asset_ids]
