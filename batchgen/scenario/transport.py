"""One exchange with the service as values, and the two ways in which it can come to nothing.

Nothing here knows what a status means or which library carries the bytes. Whatever stands
behind ``Transport`` (HTTP, or a service in the same process under virtual time) raises
exactly two errors, because a paid call may be made again after the one and not after the other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from batchgen.redaction import Redact


def unchanged(text: str) -> str:
    """Return the text as it is: the redaction of whoever has no secrets."""
    return text


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request.

    Attributes:
        method: ``GET`` or ``POST``.
        path: below the base URL, percent-encoded, with a leading slash.
        query: not yet encoded.
        body: JSON in UTF-8; None for a request without a body.
        once: this is the paid POST: it leaves at most once, on a connection that cannot be stale.
        attempt: which try this is, from 1.
        may_leave: asked in the very call that hands the body on, with nothing between a yes and that; after
            a no nothing of the call leaves. None where nobody has to be asked.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    once: bool = False
    attempt: int = 1
    may_leave: Callable[[], bool] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One complete answer.

    Attributes:
        status: the HTTP status, whatever it is.
        headers: under lower-case names.
        body: whole; a body that was cut short is no answer.
        redact: to be applied to any text of this answer that is shown or stored as a message.
        hint: what may be wrong with the address that was asked; empty where nothing is known.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    redact: Redact = field(default=unchanged, repr=False, compare=False)
    hint: str = field(default="", repr=False, compare=False)


class LostAnswerError(Exception):
    """The request may have arrived and its answer did not; never leaves this package."""


class Transport(Protocol):
    """Carries one call to the service and brings back its answer, in bounded time."""

    async def exchange(self, call: Call) -> Answer:
        """Send the call and read the whole answer; statuses of failure are answers too.

        Raises:
            NotSentError: it never left (DNS, refused, TLS, connect timeout, a proxy that declines, or
                ``may_leave`` said no).
            LostAnswerError: it may have arrived (cut, reset, timed out, answer cut short).
        """
        ...
