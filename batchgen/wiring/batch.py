"""A batch as a run or a look at it needs it: manifest, scope, journal and plan together."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from batchgen.engine.outcome import EngineOutcome
from batchgen.engine.verdict import Verdict, weigh
from batchgen.exits import Exit
from batchgen.journal.batch import BatchJournal
from batchgen.journal.opened import OpenJournal
from batchgen.lifecycle import IN_FLIGHT, Record, State
from batchgen.manifest.values import Manifest
from batchgen.model import Job, JobKey, Scope
from batchgen.output.entries import Row
from batchgen.output.missing_files import FilesLook, look_at_wanted_files
from batchgen.output.summary import Results
from batchgen.planning.chains import (
    Typed,
    blocked_in,
    blocked_told,
    count_chains,
    ways_of,
)
from batchgen.planning.choosing import a_few_of, only_selected, wrong_with_retry
from batchgen.planning.conditions import Known
from batchgen.planning.make_plan import make_plan, with_vanished
from batchgen.planning.marks import NO_MARKS, Marks
from batchgen.planning.plan import Entry, Plan
from batchgen.planning.redo import Choice
from batchgen.planning.selection import selected
from batchgen.planning.slots import fresh_slot, has_later, home_of, latest_slot, slot_at
from batchgen.planning.undecided import (
    Undecided,
    held_back,
    left_out,
    undecided_in,
    undecided_places,
    waits_of,
)
from batchgen.planning.yields import Shortage, is_young, shortage
from batchgen.ports import Clock
from batchgen.wiring.job_facts import known_jobs
from batchgen.wiring.missed_slots import slot_to_begin
from batchgen.wiring.options import SIMULATOR, Options, project_of
from batchgen.wiring.redone import redone
from batchgen.wiring.rows import OfBatch, Rows, SomeRows
from batchgen.wiring.service import address_of
from batchgen.wiring.slots import slots_of, zone_of


def scope_of(
    options: Options, manifest: Manifest, file: OpenJournal, *, now: float, kept: Scope | None = None
) -> Scope:
    """Return where the records of this manifest belong: to the slot that is due, or the one that was named.

    A named one that is not on record is one that was missed, where the options let it be begun. Where that
    was begun afresh in its time, it is the slot that was.

    Args:
        options: what the command line says.
        manifest: what the file says.
        file: the journal, which knows the slots.
        now: seconds since the epoch; read once, so that a run at midnight stays in its slot.
        kept: whose records this name's are, where that is not on record yet.

    Raises:
        InputError: the base URL will not do, or there is no such slot and none may be begun.
    """
    base = Scope(
        origin=address_of(options).origin,
        project=project_of(options, manifest.project),
        batch=manifest.batch,
    )
    base = file.names.resolve(base) if kept is None else replace(kept, slot="")
    known = slots_of(file, base)
    if options.slot is not None and options.slot in known:
        return replace(base, slot=options.slot)
    if options.slot is None:
        begins = slot_at(options.period or manifest.period, now, zone_of(manifest))
    else:
        begins = slot_to_begin(options, manifest, known, now=now, zone=zone_of(manifest))
    return replace(base, slot=latest_slot(begins, known))


def due_since(options: Options, manifest: Manifest, since: float) -> Options:
    """Return options of a run that name the slot due when it began, if it waited until the next was due."""
    if options.slot is not None or options.fresh or not options.begins_missed:
        return options
    period, zone = options.period or manifest.period, zone_of(manifest)
    if slot_at(period, since, zone) == slot_at(period, options.clock.now(), zone):
        return options
    with options.journal.read() as file:  # it may have been begun afresh
        return replace(options, slot=scope_of(options, manifest, file, now=since).slot)


def fresh_scope_of(options: Options, manifest: Manifest, scope: Scope, *, now: float) -> Scope:
    """Return the scope of a slot that begins now, in the period of another scope of the batch."""
    return replace(
        scope, slot=fresh_slot(slot_at(options.period or manifest.period, now, zone_of(manifest)), now)
    )


def is_of_the_past(
    options: Options, manifest: Manifest, scope: Scope, file: OpenJournal, *, now: float
) -> bool:
    """Return whether a slot was named although a later one has begun: the batch's results are of that."""
    if options.slot is None:
        return False
    due, known = scope_of(replace(options, slot=None), manifest, file, now=now), slots_of(file, scope)
    return due != scope and (due.slot in known or has_later(scope.slot, known, zone_of(manifest)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """One manifest in the light of the journal.

    Attributes:
        files: what of the files on record is not on the disk; nothing where the manifest wants no files.
        wrong_words: what is wrong with the words that select jobs; then none is selected.
        scope: where its records are, which may be under another project or address than it is run with.
        project: the one that the service is told; empty for the key's own.
        clock: ours.
        home: the folder of the slot's results, relative to the batch's; empty for a batch without slots.
        redone: the new editions that are asked for, of which nothing is on record yet.
        undecided: the jobs that wait for a mark on another one, which manifest and plan are without.
        with_undecided: the manifest with them; None where there are none.
        marks: what a person had said of its assets when the plan was made.
        read_marks: gives what a person says of them now.
        typed: gives a command on the batch, as people are told to type it.
    """

    manifest: Manifest
    folder: Path
    scope: Scope
    project: str
    journal: BatchJournal
    plan: Plan
    clock: Clock
    typed: Typed
    files: FilesLook = field(default_factory=FilesLook)
    wrong_words: tuple[str, ...] = ()
    home: str = ""
    redone: tuple[Choice, ...] = ()
    marks: Marks = field(default_factory=lambda: NO_MARKS)
    read_marks: Callable[[], Marks] = dict
    undecided: tuple[Undecided, ...] = ()
    with_undecided: Manifest | None = None

    @classmethod
    def of(cls, options: Options, manifest: Manifest, scope: Scope, file: OpenJournal) -> "Batch":
        """Make the plan, and look which files that were collected are not on the disk any more."""
        journal, accepted = file.batch(scope), file.accepted(scope).read()
        read_marks = file.asset_marks(scope).read
        marks = read_marks()
        folder = options.output / manifest.batch

        kept_rows = manifest.kept_rows

        def planned(records: Mapping[JobKey, Record]) -> Plan:
            plan = make_plan(
                manifest.jobs,
                records,
                retry_failed=options.retry_failed,
                accepted=accepted,
                now=options.clock.now(),
                marks=marks,
            )
            return held_back(plan, undecided_places(plan, kept_rows, marks))

        plan = planned(journal.records())
        waiting = undecided_places(plan, kept_rows, marks)
        waits = waits_of(undecided_in(plan, waiting, marks))
        files = FilesLook()
        if manifest.output.download:
            only_last = manifest.output.only_last
            files = look_at_wanted_files(plan, journal.records(), folder, only_last=only_last)
        chosen: tuple[Choice, ...] = ()
        if options.redo:
            plan, chosen, wrong = redone(
                options, manifest, plan, journal.records(), planned, marks, waits=waits
            )
        else:
            plan, wrong = _selected(options, manifest, with_vanished(plan, files.keys), marks, waits)
        undecided = undecided_in(plan, waiting, marks)
        plan, left = left_out(plan, waiting), manifest.without(waiting)
        return cls(
            manifest=left,
            with_undecided=manifest if waiting else None,
            undecided=undecided,
            folder=folder,
            scope=scope,
            project=project_of(options, manifest.project),
            journal=journal,
            plan=a_few_of(
                plan,
                limit=options.limit,
                sample=options.sample,
                origins=left.origins.owners if options.sample is not None else None,
            ),
            clock=options.clock,
            typed=options.command_line,
            files=files,
            wrong_words=wrong,
            redone=chosen,
            home=home_of(scope.slot, slots_of(file, scope)),
            marks=marks,
            read_marks=read_marks,
        )

    @property
    def whole(self) -> Manifest:
        """The manifest with the jobs that wait for a mark."""
        return self.with_undecided or self.manifest

    def known(self, *, now: float) -> Known:
        """Return the manifest's jobs as words find them, without what it names no longer.

        Args:
            now: seconds since the epoch.
        """
        return known_jobs(
            self.plan,
            self.manifest,
            now=now,
            removed=False,
            marks=self.marks,
            undecided=self.undecided,
        )

    @property
    def undecided_now(self) -> list[Undecided]:
        """The jobs a person means that wait for a mark, with what is on record of the others now."""
        records = self.journal.records()
        return [one._replace(parent=one.parent.as_of(records)) for one in self.undecided if one.selected]

    @property
    def unfinished(self) -> int:
        """How many jobs of a batch that was begun have not come to their end."""
        if not self.journal.records():
            return 0
        wanted = sum(
            is_open(one.record, planned=not self.plan.is_blocked(place))
            for place, one in enumerate(self.plan.entries)
        )
        beside = (*self.plan.removed, *self.plan.earlier)
        return wanted + sum(1 for one in beside if is_open(one.record))

    @property
    def needs_the_service(self) -> bool:
        """Whether there is anything that only the service can help with, as of now."""
        now = self.clock.now()
        entries = self.plan.carried
        left = (one.record for one in entries if one.record.state is not State.HELD)
        if any(one.vanished for one in entries):
            return True
        if self.plan.to_submit or any(is_open(one) or _is_asked_again(one, now) for one in left):
            return True
        short = self._shortage([one.key for one in entries], now=now)
        return bool(short.bare or short.partial)

    @property
    def left_at_service(self) -> frozenset[str]:
        """The assets that are handed on and need not be on the disk."""
        feeding = self.plan.lineage.children if self.manifest.output.only_last else ()
        entries = (self.plan.entries[place] for place in feeding)
        records = (record for one in entries for record in (one.record, one.current.record))
        return frozenset(asset for one in records for asset in one.asset_ids)

    @property
    def left_out(self) -> tuple[Job, ...]:
        """The jobs that wait and that nobody asked to be bought now."""
        return tuple(one.job for one in self.plan.entries if self._is_left_out(one))

    def _is_left_out(self, entry: Entry) -> bool:
        return not entry.wanted and self.record_of(entry).state is State.PLANNED

    def record_of(self, entry: Entry) -> Record:
        """Return what the journal says of the job now."""
        return self.journal.records().get(entry.key, entry.record)

    def weigh(self, ending: EngineOutcome, *, at: float) -> list[tuple[Exit, str]]:
        """Return every reason for another status than 0 that the end of a run gives.

        What the manifest no longer names counts while it is open; what was left out as asked does not.

        Args:
            ending: what the run came to.
            at: seconds since the epoch.
        """
        plan = self.plan_now(ending, at=at)
        wanted = [
            self.record_of(entry)
            for place, entry in enumerate(plan.entries)
            if not self._is_left_out(entry) and not plan.is_blocked(place)
        ]
        beside = [self.record_of(entry) for entry in (*self.plan.removed, *self.plan.earlier)]
        counted = [*wanted, *(one for one in beside if is_open(one))]
        keys = [entry.key for entry in self.plan.carried]
        return weigh(
            ending,
            counted,
            shortage=self._shortage(keys, now=at),
            blocked=blocked_told(blocked_in(plan), self.typed),
            waiting=count_chains(plan, to_buy=True).waiting,
        )

    def plan_now(self, ending: EngineOutcome, *, at: float) -> Plan:
        """Return the plan with what is on record now, and what a run has found out of its chains so far."""
        return self.plan.as_of(self.journal.records(), at=at, blocked=ending.blocked)

    def _shortage(self, keys: Iterable[JobKey], *, now: float) -> Shortage:
        """Return which of these jobs have fewer assets than they are to have, by all that is known here."""
        records = self.journal.records()
        return shortage(records, now=now, of=frozenset(keys))

    def results(
        self, *, at: float, ending: EngineOutcome, verdict: Verdict | None = None, some: bool = False
    ) -> Results:
        """Return all that the results files are made of, as of now.

        Args:
            at: seconds since the epoch.
            ending: what the run came to so far.
            verdict: None while it runs.
            some: of those alone that are selected.
        """
        plan = self.plan_now(ending, at=at)
        of = OfBatch(
            plan=plan,
            records=self.journal.records(),
            lost=self.files.assets,
            home=self.home,
            typed=self.typed,
            marks=self.read_marks(),
        )
        beside: Sequence[Row] = Rows(of, plan.earlier, ending)
        removed: Sequence[Row] = Rows(of, plan.removed, ending, earlier=beside)
        rows: Sequence[Row] = Rows(
            of, plan.entries, ending, words=self.manifest, earlier=[*beside, *removed], plan=plan
        )
        if some:
            rows, removed = SomeRows(rows, self.plan.entries), SomeRows(removed, self.plan.removed)
            beside = SomeRows(beside, self.plan.earlier)
        return Results(
            batch=self.manifest.batch,
            manifest_path=str(self.manifest.path),
            manifest_sha256=self.manifest.sha256,
            rows=rows,
            removed=removed,
            earlier=beside,
            written_at=at,
            reasons=verdict.reasons if verdict else (),
            exit=verdict.exit if verdict else None,
            slot=self.scope.slot,
            home=self.home,
            undecided=[one.job for one in self.undecided if one.selected or not some],
            chains=ways_of(plan.shown if some else plan),
            progress=count_chains(plan.shown if some else plan),
            rehearsal=self.scope.origin == SIMULATOR,
        )


def _selected(
    options: Options, manifest: Manifest, plan: Plan, marks: Marks, waits: Mapping[str, str]
) -> tuple[Plan, tuple[str, ...]]:
    """Return a plan of the jobs that are meant, and what is wrong with the words for them."""
    if not options.selection:
        return plan, ()
    removed = not (options.retry or options.fresh)
    known = known_jobs(plan, manifest, now=options.clock.now(), removed=removed, marks=marks)

    def unfit(name: str) -> str | None:
        return waits.get(name) or wrong_with_retry(plan, name)

    found = selected(options.selection, known, unfit=unfit if options.retry else None)
    places = () if found.wrong else found.places
    return only_selected(plan, places, retry=options.retry), found.wrong


def is_open(record: Record, *, planned: bool = False) -> bool:
    """Return whether a job that was begun has not come to its end."""
    return record.state in IN_FLIGHT or record.lacks_files or (planned and record.state is State.PLANNED)


def _is_asked_again(record: Record, now: float) -> bool:
    return record.is_short and is_young(record, now=now)
