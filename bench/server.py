"""The lean service behind a socket, in a process of its own: ``serving`` starts it and ends it.

HTTP is read by a few lines of our own, for a framework would cost more than all that is asked for here:
requests with a length and without chunks, which is what the three clients send.
"""

import asyncio
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from batchgen.simulator.dates import header
from bench.service import Load, Service


class Connection(asyncio.Protocol):
    """Reads requests and writes what the service says, one after another."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end].decode("latin-1")
            whole = end + 4 + _length(head)
            if len(self._held) < whole:
                return
            body, self._held = self._held[end + 4 : whole], self._held[whole:]
            self._answer(head, body)

    def _answer(self, head: str, body: bytes) -> None:
        assert self._transport is not None
        method, target, _ = head.split("\r\n", 1)[0].split(" ")
        place = urlsplit(target)
        if place.path == "/numbers":
            self._transport.write(_written(200, json.dumps(self._service.numbers()), time.time()))
            return
        now = time.time()
        query = dict(parse_qsl(place.query))
        answer = self._service.handle(method, unquote(place.path), query, body, now)
        if not answer.status:
            self._transport.abort()
            return
        self._transport.write(_written(answer.status, answer.body, now))
        if "\r\nconnection: close" in head.lower():
            self._transport.close()


def _length(head: str) -> int:
    at = head.lower().find("content-length:")
    return int(head[at + 15 :].split("\r\n", 1)[0]) if at >= 0 else 0


def _written(status: int, text: str, now: float) -> bytes:
    body = text.encode()
    kind = "application/json" if text[:1] in "{[" else "text/html"
    head = (
        f"HTTP/1.1 {status} -\r\ncontent-type: {kind}\r\ndate: {header(now)}\r\ncontent-length: {len(body)}"
    )
    return f"{head}\r\n\r\n".encode() + body


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """What the service counted; see ``Service``.

    Attributes:
        lives: when each accepted job was created and ended, seconds since the epoch.
    """

    counts: dict[str, int]
    asked: list[tuple[float, str]]
    lives: list[tuple[float, float]]

    def count(self, *kinds: str) -> int:
        return sum(self.counts.get(one, 0) for one in kinds)

    @property
    def looks(self) -> int:
        """Requests that ask how jobs are doing, the look before the first purchase included."""
        return self.count("job", "jobs")

    @property
    def durations(self) -> list[float]:
        return [end - created for created, end in self.lives]


@dataclass(frozen=True, kw_only=True)
class Served:
    """A service that listens."""

    root: str

    @property
    def base_url(self) -> str:
        return f"{self.root}/v1"

    def numbers(self) -> Numbers:
        with urllib.request.urlopen(f"{self.root}/numbers") as answer:
            read: dict[str, Any] = json.load(answer)
        asked = [(at, kind) for at, kind in read["asked"]]
        lives = [(created, end) for created, end in read["lives"]]
        return Numbers(counts=read["counts"], asked=asked, lives=lives)


@contextmanager
def serving(load: Load) -> Iterator[Served]:
    """Serve for as long as the block lasts."""
    words = [sys.executable, "-m", "bench.server", json.dumps(asdict(load))]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Served(root=f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.terminate()


async def _serve(service: Service) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    listening = await loop.create_server(lambda: Connection(service), "127.0.0.1", 0, backlog=1024)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await ended.wait()
    listening.close()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever measures, who ends this one
    asyncio.run(_serve(Service(Load(**json.loads(sys.argv[1])))))
