"""Giving jobs back what they had: an earlier edition, or what was bought before they were changed.

Asks no service and buys nothing.
"""

import asyncio
from dataclasses import dataclass, replace

from batchgen.errors import InputError
from batchgen.lifecycle import Restored
from batchgen.planning.acceptance import Offer, offer, taken_back
from batchgen.planning.editions import Shelf
from batchgen.planning.plan import Standing
from batchgen.planning.redo import Choice, given_back
from batchgen.planning.selection import JobSelection, Unfit, selected
from batchgen.usecases.arranging import files_in_order
from batchgen.usecases.guards import refuse_a_lost_journal, refuse_an_older_journal
from batchgen.usecases.other_slots import write_all
from batchgen.usecases.page import nothing_on_record, results_as_of_now
from batchgen.usecases.redo import record_choices
from batchgen.wiring.batch import is_of_the_past
from batchgen.wiring.job_facts import known_jobs
from batchgen.wiring.opening import OpenBatch


@dataclass(frozen=True, kw_only=True, slots=True)
class Restoring:
    """What jobs are to get back.

    Attributes:
        asset_id: an asset of what is meant; empty for what came before what a job has now.
        undo: take back what was restored: the job gets the latest that was made.
    """

    asset_id: str = ""
    undo: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenBack:
    """What a job has from now on.

    Attributes:
        job: its id.
        asset_ids: what came out of it; none where it will be bought.
        before_change: whether that was bought before the job was changed.
    """

    job: str
    asset_ids: tuple[str, ...]
    before_change: bool = False


async def restore_jobs(opened: OpenBatch, restoring: Restoring) -> list[GivenBack]:
    """Give jobs back what they had, all that are meant or none, and bring files and results to it.

    Raises:
        InputError: one of those that are named has nothing to get back; nothing was changed.
        JournalError: the journal cannot be written.
        OutputError: it is on record, and the disk is at fault; the next run goes on.
    """
    refuse_a_lost_journal(opened.options, opened.file, opened.batch)
    refuse_an_older_journal(opened.options, opened.file, opened.batch)
    if not opened.batch.journal.records():
        raise InputError(nothing_on_record(opened, "restore"))
    plan, records = opened.batch.plan, opened.batch.journal.records()
    shelf, gone, typed = Shelf(records), opened.gone, opened.options.command_line

    def found(name: str) -> Choice | Offer | str | None:
        entry = plan.by_id[name]
        if entry.accepted or (entry.standing is Standing.CHANGED and not restoring.undo):
            return offer(plan, name, gone=gone)
        return given_back(entry, shelf, typed, asset_id=restoring.asset_id, undo=restoring.undo)

    def unfit(name: str) -> str | None:
        if plan.by_id[name].accepted:
            if restoring.undo:
                return None
            return f"{name!r} has what was bought before it was changed already"
        one = found(name)
        return one if isinstance(one, str) else None

    ids = _chosen(opened, unfit)
    undone = [name for name in ids if plan.by_id[name].accepted]
    choices = [one for name in ids if isinstance(one := found(name), Choice)]
    offers = [one for name in ids if isinstance(one := found(name), Offer)]
    record_choices(opened, choices, Restored)
    kept = opened.file.accepted(opened.batch.scope)
    kept.keep({one.acceptance: one.bought for one in offers}, at=opened.now)
    kept.forget(back for name in undone if not isinstance(back := taken_back(plan, name), str))
    now = await _brought_to_it(opened)
    before_change = {one.entry.job.id for one in offers}
    return [
        GivenBack(
            job=name,
            asset_ids=now.batch.plan.by_id[name].current.record.asset_ids,
            before_change=name in before_change,
        )
        for name in ids
    ]


async def _brought_to_it(opened: OpenBatch) -> OpenBatch:
    """Bring files and results to what is on record now."""
    options = replace(opened.options, selection=JobSelection())
    now, _ = await files_in_order(replace(opened, options=options).under(opened.batch.scope))
    batch = now.batch
    past = is_of_the_past(options, batch.manifest, batch.scope, now.file, now=now.now)
    if batch.home or not past:
        await asyncio.to_thread(write_all, batch.folder, results_as_of_now(now))
    return now


def _chosen(opened: OpenBatch, unfit: Unfit) -> tuple[str, ...]:
    batch, words = opened.batch, opened.options.selection
    known = known_jobs(batch.plan, batch.manifest, now=opened.now, removed=False, marks=batch.marks)
    found = selected(words, known, unfit=unfit)
    if found.wrong:
        raise InputError("\n".join(found.wrong))
    return found.ids
