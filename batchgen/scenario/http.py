"""The transport over HTTP: the only module of this package that knows aiohttp.

Nothing is retried, followed or interpreted here. The paid POST goes out on a connection of
its own, because one that was kept alive may be closing as the request leaves, and nobody
could tell whether it arrived; everything else shares connections.
"""

import asyncio
import io
import socket
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from batchgen import __version__
from batchgen.errors import NotSentError
from batchgen.proxy import proxy_for
from batchgen.redaction import Redaction
from batchgen.scenario.credentials import Credentials, check_base_url, hint_on
from batchgen.scenario.guard import GuardedPayload
from batchgen.scenario.transport import Answer, Call, LostAnswerError
from batchgen.scenario.wording import readable

_CHUNK = 65_536
_IN_ONE_PIECE = 2**20  # bytes: aiohttp warns of a larger body that is not a file
_UNHEARD = 20_000  # milliseconds: what was sent and nobody took by then is given up

# In this order: a connector's error is an OSError too, and only it says that nothing left.
_NEVER_SENT = (
    aiohttp.ClientConnectorError,  # DNS, refused, TLS, the proxy's host
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,  # the proxy declined to open the tunnel
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
)
_LOST = (aiohttp.ClientError, OSError, asyncio.TimeoutError)


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """How long an exchange may take, in seconds.

    Attributes:
        connect: until a connection stands, TLS included.
        submit: a paid POST as a whole; giving up early leaves a job in doubt.
        call: any other call as a whole.
    """

    connect: float = 10.0
    submit: float = 120.0
    call: float = 60.0


USUAL_TIMEOUTS = Timeouts()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sessions:
    submits: aiohttp.ClientSession
    calls: aiohttp.ClientSession


class HttpTransport:
    """Exchanges calls with one service, with one pair of credentials; an async context manager."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        timeouts: Timeouts = USUAL_TIMEOUTS,
        connections: int = 100,
        largest_answer: int = 64 * 2**20,
        secrets: Iterable[str] = (),
    ) -> None:
        """Check the base URL; nothing is opened yet.

        Args:
            base_url: passes ``check_base_url``.
            credentials: sent to that URL only.
            timeouts: see there.
            connections: how many are kept for everything but submits.
            largest_answer: bytes, decompressed; a larger one counts as lost.
            secrets: what else no message may show.

        Raises:
            InputError: the base URL or the environment's proxy will not do.
        """
        self._base_url = check_base_url(base_url)
        self._hint = hint_on(self._base_url)
        # Never a default of the session: aiohttp sends those to the proxy too, in the clear (its issue 9368).
        self._usual_headers = {
            # source: docs/service.md base
            "Authorization": f"Basic {credentials.token}",
            "Accept": "application/json",
            "User-Agent": f"batchgen/{__version__}",
        }
        self._timeouts = timeouts
        self._connections = connections
        self._largest_answer = largest_answer
        self._proxy = proxy_for(URL(self._base_url, encoded=True))
        passwords = [] if self._proxy is None else [self._proxy.password or ""]
        self._redact = Redaction((*credentials.written, *passwords, *secrets))
        self._sessions: _Sessions | None = None
        self._stack = AsyncExitStack()

    def __repr__(self) -> str:
        return f"HttpTransport({self._base_url})"

    async def __aenter__(self) -> Self:
        times = self._timeouts
        submits = self._open(
            aiohttp.TCPConnector(force_close=True, limit=0, socket_factory=_socket_of_submits),
            aiohttp.ClientTimeout(total=times.submit, connect=times.connect),
        )
        calls = self._open(
            aiohttp.TCPConnector(keepalive_timeout=15.0, limit=self._connections),
            # not `connect`, which would count the wait for a free connection too
            aiohttp.ClientTimeout(total=times.call, sock_connect=times.connect),
        )
        for session in (submits, calls):
            self._stack.push_async_callback(session.close)
        self._sessions = _Sessions(submits=submits, calls=calls)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sessions = None
        await self._stack.aclose()

    async def exchange(self, call: Call) -> Answer:
        """Send the call and read the whole answer; see ``Transport``.

        The library's errors are not chained: their ``repr`` holds the request's headers, and
        with them the credentials.
        """
        failure: NotSentError | LostAnswerError
        body = _payload(call)
        try:
            return await self._exchange(call, body)
        except _NEVER_SENT as exc:
            failure = NotSentError(self._said(exc))
        except _LOST as exc:
            failure = _refused(body) or LostAnswerError(self._said(exc))
        raise failure

    async def _exchange(self, call: Call, payload: bytes | io.BytesIO | GuardedPayload | None) -> Answer:
        if self._sessions is None:
            raise RuntimeError("the transport is not open")
        session = self._sessions.submits if call.once else self._sessions.calls
        response = await session.request(
            call.method,
            self._url(call.path, call.query),
            data=payload,
            headers=self._headers(call),
            allow_redirects=False,
            proxy=self._proxy,
        )
        try:
            body = await self._read(response)
        finally:
            response.close()  # gives nothing up: a connection whose answer was read went back by itself
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(
            status=response.status, headers=headers, body=body, redact=self._redact, hint=self._hint
        )

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > self._largest_answer:
                raise aiohttp.ClientPayloadError(f"the answer is larger than {self._largest_answer} bytes")
        return bytes(body)

    def _open(self, connector: aiohttp.TCPConnector, timeout: aiohttp.ClientTimeout) -> aiohttp.ClientSession:
        # trust_env stays off: with it aiohttp reads .netrc and then refuses our Authorization header
        return aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
        )

    def _headers(self, call: Call) -> dict[str, str]:
        headers = self._usual_headers
        return headers if call.body is None else {**headers, "Content-Type": "application/json"}

    def _url(self, path: str, query: Mapping[str, str]) -> URL:
        asked = f"?{urlencode(query, encoding='utf-8', errors='replace')}" if query else ""
        return URL(f"{self._base_url}{path}{asked}", encoded=True)

    def _said(self, error: BaseException) -> str:
        text = str(error) or ("no complete answer in time" if isinstance(error, TimeoutError) else "")
        return readable(f"{type(error).__name__}: {text}".removesuffix(": "), self._redact)


def _payload(call: Call) -> bytes | io.BytesIO | GuardedPayload | None:
    if call.body is not None and call.may_leave is not None:
        return GuardedPayload(call.body, call.may_leave)
    return io.BytesIO(call.body) if call.body is not None and len(call.body) > _IN_ONE_PIECE else call.body


def _refused(payload: object) -> NotSentError | LostAnswerError | None:
    """Return what it means that the last look has forbidden a request; None if none has."""
    if not isinstance(payload, GuardedPayload) or not payload.refused:
        return None
    if payload.has_begun:  # nobody acts on a part of a request; who could swear to it?
        return LostAnswerError("the right to buy ran out while the request left")
    return NotSentError("the right to buy had run out before the request left")


def _socket_of_submits(address: aiohttp.AddrInfoType) -> socket.socket:
    """Make a socket that does not go on for minutes to send what nobody takes: a lease is not so long."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNHEARD)
    return made
