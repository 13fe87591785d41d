"""The page of what came out, made from the journal and the files alone: no lock, no service, no key."""

from dataclasses import dataclass
from pathlib import Path

from batchgen.engine.outcome import EngineOutcome
from batchgen.engine.verdict import Verdict
from batchgen.errors import InputError
from batchgen.exits import Exit
from batchgen.formats import clean, counted
from batchgen.model import Scope
from batchgen.output.report import NAME, NAME_OF_SOME, write_report
from batchgen.output.results import results_document
from batchgen.output.sending import SentPage, write_alone, write_zip
from batchgen.output.summary import Results
from batchgen.usecases.guards import refuse_wrong_words
from batchgen.wiring.batch import Batch, is_of_the_past
from batchgen.wiring.job_facts import is_out_of_sight
from batchgen.wiring.opening import OpenBatch
from batchgen.wiring.options import SIMULATOR
from batchgen.wiring.slots import slots_of

_LONGEST = 200  # characters of the words that selected jobs


def records_elsewhere(opened: OpenBatch) -> Scope | None:
    """Return whose records of the batch there are where nothing is on record of the account that is meant.

    So the page of a rehearsal is written as that of a run is, whatever address is set: no service is asked.
    """
    scope = opened.batch.scope
    if opened.options.simulate or slots_of(opened.file, scope):
        return None
    others = [one for one in opened.file.scopes() if one.batch == scope.batch]
    return others[-1] if others else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sending:
    """How a page is sent.

    Attributes:
        alone: as one file with its pictures inside, beside the page.
        zip: where a zip of the page and its files is to lie; None for none.
    """

    alone: bool = False
    zip: Path | None = None


def write_page(opened: OpenBatch, sending: Sending = Sending()) -> SentPage:
    """Write the page of all jobs, or beside it one of those that are selected; a run goes on undisturbed.

    Args:
        opened: the batch.
        sending: what is made of it to be sent.

    Returns:
        The page, or what is to be sent with what is in it.

    Raises:
        InputError: nothing is on record, the words that select jobs mean none, or it is too much to be sent.
        JournalError, OutputError: the disk is at fault.
    """
    options, batch = opened.options, opened.batch
    refuse_wrong_words(batch)
    if not batch.journal.records():
        raise InputError(nothing_on_record(opened, "show"))
    if not batch.home and is_of_the_past(options, batch.manifest, batch.scope, opened.file, now=opened.now):
        raise InputError(f"slot {batch.scope.slot!r} has no folder of its own: its page cannot be written")
    document, folder = results_document(results_as_of_now(opened)), batch.folder / batch.home
    name, stem = NAME, "-".join(part for part in (batch.folder.name, Path(batch.home).name) if part)
    if options.selection:
        name, stem = NAME_OF_SOME, f"{stem}-selection"
        document["selection"] = _selected(opened)
    if sending.alone:
        return write_alone(folder, document, name=f"{stem}.html", within=batch.folder)
    page = write_report(folder, document, within=batch.folder, name=name)
    if sending.zip is None:
        return SentPage(path=page, told="")
    return write_zip(sending.zip, page, document, name=stem, within=batch.folder)


def _selected(opened: OpenBatch) -> str:
    """Return which jobs a page is of."""
    plan, selection = opened.batch.plan, opened.options.selection
    return (
        f"{len(plan.shown.entries)} of {counted(len(plan.entries), 'job')}: {clean(str(selection), _LONGEST)}"
    )


def results_as_of_now(opened: OpenBatch) -> Results:
    """Return what a run that ended now would write without asking, with how the last one ended."""
    return opened.batch.results(
        at=opened.now,
        ending=_as_of_now(opened.batch, opened.now),
        verdict=_last_verdict(opened),
        some=bool(opened.options.selection),
    )


def nothing_on_record(opened: OpenBatch, do: str) -> str:
    """Return that there is nothing on record that something could be done with, and what there is."""
    options, scope = opened.options, opened.batch.scope
    slots = [repr(one) for one in slots_of(opened.file, scope) if one != scope.slot]
    what = f"slot {scope.slot!r} of batch" if scope.slot else "batch"
    there = f"; there are the slots {', '.join(slots)}: --slot" if slots else ""
    others = [one.origin for one in opened.file.scopes() if one.batch == scope.batch]
    if SIMULATOR in others and not options.simulate:
        there += "; what there is was rehearsed: add --simulate"
    elif others and not slots:
        there += f"; what there is was bought at {', '.join(dict.fromkeys(others))}"
    return (
        f"nothing of {what} {scope.batch!r} is in {options.journal}: there is nothing to {do} yet{there}. "
        f"`{options.command_line('run')}` begins it"
    )


def _as_of_now(batch: Batch, now: float) -> EngineOutcome:
    """Return what a run that ended now would know of its jobs without asking."""
    entries, timeout = batch.plan.carried, batch.manifest.timeout
    return EngineOutcome(
        vanished=frozenset(one.key for one in entries if one.vanished),
        out_of_sight=frozenset(one.key for one in entries if is_out_of_sight(one.record, timeout, now=now)),
    )


def _last_verdict(opened: OpenBatch) -> Verdict | None:
    """Return how the last run ended, None while one goes on; its reasons are those of all jobs."""
    records, scope = opened.file.last_runs, opened.batch.scope
    last = records.read().get(scope)
    if last is None or last.exit is None or scope in records.alive(at=opened.now):
        return None
    status = Exit(last.exit) if last.exit in {*Exit} else Exit.INTERRUPTED
    return Verdict(exit=status, reasons=() if opened.options.selection else last.reasons)
