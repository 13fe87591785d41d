"""Runs the engine and, as the yardstick, a bare aiohttp loop that makes the same requests."""

import asyncio
import heapq
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from batchgen.app.background import beside
from batchgen.app.clock import SystemClock
from batchgen.engine.ceiling import Ceiling
from batchgen.engine.flow import Flow
from batchgen.engine.gate import RateGate
from batchgen.engine.policy import Policy, World
from batchgen.engine.pools import Pools
from batchgen.engine.runner import Runner
from batchgen.journal.store import JournalFile
from batchgen.lifecycle import Event, Record
from batchgen.model import Job, JobKey, Model, Rate, Receipt, RemoteJob, RemoteStatus, Scope
from batchgen.plan.plan import make_plan
from batchgen.scenario.client import ScenarioClient
from batchgen.scenario.credentials import Credentials
from batchgen.scenario.http import HttpTransport


@dataclass(frozen=True, kw_only=True)
class Load:
    jobs: int
    low: float
    high: float
    ceiling: int = 0
    rate: Rate | None = None


@dataclass(frozen=True, kw_only=True)
class Figures:
    wall: float
    cpu: float
    submits: int
    refused: int
    looks: int
    durations: list[float]


class Silent:
    def noticed(self, key: JobKey, job: Job, event: Event, record: Record) -> None: ...

    def looked(self, job: Job, remote: RemoteJob) -> None: ...

    def troubled(self, text: str) -> None: ...


@contextmanager
def server(load: Load) -> Iterator[str]:
    words = ["--low", str(load.low), "--high", str(load.high), "--ceiling", str(load.ceiling)]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.server", *words], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def jobs_of(count: int) -> list[Job]:
    return [
        Job(id=f"job-{n}", prompt=f"a watch tower, number {n}", model="model_bench") for n in range(count)
    ]


async def run_engine(load: Load, base: str, folder: Path) -> Figures:
    scope = Scope(origin=base, project="", batch="bench")
    gate = RateGate(load.rate)
    with JournalFile.open(folder / "journal.db") as file:
        journal = file.batch(scope)
        async with (
            HttpTransport(f"{base}/v1", Credentials(key="key", secret="secret")) as transport,
            beside(gate.run(), name="gate"),
        ):
            client = ScenarioClient(transport, gate, project=None)
            models = {"model_bench": await client.model("model_bench")}
            runner = Runner(
                plan=make_plan(jobs_of(load.jobs), journal.records()),
                scope=scope,
                models=models,
                world=World(
                    generator=client,
                    journal=journal,
                    collector=None,
                    gate=gate,
                    clock=SystemClock(),
                    observer=Silent(),
                ),
                flow=Flow(pools=Pools(Ceiling()), gate=gate),
                policy=Policy(),
            )
            wall, cpu = time.perf_counter(), time.process_time()
            await runner.run()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        assert len(journal.records()) == load.jobs
    return await figures(base, wall, cpu)


async def run_bare(load: Load, base: str, looks: float, in_flight: int) -> Figures:
    """Make as many requests as the engine did, with nothing around them."""
    auth = aiohttp.BasicAuth("key", "secret")
    slots = asyncio.Semaphore(in_flight)
    extra = looks - int(looks)
    chance = random.Random(1)
    async with aiohttp.ClientSession(auth=auth) as session, asyncio.TaskGroup() as group:

        async def one(number: int) -> None:
            async with slots:
                body = {"prompt": f"a watch tower, number {number}"}
                async with session.post(f"{base}/v1/generate/custom/model_bench", json=body) as answer:
                    name = (await answer.json())["job"]["jobId"]
                for _ in range(int(looks) + (chance.random() < extra)):
                    async with session.get(f"{base}/v1/jobs/{name}") as answer:
                        await answer.json()

        wall, cpu = time.perf_counter(), time.process_time()
        for number in range(load.jobs):
            group.create_task(one(number))
    return await figures(base, time.perf_counter() - wall, time.process_time() - cpu)


async def figures(base: str, wall: float, cpu: float) -> Figures:
    async with aiohttp.ClientSession() as session, session.get(f"{base}/numbers") as answer:
        numbers = await answer.json()
    return Figures(
        wall=wall,
        cpu=cpu,
        submits=numbers["submit"],
        refused=numbers["refused"],
        looks=numbers["job"],
        durations=numbers["durations"],
    )


def ideal(durations: list[float], ceiling: int) -> float:
    """The wall of the greedy list schedule: the next job as soon as a slot is free."""
    slots = [0.0] * ceiling
    for duration in durations:
        heapq.heapreplace(slots, slots[0] + duration)
    return max(slots)


class Instant:
    """A Generator that is done before it was asked."""

    def __init__(self) -> None:
        self._number = 0

    async def submit(self, model: str, body: str) -> Receipt:
        del model, body
        self._number += 1
        job = RemoteJob(
            remote_id=f"job_{self._number}",
            status=RemoteStatus.SUCCEEDED,
            word="success",
            asset_ids=("asset_1",),
        )
        return Receipt(job=job, charged=None)


async def run_instantly(count: int, folder: Path) -> tuple[float, float]:
    """Give the wall of a job with the engine and journal alone, and of one sync of the same disk."""
    scope = Scope(origin="instant", project="", batch="bench")
    gate = RateGate(None)
    with JournalFile.open(folder / "journal.db") as file:
        journal = file.batch(scope)
        runner = Runner(
            plan=make_plan(jobs_of(count), {}),
            scope=scope,
            models={"model_bench": Model(id="model_bench", name="Bench", inputs=())},
            world=World(
                generator=Instant(),  # type: ignore[arg-type]  # nothing but submit is called
                journal=journal,
                collector=None,
                gate=gate,
                clock=SystemClock(),
                observer=Silent(),
            ),
            flow=Flow(pools=Pools(Ceiling()), gate=gate),
            policy=Policy(),
        )
        async with beside(gate.run(), name="gate"):
            wall = time.perf_counter()
            await runner.run()
            wall = time.perf_counter() - wall
    return wall / count, sync_time(folder)


def sync_time(folder: Path) -> float:
    """Give the median seconds of an fdatasync after an appended page."""
    taken = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(300):
            file.write(b"x" * 4096)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    return statistics.median(taken)
