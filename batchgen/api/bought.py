"""What was bought: its cost, its audit, its doubts, and what is kept of it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from batchgen.planning.costs import Cost
from batchgen.usecases.acceptance import Kept, accept_changes, forget_acceptances
from batchgen.usecases.audit import audit_batch
from batchgen.usecases.cost import CostComparison, Selection, costs_in, reckon_with_service
from batchgen.usecases.findings import Audit
from batchgen.usecases.guards import refuse_wrong_words, saved_results
from batchgen.usecases.marking import Marking, MarksMade, mark_assets
from batchgen.usecases.rebuild import Recovery, recover_batch
from batchgen.usecases.resolve import Desk
from batchgen.usecases.restore import GivenBack, Restoring, restore_jobs
from batchgen.wiring.opening import (
    hold_when_free,
    look_at,
    open_batch,
    open_held,
    open_when_free,
)
from batchgen.wiring.options import Options
from batchgen.wiring.places import refuse_another_folder
from batchgen.wiring.reading import manifest_of
from batchgen.wiring.service import open_service


def costs(options: Options, selection: Selection) -> Sequence[Cost]:
    """Return what was paid, submission by submission, in the order of batches and jobs.

    Raises:
        InputError: there is no batch of that name.
        JournalError: the journal cannot be read.
    """
    return costs_in(options, selection)


async def compare_costs(options: Options, selection: Selection, *, record: bool) -> CostComparison:
    """Ask the service what it charged and compare; see ``usecases.cost.reckon_with_service``."""
    return await reckon_with_service(options, selection, record=record)


async def audit(options: Options, *, fix: bool = False, offline: bool = False) -> Audit:
    """Check journal, service and disk against each other; a run beside it is not disturbed.

    Args:
        options: which batch, and where.
        fix: fetch again what is missing or damaged, and record assets that came later; refused while a
            run has the batch.
        offline: hold the journal against itself and the disk alone, and ask the service nothing.

    Raises:
        InputError: the manifest is wrong.
        BatchLockedError: a run holds the batch whose files are to be fixed.
        JournalError, OutputError: the disk is at fault.
        StoppedError: the service does not let us look.
    """
    journal = options.journal
    async with AsyncExitStack() as stack:
        if fix:
            manifest = (await stack.enter_async_context(hold_when_free(options))).manifest
        else:
            manifest = manifest_of(options)
            refuse_another_folder(options, manifest.batch)
        now = options.clock.now()
        file = stack.enter_context(journal.opened() if fix and journal.exists() else journal.read())
        return await audit_batch(options, manifest, file, now=now, fix=fix, offline=offline)


async def rebuild(options: Options) -> Recovery:
    """Rebuild a lost journal from the results and the service; buys nothing.

    Raises:
        InputError: the manifest is wrong, or the results are no results; nothing was changed.
        BatchLockedError: a run holds the batch.
        JournalError, OutputError: the disk is at fault.
        ServiceError: the service could not be asked; the same command goes on.
    """
    async with hold_when_free(options) as held:
        manifest = held.manifest
        saved = saved_results(options.output / manifest.batch, options.slot)
        slot = options.slot or (saved.slot if saved else None)
        with open_held(options, held, slot=slot) as opened:
            batch = opened.batch
            async with open_service(options, project=batch.project, rate=manifest.limits.rate) as service:
                return await recover_batch(opened, service.client, saved)


@asynccontextmanager
async def settling(options: Options) -> AsyncIterator[Desk]:
    """Open the doubts of a batch, as its only writer.

    Raises:
        InputError: the manifest is wrong.
        BatchLockedError: a run holds the batch.
        JournalError: the journal cannot be opened.
        StoppedError: there are no credentials.
    """
    async with open_when_free(options) as opened:
        batch = opened.batch
        refuse_wrong_words(batch)
        limit = batch.manifest.limits.rate
        async with open_service(options, project=batch.project, rate=limit) as service:
            yield Desk(batch, service.client, options.clock)


def accept(options: Options) -> Kept:
    """Let changed jobs keep what was bought before; see ``usecases.acceptance.accept_changes``."""
    with open_batch(options) as opened:
        return accept_changes(opened)


def forget(options: Options) -> Sequence[str]:
    """Let changed jobs be bought after all; see ``usecases.acceptance.forget_acceptances``."""
    with open_batch(options) as opened:
        return forget_acceptances(opened)


async def mark(options: Options, marking: Marking) -> MarksMade:
    """Say of what came out what is kept or rejected; see ``usecases.marking.mark_assets``."""
    return await mark_assets(options, marking)


async def restore(options: Options, restoring: Restoring) -> Sequence[GivenBack]:
    """Give jobs back what they had; see ``usecases.restore.restore_jobs``.

    Raises:
        BatchLockedError: a run holds the batch: it takes ``order_to_restore``.
    """
    async with open_when_free(options) as opened:
        return await restore_jobs(opened, restoring)


def jobs_meant(options: Options) -> tuple[str, Sequence[str]]:
    """Return the slot, and the ids of the jobs that the words of the options mean.

    Raises:
        InputError: the manifest is wrong, or a word means none.
        JournalError: the journal cannot be read.
    """
    with look_at(options) as opened:
        refuse_wrong_words(opened.batch)
        return opened.batch.scope.slot, [one.job.id for one in opened.batch.plan.shown.entries]
