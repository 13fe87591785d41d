"""Holding a batch's journal against the service and against the disk.

Reads, and writes nothing to the journal whatever it finds; ``--fix`` alone changes the disk,
under the batch's lock, and replaces no file whose bytes are not what is on record without
keeping it. What a finding is gets decided in ``plan.auditing``.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

from batchgen.app.background import beside
from batchgen.app.batch import scope_of
from batchgen.app.clock import SystemClock
from batchgen.app.mending import Damaged, damaged_among, fetch_again, files_of
from batchgen.app.service import transport_to
from batchgen.app.settings import Options, project_of, rate_of
from batchgen.engine.ending import Exit, Verdict
from batchgen.engine.gate import RateGate
from batchgen.errors import ServiceError, StoppedError
from batchgen.journal.batch import BatchJournal
from batchgen.journal.lock import hold_batch
from batchgen.journal.purchases import PurchaseRecords
from batchgen.journal.store import JournalFile
from batchgen.lifecycle import Record
from batchgen.manifest.reading import read_manifest
from batchgen.model import Job, JobKey, Purchase, RemoteJob, Scope
from batchgen.ports import Generator
from batchgen.reconcile.audit import (
    BatchHistory,
    Situation,
    Sums,
    Surplus,
    beginning,
    ended_otherwise,
    read_history,
    sum_up,
    untrue_records,
)
from batchgen.reconcile.candidates import Listed
from batchgen.reconcile.orphans import OrphanFinder
from batchgen.scenario.client import ScenarioClient

MARGIN = 600.0  # seconds that the listing reaches back before the batch's first submission


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """A submission that ended one way by the journal and stands otherwise at the service."""

    job: Job
    remote_id: str
    recorded: str
    shown: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """All that an audit found.

    Attributes:
        scope: whose records were held against the service.
        submissions: paid for by the journal.
        listed: every row that the service listed, with whose it is; None where nothing was ever
            submitted and none was asked for.
        troubles: why the service could not be read to the end; empty if it was.
        surplus: rows of ours without a record that are equal to a job of ours.
        others: how many rows of ours belong to no record and are equal to nothing.
        changed: submissions whose end changed.
        files: how many are on record.
        damaged: those that are not on the disk as they are on record.
        sums: what was charged.
        untrue: jobs whose record is not what the history tells, by id, and how.
        purchases: submissions that were bought by asking for a price, and belong to no job.
    """

    scope: Scope
    submissions: int = 0
    listed: tuple[Listed, ...] | None = None
    troubles: tuple[str, ...] = ()
    surplus: tuple[Surplus, ...] = ()
    others: int = 0
    changed: tuple[Changed, ...] = ()
    files: int = 0
    damaged: tuple[Damaged, ...] = ()
    sums: Sums = field(default_factory=Sums)
    untrue: tuple[tuple[str, str], ...] = ()
    purchases: tuple[Purchase, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The exit status and every reason there is for one."""
        broken = sum(not one.fixed for one in self.damaged)
        due = sum(one.situation is Situation.DUE for one in self.surplus)
        reasons = [
            (Exit.BUG, len(self.untrue), "{} of which record and history differ: keep a copy of the journal"),
            (Exit.DOUBT, len(self.purchases), "{} bought by asking for a price, of no job"),
            (Exit.DOUBT, len(self.surplus) - due, "{} likely paid twice or lost"),
            (Exit.DOUBT, len(self.changed), "{} ended otherwise than the journal says"),
            (Exit.REMAINS, due, "{} whose answer is due: the next run takes it in"),
            (Exit.REMAINS, broken, "{} missing or damaged"),
        ]
        nouns = ("job", "submission", "submission", "submission", "submission", "file")
        said = [
            (status, text.format(f"{number} {noun}{'s' * (number != 1)}"))
            for (status, number, text), noun in zip(reasons, nouns, strict=True)
            if number
        ]
        if self.troubles:
            said.append((Exit.REMAINS, "the service could not be read to the end"))
        return Verdict(exit=said[0][0] if said else Exit.DONE, reasons=tuple(text for _, text in said))


