"""How long a run takes, drains and waits for its batch: whole runs in virtual time, and orders of stops."""

import asyncio
import io
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen import api
from batchgen.engine.interrupts import ORDERED, OUT_OF_TIME, Interrupts
from batchgen.errors import BatchgenError, BatchLockedError, GuardError, InputError
from batchgen.exits import Exit
from batchgen.lifecycle import State
from batchgen.output.progress import Mode
from batchgen.planning.selection import of_ids
from batchgen.scenario.transport import Answer, Call
from batchgen.simulator.settings import Limits
from batchgen.usecases.audience import Audience
from batchgen.usecases.run_end import Hurry
from batchgen.wiring.opening import look_at
from batchgen.wiring.options import Options
from tests.support.builders import make_earth
from tests.support.place import Place, quiet
from tests.support.virtual import Earth, VirtualTransport

LONG = 90.0  # seconds that a job takes


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.with_jobs(tmp_path, 8, make_earth(duration=(LONG, LONG), limits=Limits(ceiling=3)))


def edit(place: Place, old: str, new: str) -> None:
    path = place.folder / "jobs.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


class Silent(VirtualTransport):
    """Answers some calls after ten minutes alone: what a person would call never."""

    def __init__(self, earth: Earth, *, to: Callable[[Call], bool]) -> None:
        super().__init__(earth)
        self._to = to

    async def exchange(self, call: Call) -> Answer:
        if self._to(call):
            await asyncio.sleep(600)
        return await super().exchange(call)


def test_a_run_whose_time_is_over_buys_no_more_collects_and_leaves_the_rest_to_the_next(place: Place) -> None:
    began = place.earth.clock_offset
    outcome = place.run(max_duration=LONG / 2)
    assert place.earth.clock_offset - began < 2 * LONG
    assert outcome.verdict.exit is Exit.REMAINS
    [reason] = outcome.verdict.reasons
    assert reason == (
        "5 jobs not submitted: the time of this run was over (--max-duration); run the same command to "
        "continue"
    )
    assert (place.bought, place.states()[State.COLLECTED]) == (3, 3)
    assert outcome.results.exists()
    assert place.run().verdict.exit is Exit.DONE
    assert place.bought == 8


def test_the_drain_of_a_run_whose_time_is_over_is_bounded_where_a_bound_is_given(place: Place) -> None:
    began = place.earth.clock_offset
    outcome = place.run(max_duration=20.0, drain_timeout=25.0)
    assert place.earth.clock_offset - began < 20 + 25 + 5
    assert outcome.verdict.exit is Exit.REMAINS
    assert "3 jobs still running at the service; run the same command to collect them" in (
        outcome.verdict.reasons
    )
    assert place.states()[State.RUNNING] == 3
    assert place.interrupts.is_late
    assert place.run().verdict.exit is Exit.DONE
    assert place.bought == 8


def test_a_run_whose_time_is_over_when_nothing_is_left_to_buy_is_done(place: Place) -> None:
    outcome = place.run(limit=3, max_duration=LONG / 2)
    assert (outcome.verdict.exit, outcome.verdict.reasons) == (Exit.DONE, ())
    assert place.run(limit=1, max_duration=10 * LONG).verdict.exit is Exit.DONE


# The kind: whatever a run asks the service for before it buys.
BEFORE: dict[str, Callable[[Call], bool]] = {
    "models": lambda call: call.path.startswith("/models/"),
    "limits of the account": lambda call: call.path.startswith("/teams"),
    "prices": lambda call: "dryRun" in call.query,
}


