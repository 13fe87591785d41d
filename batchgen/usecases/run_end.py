"""The end of a run: what it means, what is written of it, then and before, and what is said."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from batchgen.engine.interrupts import Interrupts
from batchgen.engine.outcome import EngineOutcome, LeftOut
from batchgen.engine.verdict import Verdict, verdict_of
from batchgen.errors import BatchgenError, FencedError, JournalAwayError, JournalError, OutputError
from batchgen.exits import Exit, status_of
from batchgen.journal.last_runs import LastRun
from batchgen.lifecycle import Record, State
from batchgen.model import JobKey, Json
from batchgen.output.latest import show_latest
from batchgen.output.results import JSON_NAME, results_document, write_results
from batchgen.planning.undecided import told_undecided
from batchgen.ports import Observer
from batchgen.usecases.arranging import InOrder
from batchgen.usecases.other_slots import OtherSlot, all_findings, not_bought, unbought_notes, write_all
from batchgen.wiring.batch import Batch
from batchgen.wiring.opening import OpenBatch

_DRAWS_FOR = 1.0  # seconds for pictures of the page, where whoever stopped the run may kill it soon


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOutcome:
    """What a run came to, on disk when this is made.

    Attributes:
        verdict: the exit status and its reasons.
        left_out: the jobs that it was not asked to buy; None where it was asked for all.
        folder: of the slot's results, or the batch's where it has no slots.
        document: the results manifest.
        results: the file that has it.
        report: the page of pictures; None for a slot without a name whose place another one has taken.
        asked: whether there was anything to ask the service for.
        notes: which files were renamed, what became of other slots, and what a person can do there, a
            sentence each.
        anew: whether editions of jobs were found that another plan goes on with, in a round of this run.
        is_stopped: whether too many failures, or a word of the service, kept it from buying.
    """

    verdict: Verdict
    folder: Path
    document: Mapping[str, Json]
    results: Path
    report: Path | None
    asked: bool
    left_out: LeftOut | None = None
    notes: tuple[str, ...] = ()
    anew: bool = False
    is_stopped: bool = False


@dataclass(frozen=True, slots=True)
class CameTo:
    """How the run of a slot ended, and of the others that it carried."""

    own: EngineOutcome
    others: Sequence[EngineOutcome]

    @classmethod
    def drained(cls, others: Sequence[OtherSlot]) -> "CameTo":
        """Return the end of a run that was stopped before it began."""
        return cls(EngineOutcome(drained=True), [EngineOutcome(drained=True) for _ in others])


def not_begun(batch: Batch, interrupts: Interrupts) -> EngineOutcome:
    """Return the end of a run that was stopped before it began."""
    vanished = frozenset(one.key for one in batch.plan.carried if one.vanished)
    return EngineOutcome(drained=True, out_of_time=interrupts.out_of_time, vanished=vanished)


@contextmanager
def remembered(opened: OpenBatch) -> Iterator[Callable[[int, Sequence[str]], None]]:
    """Put on record that a run begins, and how it ends; where that cannot be written it goes on without.

    Yields:
        What is to be called with the exit status and the reasons for it.
    """
    plan, scope = opened.batch.plan, opened.batch.scope
    run = LastRun(
        began_at=opened.now,
        jobs=len(plan.entries),
        removed=frozenset(one.key for one in plan.removed),
    )

    def keep(run: LastRun) -> None:
        with suppress(JournalError):
            opened.file.last_runs.keep(scope, run)

    def ended(status: int, reasons: Sequence[str]) -> None:
        at = opened.options.clock.now()
        keep(replace(run, ended_at=at, exit=status, reasons=tuple(reasons)))

    keep(run)
    try:
        yield ended
    except (FencedError, JournalAwayError):  # it is not ours to write any more, or not there
        raise
    except BatchgenError as error:
        ended(int(status_of(error)), [str(error)])
        raise


async def conclude(
    opened: OpenBatch,
    others: Sequence[OtherSlot],
    came_to: CameTo,
    *,
    at: float,
    asked: bool,
    past: bool,
    order: InOrder | None = None,
    enough: Callable[[], bool] | None = None,
) -> RunOutcome:
    """Judge the run and write what people and scripts read.

    Args:
        opened: the batch, with the slot that the run was of.
        others: the slots that it carried.
        came_to: how it ended for each.
        at: seconds since the epoch.
        asked: whether there was anything to ask the service for.
        past: whether the batch's results are those of a later slot, and stay.
        order: what brought files to their places; None where the run did not begin.
        enough: whether no more pictures are to be drawn for the page; None for all of them.

    Raises:
        OutputError: a file is as it was.
        JournalError: what was told could not be remembered.
    """
    options, file, batch, ending = opened.options, opened.file, opened.batch, came_to.own
    found = all_findings(batch.weigh(ending, at=at), others, came_to.others, ending)
    found += order.findings if order is not None else []
    verdict = verdict_of(found)
    results, report, told = batch.results(at=at, ending=ending, verdict=verdict), None, ""
    if keeps_results(batch, past=past):
        document, report = await asyncio.to_thread(write_all, batch.folder, results, enough=enough)
    else:
        document = results_document(results)
    if not past:
        interrupted = ending.drained and verdict.exit is not Exit.DONE
        told = await asyncio.to_thread(show_latest, batch.folder, batch.home, interrupted=interrupted)
    notes = [str(order.done)] if order is not None and str(order.done) else []
    notes += [*([told] if told else []), *(note for one in others for note in one.notes(options))]
    notes += unbought_notes(options, not_bought(opened))
    notes += filter(None, [_to_decide(opened), told_undecided(batch.undecided_now, batch.typed)])
    for one, ended in zip(others, came_to.others, strict=True):
        if one.to_carry:
            await one.write(ended, at=at, enough=enough)
        file.slots(batch.scope).tell(one.batch.scope.slot, one.held())
    return RunOutcome(
        verdict=verdict,
        folder=batch.folder / batch.home,
        results=batch.folder / batch.home / JSON_NAME,
        document=document,
        report=report,
        asked=asked,
        left_out=ending.left_out,
        notes=tuple(notes),
        anew=ending.anew,
        is_stopped=ending.is_stopped,
    )


def _to_decide(opened: OpenBatch) -> str:
    """Return the command with which a person decides about what is held; empty where nothing is."""
    batch = opened.batch
    if not any(batch.record_of(one).state is State.HELD for one in batch.plan.carried):
        return ""
    slot = batch.scope.slot or None  # tomorrow's is another one
    return f"to decide what is in doubt: {opened.options.command_line('resolve', slot=slot)}"


def keeps_results(batch: Batch, *, past: bool) -> bool:
    """Return whether a run writes results: those of a slot without a name give way to the slots after it."""
    return bool(batch.home) or not past


class Hurry:
    """Says when no more pictures are to be drawn: a moment after somebody asked to stop who may kill next.

    None is drawn where the drain has had all of its time.

    Is asked from other threads than that of the run.
    """

    def __init__(
        self, interrupts: Interrupts, *, bounded: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin before anybody asked.

        Args:
            interrupts: what has been asked for.
            bounded: whether a drain is.
            clock: tells seconds, in any thread.
        """
        self._clock = clock
        self._interrupts = interrupts
        self._bounded = bounded
        self._since: float | None = None

    def __call__(self) -> bool:
        """Return whether there is no time for more."""
        asked = self._interrupts.received or self._interrupts.out_of_time
        if self._interrupts.exit is not None or self._interrupts.is_late:
            return True
        if not (asked and self._bounded):
            return False
        now = self._clock()
        self._since = now if self._since is None else self._since
        return now - self._since > _DRAWS_FOR


