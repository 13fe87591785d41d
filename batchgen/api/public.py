"""The functions of ``import batchgen``: everything that the command line does for a batch, as values.

They touch no signal, no working folder and no logger, read no ``.env`` file and print nothing. Several may
be used at once, in one loop or in several threads.
"""

import asyncio
import io
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from batchgen.api import bought, exports, looks, plans, runs
from batchgen.api.arguments import Words, allowed_of, environ_of, meant_by, options_of, seconds_of
from batchgen.api.manifest import Manifest
from batchgen.api.results import Cost, Plan, PlannedJob, Results
from batchgen.engine.interrupts import Interrupts
from batchgen.errors import Problem, StopCause, StoppedError
from batchgen.exits import Exit
from batchgen.manifest.quantities import parse_rate
from batchgen.model import Rate
from batchgen.output.progress import Mode
from batchgen.output.run_events import RunEvent
from batchgen.planning.undecided import told_undecided
from batchgen.usecases.audience import Audience
from batchgen.usecases.export import Export, Exported
from batchgen.usecases.findings import Audit
from batchgen.usecases.run_end import RunOutcome
from batchgen.usecases.status import BatchStatus
from batchgen.wiring.background import beside
from batchgen.wiring.options import Options

T = TypeVar("T")
OnEvent = Callable[[RunEvent], None]


class _Nowhere(io.StringIO):
    """A stream that keeps nothing: a library prints nothing."""

    def write(self, text: str) -> int:
        return len(text)


async def plan(
    manifest: Manifest | str | Path,
    *,
    output: str | Path = "output",
    journal: str | None = None,
    credentials: tuple[str, str] | None = None,
    base_url: str | None = None,
    project: str | None = None,
    slot: str | None = None,
    simulate: bool = False,
    only: Words = None,
    except_: Words = None,
) -> Plan:
    """Say what a run would do and what it would cost; nothing is bought, made or changed.

    Args:
        manifest: the manifest, or the path of its file.
        output: the folder of the results, and of the journal where that is a file.
        journal: the URL of a journal on PostgreSQL; None for what ``BATCHGEN_JOURNAL`` says, else the file in
            the output folder; empty for that file whatever it says.
        credentials: API key and secret; None for those of the environment.
        base_url: where the service is; None for the environment's, or the public one.
        project: the service's ``projectId``; None for the manifest's or the environment's.
        slot: a slot other than the current one; one of the calendar that was missed begins.
        simulate: whether a simulated service is meant, where nothing is spent.
        only: the jobs that are meant, in the words of ``--only``: ids, patterns, ``tag:cover``,
            ``rarity=rare``; None for all.
        except_: the jobs that are not, in the same words.

    Raises:
        ManifestError: the manifest or the inputs of its models are wrong.
        InputError: a word means no job.
        JournalError: the journal cannot be read.
        StoppedError: the credentials are not accepted.
        TransientError: the service does not answer.
    """
    options = replace(
        options_of(
            manifest, output, credentials, base_url, project, slot, simulate=simulate, journal=journal
        ),
        selection=meant_by(only, except_),
    )
    preview = await plans.plan(options)
    quoted, batch, rest = preview.outlook.quoted, preview.batch, preview.rest
    to_buy = {entry.key for entry in batch.plan.to_submit}
    return Plan(
        batch=batch.manifest.batch,
        jobs=tuple(
            PlannedJob(
                id=one.job.id,
                model=one.job.model,
                prompt=one.job.prompt,
                standing=str(one.standing),
                to_buy=one.key in to_buy,
                cost=quoted.price(one.job) if one.key in to_buy else None,
            )
            for one in batch.plan.asked.entries
        ),
        cost=Cost(low=quoted.total_low, high=quoted.total_high, unpriced=quoted.unknown),
        rest=None if rest is None else Cost(low=rest.cost.low, high=rest.cost.high, unpriced=rest.unpriced),
        changes={
            one.entry.job.id: tuple(change.name for change in one.changes) for one in preview.outlook.changed
        },
        stopped=preview.found.stopped,
        notes=(
            *preview.outlook.notes,
            *preview.outlook.fit.warnings(),
            *preview.slots.notes,
            *filter(None, [told_undecided(batch.undecided_now, batch.typed)]),
        ),
        warnings=preview.warnings,
    )


