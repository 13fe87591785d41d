"""One run of one manifest, from the file to the results: builds the parts and puts them together."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
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
from batchgen.planning.chains import told_along
from batchgen.reconcile.orphans import orphans_of_run
from batchgen.scenario.client import ScenarioClient
from batchgen.service_clock import ServiceClock
from batchgen.usecases.arranging import Arranged, InOrder, files_in_order
from batchgen.usecases.audience import Audience
from batchgen.usecases.guards import (
    refuse_a_lost_journal,
    refuse_an_older_journal,
    refuse_an_unattended_purchase,
    refuse_to_leave_unfinished,
    refuse_what_was_not_shown,
    refuse_wrong_words,
)
from batchgen.usecases.models import look_up_models
from batchgen.usecases.names import go_on_under_one_name
from batchgen.usecases.other_slots import Beside, OtherSlot, others_of, told_begun
from batchgen.usecases.prices import left_out_of, purse_of
from batchgen.usecases.redo import LiveEdits, ask_for_more, with_all_told
from batchgen.usecases.run_end import CameTo, Hurry, RunOutcome, conclude, remembered
from batchgen.usecases.run_policy import fit_of, policy_of, pools_of, settings_of
from batchgen.usecases.run_shown import run_shown
from batchgen.wiring.background import beside, unless_interrupted
from batchgen.wiring.batch import Batch, fresh_scope_of, is_of_the_past
from batchgen.wiring.neighbours import neighbours_of
from batchgen.wiring.opening import OpenBatch
from batchgen.wiring.options import Allow, Options, rate_of, speed_of
from batchgen.wiring.outputs import known_files, open_downloads, open_progress
from batchgen.wiring.service import open_service, sender_of
from batchgen.wiring.uploads import Uploads, uploading


async def run_batch(opened: OpenBatch, interrupts: Interrupts, audience: Audience) -> RunOutcome:
    """Carry a batch to its results, as far as this run may go.

    Args:
        opened: the batch, held.
        interrupts: by which it is asked to drain or to leave.
        audience: whom it is shown to.

    Raises:
        InputError: a model's name is wrong, or a guard stopped it; nothing was sent.
        JournalError, OutputError: the disk is at fault.
        ServiceError: the service could not be asked about the models; nothing was sent.
    """
    refuse_a_lost_journal(opened.options, opened.file, opened.batch)
    refuse_an_older_journal(opened.options, opened.file, opened.batch)
    named, done = await _named(opened, interrupts, audience), Arranged()
    opened = named or opened
    if named is not None:
        in_order = await unless_interrupted(files_in_order(opened), interrupts)
        opened, done = in_order or (opened, done)
        named = opened if in_order else None
    opened.file.drop_reservations(opened.batch.scope.batch)  # left by a run that was killed
    audience.begin(opened)
    if told := told_along(opened.batch.plan, retry=opened.options.retry):
        audience.note(told)
    audience.tell_of_files(opened.batch)
    with remembered(opened) as ended:
        if named is None:
            stopped = CameTo(_not_begun(opened.batch, interrupts), [])
            outcome = await conclude(
                opened,
                [],
                stopped,
                at=opened.now,
                asked=True,
                past=_is_past(opened),
                enough=Hurry(interrupts, bounded=opened.options.drain_timeout is not None),
            )
        else:
            outcome = await _in_rounds(opened, interrupts, audience, done)
        status = interrupts.exit or int(outcome.verdict.exit)
        ended(status, outcome.verdict.reasons)
    audience.end(
        opened,
        exit_status=status,
        reasons=outcome.verdict.reasons,
        summary=outcome.document["summary"],
    )
    return outcome


async def _named(opened: OpenBatch, interrupts: Interrupts, audience: Audience) -> OpenBatch | None:
    """Return the batch under the name that its records are kept by, with what is asked for on record.

    None where a signal came before that.
    """
    named = await unless_interrupted(go_on_under_one_name(opened, say=audience.note), interrupts)
    refuse_wrong_words((named or opened).batch)
    if named is None:
        return None
    refuse_an_unattended_purchase(named.options, named.batch)
    if told := told_begun(named):
        audience.note(told)
    if named.options.fresh:
        named = _begin_afresh(named)
        audience.say(f"{named.batch.scope.batch}: a fresh slot, {named.batch.scope.slot}")
    else:
        refuse_what_was_not_shown(named.options, named.batch)
    named = with_all_told(named)
    return ask_for_more(named) if named.options.redo else named


async def _in_rounds(
    opened: OpenBatch, interrupts: Interrupts, audience: Audience, done: Arranged
) -> RunOutcome:
    """Carry the slot, and once more as often as something was ordered or found that needs another plan.

    What was ordered of a run that was stopped is on record, and left to the next one.
    """
    edits = LiveEdits(opened)
    outcome = await _carried(opened, interrupts, audience, done, edits)
    while (edits.made or outcome.anew) and not outcome.is_stopped:
        opened, done = await files_in_order(edits.next_round())
        outcome = await _carried(opened, interrupts, audience, done, edits)
    return outcome


async def _carried(
    opened: OpenBatch, interrupts: Interrupts, audience: Audience, done: Arranged, edits: LiveEdits
) -> RunOutcome:
    """Carry the slot and what is open in others, and write what it came to."""
    batch = opened.batch
    with ExitStack() as stack:
        others = others_of(opened, stack)
        for one in others:
            if one.to_carry:
                audience.say(f"{batch.scope.batch}: also continues {one.what}")
        came_to = CameTo(EngineOutcome(), [EngineOutcome() for _ in others])
        asked = batch.needs_the_service or any(one.to_carry for one in others)
        past = _is_past(opened)
        known = known_files([batch, *(one.batch for one in others)])
        order = InOrder(opened, [one.batch for one in others], known, done)
        if not asked:
            audience.place(str(opened.options.journal))
        else:
            came_to = await _with_the_service(opened, others, interrupts, audience, order, edits, past=past)
            await order.end()
        at = opened.options.clock.now()
        hurry = Hurry(interrupts, bounded=opened.options.drain_timeout is not None)
        return await conclude(
            opened, others, came_to, at=at, asked=asked, past=past, order=order, enough=hurry
        )


def _is_past(opened: OpenBatch) -> bool:
    batch = opened.batch
    return is_of_the_past(opened.options, batch.manifest, batch.scope, opened.file, now=opened.now)


def _begin_afresh(opened: OpenBatch) -> OpenBatch:
    """Begin a slot, kept before anything is bought in it: from then on the same command goes on with it.

    Raises:
        InputError: the last slot is not finished, or more would be bought than was shown.
        JournalError: it cannot be kept.
    """
    options, batch = opened.options, opened.batch
    refuse_to_leave_unfinished(options, batch)
    scope = fresh_scope_of(options, batch.manifest, batch.scope, now=opened.now)
    if options.shown is not None:
        refuse_what_was_not_shown(options, opened.afresh(scope).batch)
    opened.file.begin(scope)
    return opened.afresh(scope)


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
    memory = opened.file.ceilings(batch.scope)
    pools = await unless_interrupted(pools_of(batch, options, client, memory), interrupts)
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


async def _with_the_service(
    opened: OpenBatch,
    others: Sequence[OtherSlot],
    interrupts: Interrupts,
    audience: Audience,
    order: InOrder,
    edits: LiveEdits,
    *,
    past: bool,
) -> CameTo:
    options, batch = opened.options, opened.batch
    limit = batch.manifest.limits.rate
    async with (
        open_service(options, project=batch.project, rate=limit) as service,
        AsyncExitStack() as resources,  # ends first: it asks the service
    ):
        gate = service.gate
        control = await resources.enter_async_context(
            controlled(options, batch, settings_of(batch, options), interrupts, gate, edits)
        )
        service_clock = ServiceClock(options.clock)
        client, uploads = await resources.enter_async_context(
            uploading(batch, options, service, service_clock)
        )
        ready = await _prepared(opened, gate, client, uploads, interrupts, audience)
        if ready is None:
            return replace(CameTo.drained(others), own=_not_begun(batch, interrupts))
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
            gate=gate,
            clock=options.clock,
            observer=watching,
            uploader=uploads,
            purse=ready.purse,
            sender=sender_of(options),
            service_clock=service_clock,
            only_last=batch.manifest.output.only_last,
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
            came_to = await run_shown(runner, carried, batch, options, interrupts, watching, past=past)
        with suppress(JournalError):  # what is lost costs a refusal, which is free
            ready.flow.pools.keep()
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


def _not_begun(batch: Batch, interrupts: Interrupts) -> EngineOutcome:
    """Return the end of a run that was stopped before it began."""
    vanished = frozenset(one.key for one in batch.plan.carried if one.vanished)
    return EngineOutcome(drained=True, out_of_time=interrupts.out_of_time, vanished=vanished)
