"""Looking at batches without touching them: no lock, no service, nothing written."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from batchgen.journal.last_runs import LastRun
from batchgen.journal.opened import OpenJournal
from batchgen.journal.store import JournalStore
from batchgen.lifecycle import Record, State
from batchgen.model import JobKey, Scope
from batchgen.output.missing_files import look_at_files, missing_among
from batchgen.output.results import JSON_NAME
from batchgen.output.saved_progress import saved_progress
from batchgen.planning.budget import Committed, committed
from batchgen.planning.chains import NO_CHAINS, ChainCount
from batchgen.planning.editions import Shelf
from batchgen.planning.marks import Mark, Marks, counted_marks
from batchgen.planning.slots import home_of
from batchgen.planning.stages import Stage, counted_stages, stage_of
from batchgen.wiring.options import Options
from batchgen.wiring.slots import slots_of


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchStatus:
    """Where the records of one scope stand.

    Attributes:
        scope: whose they are.
        states: how many records are in each state; states without one are left out.
        stages: how many jobs of the last run's manifest stand where.
        jobs: how many that manifest has, or of them are selected; None where no run has told.
        of: how many it has in all where some are selected.
        removed: how many records are of jobs that it does not have.
        failed: the jobs that failed, each with its reason.
        held: the jobs that wait for a person, each with the reason.
        last: how the last run went; None where no run has told.
        alive: whether a run is at work on it.
        quoted: compute units that the service had said all that was, or may have been, paid for would cost.
        committed: what was charged, is reserved, and came back.
        untold: how many charges the service has not told.
        files_missing: how many files that were collected are not on the disk any more.
        chains: how far the chains are, by the results that the last run has written.
        again: how many of the jobs are being made again.
        marks: how many of the jobs a person keeps, and how many are rejected.
    """

    scope: Scope
    states: Mapping[State, int]
    stages: Mapping[Stage, int]
    jobs: int | None = None
    of: int | None = None
    removed: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    held: tuple[tuple[str, str], ...] = ()
    last: LastRun | None = None
    alive: bool = False
    quoted: Decimal
    committed: Committed
    untold: int = 0
    files_missing: int = 0
    chains: ChainCount = NO_CHAINS
    again: int = 0
    marks: Mapping[Mark, int] = field(default_factory=dict)

    @property
    def charged(self) -> Decimal:
        """Compute units, as far as the service has said."""
        return self.committed.gross - self.committed.reserved

    @property
    def refunded(self) -> Decimal:
        """What came back of them, in whatever way that is known."""
        return self.committed.assumed + self.committed.confirmed


def status_of_all(journal: JournalStore, output: Path, *, now: float) -> list[BatchStatus]:
    """Sum up every batch of a journal, in the order of their first events.

    Args:
        journal: of all of them.
        output: the folder that has theirs.
        now: seconds since the epoch.

    Raises:
        JournalError: the journal cannot be read.
    """
    with journal.read() as file:
        last, alive = file.last_runs.read(), file.last_runs.alive(at=now)
        chains = chains_by_scope(file, output)
        return [
            sum_up(
                scope,
                file.batch(scope).records(),
                output / scope.batch,
                last.get(scope),
                alive=scope in alive,
                marks=file.asset_marks(scope).read(),
                chains=chains.get(scope, NO_CHAINS),
            )
            for scope in file.scopes()
        ]


def chains_in(options: Options, batch: str | None) -> Mapping[Scope, ChainCount]:
    """Return how far the chains of a journal's batches are; those without chains are left out.

    Args:
        options: where the journal is.
        batch: of this name alone; None for all.

    Raises:
        JournalError: the journal cannot be read.
    """
    with options.journal.read() as file:
        found = chains_by_scope(file, options.output)
    return {scope: one for scope, one in found.items() if one.chains and batch in (None, scope.batch)}


def chains_by_scope(file: OpenJournal, output: Path) -> Mapping[Scope, ChainCount]:
    """Return how far chains are by the results on the disk, which are those of the run that began last.

    Args:
        file: the journal.
        output: the folder with the results.

    Raises:
        JournalError: the journal cannot be read.
    """
    newest: dict[tuple[str, str], tuple[float, Scope]] = {}
    for scope, run in file.last_runs.read().items():
        name = (scope.batch, scope.slot)
        newest[name] = max(newest.get(name, (run.began_at, scope)), (run.began_at, scope), key=_began)
    return {
        scope: saved_progress(output / scope.batch / home_of(scope.slot, slots_of(file, scope)) / JSON_NAME)
        for _, scope in newest.values()
    }


def _began(one: tuple[float, Scope]) -> float:
    return one[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """The records of some jobs.

    Attributes:
        records: theirs.
        removed: which of them the manifest does not name.
        jobs: how many jobs of the manifest are meant; None where that is not known.
        of: how many there are in all.
        chains: how far theirs are.
    """

    records: Mapping[JobKey, Record]
    removed: frozenset[JobKey]
    jobs: int | None
    of: int
    chains: ChainCount = NO_CHAINS


def sum_up(
    scope: Scope,
    records: Mapping[JobKey, Record],
    folder: Path,
    last: LastRun | None,
    *,
    alive: bool,
    marks: Marks,
    part: Part | None = None,
    chains: ChainCount = NO_CHAINS,
) -> BatchStatus:
    """Sum up the records of one scope.

    Args:
        scope: whose they are.
        records: all of them, or those that are meant.
        folder: the batch's, with the files.
        last: how the last run went.
        alive: whether a run is at work on it.
        marks: what a person says of the assets.
        part: what is known of the jobs that are meant; None where all are.
        chains: how far they are, where all are meant.
    """
    gone = last.removed if last is not None else frozenset()
    jobs = None if last is None else last.jobs
    if part is not None:
        gone, jobs, chains = part.removed, part.jobs, part.chains
    shelf = Shelf(records)
    aside = gone | shelf.beside()
    current = {key: record for key, record in records.items() if key not in aside}
    again = [records.get(key, Record()) for key in shelf.wanted() if shelf.of(key).current not in gone]
    there, beside = list(current.values()), [one for key, one in records.items() if key in aside]
    stages = counted_stages(there, alive=alive)
    if jobs is not None:  # a job that nothing has happened to has no record
        stages[Stage.NOT_BOUGHT] += max(0, jobs - len(there))
    look = look_at_files(current, folder)
    vanished = sum(stage_of(current[key]) is Stage.DONE for key in look.lost)
    stages[Stage.DONE] -= vanished
    stages[Stage.FILES_MISSING] += vanished
    return BatchStatus(
        scope=scope,
        states=Counter(record.state for record in records.values()),
        stages=stages,
        jobs=None if jobs is None else max(jobs, len(there)),
        of=None if part is None else part.of,
        removed=len(gone & records.keys()),
        failed=tuple(_named(one) for one in (*there, *again) if stage_of(one) is Stage.FAILED),
        held=tuple(_named(one) for one in (*there, *again) if one.state is State.HELD),
        again=sum(stage_of(one) is not Stage.FAILED for one in again),
        last=last,
        alive=alive,
        quoted=sum((record.quoted_in_all or Decimal(0) for record in records.values()), Decimal(0)),
        committed=Committed.of_all(map(committed, records.values())),
        untold=sum(record.untold for record in records.values()),
        files_missing=look.missing + missing_among(beside, folder),
        chains=chains,
        marks=counted_marks(_own_assets(current), marks),
    )


def _own_assets(records: Mapping[JobKey, Record]) -> Iterator[Sequence[str]]:
    """Return the current assets of each job."""
    shelf = Shelf(records)
    for key in records:
        if not shelf.is_later(key) and (own := records.get(shelf.of(key).current)) is not None:
            yield own.asset_ids


def _named(record: Record) -> tuple[str, str]:
    return record.job.id if record.job is not None else "?", record.error
