"""``import batchgen`` as people use it: against a simulated service, in loops, threads and notebooks."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

import pytest

import batchgen
from batchgen import Exit, Job, Manifest, Results
from batchgen.simulator.front import serve
from batchgen.simulator.settings import Settings

FLUX = "model_bfl-flux-1-dev"
SMALL = {"width": 128, "height": 128}  # soon drawn
PUBLIC = [
    "BatchLockedError",
    "BatchgenError",
    "Cost",
    "EarlierResult",
    "Exit",
    "FencedError",
    "File",
    "GuardError",
    "InputError",
    "Job",
    "JobChanged",
    "JobResult",
    "JobSeen",
    "JournalAwayError",
    "JournalError",
    "Manifest",
    "ManifestError",
    "OutputError",
    "ParentResult",
    "Plan",
    "PlannedJob",
    "Problem",
    "Results",
    "RunEnded",
    "RunEvent",
    "RunStarted",
    "ServiceError",
    "StoppedError",
    "TransientError",
    "UnfinishedError",
    "Warned",
    "__version__",
    "audit",
    "export",
    "load",
    "plan",
    "run",
    "run_sync",
    "status",
]


QUICK = Settings(latency=(0, 0.001), duration=(2, 4), key="key", secret="secret")


@pytest.fixture(scope="module")
def service() -> Iterator[dict[str, Any]]:
    """Serve a simulated service ten times as quick as a rehearsal's, in a thread; give its arguments."""
    ready, end = Event(), Event()
    address: list[str] = []

    async def serving() -> None:
        async with serve(QUICK, speed=200.0) as running:
            address.append(running.base_url)
            ready.set()
            await asyncio.to_thread(end.wait)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(asyncio.run, serving())
        assert ready.wait(30)
        yield {"base_url": address[0], "credentials": ("key", "secret"), "rate": "1000/s"}
        end.set()
        done.result(30)


def manifest(batch: str = "spring", count: int = 2) -> Manifest:
    return Manifest(
        batch=batch,
        jobs=[
            Job(model=FLUX, prompt=f"a mill, number {n}", id=f"mill-{n}", params=SMALL) for n in range(count)
        ],
    )


