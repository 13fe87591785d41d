"""The rate: every request to the API takes its turn here, evenly spaced, by what it is for.

Who goes next is decided by ``next_lane``, a pure function. The pacing behind it is one
aiolimiter bucket of a single place with a single waiter, so its order of waiters, which
favours small amounts, never matters: it keeps the rate of this run. What other runs of the
account leave of theirs is asked of a ``Pace`` after that.
"""

import asyncio
import math
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from aiolimiter import AsyncLimiter

from batchgen.errors import JournalError
from batchgen.loop_clock import DUST, loop_time, wait_until
from batchgen.model import Rate
from batchgen.ports import Lane, OwnPace, Pace, Turn

# A lane that waits gets at least one turn in so many, whatever else waits.
GUARANTEED: Mapping[Lane, int] = {Lane.WATCH: 3, Lane.ASSETS: 10}

MOMENT = 0.05  # seconds: a turn that is used later than that is another run's by now
AGAIN = 0.05  # seconds until a turn is asked for again that could not be had
HEARD_EVERY = 0.25  # seconds between two looks at what others were asked for, where no turns are taken
ALONE_AFTER = 1.0  # seconds without a turn after which looks go on at this run's own pace
_WEIGHT = 0.1  # of the latest turn in what is known of how late they come

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
    """Implements ``ports.PacedGate``. Its ``run`` must be a child of the run's TaskGroup."""

    def __init__(self, rate: Rate | None) -> None:
        """Set the pace; None lets every request through at once."""
        self._limiter = None if rate is None else PacedLimiter(1, rate.interval)
        self._own = 0.0 if rate is None else rate.interval
        self._pace: Pace = OwnPace()
        self._late = 0.0  # so much later than this run's own rate has them its turns usually come
        self._last = -math.inf  # when its last one came
        self._next_from = -math.inf  # when the next one may be asked for
        self._heard_at = -HEARD_EVERY
        self._without_since: float | None = None  # turns of the account, which cannot be had
        self._queues = {lane: _Queue() for lane in Lane}
        self._woken = asyncio.Event()
        self._changed = asyncio.Event()

    def __repr__(self) -> str:
        waiting = ", ".join(f"{lane}: {len(one.waiters)}" for lane, one in self._queues.items())
        return f"<RateGate [waiting {waiting}]>"

    @property
    def interval(self) -> float:
        """Seconds from one request to the next, as other runs leave it; 0.0 where there is no limit."""
        return self._own + self._late if self._own else 0.0

    def set_rate(self, rate: Rate | None) -> None:
        """Change the pace while requests wait; None lets every request through at once."""
        if self._limiter is None and rate is not None:
            self._limiter = PacedLimiter(1, rate.interval)
        elif self._limiter is not None:
            self._limiter.set_rate(rate if rate is not None else AT_ONCE)
            self._limiter = self._limiter if rate is not None else None
        self._own = 0.0 if rate is None else rate.interval
        self._next_from = -math.inf
        self._wake()

    def share(self, pace: Pace) -> None:
        """Take turns from here from now on, beside the other runs of the account."""
        self._pace, self._late = pace, 0.0
        self._wake()

    def _wake(self) -> None:
        self._woken.set()
        self._changed.set()

    async def turn(self, lane: Lane) -> None:
        """Return when the request may start.

        Raises:
            JournalError: the turns of the account cannot be had at all.
        """
        queue = self._queues[lane]
        if self._limiter is None and lane is Lane.SUBMIT:
            self._hear_lately()
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

    def hold(self, seconds: float) -> None:
        """Let nobody submit for so long, in no run of the account: the service has asked for that."""
        self.pause(Lane.SUBMIT, seconds)
        self._pace.hold(seconds)

    def is_paused(self, lane: Lane) -> bool:
        """Return whether nobody of this lane is let through at the moment."""
        return self._queues[lane].held_until > loop_time() + DUST

    async def run(self) -> None:
        """Hand out turns until cancelled."""
        while True:
            if not self._waiting():
                await self._stir()
                continue
            lanes = frozenset(Lane)
            if self._limiter is not None:
                await self._limiter.acquire()
                lanes = await self._turn_of_all()
            else:
                self._hear_lately()
            # asked again: the wait may have brought a submit, a pause or a cancellation
            lane = self._next(lanes)
            if lane is not None:
                self._let_through(lane)
            if self._limiter is None:
                await asyncio.sleep(0)

    async def _turn_of_all(self) -> frozenset[Lane]:
        """Wait for a turn that no other run of the account has, and return who may use it.

        Nobody submits without one. Where none can be had for long, looks go on at this run's own pace.
        """
        await self._until(self._next_from)
        asked = loop_time()
        while (waiting := self._waiting()) and self._limiter is not None:
            submits_alone = waiting == {Lane.SUBMIT}
            try:
                turn = self._pace.turn(self._own, submit=submits_alone)
            except JournalError as error:
                self._fail(error)
                break
            if turn is not None:
                self._without_since = None
                if await self._has_come(turn, asked):
                    break
                continue
            if self._without_since is None:
                self._without_since = loop_time()
            if not submits_alone and loop_time() - self._without_since >= ALONE_AFTER:
                self._next_from = loop_time() + self._own
                return frozenset(Lane) - {Lane.SUBMIT}
            await asyncio.sleep(AGAIN)
        return frozenset(Lane)

    async def _has_come(self, turn: Turn, asked: float) -> bool:
        """Wait until a turn comes that was asked for first at a moment; return whether it may be used."""
        own, pace, due = self._own, self._pace, loop_time() + turn.wait
        self._hear(turn.held)
        if not turn.taken:
            if self._waiting():
                await self._until(due)
            return False
        self._late += _WEIGHT * (max(0.0, due - max(asked, self._last + own)) - self._late)
        self._last, self._next_from = due, due + own - MOMENT
        await self._until(due)
        if (own, pace) != (self._own, self._pace) or loop_time() - due > MOMENT:
            return False
        if turn.wait > MOMENT:  # the service may have asked others to wait meanwhile
            self._hear(pace.held())
        return True

    async def _until(self, when: float) -> None:
        """Wait for a moment of the loop's clock, or until the rate or the pace is another one."""
        if when > loop_time() + DUST:
            self._changed.clear()
            await wait_until(self._changed, when)

    def _hear(self, held: float) -> None:
        self._heard_at = loop_time()
        if held > DUST:
            self.pause(Lane.SUBMIT, held)

    def _hear_lately(self) -> None:
        """Hear what others were asked for by the service, where no turns are taken."""
        if loop_time() - self._heard_at >= HEARD_EVERY:
            self._hear(self._pace.held())

    def _waiting(self) -> set[Lane]:
        """Return the lanes in which somebody waits and no pause holds them."""
        now = loop_time()
        for queue in self._queues.values():
            while queue.waiters and queue.waiters[0].done():
                queue.waiters.popleft()
        return {lane for lane, one in self._queues.items() if one.waiters and one.held_until <= now + DUST}

    def _next(self, lanes: Collection[Lane]) -> Lane | None:
        waiting = self._waiting().intersection(lanes)
        return next_lane(waiting, {lane: one.passed_over for lane, one in self._queues.items()})

    def _let_through(self, lane: Lane) -> None:
        for other, queue in self._queues.items():
            queue.passed_over = 0 if other is lane else queue.passed_over + 1
        self._queues[lane].waiters.popleft().set_result(None)

    def _fail(self, error: JournalError) -> None:
        """Let everybody who waits end with this: nobody else would hear of it."""
        for queue in self._queues.values():
            while queue.waiters:
                one = queue.waiters.popleft()
                if not one.done():
                    one.set_exception(error)

    async def _stir(self) -> None:
        """Wait for somebody to come or for the first pause to end."""
        self._woken.clear()
        ends = [one.held_until for one in self._queues.values() if one.waiters]
        await wait_until(self._woken, min(ends, default=None))