async def audit_batch(options: Options, *, fix: bool) -> Audit:
    """Hold journal, service and disk against each other; a run beside it is not disturbed.

    Args:
        options: which batch, and where.
        fix: fetch again what is missing or damaged; refused while a run has the batch.

    Raises:
        InputError: the manifest is wrong.
        BatchHeldError: a run holds the batch whose files are to be fixed.
        JournalError, OutputError: the disk is at fault.
        StoppedError: the service does not let us look.
    """
    manifest = read_manifest(options.manifest, environ=options.environ, max_jobs=options.max_jobs)
    folder, now = options.output / manifest.batch, SystemClock().now()
    rate = rate_of(options, manifest.limits.rate)
    gate = RateGate(rate)
    with (
        hold_batch(options.lock_of(manifest.batch), stamp=now) if fix else nullcontext(),
        JournalFile.open_to_read(options.journal) as file,
    ):
        scope = scope_of(options, manifest, file, now=now)
        project = project_of(options, manifest.project)
        purchases = _purchases_without_a_job(options, file.batch(scope), scope, project)
        if scope not in file.scopes():
            return Audit(scope=scope, purchases=purchases)
        began_at = beginning(file.batch(scope).history())
        if began_at is None:
            told = _of_the_journal(scope, file.batch(scope), file.batch(scope))
            return replace(told, purchases=purchases)
        async with transport_to(options) as transport, beside(gate.run(), name="gate"):
            client = ScenarioClient(transport, gate, project=project)
            audit = await _Look(client, file, scope).audit(since=began_at - MARGIN)
            records = file.batch(scope).records().values()
            files = files_of(records)
            damaged = await asyncio.to_thread(damaged_among, files, folder)
            if fix and damaged:
                damaged = await fetch_again(damaged, client, folder, rate)
            return replace(audit, files=len(files), damaged=tuple(damaged), purchases=purchases)


def _purchases_without_a_job(
    options: Options, journal: BatchJournal, scope: Scope, project: str
) -> tuple[Purchase, ...]:
    """Give what questions bought in this project, whatever the batch, and no record has or disowned."""
    known = [
        one
        for one in PurchaseRecords(options.journal, origin=scope.origin).known()
        if one.project in {scope.project, project}
    ]
    owned = journal.holders([one.remote_id for one in known])
    return tuple(one for one in known if one.remote_id not in owned)


def _of_the_journal(scope: Scope, before: BatchJournal, after: BatchJournal) -> Audit:
    """Hold the journal against itself, which is all there is where nothing was ever submitted."""
    untrue = untrue_records(read_history(before.history()), before.records(), after.records())
    return Audit(scope=scope, untrue=_named(untrue, before.records()))


def _named(untrue: Mapping[JobKey, str], records: Mapping[JobKey, Record]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (record.job.id if (record := records.get(key)) and record.job else str(key), text)
        for key, text in untrue.items()
    )


class _Look:
    """One audit's look at the service, and what could not be read of it."""

    def __init__(self, generator: Generator, file: JournalFile, scope: Scope) -> None:
        self._generator = generator
        self._file = file
        self._scope = scope
        self._finder = OrphanFinder(generator, SystemClock())

    async def audit(self, *, since: float) -> Audit:
        """List first and read the journal then: every row's intent is in it, whatever runs beside us.

        Args:
            since: seconds since the epoch, by our clock.
        """
        listing = await self._finder.list(since)
        before = self._file.batch(self._scope)
        history = read_history(before.history())
        journal = self._file.batch(self._scope)
        records = journal.records()
        orphans = await self._finder.find(listing, history, journal, records)
        return Audit(
            scope=self._scope,
            submissions=sum(len(record.submissions) for record in records.values()),
            listed=orphans.listed,
            surplus=orphans.surplus,
            others=orphans.others,
            changed=await self._changed(history, listing.rows.values(), records),
            sums=sum_up(records.values(), listing.rows, (one.row for one in orphans.surplus)),
            untrue=_named(untrue_records(history, before.records(), records), records),
            troubles=tuple(self._finder.troubles),
        )

    async def _changed(
        self, history: BatchHistory, rows: Iterable[RemoteJob], records: Mapping[JobKey, Record]
    ) -> tuple[Changed, ...]:
        """Ask after each row that shows another end: a listing may be behind, the job itself is not."""
        jobs = {one.remote_id: record.job for record in records.values() for one in record.submissions}
        changed = []
        for row in ended_otherwise(history, rows):
            try:
                shown = await self._generator.job(row.remote_id)
            except StoppedError:
                raise
            except ServiceError as error:
                self._finder.troubles.append(f"{row.remote_id}: could not be asked after: {error}")
                continue
            job = jobs.get(row.remote_id)
            if job is not None and ended_otherwise(history, (shown,)):
                recorded = str(history.ends[row.remote_id])
                changed.append(Changed(job=job, remote_id=row.remote_id, recorded=recorded, shown=shown.word))
        return tuple(changed)