def test_what_is_public_is_this_and_no_more() -> None:
    assert sorted(batchgen.__all__) == PUBLIC
    assert dir(batchgen) == PUBLIC
    for name in PUBLIC:
        assert getattr(batchgen, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        getattr(batchgen, "nosuch")  # noqa: B009 - a type checker refuses the plain form


async def test_a_plan_says_what_would_be_bought_and_buys_nothing(tmp_path: Path) -> None:
    found = await batchgen.plan(manifest(), output=tmp_path / "new", simulate=True)
    assert [(one.id, one.standing, one.cost) for one in found.to_buy] == [
        ("mill-0", "new", Decimal(4)),
        ("mill-1", "new", Decimal(4)),
    ]
    assert (found.cost.low, found.cost.high, found.cost.unpriced) == (Decimal(8), Decimal(8), 0)
    assert (found.changes, found.stopped, (tmp_path / "new").exists()) == ({}, "", False)


async def test_a_run_gives_files_and_costs_and_a_second_one_buys_nothing(tmp_path: Path) -> None:
    events: list[batchgen.RunEvent] = []
    first = await batchgen.run(manifest(), output=tmp_path, simulate=True, on_event=events.append)
    assert (first.ok, first.exit, first.cost, len(first)) == (True, Exit.DONE, Decimal(8), 2)
    [file] = first["mill-1"].files
    assert file.path.is_absolute()
    assert file.path.stat().st_size == file.bytes
    assert first["mill-1"].asset_ids == (file.asset_id,)
    assert isinstance(events[0], batchgen.RunStarted)
    assert isinstance(events[-1], batchgen.RunEnded)
    again = await batchgen.run(manifest(count=3), output=tmp_path, simulate=True)
    assert (again.cost, again["mill-0"].asset_ids) == (Decimal(12), first["mill-0"].asset_ids)
    assert Results.load(tmp_path / "spring").raise_for_failures()["mill-2"].ok


async def test_two_batches_run_side_by_side_in_one_loop(tmp_path: Path, service: dict[str, Any]) -> None:
    one, other = await asyncio.gather(
        batchgen.run(manifest("spring"), output=tmp_path, **service),
        batchgen.run(manifest("autumn"), output=tmp_path / "other", **service),
    )
    assert (one.batch, other.batch, one.ok, other.ok) == ("spring", "autumn", True, True)


async def test_a_batch_is_run_by_one_at_a_time(tmp_path: Path, service: dict[str, Any]) -> None:
    async with asyncio.TaskGroup() as group:
        first = group.create_task(batchgen.run(manifest(), output=tmp_path, **service), name="first")
        while not (tmp_path / "locks" / "spring.lock").exists():  # noqa: ASYNC110 - it is another's file
            await asyncio.sleep(0.01)
        with pytest.raises(batchgen.BatchLockedError, match="being run by process"):
            await batchgen.run(manifest(), output=tmp_path, **service)
    assert first.result().ok


async def test_a_run_waits_for_another_one_drains_when_its_time_is_over_and_is_bounded_then(
    tmp_path: Path,
) -> None:
    """Jobs that take an hour, so that nothing but the limits ends a run."""
    slow, many = Settings(latency=(0, 0.001), duration=(9e5, 9e5), key="key", secret="secret"), manifest()
    said: list[str] = []

    def at_event(event: batchgen.RunEvent) -> None:
        said.extend(filter(None, [event.document().get("text")]))

    async with serve(slow, speed=1.0) as running:
        there: dict[str, Any] = {
            "base_url": running.base_url,
            "credentials": ("key", "secret"),
            "rate": "1000/s",
            "output": tmp_path,
        }
        began = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            first = group.create_task(
                batchgen.run(many, **there, max_duration=1.0, drain_timeout="1s"), name="first"
            )
            while not (tmp_path / "locks" / "spring.lock").exists():  # noqa: ASYNC110 - it is another's file
                await asyncio.sleep(0.01)
            stop = asyncio.Event()
            asyncio.get_running_loop().call_later(2.5, stop.set)
            second = await batchgen.run(
                many, **there, wait_lock="1m", stop=stop, drain_timeout=0, on_event=at_event
            )
        assert asyncio.get_running_loop().time() - began < 20
    for results in (first.result(), second):
        assert results.exit is Exit.REMAINS
        assert results.reasons == (
            "2 jobs still running at the service; run the same command to collect them",
        )
    assert [one for one in said if one.startswith("waiting up to 60 s for the batch 'spring'")]


@pytest.mark.parametrize("name", ["max_duration", "drain_timeout", "wait_lock"])
@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf"), "soon", [], "0s"])
async def test_a_limit_that_is_no_time_is_refused_by_its_name(tmp_path: Path, name: str, wrong: Any) -> None:
    if wrong == "0s" and name != "max_duration":
        return
    with pytest.raises(batchgen.InputError, match=name):
        await batchgen.run(manifest(), output=tmp_path, simulate=True, **{name: wrong})
    assert not (tmp_path / "locks").exists()


async def test_inside_a_running_loop_run_sync_has_a_thread_of_its_own(
    tmp_path: Path, service: dict[str, Any]
) -> None:
    threads: set[str] = set()
    results = batchgen.run_sync(
        manifest(),
        output=tmp_path,
        **service,
        on_event=lambda _: threads.add(threading.current_thread().name),
    )
    assert results.ok
    assert [name.startswith("batchgen") for name in threads] == [True]


def test_it_works_in_worker_threads_and_touches_nothing_of_the_process(
    tmp_path: Path, service: dict[str, Any]
) -> None:
    handlers = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    before = (os.getcwd(), list(logging.getLogger().handlers), dict(os.environ))  # noqa: PTH109 - as it is
    with ThreadPoolExecutor(2) as pool:
        found = list(
            pool.map(
                lambda name: batchgen.run_sync(manifest(name), output=tmp_path / name, **service),
                ("spring", "autumn"),
            )
        )
    during: list[object] = []
    found.append(
        batchgen.run_sync(
            manifest("winter"),
            output=tmp_path / "winter",
            **service,
            on_event=lambda _: during.append(signal.getsignal(signal.SIGINT)),
        )
    )
    assert [one.ok for one in found] == [True] * 3
    assert set(during) == {handlers[0]}
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert before == (os.getcwd(), list(logging.getLogger().handlers), dict(os.environ))  # noqa: PTH109 - as above


async def test_stop_buys_no_more_and_collects_what_is_paid_for(
    tmp_path: Path, service: dict[str, Any]
) -> None:
    stop = asyncio.Event()

    def after_two(event: batchgen.RunEvent) -> None:
        if event.name == "accepted":
            stop.set()

    many = manifest(count=10)
    first = await batchgen.run(many, output=tmp_path, **service, stop=stop, on_event=after_two, in_flight=2)
    assert (first.exit, first.ok) == (Exit.REMAINS, False)
    done = sum(one.ok for one in first.jobs)
    assert 0 < done < 10
    with pytest.raises(batchgen.UnfinishedError, match="not submitted yet") as caught:
        first.raise_for_failures()
    assert caught.value.results is first
    last = await batchgen.run(many, output=tmp_path, **service)
    assert (last.ok, last.cost) == (True, Decimal(40))


async def test_a_cancelled_run_loses_nothing_that_it_paid_for(
    tmp_path: Path, service: dict[str, Any]
) -> None:
    many, accepted = manifest(count=12), asyncio.Event()

    def look(event: batchgen.RunEvent) -> None:
        if event.name == "accepted":
            accepted.set()

    running = asyncio.ensure_future(
        batchgen.run(many, output=tmp_path, **service, on_event=look, in_flight=3)
    )
    await accepted.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    [state] = await batchgen.status(tmp_path)
    assert sum(state.states.values()) > 0
    last = await batchgen.run(many, output=tmp_path, **service)
    assert (last.ok, last.cost) == (True, Decimal(48)), "each of them once"


def test_a_cell_that_is_interrupted_buys_no_more_and_loses_nothing(
    tmp_path: Path, service: dict[str, Any]
) -> None:
    many, (main, interrupted) = manifest("cell", count=12), (threading.main_thread().ident, Event())

    def press(event: batchgen.RunEvent) -> None:
        if event.name == "accepted" and not interrupted.is_set():
            interrupted.set()
            signal.pthread_kill(main or 0, signal.SIGINT)

    async def cell() -> None:
        batchgen.run_sync(many, output=tmp_path, **service, on_event=press, in_flight=2)

    notebook = asyncio.new_event_loop()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # as a kernel has it, while a cell runs
    try:
        with pytest.raises(KeyboardInterrupt):
            notebook.run_until_complete(cell())
    finally:
        signal.signal(signal.SIGINT, before)
        notebook.close()
    [state] = asyncio.run(batchgen.status(tmp_path))
    assert sum(state.states.values()) < 12, "the run went on behind the cell"
    last = batchgen.run_sync(many, output=tmp_path, **service)
    assert (last.ok, last.cost) == (True, Decimal(48)), "each of them once"


async def test_a_listener_with_a_bug_ends_no_run(tmp_path: Path, service: dict[str, Any]) -> None:
    met: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: met.append(repr(what["exception"])))

    def broken(event: batchgen.RunEvent) -> None:
        raise ZeroDivisionError(event.name)

    results = await batchgen.run(manifest(count=1), output=tmp_path, **service, on_event=broken)
    assert results.ok
    assert met[0] == "ZeroDivisionError('run_started')"