async def run(
    manifest: Manifest | str | Path,
    *,
    output: str | Path = "output",
    journal: str | None = None,
    credentials: tuple[str, str] | None = None,
    base_url: str | None = None,
    project: str | None = None,
    slot: str | None = None,
    simulate: bool = False,
    budget: Decimal | float | None = None,
    rate: Rate | str | None = None,
    in_flight: int | None = None,
    allow: Iterable[str] = (),
    only: Words = None,
    except_: Words = None,
    on_event: OnEvent | None = None,
    stop: asyncio.Event | None = None,
    max_duration: float | str | None = None,
    drain_timeout: float | str | None = None,
    wait_lock: float | str | None = None,
) -> Results:
    """Generate every job of a manifest and write the results; the same call again continues where it was.

    Cancelled, it records what is known of submits under way and raises; the next call goes on from there.

    Args:
        manifest: the manifest, or the path of its file.
        output: the folder of the results, and of the journal where that is a file.
        journal: the URL of a journal on PostgreSQL; None for what ``BATCHGEN_JOURNAL`` says, else the file in
            the output folder; empty for that file whatever it says.
        credentials: API key and secret; None for those of the environment.
        base_url: where the service is; None for the environment's, or the public one.
        project: the service's ``projectId``; None for the manifest's or the environment's.
        slot: a slot other than the current one; one of the calendar that was missed begins.
        simulate: whether a simulated service is meant, where nothing is spent.
        budget: most compute units to spend on the batch; replaces the manifest's total.
        rate: requests to the service, as ``"100/min"``.
        in_flight: most jobs at the service at once.
        allow: guards to pass, as for ``--allow``.
        only: the jobs that are bought, in the words of ``--only``: ids, patterns, ``tag:cover``,
            ``rarity=rare``; None for all. What is paid for already is collected whatever it is.
        except_: the jobs that are not, in the same words.
        on_event: is called in the loop with each event, after the fact is on the disk; what it raises goes to
            the loop's exception handler and ends no run.
        stop: once it is set, no more jobs are submitted, and what is paid for is collected.
        max_duration: the same after so many seconds, or a time such as ``"2h"``, the wait for another run
            included; None for as long as it takes.
        drain_timeout: collect for so long at most after ``stop`` or ``max_duration``, and leave the rest to
            the next run; None for as long as it takes.
        wait_lock: wait up to so long for another run of the batch to end; the manifest is then read again.

    Returns:
        What came out; see ``ok``, ``reasons`` and ``raise_for_failures``.

    Raises:
        ManifestError: the manifest or the inputs of its models are wrong; nothing was bought.
        InputError: a word means no job; nothing was bought.
        GuardError: its jobs may have been bought already; nothing was bought.
        BatchLockedError: another run holds the batch, and there was no time to wait for it, or too little.
        StoppedError: the credentials or the plan allow nothing; nothing was bought.
        JournalError, OutputError: the disk is at fault.
        TransientError: the service could not be asked about the models; nothing was bought.
    """
    options = replace(
        options_of(
            manifest, output, credentials, base_url, project, slot, simulate=simulate, journal=journal
        ),
        budget=None if budget is None else Decimal(str(budget)),
        rate=parse_rate(rate) if isinstance(rate, str) else rate,
        in_flight=in_flight,
        allow=allowed_of(allow),
        selection=meant_by(only, except_),
        max_duration=seconds_of("max_duration", max_duration, from_zero=False),
        drain_timeout=seconds_of("drain_timeout", drain_timeout),
        wait_lock=seconds_of("wait_lock", wait_lock) or 0.0,
    )
    loop, interrupts = asyncio.get_running_loop(), Interrupts()

    def tell(event: RunEvent) -> None:
        if on_event is not None:
            loop.call_soon(on_event, event)

    audience = Audience(_Nowhere(), Mode.QUIET, None if on_event is None else tell)
    if stop is None:
        outcome = await runs.run(options, interrupts, audience)
    else:
        async with beside(_drain_when_set(stop, interrupts), name="stop"):
            outcome = await runs.run(options, interrupts, audience)
    await asyncio.sleep(0)  # the last events are delivered before it returns
    return _results(outcome, warnings=tuple(audience.warnings))


def run_sync(manifest: Manifest | str | Path, **more: Any) -> Results:
    """Do the same without ``await``; inside a running loop, as in a notebook, in a thread of its own.

    Args:
        manifest: the manifest, or the path of its file.
        more: as for ``run``; ``on_event`` is called in the thread of the run.

    Raises:
        BatchgenError: as ``run`` does.
    """
    return _in_a_loop(run(manifest, **more))


async def status(output: str | Path = "output", *, journal: str | None = None) -> Sequence[BatchStatus]:
    """Return where the batches of an output folder stand; a run beside it is not disturbed.

    Args:
        output: the folder of the results, and of the journal where that is a file.
        journal: the URL of a journal on PostgreSQL; None for what ``BATCHGEN_JOURNAL`` says, else the file in
            the output folder; empty for that file whatever it says.

    Raises:
        JournalError: the journal cannot be read.
    """
    environ = environ_of(journal=journal)
    options = Options(manifest=Path(), output=Path(output), environ=environ, journal_address=journal)
    return looks.status(options)


