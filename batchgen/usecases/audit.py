"""Holding a batch's journal against the service and against the disk.

Reads, and writes nothing to the journal whatever it finds; ``--fix`` alone changes the disk,
under the batch's lock, and keeps in ``earlier/`` what has another one's place.
What a finding is gets decided in ``reconcile.audit``.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from batchgen.errors import ServiceError, StoppedError
from batchgen.journal.batch import BatchJournal
from batchgen.journal.opened import OpenJournal
from batchgen.lifecycle import AssetsGone, Collected, Record
from batchgen.manifest.values import Manifest
from batchgen.model import File, Job, JobKey, Purchase, RemoteJob, Scope
from batchgen.notes import OutputsGrew
from batchgen.output.repair import Damage, Damaged, damaged_among, fetch_again, files_of
from batchgen.planning.yields import is_young
from batchgen.ports import Generator
from batchgen.reconcile.audit import (
    BatchHistory,
    Situation,
    Surplus,
    beginning,
    dearer,
    ended_otherwise,
    read_history,
    sum_up,
    untrue_records,
)
from batchgen.reconcile.look_back import BLIND
from batchgen.reconcile.orphans import MISSING, OrphanFinder
from batchgen.record import DONE
from batchgen.usecases.arranging import Arranger, look
from batchgen.usecases.chains import outdated_children
from batchgen.usecases.findings import Audit, Changed, Dearer, LeftOut, Open, Short, asked_of
from batchgen.usecases.guards import refuse_wrong_words
from batchgen.wiring.batch import Batch, scope_of
from batchgen.wiring.options import Options, project_of, rate_of
from batchgen.wiring.outputs import open_downloads_beside
from batchgen.wiring.service import open_service

T = TypeVar("T")

MARGIN = 600.0  # seconds that the listing reaches back before the batch's first submission


async def audit_batch(
    options: Options, manifest: Manifest, file: OpenJournal, *, now: float, fix: bool, offline: bool
) -> Audit:
    """Check journal, service and disk against each other; a run beside it is not disturbed.

    Args:
        options: which batch, and where.
        manifest: of the batch.
        file: the journal; open to write, and the batch held, where something is to be fixed.
        now: seconds since the epoch.
        fix: fetch again what is missing or damaged, and record assets that came later.
        offline: hold the journal against itself and the disk alone, and ask the service nothing.

    Raises:
        JournalError, OutputError: the disk is at fault.
        StoppedError: the service does not let us look.
    """
    scope = scope_of(options, manifest, file, now=now)
    part = _part_of(options, manifest, scope, file)
    project = project_of(options, manifest.project)
    purchases = _purchases_without_a_job(options, file.batch(scope), scope, project)
    began_at = beginning(file.batch(scope).history()) if scope in file.scopes() else None
    if began_at is None and not options.journal.exists():
        return Audit(scope=scope, purchases=purchases)
    if offline:
        told = _of_the_journal(scope, file.batch(scope), file.batch(scope), part)
        told = await _with_files(told, options, manifest, file, part)
        order = await _order_of(options, manifest, scope, file, part, fix=False)
        return replace(told, purchases=purchases, **order)
    # where nothing was submitted, a question for a price may have been taken for an order
    since = now - BLIND if began_at is None else began_at - MARGIN
    look = _Look(options, file, scope, project, part)
    try:
        return await look.at_all(manifest, since=since, bought=purchases, fix=fix)
    except StoppedError as error:
        if began_at is not None:
            raise
        # nothing is known to be there: what the journal says is told all the same
        told = _of_the_journal(scope, file.batch(scope), file.batch(scope), part)
        trouble = f"the service could not be looked through: {error}"
        return replace(told, purchases=purchases, troubles=(trouble,))


class _Part:
    """The jobs that are looked at: all, or those that a person selects.

    Args:
        keys: of those that are selected; None for all.
    """

    def __init__(self, keys: frozenset[JobKey] | None) -> None:
        self._keys = keys

    @property
    def is_all(self) -> bool:
        """Whether no job is left out."""
        return self._keys is None

    def has(self, key: JobKey) -> bool:
        """Return whether a job is looked at."""
        return self._keys is None or key in self._keys

    def of(self, found: Mapping[JobKey, T]) -> Mapping[JobKey, T]:
        """Return what is said of these jobs."""
        if self._keys is None:
            return found
        return {key: one for key, one in found.items() if key in self._keys}

    def left_out(self, records: Mapping[JobKey, Record]) -> LeftOut | None:
        """Return what is not looked at; None where everything is."""
        if self._keys is None:
            return None
        rest = [record for key, record in records.items() if key not in self._keys]
        return LeftOut(jobs=len(rest), submissions=sum(len(one.submissions) for one in rest))


def _part_of(options: Options, manifest: Manifest, scope: Scope, file: OpenJournal) -> _Part:
    """Return the jobs that are meant.

    Raises:
        InputError: words that select jobs mean none.
    """
    if not options.selection:
        return _Part(None)
    batch = Batch.of(options, manifest, scope, file)
    refuse_wrong_words(batch)
    shown = batch.plan.shown
    return _Part(frozenset(one.key for one in shown.carried))


def _of_the_journal(scope: Scope, before: BatchJournal, after: BatchJournal, part: _Part) -> Audit:
    """Check the journal against itself, which is all there is without a service."""
    records = before.records()
    untrue = part.of(untrue_records(read_history(before.history()), records, after.records()))
    return Audit(scope=scope, untrue=_named(untrue, records), left_out=part.left_out(records))


async def _with_files(
    audit: Audit, options: Options, manifest: Manifest, file: OpenJournal, part: _Part
) -> Audit:
    """Add what the journal alone says is open, and whether its files are on the disk as recorded."""
    records = part.of(file.batch(audit.scope).records())
    files, damaged = await _damaged(options, manifest, audit.scope, file, records)
    return replace(
        audit,
        submissions=sum(len(record.submissions) for record in records.values()),
        open=tuple(_open_of(records, ())),
        files=len(files),
        damaged=tuple(damaged),
    )


async def _damaged(
    options: Options,
    manifest: Manifest,
    scope: Scope,
    file: OpenJournal,
    records: Mapping[JobKey, Record],
) -> tuple[list[tuple[Job, File]], list[Damaged]]:
    """Return all files on record, and those that are wanted and are not on the disk as recorded."""
    files, folder = files_of(records.values()), options.output / manifest.batch
    found = await asyncio.to_thread(damaged_among, files, folder, gone=_gone_of(records.values()))
    if not (found and manifest.output.only_last):
        return files, found
    left = Batch.of(options, manifest, scope, file).left_at_service
    return files, [one for one in found if one.found is not Damage.MISSING or one.file.asset_id not in left]


async def _order_of(
    options: Options, manifest: Manifest, scope: Scope, file: OpenJournal, part: _Part, *, fix: bool
) -> dict[str, Any]:
    """Say which files cannot have their names, and give them those where that is asked for, of all jobs.

    Files change names with each other: where some jobs are selected no file gets another one.

    Raises:
        JournalError, OutputError: the disk is at fault.
    """
    batch = Batch.of(options, manifest, scope, file)
    if not (fix and part.is_all):
        blocked = (await asyncio.to_thread(look, batch)).blocked
        outdated = tuple(one for one in outdated_children(options, batch) if part.has(one.child.key))
        ids = {one.job.id for one in batch.plan.entries if part.has(one.key)}
        named = tuple(one for one in blocked if part.is_all or one.job_id in ids)
        return {"blocked": named, "outdated": outdated}
    arranger = Arranger(batch, file)
    await arranger.finish()
    done = await Arranger(Batch.of(options, manifest, scope, file), file).arrange(force=True)
    outdated = tuple(outdated_children(options, batch))
    return {"blocked": done.blocked, "moved": str(done), "outdated": outdated}


def _gone_of(records: Iterable[Record]) -> frozenset[str]:
    return frozenset(asset_id for record in records for asset_id in record.gone)


def _purchases_without_a_job(
    options: Options, journal: BatchJournal, scope: Scope, project: str
) -> tuple[Purchase, ...]:
    """Return what questions bought in this project, whatever the batch, and no record has or disowned."""
    known = [
        one
        for one in options.journal.purchases(origin=scope.origin).known()
        if one.project in {scope.project, project}
    ]
    owned = journal.holders([one.remote_id for one in known])
    return tuple(one for one in known if one.remote_id not in owned)


def _named(untrue: Mapping[JobKey, str], records: Mapping[JobKey, Record]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (record.job.id if (record := records.get(key)) and record.job else str(key), text)
        for key, text in untrue.items()
    )


def _open_of(records: Mapping[JobKey, Record], surplus: Iterable[Surplus]) -> Iterator[Open]:
    """Return what waits for a person or for a run, but for what a row is named for as due."""
    due = {one.sent.key for one in surplus if one.situation is Situation.DUE}
    for key, record in records.items():
        if record.state in MISSING and key not in due and record.job is not None:
            yield Open(key=key, job=record.job, state=record.state, reason=record.error)


class _Look:
    """One audit's look at the service, and what could not be read of it."""

    def __init__(self, options: Options, file: OpenJournal, scope: Scope, project: str, part: _Part) -> None:
        self._part = part
        self._options = options
        self._file = file
        self._scope = scope
        self._project = project

    async def at_all(
        self, manifest: Manifest, *, since: float, bought: Sequence[Purchase], fix: bool
    ) -> Audit:
        """Look at the service, the journal and the disk, and mend what can be mended."""
        options, folder = self._options, self._options.output / manifest.batch
        rate = rate_of(options, manifest.limits.rate)
        async with open_service(options, project=self._project, rate=manifest.limits.rate) as service:
            client = service.client
            self._generator: Generator = client
            self._finder = OrphanFinder(client, options.clock)
            audit = await self.audit(since=since, jobs=manifest.jobs, bought=bought)
            if fix:
                audit = replace(audit, short=self.take_in(audit.short))
            records = self._part.of(self._file.batch(self._scope).records())
            files, damaged = await _damaged(options, manifest, self._scope, self._file, records)
            if fix and damaged:
                open_downloads = partial(open_downloads_beside, client, rate=rate)
                home = Batch.of(options, manifest, self._scope, self._file).home
                damaged = await fetch_again(damaged, folder, open_downloads, home=home)
                self.record_what_is_back(damaged)
            order = await _order_of(options, manifest, self._scope, self._file, self._part, fix=fix)
            return replace(audit, files=len(files), damaged=tuple(damaged), purchases=tuple(bought), **order)

    async def audit(self, *, since: float, jobs: Iterable[Job], bought: Sequence[Purchase]) -> Audit:
        """List first and read the journal then: every row's intent is in it, whatever runs beside us.

        Args:
            since: seconds since the epoch, by our clock.
            jobs: as the manifest says them now.
            bought: by questions for a price, of no record.
        """
        listing = await self._finder.list(since)
        before = self._file.batch(self._scope)
        history = read_history(before.history())
        journal = self._file.batch(self._scope)
        records = journal.records()
        orphans = await self._finder.find(
            listing,
            history,
            journal,
            records,
            asked=asked_of(history, jobs),
            known=[one.remote_id for one in bought],
            scope=self._scope,
        )
        everything, records = records, self._part.of(records)
        return Audit(
            scope=self._scope,
            left_out=self._part.left_out(everything),
            submissions=sum(len(record.submissions) for record in records.values()),
            listed=orphans.listed,
            surplus=orphans.surplus,
            doubtful=orphans.doubtful,
            others=orphans.others,
            unreadable=orphans.unreadable,
            open=tuple(_open_of(records, orphans.surplus)),
            short=tuple(await self._short(records, listing.rows)),
            dearer=tuple(
                Dearer(job=record.job, paid=paid, shown=listing.rows[paid.remote_id].cost)
                for record, paid in dearer(records.values(), listing.rows)
                if record.job is not None
            ),
            changed=await self._changed(history, listing.rows.values(), records),
            sums=sum_up(
                records.values(),
                listing.rows,
                (one.row for one in orphans.surplus),
                possible=(one.row for one in orphans.doubtful),
                asked=(one.charged for one in bought),
            ),
            untrue=_named(self._part.of(untrue_records(history, before.records(), everything)), everything),
            troubles=tuple(self._finder.troubles),
        )

    async def _short(self, records: Mapping[JobKey, Record], rows: Mapping[str, RemoteJob]) -> list[Short]:
        """Ask after each success that is short; of the others their rows may show more."""
        now, found = self._options.clock.now(), []
        for key, record in records.items():
            if record.state not in DONE or record.job is None or record.remote_id is None:
                continue
            row = rows.get(record.remote_id)
            if record.is_short:
                row = await self._asked_after(record.remote_id) or row
            shown = row.asset_ids if row is not None else ()
            if not record.is_short and set(shown) <= set(record.asset_ids):
                continue
            found.append(
                Short(
                    key=key,
                    job=record.job,
                    remote_id=record.remote_id,
                    assets=len(record.asset_ids),
                    expected=record.expected,
                    new=tuple(one for one in shown if one not in record.asset_ids),
                    shown=shown,
                    young=is_young(record, now=now),
                )
            )
        return found

    async def _asked_after(self, remote_id: str) -> RemoteJob | None:
        try:
            return await self._generator.job(remote_id)
        except StoppedError:
            raise
        except ServiceError as error:
            self._finder.troubles.append(f"{remote_id}: could not be asked after: {error}")
            return None

    def take_in(self, short: Iterable[Short]) -> tuple[Short, ...]:
        """Record the assets that came later: the next run fetches them."""
        journal, at = self._file.batch(self._scope), self._options.clock.now()
        after = []
        for one in short:
            if one.new:
                journal.append(one.key, OutputsGrew(at=at, remote_id=one.remote_id, asset_ids=one.shown))
            after.append(replace(one, recorded=bool(one.new)))
        return tuple(after)

    def record_what_is_back(self, damaged: Iterable[Damaged]) -> None:
        """Record that files are there again which were taken for gone for good."""
        journal, at = self._file.batch(self._scope), self._options.clock.now()
        back = {one.file.asset_id for one in damaged if one.gone and one.fixed}
        for key, record in journal.records().items():
            if back.intersection(record.gone):
                lost = tuple(one for one in record.gone if one not in back)
                again = [AssetsGone(at=at, asset_ids=lost)] if lost else []
                journal.append(key, Collected(at=at, files=record.files), *again)

    async def _changed(
        self, history: BatchHistory, rows: Iterable[RemoteJob], records: Mapping[JobKey, Record]
    ) -> tuple[Changed, ...]:
        """Ask after each row that shows another end: a listing may be behind, the job itself is not."""
        jobs = {one.remote_id: record.job for record in records.values() for one in record.submissions}
        changed = []
        for row in ended_otherwise(history, rows):
            job = jobs.get(row.remote_id)
            shown = await self._asked_after(row.remote_id) if job is not None else None
            if job is not None and shown is not None and ended_otherwise(history, (shown,)):
                recorded = str(history.ends[row.remote_id])
                changed.append(Changed(job=job, remote_id=row.remote_id, recorded=recorded, shown=shown.word))
        return tuple(changed)
