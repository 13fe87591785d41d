"""Looking at some jobs of a batch, which words select: a manifest is read for them where there is one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from batchgen.errors import InputError
from batchgen.journal.last_runs import LastRun
from batchgen.lifecycle import Record
from batchgen.manifest.values import Manifest
from batchgen.model import JobKey
from batchgen.planning.chains import count_chains
from batchgen.planning.editions import Shelf
from batchgen.planning.marks import Marks
from batchgen.planning.selection import selected
from batchgen.usecases.status import BatchStatus, Part, sum_up
from batchgen.usecases.targets import batch_meant, manifest_meant
from batchgen.wiring.batch import Batch
from batchgen.wiring.job_facts import known_records
from batchgen.wiring.options import Options
from batchgen.wiring.reading import manifest_of


def status_of_some(options: Options) -> list[BatchStatus]:
    """Sum up some jobs of every slot of a batch that has any of them.

    Where the batch's name is given and its manifest cannot be read, what the journal says has to do.

    Args:
        options: with the batch, by its manifest or its name, and the words that select jobs.

    Raises:
        InputError: the words mean no job in any slot, or need a manifest that is not there.
        JournalError: the journal cannot be read.
    """
    batch, now = batch_meant(options), options.clock.now()
    manifest, why = _manifest_if_any(options)
    found: list[BatchStatus] = []
    wrong: Sequence[str] = ()
    with options.journal.read() as file:
        last, alive = file.last_runs.read(), file.last_runs.alive(at=now)
        for scope in file.scopes():
            if scope.batch != batch:
                continue
            if manifest is not None:
                part, bad = _of_the_plan(Batch.of(options, manifest, scope, file))
            else:
                records, ended = file.batch(scope).records(), last.get(scope)
                marks = file.asset_marks(scope).read()
                part, bad = _of_the_records(options, records, ended, why=why, now=now, marks=marks)
            if bad:
                wrong = bad
                continue
            folder, run, marks = options.output / batch, last.get(scope), file.asset_marks(scope).read()
            is_alive = scope in alive
            found.append(sum_up(scope, part.records, folder, run, alive=is_alive, marks=marks, part=part))
    if wrong and not found:
        raise InputError("\n".join(wrong))
    return found


def _manifest_if_any(options: Options) -> tuple[Manifest | None, str]:
    """Return the manifest of a batch, or why there is none for the name that was given."""
    if options.manifest.is_file():
        return manifest_of(options), ""
    try:
        return manifest_of(replace(options, manifest=manifest_meant(options))), ""
    except InputError as error:
        return None, f"it cannot be read: {error}"


def _of_the_plan(batch: Batch) -> tuple[Part, Sequence[str]]:
    records, plan, shown = batch.journal.records(), batch.plan, batch.plan.shown
    keys = {one.key for one in shown.carried}
    part = Part(
        records={key: record for key, record in records.items() if key in keys},
        removed=frozenset(one.key for one in shown.removed),
        jobs=len(shown.entries),
        of=len(plan.entries),
        chains=count_chains(shown),
    )
    return part, batch.wrong_words


def _of_the_records(
    options: Options,
    records: Mapping[JobKey, Record],
    last: LastRun | None,
    *,
    why: str,
    now: float,
    marks: Marks,
) -> tuple[Part, Sequence[str]]:
    known, keys = known_records(records, why=why, now=now, marks=marks)
    found = selected(options.selection, known)
    shelf = Shelf(records)
    meant = (one for place in found.places for one in shelf.of(keys[place]).all)
    chosen = {key: records[key] for key in meant if key in records}
    gone = last.removed if last is not None else frozenset()
    part = Part(records=chosen, removed=gone, jobs=None, of=len(records) if last is None else last.jobs)
    return part, found.wrong
