"""Telling of each request to whoever wants to see them: what was asked, and how it went.

No body, no query and no header is told: a status is here for people to read, and nothing is decided by it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from batchgen.errors import NotSentError
from batchgen.loop_clock import loop_time
from batchgen.scenario.transport import Answer, Call, LostAnswerError, Transport


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One try at one call of the service.

    Attributes:
        method, path: what was asked; the path is below the base URL, without a query.
        status: the HTTP status; None where no answer came.
        seconds: from its start to the end of the answer.
        attempt: which try it was, from 1.
        error: why no answer came; empty where one did.
    """

    method: str
    path: str
    status: int | None
    seconds: float
    attempt: int
    error: str = ""


class ToldTransport(Transport):
    """Exchanges calls over another transport, and tells of each."""

    def __init__(self, transport: Transport, tell: Callable[[Request], None]) -> None:
        """Take the parts.

        Args:
            transport: open, and closed by whoever opened it.
            tell: takes the requests; must raise nothing.
        """
        self._transport = transport
        self._tell = tell

    async def exchange(self, call: Call) -> Answer:
        """Send the call and read the whole answer; see ``Transport``."""
        began = loop_time()
        try:
            answer = await self._transport.exchange(call)
        except (NotSentError, LostAnswerError) as error:
            self._told(call, began, None, str(error))
            raise
        self._told(call, began, answer.status, "")
        return answer

    def _told(self, call: Call, began: float, status: int | None, error: str) -> None:
        seconds = loop_time() - began
        self._tell(
            Request(
                method=call.method,
                path=call.path,
                status=status,
                seconds=seconds,
                attempt=call.attempt,
                error=error,
            )
        )
