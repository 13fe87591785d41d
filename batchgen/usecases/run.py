"""One run of one manifest, from the file to the results: builds the parts and puts them together."""

from contextlib import ExitStack

from batchgen.engine.interrupts import Interrupts
from batchgen.engine.outcome import EngineOutcome
from batchgen.planning.chains import told_along
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
from batchgen.usecases.names import go_on_under_one_name
from batchgen.usecases.other_slots import others_of, told_begun
from batchgen.usecases.redo import LiveEdits, ask_for_more, with_all_told
from batchgen.usecases.run_end import CameTo, Hurry, RunOutcome, conclude, not_begun, remembered
from batchgen.wiring.background import unless_interrupted
from batchgen.wiring.batch import fresh_scope_of, is_of_the_past
from batchgen.wiring.opening import OpenBatch
from batchgen.wiring.outputs import known_files


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
            stopped = CameTo(not_begun(opened.batch, interrupts), [])
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
            # what submits, watches and collects: a run with nothing to do pays for none of it
            from batchgen.usecases.run_with_service import carry_with_service  # noqa: PLC0415
            from batchgen.wiring.sync_thread import syncer_of  # noqa: PLC0415

            with syncer_of(opened.options) as syncer, opened.file.grouped(syncer):
                came_to = await carry_with_service(
                    opened, others, interrupts, audience, order, edits, past=past
                )
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
