"""The last look before a paid POST leaves, over real sockets: after a no, not one byte of it arrives."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from batchgen.errors import NotSentError
from batchgen.scenario.credentials import Credentials
from batchgen.scenario.http import HttpTransport, Timeouts
from batchgen.scenario.transport import Call, LostAnswerError

OURS = Credentials(key="api_KEYkey", secret="SECRETsecret")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
SMALL, LARGE = b'{"prompt":"a tower"}', b'{"prompt":"' + b"x" * 3_000_000 + b'"}'


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@dataclass
class Listener:
    """A server that keeps every byte that arrives, and answers once a whole request is there."""

    arrived: bytearray = field(default_factory=bytearray)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        own = bytearray()
        try:
            while chunk := await reader.read(65_536):
                own += chunk
                self.arrived += chunk
                head, _, body = bytes(own).partition(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                if length and len(body) >= int(length):
                    writer.write(OK)
                    await writer.drain()
                    break
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def listening(context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, Listener]]:
    listener = Listener()
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], listener


@dataclass
class Right:
    """A right to buy that ends after so many looks."""

    looks_left: int
    looks: int = 0

    def __call__(self) -> bool:
        self.looks += 1
        return self.looks <= self.looks_left


def buying(may_leave: Callable[[], bool], body: bytes = SMALL) -> Call:
    return Call(method="POST", path="/generate/custom/x", body=body, once=True, may_leave=may_leave)


async def submit(url: str, call: Call, timeouts: Timeouts | None = None) -> int:
    async with HttpTransport(url, OURS, timeouts=timeouts or Timeouts()) as transport:
        answer = await transport.exchange(call)
    await asyncio.sleep(0.05)  # what has left arrives
    return answer.status


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
async def test_after_a_no_not_one_byte_arrives(body: bytes) -> None:
    right = Right(looks_left=0)
    async with listening() as (port, listener):
        with pytest.raises(NotSentError, match="right to buy had run out"):
            await submit(f"http://127.0.0.1:{port}/v1", buying(right, body))
        await asyncio.sleep(0.05)
        assert (listener.connections, bytes(listener.arrived)) == (1, b"")
    assert right.looks == 1


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
async def test_after_a_yes_the_request_arrives_as_it_was_meant(body: bytes) -> None:
    right = Right(looks_left=1000)
    async with listening() as (port, listener):
        assert await submit(f"http://127.0.0.1:{port}/v1", buying(right, body)) == 200
        head, _, arrived = bytes(listener.arrived).partition(b"\r\n\r\n")
    assert arrived == body
    assert head.count(b"Content-Type: application/json") == 1
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"Transfer-Encoding" not in head
    assert right.looks >= 1, "the library writes bodies in another way by now: the guard is not asked"


async def test_the_look_is_taken_when_the_connection_stands_and_in_one_write_with_the_body() -> None:
    """What arrives with the first read is the whole request: no head leaves before the look."""
    first: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        first.append(await reader.read(65_536))
        writer.write(OK)
        writer.close()

    connected, looked_after = asyncio.Event(), list[bool]()

    def may_leave() -> bool:
        looked_after.append(bool(first))
        return True

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await submit(f"http://127.0.0.1:{port}/v1", buying(may_leave))
    assert connected.is_set()
    assert looked_after == [False]
    assert first[0].endswith(SMALL)


async def test_a_large_body_never_leaves_whole_once_the_right_has_run_out() -> None:
    right = Right(looks_left=20)
    async with listening() as (port, listener):
        with pytest.raises(LostAnswerError, match="while the request left"):
            await submit(f"http://127.0.0.1:{port}/v1", buying(right, LARGE))
        await asyncio.sleep(0.05)
        assert 0 < len(listener.arrived) < len(LARGE)


async def test_through_tls_nothing_of_the_request_arrives_after_a_no(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting(tmp_path))
    async with listening(context_of(tmp_path)) as (port, listener):
        url = f"https://localhost:{port}/v1"
        with pytest.raises(NotSentError):
            await submit(url, buying(Right(looks_left=0)))
        assert bytes(listener.arrived) == b""
        assert await submit(url, buying(Right(looks_left=1))) == 200
        assert bytes(listener.arrived).endswith(SMALL)


async def test_through_a_proxy_nothing_of_the_request_arrives_after_a_no(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting(tmp_path))
    async with listening(context_of(tmp_path)) as (port, listener), tunnelling(port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy}")
        url = f"https://service.example:{port}/v1"
        with pytest.raises(NotSentError):
            await submit(url, buying(Right(looks_left=0)))
        assert (listener.connections, bytes(listener.arrived)) == (1, b"")
        assert await submit(url, buying(Right(looks_left=1))) == 200
        assert bytes(listener.arrived).endswith(SMALL)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has it")
async def test_sockets_of_submits_give_up_what_nobody_takes() -> None:
    seen: list[int] = []
    async with listening() as (port, _), HttpTransport(f"http://127.0.0.1:{port}/v1", OURS) as transport:

        def may_leave() -> bool:
            assert transport._sessions is not None
            (connector,) = [transport._sessions.submits.connector]
            assert connector is not None
            (protocol,) = connector._acquired
            made = protocol.transport.get_extra_info("socket")  # type: ignore[union-attr]
            seen.append(made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
            return True

        await transport.exchange(buying(may_leave))
    assert seen == [20_000]


def context_of(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def trusting(folder: Path) -> ssl.SSLContext:
    """Make a certificate, and a client that trusts nobody else."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    names = ["-addext", "subjectAltName=DNS:localhost,DNS:service.example"]
    subprocess.run(
        [*command, *names, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True
    )
    return ssl.create_default_context(cafile=str(cert))


@asynccontextmanager
async def tunnelling(port: int) -> AsyncIterator[int]:
    """Run a proxy that opens tunnels, whatever host is asked for, to one port of this machine."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65_536):
                writer.write(chunk)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        there, back = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        async with asyncio.TaskGroup() as group:
            group.create_task(pump(reader, back), name="there")
            group.create_task(pump(there, writer), name="back")

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
