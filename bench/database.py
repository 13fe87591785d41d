"""A journal in a database beside one in a file, each carried through by a process of its own."""

import asyncio
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from batchgen.engine.limits.gate import RateGate
from batchgen.errors import BatchLockedError
from batchgen.events import Accepted, Collected, SubmitStarted, Succeeded
from batchgen.journal.batch import BatchJournal
from batchgen.journal.file import JournalFile
from batchgen.journal.postgres import lease as leases
from batchgen.journal.postgres.store import PostgresStore
from batchgen.model import File, Job, Scope
from batchgen.ports import Lease, LifelongLease
from batchgen.scenario.client import ScenarioClient
from batchgen.scenario.credentials import Credentials
from batchgen.scenario.http import HttpTransport
from batchgen.wiring.background import beside
from batchgen.wiring.clock import SystemClock
from batchgen.wiring.sync_thread import SyncThread
from bench.engine import Carried, Parts, carry, jobs_of
from bench.server import serving
from bench.service import Load
from tests.support.cut_wire import cut_wire
from tests.support.postgres import postgres_server

_NAMES = {SubmitStarted: "intent", Accepted: "receipt", Succeeded: "end", Collected: "collected"}
_BATCH = "bench"
_LOOKS_EVERY = 0.5  # seconds between two looks of a standby, as the command has them


class Kept(NamedTuple):
    """What a run came to, and the seconds that each append of a kind held the loop, at the median."""

    carried: Carried
    appends: dict[str, float]


@dataclass(frozen=True)
class _Collecting:
    """Has every asset on the disk already: no bytes are fetched, and each job is recorded as collected."""

    async def collect(self, job: Job, asset_ids: Sequence[str]) -> tuple[File, ...]:
        return tuple(
            File(asset_id=one, path=f"assets/{job.id}_{n}.png", bytes=1, sha256="00" * 32, mime="image/png")
            for n, one in enumerate(asset_ids)
        )


@contextmanager
def server(delay: float = 0.0) -> Iterator[tuple[str, str]]:
    """Start one on the disk, with an empty database; give its URL, and that over a wire.

    Args:
        delay: seconds that everything takes over the wire, each way.
    """
    with postgres_server(base=Path(tempfile.gettempdir())) as started:
        url = started.create_database()
        PostgresStore(url, Path()).prepare()
        with cut_wire(started.port) as wire:
            wire.delay(delay)
            yield url, wire.through(url)


def over_http(load: Load, count: int, folder: Path, url: str | None) -> Kept:
    """Carry jobs to their files through a lean service of their own; no rate holds them back.

    Args:
        load: how the service behaves.
        count: of the jobs.
        folder: of the journal that is a file, or of what a database does not take.
        url: of the database; None for a file.
    """
    folder.mkdir(parents=True)
    with serving(load) as served:
        return asyncio.run(_over_http(served.base_url, count, folder, url))


async def _over_http(base_url: str, count: int, folder: Path, url: str | None) -> Kept:
    scope, gate = Scope(origin=base_url, project="", batch=_BATCH), RateGate(None)
    with ExitStack() as stack:
        journal, lease = _opened(stack, scope, folder, url)
        took = _timed(journal)
        async with (
            HttpTransport(base_url, Credentials(key="key", secret="secret")) as transport,
            beside(gate.run(), name="gate"),
        ):
            parts = Parts(
                jobs=jobs_of(count),
                scope=scope,
                generator=ScenarioClient(transport, gate, project=None),
                gate=gate,
                journal=journal,
                clock=SystemClock(),
                collector=_Collecting(),
                lease=lease,
            )
            carried = await carry(parts)
    return Kept(carried, {kind: statistics.median(seconds) for kind, seconds in took.items()})


def _opened(stack: ExitStack, scope: Scope, folder: Path, url: str | None) -> tuple[BatchJournal, Lease]:
    if url is None:
        file = stack.enter_context(JournalFile.open(folder / "journal.db"))
        stack.enter_context(file.grouped(stack.enter_context(SyncThread())))
        return file.batch(scope), LifelongLease()
    store = PostgresStore(url, folder)
    lease = stack.enter_context(store.hold(scope.batch, stamp=0.0))
    return stack.enter_context(store.opened()).batch(scope), lease


def _timed(journal: BatchJournal) -> dict[str, list[float]]:
    """Let each append say how long it held the loop, by what it told first."""
    took: dict[str, list[float]] = defaultdict(list)
    append: Callable[..., Any] = journal.append

    def timed(key: Any, *events: Any, **more: Any) -> Any:
        began = time.perf_counter()
        record = append(key, *events, **more)
        took[_NAMES.get(type(events[0]), "other")].append(time.perf_counter() - began)
        return record

    vars(journal)["append"] = timed
    return took


def led_after(url: str, batch: str) -> float:
    """Stand by for a batch as the command does; return when it was held, by the wall clock."""
    with ExitStack() as stack:
        _hold(stack, url, batch, "east")
        return time.time()


def led_and_died(url: str, batch: str) -> None:
    """Hold a batch and die with it."""
    with ExitStack() as stack:
        _hold(stack, url, batch, "west")
        os._exit(9)


def _hold(stack: ExitStack, url: str, batch: str, machine: str) -> None:
    leases._machine = lambda: machine  # noqa: SLF001 - what another machine is known by
    while True:
        try:
            stack.enter_context(PostgresStore(url, Path()).hold(batch, stamp=0.0))
        except BatchLockedError:
            time.sleep(_LOOKS_EVERY)
        else:
            return
