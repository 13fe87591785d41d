"""What stops a run before anything is sent: the signs that its jobs were bought already.

A guard reads and refuses; it changes nothing and asks no service. Every one of them ends in
an ``InputError`` that names the way on. What other names of a batch mean is :mod:`naming`'s.
"""

from pathlib import Path

from batchgen.errors import GuardError, InputError
from batchgen.formats import counted
from batchgen.journal.opened import OpenJournal
from batchgen.model import Scope
from batchgen.output.saved_files import saved_in, saved_of
from batchgen.output.saved_progress import written_at
from batchgen.plain_files import FileFaultError, read_text
from batchgen.reconcile.saved_results import SavedResults, read_results
from batchgen.wiring.batch import Batch
from batchgen.wiring.options import Allow, Options


def refuse_a_lost_journal(options: Options, file: OpenJournal, batch: Batch) -> None:
    """Stop a run whose jobs were likely bought under a lost journal.

    Raises:
        InputError: nothing was sent; it names what to do. The results of an earlier run that are there and
            cannot be read stop it too.
    """
    name = batch.manifest.batch
    way_on = options.command_line("journal rebuild")
    if options.journal.is_being_rebuilt(name):
        raise GuardError(
            f"a rebuild of the journal of batch {name!r} was interrupted; finish it first: {way_on}"
        )
    known = {scope.slot for scope in file.scopes() if scope.batch == name}
    slot = batch.scope.slot
    if slot in known:
        return
    what = f"slot {slot!r} of the batch" if known else "the batch"
    for path in saved_of(batch.folder, slot) if known else saved_in(batch.folder):
        told = read_saved(path)
        submitted = [one for one in told.jobs if one.was_submitted] if told else []
        if told is None or not submitted or (known and told.slot != slot):
            continue
        raise GuardError(
            f"{path} lists {counted(len(submitted), 'job')} as submitted, and {options.journal} has nothing "
            f"about {what}: the journal was lost or replaced, and a run would buy them again. Rebuild it "
            f"first: {options.command_line('journal rebuild', slot=slot or None) if known else way_on}"
        )


def refuse_an_older_journal(options: Options, file: OpenJournal, batch: Batch) -> None:
    """Stop where results tell of submissions that the journal does not have: it is an older copy.

    Whatever went on with it would write these submissions out of the results, and might buy them again. The
    results are read as a whole only where they are younger than the end of the last run on record.

    Raises:
        GuardError: nothing was sent or written; it names what to do.
        InputError: the results are there and cannot be read.
    """
    ended = file.last_runs.read().get(batch.scope)
    for path in saved_of(batch.folder, batch.scope.slot):
        written = written_at(path)
        if written is None or (ended is not None and (ended.ended_at or 0.0) >= written):
            continue
        told = read_saved(path)
        if told is None or told.slot != batch.scope.slot or are_taken_in(file, batch.scope, written):
            continue
        ids = {one.remote_id for job in told.jobs for one in (job, *job.others)} - {None}
        if not file.has_all({one for one in ids if one is not None}):
            raise GuardError(
                f"{path} tells of submissions that {options.journal} does not have: the journal is an older "
                f"copy. Bring it up to date first: {options.command_line('journal rebuild')}"
            )


def take_in(file: OpenJournal, scope: Scope, path: Path, *, at: float) -> None:
    """Remember that a rebuild has taken from results what it could: what it has left out stops nothing.

    Raises:
        JournalError: it could not be written.
    """
    written = written_at(path)
    if written is not None:
        file.names.choose(*_taken_in(scope, written), at=at)


def are_taken_in(file: OpenJournal, scope: Scope, written: float) -> bool:
    """Return whether a rebuild has taken in the results that were written at a time."""
    return file.names.is_chosen(*_taken_in(scope, written))


def _taken_in(scope: Scope, written: float) -> tuple[str, str, str]:
    return "results taken in", f"{scope.batch} {scope.slot}", f"{written:.3f}"


def refuse_to_leave_unfinished(options: Options, batch: Batch) -> None:
    """Stop before a fresh slot while the last one still has something to come.

    Raises:
        InputError: nothing was sent; it names both ways on.
    """
    if Allow.UNFINISHED_SLOT in options.allow or not batch.unfinished:
        return
    jobs = counted(batch.unfinished, "job")
    last = f"the last slot, {batch.scope.slot!r}," if batch.scope.slot else "the batch"
    raise GuardError(
        f"{last} is not finished: {jobs} to go. Run it without --fresh to finish it, "
        "or add --allow unfinished-slot to leave it"
    )


def refuse_an_unattended_purchase(options: Options, batch: Batch) -> None:
    """Stop a run that would buy where nobody can be asked, nobody has agreed, and no cap holds it.

    Raises:
        GuardError: nothing was bought; it names both ways on.
    """
    meant = sum(one.selected for one in batch.plan.entries)
    buys = meant if options.fresh else len(batch.plan.to_submit)
    caps = batch.manifest.budget
    capped = any(one is not None for one in (options.budget, caps.total, caps.per_day, caps.per_month))
    if not options.unattended or capped or not buys:
        return
    raise GuardError(
        f"{batch.manifest.batch}: {counted(buys, 'job')} to buy, and nobody at a terminal to ask. "
        "Add --yes to buy them at whatever they cost, or a cap: --budget N, or `budget:` in the manifest. "
        f"What they would cost: {options.command_line('plan')}"
    )


def refuse_what_was_not_shown(options: Options, batch: Batch) -> None:
    """Stop a run that would buy what nobody was shown: somebody agreed, and then it waited for another run.

    Raises:
        GuardError: nothing was bought.
    """
    if options.shown is None:
        return
    new = [one for one in batch.plan.to_submit if one.key not in options.shown]
    if new and not options.redo:  # what is made again is held against ``agreed``, edition by edition
        raise GuardError(
            f"{batch.manifest.batch}: the manifest, or what is on record of its jobs, has changed since the "
            f"price was shown: {counted(len(new), 'job')} to buy of which it said nothing. Nothing was "
            "bought; type the command once more to see the price"
        )


def refuse_wrong_words(batch: Batch) -> None:
    """Stop where words that select jobs mean none, or, for a retry, one that has not failed.

    Raises:
        InputError: nothing was sent; it says of each word what is wrong.
    """
    if batch.wrong_words:
        raise InputError("\n".join(batch.wrong_words))


def saved_results(folder: Path, slot: str | None = None) -> SavedResults | None:
    """Read what an earlier run wrote; None where it wrote nothing.

    Args:
        folder: the batch's.
        slot: which one's; None for the last that was run.

    Raises:
        InputError: the file is there and cannot be read, or is no results manifest.
    """
    if slot is None:
        return next(filter(None, map(read_saved, saved_in(folder))), None)
    found = filter(None, map(read_saved, saved_of(folder, slot)))
    return next((one for one in found if one.slot == slot), None)


def read_saved(path: Path) -> SavedResults | None:
    """Read one results manifest; None where there is none.

    Raises:
        InputError: it is there and cannot be read, or is none.
    """
    try:
        text = read_text(path, largest=None)
    except FileFaultError as fault:
        if fault.missing:
            return None
        raise InputError(f"{fault}; move it away if it is not needed") from fault
    try:
        return read_results(text)
    except (ValueError, RecursionError) as error:  # brackets without end
        why = "too deep" if isinstance(error, RecursionError) else error
        raise InputError(f"{path} is not a results file ({why}); move it away if it is not needed") from error
