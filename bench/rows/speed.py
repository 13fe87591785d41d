"""What a job costs this machine: CPU beside the yardsticks, and jobs a second with nothing to wait for."""

import statistics
from collections.abc import Sequence

from bench.engine import over_http, without_service
from bench.figures import Figure
from bench.isolated import isolated
from bench.service import Load
from bench.setting import Setting
from bench.yardsticks import SDK_MISSING, bare_loop, has_sdk, sdk_loop

_LOAD = Load(low=0.21, high=0.45, ceiling=100)
_SDK_LOAD, _SDK_LOOKS_EVERY = Load(low=0.7, high=1.5, ceiling=20), 0.25  # slow enough for it to keep up


def cpu(setting: Setting) -> list[Figure]:
    """Short jobs, many at once: the process is never idle for long."""
    count, fewer = setting.many(5000, 100), setting.many(300, 20)
    carried, numbers = isolated(over_http, _LOAD, count, setting.folder / "cpu")
    assert carried.done == count, f"{carried.done} of {count} done"
    ours, looks = 1000 * carried.cpu / count, numbers.looks / count
    bare = isolated(bare_loop, Load(), count, _LOAD.ceiling, looks)
    theirs = 1000 * bare.cpu / count
    what = f"CPU a job, {count} jobs"
    rows = [
        Figure(what=what, value=ours, unit="ms", most=1.2,
               bare=f"{theirs:.2f} ms", note=f"{looks:.2f} status requests a job"),
        Figure(what=f"{what}: over a bare loop with as many requests", value=ours / theirs, unit="x",
               digits=1, most=6, bare="1 x"),
    ]  # fmt: skip
    over = f"{what}: share of the SDK loop's"
    if not has_sdk():
        return [*rows, Figure(what=over, note=SDK_MISSING)]
    sdk = isolated(sdk_loop, _SDK_LOAD, fewer, _SDK_LOAD.ceiling, _SDK_LOOKS_EVERY)
    official = 1000 * sdk.cpu / fewer
    told = f"{official:.1f} ms over {fewer} jobs, {sdk.numbers.count('job') / fewer:.1f} looks a job"
    return [*rows, Figure(what=over, value=ours / official, digits=3, most=0.1, sdk=told)]


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
