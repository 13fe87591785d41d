"""The pieces of a large upload, put to URLs that the service signed for them.

They go to a store that is not the service: without our credentials, without the gate, and
nowhere but where the URL says. Nothing is repeated here.
"""

import io
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from batchgen.errors import RefusedError, TransientError
from batchgen.proxy import is_loopback, proxy_for

_TAKEN = frozenset({200, 201, 204})
_GONE = frozenset({400, 403, 404})  # what a store says of a signature that has run out, among others
_LONGEST = 600.0  # seconds that one part may take: 8 MiB at 15 kB/s
_CONNECT = 10.0  # seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One piece of a file.

    Attributes:
        number: from 1.
        url: signed and short-lived: used at once, never stored, never shown.
    """

    number: int
    url: str = field(repr=False)


class Parts(Protocol):
    """Carries parts to their store."""

    async def put(self, part: Part, content: bytes, mime: str) -> None:
        """Send one part, once.

        Raises:
            TransientError: it did not arrive, or the URL no longer holds.
            RefusedError: the URL is no place to send a file to.
        """
        ...


class HttpParts:
    """Implements ``Parts``; an async context manager."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=_LONGEST, sock_connect=_CONNECT),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,  # it reads .netrc, and would send what is there
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def put(self, part: Part, content: bytes, mime: str) -> None:
        """Send one part, once; see ``Parts``.

        The library's errors are not chained: their text holds the signed URL.
        """
        if self._session is None:
            raise RuntimeError("the parts' session is not open")
        place = _checked(part.url)
        failure = f"part {part.number} of the upload"
        try:
            async with self._session.put(
                place,
                data=io.BytesIO(content),  # aiohttp warns of bare bytes that are many
                headers={"Content-Type": mime},
                allow_redirects=False,
                proxy=proxy_for(place),
            ) as response:
                status = response.status
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            failure = f"{failure} did not arrive: {type(exc).__name__}"
        else:
            if status in _TAKEN:
                return
            lapsed = ": its place is no longer held" if status in _GONE else ""
            failure = f"{failure} was not taken (the store answers {status}){lapsed}"
        raise TransientError(failure)


def _checked(url: str) -> URL:
    """Return the URL as it was signed.

    Raises:
        RefusedError: whoever is on the way could read the file.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise RefusedError("the service names no usable place for the file") from None
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise RefusedError("the service names no safe place for the file")
    return URL(url, encoded=True)
