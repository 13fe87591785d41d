"""``python -m bench [NAME ...]``: measures, and prints every figure beside its target and the yardsticks.

Ratios are of one run on one machine. ``--quick`` exercises all of it with tiny numbers: it fails where the
harness is broken, and its figures mean nothing.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Figure, as_json, as_text
from bench.machine import describe
from bench.page import write_page
from bench.plot import drawn
from bench.rows import SCENARIOS
from bench.setting import Setting

_HERE = Path(__file__).parent
_DOCS = _HERE.parent / "docs"


def measured(names: Sequence[str], setting: Setting) -> list[Figure]:
    """Measure one scenario after another, or side by side where the figures mean nothing."""
    with ThreadPoolExecutor(os.cpu_count() if setting.quick else 1) as pool:
        return [one for rows in pool.map(lambda name: _timed(name, setting), names) for one in rows]


def _timed(name: str, setting: Setting) -> list[Figure]:
    began = time.perf_counter()
    rows = [one.of(name) for one in _rows(name, setting)]
    print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return rows


def _rows(name: str, setting: Setting) -> list[Figure]:
    """Measure one; when all are measured for their figures, one that fails does not take the others along."""
    try:
        return SCENARIOS[name](setting)
    except AssertionError as error:
        if setting.quick:
            raise
        print(f"{name} failed: {error}", file=sys.stderr)
        return [Figure(what=name, note=f"failed: {str(error).partition(chr(10))[0]}")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures batchgen.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="scenarios; all where none is named")
    parser.add_argument("--list", action="store_true", help="name the scenarios, and measure nothing")
    parser.add_argument("--quick", action="store_true", help="tiny numbers: does the harness still work?")
    parser.add_argument("--full", action="store_true", help="10,000 seeds, 100 kills, 1,000 budgets too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw the runs there")
    parser.add_argument("--write", action="store_true", help="refresh docs/performance.md and its drawings")
    return parser


def main(words: Sequence[str]) -> int:
    parser = _parser()
    asked = parser.parse_args(words)
    unknown = sorted(set(asked.names) - set(SCENARIOS))
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there are: {', '.join(SCENARIOS)}")
    if asked.list:
        print(
            "\n".join(f"{name:<10}{(one.__doc__ or '').splitlines()[0]}" for name, one in SCENARIOS.items())
        )
        return 0
    if asked.write and (asked.names or asked.quick):
        parser.error("--write is for a whole run: figures of two runs are not held side by side")
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as place:
        folder = Path(place).resolve()
        machine = describe(folder)
        setting = Setting(folder=folder, quick=asked.quick, full=asked.full)
        rows = measured(asked.names or list(SCENARIOS), setting)
    _give(asked, rows, machine, setting)
    return 0


def _give(asked: argparse.Namespace, rows: list[Figure], machine: dict[str, str], setting: Setting) -> None:
    at = datetime.now(UTC).strftime("%Y-%m-%d")
    if setting.quick:
        print("\nThe harness works; figures of so few jobs mean nothing.")
    print("\n" + as_text(rows) + "\n\n" + ", ".join(f"{name} {said}" for name, said in machine.items()))
    if asked.json:
        asked.json.write_text(as_json(rows, machine, at=at, quick=asked.quick))
    for folder in [asked.plots] * bool(asked.plots) + [_DOCS] * asked.write:
        folder.mkdir(parents=True, exist_ok=True)
        for name, plot in setting.plots.items():
            (folder / f"performance-{name}.svg").write_text(drawn(plot))
    if asked.write:
        write_page(_DOCS / "performance.md", rows, machine, at=at)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
