"""The transport over real sockets of this machine: what aioresponses cannot show."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from batchgen.errors import AmbiguousError, InputError, NotSentError
from batchgen.scenario.client import ScenarioClient
from batchgen.scenario.credentials import Credentials
from batchgen.scenario.http import HttpTransport, Timeouts
from batchgen.scenario.transport import Answer, Call, LostAnswerError
from tests.scenario.fakes import JOB_ID, OpenGate

OURS = Credentials(key="api_KEYkey", secret="SECRETsecret")
LOOK = Call(method="GET", path="/jobs/job_1")
BUY = Call(method="POST", path="/generate/custom/model_x", body=b"{}", once=True)
BULK = Call(method="POST", path="/assets/get-bulk", body=b"{}")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def serving(respond: Respond) -> AsyncIterator[str]:
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{path:.*}", respond)
    async with TestServer(app) as server:
        yield str(server.make_url("/v1"))


@dataclass
class Raw:
    """A server of bytes: after its last answer it cuts the connection, at the next request or at once."""

    answers: list[bytes | None]  # of one connection, in order; None is silence
    at_once: bool = False
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            for answer in [*self.answers, *([] if self.at_once else [b""])]:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                self.requests.append(head + await reader.readexactly(int(length or 0)))
                if answer is None:
                    await reader.read()
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def raw(
    *answers: bytes | None, scheme: str = "http", at_once: bool = False
) -> AsyncIterator[tuple[str, Raw]]:
    service = Raw(list(answers), at_once)
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    async with server:
        yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", service


async def exchange(base_url: str, *calls: Call, timeouts: Timeouts | None = None) -> list[Answer]:
    async with HttpTransport(base_url, OURS, timeouts=timeouts or Timeouts()) as transport:
        return [await transport.exchange(call) for call in calls]


# --- what is sent


async def test_what_is_sent_arrives_as_it_was_meant() -> None:
    seen: list[tuple[str, dict[str, str], bytes]] = []

    async def respond(request: web.Request) -> web.Response:
        seen.append((request.path_qs, dict(request.headers), await request.read()))
        return web.json_response({"a": 1}, headers={"Retry-After": "3"})

    body = b"x" * 3_000_000
    async with serving(respond) as url:
        answers = await exchange(
            url,
            Call(method="GET", path="/jobs/a%2F..%2Fb", query={"paginationToken": "t+/=&\ud800", "a": "ü,"}),
            Call(method="POST", path="/generate/custom/x", body=body, once=True),
        )
    assert answers[0].status == 200
    assert answers[0].headers["retry-after"] == "3"
    assert answers[0].body == b'{"a": 1}'
    path, headers, _ = seen[0]
    assert path == "/v1/jobs/a%2F..%2Fb?paginationToken=t%2B%2F%3D%26%3F&a=%C3%BC%2C"
    assert headers["Authorization"] == f"Basic {OURS.token}"
    assert headers["Accept"] == "application/json"
    assert "Content-Type" not in headers
    assert seen[1][2] == body
    assert seen[1][1]["Content-Type"] == "application/json"


async def test_submits_never_share_a_connection_and_the_rest_does() -> None:
    peers: list[tuple[str, int, str]] = []

    async def respond(request: web.Request) -> web.Response:
        assert request.transport is not None
        port = request.transport.get_extra_info("peername")[1]
        peers.append((request.method, port, request.headers.get("Connection", "")))
        return web.json_response({})

    async with serving(respond) as url:
        await exchange(url, LOOK, BUY, LOOK, BUY, LOOK)
    submits = [(port, connection) for method, port, connection in peers if method == "POST"]
    assert len({port for port, _ in submits}) == 2
    assert {connection for _, connection in submits} == {"close"}
    looks = {port for method, port, _ in peers if method == "GET"}
    assert len(looks) == 1
    assert not looks & {port for port, _ in submits}


async def test_a_connection_gone_stale_costs_a_question_and_never_a_purchase() -> None:
    async with raw(OK) as (url, service):  # the second request on a connection meets a cut
        answers = await exchange(url, LOOK, BUY, BUY, LOOK)
        assert [one.status for one in answers] == [200] * 4
        async with HttpTransport(url, OURS) as transport:
            await transport.exchange(BULK)
            with pytest.raises(LostAnswerError):
                await transport.exchange(BULK)
    assert sum(b"/generate/" in one for one in service.requests) == 2


async def test_cookies_are_not_kept() -> None:
    cookies: list[str | None] = []

    async def respond(request: web.Request) -> web.Response:
        cookies.append(request.headers.get("Cookie"))
        response = web.json_response({})
        response.set_cookie("session", "1")
        return response

    async with serving(respond) as url:
        await exchange(url.replace("127.0.0.1", "localhost"), LOOK, LOOK)
    assert cookies == [None, None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed_and_no_credentials_cross(status: int) -> None:
    strangers: list[str] = []

    async def stranger(request: web.Request) -> web.Response:
        strangers.append(request.path)
        return web.json_response({})

    async with serving(stranger) as elsewhere:

        async def respond(_: web.Request) -> web.Response:
            return web.Response(status=status, headers={"Location": elsewhere})

        async with serving(respond) as url:
            answers = await exchange(url, LOOK, BULK, BUY)
    assert [one.status for one in answers] == [status] * 3
    assert strangers == []


# --- what comes back, or does not


async def test_an_answer_is_read_whole_and_unpacked() -> None:
    text = b'{"a": "' + b"x" * 300_000 + b'"}'

    async def respond(_: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(text), headers={"Content-Encoding": "gzip"}, status=502)

    async with serving(respond) as url:
        (answer,) = await exchange(url, LOOK)
    assert (answer.status, answer.body) == (502, text)


async def test_an_answer_that_is_too_large_is_lost() -> None:
    async def respond(_: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b" " * 100_000), headers={"Content-Encoding": "gzip"})

    async with serving(respond) as url, HttpTransport(url, OURS, largest_answer=99_999) as transport:
        for call in (LOOK, BUY):
            with pytest.raises(LostAnswerError, match="larger than 99999 bytes"):
                await transport.exchange(call)


@pytest.mark.parametrize(
    "cut",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n",
        b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"job": ',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Encoding: gzip\r\n\r\nplain",
    ],
)
async def test_an_answer_that_is_cut_leaves_the_purchase_in_doubt_and_is_bought_once(cut: bytes) -> None:
    async with raw(cut, at_once=True) as (url, service), HttpTransport(url, OURS) as transport:
        client = ScenarioClient(transport, OpenGate(), project=None)
        with pytest.raises(AmbiguousError):
            await client.submit("model_x", "{}")
        assert len(service.requests) == 1
        assert service.connections == 1


async def test_an_answer_that_takes_too_long_is_lost() -> None:
    async with raw(None) as (url, service):
        for call, timeouts in ((BUY, Timeouts(submit=0.1)), (LOOK, Timeouts(call=0.1))):
            with pytest.raises(LostAnswerError, match="in time"):
                await exchange(url, call, timeouts=timeouts)
        assert len(service.requests) == 2


async def test_nothing_leaves_where_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        for call in (LOOK, BUY):
            with pytest.raises(NotSentError, match="Cannot connect"):
                await exchange(f"http://127.0.0.1:{taken.getsockname()[1]}", call)


@pytest.mark.parametrize("call", [LOOK, BUY])
async def test_nothing_leaves_before_encryption_stands(call: Call) -> None:
    async with raw(None, scheme="https") as (url, silent):
        with pytest.raises(NotSentError):
            await exchange(url, call, timeouts=Timeouts(connect=0.1))
    assert silent.requests == []
    spoken: list[bytes] = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        spoken.append(await reader.read(1000))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        with pytest.raises(NotSentError):
            await exchange(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", call)
    assert not any(b"Basic" in one or b"generate" in one for one in spoken)


async def test_a_cancelled_purchase_is_cancelled_and_not_an_error_of_ours() -> None:
    async with raw(None) as (url, service), HttpTransport(url, OURS) as transport:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await transport.exchange(BUY)
        assert len(service.requests) == 1


# --- the surroundings


async def test_a_netrc_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login stranger password stranger\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    async with raw(OK) as (url, service):
        await exchange(url, BUY)
    assert f"Authorization: Basic {OURS.token}".encode() in service.requests[0]


async def test_a_proxy_that_declines_lets_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    async with raw(refusal) as (url, proxy):
        place = url.removeprefix("http://").removesuffix("/v1")
        monkeypatch.setenv("HTTPS_PROXY", f"http://somebody:PASSword@{place}")
        with pytest.raises(NotSentError, match="407") as caught:
            await exchange("https://service.invalid/v1", BUY)
    (request,) = proxy.requests
    assert request.startswith(b"CONNECT service.invalid:443 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic c29tZWJvZHk6UEFTU3dvcmQ=" in request
    assert OURS.token.encode() not in request
    assert "PASSword" not in str(caught.value)


async def test_plain_http_on_this_machine_passes_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw(OK) as (proxy_url, proxy), raw(OK) as (url, service):
        monkeypatch.setenv("HTTP_PROXY", proxy_url)
        monkeypatch.setenv("HTTPS_PROXY", proxy_url)
        await exchange(url, BUY)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with pytest.raises(NotSentError):
            await exchange("https://127.0.0.1:1", BUY)
    assert (len(proxy.requests), len(service.requests)) == (0, 1)


@pytest.mark.parametrize("proxy", ["socks5://PASSword@localhost:1", "http://[PASSword", "http://"])
def test_a_proxy_that_cannot_be_used_is_said_before_anything_is_sent(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(InputError, match="HTTPS_PROXY") as caught:
        HttpTransport("https://service.invalid", OURS)
    assert "PASSword" not in str(caught.value)


async def test_a_transport_is_used_between_opening_and_closing_only() -> None:
    async with raw(OK) as (url, _):
        transport = HttpTransport(url, OURS)
        assert repr(transport) == f"HttpTransport({url})"
        with pytest.raises(RuntimeError):
            await transport.exchange(LOOK)
        async with transport:
            await transport.exchange(LOOK)
        with pytest.raises(RuntimeError):
            await transport.exchange(LOOK)
    with pytest.raises(InputError):
        HttpTransport("http://service.invalid", OURS)


async def test_a_whole_purchase_over_a_real_connection() -> None:
    async def respond(request: web.Request) -> web.Response:
        assert request.query["projectId"] == "proj_1"
        return web.json_response({"job": {"jobId": JOB_ID}, "echo": await request.json()}, status=201)

    async with serving(respond) as url, HttpTransport(url, OURS) as transport:
        client = ScenarioClient(transport, OpenGate(), project="proj_1")
        assert (await client.submit("model_x", '{"prompt": "ü"}')).job.remote_id == JOB_ID
