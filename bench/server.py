"""A lean Scenario-like server: nothing but what the figures need, so that it is never the bottleneck.

The simulator is the faithful one; this one answers in microseconds and counts.
"""

import argparse
import asyncio
import json
import random
import time

from aiohttp import web

MODEL = {"model": {"id": "model_bench", "name": "Bench", "inputs": [{"name": "prompt", "type": "string"}]}}


class Server:
    def __init__(self, low: float, high: float, ceiling: int) -> None:
        self.low, self.high, self.ceiling = low, high, ceiling
        self.chance = random.Random(7)
        self.jobs: dict[str, tuple[float, float]] = {}
        self.running: dict[str, float] = {}
        self.counts = {"submit": 0, "refused": 0, "job": 0}

    async def model(self, _: web.Request) -> web.Response:
        return web.json_response(MODEL)

    async def submit(self, request: web.Request) -> web.Response:
        inputs = await request.json()
        now = time.time()
        self.running = {name: end for name, end in self.running.items() if end > now}
        if self.ceiling and len(self.running) >= self.ceiling:
            self.counts["refused"] += 1
            details = {"actionName": "parallelCustomJobs", "actionLimit": self.ceiling}
            return web.json_response({"reason": "too many", "details": details}, status=429)
        self.counts["submit"] += 1
        name = f"job_{self.counts['submit']:022d}"
        end = now + self.chance.uniform(self.low, self.high)
        self.jobs[name] = (now, end)
        if self.ceiling:
            self.running[name] = end
        return web.json_response({"job": self._job(name, inputs), "creativeUnitsCost": 1})

    async def job(self, request: web.Request) -> web.Response:
        self.counts["job"] += 1
        return web.json_response({"job": self._job(request.match_info["name"], {})})

    async def numbers(self, _: web.Request) -> web.Response:
        durations = [end - start for start, end in self.jobs.values()]
        return web.json_response({**self.counts, "durations": durations})

    def _job(self, name: str, inputs: dict[str, object]) -> dict[str, object]:
        start, end = self.jobs[name]
        done = time.time() >= end
        history = [{"status": "pending", "date": _iso(start)}]
        if done:
            history.append({"status": "success", "date": _iso(end)})
        return {
            "jobId": name,
            "jobType": "custom",
            "status": "success" if done else "in-progress",
            "progress": 1 if done else 0,
            "statusHistory": history,
            "createdAt": _iso(start),
            "updatedAt": _iso(end if done else start),
            "authorId": "apiu_bench",
            "metadata": {"input": inputs, "assetIds": [f"asset_{name[4:]}"] if done else []},
            "billing": {"cuCost": 1, "cuDiscount": 0},
        }


def _iso(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1000):03d}Z"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--low", type=float, required=True)
    parser.add_argument("--high", type=float, required=True)
    parser.add_argument("--ceiling", type=int, default=0)
    asked = parser.parse_args()
    server = Server(asked.low, asked.high, asked.ceiling)
    app = web.Application()
    app.add_routes(
        [
            web.get("/v1/models/{name}", server.model),
            web.post("/v1/generate/custom/{name}", server.submit),
            web.get("/v1/jobs/{name}", server.job),
            web.get("/numbers", server.numbers),
        ]
    )

    runner = web.AppRunner(app, access_log=None)

    async def serve() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        print(json.dumps({"port": port}), flush=True)
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
