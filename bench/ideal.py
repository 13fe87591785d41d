"""The wall time that nothing can beat by watching better: the yardstick of every schedule."""

import heapq
from collections import deque
from collections.abc import Iterable, Sequence


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


def chained(chains: Sequence[Sequence[float]], ceiling: int) -> float:
    """Give the same for chains, where a step starts only when the one before it has ended.

    Args:
        chains: the seconds of each step, in the order in which chains begin.
        ceiling: slots. A step that can start goes before a chain that has not begun.
    """
    ready, ahead = deque[tuple[int, int]](), deque(range(len(chains)))
    running: list[tuple[float, int, int]] = []
    now = 0.0
    while ready or ahead or running:
        while len(running) < ceiling and (ready or ahead):
            chain, step = ready.popleft() if ready else (ahead.popleft(), 0)
            heapq.heappush(running, (now + chains[chain][step], chain, step))
        now, chain, step = heapq.heappop(running)
        if step + 1 < len(chains[chain]):
            ready.append((chain, step + 1))
    return now
