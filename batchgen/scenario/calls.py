"""One call and its answer: what is repeated, what a refusal means, and what is learnt of the key.

Idempotent calls are repeated here and nowhere else; which calls there are is said by the clients.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

from batchgen.errors import (
    AmbiguousError,
    NoListingError,
    NoRightError,
    NotSentError,
    ServiceError,
    TransientError,
)
from batchgen.ports import Gate, Lane
from batchgen.redaction import Redact
from batchgen.rights import KeyRights, Right
from batchgen.scenario.fields import WireError
from batchgen.scenario.reasons import asked_wait, reason_of, served_at
from batchgen.scenario.retry import CallRetry
from batchgen.scenario.transport import Answer, Call, LostAnswerError, Transport
from batchgen.scenario.verdicts import call_verdict, is_throttled, lacks_right
from batchgen.service_clock import ServiceClock

USUAL_RETRY = CallRetry()

T = TypeVar("T")
_Verdict: TypeAlias = Callable[[Answer], Mapping[str, Any]]
_Read: TypeAlias = Callable[[Mapping[str, Any], Redact], T]


class Caller:
    """Makes the calls of one project over a transport."""

    def __init__(
        self,
        transport: Transport,
        gate: Gate,
        *,
        project: str | None,
        retry: CallRetry = USUAL_RETRY,
        rng: random.Random | None = None,
        service_clock: ServiceClock | None = None,
    ) -> None:
        """Bind the client to one project.

        Args:
            transport: open, and closed by whoever opened it.
            gate: passed before every attempt at every call but the submit, whose caller has.
            project: sent as ``projectId`` with every call; None or empty for the key's own.
            retry: of idempotent calls.
            rng: for jitter; seeded by the system where none is given.
            service_clock: learns from the date of every answer; None where nobody asks.
        """
        self._transport = transport
        self._gate = gate
        self._scope = {"projectId": project} if project else {}
        self._retry = retry
        self._service_clock = service_clock
        self.rights = KeyRights()
        self._rng = rng if rng is not None else random.Random()  # noqa: S311 - jitter, no secret

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> Call:
        return Call(method="GET", path=path, query={**(query or {}), **self._scope})

    async def _ask(
        self,
        call: Call,
        lane: Lane,
        read: _Read[T],
        verdict: _Verdict = call_verdict,
        *,
        right: Right | None = None,
    ) -> T:
        """Make an idempotent call until it gives its answer, the answer is final, or time is up.

        Raises:
            NoRightError: this key may not make it; only where ``right`` is given.
        """
        failed: list[TransientError] = []
        tries = 0

        async def attempt() -> T:
            nonlocal tries
            if failed:
                raise failed.pop()
            tries += 1
            one = call if tries == 1 else replace(call, attempt=tries)
            return self._read(await self._exchange(one), lane, read, verdict, right)

        async def come_back(seconds: float) -> None:
            await asyncio.sleep(seconds)
            await self._gate.turn(lane)

        await self._gate.turn(lane)  # may be long in a full queue: the deadline counts from here
        began = asyncio.get_running_loop().time()
        try:
            return await attempt()  # almost all calls end here, and need nothing that repeats them
        except TransientError as error:
            failed.append(error)  # the first of the attempts that are counted
        retrying = self._retry.attempts_from(began, draw=self._rng.random, sleep=come_back)
        result: T = await retrying(attempt)
        return result

    async def _sent(self, call: Call) -> Answer:
        """Exchange a call, and learn from its answer what time it is there."""
        if self._service_clock is None:
            return await self._transport.exchange(call)
        asked_at = self._service_clock.now()
        answer = await self._transport.exchange(call)
        self._service_clock.answered(served_at(answer), asked_at=asked_at)
        return answer

    async def _exchange(self, call: Call) -> Answer:
        try:
            return await self._sent(call)
        except NotSentError as exc:
            raise TransientError(str(exc)) from exc
        except LostAnswerError as exc:
            if call.once:
                raise AmbiguousError(f"the reply was lost: {exc}") from exc
            raise TransientError(str(exc)) from exc

    def _refuse_without(self, right: Right | None, answer: Answer, cause: ServiceError | None = None) -> None:
        """Find out whether a refusal is for want of a right, which is told once."""
        if right is None or not lacks_right(answer, right, self.rights):
            return
        reason = reason_of(answer)
        self.rights.lacks(right, reason)
        error = NoListingError(reason) if right is Right.LISTING else NoRightError(right, reason)
        raise error from cause

    def _read(self, answer: Answer, lane: Lane, read: _Read[T], verdict: _Verdict, right: Right | None) -> T:
        self._refuse_without(right, answer)
        if is_throttled(answer):
            asked = asked_wait(answer)
            self._gate.pause(lane, self._retry.pause if asked is None else asked)
        try:
            data = verdict(answer)
            if right is not None:
                self.rights.used(right)
            return read(data, answer.redact)
        except WireError as exc:
            raise TransientError(f"the service's answer cannot be used: {exc}") from exc


def segment(name: str, otherwise: type[ServiceError]) -> str:
    """Encode an id, which is data, for a path: it may not lead to another place.

    Raises:
        otherwise: it is no name at all; servers take a dot for a way, encoded or not.
    """
    if name.strip(". ") == "":
        raise otherwise(f"{name!r} is not an id of the service")
    return quote(name, safe="", errors="replace")