async def refreshed(opened: OpenBatch, observer: Observer) -> None:
    """Keep the slot's own results fresh while the run goes on, at two per cent of the time at most.

    Nothing is written before something has happened, or somebody has marked an asset: a run that only looks
    leaves them as they are. Nor by a run that no longer leads the batch: they are another's then.
    """
    batch, clock = opened.batch, opened.options.clock
    loop, pause = asyncio.get_running_loop(), 5.0
    before: Mapping[JobKey, Record] | None = dict(batch.journal.records())
    marks = batch.read_marks()
    while True:
        await asyncio.sleep(pause)
        began = loop.time()
        if opened.lease.left() <= 0:
            return
        try:
            if before == batch.journal.records() and marks == batch.read_marks():
                continue
            before = None  # a hundred thousand of them are worth being forgotten
            results = batch.results(at=clock.now(), ending=EngineOutcome())
        except JournalError:  # whoever has to write there meets it too, and ends the run in order
            continue
        writing = loop.run_in_executor(None, write_results, batch.folder, results)
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            with suppress(OutputError):  # the last write comes next, and tells if it fails too
                await writing  # it must not come after the last one
            raise
        except OutputError as error:
            observer.warned(str(error))  # the journal has it all; the last write will tell again
        pause = max(5.0, 50 * (loop.time() - began))
