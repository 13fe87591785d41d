"""The other slots of a batch: what is paid for there is carried by every run, and nothing is bought there.

A slot that ended with its day may have jobs that are submitting, in doubt, running or not collected; nobody
runs it again. What a run cannot end there is named, and so are the jobs that a slot never came to buy.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from batchgen.engine.outcome import EngineOutcome
from batchgen.engine.verdict import judge, weigh
from batchgen.errors import InputError
from batchgen.exits import Exit
from batchgen.formats import counted
from batchgen.lifecycle import Event, Record, State
from batchgen.model import Job, JobKey, Json, RemoteJob
from batchgen.output.report import NAME, is_beside, write_report
from batchgen.output.results import results_document, write_results
from batchgen.output.summary import Results
from batchgen.planning.choosing import only_carried
from batchgen.planning.selection import JobSelection
from batchgen.planning.slots import lately_begun
from batchgen.planning.yields import YOUNG
from batchgen.ports import Observer
from batchgen.usecases.guards import saved_results
from batchgen.wiring.batch import Batch
from batchgen.wiring.opening import OpenBatch
from batchgen.wiring.options import Options
from batchgen.wiring.slots import slots_of, zone_of

_LOOKED_BACK = 5  # slots that are asked for jobs which were not bought
_MAY_END = frozenset({State.SUBMITTING, State.IN_DOUBT, State.RUNNING, State.SUCCEEDED})


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherSlot:
    """A slot with something that is paid for, or may be, and is not collected.

    Attributes:
        batch: of which nothing is wanted.
        before: what was open when the run began.
        short: how many of its successes lacked assets or files then.
        told: held jobs that a run of another slot has ended with a word on.
    """

    batch: Batch
    before: Mapping[JobKey, Record]
    short: int
    told: frozenset[JobKey]

    @property
    def name(self) -> str:
        """The slot's, for people."""
        return f"slot {self.batch.scope.slot}" if self.batch.scope.slot else "the slot without a name"

    @property
    def to_carry(self) -> int:
        """How many jobs a run can do something for."""
        return self.short + sum(1 for record in self.before.values() if record.state in _MAY_END)

    @property
    def what(self) -> str:
        """What a run carries of it, for people."""
        kind = "with fewer assets than asked for or usual"
        if self.to_carry > self.short:
            kind = "paid for or in doubt there and not collected"
        return f"{counted(self.to_carry, 'job')} of {self.name}, {kind}"

    def left(self) -> dict[JobKey, Record]:
        """Return what was open, as it stands now."""
        records = self.batch.journal.records()
        return {key: records.get(key, one) for key, one in self.before.items()}

    def held(self) -> frozenset[JobKey]:
        """Return the jobs that wait for a person."""
        return frozenset(key for key, one in self.left().items() if one.state is State.HELD)

    def findings(self, ending: EngineOutcome) -> list[tuple[Exit, str]]:
        """Return what is left for which the run ends with another status; of a held job that is said once."""
        bought = {key: one for key, one in self.left().items() if one.state is not State.PLANNED}
        new = [one for key, one in bought.items() if key not in self.told or one.state is not State.HELD]
        return [(status, f"{self.name}: {text}") for status, text in weigh(ending, new)]

    def notes(self, options: Options) -> list[str]:
        """Return what became of it, and what a person can do."""
        collected = sum(1 for one in self.left().values() if one.state is State.COLLECTED)
        held, notes = len(self.held()), []
        if collected:
            notes.append(
                f"{self.name}: {counted(collected, 'job')} collected that {_were(collected)} paid for there"
            )
        if held:
            command = _command(options, "resolve", self.batch.scope.slot)
            notes.append(f"{self.name}: {counted(held, 'job')} held, which may have been paid for: {command}")
        return notes

    async def write(
        self, ending: EngineOutcome, *, at: float, enough: Callable[[], bool] | None = None
    ) -> None:
        """Write the slot's own results; those of the batch are of another slot and stay.

        A slot without a name has no folder of its own: the journal has what became of it.

        Raises:
            OutputError: a file is as it was.
        """
        if not self.batch.home:
            return
        verdict = judge(ending, [one for one in self.left().values() if one.state is not State.PLANNED])
        # the journal is read here: its connection is this thread's alone
        results = self.batch.results(at=at, ending=ending, verdict=verdict)
        await asyncio.to_thread(write_all, self.batch.folder, results, enough=enough)


def write_all(
    folder: Path, results: Results, *, enough: Callable[[], bool] | None = None
) -> tuple[dict[str, Json], Path]:
    """Write what people and scripts read of a slot, or of a batch without slots; blocks.

    Args:
        folder: the batch's.
        results: of the slot.
        enough: whether no more pictures are to be drawn for the page; None for all of them.

    Returns:
        The document as it is on the disk, and the page.

    Raises:
        OutputError: a file is as it was.
    """
    place = folder / results.home
    written = write_results(folder, results, is_known=partial(is_beside, place / NAME))
    document = results_document(written.results, written.entries)
    page = write_report(
        place, document, sha256=written.sha256, table=written.table, within=folder, enough=enough
    )
    return document, page


def others_of(opened: OpenBatch, stack: ExitStack) -> list[OtherSlot]:
    """Open the other slots that have something open, each by a connection of its own.

    Args:
        opened: the slot that is worked on.
        stack: closes them.

    Raises:
        JournalError: the journal cannot be read.
    """
    scope = opened.batch.scope
    slots = opened.file.slots(scope)
    found = []
    for slot, short in slots.to_carry(since=opened.now - YOUNG).items():
        if slot == scope.slot:
            continue
        own = stack.enter_context(opened.options.journal.opened(checked=True))
        batch = _carried(replace(opened, file=own), slot)
        states = {*_MAY_END, State.HELD}
        before = {one.key: one.record for one in batch.plan.carried if one.record.state in states}
        found.append(OtherSlot(batch=batch, before=before, short=short, told=slots.told(slot)))
    return found


