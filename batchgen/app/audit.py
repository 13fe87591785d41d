"""Holding a batch's journal against the service and against the disk.

Reads, and writes nothing to the journal whatever it finds; ``--fix`` alone changes the disk,
under the batch's lock, and replaces no file whose bytes are not what is on record without
keeping it. What a finding is gets decided in ``plan.auditing``.
"""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import count
from pathlib import Path

from batchgen.app.background import beside
from batchgen.app.batch import scope_of
from batchgen.app.clock import SystemClock
from batchgen.app.service import transport_to
from batchgen.app.settings import Options, rate_of
from batchgen.engine.ending import Exit, Verdict
from batchgen.engine.gate import RateGate
from batchgen.engine.likeness import Likeness, compare
from batchgen.engine.listing import read_listing
from batchgen.errors import DownloadError, OutputError, ServiceError, StoppedError
from batchgen.journal.lock import hold_batch
from batchgen.journal.store import BatchJournal, JournalFile
from batchgen.lifecycle import Record
from batchgen.manifest.reading import read_manifest
from batchgen.model import File, Job, JobKey, Rate, RemoteJob, Scope, Text
from batchgen.output.atomic import output_error, sync_folder
from batchgen.output.downloads import Downloader
from batchgen.plan.auditing import (
    Bodies,
    Sent,
    Situation,
    Story,
    Sums,
    Surplus,
    authors_of,
    beginning,
    ended_otherwise,
    find_surplus,
    is_ours,
    read_story,
    sum_up,
    untrue_records,
)
from batchgen.ports import Generator
from batchgen.scenario.client import ScenarioClient

MARGIN = 600.0  # seconds that the listing reaches back before the batch's first submission
URL_SPACING = 5  # turns of the gate between two calls for URLs: files asked for together share one


class Damage(StrEnum):
    """What is wrong with a file that is on record."""

    MISSING = "missing"
    SIZE = "another size"
    BYTES = "other bytes"
    UNREADABLE = "cannot be read"


@dataclass(frozen=True, kw_only=True, slots=True)
class Damaged:
    """A file that is not on the disk as it is on record.

    Attributes:
        job: whose it is.
        file: what is on record.
        found: what is wrong with it.
        fixed: whether it was fetched again and is there now.
        told: what was done about it; empty where nothing was tried.
    """

    job: Job
    file: File
    found: Damage
    fixed: bool = False
    told: str = ""


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
        listed: rows that the service listed; None where nothing was ever submitted and none was asked for.
        troubles: why the service could not be read to the end; empty if it was.
        surplus: rows of ours without a record that are equal to a job of ours.
        others: how many rows of ours belong to no record and are equal to nothing.
        changed: submissions whose end changed.
        files: how many are on record.
        damaged: those that are not on the disk as they are on record.
        sums: what was charged.
        untrue: jobs whose record is not what the history tells, by id, and how.
    """

    scope: Scope
    submissions: int = 0
    listed: int | None = None
    troubles: tuple[str, ...] = ()
    surplus: tuple[Surplus, ...] = ()
    others: int = 0
    changed: tuple[Changed, ...] = ()
    files: int = 0
    damaged: tuple[Damaged, ...] = ()
    sums: Sums = field(default_factory=Sums)
    untrue: tuple[tuple[str, str], ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The exit status and every reason there is for one."""
        broken = sum(not one.fixed for one in self.damaged)
        due = sum(one.situation is Situation.DUE for one in self.surplus)
        reasons = [
            (Exit.BUG, len(self.untrue), "{} of which record and history differ: keep a copy of the journal"),
            (Exit.DOUBT, len(self.surplus) - due, "{} likely paid twice or lost"),
            (Exit.DOUBT, len(self.changed), "{} ended otherwise than the journal says"),
            (Exit.REMAINS, due, "{} whose answer is due: the next run takes it in"),
            (Exit.REMAINS, broken, "{} missing or damaged"),
        ]
        nouns = ("job", "submission", "submission", "submission", "file")
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
    scope, folder = scope_of(options, manifest), options.output / manifest.batch
    rate = rate_of(options, manifest.limits.rate)
    gate = RateGate(rate)
    with (
        hold_batch(options.lock_of(manifest.batch), stamp=SystemClock().now()) if fix else nullcontext(),
        JournalFile.open_to_read(options.journal) as file,
    ):
        if scope not in file.scopes():
            return Audit(scope=scope)
        began_at = beginning(file.batch(scope).history())
        if began_at is None:
            return _of_the_journal(scope, file.batch(scope), file.batch(scope))
        async with transport_to(options) as transport, beside(gate.run(), name="gate"):
            client = ScenarioClient(transport, gate, project=scope.project)
            audit = await _Look(client, file, scope).audit(since=began_at - MARGIN)
            records = file.batch(scope).records().values()
            files = _files(records)
            damaged = await asyncio.to_thread(_damaged, files, folder)
            if fix and damaged:
                damaged = await _fix(damaged, client, folder, rate)
            return replace(audit, files=len(files), damaged=tuple(damaged))


