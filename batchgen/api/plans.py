"""Looking ahead at what a run would do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from batchgen.errors import InputError, Problem
from batchgen.planning.arrangement import Arrangement
from batchgen.planning.marks import Mark, mark_of
from batchgen.planning.pricing import NOTHING, Price
from batchgen.planning.selection import JobSelection
from batchgen.usecases.arranging import look
from batchgen.usecases.guards import (
    refuse_a_lost_journal,
    refuse_an_older_journal,
    refuse_wrong_words,
)
from batchgen.usecases.names import look_at_names
from batchgen.usecases.naming import NamesFound
from batchgen.usecases.other_slots import OtherSlots, notice_slots, told_begun
from batchgen.usecases.page import nothing_on_record
from batchgen.usecases.plan import Outlook, look_ahead, summed
from batchgen.usecases.quotes import NOT_ESTIMATED, Estimated, Quoted
from batchgen.wiring.batch import Batch
from batchgen.wiring.file_names import check_file_names
from batchgen.wiring.missed_slots import may_begin
from batchgen.wiring.opening import OpenBatch, look_at
from batchgen.wiring.options import Options


@dataclass(frozen=True, kw_only=True, slots=True)
class Rest:
    """The jobs that would be bought if nobody had asked for a part of them.

    Attributes:
        jobs: how many.
        cost: of those whose price is known, estimates included.
        unpriced: how many have none that is known.
        estimated: the part of the cost that is an estimate.
    """

    jobs: int
    cost: Price
    unpriced: int
    estimated: Estimated = NOT_ESTIMATED


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a run would do.

    Attributes:
        batch: the manifest in the light of the journal.
        outlook: prices, time, and what may surprise.
        found: what other names of the batch mean for it.
        slots: what it would carry of other slots.
        whole: how many jobs would be bought without a limit or a sample, and for what; None where
            nothing is left out of what is selected.
        rest: the jobs that are left out as asked, in whatever way; None where none is.
        has_work: whether a run would find anything to do.
        warnings: what is probably a mistake in the manifest.
        files: which files the run would rename, or move to ``earlier/``.
    """

    batch: Batch
    outlook: Outlook
    found: NamesFound
    slots: OtherSlots
    whole: tuple[int, Quoted] | None = None
    rest: Rest | None = None
    has_work: bool
    warnings: tuple[Problem, ...]
    files: Arrangement

    @property
    def kept_again(self) -> int:
        """How many of the jobs that are made again a person keeps."""
        names, marks = {one.job for one in self.batch.redone}, self.batch.marks
        entries = (one for one in self.batch.plan.entries if one.job.id in names)
        return sum(mark_of(one.current.record.asset_ids, marks) is Mark.KEPT for one in entries)


async def plan(
    options: Options, *, offline: bool = False, requote: bool = False, exact: bool = False
) -> Preview:
    """Return what a run would do, at what price and for how long; nothing is bought, made or changed.

    Args:
        options: what would be run, and where.
        offline: ask nothing; models and prices that were looked at lately still count.
        requote: ask again for prices that were asked within the day.
        exact: send blank pictures, which is free, to ask prices with in place of those that do not exist yet.

    Raises:
        InputError: the manifest is wrong, or names every model or input that cannot be used.
        JournalError: the journal cannot be read.
        ServiceError: the service did not answer, or does not accept the credentials.
        BoughtByQuoteError: a question after a price was taken for an order.
    """
    options = may_begin(options)
    async with _as_a_run_would(options, offline=offline) as (opened, found):
        if options.redo:
            refuse_a_lost_journal(options, opened.file, opened.batch)
            refuse_an_older_journal(options, opened.file, opened.batch)
            if not opened.batch.journal.records():
                raise InputError(nothing_on_record(opened, "make again"))
        refuse_wrong_words(opened.batch)
        outlook = await look_ahead(opened, offline=offline, requote=requote, exact=exact)
        if told := told_begun(opened):
            outlook = replace(outlook, notes=(told, *outlook.notes))
        slots = notice_slots(opened)
        files = await asyncio.to_thread(look, opened.batch)
        has_work = opened.batch.needs_the_service or slots.to_carry or not files.is_nothing
    is_few = options.limit is not None or options.sample is not None
    whole = rest = None
    if is_few or options.selection:
        whole, rest = await _left_out(options, opened.batch, offline=offline)
    return Preview(
        batch=opened.batch,
        outlook=outlook,
        found=found,
        slots=slots,
        whole=whole if is_few and not options.selection else None,
        rest=rest,
        has_work=has_work,
        warnings=(*opened.batch.manifest.warnings, *outlook.warnings),
        files=files,
    )


@asynccontextmanager
async def _as_a_run_would(options: Options, *, offline: bool) -> AsyncIterator[tuple[OpenBatch, NamesFound]]:
    """Look at a batch with the records that a run would go on with, and at what other names mean for it."""
    with look_at(options) as looked:
        opened = _checked(options, looked)
        found = await look_at_names(opened, offline=offline)
        if not found.joined:
            yield opened, found
            return
    with look_at(options, kept=found.joined[0]) as looked:
        opened = _checked(options, looked)
        beside = await look_at_names(opened, offline=offline, beside_alone=True)
        yield opened, replace(beside, joined=found.joined)


def _checked(options: Options, opened: OpenBatch) -> OpenBatch:
    """Return a batch with the warnings of the names of its files, or refuse it."""
    manifest = check_file_names(options, opened.batch.manifest)
    return replace(opened, batch=replace(opened.batch, manifest=manifest))


async def _left_out(
    options: Options, part: Batch, *, offline: bool
) -> tuple[tuple[int, Quoted] | None, Rest | None]:
    """Return what all jobs would cost, and those that are left out, where somebody asked for a part."""
    everything = replace(options, limit=None, sample=None, selection=JobSelection(), redo=False)
    with look_at(everything) as opened:
        chosen = {one.key for one in part.plan.to_submit}
        jobs = [one.job for one in opened.batch.plan.to_submit if one.key not in chosen]
        if not jobs:
            return None, None
        try:
            quoted = (await look_ahead(opened, offline=offline)).quoted
        except InputError:
            if not options.selection:
                raise
            # what is wrong with jobs that nobody asked for is no matter of this plan
            return None, Rest(jobs=len(jobs), cost=NOTHING, unpriced=len(jobs))
        sums = summed(jobs, quoted)
        whole = len(opened.batch.plan.to_submit), quoted
        rest = Rest(jobs=len(jobs), cost=sums.cost, unpriced=sums.unpriced, estimated=sums.estimated)
        return whole, rest
