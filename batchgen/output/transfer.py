"""One file over HTTP, from a URL to a ``.part`` on disk.

The only module of this room that speaks HTTP. No credentials are in reach here: the
session has none, keeps no cookies and reads no ``.netrc``. An HTTP status and a URL never
leave this module; what fails leaves as ``TransferError``.
"""

import asyncio
import hashlib
import os
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from batchgen.errors import DownloadError, InputError, WhyMissing
from batchgen.output.atomic import output_error
from batchgen.output.kinds import HEAD
from batchgen.proxy import is_loopback, proxy_for

CONNECT_TIMEOUT = 15.0  # seconds
READ_TIMEOUT = 60.0  # seconds without a byte; a large file may take hours in all

_CHUNK = 1 << 16
_MOST_REDIRECTS = 5
_MOVED = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, 429})  # refusals that a fresh URL does not mend
_GONE = frozenset({404, 410})


class TransferError(DownloadError):
    """One try did not bring the file; another one may.

    Attributes:
        url_spent: the URL was refused: ask for a fresh one first.
        reason: what another try depends on.
    """

    def __init__(
        self, message: str, *, url_spent: bool = False, reason: WhyMissing = WhyMissing.LATE
    ) -> None:
        self.url_spent = url_spent
        self.reason = reason
        super().__init__(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrived:
    """What lies in the ``.part``, whole and on the disk itself.

    Attributes:
        size: bytes.
        sha256: hexadecimal.
        head: the first bytes, enough to tell the type.
    """

    size: int
    sha256: str
    head: bytes


class _Sink:
    """A file that knows its hash, its size and its beginning; its errors are the disk's."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hash = hashlib.sha256()
        self._size = 0
        self._head = b""
        try:
            self._file = path.open("wb")
        except OSError as error:
            raise output_error(path, error) from error

    def write(self, chunk: bytes) -> None:
        try:
            self._file.write(chunk)
        except OSError as error:
            raise output_error(self._path, error) from error
        self._hash.update(chunk)
        self._size += len(chunk)
        self._head += chunk[: HEAD - len(self._head)]

    def finish(self) -> Arrived:
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise output_error(self._path, error) from error
        return Arrived(size=self._size, sha256=self._hash.hexdigest(), head=self._head)

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:  # what is buffered has no room either
            raise output_error(self._path, error) from error


class Cdn:
    """The session that files come over. An async context manager."""

    def __init__(self, *, connections: int) -> None:
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            # no `connect=`: it would count the wait for one of our own connections
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=READ_TIMEOUT),
            trust_env=False,  # see proxy
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(self, url: str, part: Path, *, size: int | None) -> Arrived:
        """Write what the URL gives to the part, replacing what is in it.

        Args:
            url: signed; it goes out as it is, not quoted anew.
            part: where to.
            size: what the service says; believed only where HTTP itself has no word on the length,
                since the service may speak of another rendition of the same asset.

        Raises:
            TransferError: the part is to be thrown away.
            OutputError: the disk is at fault.
        """
        try:
            async with await self._open(url) as response:
                arrived = await _receive(response, part)
                _check(response, arrived, size)
        except (aiohttp.ClientError, OSError) as error:
            raise TransferError(_reason(error)) from error
        return arrived

    async def _open(self, url: str) -> aiohttp.ClientResponse:
        """Follow redirects by hand: each place must be one that may be asked."""
        assert self._session is not None, "used outside of its context"
        place = _allowed(url, since=None)
        for _ in range(1 + _MOST_REDIRECTS):
            response = await self._session.get(
                place, headers={"Accept-Encoding": "identity"}, allow_redirects=False, proxy=_proxy_for(place)
            )
            if response.status not in _MOVED:
                return _granted(response)
            response.close()
            place = _allowed(response.headers.get("Location", ""), since=place)
        raise TransferError("redirected too often", url_spent=True)


async def _receive(response: aiohttp.ClientResponse, part: Path) -> Arrived:
    sink = _Sink(part)
    try:
        async for chunk in response.content.iter_chunked(_CHUNK):
            sink.write(chunk)
        return await asyncio.to_thread(sink.finish)
    finally:
        sink.close()


def _granted(response: aiohttp.ClientResponse) -> aiohttp.ClientResponse:
    status = response.status
    if status == HTTPStatus.OK:
        return response
    response.close()
    refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    raise TransferError(
        f"the file server answered {status}",
        url_spent=refused and status not in _PASSING,
        reason=WhyMissing.GONE if status in _GONE else WhyMissing.LATE,
    )


def _check(response: aiohttp.ClientResponse, arrived: Arrived, size: int | None) -> None:
    encoded = "Content-Encoding" in response.headers
    promised = None if encoded else response.content_length
    if promised is not None and promised != arrived.size:
        raise TransferError(f"{arrived.size} of {promised} bytes arrived")
    framed = promised is not None or encoded or "Transfer-Encoding" in response.headers
    if not framed and size is not None and size != arrived.size:
        raise TransferError(f"{arrived.size} of {size} bytes arrived")


def _allowed(location: str, *, since: URL | None) -> URL:
    """Return the place to ask; plain http never leaves this machine, and nobody outside sends us into it.

    Raises:
        TransferError: never say more than the host: the rest grants access.
    """
    try:
        place = URL(location, encoded=True)
        place = since.join(place) if since is not None else place
        host = place.host or ""
    except ValueError as error:
        raise TransferError("the file server's address makes no sense", url_spent=True) from error
    local = is_loopback(host)
    invited = since is None or is_loopback(since.host or "")
    if not host or place.scheme not in {"http", "https"} or (local and not invited):
        raise TransferError(f"an address at {host or 'no host'} is not followed", url_spent=True)
    if place.scheme == "http" and not local:
        raise TransferError(f"an address at {host} without encryption is not followed", url_spent=True)
    return place.with_user(None)


def _proxy_for(place: URL) -> URL | None:
    try:
        return proxy_for(place)
    except InputError as error:
        raise TransferError(str(error)) from error


def _reason(error: Exception) -> str:
    match error:
        case aiohttp.ConnectionTimeoutError():
            return f"no connection within {CONNECT_TIMEOUT:g} s"
        case TimeoutError():
            return f"no data for {READ_TIMEOUT:g} s"
        case aiohttp.ClientConnectorError():
            return f"no connection to {error.host}: {error.strerror or error.os_error}"
        case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError():
            return "the connection broke before the end of the file"
        case _:
            return f"the connection failed ({type(error).__name__})"
