"""One run of one manifest, from the file to the results: builds the parts and puts them together."""

import asyncio
import math
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext, suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TextIO

from batchgen.app.background import beside, unless_interrupted
from batchgen.app.batch import Batch, fresh_scope_of, scope_of, zone_of
from batchgen.app.clock import SystemClock
from batchgen.app.guards import (
    refuse_a_lost_journal,
    refuse_to_leave_unfinished,
    refuse_wrong_retries,
)
from batchgen.app.interrupts import ORDERED, Interrupts
from batchgen.app.models import look_up_models
from batchgen.app.names import go_on_under_one_name
from batchgen.app.purchases import Purchases
from batchgen.app.quotes import quote_jobs
from batchgen.app.service import transport_to
from batchgen.app.settings import Options, rate_of, speed_of
from batchgen.app.steering import Steering, steered
from batchgen.app.uploads import Uploads, uploading
from batchgen.engine.ceiling import Ceiling
from batchgen.engine.ending import Ending, LeftOut, Verdict
from batchgen.engine.flow import Flow
from batchgen.engine.gate import RateGate
from batchgen.engine.policy import Policy, World
from batchgen.engine.pools import Pools
from batchgen.engine.purse import Purse
from batchgen.engine.runner import Runner
from batchgen.errors import JournalError, OutputError, ServiceError
from batchgen.journal.lock import hold_batch
from batchgen.journal.quotes import QuoteRecords
from batchgen.journal.store import JournalFile
from batchgen.lifecycle import TERMINAL
from batchgen.manifest.reading import read_manifest
from batchgen.model import Json, Model, Rate
from batchgen.output.downloads import Downloader
from batchgen.output.names import check_template
from batchgen.output.progress import Mode, Progress
from batchgen.output.report import write_report
from batchgen.output.results import results_document, write_results
from batchgen.output.urls import spacing_at
from batchgen.output.wording import Gauges
from batchgen.plan.budget import committed
from batchgen.plan.slots import began_at
from batchgen.ports import CeilingMemory, Collector
from batchgen.reconcile.absence import DoubtPolicy, OnAbsent
from batchgen.reconcile.orphans import orphans_of_run
from batchgen.scenario.client import ScenarioClient


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOutcome:
    """What a run came to, on disk when this is made.

    Attributes:
        verdict: the exit status and its reasons.
        left_out: the jobs that it was not asked to buy; None where it was asked for all.
        folder: the batch's.
        document: the results manifest.
        report: the page of pictures.
        asked: whether there was anything to ask the service for.
    """

    verdict: Verdict
    folder: Path
    document: Mapping[str, Json]
    report: Path
    asked: bool
    left_out: LeftOut | None = None


async def run_batch(options: Options, interrupts: Interrupts, stream: TextIO, mode: Mode) -> RunOutcome:
    """Carry a manifest to its results, as far as this run may go.

    Args:
        options: what to run, and where.
        interrupts: what Ctrl-C and SIGTERM do meanwhile.
        stream: where progress is shown.
        mode: how much of it.

    Raises:
        InputError: the manifest or a model's name is wrong, or a guard stopped it; nothing was sent.
        BatchHeldError: another run holds the batch.
        JournalError, OutputError: the disk is at fault.
        ServiceError: the service could not be asked about the models; nothing was sent.
    """
    manifest = read_manifest(options.manifest, environ=options.environ, max_jobs=options.max_jobs)
    check_template(manifest.output.files)
    clock = SystemClock()
    now = clock.now()
    lock = options.lock_of(manifest.batch)
    with (
        interrupts.caught(),
        hold_batch(lock, stamp=now),
        JournalFile.open(options.journal) as file,
    ):
        scope = scope_of(options, manifest, file, now=now)
        batch = Batch.of(options, manifest, scope, file)
        refuse_a_lost_journal(options, file, batch)
        named = await unless_interrupted(
            go_on_under_one_name(options, file, batch, now=now, say=_noting(stream, mode)), interrupts
        )
        if named is None:
            return await _conclude(batch, Ending(drained=True), at=clock.now(), asked=True)
        batch = named
        if options.fresh:
            batch = _begin_afresh(options, file, batch, now=now)
            stream.write(f"{manifest.batch}: a fresh slot, {batch.scope.slot}\n")
        refuse_wrong_retries(options, batch)
        ending, asked = Ending(), batch.needs_the_service
        if asked:
            ceilings = file.ceilings(batch.scope)
            ending = await _with_the_service(batch, ceilings, options, interrupts, stream, mode)
        return await _conclude(batch, ending, at=clock.now(), asked=asked)


def _begin_afresh(options: Options, file: JournalFile, batch: Batch, *, now: float) -> Batch:
    """Begin a slot, kept before anything is bought in it: from then on the same command goes on with it.

    Raises:
        InputError: the last slot is not finished.
        JournalError: it cannot be kept.
    """
    refuse_to_leave_unfinished(options, batch)
    scope = fresh_scope_of(options, batch.manifest, batch.scope, now=now)
    file.begin(scope)
    return Batch.of(options, batch.manifest, scope, file)


