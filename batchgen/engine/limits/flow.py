"""How much goes out at once, and when to hold back: acts on the gate by what the ceiling decides.

Also the breaker: a gateway that is down for a minute must not put five hundred jobs in doubt.
"""

import random
from collections.abc import KeysView
from itertools import takewhile

from batchgen.backoff import Backoff
from batchgen.engine.limits.pools import Pools
from batchgen.engine.limits.sharing import LOOK_EVERY
from batchgen.errors import (
    AmbiguousError,
    BatchgenError,
    DeferredError,
    NoRoomError,
    NotSentError,
    ServiceError,
)
from batchgen.loop_clock import loop_time
from batchgen.model import JobKey
from batchgen.planning.room import Room
from batchgen.ports import Gate, Lane

TRIPS_AT = 3  # ambiguous answers in a row
PRESSED = 5  # submits in a row that waited for nothing but the rate
PATIENT = 5  # refusals in a row after which we wait longer than we are asked to
LONG = 60.0  # seconds: so long a wait is an answer, a shorter one a habit
FULL_FOR = 3600.0  # seconds of refusals alone, with nothing of ours in flight, after which a run ends
LATE = 5.0  # seconds after which an answer that is due no longer keeps others waiting for it


class Flow:
    """Counts what is in flight and learns from every answer to a submit."""

    def __init__(
        self,
        *,
        pools: Pools,
        gate: Gate,
        backoff: Backoff | None = None,
        chance: random.Random | None = None,
        patience: float = 900.0,
        slot: str | None = None,
    ) -> None:
        """Start with nothing in flight.

        Args:
            pools: what is known of the limits.
            gate: whose submit lane is held back.
            backoff: how long, where the service does not say.
            chance: where the jitter comes from.
            patience: seconds without reaching the service after which it counts as gone.
            slot: whose jobs these are, where several slots are counted together; see ``beside``.
        """
        self._slot = slot
        self.pools = pools
        self.doubtful: set[JobKey] = set()
        self._gate = gate
        self._backoff = backoff or Backoff()
        self._chance = chance or random.Random()  # noqa: S311 - jitter
        self._patience = patience
        self._unanswered: dict[JobKey, float] = {}
        self._deferrals = 0
        self._unsent = 0
        self._cut_off_since: float | None = None
        self._full_since: float | None = None
        self._ambiguous = 0
        self._service_answers = True
        self._turns_in_a_row = 0

    def beside(self, slot: str) -> "Flow":
        """Return the flow of another slot, whose jobs count against the same limits and are not ours."""
        flow = Flow(
            pools=self.pools,
            gate=self._gate,
            backoff=self._backoff,
            chance=self._chance,
            patience=self._patience,
            slot=slot,
        )
        flow.doubtful = self.doubtful
        return flow

    def _named(self, key: JobKey) -> JobKey:
        """Tell equal jobs of several slots apart."""
        return key if self._slot is None else JobKey(f"{self._slot}/{key.content}", key.ordinal)

    def __repr__(self) -> str:
        return (
            f"<Flow [in flight {len(self.in_flight)} of {self.pools.limit}, "
            f"unanswered {len(self._unanswered)}, in doubt {len(self.doubtful)}]>"
        )

    @property
    def in_flight(self) -> KeysView[JobKey]:
        """The jobs that run or may run."""
        return self.pools.in_flight

    def has_room(self, model: str) -> bool:
        """Return whether one more job of a model may be submitted now."""
        return self._may_ask() and self.pools.has_room(model, self._late())

    def has_room_alone(self, model: str) -> bool:
        """Return whether there would be room for one more job, were no other batch there."""
        return self._may_ask() and self.pools.has_room_alone(model, self._late())

    def _may_ask(self) -> bool:
        """Return whether not too many answers in a row were lost."""
        return self._ambiguous < TRIPS_AT or not (self._unanswered or not self._service_answers)

    def _late(self) -> set[JobKey]:
        now = loop_time()
        eldest_first = self._unanswered.items()
        slow = {key for key, _ in takewhile(lambda one: now - one[1] >= LATE, eldest_first)}
        return slow | self.doubtful if slow else self.doubtful

    def room(self, key: JobKey) -> Room | None:
        """Return what a job that is about to leave takes of the room; None if it is not shared."""
        return self.pools.room(self._named(key))

    def look_around(self, *, waiting: bool) -> float:
        """Return the seconds for which it is worth to wait for a change; see first what other batches do.

        Args:
            waiting: whether any job waits.

        Raises:
            JournalError: it could not be read or written.
        """
        sharing = self.pools.sharing
        if not waiting:
            sharing.rest()
            return LATE
        if not sharing.lacking:
            return LATE
        model = sharing.lacking
        looked = sharing.look_around(self.pools.see)
        return 0.0 if looked and self.has_room(model) else LOOK_EVERY

    def may_leave(self, key: JobKey) -> bool:
        """Return whether a submit that has begun may leave: nothing that was learnt since forbids it."""
        if self._ambiguous >= TRIPS_AT and (len(self._unanswered) > 1 or not self._service_answers):
            return False
        return not self._gate.is_paused(Lane.SUBMIT) and self.pools.holds(self._named(key))

    @property
    def awaits_answers(self) -> bool:
        """Whether a submit is under way."""
        return bool(self._unanswered)

    @property
    def tripped(self) -> bool:
        """Whether nothing may be submitted before an idempotent call has answered."""
        return self._ambiguous >= TRIPS_AT and not self._service_answers

    @property
    def is_rate_bound(self) -> bool:
        """Whether slots stay free because of the rate: submit follows submit without another wait."""
        return self._turns_in_a_row > PRESSED

    def waits_for_rate(self) -> None:
        """Learn that a submit waits for nothing but its turn."""
        self._turns_in_a_row += 1

    def waits_otherwise(self) -> None:
        """Learn that no job may be submitted now, whatever the rate."""
        self._turns_in_a_row = 0

    @property
    def unreachable(self) -> bool:
        """Whether the service has not been reached, or has taken no job, for too long."""
        silent = self._cut_off_since is not None and loop_time() - self._cut_off_since >= self._patience
        return silent or (self._full_since is not None and loop_time() - self._full_since >= FULL_FOR)

    def service_answered(self) -> None:
        """Learn that an idempotent call was answered: submits may go on, one at a time at first."""
        self._service_answers = True
        if self._ambiguous < TRIPS_AT:
            self._cut_off_since = None

    def service_is_silent(self) -> None:
        """Learn that an idempotent call was not answered, for all its tries."""
        self._cut_off_since = loop_time() if self._cut_off_since is None else self._cut_off_since

    def began(self, key: JobKey, model: str) -> None:
        """Count a submit that is about to leave."""
        key = self._named(key)
        self.pools.put(key, model)
        self._unanswered[key] = loop_time()

    def doubts(self, key: JobKey, model: str) -> None:
        """Count a job in doubt: it may be running."""
        key = self._named(key)
        self.pools.put(key, model)
        self.doubtful.add(key)

    def runs(self, key: JobKey, model: str) -> None:
        """Count a submission that runs."""
        key = self._named(key)
        self.pools.put(key, model)
        self.doubtful.discard(key)

    def resumed(self) -> None:
        """Learn that all that runs was accepted side by side before: that much is proven."""
        for model in {self.pools.model_of(key) for key in self.in_flight}:
            self.pools.accepted(model, self.doubtful)

    def ended(self, key: JobKey) -> None:
        """Count it no longer."""
        key = self._named(key)
        self.pools.take(key)
        self.doubtful.discard(key)

    def withdrew(self, key: JobKey, error: BatchgenError | None = None) -> None:
        """Learn that a submit that was about to leave did not, and why if its intent was refused.

        Raises:
            JournalError: there was no room, and it cannot be read why.
        """
        named = self._named(key)
        self._unanswered.pop(named, None)
        model = self.pools.model_of(named) if isinstance(error, NoRoomError) else ""
        self.ended(key)
        if model:
            self.pools.no_room(model)

    def answered(self, key: JobKey, error: ServiceError | None) -> None:
        """Learn from what answered the submit of this job, which is still counted as in flight."""
        key = self._named(key)
        self._unanswered.pop(key, None)
        if isinstance(error, NotSentError):
            self._not_sent()
            return
        self._unsent = 0
        if isinstance(error, AmbiguousError):
            self._lost()
            return
        self._cut_off_since = None
        if isinstance(error, DeferredError):
            self._deferred(error, key)
        elif error is None:
            self._deferrals = self._ambiguous = 0
            self._full_since = None
            self.pools.accepted(self.pools.model_of(key), self.doubtful)

    def _lost(self) -> None:
        self._ambiguous += 1
        over = self._ambiguous - TRIPS_AT
        if over < 0:
            return
        # calls that cost nothing may be answered all the while: what counts is an acceptance
        self._service_answers = False
        self.service_is_silent()
        self._gate.pause(Lane.SUBMIT, self._backoff.delay(over + 1, jitter=self._chance.random()))

    def _not_sent(self) -> None:
        self._cut_off_since = loop_time() if self._cut_off_since is None else self._cut_off_since
        self._unsent += 1
        self._gate.pause(Lane.SUBMIT, self._backoff.delay(self._unsent, jitter=self._chance.random()))

    def _deferred(self, error: DeferredError, key: JobKey) -> None:
        others = self.pools.refused(
            key, action=error.action or "", told=error.ceiling, cooldown=error.retry_after
        )
        self._deferrals += 1
        self._take_patience(alone=not others, asked=error.retry_after)
        if error.ceiling is not None and others and error.retry_after is None:
            return  # one of the others ends, and that is the time to try again
        jitter, asked = self._chance.random(), error.retry_after
        if asked is not None and self._deferrals > PATIENT:
            asked = max(asked, self._backoff.delay(self._deferrals, jitter=jitter))
        wait = self._backoff.wait(self._deferrals, jitter=jitter, asked=asked)
        self._gate.pause(Lane.SUBMIT, wait)
        if error.retry_after is not None:  # what is longer than that is our own patience, and nobody else's
            self._gate.hold(error.retry_after)

    def _take_patience(self, *, alone: bool, asked: float | None) -> None:
        """Note since when nothing runs and nothing is taken, waits that are asked for aside."""
        if not alone:
            self._full_since = None
        elif asked is not None and asked >= LONG:
            self._full_since = loop_time() + asked
        elif self._full_since is None:
            self._full_since = loop_time()
