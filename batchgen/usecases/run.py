"""One run of one manifest, from the file to the results: builds the parts and puts them together."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, nullcontext, suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import TextIO

from batchgen.control.server import Steering, steered
from batchgen.engine.ending import Ending
from batchgen.engine.limits.budget import Purse
from batchgen.engine.limits.flow import Flow
from batchgen.engine.limits.gate import RateGate
from batchgen.engine.policy import World
from batchgen.engine.runner import Runner
from batchgen.engine.together import carry_together
from batchgen.errors import JournalError, OutputError
from batchgen.journal.lock import hold_batch
from batchgen.journal.store import JournalFile
from batchgen.manifest.reading import read_manifest
from batchgen.model import Model, Rate
from batchgen.output.downloads import Downloader
from batchgen.output.names import check_template
from batchgen.output.progress import Mode, Progress
from batchgen.output.results import write_results, write_slot
from batchgen.output.urls import spacing_at
from batchgen.output.wording import Gauges
from batchgen.plan.budget import committed
from batchgen.ports import CeilingMemory, Clock, Collector
from batchgen.reconcile.orphans import orphans_of_run
from batchgen.scenario.client import ScenarioClient
from batchgen.service_clock import ServiceClock
from batchgen.usecases.conclusion import CameTo, RunOutcome, conclude
from batchgen.usecases.guards import (
    refuse_a_lost_journal,
    refuse_to_leave_unfinished,
    refuse_wrong_retries,
)
from batchgen.usecases.models import look_up_models
from batchgen.usecases.names import go_on_under_one_name
from batchgen.usecases.other_slots import Beside, OtherSlot, others_of
from batchgen.usecases.prices import purse_of
from batchgen.usecases.terms import left_out_of, policy_of, pools_of
from batchgen.wiring.background import beside, unless_interrupted
from batchgen.wiring.batch import Batch, fresh_scope_of, is_of_the_past, scope_of
from batchgen.wiring.interrupts import ORDERED, Interrupts
from batchgen.wiring.neighbours import neighbours_of
from batchgen.wiring.options import Allow, Options, rate_of, speed_of
from batchgen.wiring.service import open_service, sender_of
from batchgen.wiring.uploads import uploading


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
    clock = options.clock
    now = clock.now()
    lock = options.lock_of(manifest.batch)
    with (
        interrupts.caught(),
        hold_batch(lock, stamp=now),
        JournalFile.open(options.journal) as file,
        ExitStack() as stack,
    ):
        scope = scope_of(options, manifest, file, now=now)
        batch = Batch.of(options, manifest, scope, file)
        refuse_a_lost_journal(options, file, batch)
        named = await unless_interrupted(
            go_on_under_one_name(options, file, batch, now=now, say=_noting(stream, mode)), interrupts
        )
        if named is None:
            stopped, past = (
                CameTo(Ending(drained=True), []),
                is_of_the_past(options, manifest, scope, file, now=now),
            )
            return await conclude(options, file, batch, [], stopped, at=now, asked=True, past=past)
        batch = named
        if options.fresh:
            batch = _begin_afresh(options, file, batch, now=now)
            stream.write(f"{manifest.batch}: a fresh slot, {batch.scope.slot}\n")
        refuse_wrong_retries(options, batch)
        past = is_of_the_past(options, manifest, batch.scope, file, now=now)
        others = others_of(options, manifest, batch.scope, file, stack, now=now)
        for one in others:
            if one.to_carry:
                stream.write(f"{manifest.batch}: also carries {one.what}\n")
        came_to = CameTo(Ending(), [Ending() for _ in others])
        asked = batch.needs_the_service or any(one.to_carry for one in others)
        if asked:
            came_to = await _with_the_service(
                batch, others, file.ceilings(batch.scope), options, interrupts, stream, mode, past=past
            )
        return await conclude(options, file, batch, others, came_to, at=clock.now(), asked=asked, past=past)


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
    others: Sequence[OtherSlot],
    memory: CeilingMemory,
    options: Options,
    interrupts: Interrupts,
    stream: TextIO,
    mode: Mode,
    *,
    past: bool,
) -> CameTo:
    limit = batch.manifest.limits.rate
    opened = open_service(options, project=batch.project, rate=limit)
    async with AsyncExitStack() as resources, opened as service:
        gate = service.gate
        steering = await resources.enter_async_context(steered(options, batch, interrupts, gate))
        service_clock = ServiceClock(options.clock)
        client, uploads = await resources.enter_async_context(
            uploading(batch, options.journal, service.transport, gate, service_clock)
        )
        looking_up = look_up_models(client, batch, options.clock, _noting(stream, mode))
        found = await unless_interrupted(looking_up, interrupts)
        if found is None:
            return CameTo.drained(others)
        models = found.models
        flow = Flow(pools=await pools_of(batch, options, client, memory), gate=gate)
        asking = purse_of(batch, options, client, models, uploads)
        priced = await unless_interrupted(asking, interrupts)
        if priced is None:
            return CameTo.drained(others)
        purse, refused = priced
        notes = partial(_notes, interrupts, steering)
        policy, sender = policy_of(batch, options, speed=speed_of(options)), sender_of(options)
        with _progress(batch, flow, purse, notes, stream, mode) as progress:
            async with _collector(
                [batch, *(one.batch for one in others)], client, rate_of(options, limit)
            ) as collector:
                runner = Runner(
                    plan=batch.plan,
                    scope=batch.scope,
                    models=models,
                    world=World(
                        generator=client,
                        journal=batch.journal,
                        collector=collector,
                        gate=gate,
                        clock=options.clock,
                        observer=progress,
                        uploader=uploads,
                        purse=purse,
                        sender=sender,
                        service_clock=service_clock,
                        neighbours=neighbours_of(
                            batch, options, generator=client, observer=progress, policy=policy.doubt
                        ),
                    ),
                    flow=flow,
                    policy=policy,
                    closed={**refused, **found.closed},
                )
                steering.hand_over(runner.control, progress.troubled)
                carried = [
                    _of_other(
                        one,
                        runner.flow,
                        models,
                        options,
                        client,
                        gate,
                        collector,
                        progress,
                        service_clock=service_clock,
                    )
                    for one in others
                ]
                began = options.clock.now()
                came_to = await _run_shown(runner, carried, batch, options, interrupts, progress, past=past)
                with suppress(JournalError):  # what is lost costs a refusal, which is free
                    flow.pools.keep()
                ending = replace(came_to.own, left_out=left_out_of(batch, purse))
                trouble = progress.troubled
                own = await _with_orphans(ending, client, batch, options, since=began, trouble=trouble)
                return replace(came_to, own=own)


async def _with_orphans(
    ending: Ending,
    client: ScenarioClient,
    batch: Batch,
    options: Options,
    *,
    since: float,
    trouble: Callable[[str], None],
) -> Ending:
    """Look once more for what arrived after its answer was lost, where anything was lost."""
    # without a listing there is nothing to look at
    listed = Allow.NO_LISTING not in options.allow and ending.stopped is None
    if not (ending.lost and listed) or ending.drained or ending.unreachable:
        return ending
    orphans = await orphans_of_run(
        client, batch.journal, options.clock, since=since, known=ending.turned_up, trouble=trouble
    )
    return replace(ending, orphans=orphans)


def _of_other(
    one: OtherSlot,
    flow: Flow,
    models: Mapping[str, Model],
    options: Options,
    client: ScenarioClient,
    gate: RateGate,
    collector: Collector | None,
    progress: Progress,
    *,
    service_clock: ServiceClock,
) -> Runner:
    """Carry another slot: it shares what this run shares with the service, and buys nothing."""
    return Runner(
        plan=one.batch.plan,
        scope=one.batch.scope,
        models=models,
        world=World(
            generator=client,
            journal=one.batch.journal,
            collector=collector,
            gate=gate,
            clock=options.clock,
            observer=Beside(one.name, progress),
            sender=sender_of(options),
            service_clock=service_clock,
        ),
        flow=flow.beside(one.batch.scope.slot),
        policy=policy_of(one.batch, options, speed=speed_of(options)),
    )


def _noting(stream: TextIO, mode: Mode) -> Callable[[str], object]:
    """Give what shows a sentence before there is any progress to show it."""
    return lambda text: None if mode is Mode.QUIET else stream.write(f"note: {text}\n")


def _collector(
    batches: Sequence[Batch], client: ScenarioClient, rate: Rate | None
) -> AbstractAsyncContextManager[Collector | None]:
    output, folder = batches[0].manifest.output, batches[0].folder
    if not output.download:
        return nullcontext()
    records = (record for one in batches for record in one.journal.records().values())
    known = {file.asset_id: file for record in records for file in record.files}
    template = output.files
    return Downloader(client, folder, template=template, known=known, spacing=spacing_at(rate))


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
    runner: Runner,
    carried: Sequence[Runner],
    batch: Batch,
    options: Options,
    interrupts: Interrupts,
    progress: Progress,
    *,
    past: bool,
) -> CameTo:
    loop = asyncio.get_running_loop()

    def on_signal(number: int) -> None:
        every = (runner, *carried)
        if number > 1:
            for one in every:
                one.leave()
            return
        for one in every:
            one.drain()
        # whoever sends a signal may kill next; whoever orders a drain wants to see its end
        limit = None if number == ORDERED else options.drain_timeout
        if limit is not None:
            for one in every:
                loop.call_later(limit, one.leave)
        progress.troubled(_draining(runner, limit=limit))

    interrupts.tell(on_signal)
    async with beside(_refresh(batch, progress, options.clock, past=past), name="results"):
        settle = policy_of(batch, options, speed=speed_of(options)).doubt.settle
        return CameTo(*await carry_together(runner, carried, settle=settle))


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


async def _refresh(batch: Batch, progress: Progress, clock: Clock, *, past: bool) -> None:
    """Keep the results manifest fresh while the run goes on, at two per cent of the time at most."""
    loop, pause = asyncio.get_running_loop(), 5.0
    while True:
        await asyncio.sleep(pause)
        began = loop.time()
        results = batch.results(at=clock.now(), ending=Ending())
        writing = loop.run_in_executor(None, write_slot if past else write_results, batch.folder, results)
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            with suppress(OutputError):  # the last write comes next, and tells if it fails too
                await writing  # it must not come after the last one
            raise
        except OutputError as error:
            progress.troubled(str(error))  # the journal has it all; the last write will tell again
        pause = max(5.0, 50 * (loop.time() - began))