async def _with_the_service(
    batch: Batch,
    memory: CeilingMemory,
    options: Options,
    interrupts: Interrupts,
    stream: TextIO,
    mode: Mode,
) -> Ending:
    rate = rate_of(options, batch.manifest.limits.rate)
    gate = RateGate(rate)
    async with (
        AsyncExitStack() as resources,
        transport_to(options) as transport,
        beside(gate.run(), name="gate"),
    ):
        steering = await resources.enter_async_context(steered(options, batch, interrupts, gate))
        client, uploads = await resources.enter_async_context(
            uploading(batch, options.journal, transport, gate)
        )
        looking_up = look_up_models(client, batch, _noting(stream, mode))
        models = await unless_interrupted(looking_up, interrupts)
        if models is None:
            return Ending(drained=True)
        flow = Flow(pools=await _pools(batch, options, client, memory), gate=gate)
        asking = _purse(batch, options, client, models, uploads)
        purse = await unless_interrupted(asking, interrupts)
        if purse is None:
            return Ending(drained=True)
        notes = partial(_notes, interrupts, steering)
        with _progress(batch, flow, purse, notes, stream, mode) as progress:
            async with _collector(batch, client, rate) as collector:
                runner = Runner(
                    plan=batch.plan,
                    scope=batch.scope,
                    models=models,
                    world=World(
                        generator=client,
                        journal=batch.journal,
                        collector=collector,
                        gate=gate,
                        clock=SystemClock(),
                        observer=progress,
                        uploader=uploads,
                        purse=purse,
                    ),
                    flow=flow,
                    policy=_policy(batch, options, speed=speed_of(options)),
                )
                steering.hand_over(runner.control, progress.troubled)
                began = SystemClock().now()
                ending = await _run_shown(runner, batch, options, interrupts, progress)
                with suppress(JournalError):  # what is lost costs a refusal, which is free
                    flow.pools.keep()
                ending = replace(ending, left_out=_left_out(batch, purse))
                if not ending.lost or ending.drained or ending.unreachable:
                    return ending
                orphans = await orphans_of_run(
                    client,
                    batch.journal,
                    SystemClock(),
                    since=began,
                    known=ending.turned_up,
                    trouble=progress.troubled,
                )
                return replace(ending, orphans=orphans)


async def _pools(batch: Batch, options: Options, client: ScenarioClient, memory: CeilingMemory) -> Pools:
    """Give what is known of the limits: what earlier runs have learned, else what the service says."""
    most = options.in_flight or batch.manifest.limits.in_flight
    pools = Pools(Ceiling(bound=most), memory=memory, clock=SystemClock())
    if pools.limit is None and len(batch.plan.to_submit) > 1:
        with suppress(ServiceError):  # a refusal teaches the same
            account = await client.account()
            if account is not None and account.ceiling is not None:
                pools.expect(account.ceiling)
    return pools


def _noting(stream: TextIO, mode: Mode) -> Callable[[str], object]:
    """Give what shows a sentence before there is any progress to show it."""
    return lambda text: None if mode is Mode.QUIET else stream.write(f"note: {text}\n")


def _policy(batch: Batch, options: Options, *, speed: float) -> Policy:
    """Give the manifest's patience; a rehearsal settles doubts in simulated time."""
    manifest = batch.manifest
    doubt = manifest.doubt
    return Policy(
        most_failures=most_failures_of(options, batch),
        slot_began=began_at(batch.scope.slot, zone_of(manifest)),
        timeout=manifest.timeout,
        attempts=manifest.attempts,
        doubt=DoubtPolicy(
            then=OnAbsent.RESUBMIT if doubt.resubmit else OnAbsent.HOLD,
            settle=doubt.settle / speed,
            settle_max=doubt.settle_max / speed,
        ),
    )


def most_failures_of(options: Options, batch: Batch) -> int | None:
    """Give how many jobs may fail before no more are bought; a share is of what would be bought."""
    most = options.most_failures
    if isinstance(most, float):
        return max(1, math.ceil(most * len(batch.plan.to_submit)))
    return most


async def _purse(
    batch: Batch,
    options: Options,
    client: ScenarioClient,
    models: Mapping[str, Model],
    uploads: Uploads | None,
) -> Purse:
    """Ask what the jobs cost that may be bought, and give what holds them under the caps.

    Raises:
        BoughtByQuoteError: a question was taken for an order.
        StoppedError: the credentials are not accepted.
    """
    quoted = await quote_jobs(
        client,
        [entry.job for entry in batch.plan.entries if entry.wanted and entry.record.state not in TERMINAL],
        models,
        store=QuoteRecords(options.journal, origin=batch.scope.origin, project=batch.project),
        clock=SystemClock(),
        uploads_known=lambda files: (uploads.known(files) if uploads else None) or {},
        purchases=Purchases(options, batch, writing=True),
    )
    # the command line's total is handed over with the orders, before anything is bought
    return Purse(budget=batch.manifest.budget, prices=quoted, zone=zone_of(batch.manifest))