@pytest.mark.parametrize("asked", BEFORE)
@pytest.mark.parametrize("stop", ["time", "signal", "order"])
def test_a_run_that_is_stopped_while_it_still_asks_buys_nothing_and_ends_at_once(
    place: Place, asked: str, stop: str
) -> None:
    changed: dict[str, Any] = {"transport": Silent(place.earth, to=BEFORE[asked])}
    if stop == "time":
        changed["max_duration"] = 5.0
    interrupts = Interrupts()

    async def main() -> tuple[api.RunOutcome, float]:
        loop = asyncio.get_running_loop()
        if stop != "time":
            loop.call_later(5.0, interrupts.drain if stop == "order" else lambda: interrupts.take(15))
        outcome = await api.run(place.options(budget=900, **changed), interrupts, quiet())
        return outcome, loop.time()

    outcome, took = place.play(main())
    assert took < 6
    assert (outcome.verdict.exit, place.bought) == (Exit.REMAINS, 0)
    is_told = "the time of this run was over" in outcome.verdict.reasons[0]
    assert is_told is (stop == "time")
    assert place.run().verdict.exit is Exit.DONE
    assert place.bought == 8


def test_a_run_that_asks_what_the_rest_would_cost_ends_when_it_is_told_to(place: Place) -> None:
    edit(place, "a house of 7 rooms", "a house of 7 rooms, params: {width: 512}")
    done = False
    interrupts = Interrupts()

    def is_late(call: Call) -> bool:
        return done and "dryRun" in call.query

    def at_event(event: api.RunEvent) -> None:
        nonlocal done
        if event.document().get("state") == "collected" and not done:
            done = True
            asyncio.get_running_loop().call_later(5.0, interrupts.take, signal.SIGTERM)

    async def main() -> tuple[api.RunOutcome, float]:
        options = place.options(limit=1, transport=Silent(place.earth, to=is_late))
        outcome = await api.run(options, interrupts, Audience(io.StringIO(), Mode.QUIET, at_event))
        return outcome, asyncio.get_running_loop().time()

    outcome, took = place.play(main())
    assert done
    assert took < LONG + 20
    assert outcome.verdict.exit is Exit.DONE
    assert outcome.left_out is not None
    assert outcome.left_out.jobs == 7


