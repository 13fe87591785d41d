"""How idempotent calls are repeated. The paid POST never comes through here."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from batchgen.backoff import Backoff
from batchgen.errors import TransientError


@dataclass(frozen=True, kw_only=True, slots=True)
class CallRetry:
    """How often, and for how long, an idempotent call is tried.

    Attributes:
        attempts: in all, the first one included.
        deadline: seconds from the first attempt after which none begins.
        backoff: between attempts for which the service names no wait.
        pause: seconds a lane rests after a 429 that names no wait.
    """

    attempts: int = 5
    deadline: float = 120.0
    backoff: Backoff = field(default_factory=Backoff)
    pause: float = 5.0

    def attempts_from(
        self, began: float, *, draw: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> AsyncRetrying:
        """Make the retrying of one call.

        Args:
            began: when its deadline began to run, by the loop's clock.
            draw: gives a number in [0, 1) for the jitter.
            sleep: waits for the seconds it is given, and for whatever an attempt must wait for.
        """
        return AsyncRetrying(
            sleep=sleep,
            stop=_Spent(self.attempts, began + self.deadline),
            wait=_Wait(self.backoff, draw),
            retry=retry_if_exception_type(TransientError),
            reraise=True,
        )


class _Wait(wait_base):
    def __init__(self, backoff: Backoff, draw: Callable[[], float]) -> None:
        self._backoff = backoff
        self._draw = draw

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        asked = error.retry_after if isinstance(error, TransientError) else None
        return self._backoff.wait(retry_state.attempt_number, jitter=self._draw(), asked=asked)


class _Spent(stop_base):
    """Ends by count, or where the next attempt would begin past the deadline.

    On the loop's clock: tenacity's own stops read another one, which tests cannot turn.
    """

    def __init__(self, attempts: int, deadline: float) -> None:
        self._attempts = attempts
        self._deadline = deadline

    def __call__(self, retry_state: RetryCallState) -> bool:
        begins = asyncio.get_running_loop().time() + retry_state.upcoming_sleep
        return retry_state.attempt_number >= self._attempts or begins >= self._deadline
