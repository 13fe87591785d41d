"""A page in headless Chromium: how soon it is there, and what searching, scrolling and holding it costs.

``python -m bench.browser PAGE`` measures one that is there.
"""

import os
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

MISSING = "needs chromium and chromedriver"

_PAINTED = """return performance.getEntriesByName("first-contentful-paint")[0].startTime"""
_COUNT = """return document.querySelectorAll(".card").length"""
_CARDS_AT = """
const done = arguments[0];
const isThere = () => document.querySelector(".card img")?.complete;
const look = () => isThere() ? done(performance.now()) : requestAnimationFrame(look);
look();
"""
# from the key to the frame in which the cards that were found are drawn
_SEARCH = """
const [words, done] = arguments, field = document.getElementById("search");
field.value = words;
const began = performance.now(), before = location.hash;
field.dispatchEvent(new Event("input"));
const look = () => location.hash !== before
  ? setTimeout(() => done(performance.now() - began)) : requestAnimationFrame(look);
requestAnimationFrame(look);
"""
_SEARCHES = ("oak", "oak sword", "", "jade pixel", "")
_SCROLL = """
const [by, count, done] = arguments, times = [];
let last = performance.now();
const step = (now) => {
  times.push(now - last);
  last = now;
  scrollBy(0, by);
  if (times.length < count) requestAnimationFrame(step); else done(times.slice(2));
};
requestAnimationFrame(step);
"""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a page came to.

    Attributes:
        painted: seconds until anything is seen.
        ready: seconds until the first pictures are.
        search: milliseconds of the slowest of some searches.
        worked: milliseconds of processor time of a search, on the page's main thread: what it takes where
            nobody else wants the processor.
        frames: a second, while scrolling.
        late: share of frames that took more than twice their time.
        memory: that the process of the page needs, in MB: not in it is what the browser keeps of pictures and
            drops when memory is short.
        kept: the same with all of that, after the scrolling.
        heap: of its script, in MB.
        elements: cards that are elements.
    """

    painted: float
    ready: float
    search: float
    worked: float
    frames: float
    late: float
    memory: float
    kept: float
    heap: float
    elements: int


def has_browser() -> bool:
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


@contextmanager
def _chromium(width: int) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.add_argument(f"--window-size={width},900")
    chrome = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield chrome
    finally:
        chrome.quit()


def measured(page: Path, *, width: int = 1400) -> Shown:
    """Load a page, look for words in it, and scroll through it."""
    with _chromium(width) as chrome:
        chrome.get("about:blank")
        chrome.get(page.as_uri())
        ready = chrome.execute_async_script(_CARDS_AT)
        elements = chrome.execute_script(_COUNT)
        time.sleep(2)  # what is prepared while nobody waits
        painted = chrome.execute_script(_PAINTED)
        page_id = max(_descendants(chrome.service.process.pid), key=_resident)
        before = _worked(page_id)
        found = [chrome.execute_async_script(_SEARCH, one) for one in _SEARCHES]
        worked = (_worked(page_id) - before) / len(found)
        times = chrome.execute_async_script(_SCROLL, 90, 240)
        kept = _largest(chrome)
        chrome.execute_cdp_cmd("Memory.simulatePressureNotification", {"level": "critical"})
        chrome.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
        time.sleep(2)
        memory = _largest(chrome)
        chrome.execute_cdp_cmd("Performance.enable", {})
        metrics = chrome.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        heap = next(one["value"] for one in metrics if one["name"] == "JSHeapUsedSize")
    return Shown(
        painted=painted / 1000,
        ready=ready / 1000,
        search=max(found),
        worked=worked,
        frames=1000 / statistics.mean(times),
        late=sum(one > 34 for one in times) / len(times),
        memory=memory,
        kept=kept,
        heap=heap / 1e6,
        elements=elements,
    )


def _largest(chrome: webdriver.Chrome) -> float:
    return max(_resident(one) for one in _descendants(chrome.service.process.pid))


def _descendants(pid: int) -> Iterator[int]:
    """Return the processes of pages that a process has started, and those that they have."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            if "--type=renderer" in Path(f"/proc/{child}/cmdline").read_text():
                yield int(child)
            yield from _descendants(int(child))


def _worked(pid: int) -> float:
    """Return the processor time of the main thread of a process, in milliseconds."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e6


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    print(measured(Path(sys.argv[1]).resolve()))