# What asks a run to stop, as (seconds, who), and when it ends at the latest: jobs take 90 s, a drain 20 s.
ENDS: dict[str, tuple[list[tuple[float, str]], float]] = {
    "a signal": ([(30, "signal")], 50),
    "the time, then a signal within its drain": ([(30, "time"), (40, "signal")], 50),
    "a signal, then the time within its drain": ([(30, "signal"), (40, "time")], 50),
    "an order, which is not bounded": ([(30, "order")], LONG + 5),
    "an order, then the time": ([(30, "order"), (40, "time")], 60),
    "an order, then a signal": ([(30, "order"), (40, "signal")], 60),
    "the time, then an order": ([(30, "time"), (40, "order")], 50),
    "the time, then two signals": ([(30, "time"), (33, "signal"), (36, "signal")], 36),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_first_who_may_kill_next_bounds_the_drain_and_nobody_makes_it_longer(
    place: Place, name: str
) -> None:
    steps, end = ENDS[name]
    interrupts = Interrupts()
    ways: dict[str, Callable[[], object]] = {
        "signal": lambda: interrupts.take(signal.SIGTERM),
        "time": interrupts.run_out,
        "order": interrupts.drain,
    }

    async def main() -> tuple[api.RunOutcome, float]:
        loop = asyncio.get_running_loop()
        for at, who in steps:
            loop.call_later(at, ways[who])
        return await api.run(place.options(drain_timeout=20.0), interrupts, quiet()), loop.time()

    outcome, took = place.play(main())
    assert end - 1 < took < end + 5
    assert (outcome.verdict.exit, place.bought) == (Exit.REMAINS, 3)
    assert interrupts.exit == (143 if name.endswith("two signals") else None)


STEPS = st.lists(st.sampled_from(["order", "time", "signal"]), max_size=6)


@given(before=STEPS, after=STEPS)
def test_who_listens_late_hears_what_who_listened_early_has_heard(
    before: list[str], after: list[str]
) -> None:
    interrupts, early, late = Interrupts(), list[int](), list[int]()
    ways: dict[str, Callable[[], object]] = {
        "order": interrupts.drain,
        "time": interrupts.run_out,
        "signal": lambda: interrupts.take(signal.SIGINT),
    }
    interrupts.tell(early.append)
    for one in before:
        ways[one]()
    interrupts.tell(late.append)
    assert sorted(late) == sorted(early)
    for one in after:
        ways[one]()
    signals = (before + after).count("signal")
    assert [one for one in late if one > 0] == list(range(1, signals + 1))
    assert late.count(ORDERED) <= 1 >= late.count(OUT_OF_TIME)
    assert interrupts.draining is bool(before + after)
    assert interrupts.out_of_time is ((before + after)[:1] == ["time"])
    assert (interrupts.exit is not None) is (signals > 1)


HURRIES: dict[str, tuple[list[str], bool]] = {
    "nobody": ([], False),
    "an order": (["order"], False),
    "a signal": (["signal"], True),
    "the time": (["time"], True),
}


@pytest.mark.parametrize("who", HURRIES)
@pytest.mark.parametrize("bounded", [True, False])
def test_pictures_are_drawn_for_a_moment_where_somebody_may_kill_the_run_next(
    who: str, *, bounded: bool
) -> None:
    interrupts, now = Interrupts(), [0.0]
    enough = Hurry(interrupts, bounded=bounded, clock=lambda: now[0])
    ways: dict[str, Callable[[], object]] = {
        "order": interrupts.drain,
        "time": interrupts.run_out,
        "signal": lambda: interrupts.take(signal.SIGTERM),
    }
    steps, hurries = HURRIES[who]
    now[0] = 100.0  # by then many were drawn
    assert not enough()
    for one in steps:
        ways[one]()
    assert not enough()
    now[0] = 102.0
    assert enough() is (hurries and bounded)
    if hurries and bounded:
        late = Interrupts()
        late.is_late = True
        assert Hurry(late, bounded=True, clock=lambda: 0.0)()
    for _ in range(2):
        interrupts.take(signal.SIGTERM)
    assert enough()


def test_a_run_that_is_left_writes_its_page_without_drawing_and_the_next_one_draws(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text(
        "version: 1\nbatch: spring\njobs: [{prompt: a mill, model: model_bfl-flux-1-dev}]\n"
    )
    options = Options(manifest=tmp_path / "jobs.yaml", output=tmp_path / "output", environ={}, simulate=True)

    def drawn(interrupts: Interrupts) -> bool:
        asyncio.run(api.run(options, interrupts, quiet()))
        return "data:image/webp" in page.read_text()

    page, left = tmp_path / "output/spring/report.html", Interrupts()
    assert drawn(Interrupts())
    page.unlink()
    for _ in range(2):
        left.take(signal.SIGTERM)
    assert not drawn(left)
    assert drawn(Interrupts())


@asynccontextmanager
async def held(place: Place, seconds: float, *, name: str = "spring") -> AsyncIterator[None]:
    """Let somebody else have the batch for so long."""
    with ExitStack() as stack:
        stack.enter_context(place.options().journal.hold(name, stamp=place.earth.now()))
        asyncio.get_running_loop().call_later(seconds, stack.close)
        yield


def run_beside(place: Place, seconds: float, audience: Audience | None = None, **changed: Any) -> Any:
    """Run while somebody else has the batch for so long; give what came of it, and the seconds it took."""

    async def main() -> tuple[api.RunOutcome, float]:
        async with held(place, seconds):
            outcome = await api.run(place.options(**changed), Interrupts(), audience or quiet())
        return outcome, asyncio.get_running_loop().time()

    return place.play(main())


def test_a_run_waits_for_the_one_that_has_its_batch_and_buys_nothing_twice(place: Place) -> None:
    async def both() -> api.RunOutcome:
        async with asyncio.TaskGroup() as group:
            one = group.create_task(api.run(place.options(), Interrupts(), quiet()), name="one")
            await asyncio.sleep(LONG / 2)
            other = await api.run(place.options(wait_lock=3600.0), Interrupts(), quiet())
        assert one.result().verdict.exit is Exit.DONE
        return other

    outcome = place.play(both())
    assert (outcome.verdict.exit, outcome.asked, place.bought) == (Exit.DONE, False, 8)


def test_who_waits_says_for_whom_once_and_that_it_was_in_vain(place: Place) -> None:
    said = io.StringIO()
    audience = Audience(said, Mode.PLAIN)
    with pytest.raises(BatchLockedError, match="waited 30 s for it") as error:
        run_beside(place, 100.0, audience, wait_lock=30.0)
    assert said.getvalue().count("waiting up to 30 s for the batch 'spring', which is being run by") == 1
    assert error.value.batch == "spring"
    assert place.bought == 0
    with pytest.raises(BatchLockedError, match="is being run by process") as error:
        run_beside(place, 100.0)
    assert "waited" not in str(error.value)


def test_the_wait_counts_to_the_time_of_the_run(place: Place) -> None:
    outcome, took = run_beside(place, 60.0, wait_lock=600.0, max_duration=80.0)
    assert 80 <= took < 60 + LONG + 20
    assert outcome.verdict.exit is Exit.REMAINS
    assert place.bought == 3


WHO_ENDS_A_WAIT: dict[str, Callable[[Interrupts], None]] = {
    "a signal": lambda interrupts: interrupts.take(signal.SIGTERM),
    "the time of the run": Interrupts.run_out,
    "an order": Interrupts.drain,
}


@pytest.mark.parametrize("who", WHO_ENDS_A_WAIT)
def test_a_wait_ends_at_once_when_the_run_is_stopped_and_nothing_was_bought(place: Place, who: str) -> None:
    async def main() -> float:
        loop, interrupts = asyncio.get_running_loop(), Interrupts()
        async with held(place, 300.0):
            loop.call_later(10.2, WHO_ENDS_A_WAIT[who], interrupts)
            with pytest.raises(BatchLockedError, match="waited 10 s for it"):
                await api.run(place.options(wait_lock=200.0), interrupts, quiet())
            return loop.time()

    assert place.play(main()) < 10.3
    assert place.bought == 0


def test_what_is_run_is_the_manifest_as_it_is_when_the_batch_is_free(place: Place) -> None:
    async def main() -> api.RunOutcome:
        loop = asyncio.get_running_loop()
        async with held(place, 30.0):
            loop.call_later(20.0, edit, place, "a house of 3 rooms", "a hut of 3 rooms")
            return await api.run(place.options(wait_lock=60.0), Interrupts(), quiet())

    outcome = place.play(main())
    assert outcome.verdict.exit is Exit.DONE
    assert place.bought == 8
    prompts = {job["prompt"] for job in outcome.document["jobs"]}
    assert "a hut of 3 rooms" in prompts
    assert "a house of 3 rooms" not in prompts


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("batch: spring", "batch: autumn", None),  # the lock of another name is held
        ("a house of 3 rooms", "{nosuch}", InputError),
        ("version: 1", "version: 7", InputError),
    ],
)
def test_a_manifest_that_became_another_or_wrong_meanwhile_is_taken_as_it_is(
    place: Place, old: str, new: str, error: type[BatchgenError] | None
) -> None:
    bought: list[int] = []

    async def main() -> api.RunOutcome:
        loop = asyncio.get_running_loop()
        async with held(place, 30.0), held(place, 50.0, name="autumn"):
            loop.call_later(20.0, edit, place, old, new)
            loop.call_later(49.0, lambda: bought.append(place.bought))
            return await api.run(place.options(wait_lock=60.0), Interrupts(), quiet())

    if error is None:
        outcome = place.play(main())
        assert outcome.document["batch"] == "autumn"
        assert bought == [0], "somebody else has the batch of this name"
        assert (outcome.verdict.exit, place.bought) == (Exit.DONE, 8)
        return
    with pytest.raises(error):
        place.play(main())
    assert place.bought == 0
    edit(place, new, old)
    assert place.run().verdict.exit is Exit.DONE  # and nobody holds the batch


