"""How much goes out at once, and when to hold back: acts on the gate by what the ceiling decides."""

import asyncio
import random

from batchgen.backoff import Backoff
from batchgen.engine.ceiling import Ceiling
from batchgen.errors import DeferredError, NotSentError, ServiceError
from batchgen.model import JobKey
from batchgen.ports import Gate, Lane


class Flow:
    """Counts what is in flight and learns from every answer to a submit."""

    def __init__(
        self,
        *,
        ceiling: Ceiling,
        gate: Gate,
        backoff: Backoff | None = None,
        chance: random.Random | None = None,
        patience: float = 900.0,
    ) -> None:
        """Start with nothing in flight.

        Args:
            ceiling: what is known of the limits.
            gate: whose submit lane is held back.
            backoff: how long, where the service does not say.
            chance: where the jitter comes from.
            patience: seconds without reaching the service after which it counts as gone.
        """
        self.ceiling = ceiling
        self.in_flight: set[JobKey] = set()
        self._gate = gate
        self._backoff = backoff or Backoff()
        self._chance = chance or random.Random()  # noqa: S311 - jitter
        self._patience = patience
        self._deferrals = 0
        self._unsent = 0
        self._unsent_since = 0.0

    @property
    def has_room(self) -> bool:
        """Whether one more may be submitted now."""
        self.ceiling = self.ceiling.probed(_time())
        return self.ceiling.has_room(len(self.in_flight))

    @property
    def unreachable(self) -> bool:
        """Whether no submit has reached the service for longer than the patience lasts."""
        return self._unsent > 0 and _time() - self._unsent_since >= self._patience

    def answered(self, key: JobKey, error: ServiceError | None) -> None:
        """Learn from what answered the submit of this job, which is still counted as in flight."""
        if isinstance(error, NotSentError):
            self._not_sent()
            return
        self._unsent = 0
        if isinstance(error, DeferredError):
            self._deferred(error, len(self.in_flight - {key}))
        elif error is None:
            self._deferrals = 0
            self.ceiling = self.ceiling.accepted(len(self.in_flight))

    def _not_sent(self) -> None:
        self._unsent_since = self._unsent_since if self._unsent else _time()
        self._unsent += 1
        self._gate.pause(Lane.SUBMIT, self._backoff.delay(self._unsent, jitter=self._chance.random()))

    def _deferred(self, error: DeferredError, others: int) -> None:
        self.ceiling = self.ceiling.refused(
            others, told=error.ceiling, cooldown=error.retry_after, now=_time()
        )
        self._deferrals += 1
        if error.ceiling is not None and others and error.retry_after is None:
            return  # one of the others ends, and that is the time to try again
        wait = self._backoff.wait(self._deferrals, jitter=self._chance.random(), asked=error.retry_after)
        self._gate.pause(Lane.SUBMIT, wait)


def _time() -> float:
    return asyncio.get_running_loop().time()
