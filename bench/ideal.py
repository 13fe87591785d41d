"""The wall time that nothing can beat by watching better: the yardstick of every schedule."""

import heapq
from collections.abc import Iterable


def ideal(durations: Iterable[float], ceiling: int) -> float:
    """Give the seconds of the greedy list schedule: the next job starts as soon as a slot is free."""
    slots = [0.0] * ceiling
    for duration in durations:
        heapq.heapreplace(slots, slots[0] + duration)
    return max(slots)


def paced(durations: Iterable[float], ceiling: int, *, every: float) -> float:
    """Give the same where a start also waits for ``every`` seconds to pass since the one before."""
    slots, start = [0.0] * ceiling, -every
    for duration in durations:
        start = max(slots[0], start + every)
        heapq.heapreplace(slots, start + duration)
    return max(slots)