def _carried(opened: OpenBatch, slot: str) -> Batch:
    """Check the manifest against another slot, in which nothing is bought or tried again."""
    plain = replace(
        opened.options, retry_failed=False, selection=JobSelection(), retry=False, limit=None, sample=None
    )
    scope = replace(opened.batch.scope, slot=slot)
    batch = Batch.of(plain, opened.batch.whole, scope, opened.file)
    return replace(batch, plan=only_carried(batch.plan))


def not_bought(opened: OpenBatch) -> dict[str, int]:
    """Count by slot what the latest other slots, and those begun last, were asked for and have not bought.

    Raises:
        JournalError: the journal cannot be read.
    """
    scope, file = opened.batch.scope, opened.file
    others = [one for one in slots_of(file, scope) if one != scope.slot]
    bought = file.slots(scope).bought()
    found = {}
    for slot in lately_begun(others, zone_of(opened.batch.manifest), count=_LOOKED_BACK):
        if bought[slot] >= len(opened.batch.manifest.jobs):
            continue
        batch = _carried(opened, slot)
        asked = _asked(batch, slot)
        planned = [
            one
            for place, one in enumerate(batch.plan.entries)
            if one.record.state is State.PLANNED and not batch.plan.is_blocked(place)
        ]
        count = sum(
            1 for one in planned if one.record.job is not None or asked is None or one.job.id in asked
        )
        if count:
            found[slot] = count
    return found


def _asked(batch: Batch, slot: str) -> frozenset[str] | None:
    """Return the ids that the slot's last run knew of; None where no run of it came to its end."""
    if not slot:
        return frozenset()  # its results are the batch's own by now, or were
    with suppress(InputError):
        told = saved_results(batch.folder, slot)
        return None if told is None else frozenset(one.id for one in told.jobs)
    return frozenset()


def told_begun(opened: OpenBatch) -> str:
    """Return that a slot begins that was named, since it was missed; empty where none does."""
    scope = opened.batch.scope
    begins = opened.options.slot is not None and scope.slot not in slots_of(opened.file, scope)
    return f"slot {scope.slot} begins: nothing of it is on record" if begins else ""


def unbought_notes(options: Options, counts: Mapping[str, int]) -> list[str]:
    """Name the slots with jobs that were not bought, and the command that buys them."""
    return [
        f"slot {slot or '(without a name)'}: {counted(count, 'job')} not bought: "
        f"{_command(options, 'run', slot)}"
        for slot, count in counts.items()
    ]


def carried_notes(options: Options, open_states: Mapping[str, Mapping[State, int]], slot: str) -> list[str]:
    """Return what a run of a slot would carry of others; reads and opens nothing."""
    notes = []
    for other, states in open_states.items():
        held = states.get(State.HELD, 0)
        paid = sum(states.values()) - held
        name = f"slot {other}" if other else "the slot without a name"
        if other != slot and paid:
            notes.append(
                f"{name}: {counted(paid, 'job')} paid for, or in doubt, and not collected: "
                "the next run collects them"
            )
        if other != slot and held:
            notes.append(f"{name}: {counted(held, 'job')} held: {_command(options, 'resolve', other)}")
    return notes


class OtherSlots(NamedTuple):
    """What is said of the other slots of a batch, and whether a run would carry something of them."""

    notes: Sequence[str]
    to_carry: bool


def notice_slots(opened: OpenBatch) -> OtherSlots:
    """Return what a run would carry of other slots, and which of them have jobs that were not bought.

    Raises:
        JournalError: the journal cannot be read.
    """
    options, here = opened.options, opened.batch.scope.slot
    slots = opened.file.slots(opened.batch.scope)
    states, short = slots.open(), slots.short(since=options.clock.now() - YOUNG)
    notes = carried_notes(options, states, here)
    notes += unbought_notes(options, not_bought(opened))
    others = [set(one) - {State.HELD} for slot, one in states.items() if slot != here]
    return OtherSlots(notes, to_carry=any(slot != here for slot in short) or any(others))


class Beside(Observer):
    """Tells of another slot's troubles; its jobs are in nobody's count.

    Args:
        slot: its name, for people.
        shown: takes sentences.
    """

    def __init__(self, slot: str, shown: Observer) -> None:
        self._slot = slot
        self._shown = shown

    def recorded(self, key: JobKey, job: Job, event: Event, record: Record) -> None:
        """Leave it to the end."""

    def polled(self, job: Job, remote: RemoteJob) -> None:
        """Leave it to the end."""

    def warned(self, text: str) -> None:
        """Say where."""
        self._shown.warned(f"{self._slot}: {text}")


def all_findings(
    own: Sequence[tuple[Exit, str]],
    others: Sequence[OtherSlot],
    endings: Sequence[EngineOutcome],
    main: EngineOutcome,
) -> list[tuple[Exit, str]]:
    """Add up what all slots leave; what stopped all of them is said once."""
    found = list(own)
    for one, ending in zip(others, endings, strict=True):
        stopped = None if main.stopped is not None else ending.stopped
        found += one.findings(replace(ending, stopped=stopped))
    return found


def _command(options: Options, name: str, slot: str) -> str:
    plain = replace(options, slot=None)
    return plain.command_line(name, slot=slot) if slot else plain.command_line(name, "--slot", "")


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
