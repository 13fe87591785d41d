"""How soon a command is done that has little to do: a run of what is done, a look, a check, and imports."""

import asyncio
import json
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path

from batchgen.simulator.front import serve
from batchgen.simulator.settings import Settings
from bench.commands import Ran, batchgen, python
from bench.figures import Figure
from bench.setting import Setting

_SPEED = 200.0  # the service's seconds in a second: nobody waits for its jobs
_MODEL = "model_bfl-flux-1-dev"
_RUN = ("run", "jobs.yaml", "--yes", "--quiet")
# all that a run loads that finds nothing to do, with the collector as the command sets it
_IMPORTS = """
import gc, time
import batchgen.__main__
gc.set_threshold(*batchgen.__main__.COLLECTIONS)
from importlib import import_module
for name in ("cli.streams", "cli.main", "cli.run", "usecases.audience", "api.runs"):
    import_module(f"batchgen.{name}")
print(time.process_time())
"""


def starts(setting: Setting) -> list[Figure]:
    """A run of what is done already, `status`, `validate --offline` and imports: CPU seconds."""
    few, many = setting.many(50, 5), setting.many(3000, 20)
    address, (small, large) = asyncio.run(_finished(setting.folder, few, many))
    again = partial(batchgen, *_RUN, base_url=address)
    look, check = partial(batchgen, "status"), partial(batchgen, "validate", "--offline", "jobs.yaml")
    tries = setting.many(9, 3)
    return [
        _figure(f"run of {few:,} jobs that are done", partial(again, folder=small), tries, most=0.45),
        _figure(f"run of {many:,} jobs that are done", partial(again, folder=large), tries, most=0.8),
        _figure(f"`batchgen status` of {many:,} jobs", partial(look, folder=large), tries, most=0.3),
        _figure("`batchgen validate --offline`", partial(check, folder=small), tries, most=0.3),
        _imports(small, tries),
    ]


def _figure(what: str, ran: Callable[[], Ran], tries: int, *, most: float) -> Figure:
    """Give the median CPU of a command, its own and the system's; a first try counts for nothing."""
    _ok(ran())
    times = [_ok(ran()) for _ in range(tries)]
    cpu, wall = (
        statistics.median(told) for told in zip(*((one.cpu, one.wall) for one in times), strict=True)
    )
    note = f"median of {tries}, fastest {min(one.cpu for one in times):.2f} s; wall {wall:.2f} s"
    return Figure(what=f"{what}: CPU", value=cpu, unit="s", most=most, note=note)


def _imports(folder: Path, tries: int) -> Figure:
    """Give the median CPU of a process from its start until all is loaded."""
    _ok(python(_IMPORTS, folder=folder))
    times = [float(_ok(python(_IMPORTS, folder=folder)).said) for _ in range(tries)]
    note = f"median of {tries}, fastest {min(times):.2f} s"
    what = "imports of a run that finds nothing to do: CPU"
    return Figure(what=what, value=statistics.median(times), unit="s", most=0.25, note=note)


async def _finished(place: Path, *counts: int) -> tuple[str, list[Path]]:
    """Give the address of a service that is over, and folders with a batch each that has everything of it."""
    folders = [_made(place / f"starts-{count}", count) for count in counts]
    async with serve(Settings(latency=(0.0, 0.0), duration=(0.0, 1.0)), speed=_SPEED) as running:
        for folder in folders:
            _ok(await asyncio.to_thread(batchgen, *_RUN, folder=folder, base_url=running.base_url))
        return running.base_url, folders


def _made(folder: Path, count: int) -> Path:
    prompts = json.dumps([f"a tower, {number + 1} of {count}" for number in range(count)])
    head = f"version: 1\nbatch: {folder.name}\nlimits: {{rate: none}}\n"
    folder.mkdir()
    (folder / "jobs.yaml").write_text(f"{head}jobs:\n  - {{model: {_MODEL}, prompt: {prompts}}}\n")
    return folder


def _ok(ran: Ran) -> Ran:
    assert ran.status == 0, f"ended with {ran.status}:\n{ran.said[-1000:]}{ran.troubled[-2000:]}"
    return ran
