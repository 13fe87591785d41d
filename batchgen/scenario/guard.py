"""The last look before a paid POST leaves: in the very call that hands its body to the system.

A run can be stopped at any moment, between any two lines, and wake when another one leads its batch. So
the right to buy is looked at where nothing is left to be done but the write itself. aiohttp keeps the
headers back until the first bytes of the body: after a no, nothing of the request has left.
"""

from collections.abc import Callable

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

_PIECE = 65_536  # bytes that the system takes at once


class MayNotLeaveError(Exception):
    """The right to buy has run out; never leaves this package."""


class GuardedPayload(Payload):
    """A body that leaves only while it may.

    One that is larger than the system takes at once leaves in pieces, each after a look of its own: without
    the last one it is no request, and nobody acts on it.

    Attributes:
        refused: whether a look has forbidden it.
        has_begun: whether some of it had left by then.
    """

    _autoclose = True  # there is nothing to close

    def __init__(self, body: bytes, may_leave: Callable[[], bool]) -> None:
        """Take the body, and what is asked.

        Args:
            body: JSON.
            may_leave: answers at once.
        """
        super().__init__(body, content_type="application/json")
        self._size = self._end = len(body)
        self._body = body
        self._may_leave = may_leave
        self.refused = False
        self.has_begun = False

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the body as text."""
        return self._body.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write the whole body, as long as it may leave."""
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Write the body, each piece after a look; nothing stands between the look and the write.

        Raises:
            MayNotLeaveError: it may not leave, or not the rest of it.
        """
        end = self._end if content_length is None else min(content_length, self._end)
        for start in range(0, max(end, 1), _PIECE):
            piece = self._body[start : min(start + _PIECE, end)]
            if not self._may_leave():
                self.refused = True
                raise MayNotLeaveError
            self.has_begun = True
            await writer.write(piece)