def _of_the_journal(scope: Scope, before: BatchJournal, after: BatchJournal) -> Audit:
    """Hold the journal against itself, which is all there is where nothing was ever submitted."""
    untrue = untrue_records(read_story(before.history()), before.records(), after.records())
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
        self._texts: dict[str, Text] = {}
        self._troubles: list[str] = []

    async def audit(self, *, since: float) -> Audit:
        """List first and read the journal then: every row's intent is in it, whatever runs beside us.

        Args:
            since: seconds since the epoch, by our clock.
        """
        rows = {row.remote_id: row for row in await self._list(since)}
        before = self._file.batch(self._scope)
        story = read_story(before.history())
        journal = self._file.batch(self._scope)
        records = journal.records()
        owned, authors = set(journal.owned(list(rows))), authors_of(records.values())
        free = [row for row in rows.values() if row.remote_id not in owned and is_ours(row, authors)]
        surplus = find_surplus(free, await self._comparer(story, free), records)
        return Audit(
            scope=self._scope,
            submissions=sum(len(record.submissions) for record in records.values()),
            listed=len(rows),
            surplus=tuple(surplus),
            others=len(free) - len(surplus),
            changed=await self._changed(story, rows.values(), records),
            sums=sum_up(records.values(), rows, (one.row for one in surplus)),
            untrue=_named(untrue_records(story, before.records(), records), records),
            troubles=tuple(self._troubles),
        )

    async def _list(self, since: float) -> Sequence[RemoteJob]:
        listing = await read_listing(self._generator, since=since, clock=SystemClock())
        if listing.skew < -MARGIN / 2:  # its clock is behind: by its dates the batch began earlier
            listing = await read_listing(self._generator, since=since, clock=SystemClock(), skew=listing.skew)
        if listing.broken is not None:
            self._troubles.append(f"the listing broke off after {len(listing.rows)} rows: {listing.broken}")
        return listing.rows

    async def _comparer(
        self, story: Story, free: Iterable[RemoteJob]
    ) -> Callable[[RemoteJob], Sequence[Sent]]:
        """Fetch the prompts that a comparison of these rows needs, and give what compares."""
        bodies = Bodies(story.sent)

        def equals(row: RemoteJob, wanted: Likeness = Likeness.MATCH) -> Sequence[Sent]:
            like = bodies.like(row)
            return [one for one in like if compare(one.body, one.job.model, row, self._texts) is wanted]

        for row in free:
            if equals(row, Likeness.UNREAD):
                await self._read_prompt(row)
        return equals

    async def _read_prompt(self, row: RemoteJob) -> None:
        prompt = str((row.inputs or {}).get("prompt"))
        try:
            text = await self._generator.text(prompt)
        except StoppedError:
            raise
        except ServiceError as error:
            self._troubles.append(f"{row.remote_id}: its prompt could not be read: {error}")
            return
        if text is None:
            self._troubles.append(f"{row.remote_id}: the service does not show its prompt {prompt}")
        else:
            self._texts[prompt] = text

    async def _changed(
        self, story: Story, rows: Iterable[RemoteJob], records: Mapping[JobKey, Record]
    ) -> tuple[Changed, ...]:
        """Ask after each row that shows another end: a listing may be behind, the job itself is not."""
        jobs = {one.remote_id: record.job for record in records.values() for one in record.submissions}
        changed = []
        for row in ended_otherwise(story, rows):
            try:
                shown = await self._generator.job(row.remote_id)
            except StoppedError:
                raise
            except ServiceError as error:
                self._troubles.append(f"{row.remote_id}: could not be asked after: {error}")
                continue
            job = jobs.get(row.remote_id)
            if job is not None and ended_otherwise(story, (shown,)):
                recorded = str(story.ends[row.remote_id])
                changed.append(Changed(job=job, remote_id=row.remote_id, recorded=recorded, shown=shown.word))
        return tuple(changed)


