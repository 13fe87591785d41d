"""A wire between a client and a server on loopback that can be slow, fall silent, be cut, and be mended.

It listens at a port of its own, and passes on what comes; what it holds while it is silent it passes on
later, as TCP does when a cable is mended. What it cannot do is to look dead to a kernel: what is sent into a
silent wire is acknowledged, and a connection to it is opened at once. So TCP's own timeouts do not end by it,
only those by which a program waits for an answer.
"""

import asyncio
import socket
import struct
import threading
from collections import deque
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Final, TypeVar
from urllib.parse import urlsplit

from tests.support.free_ports import free_port

T = TypeVar("T")

_HOST: Final = "127.0.0.1"
_PATIENCE: Final = 10.0  # seconds for what takes none
_NO_LINGER: Final = struct.pack("ii", 1, 0)  # what is closed so is reset


class CutWire:
    """A wire as a test has it, made by ``cut_wire``; what a call does is done when it returns."""

    def __init__(self, wire: "_Wire") -> None:
        self._wire = wire

    @property
    def port(self) -> int:
        return self._wire.port

    def through(self, url: str) -> str:
        """Return the URL of the server with the wire's host and port in place of its own."""
        parts = urlsplit(url)
        user, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{user}{at}{_HOST}:{self.port}").geturl()

    @property
    def opened(self) -> int:
        """How many connections it has taken since it was made."""
        return self._wire.opened

    def delay(self, seconds: float) -> None:
        """Let everything take this much longer, each way; what is under way already keeps its time.

        A connection is opened without it: the first answer is the first thing that comes late.
        """

        async def act() -> None:
            self._wire.seconds = seconds

        self._do(act())

    def silence(self, *, of_client: bool = True, of_server: bool = True) -> None:
        """Pass on nothing from now on, not even that a side is gone; new connections are taken all the same.

        Args:
            of_client: Whether it holds what clients send.
            of_server: Whether it holds what the server answers; alone: it is done, and nobody hears of it.
        """
        self._do(self._wire.silence(of_client=of_client, of_server=of_server))

    def wait_until_held(self, *, of_client: bool = False) -> None:
        """Wait until a silent wire holds an answer of the server, or a request of a client.

        Raises:
            TimeoutError: It held none within 10 s.
        """
        self._do(self._wire.until_held(of_client=of_client))

    def cut(self) -> None:
        """Break off all connections: both sides see a reset, what was held is lost; new ones are taken."""
        self._do(self._wire.cut())

    def lose_answer(self, after: int = 0) -> None:
        """Let so many answers pass, and break off the connection on which the next one comes, which is lost.

        An answer is what the server sends at once.
        """

        async def act() -> None:
            self._wire.passing = after

        self._do(act())

    @property
    def has_lost(self) -> bool:
        """Whether the answer came that was to be lost."""
        return self._wire.passing is None

    def refuse(self) -> None:
        """Take no new connections; those that there are stay."""
        self._do(self._wire.refuse())

    def heal(self) -> None:
        """Pass on what is held, take connections again; a delay stays."""
        self._do(self._wire.heal())

    def _do(self, what: Coroutine[None, None, T]) -> T:
        async def bounded() -> T:
            async with asyncio.timeout(_PATIENCE):
                return await what

        return asyncio.run_coroutine_threadsafe(bounded(), self._wire.loop).result()


@contextmanager
def cut_wire(port: int, host: str = _HOST) -> Iterator[CutWire]:
    """Lay a wire to a server, which need not be there yet."""
    loop = asyncio.new_event_loop()
    wire = CutWire(_Wire(loop, free_port(), (host, port)))
    thread = threading.Thread(target=loop.run_forever, name="cut wire", daemon=True)
    thread.start()
    try:
        wire.heal()
        yield wire
    finally:
        try:
            wire._do(wire._wire.close())
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(_PATIENCE)
            loop.close()


