"""When a request is refused for being too many: the rate, the ceiling, the cooldown.

Nothing has happened, and nothing is charged, where one of these says no.
"""

from dataclasses import dataclass

from batchgen.model import Json, Rate
from batchgen.simulator.dates import header
from batchgen.simulator.exchange import Reply, answer, refusal
from batchgen.simulator.settings import Limits, RetryAfter

_DUST = 1e-6  # seconds: a float that counts from the epoch is no finer
CUSTOM_JOBS = "parallelCustomJobs"  # the service's name for the ceiling on generations


class Throttle:
    """The state of a client's limits; times are seconds since the epoch and never go back."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._bucket = _Bucket(limits.rate) if limits.rate is not None else None
        self._cold_until = 0.0

    def request(self, now: float) -> Reply | None:
        """Count a request to the API; give the refusal if there were too many."""
        if self._bucket is None:
            return None
        wait = self._bucket.take(now)
        if wait <= 0:
            return None
        headers = _retry_after(self._limits.retry_after, wait, now)
        return refusal(429, "Too many requests", name="RateLimitError", **headers)

    def submit(self, now: float, in_flight: int) -> Reply | None:
        """Return the refusal of one more job, None if it may run."""
        if now < self._cold_until:
            return self._cooldown(self._cold_until - now)
        ceiling = self._limits.ceiling
        if ceiling is None or in_flight < ceiling:
            return None
        self._cold_until = now + self._limits.cooldown
        return refusal(
            429,
            "You have reached the maximum number of parallel generations",
            name="ParallelLimitError",
            details={"actionName": CUSTOM_JOBS, "actionLimit": ceiling},
        )

    def _cooldown(self, seconds: float) -> Reply:
        remaining: dict[str, Json] = {"remainingSeconds": round(seconds + 0.0005, 3)}
        where = {"details": remaining} if self._limits.cooldown_in_details else remaining
        return answer(429, {"reason": "cooldown", **where})


@dataclass(slots=True)
class _Bucket:
    """Tokens that come evenly; a full bucket lets ``rate.count`` requests through at once."""

    rate: Rate
    full_at: float = 0.0  # when the bucket would be full if nobody took from it

    def take(self, now: float) -> float:
        """Take a token; give 0, or without taking one the seconds until there is one."""
        after = max(self.full_at, now) + self.rate.interval
        wait = after - now - max(self.rate.seconds, self.rate.interval)
        if wait > _DUST:
            return wait
        self.full_at = after
        return 0.0


def _retry_after(how: RetryAfter, seconds: float, now: float) -> dict[str, str]:
    match how:
        case RetryAfter.SECONDS:
            return {"retry_after": f"{seconds:.3f}"}
        case RetryAfter.DATE:
            # whole seconds, rounded up: a client that keeps to it is never early
            return {"retry_after": header(now + seconds + 1)}
        case RetryAfter.MILLISECONDS:
            return {"retry_after_ms": str(int(seconds * 1000) + 1)}
        case RetryAfter.NOWHERE:
            return {}
