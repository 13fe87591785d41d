"""Running a batch, looking ahead at what a run would do, and ordering a run about that goes on."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from batchgen.control import client
from batchgen.control.client import Reply
from batchgen.control.commands import Order
from batchgen.engine.interrupts import Interrupts
from batchgen.errors import InputError, Problem
from batchgen.manifest.values import Manifest
from batchgen.model import Scope
from batchgen.output.sending import SentPage
from batchgen.planning.arrangement import Arrangement
from batchgen.planning.chains import ChainCount
from batchgen.planning.marks import Mark, mark_of
from batchgen.planning.pricing import NOTHING, Price
from batchgen.planning.selection import JobSelection
from batchgen.usecases.arranging import look
from batchgen.usecases.audience import Audience
from batchgen.usecases.guards import (
    refuse_a_lost_journal,
    refuse_an_older_journal,
    refuse_wrong_words,
)
from batchgen.usecases.names import look_at_names
from batchgen.usecases.naming import NamesFound
from batchgen.usecases.other_slots import told_begun
from batchgen.usecases.page import Sending, nothing_on_record, records_elsewhere, write_page
from batchgen.usecases.plan import Outlook, look_ahead, summed
from batchgen.usecases.quotes import NOT_ESTIMATED, Estimated, Quoted
from batchgen.usecases.run import run_batch
from batchgen.usecases.run_end import RunOutcome
from batchgen.usecases.status import (
    BatchStatus,
    OtherSlots,
    chains_in,
    notice_slots,
    status_of_all,
    status_of_some,
)
from batchgen.wiring.batch import Batch, due_since
from batchgen.wiring.file_names import check_file_names
from batchgen.wiring.opening import OpenBatch, hold_when_free, look_at, manifest_of, open_held
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


async def run(options: Options, interrupts: Interrupts, audience: Audience) -> RunOutcome:
    """Carry every job of a manifest to its end, as far as this run may go, and write the results.

    Args:
        options: what to run, and where.
        interrupts: by which it is asked to drain or to leave.
        audience: whom it is shown to.

    Raises:
        InputError: the manifest or a model's name is wrong, or a guard stopped it; nothing was sent.
        BatchLockedError: another run holds the batch, and there was no time to wait for it, or too little.
        JournalError, OutputError: the disk is at fault.
        ServiceError: the service could not be asked about the models; nothing was sent.
    """
    options = _may_begin(options)

    def read() -> Manifest:
        manifest = check_file_names(options, manifest_of(options))
        audience.warn(manifest.warnings)
        return manifest

    began = options.clock.now()
    with _timed(options, interrupts):
        async with hold_when_free(options, read, interrupts=interrupts, note=audience.note) as manifest:
            with open_held(due_since(options, manifest, began), manifest) as opened:
                return await run_batch(opened, interrupts, audience)


@contextmanager
def _timed(options: Options, interrupts: Interrupts) -> Iterator[None]:
    """Drain the run when its time is over, which began before its manifest was read."""
    if options.max_duration is None:
        yield
        return
    timer = asyncio.get_running_loop().call_later(options.max_duration, interrupts.run_out)
    try:
        yield
    finally:
        timer.cancel()


def _may_begin(options: Options) -> Options:
    """Return the options of a run: it begins a slot that was missed if it may buy what was never bought."""
    buys = options.limit != 0
    return replace(options, begins_missed=buys and not (options.redo or options.retry))


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
    options = _may_begin(options)
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


def status(options: Options) -> Sequence[BatchStatus]:
    """Sum up every batch of an output folder, in the order of their first events.

    Where jobs are selected it is those of the batch that the options name, by its manifest or its name.

    Raises:
        InputError: words that select jobs mean none, or the manifest is wrong.
        JournalError: the journal cannot be read.
    """
    if options.selection:
        return status_of_some(options)
    return status_of_all(options.journal, options.output, now=options.clock.now())


def chains(options: Options, batch: str | None = None) -> Mapping[Scope, ChainCount]:
    """Return how far the chains of batches are, by their results; see ``usecases.status.chains_in``."""
    return chains_in(options, batch)


def report(options: Options, *, alone: bool = False, zip_to: Path | None = None) -> SentPage:
    """Write the page of what came out, of all jobs or of those that are selected, and return where it lies.

    Args:
        options: which batch, and which of its jobs.
        alone: as one file to be sent, with its pictures inside.
        zip_to: as a zip there, with its pictures and files.

    Raises:
        InputError: the manifest is wrong, nothing was run yet, words that select jobs mean none, or it is too
            much to be sent.
        JournalError, OutputError: the disk is at fault.
    """
    with look_at(replace(options, slot=None, selection=JobSelection())) as opened:
        kept = records_elsewhere(opened)
    with look_at(options, kept=kept) as opened:
        return write_page(opened, Sending(alone=alone, zip=zip_to))


async def order(options: Options, orders: Sequence[Order]) -> Reply:
    """Order the run of a batch about that goes on in another process, and wait a moment for its answer.

    Raises:
        InputError: no run of it is under way.
        JournalError: the journal cannot be written.
    """
    return await client.order(options, orders)
