"""Real time, real sockets: answers that get lost, a ceiling nobody told us of, the watching of many jobs."""

from collections.abc import Callable, Sequence

from bench.engine import Carried, over_http
from bench.figures import Figure
from bench.ideal import ideal
from bench.isolated import together
from bench.plot import Plot
from bench.server import Numbers
from bench.service import Load
from bench.setting import Setting
from bench.yardsticks import SDK_MISSING, Looped, has_sdk, sdk_loop

_LOOK_EVERY = 0.75  # seconds between two looks of the SDK loop, for jobs of a few seconds


def _beside(
    setting: Setting, name: str, load: Load, jobs: int, *, at_once: int, interval: float
) -> tuple[Carried, Numbers, Looped | None]:
    """Run the engine and, at the same time, the SDK loop: both mostly wait, each for a service of its own."""
    calls: list[tuple[object, ...]] = [(over_http, load, jobs, setting.folder / name)]
    if has_sdk():
        calls.append((sdk_loop, load, jobs, at_once, interval))
    (carried, numbers), *looped = together(calls)
    return carried, numbers, looped[0] if looped else None


def lost(setting: Setting) -> list[Figure]:
    """Every tenth answer to a submit is lost after the job was accepted and charged."""
    count = setting.many(500, 30)
    load = Load(low=0.2, high=0.4, lost=0.1)
    carried, numbers, sdk = _beside(setting, "lost", load, count, at_once=50, interval=0.1)
    assert carried.done == count, f"{carried.done} of {count} done"
    what = f"10 % of submit answers lost after acceptance, {count} prompts"
    note = f"{numbers.counts.get('lost', 0)} answers lost, half cut, half a 502"
    charged = numbers.count("accepted")
    return [
        Figure(what=f"{what}: charged", value=charged, digits=0, most=count, least=count, note=note,
               sdk=_told(sdk, lambda one: f"{one.numbers.count('accepted')} charged")),
        Figure(what=f"{what}: done", value=carried.done, digits=0, most=count, least=count,
               sdk=_told(sdk, lambda one: f"{one.done} done")),
    ]  # fmt: skip


def ceiling(setting: Setting) -> list[Figure]:
    """The service takes five at once, and nobody said so."""
    count, most = setting.many(100, 12), 5
    load = setting.many(Load(low=2.1, high=4.5, ceiling=most), Load(low=0.4, high=0.9, ceiling=most))
    carried, numbers, sdk = _beside(setting, "ceiling", load, count, at_once=20, interval=_LOOK_EVERY)
    assert carried.done == count, f"{carried.done} of {count} done"
    best = ideal(numbers.durations, most)
    what = f"ceiling {most}, {count} prompts"
    return [
        Figure(what=f"{what}: done", value=carried.done, digits=0, most=count, least=count,
               sdk=_told(sdk, lambda one: f"{one.done} done, asking for 20")),
        Figure(what=f"{what}: refusals", value=numbers.count("refused"), digits=0, most=3,
               sdk=_told(sdk, lambda one: f"{one.numbers.count('refused')} refusals")),
        Figure(what=f"{what}: wall over ideal", value=carried.wall / best, most=1.08,
               note=f"{carried.wall:.1f} s over {best:.1f} s"),
    ]  # fmt: skip


def watching(setting: Setting) -> list[Figure]:
    """Short jobs under a ceiling, with no rate to hold the looks back."""
    count, most = setting.many(500, 30), 20
    load = setting.many(Load(low=2.1, high=4.5, ceiling=most), Load(low=0.4, high=0.9, ceiling=most))
    carried, numbers, sdk = _beside(setting, "watching", load, count, at_once=most, interval=_LOOK_EVERY)
    assert carried.done == count, f"{carried.done} of {count} done"
    best = ideal(numbers.durations, most)
    what = f"{count} jobs of {load.low:g}-{load.high:g} s, ceiling {most}, rate not binding"
    setting.plots["watching"] = Plot(
        title=what,
        flights={"batchgen": numbers.lives, **_theirs(sdk)},
        ceiling=most,
        asked=numbers.asked,
    )
    return [
        Figure(what=f"{what}: wall over ideal", value=carried.wall / best, most=1.06,
               note=f"{carried.wall:.1f} s over {best:.1f} s",
               sdk=_told(sdk, lambda one: f"{one.wall / ideal(one.numbers.durations, most):.2f}")),
        Figure(what=f"{what}: status requests a job", value=numbers.looks / count, most=0.7,
               note=f"{numbers.count('job')} looks at one job, {numbers.count('jobs')} listings",
               sdk=_told(sdk, lambda one: f"{one.numbers.count('job') / count:.1f}, each {_LOOK_EVERY} s")),
    ]  # fmt: skip


def _told(sdk: Looped | None, say: Callable[[Looped], str]) -> str:
    return SDK_MISSING if sdk is None else say(sdk)


def _theirs(sdk: Looped | None) -> dict[str, Sequence[tuple[float, float]]]:
    return {} if sdk is None else {"SDK loop": sdk.numbers.lives}
