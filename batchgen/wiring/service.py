"""The service behind the Generator port: the real one, or the simulator in this process.

What speaks to it is loaded when it is opened: many a command, and a run with nothing to do, never asks it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batchgen.errors import InputError
from batchgen.model import Rate
from batchgen.redaction import secrets_in
from batchgen.scenario.credentials import Credentials, check_base_url, find_credentials
from batchgen.wiring.background import beside
from batchgen.wiring.options import REHEARSAL_SPEED, SERVICE, SIMULATOR, Options, rate_of

if TYPE_CHECKING:
    from batchgen.engine.limits.gate import RateGate
    from batchgen.scenario.client import ScenarioClient
    from batchgen.scenario.transport import Transport
    from batchgen.scenario.usages import UsageClient


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Which service is meant.

    Attributes:
        origin: what its records are filed under.
        base_url: where it is; None for the simulator, which is where it happens to be.
    """

    origin: str
    base_url: str | None


def address_of(options: Options) -> Address:
    """Return which service is meant, without asking it anything.

    Raises:
        InputError: the base URL will not do.
    """
    if options.simulate:
        return Address(origin=SIMULATOR, base_url=None)
    try:
        base_url = check_base_url(options.environ.get("SCENARIO_BASE_URL") or SERVICE)
    except InputError as error:
        raise InputError(f"SCENARIO_BASE_URL: {error}") from error
    return Address(origin=base_url, base_url=base_url)


def sender_of(options: Options) -> str:
    """Return the fingerprint of the key that submits.

    Raises:
        StoppedError: there are no credentials.
    """
    return SIMULATOR if options.simulate else find_credentials(options.environ).fingerprint


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """A service that can be asked: what every use case that asks it is given.

    Attributes:
        transport: the way to it.
        gate: through which every request takes its turn.
        client: of one project, paced by the gate.
    """

    transport: "Transport"
    gate: "RateGate"
    client: "ScenarioClient"

    @property
    def usages(self) -> "UsageClient":
        """What reads the service's own history of what it charged, of every project of the key."""
        from batchgen.scenario.usages import UsageClient  # noqa: PLC0415 - see above

        return UsageClient(self.transport, self.gate, project=None)


@asynccontextmanager
async def open_service(
    options: Options, *, project: str | None, rate: Rate | None = None
) -> AsyncIterator[Service]:
    """Open the service for one project, with a gate that runs as long.

    Args:
        options: where it is, and who asks.
        project: empty or None for the key's own.
        rate: of the manifest; flags go before it.

    Raises:
        InputError: the base URL will not do.
        StoppedError: there are no credentials.
    """
    from batchgen.engine.limits.gate import RateGate  # noqa: PLC0415 - see above
    from batchgen.scenario.client import ScenarioClient  # noqa: PLC0415

    gate = RateGate(rate_of(options, rate))
    async with transport_to(options) as transport, beside(gate.run(), name="gate"):
        client = ScenarioClient(transport, gate, project=project)
        yield Service(transport=transport, gate=gate, client=client)


@asynccontextmanager
async def transport_to(options: Options) -> AsyncIterator["Transport"]:
    """Open the way to the service, which tells of its requests where somebody wants to know.

    Raises:
        InputError: the base URL will not do.
        StoppedError: there are no credentials.
    """
    from batchgen.scenario.request_log import ToldTransport  # noqa: PLC0415 - see above

    async with _way_to(options) as transport:
        tell = options.on_request
        yield transport if tell is None else ToldTransport(transport, tell)


@asynccontextmanager
async def _way_to(options: Options) -> AsyncIterator["Transport"]:
    address = address_of(options)
    if options.transport is not None:
        yield options.transport
        return
    from batchgen.scenario.http import HttpTransport  # noqa: PLC0415 - a fifth of the start-up time

    if address.base_url is not None:
        credentials = find_credentials(options.environ)
        secrets = secrets_in(options.environ)
        async with HttpTransport(address.base_url, credentials, secrets=secrets) as transport:
            yield transport
        return
    from batchgen.simulator.front import serve  # noqa: PLC0415 - only a rehearsal pays for it
    from batchgen.simulator.settings import Settings  # noqa: PLC0415

    settings, state = Settings(), options.output / "simulator.jsonl"
    async with (
        serve(settings, speed=REHEARSAL_SPEED, state=state) as running,
        HttpTransport(running.base_url, Credentials(key=settings.key, secret=settings.secret)) as transport,
    ):
        yield transport