async def test_what_is_wrong_is_raised_with_what_to_do(tmp_path: Path) -> None:
    bad = Manifest(batch="spring", jobs=[Job(model=FLUX, prompt="a mill", params={"width": "wide"})])
    with pytest.raises(batchgen.ManifestError, match="must be a number") as caught:
        await batchgen.run(bad, output=tmp_path, simulate=True)
    assert caught.value.problems
    with pytest.raises(batchgen.InputError, match=r"allow: .*there are: renamed"):
        await batchgen.run(manifest(), output=tmp_path, simulate=True, allow=["all"])
    with pytest.raises(batchgen.StoppedError, match="SCENARIO_SDK_API_KEY"):
        await batchgen.run(manifest(), output=tmp_path, credentials=("", ""))
    with pytest.raises(batchgen.OutputError, match="cannot read"):
        Results.load(tmp_path / "nowhere.json")
    assert not (tmp_path / "spring").exists()


async def test_an_audit_is_there_too(tmp_path: Path) -> None:
    await batchgen.run(manifest(), output=tmp_path, simulate=True)
    found = await batchgen.audit(manifest(), output=tmp_path, simulate=True)
    assert (found.verdict.exit, found.submissions) == (Exit.DONE, 2)


async def test_without_a_file_the_name_alone_says_which_batch_it_is(
    tmp_path: Path, service: dict[str, Any]
) -> None:
    await batchgen.run(manifest("spring"), output=tmp_path, **service)
    other = await batchgen.run(manifest("renamed"), output=tmp_path, **service)
    assert other.ok, "no guard looks for a file that never was"
    assert other.cost == Decimal(8)


def test_warnings_of_a_file_are_in_what_is_loaded_planned_and_run_and_among_the_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "red.yaml"
    place.write_text(f"version: 1\njobs:\n  - model: {FLUX}\n    prompt: red #1\n")
    loaded = batchgen.load(place)
    (warning,) = loaded.warnings
    assert (warning.line, warning.column) == (4, 17)
    assert asyncio.run(batchgen.plan(loaded, simulate=True)).warnings == loaded.warnings
    events: list[batchgen.RunEvent] = []
    results = batchgen.run_sync(loaded, simulate=True, on_event=events.append)
    assert results.warnings == loaded.warnings
    assert [one.text for one in events if isinstance(one, batchgen.Warned)] == [str(warning)]
