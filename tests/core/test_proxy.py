"""What a proxy on the way gets to read, over plain sockets, for everything that leaves this machine."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from yarl import URL

from batchgen.errors import BatchgenError, InputError
from batchgen.output.transfer import Cdn
from batchgen.proxy import is_loopback, proxy_for
from batchgen.scenario.credentials import Credentials
from batchgen.scenario.http import HttpTransport
from batchgen.scenario.parts import HttpParts, Part
from batchgen.scenario.transport import Call, LostAnswerError

OURS = Credentials(key="api_KEYkey", secret="SECRETsecret")
SIGNED = "https://cdn.invalid/assets/asset_1?Signature=SIGNATUREsignature"
REFUSAL = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"
USER = "Proxy-Authorization: Basic c29tZWJvZHk6UEFTU3dvcmQ="  # somebody:PASSword


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def listening(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Serve as a proxy that writes one answer, and keep every byte it is sent in the clear."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
            if answer == TUNNEL:
                heard.append(await reader.read(4096))  # how TLS begins, which nobody answers
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", heard


async def a_submit(_: Path) -> None:
    await _call(Call(method="POST", path="/generate/custom/model_x", body=b"{}", once=True))


async def a_look(_: Path) -> None:
    await _call(Call(method="GET", path="/jobs/job_1"))


async def an_upload(_: Path) -> None:
    await _call(Call(method="POST", path="/assets", body=b"{}"))


async def _call(call: Call) -> None:
    async with HttpTransport("https://service.invalid/v1", OURS) as transport:
        await transport.exchange(call)


async def a_part_of_an_upload(_: Path) -> None:
    async with HttpParts() as parts:
        await parts.put(Part(number=1, url=SIGNED), b"bytes", "image/png")


async def a_download(folder: Path) -> None:
    async with Cdn(connections=1) as cdn:
        await cdn.fetch(SIGNED, folder / "a.part", size=None)


REQUESTS = (a_submit, a_look, an_upload, a_part_of_an_upload, a_download)


@pytest.mark.parametrize("answer", [REFUSAL, TUNNEL], ids=["declines", "opens a tunnel"])
@pytest.mark.parametrize("user", ["", "somebody:PASSword@"], ids=["no user", "with a user"])
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: one.__name__)
async def test_a_proxy_reads_where_we_go_and_nothing_else(
    request_: Callable[[Path], Awaitable[None]],
    variable: str,
    user: str,
    answer: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with listening(answer) as (place, heard):
        monkeypatch.setenv(variable, f"http://{user}{place}")
        with pytest.raises((BatchgenError, LostAnswerError)) as failed:
            await request_(tmp_path)
    head = heard[0].decode("ascii")
    assert head.startswith(("CONNECT service.invalid:443 ", "CONNECT cdn.invalid:443 "))
    everything = b"".join(heard)
    for secret in (OURS.key, OURS.secret, OURS.token, "SIGNATUREsignature", "/generate", "asset_1"):
        assert secret.encode() not in everything
    sent = {line.partition(":")[0].lower(): line for line in head.splitlines()[1:] if line}
    assert "authorization" not in sent
    assert sent.get("proxy-authorization") == (USER if user else None)
    assert "PASSword" not in str(failed.value)


@pytest.mark.parametrize(
    ("url", "environment", "proxy"),
    [
        ("https://a.example/v1", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https://a.example/v1", {"HTTPS_PROXY": "p:1"}, "http://p:1"),
        ("https://a.example/v1", {"ALL_PROXY": "p:1"}, "http://p:1"),
        ("https://a.example/v1", {"all_proxy": "https://p:1"}, "https://p:1"),
        ("https://a.example/v1", {"ALL_PROXY": "socks5://q:2", "HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https://a.example/v1", {"ALL_PROXY": "socks5://q:2", "NO_PROXY": ".example"}, None),
        ("https://a.example/v1", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.example"}, None),
        ("https://a.example/v1", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ("https://a.example/v1", {"HTTP_PROXY": "http://p:1"}, None),
        ("https://a.example/v1", {}, None),
        ("https://127.0.0.1:8443/v1", {"ALL_PROXY": "http://p:1"}, None),
        ("http://localhost:8080/v1", {"ALL_PROXY": "socks5://p:1", "HTTP_PROXY": "http://p:1"}, None),
        ("http://[::1]:8080/v1", {"http_proxy": "http://p:1"}, None),
    ],
)
def test_the_way_of_a_request(
    url: str, environment: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(URL(url)) == (None if proxy is None else URL(proxy))


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize(
    "proxy",
    ["socks5://me:PASSword@localhost:1", "socks5h://localhost:1", "ftp://p", "http://[PASSword", "http://"],
)
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable_alone(
    variable: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, proxy)
    with pytest.raises(InputError, match=variable) as caught:
        proxy_for(URL("https://service.invalid/v1"))
    assert "PASSword" not in str(caught.value)


async def test_a_download_says_that_its_proxy_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://localhost:1")
    with pytest.raises(BatchgenError, match="ALL_PROXY"):
        await a_download(tmp_path)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_is_known_by_its_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "localhost.example", "a.localhost", "10.0.0.1", "128.0.0.1", "::2"])
def test_no_other_host_is_taken_for_this_machine(host: str) -> None:
    assert not is_loopback(host)