def _left_out(batch: Batch, purse: Purse) -> LeftOut | None:
    """Say what is left for another time, at the prices that were asked for this run."""
    jobs = batch.left_out
    if not jobs:
        return None
    prices = [purse.price(job) for job in jobs]
    return LeftOut(
        jobs=len(jobs),
        of=len(batch.plan.entries),
        cost=sum((one for one in prices if one is not None), Decimal(0)),
        unpriced=prices.count(None),
    )


def _collector(
    batch: Batch, client: ScenarioClient, rate: Rate | None
) -> AbstractAsyncContextManager[Collector | None]:
    if not batch.manifest.output.download:
        return nullcontext()
    known = {file.asset_id: file for record in batch.journal.records().values() for file in record.files}
    template = batch.manifest.output.files
    return Downloader(client, batch.folder, template=template, known=known, spacing=spacing_at(rate))


def _reserved(batch: Batch, flow: Flow) -> Decimal:
    """Give what is held for jobs whose charge is not known."""
    records = batch.journal.records()
    held = (committed(records[key]).reserved for key in flow.in_flight if key in records)
    return sum(held, Decimal(0))


def _progress(
    batch: Batch, flow: Flow, purse: Purse, notes: Callable[[], str], stream: TextIO, mode: Mode
) -> Progress:
    entries = (*batch.plan.entries, *batch.plan.removed)
    return Progress(
        stream,
        mode=mode,
        total=len(entries),
        records={entry.key: entry.record for entry in entries},
        gauges=lambda: Gauges(
            in_flight=len(flow.in_flight),
            ceiling=flow.pools.limit,
            reserved=_reserved(batch, flow),
            cap=purse.cap,
            note=notes(),
        ),
    )


def _notes(interrupts: Interrupts, steering: Steering) -> str:
    stopping = "stopping: collecting what is paid for" if interrupts.draining else ""
    return "; ".join(part for part in (stopping, steering.note) if part)


async def _run_shown(
    runner: Runner, batch: Batch, options: Options, interrupts: Interrupts, progress: Progress
) -> Ending:
    loop = asyncio.get_running_loop()

    def on_signal(number: int) -> None:
        if number > 1:
            runner.leave()
            return
        runner.drain()
        # whoever sends a signal may kill next; whoever orders a drain wants to see its end
        limit = None if number == ORDERED else options.drain_timeout
        if limit is not None:
            loop.call_later(limit, runner.leave)
        progress.troubled(_draining(runner, limit=limit))

    interrupts.tell(on_signal)
    async with beside(_refresh(batch, progress), name="results"):
        return await runner.run()


def _draining(runner: Runner, *, limit: float | None) -> str:
    running = len(runner.flow.in_flight)
    jobs = "1 job runs" if running == 1 else f"{running} jobs run"
    about = runner.longest_left()
    told = "" if about is None else f", for about {about:.0f} s more"
    bound = "" if limit is None else f", at most {limit:.0f} s"
    return (
        f"stopping: no more is submitted; {jobs} at the service{told}; collecting{bound} "
        "(once more to leave at once)"
    )


async def _refresh(batch: Batch, progress: Progress) -> None:
    """Keep the results manifest fresh while the run goes on, at two per cent of the time at most."""
    loop, clock, pause = asyncio.get_running_loop(), SystemClock(), 5.0
    while True:
        await asyncio.sleep(pause)
        began = loop.time()
        results = batch.results(at=clock.now(), ending=Ending())
        writing = loop.run_in_executor(None, write_results, batch.folder, results)
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            with suppress(OutputError):  # the last write comes next, and tells if it fails too
                await writing  # it must not come after the last one
            raise
        except OutputError as error:
            progress.troubled(str(error))  # the journal has it all; the last write will tell again
        pause = max(5.0, 50 * (loop.time() - began))


async def _conclude(batch: Batch, ending: Ending, *, at: float, asked: bool) -> RunOutcome:
    """Judge the run and write what people and scripts read.

    Raises:
        OutputError: a file is as it was.
    """
    verdict = batch.judge(ending)
    results = batch.results(at=at, ending=ending, verdict=verdict)
    await asyncio.to_thread(write_results, batch.folder, results)
    document = results_document(results)
    report = await asyncio.to_thread(write_report, batch.folder, document)
    return RunOutcome(
        verdict=verdict,
        folder=batch.folder,
        document=document,
        report=report,
        asked=asked,
        left_out=ending.left_out,
    )
