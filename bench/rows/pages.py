"""The page of pictures: how long it takes to write, and what it is like to look at."""

import time
from pathlib import Path

from batchgen.output.report import write_report
from bench.browser import MISSING, has_browser, measured
from bench.figures import Figure
from bench.isolated import isolated
from bench.pictures import batch, changed
from bench.setting import Setting

_EDGE = 384  # pixels


def page(setting: Setting) -> list[Figure]:
    """A batch of 20,000 real pictures: the page written, written again after one change, and looked at."""
    count, some = setting.many(20_000, 60), setting.many(500, 12)
    first, again, path = isolated(_written, setting.folder / "page", count)
    what = f"page of {count:,} cards"
    rows = [
        Figure(what=f"{what}: written, thumbnails and all", value=first, unit="s", digits=1),
        Figure(what=f"{what}: written again after one change", value=again / first, digits=3, most=0.1,
               note=f"{again:.1f} s"),
        Figure(what=f"page of {some} cards, its pictures inside: size", unit="MB",
               value=isolated(_size, setting.folder / "small", some)),
    ]  # fmt: skip
    if not has_browser():
        return [*rows, Figure(what=f"{what} in Chromium", note=MISSING)]
    shown = measured(path)
    return [
        *rows,
        Figure(what=f"{what} in Chromium: first paint", value=shown.painted, unit="s", most=1.5,
               note=f"first pictures after {shown.ready:.2f} s; {shown.elements} cards are elements"),
        Figure(what=f"{what} in Chromium: search, from key to frame", value=shown.search, unit="ms", digits=0,
               most=100, note=f"slowest of five; {shown.worked:.0f} ms of processor each"),
        Figure(what=f"{what} in Chromium: frames a second while scrolling", value=shown.frames, digits=0,
               least=55, note=f"{100 * shown.late:.0f} % of frames late; without a graphics card"),
        Figure(what=f"{what} in Chromium: memory", value=shown.memory, unit="MB", digits=0, most=500,
               note=f"all of the page's process, its script {shown.heap:.0f} MB; {shown.kept:.0f} MB with "
               "pictures that the browser keeps as long as nobody needs the memory"),
    ]  # fmt: skip


def _written(folder: Path, count: int) -> tuple[float, float, Path]:
    document = batch(folder, count, edge=_EDGE)
    began = time.perf_counter()
    path = write_report(folder, document)
    first = time.perf_counter() - began
    other = changed(document, folder, count // 2)
    began = time.perf_counter()
    write_report(folder, other)
    return first, time.perf_counter() - began, path


def _size(folder: Path, count: int) -> float:
    return write_report(folder, batch(folder, count, edge=_EDGE)).stat().st_size / 1e6