def shown_to_a_person(place: Place, **changed: Any) -> Options:
    options = place.options(**changed)
    preview = place.play(api.plan(options))
    shown = frozenset(one.key for one in preview.batch.plan.to_submit)
    return place.options(**changed, wait_lock=600.0, shown=shown)


def waits_while(place: Place, options: Options, meanwhile: Callable[[], Awaitable[object]]) -> api.RunOutcome:
    async def main() -> api.RunOutcome:
        async with held(place, 30.0), asyncio.TaskGroup() as group:
            waiting = group.create_task(api.run(options, Interrupts(), quiet()), name="waits")
            await asyncio.sleep(10)
            await meanwhile()
        return waiting.result()

    try:
        return place.play(main())
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None


@pytest.mark.parametrize("more", [{}, {"fresh": True}, {"limit": 8}])
def test_who_agreed_to_a_price_buys_nothing_else_after_a_wait(place: Place, more: dict[str, Any]) -> None:
    options = shown_to_a_person(place, **more)

    async def nothing() -> None: ...

    async def edited() -> None:
        edit(place, "a house of 3 rooms", "a hut of 3 rooms")

    with pytest.raises(GuardError, match="1 job to buy of which it said nothing"):
        waits_while(place, options, edited)
    assert place.bought == 0
    with place.options().journal.opened() as file:
        assert file.scopes() == []  # no slot was begun either
    edit(place, "a hut of 3 rooms", "a house of 3 rooms")
    assert waits_while(place, options, nothing).verdict.exit is Exit.DONE
    assert place.bought == 8