async def audit(
    manifest: Manifest | str | Path,
    *,
    output: str | Path = "output",
    journal: str | None = None,
    credentials: tuple[str, str] | None = None,
    base_url: str | None = None,
    project: str | None = None,
    slot: str | None = None,
    simulate: bool = False,
    fix: bool = False,
    offline: bool = False,
    only: Words = None,
    except_: Words = None,
) -> Audit:
    """Check the journal against the service and the disk.

    Args:
        manifest: the manifest, or the path of its file.
        output: the folder of the results, and of the journal where that is a file.
        journal: the URL of a journal on PostgreSQL; None for what ``BATCHGEN_JOURNAL`` says, else the file in
            the output folder; empty for that file whatever it says.
        credentials: API key and secret; None for those of the environment.
        base_url: where the service is; None for the environment's, or the public one.
        project: the service's ``projectId``; None for the manifest's or the environment's.
        slot: a slot other than the current one.
        simulate: whether a simulated service is meant.
        fix: fetch missing or damaged files again, and record assets that came later.
        offline: ask the service nothing.
        only: the jobs whose records and files are looked at, in the words of ``--only``; None for all.
        except_: those that are not, in the same words.

    Returns:
        What was found; ``verdict`` has the exit status and its reasons.

    Raises:
        ManifestError: the manifest is wrong.
        BatchLockedError: a run holds the batch whose files are to be fixed.
        JournalError, OutputError: the disk is at fault.
        StoppedError: the service does not let us look.
    """
    options = replace(
        options_of(
            manifest, output, credentials, base_url, project, slot, simulate=simulate, journal=journal
        ),
        selection=meant_by(only, except_),
    )
    return await bought.audit(options, fix=fix, offline=offline)


async def export(
    manifest: Manifest | str | Path,
    to: str | Path,
    template: str | None = None,
    *,
    output: str | Path = "output",
    journal: str | None = None,
    base_url: str | None = None,
    project: str | None = None,
    slot: str | None = None,
    simulate: bool = False,
    only: Words = None,
    except_: Words = None,
    link: bool = False,
    mapping: str | Path | None = None,
    prune: bool = False,
    replace_others: bool = False,
) -> Exported:
    """Make a second tree of the current files under other names, whole or not at all; a run may go on beside.

    Args:
        manifest: the manifest, or the path of its file.
        to: the folder that the files go to; what is there of others stays.
        template: of the names, as ``output.files``; None for the names that the files have.
        output: the folder of the results, and of the journal where that is a file.
        journal: the URL of a journal on PostgreSQL; None for what ``BATCHGEN_JOURNAL`` says, else the file in
            the output folder; empty for that file whatever it says.
        base_url: where the service is, whose records are meant; it is not asked.
        project: the service's ``projectId``; None for the manifest's or the environment's.
        slot: a slot other than the current one.
        simulate: whether a simulated service is meant.
        only: the jobs that are meant, in the words of ``--only``; None for all.
        except_: those that are not, in the same words.
        link: whether files get a second name instead of being copied.
        mapping: the file that is to say which file is which job's.
        prune: whether files go that an earlier export put there and this one does not have.
        replace_others: whether plain files go that have the names and are not ours.

    Returns:
        What was done; ``lost`` has the files that are not as recorded: then nothing was exported.

    Raises:
        ManifestError: the manifest or the template is wrong.
        InputError: there is nothing to export, or something that is not ours is in the way.
        JournalError, OutputError: the disk is at fault.
    """
    options = replace(
        options_of(manifest, output, None, base_url, project, slot, simulate=simulate, journal=journal),
        selection=meant_by(only, except_),
    )
    asked = Export(
        folder=Path(to),
        template=template,
        link=link,
        mapping=None if mapping is None else Path(mapping),
        prune=prune,
        force=replace_others,
    )
    return await asyncio.to_thread(exports.export, options, asked)


async def _drain_when_set(stop: asyncio.Event, interrupts: Interrupts) -> None:
    await stop.wait()
    interrupts.take(signal.SIGTERM)  # bounded as that is; an order would not be


def _results(outcome: RunOutcome, *, warnings: tuple[Problem, ...]) -> Results:
    results = Results(path=outcome.results.absolute(), document=outcome.document, warnings=warnings)
    if results.exit is Exit.CREDENTIALS and not any(one["job_id"] for one in outcome.document["jobs"]):
        raise StoppedError("; ".join(results.reasons), cause=StopCause.CREDENTIALS)
    return results


def _in_a_loop(work: Coroutine[Any, Any, T]) -> T:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _alone(asyncio.new_event_loop(), work)
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)
    with ThreadPoolExecutor(1, thread_name_prefix="batchgen") as pool:
        ended = pool.submit(_alone, loop, task)
        try:
            return ended.result()
        except BaseException:
            # an interrupted cell of a notebook: nothing more is bought, and what is known is recorded
            with suppress(RuntimeError):  # the loop is closed: the run has ended by itself
                loop.call_soon_threadsafe(task.cancel)
            raise


def _alone(loop: asyncio.AbstractEventLoop, work: Awaitable[T]) -> T:
    """Do the work in a loop of its own; ``asyncio.run`` would take the signal of Ctrl-C for as long."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.get_loop().run_until_complete(work)