class _Wire:
    """The part that lives in the loop of its own thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, port: int, target: tuple[str, int]) -> None:
        self.loop, self.port, self._target = loop, port, target
        self.seconds = 0.0
        self.opened = 0
        self.passing: int | None = None  # answers, until one is lost
        self._silent = {True: False, False: False}  # by whether it is a client that speaks
        self._held = {True: asyncio.Event(), False: asyncio.Event()}
        self._may_join = asyncio.Event()
        self._ends: set[_End] = set()
        self._joining: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    def is_silent(self, end: "_End") -> bool:
        return self._silent[end.of_client]

    def enter(self, end: "_End") -> None:
        self._ends.add(end)
        if end.of_client:
            self.opened += 1
            task = self.loop.create_task(self._join(end))
            self._joining.add(task)
            task.add_done_callback(self._joining.discard)

    def leave(self, end: "_End") -> None:
        self._ends.discard(end)
        end.gone.set()

    def note(self, end: "_End") -> None:
        self._held[end.of_client].set()

    async def _join(self, end: "_End") -> None:
        await self._may_join.wait()
        try:
            await self.loop.create_connection(lambda: _End(self, of_client=False, peer=end), *self._target)
        except OSError:
            end.reset()

    async def silence(self, *, of_client: bool, of_server: bool) -> None:
        self._silent = {True: of_client, False: of_server}
        if of_client:
            self._may_join.clear()

    async def until_held(self, *, of_client: bool) -> None:
        await self._held[of_client].wait()

    async def heal(self) -> None:
        self._silent = {True: False, False: False}
        self._forget()
        self._may_join.set()
        for one in list(self._ends):
            one.pass_on()
        if self._server is None:
            self._server = await self.loop.create_server(lambda: _End(self, of_client=True), _HOST, self.port)

    async def refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def cut(self) -> None:
        self._forget()
        for task in self._joining:
            task.cancel()
        ends = list(self._ends)
        for one in ends:
            one.reset()
        await asyncio.gather(*(one.gone.wait() for one in ends))

    def _forget(self) -> None:
        for one in self._held.values():
            one.clear()

    async def close(self) -> None:
        await self.refuse()
        await self.cut()
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)  # they may bring connections that came at the last moment
            await self.cut()


class _End(asyncio.Protocol):
    """One end of a connection: what it reads is for its peer, when it is time."""

    def __init__(self, wire: _Wire, *, of_client: bool, peer: "_End | None" = None) -> None:
        self._wire, self.of_client, self._peer = wire, of_client, peer
        self._transport: asyncio.Transport | None = None
        # each with when it is passed on, by the loop's clock; b"" is the end of the stream, None its loss
        self._waiting: deque[tuple[float, bytes | None]] = deque()
        self._has_ended = False  # and the peer knows it
        self._is_lost = self._was_reset = False
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._wire.enter(self)
        if self._peer is not None:
            self._peer._peer = self
            self._peer.pass_on()

    def data_received(self, data: bytes) -> None:
        self._take(data)

    def eof_received(self) -> bool:
        self._take(b"")
        return True  # it may still be written to

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (the name is asyncio's)
        self._is_lost = True
        if self._was_reset:
            self._wire.leave(self)
        else:
            self._take(None)

    def _take(self, what: bytes | None) -> None:
        if what and self._is_to_be_lost():
            for one in filter(None, (self._peer, self)):
                one.reset()
            return
        due = self._wire.loop.time() + self._wire.seconds
        self._waiting.append((due, what))
        self._wire.loop.call_at(due, self.pass_on)
        if what and self._wire.is_silent(self):
            self._wire.note(self)

    def _is_to_be_lost(self) -> bool:
        if self.of_client or self._wire.passing is None:
            return False
        if self._wire.passing:
            self._wire.passing -= 1
            return False
        self._wire.passing = None
        return True

    def pass_on(self) -> None:
        """Give the peer what has waited long enough, in its order."""
        if self._peer is None or self._wire.is_silent(self):
            return
        while self._waiting and self._waiting[0][0] <= self._wire.loop.time():
            self._give(self._waiting.popleft()[1], self._peer)
        if self._is_lost and not self._waiting:
            self._wire.leave(self)

    def _give(self, what: bytes | None, peer: "_End") -> None:
        assert peer._transport is not None
        assert self._transport is not None
        if what is None:
            peer._transport.close() if self._has_ended else peer.reset()
        elif peer._transport.is_closing():
            return
        elif what:
            peer._transport.write(what)
        else:
            self._has_ended = True
            with suppress(OSError):  # it was reset, and nobody has read that yet
                peer._transport.write_eof()
            if peer._has_ended:
                peer._transport.close()
                self._transport.close()

    def reset(self) -> None:
        """Break it off: whoever is at this end sees a reset, and what it said and still waits is lost."""
        self._waiting.clear()
        self._was_reset = True
        if self._is_lost or self._transport is None:
            self._wire.leave(self)
        else:
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self._transport.abort()
