"""The HTTP front: carries requests to the core and does with the answer what it says.

Nothing is decided here. It listens on loopback only: what it serves is no real service, and
the credentials it is sent may be.
"""

import asyncio
import ipaddress
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from aiohttp import web

from batchgen.errors import InputError, OutputError
from batchgen.simulator.exchange import Fate, Reply, Request
from batchgen.simulator.log import add_sent, add_to_log, open_log, read_log, read_sent
from batchgen.simulator.pictures import file_of
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Settings
from batchgen.simulator.uploads import USUAL_IMPORTS, Imports

LARGEST_PART = 2**28  # bytes: what this machine is asked to hold in memory
_LINGER = 1.0  # seconds that requests under way get when the service ends


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A service that listens.

    Attributes:
        base_url: what a client is given.
        service: the core behind it.
    """

    base_url: str
    service: Service


@asynccontextmanager
async def serve(
    settings: Settings,
    *,
    imports: Imports = USUAL_IMPORTS,
    host: str = "127.0.0.1",
    port: int = 0,
    speed: float = 1.0,
    state: Path | None = None,
    log: Callable[[str], None] | None = None,
) -> AsyncIterator[Running]:
    """Serve for as long as the block lasts.

    Args:
        settings: how the service behaves, in its own seconds.
        imports: what becomes of uploads, in its own seconds too.
        host: an address of this machine's loopback.
        port: 0 for any that is free.
        speed: the service's seconds in a second.
        state: where accepted jobs are kept, for the next service at this place.
        log: told of every request.

    Raises:
        InputError: the host is not loopback.
        OutputError: the port is taken, or the state cannot be read or written.
    """
    _refuse_outside(host)
    service = Service(settings.at_speed(speed), imports.at_speed(speed))
    kept: TextIO | None = None
    if state is not None:
        _restore(service, state)
        kept = open_log(state)
    runner = web.AppRunner(
        _app(service, kept, state, log),
        access_log=None,
        handler_cancellation=True,  # or a request that hangs would outlive its client
        shutdown_timeout=_LINGER,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await _listen(site, host, port)
        shown = f"[{host}]" if ":" in host else host
        yield Running(base_url=f"http://{shown}:{runner.addresses[0][1]}/v1", service=service)
    finally:
        await runner.cleanup()
        if kept is not None:
            kept.close()


def _restore(service: Service, state: Path) -> None:
    try:
        service.restore(read_log(state), read_sent(state))
    except ValueError as error:
        raise OutputError(f"{state}: not the log of one simulated service: {error}") from error


def _refuse_outside(host: str) -> None:
    try:
        inside = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise InputError(f"the simulator listens on this machine only: {host!r} is not a loopback address")


async def _listen(site: web.TCPSite, host: str, port: int) -> None:
    try:
        await site.start()
    except OSError as error:
        # not ``strerror``: asyncio writes a sentence of its own into it
        why = os.strerror(error.errno or 0)
        raise OutputError(f"{host}:{port} cannot be listened on: {why}") from error


def _app(
    service: Service, kept: TextIO | None, state: Path | None, log: Callable[[str], None] | None
) -> web.Application:
    async def answer(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        before, sent_before = len(service.submissions), len(service.sent)
        reply = service.handle(
            Request(
                method=request.method,
                path=request.path,
                query=dict(request.query),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=body,
            ),
            time.time(),
        )
        if kept is not None:
            for job in service.submissions[before:]:
                add_to_log(kept, job)
        if state is not None:
            for sent in service.sent[sent_before:]:
                add_sent(state, sent)
        if log is not None:
            log(f"{request.method} {request.path_qs.split('Policy=')[0]} {_told(reply)}")
        return await _deliver(request, reply)

    # a body over the gateway's limit is the core's to refuse; parts of uploads go to a store, which has none
    app = web.Application(client_max_size=LARGEST_PART, logger=logging.getLogger(__name__))
    app.router.add_route("*", "/{path:.*}", answer)
    return app


def _told(reply: Reply) -> str:
    return str(reply.status) if reply.fate is Fate.ANSWERED else str(reply.fate)


async def _deliver(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Wait, and then send, cut or hang."""
    if reply.fate is Fate.HUNG:
        await asyncio.Event().wait()  # until the client or the service goes
    await asyncio.sleep(reply.delay)
    if reply.fate is Fate.CUT:
        _cut(request)
        return web.Response()
    body = reply.body
    if reply.medium is not None:
        body = await asyncio.to_thread(file_of, reply.medium)
    body = body[: int(len(body) * reply.kept)]
    if reply.sent < 1:
        return await _send_part(request, reply, body)
    return web.Response(status=reply.status, headers=reply.headers, body=body)


async def _send_part(request: web.Request, reply: Reply, body: bytes) -> web.StreamResponse:
    """Announce the whole, send a part and cut."""
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: int(len(body) * reply.sent)])
    _cut(request)
    return response


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
