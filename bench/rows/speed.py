"""What a job costs this machine: CPU beside the yardsticks, and jobs a second with nothing to wait for."""

import statistics
from collections.abc import Sequence

from bench.commands import batchgen
from bench.engine import over_http, without_service
from bench.figures import Figure
from bench.isolated import isolated
from bench.server import Numbers, serving
from bench.service import MODEL, Load
from bench.setting import Setting
from bench.yardsticks import SDK_MISSING, bare_loop, has_sdk, sdk_loop

_LOAD = Load(low=0.21, high=0.45, ceiling=100)
_SDK_LOAD, _SDK_LOOKS_EVERY = Load(low=0.7, high=1.5, ceiling=20), 0.25  # slow enough for it to keep up
_WHOLE_LOAD = Load(low=0.5, high=2.0)
_WHOLE = """\
version: 1
batch: bench-whole
limits: {{rate: none, in_flight: 400}}
output: {{download: false}}
defaults: {{model: {model}, params: {{width: 512}}}}
jobs:
  - {{id: "tower-{{n}}", prompt: "a watch tower, number {{n}}", matrix: {{n: {numbers}}}}}
"""


def cpu(setting: Setting) -> list[Figure]:
    """Short jobs, many at once: the process is never idle for long."""
    count = setting.many(5000, 100)
    carried, numbers = isolated(over_http, _LOAD, count, setting.folder / "cpu")
    assert carried.done == count, f"{carried.done} of {count} done"
    official = _sdk_cpu(setting)
    what = f"CPU a job, engine alone, {count} jobs"
    of_engine = _beside(what, carried.cpu, numbers, _LOAD.ceiling, official, most=(1.2, 6))
    return [*of_engine, *_whole_cpu(setting, official)]


def _whole_cpu(setting: Setting, official: tuple[float, str] | None) -> list[Figure]:
    """The installed command from its start to its end: plan, run, results and page."""
    count = setting.many(3000, 60)
    folder = setting.folder / "whole"
    folder.mkdir()
    (folder / "jobs.yaml").write_text(_WHOLE.format(model=MODEL, numbers=list(range(count))))
    with serving(_WHOLE_LOAD) as served:
        ran = batchgen("run", "jobs.yaml", "--yes", "--quiet", folder=folder, base_url=served.base_url)
        numbers = served.numbers()
    assert ran.status == 0, f"ended with {ran.status}:\n{ran.troubled[-2000:]}"
    what = f"CPU a job, whole command, {count} jobs of {_WHOLE_LOAD.low}-{_WHOLE_LOAD.high} s, 400 in flight"
    return _beside(what, ran.cpu, numbers, 400, official, most=(2.2, 4.4))


def _beside(
    what: str,
    seconds: float,
    numbers: Numbers,
    at_once: int,
    official: tuple[float, str] | None,
    *,
    most: tuple[float, float],
) -> list[Figure]:
    """Hold what jobs cost against a bare loop with as many requests and connections, and the SDK's loop."""
    count = numbers.count("accepted")
    looks = numbers.looks / count
    bare = isolated(bare_loop, Load(), count, at_once, looks)
    ours, theirs = 1000 * seconds / count, 1000 * bare.cpu / count
    return [
        Figure(what=what, value=ours, unit="ms", most=most[0],
               bare=f"{theirs:.2f} ms", note=f"{looks:.2f} status requests a job"),
        Figure(what=f"{what}: over a bare loop with as many requests", value=ours / theirs, unit="x",
               digits=1, most=most[1], bare="1 x"),
        _of_sdk(f"{what}: share of the SDK loop's", ours, official),
    ]  # fmt: skip


def _of_sdk(what: str, ours: float, official: tuple[float, str] | None) -> Figure:
    if official is None:
        return Figure(what=what, note=SDK_MISSING)
    return Figure(what=what, value=ours / official[0], digits=3, most=0.1, sdk=official[1])


def _sdk_cpu(setting: Setting) -> tuple[float, str] | None:
    """Give the milliseconds a job of the SDK's loop, with words for them; None where it is not installed."""
    if not has_sdk():
        return None
    fewer = setting.many(300, 20)
    sdk = isolated(sdk_loop, _SDK_LOAD, fewer, _SDK_LOAD.ceiling, _SDK_LOOKS_EVERY)
    each = 1000 * sdk.cpu / fewer
    return each, f"{each:.1f} ms over {fewer} jobs, {sdk.numbers.count('job') / fewer:.1f} looks a job"


def engine(setting: Setting) -> list[Figure]:
    """No service at all: the engine, the journal and the disk."""
    count = setting.many(5000, 100)
    carried, sync = isolated(without_service, count, setting.folder / "engine")
    assert carried.done == count, f"{carried.done} of {count} done"
    each, bound = carried.wall / count, 2 * sync + 0.0005
    return [
        Figure(what="engine and journal alone: wall a job over two syncs and 0.5 ms", value=each / bound,
               most=1, note=f"{1000 * each:.2f} ms a job, of it {1000 * carried.cpu / count:.2f} ms CPU; "
               f"a sync takes {1000 * sync:.2f} ms"),
    ]  # fmt: skip


def http(setting: Setting) -> list[Figure]:
    """A service whose jobs end with the answer to their submit."""
    count = setting.many(4000, 100)
    carried, numbers = isolated(over_http, Load(), count, setting.folder / "http")
    assert carried.done == count, f"{carried.done} of {count} done"
    bare = isolated(bare_loop, Load(), count, 20, numbers.looks / count)
    return [
        Figure(what="over HTTP against an instant service: jobs a second", value=count / carried.wall,
               digits=0, least=700, note=f"{count} jobs in {carried.wall:.1f} s, "
               f"{1000 * carried.cpu / count:.2f} ms CPU each", bare=f"{count / bare.wall:.0f}, 20 at once"),
    ]  # fmt: skip


def disk(setting: Setting) -> list[Figure]:
    """The same on a disk that takes 5 ms more for each sync, in turn with the one that is there."""
    count, slow = setting.many(2000, 60), 0.005
    walls: dict[float, list[float]] = {0.0: [], slow: []}
    stands: dict[float, list[float]] = {0.0: [], slow: []}
    for number in range(setting.many(3, 1)):
        for more in (0.0, slow):
            folder = setting.folder / f"disk-{number}-{1000 * more:.0f}"
            carried, _ = isolated(over_http, Load(), count, folder, 200, more)
            assert carried.done == count, f"{carried.done} of {count} done"
            walls[more].append(carried.wall)
            stands[more] += carried.stands
    what = "over HTTP against an instant service, 200 in flight, 5 ms more a sync"
    quick, slower = (count / statistics.median(walls[more]) for more in (0.0, slow))
    late = sorted(stands[slow])
    return [
        Figure(what=f"{what}: jobs a second, of those without", value=slower / quick, least=0.8,
               note=f"median of {len(walls[slow])} runs of {count} jobs each: {slower:.0f} and {quick:.0f}"),
        Figure(what=f"{what}: the loop stands still for, at p99 of its turns", value=1000 * _at(late, 0.99),
               unit="ms", most=5, note=f"{len(late)} turns, longest {1000 * late[-1]:.0f} ms; without "
               f"{1000 * _at(sorted(stands[0.0]), 0.99):.2f} ms; syncs of SQLite's own are not slower"),
    ]  # fmt: skip


def _at(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))]
