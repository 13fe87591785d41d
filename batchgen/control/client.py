"""Ordering a run about that goes on in another process: by its row in the journal, and its answer there."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from batchgen.control.commands import Order
from batchgen.errors import NoRunError
from batchgen.journal.orders import Answer
from batchgen.journal.runs import SILENT_AFTER, RunKept, RunRecords
from batchgen.manifest.reading import read_heading
from batchgen.model import Scope
from batchgen.wiring.options import Options, project_of
from batchgen.wiring.places import refuse_another_folder
from batchgen.wiring.service import address_of

PATIENCE = 3.0  # seconds: six looks of a run
_GLANCE = 0.1  # seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What became of orders to a run.

    Attributes:
        run: which one.
        answers: one for each order; empty if it has not taken them, which are then withdrawn.
    """

    run: RunKept
    answers: Sequence[Answer]


async def order(options: Options, orders: Sequence[Order]) -> Reply:
    """Order the run of a batch about, and wait a moment for what it says.

    Raises:
        NoRunError: no run of it is under way.
        JournalError: the journal cannot be written.
    """
    heading = read_heading(options.manifest, environ=options.environ)
    refuse_another_folder(options, heading.batch)
    scope = Scope(
        origin=address_of(options).origin,
        project=project_of(options, heading.project),
        batch=heading.batch,
        slot=options.slot or "",
    )
    with options.journal.read() as file:
        scope = file.names.resolve(scope)
    records = options.journal.runs()
    if records is None:
        raise NoRunError(_none_under_way(options, scope, ()))
    with records:
        known = records.of_batch(heading.batch)
        run = next((one for one in known if _is_meant(options, scope, one.scope)), None)
        if run is None:
            raise NoRunError(_none_under_way(options, scope, known))
        numbers = records.orders.give(run.token, orders, at=options.clock.now())
        answers = await _answers(options, records, run, numbers)
        if not answers and not options.journal.is_held(heading.batch):
            raise NoRunError(f"{_none_under_way(options, scope, ())}; the last one, {run}, died")
    return Reply(run=run, answers=answers)


async def _answers(
    options: Options, records: RunRecords, run: RunKept, numbers: Sequence[int]
) -> Sequence[Answer]:
    """Wait for the answers; where there are none in time, take the orders back.

    Raises:
        NoRunError: the run has ended without taking them.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while (answers := records.orders.answers(numbers)) is None and loop.time() < end:
        if run.token not in {one.token for one in records.of_batch(run.scope.batch)}:
            break
        await asyncio.sleep(_GLANCE)
    if answers is None and not records.orders.withdraw(numbers):
        answers = records.orders.answers(numbers)  # taken in the last moment
    if answers is not None:
        return answers
    if run.token not in {one.token for one in records.of_batch(run.scope.batch)}:
        raise NoRunError(f"the run of {run.scope.batch!r} has ended in this moment; {_instead(options)}")
    return ()


def _is_meant(options: Options, wanted: Scope, scope: Scope) -> bool:
    same_place = (scope.origin, scope.project) == (wanted.origin, wanted.project)
    return same_place and (options.slot is None or scope.slot == options.slot)


def _none_under_way(options: Options, scope: Scope, others: Sequence[RunKept]) -> str:
    """Say that there is no run, and what to do instead."""
    slot = f", slot {scope.slot}" if scope.slot else ""
    text = f"no run of {scope.batch!r} is under way at {scope.origin}{slot} (journal {options.journal})"
    now = options.clock.now()
    for one in others:
        if abs(now - one.seen_at) < SILENT_AFTER:
            return f"{text}; {one} runs it at {_place(one.scope)}: {_flags(options, scope, one.scope)}"
    return f"{text}; {_instead(options)}"


def _instead(options: Options) -> str:
    return f"{options.command_line('run')} starts one, with the limits and budget of its manifest"


def _place(scope: Scope) -> str:
    project = f", project {scope.project}" if scope.project else ""
    return scope.origin + project + (f", slot {scope.slot}" if scope.slot else "")


def _flags(options: Options, wanted: Scope, there: Scope) -> str:
    """Return how the run that there is can be meant."""
    if there.origin != wanted.origin:
        simulated = "leave --simulate away" if options.simulate else "add --simulate"
        one_is_simulated = "simulator" in {there.origin, wanted.origin}
        return simulated if one_is_simulated else "set SCENARIO_BASE_URL as it has it"
    if there.project != wanted.project:
        return f"add --project {there.project}" if there.project else "leave the project away"
    return f"add --slot {there.slot}" if there.slot else "leave --slot away"
