"""The two loops that batchgen is held against, in the same run: the official SDK's client, and bare aiohttp.

Both do what a short script would: so many at once, submit, ask until it has ended. Neither keeps a journal.
"""

import asyncio
import importlib
import importlib.util
import random
import time
from dataclasses import dataclass

import aiohttp

from bench.server import Numbers, serving
from bench.service import MODEL, Load

SDK_MISSING = "not installed: extra bench"
_ENDS = frozenset({"success", "failure", "canceled"})


@dataclass(frozen=True, kw_only=True)
class Looped:
    """What a loop came to.

    Attributes:
        wall, cpu: seconds, the start of the process left out.
        done: jobs that it saw end.
        numbers: what the service counted.
    """

    wall: float
    cpu: float
    done: int
    numbers: Numbers


def has_sdk() -> bool:
    return importlib.util.find_spec("scenario_sdk") is not None


def sdk_loop(load: Load, jobs: int, at_once: int, interval: float) -> Looped:
    """Run the official SDK's asynchronous client as it comes: two retries of whatever failed.

    Args:
        load: of the service, which is started for it.
        jobs: how many.
        at_once: how many it lets run at once.
        interval: seconds between two looks at a job.
    """
    with serving(load) as served:
        wall, cpu, done = asyncio.run(_sdk(served.base_url, jobs, at_once, interval))
        return Looped(wall=wall, cpu=cpu, done=done, numbers=served.numbers())


async def _sdk(base_url: str, jobs: int, at_once: int, interval: float) -> tuple[float, float, int]:
    sdk = importlib.import_module("scenario_sdk")  # typed or not: it need not be there
    slots, done = asyncio.Semaphore(at_once), 0

    async def one(number: int) -> None:
        nonlocal done
        async with slots:
            try:
                body = {"prompt": f"a watch tower, number {number}"}
                job = (await client.generate.run_model(MODEL, body=body)).job
                while job.status not in _ENDS:
                    await asyncio.sleep(interval)
                    job = (await client.jobs.retrieve(job.job_id)).job
                done += 1
            except sdk.APIError:
                return  # given up, as a script does that goes on with the next

    async with sdk.AsyncScenario(api_key="key", api_secret="secret", base_url=base_url) as client:
        await client.jobs.list(page_size=1)  # its modules load when they are first used
        wall, cpu = time.perf_counter(), time.process_time()
        async with asyncio.TaskGroup() as group:
            for number in range(jobs):
                group.create_task(one(number))
        return time.perf_counter() - wall, time.process_time() - cpu, done


def bare_loop(load: Load, jobs: int, at_once: int, looks: float) -> Looped:
    """Make so many requests with nothing around them: what aiohttp, connections and JSON alone cost.

    A connection a submit, as a paid POST must have, and shared ones for all else.

    Args:
        load: of the service, which is started for it.
        jobs: how many.
        at_once: how many at once.
        looks: requests a job besides its submit; a fraction is left to chance.
    """
    with serving(load) as served:
        wall, cpu = asyncio.run(_bare(served.base_url, jobs, at_once, looks))
        return Looped(wall=wall, cpu=cpu, done=jobs, numbers=served.numbers())


async def _bare(base_url: str, jobs: int, at_once: int, looks: float) -> tuple[float, float]:
    slots, chance, auth = asyncio.Semaphore(at_once), random.Random(1), aiohttp.BasicAuth("key", "secret")
    alone = aiohttp.TCPConnector(force_close=True, limit=0)
    async with (
        aiohttp.ClientSession(auth=auth, connector=alone) as submits,
        aiohttp.ClientSession(auth=auth) as session,
    ):

        async def one(number: int) -> None:
            async with slots:
                body = {"prompt": f"a watch tower, number {number}"}
                async with submits.post(f"{base_url}/generate/custom/{MODEL}", json=body) as answer:
                    name = (await answer.json())["job"]["jobId"]
                for _ in range(int(looks) + (chance.random() < looks % 1)):
                    async with session.get(f"{base_url}/jobs/{name}") as answer:
                        await answer.json()

        wall, cpu = time.perf_counter(), time.process_time()
        async with asyncio.TaskGroup() as group:
            for number in range(jobs):
                group.create_task(one(number))
        return time.perf_counter() - wall, time.process_time() - cpu