def test_what_fails_during_the_wait_is_not_tried_again_by_whoever_did_not_see_it(place: Place) -> None:
    place.run(limit=3)
    options = shown_to_a_person(place, limit=2)

    async def nothing() -> None: ...

    outcome = waits_while(place, options, nothing)
    assert (outcome.verdict.exit, place.bought) == (Exit.DONE, 5)


def test_a_redo_makes_nothing_again_that_was_edited_while_it_waited(place: Place) -> None:
    place.run()
    options = place.options(redo=True, selection=of_ids(["job-3"]))
    redone = place.play(api.plan(options)).batch.redone
    agreed = place.options(
        redo=True,
        selection=of_ids(["job-3"]),
        wait_lock=600.0,
        shown=frozenset(one.head for one in redone),
        agreed=frozenset((one.job, one.ordinal) for one in redone),
    )
    edit(place, "a house of 3 rooms", "a hut of 3 rooms")
    place.run()  # somebody buys the edited one: it is done, too, and costs another price
    assert place.bought == 9
    edit(place, "a hut of 3 rooms", "a house of 3 rooms")

    async def edited() -> None:
        edit(place, "a house of 3 rooms", "a hut of 3 rooms")

    with pytest.raises(GuardError, match="edited since the price was shown"):
        waits_while(place, agreed, edited)
    assert place.bought == 9

    async def nothing() -> None: ...

    edit(place, "a hut of 3 rooms", "a house of 3 rooms")
    assert waits_while(place, agreed, nothing).verdict.exit is Exit.DONE
    assert place.bought == 10


async def _resolve(options: Options) -> None:
    async with api.settling(options) as desk:
        await desk.unsettled()


# The kind: what holds a batch as its only writer.
OTHERS: dict[str, Callable[[Options], Awaitable[object]]] = {
    "audit": lambda options: api.audit(options, fix=True),
    "journal rebuild": api.rebuild,
    "resolve": _resolve,
    "restore": lambda options: api.restore(options, api.Restoring(asset_id="", undo=False)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_each_command_that_holds_a_batch_waits_for_it_in_the_same_way(place: Place, name: str) -> None:
    place.run()
    place.run(redo=True, selection=of_ids(["job-3"]))
    told: list[str] = []

    async def main(wait: float) -> float:
        loop = asyncio.get_running_loop()
        options = place.options(wait_lock=wait, on_wait=told.append, selection=of_ids(["job-3"]))
        began = loop.time()
        async with held(place, 40.0):
            await OTHERS[name](options)
        return loop.time() - began

    for wait, words in ((0.0, "is being run by process"), (20.0, "waited 20 s for it")):
        with pytest.raises(BatchLockedError, match=words):
            place.play(main(wait))
    assert 40 <= place.play(main(60.0)) < 60
    assert [one.partition(" for the batch")[0] for one in told] == [
        "waiting up to 20 s",
        "waiting up to 60 s",
    ]
    with look_at(place.options()) as opened:
        assert opened.batch.unfinished == 0
