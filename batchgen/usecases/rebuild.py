"""Rebuilding the journal of one batch from its results and the service. Never buys.

What the results say was submitted is asked after at the service, and recorded as if it had
just been lived through; what they do not say yet is looked for in one listing. Until all of
it is recorded a mark stands beside the batch's lock, and no run begins.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from batchgen.errors import ModelClosedError, NotFoundError, RefusedError
from batchgen.exits import Exit
from batchgen.model import File, Job, JobKey, Json, Model, RemoteJob, RemoteStatus
from batchgen.output.entries import Row, entry
from batchgen.output.saved_files import saved_in, saved_of
from batchgen.planning.marks import Wanted
from batchgen.planning.yields import kind_of
from batchgen.reconcile.listing import Listing, read_listing
from batchgen.reconcile.prompts import Prompts
from batchgen.reconcile.rebuild import Rebuilder, Rebuilt
from batchgen.reconcile.recall import Recalled, recall
from batchgen.reconcile.saved_editions import forgotten_among, told_apart
from batchgen.reconcile.saved_results import SavedJob, SavedResults, read_results
from batchgen.scenario.client import ScenarioClient
from batchgen.usecases.guards import take_in
from batchgen.usecases.rename_check import named_by_results
from batchgen.wiring.batch import Batch
from batchgen.wiring.opening import OpenBatch
from batchgen.wiring.options import Options
from batchgen.wiring.outputs import files_on_disk

MARGIN = 600.0  # seconds that the listing reaches back before the first submission that is told of
BLIND = 24 * 3600.0  # seconds that it reaches back where nothing is saved


@dataclass(frozen=True, kw_only=True, slots=True)
class StillLost:
    """A slot whose results tell of submissions, and of which the journal knows nothing.

    Attributes:
        batch, slot: whose.
        jobs: how many submissions its results tell of.
        command: what rebuilds it; empty where its results do not name a manifest.
    """

    batch: str
    slot: str
    jobs: int
    command: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovery:
    """What came back.

    Attributes:
        batch: its name.
        submitted: how many submissions the results tell of; None where there are no results.
        found: each job that was dealt with, or could not be, and how.
        slot: whose records came back; empty for a batch that does not repeat.
        others: what else of this journal is still lost.
        again: how many jobs were to be made again, of which no submission is known: that is forgotten.
        results: the files that have the results, those of another slot of a like name among them.
    """

    batch: str
    slot: str = ""
    others: tuple[StillLost, ...] = ()
    results: tuple[Path, ...] = ()
    submitted: int | None
    again: int = 0
    found: tuple[Rebuilt, ...] = field(default=())

    @property
    def exit(self) -> Exit:
        """Done, or a person has to look at what is held or not shown."""
        return Exit.DOUBT if any(one.needs_a_person for one in self.found) else Exit.DONE


async def recover_batch(opened: OpenBatch, client: ScenarioClient, saved: SavedResults | None) -> Recovery:
    """Record again what was bought, as far as the journal does not know it; twice is as good as once.

    Args:
        opened: the batch, with the slot that is to be rebuilt.
        client: of its project.
        saved: what the last run wrote; None where it wrote nothing.

    Raises:
        JournalError, OutputError: the disk is at fault.
        ServiceError: the service could not be asked; the same command goes on.
    """
    recoverer = Recoverer(opened.options, opened.batch, client)
    found = await recoverer.recover(saved.jobs if saved else ())
    _mark_again(opened, saved.marks if saved else ())
    for path in _results_of(opened):
        take_in(opened.file, opened.batch.scope, path, at=opened.options.clock.now())
    return Recovery(
        batch=opened.batch.manifest.batch,
        slot=opened.batch.scope.slot,
        submitted=None if saved is None else recoverer.told,
        again=recoverer.again,
        found=tuple(found),
        others=tuple(_still_lost(opened)),
        results=tuple(path for path in _results_of(opened) if path.is_file()),
    )


def _mark_again(opened: OpenBatch, saved: Sequence[Wanted]) -> None:
    """Write the marks that results tell of, where the journal has the asset and no mark on it.

    Raises:
        JournalError: the disk is at fault.
    """
    batch = opened.batch
    marked = batch.read_marks()
    there = {asset for record in batch.journal.records().values() for asset in record.asset_ids}
    wanted = [one for one in saved if one.asset_id in there and one.asset_id not in marked]
    if wanted:
        opened.options.journal.change_marks(batch.scope, wanted, at=opened.options.clock.now())


def _results_of(opened: OpenBatch) -> list[Path]:
    return saved_of(opened.batch.folder, opened.batch.scope.slot)


def _still_lost(opened: OpenBatch) -> Iterator[StillLost]:
    """Find other batches and slots that need the same: who has lost one has mostly lost all.

    What cannot be read is passed over: it stops a run of its own batch, with what to do.
    """
    options, own = opened.options, (opened.batch.scope.batch, opened.batch.scope.slot)
    known = {(one.batch, one.slot) for one in opened.file.scopes()} | {own}
    paths = (path for folder in sorted(options.output.glob("*/")) for path in saved_in(folder))
    for path in paths:
        batch = path.relative_to(options.output).parts[0]
        try:
            saved = read_results(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        jobs = sum(one.was_submitted for one in saved.jobs)
        if not jobs or (batch, saved.slot) in known:
            continue
        known.add((batch, saved.slot))
        manifest = next(iter(named_by_results(path)), "")
        there = replace(options, manifest=Path(manifest), slot=None)
        command = there.command_line("journal rebuild", slot=saved.slot or None) if manifest else ""
        yield StillLost(batch=batch, slot=saved.slot, jobs=jobs, command=command)


class Recoverer:
    """One recovery: everything that can be asked first is, and only then is anything recorded."""

    def __init__(self, options: Options, batch: Batch, client: ScenarioClient) -> None:
        self._options = options
        self._batch = batch
        self._client = client
        self._clock = options.clock
        self.told = 0  # submissions
        self.again = 0  # jobs that were to be made again, of which no submission is known

    async def recover(self, saved: Sequence[SavedJob]) -> list[Rebuilt]:
        """Ask, then record, and say of each job what was found.

        Raises:
            ServiceError: the service could not be asked.
            JournalError, OutputError: the disk is at fault.
        """
        dates = [one.submitted_at for one in saved if one.submitted_at is not None]
        since = min(dates) - MARGIN if dates else self._clock.now() - BLIND
        listing = await self._list(since)
        models = await self._models(saved)
        rows = await self._editions(saved, listing)
        apart = told_apart(saved, rows, skew=listing.skew)
        self.told = sum(each.was_submitted for one in apart for each in (one, *one.others))
        recalled = recall(
            apart,
            jobs=self._batch.whole.jobs,
            records=self._batch.journal.records(),
            scope=self._batch.scope,
            models=models,
            shown=_shown,
        )
        self.again = sum(one.asks_again for one in saved) + forgotten_among(apart, recalled)
        looks = await self._look_at(recalled, replace(listing, rows={**listing.rows, **rows}))
        files = await asyncio.to_thread(self._on_disk, recalled, looks)
        rebuilder = Rebuilder(
            scope=self._batch.scope,
            jobs=self._batch.whole.jobs,
            journal=self._batch.journal,
            prompts=Prompts(self._client),
            listing=listing,
            models=models,
            since=since,
            at=self._clock.now(),
        )
        with self._options.journal.rebuilding(self._batch.manifest.batch):
            held = rebuilder.held_before()
            found = [await rebuilder.record(one, looks, files.get(one.key)) for one in recalled]
            rebuilder.put_in_order(recalled)
            found += [one for one in held if one.id not in {each.id for each in found}]
            return [*found, *await rebuilder.take_in_the_rest()]

    async def _list(self, since: float) -> Listing:
        listing = await read_listing(self._client, since=since, clock=self._clock)
        if listing.broken is not None:
            raise listing.broken
        return listing

    async def _models(self, saved: Sequence[SavedJob]) -> dict[str, Model]:
        """Describe the models; one that is gone derives no seed, and its jobs are not recognised by it."""
        wanted = [job.model for job in self._batch.whole.jobs]
        wanted += [one.model for one in saved if one.was_submitted]
        models = {}
        for model_id in dict.fromkeys(wanted):
            try:
                models[model_id] = await self._client.model(model_id)
            except (NotFoundError, ModelClosedError, RefusedError):
                continue
        return models

    async def _editions(self, saved: Sequence[SavedJob], listing: Listing) -> dict[str, RemoteJob]:
        """Look at what jobs had beside their own: its row tells which job it was of, and what went in."""
        rows = {}
        for remote_id in {one.remote_id: None for job in saved for one in job.others if one.remote_id}:
            try:
                rows[remote_id] = listing.rows.get(remote_id) or await self._client.job(remote_id)
            except NotFoundError:
                continue
        return rows

    async def _look_at(self, recalled: Sequence[Recalled], listing: Listing) -> dict[str, RemoteJob]:
        """Look at every submission that is told of; those that the service does not show are left out."""
        looks = {}
        for one in recalled:
            remote_id = one.saved.remote_id
            if one.known or remote_id is None:
                continue
            row = listing.rows.get(remote_id)
            if row is not None and self._tells_all(one, row):
                looks[remote_id] = row
                continue
            try:  # not in the listing, or behind on what came out
                looks[remote_id] = await self._client.job(remote_id)
            except NotFoundError:
                continue
        return looks

    def _tells_all(self, one: Recalled, row: RemoteJob) -> bool:
        """Return whether a row may be taken for the job itself: it may be behind on what came out."""
        asked = kind_of(one.job.model, one.body).asked
        return row.status is not RemoteStatus.SUCCEEDED or len(row.asset_ids) >= max(
            asked, len(one.saved.files)
        )

    def _on_disk(
        self, recalled: Sequence[Recalled], looks: Mapping[str, RemoteJob]
    ) -> dict[JobKey, tuple[File, ...]]:
        """Return the files of each job of which every asset is on disk as the results say; blocks."""
        shelf = files_on_disk(self._batch)
        whole = {}
        for one in recalled:
            remote = looks.get(one.saved.remote_id or "")
            if one.known or remote is None or not remote.asset_ids:
                continue
            named = {file.asset_id: file for file in one.saved.files}
            files = [named[each] for each in remote.asset_ids if each in named]
            if len(files) == len(remote.asset_ids) and all(shelf.holds(file) for file in files):
                whole[one.key] = tuple(files)
        return whole


def _shown(job: Job) -> Mapping[str, Json]:
    """Return the parameters of a job as results show them."""
    params: Mapping[str, Json] = entry(Row(job=job, key=JobKey("")))["params"]
    return params
