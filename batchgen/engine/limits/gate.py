"""The rate: every request to the API takes its turn here, evenly spaced, by what it is for.

Who goes next is decided by ``next_lane``, a pure function. The pacing behind it is one
aiolimiter bucket of a single place with a single waiter, so its order of waiters, which
favours small amounts, never matters.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from aiolimiter import AsyncLimiter

from batchgen.loop_clock import DUST, loop_time, wait_until
from batchgen.model import Rate
from batchgen.ports import Lane

# A lane that waits gets at least one turn in so many, whatever else waits.
GUARANTEED: Mapping[Lane, int] = {Lane.WATCH: 3, Lane.ASSETS: 10}

AT_ONCE = Rate(count=1e6, seconds=1.0)  # for whoever waits when the limit is lifted


def next_lane(waiting: Collection[Lane], passed_over: Mapping[Lane, int]) -> Lane | None:
    """Say whose turn it is; None if nobody waits.

    Submits go first, since a free slot is lost time; watching and assets are never starved.

    Args:
        waiting: the lanes in which somebody waits and no pause holds them.
        passed_over: how many turns went to others since the lane's last one.
    """
    for lane, one_in in GUARANTEED.items():
        if lane in waiting and passed_over.get(lane, 0) >= one_in - 1:
            return lane
    return next((lane for lane in Lane if lane in waiting), None)


class PacedLimiter(AsyncLimiter):
    """aiolimiter with room for float dust.

    A timer that is due "now" must find room: the level may then stand a rounding error above
    what fits, and the bucket would set another timer for "now" for ever on a clock of whole
    microseconds (11 of 150 random schedules did). Leans on private names, which a contract
    test watches.
    """

    __slots__ = ()

    def _leak(self) -> None:
        super()._leak()
        if self._level <= DUST * self._rate_per_sec:
            self._level = 0.0

    def set_rate(self, rate: Rate) -> None:
        """Go on at another pace from now on; who waits is woken by it."""
        self._leak()  # at the old pace, up to now
        self.time_period = rate.interval
        self._rate_per_sec = self.max_rate / rate.interval
        self._wake_next()


@dataclass
class _Queue:
    waiters: deque[asyncio.Future[None]] = field(default_factory=deque)
    held_until: float = 0.0
    passed_over: int = 0


class RateGate:
    """Implements ``ports.Gate``. Its ``run`` must be a child of the run's TaskGroup."""

    def __init__(self, rate: Rate | None) -> None:
        """Set the pace; None lets every request through at once."""
        self._limiter = None if rate is None else PacedLimiter(1, rate.interval)
        self.interval = 0.0 if rate is None else rate.interval
        self._queues = {lane: _Queue() for lane in Lane}
        self._woken = asyncio.Event()

    def __repr__(self) -> str:
        waiting = ", ".join(f"{lane}: {len(one.waiters)}" for lane, one in self._queues.items())
        return f"<RateGate [waiting {waiting}]>"

    def set_rate(self, rate: Rate | None) -> None:
        """Change the pace while requests wait; None lets every request through at once."""
        if self._limiter is None and rate is not None:
            self._limiter = PacedLimiter(1, rate.interval)
        elif self._limiter is not None:
            self._limiter.set_rate(rate if rate is not None else AT_ONCE)
            self._limiter = self._limiter if rate is not None else None
        self.interval = 0.0 if rate is None else rate.interval
        self._woken.set()

    async def turn(self, lane: Lane) -> None:
        """Return when the request may start."""
        queue = self._queues[lane]
        if self._limiter is None and not queue.waiters and queue.held_until <= loop_time() + DUST:
            return
        mine = asyncio.get_running_loop().create_future()
        queue.waiters.append(mine)
        self._woken.set()
        await mine

    def pause(self, lane: Lane, seconds: float) -> None:
        """Let nobody of this lane through for so long; never shortens a pause."""
        queue = self._queues[lane]
        queue.held_until = max(queue.held_until, loop_time() + seconds)
        self._woken.set()

    def is_paused(self, lane: Lane) -> bool:
        """Return whether nobody of this lane is let through at the moment."""
        return self._queues[lane].held_until > loop_time() + DUST

    async def run(self) -> None:
        """Hand out turns until cancelled."""
        while True:
            if self._next() is None:
                await self._stir()
                continue
            if self._limiter is not None:
                await self._limiter.acquire()
            # asked again: the wait may have brought a submit, a pause or a cancellation
            lane = self._next()
            if lane is not None:
                self._let_through(lane)
            if self._limiter is None:
                await asyncio.sleep(0)

    def _next(self) -> Lane | None:
        now = loop_time()
        for queue in self._queues.values():
            while queue.waiters and queue.waiters[0].done():
                queue.waiters.popleft()
        waiting = [lane for lane, one in self._queues.items() if one.waiters and one.held_until <= now + DUST]
        return next_lane(waiting, {lane: one.passed_over for lane, one in self._queues.items()})

    def _let_through(self, lane: Lane) -> None:
        for other, queue in self._queues.items():
            queue.passed_over = 0 if other is lane else queue.passed_over + 1
        self._queues[lane].waiters.popleft().set_result(None)

    async def _stir(self) -> None:
        """Wait for somebody to come or for the first pause to end."""
        self._woken.clear()
        ends = [one.held_until for one in self._queues.values() if one.waiters]
        await wait_until(self._woken, min(ends, default=None))
