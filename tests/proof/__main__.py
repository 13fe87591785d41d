"""Plays thousands of seeds on all cores: ``python -m tests.proof 0-9999``; one seed tells its whole story.

Exits with 1 if a seed breaks a law; each prints itself and the command that plays it again.
"""

import os
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.proof.play import Report, add_up, play
from tests.proof.rare import draw

_AT_ONCE = 50  # seeds that a worker plays before it reports
_STUCK_AFTER = 120.0  # seconds of real time: a loop that never waits has no virtual time to be caught by
_MOST_TOLD = 5  # failing seeds that are told in full


class StuckError(BaseException):
    """A seed that does not come to its end; no part of the program may catch it."""


def _stuck(*_: object) -> None:
    raise StuckError


def _play_some(first: int, last: int) -> tuple[Counter[str], list[tuple[int, str]]]:
    signal.signal(signal.SIGALRM, _stuck)
    tally: Counter[str] = Counter()
    failures = []
    for seed in range(first, last + 1):
        report = _play_bounded(seed)
        add_up(tally, report.tally)
        for kind in report.scenario.opened or ("nothing",):
            tally[f"seeds that open {kind}"] += 1
            tally[f"seeds that open {kind} and broke a law"] += bool(report.wrong)
        if report.wrong:
            failures.append((seed, str(report)))
    return tally, failures


def _play_bounded(seed: int) -> Report:
    signal.setitimer(signal.ITIMER_REAL, _STUCK_AFTER)
    try:
        return play(seed)
    except Exception as error:  # noqa: BLE001 - whatever breaks is what is looked for
        text = "".join(traceback.format_exception(error))
        return Report(draw(seed), wrong=[f"{type(error).__name__}: {text}"])
    except StuckError:
        return Report(draw(seed), wrong=[f"not at its end after {_STUCK_AFTER:.0f} s of real time"])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _ranges(first: int, last: int) -> Iterator[tuple[int, int]]:
    for start in range(first, last + 1, _AT_ONCE):
        yield start, min(start + _AT_ONCE - 1, last)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _prove(first: int, last: int) -> bool:
    began = time.monotonic()
    tally: Counter[str] = Counter()
    failures: list[tuple[int, str]] = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        work = [pool.submit(_play_some, *some) for some in _ranges(first, last)]
        for done, one in enumerate(as_completed(work), 1):
            some, failed = one.result()
            add_up(tally, some)
            failures += failed
            if done * 10 // len(work) != (done - 1) * 10 // len(work):
                _say(f"{tally['seeds']} seeds, {len(failures)} failed, {time.monotonic() - began:.0f} s")
    failures.sort()
    for _, told in failures[:_MOST_TOLD]:
        _say(f"\n{told}")
    _summarise(tally, failures)
    return not failures


def _summarise(tally: Counter[str], failures: list[tuple[int, str]]) -> None:
    _say("")
    for name, count in sorted(tally.items()):
        _say(f"{count:>12,}  {name}")
    names = ", ".join(str(seed) for seed, _ in failures[:50])
    _say(f"{len(failures):>12,}  seeds that broke a law{': ' if names else ''}{names}")


def main(words: list[str]) -> int:
    """Play the seeds of a range such as ``0-9999``, both ends included."""
    first, _, last = (words[0] if words else "0-9999").partition("-")
    low, high = int(first), int(last or first)
    if low == high:
        report = play(low)
        _say(str(report))
        return 1 if report.wrong else 0
    return 0 if _prove(low, high) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
