"""What a pool of workers comes to on batches of its own, with its queue, database and service beside it."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.figures import Figure
from bench.server import serving
from bench.service import MODEL, Load
from bench.setting import Setting

_BATCHES = 4
_PATIENCE = 300.0  # seconds
_MANIFEST = """\
version: 1
batch: {batch}
defaults: {{model: {model}, params: {{width: 512}}}}
limits: {{rate: none}}
output: {{download: false}}
jobs:
  - {{id: {batch}, prompt: a tower of {batch}, repeat: {jobs}}}
"""


def pool(setting: Setting) -> list[Figure]:
    """One, two and four workers on four batches: jobs a second beside those of one worker."""
    what = "pool of workers"
    from tests.support.postgres import missing  # noqa: PLC0415 - psycopg: for this scenario alone

    if reason := missing():
        return [Figure(what=what, note=reason)]
    jobs = setting.many(300, 3)
    took = {count: _seconds(count, jobs, setting.folder / f"pool-{count}") for count in (1, 2, 4)}
    least = {1: None, 2: 1.3, 4: 1.2}
    rows = [
        Figure(
            what=f"{what}: jobs a second, {count} on {_BATCHES} batches",
            value=_BATCHES * jobs / seconds,
            digits=0,
            note=f"{_BATCHES * jobs} jobs in {seconds:.1f} s, from the first ring to the last result",
        )
        for count, seconds in took.items()
    ]
    rows += [
        Figure(
            what=f"{what}: {count} beside one, server and service on the same machine",
            value=took[1] / took[count],
            unit="x",
            least=least[count],
        )
        for count in (2, 4)
    ]
    return rows


def _seconds(count: int, jobs: int, folder: Path) -> float:
    """Return how long so many workers take for all batches."""
    from batchgen import api  # noqa: PLC0415 - as above
    from tests.support.postgres import postgres_server  # noqa: PLC0415 - as above

    folder.mkdir()
    with serving(Load()) as served, postgres_server() as server:
        environ = {
            "SCENARIO_BASE_URL": served.base_url,
            "SCENARIO_SDK_API_KEY": "key",
            "SCENARIO_SDK_API_SECRET": "secret",
            "BATCHGEN_JOURNAL": server.create_database(),
        }
        options = [
            api.Options(manifest=folder / f"batch-{number}.yaml", output=folder, environ=environ)
            for number in range(_BATCHES)
        ]
        for one in options:
            text = _MANIFEST.format(batch=one.manifest.stem, model=MODEL, jobs=jobs)
            one.manifest.write_text(text)
        api.prepare_journal(options[0])
        asyncio.run(api.prepare_queue(options[0]))
        workers = [_started(folder / f"worker-{number}", environ) for number in range(count)]
        try:
            _wait(lambda: len(asyncio.run(api.pool(options[0])).workers) == count)
            began = time.perf_counter()
            for one in options:
                asyncio.run(api.enqueue(one))
            _wait(lambda: all(one.exit is not None for one in asyncio.run(api.pool(options[0])).batches))
            took = time.perf_counter() - began
        finally:
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.wait(60)
        ended = [one.exit for one in asyncio.run(api.pool(options[0])).batches]
        assert ended == [0] * _BATCHES, f"the batches ended with {ended}"
    return took


def _started(folder: Path, environ: dict[str, str]) -> "subprocess.Popen[bytes]":
    folder.mkdir()
    with (folder / "said.txt").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "batchgen", "worker", "run", "-q", "-o", str(folder / "output")],
            cwd=folder,
            env={**os.environ, **environ},
            stdout=said,
            stderr=said,
        )


def _wait(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not what():
        assert time.monotonic() < deadline, "the workers did not get there"
        time.sleep(0.1)