def _files(records: Iterable[Record]) -> list[tuple[Job, File]]:
    """Give every file on record once: equal bytes of two jobs may share one."""
    known = [(one.job, file) for one in records if one.job is not None for file in one.files]
    return list({file.path: (job, file) for job, file in known}.values())


def _damaged(files: Iterable[tuple[Job, File]], folder: Path) -> list[Damaged]:
    """Read the files; blocks."""
    return [
        Damaged(job=job, file=file, found=found)
        for job, file in files
        if (found := _damage(folder / file.path, file)) is not None
    ]


def _damage(path: Path, file: File) -> Damage | None:
    try:
        if not path.is_file():
            return Damage.MISSING
        if path.stat().st_size != file.bytes:
            return Damage.SIZE
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return Damage.UNREADABLE
    return None if digest == file.sha256 else Damage.BYTES


async def _fix(
    damaged: Iterable[Damaged], client: ScenarioClient, folder: Path, rate: Rate | None
) -> list[Damaged]:
    """Fetch the files into a folder beside, and put those with the recorded bytes into their places.

    Raises:
        OutputError: the disk is at fault.
        StoppedError: the service does not let us ask for the URLs.
    """
    staging = folder / ".audit"
    spacing = URL_SPACING * rate.interval if rate else 0.0
    await asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True)  # what a killed audit left
    try:
        async with (
            Downloader(client, staging, template="{asset_id}", spacing=spacing) as downloader,
            asyncio.TaskGroup() as group,
        ):
            tasks = [
                group.create_task(_fetch(downloader, one, staging, folder), name=f"fix:{one.file.asset_id}")
                for one in damaged
            ]
    finally:
        await asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True)
    outcomes = [task.result() for task in tasks]
    fixed = []
    for one in outcomes:
        if not isinstance(one, Damaged):
            raise one
        fixed.append(one)
    return fixed


async def _fetch(
    downloader: Downloader, damaged: Damaged, staging: Path, folder: Path
) -> Damaged | StoppedError | OutputError:
    """Give an error as a value: one file's failure must not cut its neighbours short."""
    wanted = damaged.file
    try:
        (got,) = await downloader.collect(damaged.job, [wanted.asset_id])
        if (got.bytes, got.sha256) != (wanted.bytes, wanted.sha256):
            told = f"the service gives other bytes now ({got.bytes}, SHA-256 {got.sha256}); left as it is"
            return replace(damaged, told=told)
        told = await asyncio.to_thread(_put_back, staging / got.path, folder / wanted.path)
    except (StoppedError, OutputError) as error:
        return error
    except (DownloadError, ServiceError) as error:
        return replace(damaged, told=f"not fetched: {error}")
    return replace(damaged, fixed=True, told=told)


def _put_back(fetched: Path, place: Path) -> str:
    """Move a file to its place and say what became of the one that stood there.

    Raises:
        OutputError: both are where they were, or the older one is beside its place.
    """
    told = "fetched again"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(place):  # perhaps somebody's own work: what is there is never overwritten
            aside = _free_beside(place)
            place.rename(aside)
            told = f"fetched again; what was there is kept as {aside.name}"
        fetched.rename(place)
        sync_folder(place.parent)
    except OSError as error:
        raise output_error(place, error) from error
    return told


def _free_beside(place: Path) -> Path:
    numbered = (place.with_name(f"{place.name}.damaged{number or ''}") for number in count())
    return next(one for one in numbered if not os.path.lexists(one))
