"""The part of a run that needs the service: its parts are opened, put together and carried to the end.

What draws the page at the end is loaded here too: a run of hours must not meet another version of it then.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial

from batchgen.control.server import ControlServer, controlled
from batchgen.engine.interrupts import Interrupts
from batchgen.engine.limits.budget import BudgetGuard
from batchgen.engine.limits.flow import Flow
from batchgen.engine.limits.gate import RateGate
from batchgen.engine.outcome import EngineOutcome, LeftOut
from batchgen.engine.policy import World
from batchgen.engine.runner import Runner
from batchgen.engine.settings import RunSettings
from batchgen.errors import JournalError
from batchgen.model import Model
from batchgen.output import page_text, thumbnails  # noqa: F401 - see above
from batchgen.reconcile.orphans import orphans_of_run
from batchgen.scenario.client import ScenarioClient
from batchgen.service_clock import ServiceClock
from batchgen.usecases.arranging import InOrder
from batchgen.usecases.audience import Audience
from batchgen.usecases.models import look_up_models
from batchgen.usecases.other_slots import Beside, OtherSlot
from batchgen.usecases.prices import left_out_of, purse_of
from batchgen.usecases.redo import LiveEdits
from batchgen.usecases.run_end import CameTo, not_begun
from batchgen.usecases.run_policy import fit_of, policy_of, pools_of, settings_of
from batchgen.usecases.run_shown import run_shown
from batchgen.wiring.background import beside, unless_interrupted
from batchgen.wiring.batch import Batch
from batchgen.wiring.neighbours import neighbours_of
from batchgen.wiring.opening import OpenBatch
from batchgen.wiring.options import Allow, Options, rate_of, speed_of
from batchgen.wiring.outputs import open_downloads, open_progress
from batchgen.wiring.service import open_service, sender_of
from batchgen.wiring.uploads import Uploads, uploading


@dataclass(frozen=True, kw_only=True, slots=True)
class _Prepared:
    """What is asked before anything is bought.

    Attributes:
        models: of the jobs that may be submitted.
        closed: models whose jobs stay, and why.
        flow: with the service's limits as they are known.
        purse: with the prices of the jobs that may be bought.
    """

    models: Mapping[str, Model]
    closed: Mapping[str, str]
    flow: Flow
    purse: BudgetGuard


async def _prepared(
    opened: OpenBatch,
    gate: RateGate,
    client: ScenarioClient,
    uploads: Uploads | None,
    interrupts: Interrupts,
    audience: Audience,
) -> _Prepared | None:
    """Ask for models, limits and prices; None where a signal came before it was done."""
    options, batch = opened.options, opened.batch
    looking = look_up_models(client, batch, options.clock, audience.note)
    found = await unless_interrupted(looking, interrupts)
    if found is None:
        return None
    audience.warn(found.warnings)
    client.rights.listen(audience.note)  # not before: another model may show that the key may read models
    pools = await unless_interrupted(pools_of(batch, options, client, opened.file), interrupts)
    if pools is None:
        return None
    flow = Flow(pools=pools, gate=gate)
    asking = purse_of(batch, options, client, found.models, uploads)
    priced = await unless_interrupted(asking, interrupts)
    if priced is None:
        return None
    purse, refused = priced
    for text in fit_of(batch, purse).warnings():
        audience.note(text)
    return _Prepared(models=found.models, closed={**refused, **found.closed}, flow=flow, purse=purse)


async def carry_with_service(
    opened: OpenBatch,
    others: Sequence[OtherSlot],
    interrupts: Interrupts,
    audience: Audience,
    order: InOrder,
    edits: LiveEdits,
    *,
    past: bool,
) -> CameTo:
    """Carry the slot, and what is open in others, with the service.

    Args:
        opened: the slot that is worked on.
        others: the slots that have something open.
        interrupts: by which the run is asked to drain or to leave.
        audience: whom it is shown to.
        order: what brings files to their places.
        edits: takes what is ordered while it goes on.
        past: whether the batch's results are those of a later slot, and stay.

    Raises:
        InputError: a model or its inputs are wrong; nothing was sent.
        JournalError, OutputError: the disk is at fault.
        ServiceError: the service could not be asked about the models; nothing was sent.
    """
    options, batch = opened.options, opened.batch
    limit = batch.manifest.limits.rate
    async with (
        open_service(options, project=batch.project, rate=limit) as service,
        AsyncExitStack() as resources,  # ends first: it asks the service
    ):
        control = await resources.enter_async_context(
            controlled(options, batch, settings_of(batch, options), interrupts, service.gate, edits)
        )
        service_clock = ServiceClock(options.clock)
        client, uploads = await resources.enter_async_context(
            uploading(batch, options, service, service_clock)
        )
        ready = await _prepared(opened, service.gate, client, uploads, interrupts, audience)
        if ready is None:
            return replace(CameTo.drained(others), own=not_begun(batch, interrupts))
        audience.place(str(options.journal))  # the first line, unless something was wrong before
        runners: list[Runner] = []
        notes = partial(_notes, interrupts, control, runners)
        progress = resources.enter_context(
            open_progress(batch, ready.flow, ready.purse, notes, audience.stream, audience.mode)
        )
        watching = audience.watching(progress, batch.scope, options.clock)
        client.rights.listen(watching.warned)
        collector, *into = await resources.enter_async_context(
            open_downloads(
                [batch, *(one.batch for one in others)], client, rate_of(options, limit), order.known
            )
        )
        world = World(
            generator=client,
            journal=batch.journal,
            collector=collector,
            gate=service.gate,
            clock=options.clock,
            observer=watching,
            uploader=uploads,
            purse=ready.purse,
            sender=sender_of(options),
            service_clock=service_clock,
            only_last=batch.manifest.output.only_last,
            lease=opened.lease,
        )
        runner = _runner_of(options, batch, ready, world, control.settings)
        control.attach(runner.control, watching.warned)
        carried = [
            _of_other(
                one, runner.flow, ready.models, options, replace(world, observer=shown, collector=files)
            )
            for one, files in zip(others, into, strict=True)
            for shown in [audience.watching(Beside(one.name, progress), one.batch.scope, options.clock)]
        ]
        runners += [runner, *carried]
        began = options.clock.now()
        async with beside(order.keep(watching.warned), name="file names"):
            came_to = await run_shown(runner, carried, opened, interrupts, watching, past=past)
        with suppress(JournalError):  # what is lost costs a refusal, which is free
            ready.flow.pools.end()
        ask = partial(
            left_out_of, batch=batch, options=options, client=client, models=ready.models, uploads=uploads
        )
        ending = replace(came_to.own, left_out=await _left_out(came_to.own, ask, interrupts))
        looking = _with_orphans(ending, client, batch, options, since=began, trouble=watching.warned)
        own = await unless_interrupted(looking, interrupts)
        return replace(came_to, own=own or ending)


def _runner_of(
    options: Options, batch: Batch, ready: _Prepared, world: World, settings: RunSettings
) -> Runner:
    """Put the run of the slot together that is worked on."""
    policy = policy_of(batch, options, speed=speed_of(options))
    neighbours = neighbours_of(
        batch, options, generator=world.generator, observer=world.observer, policy=policy.doubt
    )
    return Runner(
        plan=batch.plan,
        scope=batch.scope,
        models=ready.models,
        world=replace(world, neighbours=neighbours),
        flow=ready.flow,
        policy=policy,
        closed=ready.closed,
        settings=settings,
    )


async def _left_out(
    ending: EngineOutcome,
    ask: Callable[[EngineOutcome], Coroutine[None, None, LeftOut | None]],
    interrupts: Interrupts,
) -> LeftOut | None:
    """Ask what the jobs would cost that were left out; nobody is asked where the run is to end."""
    left = await unless_interrupted(ask(ending), interrupts)
    return await ask(replace(ending, drained=True)) if interrupts.draining else left


async def _with_orphans(
    ending: EngineOutcome,
    client: ScenarioClient,
    batch: Batch,
    options: Options,
    *,
    since: float,
    trouble: Callable[[str], None],
) -> EngineOutcome:
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
    one: OtherSlot, flow: Flow, models: Mapping[str, Model], options: Options, world: World
) -> Runner:
    """Carry another slot: it shares what this run shares with the service, and buys nothing."""
    return Runner(
        plan=one.batch.plan,
        scope=one.batch.scope,
        models=models,
        world=replace(
            world,
            journal=one.batch.journal,
            uploader=None,
            purse=BudgetGuard(),
        ),
        flow=flow.beside(one.batch.scope.slot),
        policy=policy_of(one.batch, options, speed=speed_of(options)),
    )


def _notes(interrupts: Interrupts, control: ControlServer, runners: Sequence[Runner]) -> str:
    stopping = "stopping: collecting what is paid for" if interrupts.draining else ""
    late = [one.note for one in runners]
    return "; ".join(part for part in (stopping, control.note, *late) if part)
