"""Virtual time: what the rate, the ceiling and the looks make of a schedule, minutes of it in seconds."""

import os
import statistics
from collections.abc import Mapping

from batchgen.model import Rate
from bench.figures import Figure
from bench.ideal import ideal, paced
from bench.isolated import isolated, together
from bench.plot import Plot
from bench.setting import Setting
from bench.virtual import Passed, Virtual, overshoots, virtually

_PUBLISHED = Rate(count=100, seconds=60)


def rate(setting: Setting) -> list[Figure]:
    """Few slots and the published rate: watching may not leave a slot empty."""
    count, most = setting.many(200, 20), 20
    case = Virtual(jobs=count, low=21, high=45, ceiling=most, rate=_PUBLISHED)
    passed = _passed(case)
    best = ideal(passed.durations, most)
    what = f"{count} jobs of 21-45 s, ceiling {most}, 100/min"
    setting.plots["rate"] = _plot(what, passed, most)
    return [
        Figure(what=f"{what}: wall over ideal", value=passed.carried.wall / best, most=1.07,
               note=f"{passed.carried.wall:.0f} s over {best:.0f} s of virtual time; {_kinds(passed.kinds)}"),
    ]  # fmt: skip


def wide(setting: Setting) -> list[Figure]:
    """More slots than the rate can fill: every request that is saved is a submit that leaves sooner."""
    count, most = setting.many(300, 20), 200
    case = Virtual(jobs=count, low=21, high=45, ceiling=most, rate=_PUBLISHED)
    passed = _passed(case)
    best = paced(passed.durations, most, every=_PUBLISHED.interval)
    what = f"{count} jobs of 21-45 s, ceiling {most}, 100/min"
    setting.plots["wide"] = _plot(what, passed, most)
    return [
        Figure(what=f"{what}: all API requests a job", value=len(passed.asked) / count, most=1.4,
               note=_kinds(passed.kinds)),
        Figure(what=f"{what}: wall over ideal with submits at the rate", value=passed.carried.wall / best,
               note=f"{passed.carried.wall:.0f} s over {best:.0f} s of virtual time"),
    ]  # fmt: skip


def polls(setting: Setting) -> list[Figure]:
    """Listings never show anything, so that every job is looked at by itself."""
    count = setting.many(500, 20)
    passed = _passed(Virtual(jobs=count, low=2.1, high=4.5, ceiling=20, lists=False))
    shares = [delay / took for delay, took in zip(passed.delays, passed.durations, strict=True)]
    what = f"polls alone, {count} jobs of 2.1-4.5 s"
    return [
        Figure(what=f"{what}: polls a job", value=passed.kinds["job"] / count, most=2.5),
        Figure(what=f"{what}: mean delay, of the duration", value=100 * statistics.mean(shares), unit="%",
               digits=1, most=15, note="from the end to the moment it is noticed; virtual time"),
        Figure(what=f"{what}: median delay, of the duration", value=100 * statistics.median(shares),
               unit="%", digits=1, most=12),
    ]  # fmt: skip


def budget(setting: Setting) -> list[Figure]:
    """Random caps, lost answers and failures; what is charged may not go over the cap."""
    runs = setting.many(1000 if setting.full else 200, 4)
    workers = os.cpu_count() or 1
    shares = [(start, min(start + runs // workers, runs) - 1) for start in range(0, runs, runs // workers)]
    parts = together([(overshoots, *share) for share in shares])
    found = [one for part in parts for one in part]
    assert len(found) == runs
    at_once = max(most for _, most in found)
    partly = "" if setting.full or setting.quick else "; --full plays 1,000"
    return [
        Figure(what="budget overshoot against quotes, 50 in flight, random runs: most",
               value=float(max(over for over, _ in found)), unit="CU", most=0,
               note=f"{runs} runs in virtual time, up to {at_once} in flight{partly}"),
    ]  # fmt: skip


def _passed(case: Virtual) -> Passed:
    passed = isolated(virtually, case)
    assert passed.carried.done == case.jobs, f"{passed.carried.done} of {case.jobs} done"
    return passed


def _plot(title: str, passed: Passed, ceiling: int) -> Plot:
    flights = {"batchgen": passed.lives}
    return Plot(title=title, flights=flights, ceiling=ceiling, asked=passed.asked, each=6.0)


def _kinds(kinds: Mapping[str, int]) -> str:
    words = {"submit": "submits", "job": "looks at one job", "jobs": "listings", "assets": "calls for URLs"}
    return ", ".join(f"{kinds[kind]} {word}" for kind, word in words.items() if kinds.get(kind))
