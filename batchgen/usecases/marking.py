"""Marking what came out: kept, rejected, and a note. Asks no service, and disturbs no run that goes on."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from batchgen.errors import BatchLockedError, InputError
from batchgen.lifecycle import Record
from batchgen.manifest.source.problems import Problems, meant
from batchgen.model import Scope
from batchgen.output.latest import show_latest
from batchgen.output.results import JSON_NAME
from batchgen.planning.conditions import Word, is_asset
from batchgen.planning.marks import Mark, Wanted
from batchgen.planning.selection import JobSelection, selected
from batchgen.planning.stages import stage_of
from batchgen.usecases.guards import refuse_a_lost_journal, refuse_an_older_journal
from batchgen.usecases.other_slots import write_all
from batchgen.usecases.page import nothing_on_record, records_elsewhere, results_as_of_now
from batchgen.wiring.batch import is_of_the_past
from batchgen.wiring.mark_lists import Said, read_marks
from batchgen.wiring.opening import OpenBatch, look_at
from batchgen.wiring.options import Options
from batchgen.wiring.places import refuse_a_copied_journal

_LOOKS_AGAIN = 0.2  # seconds, while somebody who is no run has the batch
_PATIENCE = 150  # looks
_NAMED = 5  # assets that a message names


@dataclass(frozen=True, kw_only=True, slots=True)
class Marking:
    """What is to become of the marks.

    Attributes:
        mark: kept, rejected or none; None where a note alone is changed, or a file says it.
        note: None where it stays.
        asset: which of a job's assets is meant, from 0; None for all.
        file: that says which assets get which marks; None where the options select the jobs.
    """

    mark: str | None = None
    note: str | None = None
    asset: int | None = None
    file: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MarksMade:
    """What a command has done.

    Attributes:
        batch, slot: whose assets they are.
        kept, rejected: how many assets got this mark that did not have it.
        noted: how many got another note alone.
        removed: how many lost their mark.
        same: how many were as was wanted.
        earlier: how many of those that got a mark are of what jobs had before what they have now.
        results: the file that has them by now; None where it was not written.
        by_run: whether a run that goes on writes it.
    """

    batch: str
    slot: str
    kept: int
    rejected: int
    noted: int
    removed: int
    same: int
    earlier: int
    results: Path | None
    by_run: bool

    @property
    def changed(self) -> int:
        """How many assets have another mark or note than before."""
        return self.kept + self.rejected + self.noted + self.removed


async def mark_assets(options: Options, marking: Marking) -> MarksMade:
    """Write marks, all that the command says or none, and then the results with them.

    Args:
        options: which batch, and where, with the words that select jobs.
        marking: what is to become of the marks.

    Raises:
        InputError: the manifest or a file of marks is wrong, words mean no job, or a job has no asset;
            nothing was written.
        JournalError: the journal cannot be read or written; nothing was written.
        OutputError: the marks are written, and the results are as they were.
    """
    with _looked_at(options) as (opened, kept):
        refuse_a_copied_journal(options, opened.file, opened.batch.scope.batch)
        refuse_a_lost_journal(options, opened.file, opened.batch)
        refuse_an_older_journal(options, opened.file, opened.batch)
        if not opened.batch.journal.records():
            raise InputError(nothing_on_record(opened, "mark"))
        wanted = _of_a_file(opened, marking.file) if marking.file else _of_words(opened, options, marking)
        scope = opened.batch.scope
        current = {asset for one in opened.batch.plan.entries for asset in one.current.record.asset_ids}
    at = options.clock.now()
    change = options.journal.change_marks(scope, wanted, at=at)
    results, by_run = None, False
    if change.made or change.removed:
        results, by_run = await _write_results(options, scope, kept)
    return MarksMade(
        batch=scope.batch,
        slot=scope.slot,
        kept=change.count(Mark.KEPT),
        rejected=change.count(Mark.REJECTED),
        noted=len(change.noted),
        removed=len(change.removed),
        same=change.same,
        earlier=len(change.made.keys() - current),
        results=results,
        by_run=by_run,
    )


@contextmanager
def _looked_at(options: Options) -> Iterator[tuple[OpenBatch, Scope | None]]:
    """Look at all jobs of a batch, of a rehearsal where nothing else is on record; say whose those are."""
    whole = replace(options, selection=JobSelection())
    with look_at(whole) as opened:
        if (kept := records_elsewhere(opened)) is None:
            yield opened, None
            return
    with look_at(whole, kept=kept) as opened:
        yield opened, kept


async def _write_results(options: Options, scope: Scope, kept: Scope | None) -> tuple[Path | None, bool]:
    """Write the results anew, or leave it to the run that has the batch.

    Whoever else has it for a moment, as another command that marks, may not have seen these marks.

    Returns:
        The file, None where it was not written, and whether a run does it.
    """
    for _ in range(_PATIENCE):
        try:
            with options.journal.hold(scope.batch, stamp=options.clock.now()):
                return await asyncio.to_thread(_rewrite, options, kept), False
        except BatchLockedError:
            with options.journal.read() as file:
                alive = file.last_runs.alive(at=options.clock.now())
            if any(one.batch == scope.batch for one in alive):
                return None, scope in alive
        await asyncio.sleep(_LOOKS_AGAIN)
    return None, False


def _rewrite(options: Options, kept: Scope | None) -> Path | None:
    """Write results and page of a batch that is held; None where they are those of a later slot. Blocks."""
    with look_at(replace(options, selection=JobSelection()), kept=kept) as opened:
        batch = opened.batch
        if not batch.home and is_of_the_past(
            opened.options, batch.manifest, batch.scope, opened.file, now=opened.now
        ):
            return None
        write_all(batch.folder, results_as_of_now(opened))
        if batch.home:  # beside the latest slot's folder lies a copy of its results
            show_latest(batch.folder, batch.home, interrupted=True)
        return batch.folder / batch.home / JSON_NAME


def _of_words(opened: OpenBatch, options: Options, marking: Marking) -> list[Wanted]:
    """Return what is wanted of the assets of the jobs that are selected, and of those that are named.

    Raises:
        InputError: a word means nothing, or a job that is named by its id has nothing to mark.
    """
    batch = opened.batch
    words = options.selection
    spread = tuple(_spread(words.jobs))
    ids = {one.job.id for one in batch.plan.entries}
    assets = tuple(one for one in spread if is_asset(one.text) and one.text not in ids)
    others = tuple(one for one in spread if one not in assets)
    named = {one.text for one in assets}
    wanted: dict[str, Wanted] = {}
    wrong: list[str] = []
    for some in ([assets] if assets else []) + ([others] if others or not assets else []):
        places, bad = _selected(opened, replace(words, jobs=some), marking)
        wrong += bad
        for place in places:
            entry = batch.plan.entries[place]
            for asset in _meant(entry.current.record, marking, batch.marks):
                if some is not assets or asset in named:
                    wanted[asset] = Wanted(asset, marking.mark, marking.note)
    if wrong:
        raise InputError("\n".join(dict.fromkeys(wrong)))
    return list(wanted.values())


def _spread(words: Sequence[Word]) -> Iterator[Word]:
    """Return the words, those of a file in its place."""
    for word in words:
        listed = word.parts[0].listed if len(word.parts) == 1 else None
        yield from (word,) if listed is None else listed


def _selected(
    opened: OpenBatch, words: JobSelection, marking: Marking
) -> tuple[Sequence[int], Sequence[str]]:
    batch = opened.batch
    known = batch.known(now=opened.now)
    found = selected(words, known, unfit=lambda name: _unfit(opened, name, marking))
    return found.places, found.wrong


def _meant(record: Record, marking: Marking, marked: Collection[str]) -> Sequence[str]:
    """Return which assets of a job are to be marked."""
    assets = record.asset_ids
    if marking.asset is not None:
        assets = assets[marking.asset : marking.asset + 1]
    return [one for one in assets if marking.mark is not None or one in marked]


def _unfit(opened: OpenBatch, name: str, marking: Marking) -> str | None:
    """Return why a job has nothing to mark; None where it has."""
    record = opened.batch.plan.by_id[name].current.record
    assets = record.asset_ids
    if not assets:
        return (
            f"{name!r} has no asset that could be marked: it is {stage_of(record)}; "
            f"see `{opened.options.command_line('status', name)}`"
        )
    if marking.asset is not None and marking.asset >= len(assets):
        there = "one asset, 0" if len(assets) == 1 else f"the assets 0 to {len(assets) - 1}"
        return f"{name!r} has {there}, and none {marking.asset}"
    if not _meant(record, marking, opened.batch.marks):
        return f"{name!r} has no mark that a note could go with: write kept or rejected, and the note"
    return None


def _of_a_file(opened: OpenBatch, path: Path) -> list[Wanted]:
    """Return what a file of marks wants; of an asset its own row says more than one of its job.

    Raises:
        InputError: every problem in it.
    """
    batch = opened.batch
    problems = Problems(str(path))
    said = read_marks(path, batch.manifest.batch, problems)
    there = {asset for record in batch.journal.records().values() for asset in record.asset_ids}
    elsewhere = _owners_elsewhere(opened, {one.asset_id for one in said if one.asset_id} - there)
    of_jobs, of_assets = dict[str, Said](), dict[str, Said]()
    owners = {asset: one.job.id for one in batch.plan.carried for asset in one.record.asset_ids}
    for one in said:
        owner = owners.get(one.asset_id, one.job)
        if one.asset_id and one.job in batch.plan.by_id and owner != one.job:
            # as in a sheet of which one column alone was sorted
            problems.add(one.place, f"{one.asset_id} is of {owner!r}, and this row says {one.job!r}")
            continue
        if one.asset_id and one.asset_id not in there:
            problems.add(one.place, _unknown_asset(opened, one.asset_id, elsewhere))
            continue
        assets: Sequence[str] = (one.asset_id,) if one.asset_id else _assets_of(opened, one, problems)
        into = of_assets if one.asset_id else of_jobs
        for asset in assets:
            before = into.setdefault(asset, one)
            if (before.mark, before.note) != (one.mark, one.note):
                text = f"says something else of {one.asset_id or one.job} than line {before.place.line}"
                problems.add(one.place, text)
    wanted = {**of_jobs, **of_assets}
    for asset, one in wanted.items():
        if one.mark is None and asset not in batch.marks:
            problems.add(one.place, f"a note goes with a mark, and {asset} has none: write kept or rejected")
    problems.raise_any()
    return [Wanted(asset, one.mark, one.note) for asset, one in wanted.items()]


def _assets_of(opened: OpenBatch, one: Said, problems: Problems) -> Sequence[str]:
    """Return the assets of the job that a row is of, or note that it has none."""
    plan = opened.batch.plan
    entry = plan.by_id.get(one.job)
    if entry is None:
        problems.add(one.place, f"no job {one.job!r} in this manifest{meant(one.job, plan.by_id)}")
    elif not entry.current.record.asset_ids:
        text = f"{one.job!r} has no asset that could be marked: it is {stage_of(entry.record)}"
        problems.add(one.place, text)
    return () if entry is None else entry.current.record.asset_ids


def _owners_elsewhere(opened: OpenBatch, assets: Collection[str]) -> Mapping[str, Scope]:
    """Return to which other batches or slots of this journal some assets belong."""
    found: dict[str, Scope] = {}
    for scope in opened.file.scopes() if assets else ():
        if scope != opened.batch.scope:
            for record in opened.file.batch(scope).records().values():
                found.update((one, scope) for one in record.asset_ids if one in assets)
    return found


def _unknown_asset(opened: OpenBatch, asset: str, elsewhere: Mapping[str, Scope]) -> str:
    """Return whose an asset is that is none of the batch's."""
    here = _named(opened.batch.scope)
    if asset in elsewhere:
        return f"{asset} is an asset of {_named(elsewhere[asset])}, not of {here}"
    return f"no job of {here} has an asset {asset!r}"


def _named(scope: Scope) -> str:
    return f"batch {scope.batch!r}{f', slot {scope.slot}' if scope.slot else ''}"
