"""Prints the figures side by side; ratios are of one run on one machine."""

import asyncio
import json
import platform
import sys
import tempfile
from pathlib import Path

from bench.measure import Load, ideal, run_bare, run_engine, run_instantly, server

QUICK = "--quick" in sys.argv


def rows(folder: Path) -> list[tuple[str, str, str]]:
    return [*watching(folder), *cpu(folder), *instant(folder)]


def watching(folder: Path) -> list[tuple[str, str, str]]:
    load = Load(jobs=20 if QUICK else 300, low=2.1, high=4.5, ceiling=20)
    with server(load) as base:
        got = asyncio.run(run_engine(load, base, folder / "watching"))
    best = ideal(got.durations, load.ceiling)
    what = f"{load.jobs} jobs of 2.1-4.5 s, ceiling {load.ceiling}"
    return [
        (f"{what}: wall over ideal", f"{got.wall / best:.2f}", f"{got.wall:.1f} s over {best:.1f} s"),
        (f"{what}: status requests a job", f"{got.looks / load.jobs:.2f}", f"{got.looks} in all"),
        (f"{what}: refusals (429)", f"{got.refused}", f"{got.submits} accepted"),
    ]


def cpu(folder: Path) -> list[tuple[str, str, str]]:
    load = Load(jobs=200 if QUICK else 5000, low=0.21, high=0.45, ceiling=100)
    with server(load) as base:
        got = asyncio.run(run_engine(load, base, folder / "cpu"))
    with server(Load(jobs=load.jobs, low=0, high=0)) as base:
        bare = asyncio.run(run_bare(load, base, got.looks / load.jobs, 100))
    ours, theirs = 1000 * got.cpu / load.jobs, 1000 * bare.cpu / load.jobs
    return [
        (f"CPU a job, {load.jobs} jobs", f"{ours:.2f} ms", f"{got.looks / load.jobs:.1f} looks a job"),
        ("  over a bare aiohttp loop with as many requests", f"{ours / theirs:.1f} x", f"{theirs:.2f} ms"),
    ]


def instant(folder: Path) -> list[tuple[str, str, str]]:
    load = Load(jobs=200 if QUICK else 3000, low=0, high=0)
    with server(load) as base:
        got = asyncio.run(run_engine(load, base, folder / "http"))
    each, sync = asyncio.run(run_instantly(load.jobs, folder / "instant"))
    bound = 2 * sync + 0.0005
    return [
        ("jobs a second over HTTP, instant service", f"{load.jobs / got.wall:.0f}", f"{got.wall:.1f} s"),
        ("journaled jobs a second, instant generator", f"{1 / each:.0f}", f"{1000 * each:.2f} ms a job"),
        ("  over two syncs and 0.5 ms", f"{each / bound:.2f}", f"a sync takes {1000 * sync:.2f} ms"),
    ]


def main() -> None:
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as place:
        found = rows(Path(place))
    width = max(len(what) for what, _, _ in found)
    print(f"Python {platform.python_version()}, {platform.machine()}; one machine, one run")
    for what, value, note in found:
        print(f"{what:<{width}}  {value:>9}  {note}")
    if not QUICK:
        Path("bench/figures.json").write_text(
            json.dumps({w.strip(): v for w, v, _ in found}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
