"""A row that carries the seed which only this batch derives, where nothing has said yet who we are.

Its author may be another key that runs the same manifest, and so sends the same seeds. Then there
is more of that: rows with the seeds of jobs that were never sent from here. Where there is none,
and the row is the only one and is there to stay, it is the submission whose answer was lost.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from batchgen.identity import seed_for, seed_places
from batchgen.model import Job, JobKey, Model, RemoteJob, Scope
from batchgen.plan.plan import Entry
from batchgen.ports import Journal
from batchgen.reconcile.matching import seed_in
from batchgen.record import Record

_FEWEST_PLACES = 2**24  # of a seed that is nobody else's by chance
_AHEAD = 2  # attempts without an intent whose seeds are known


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """The attempt that a seed is derived for."""

    key: JobKey
    attempt: int


class BatchSeeds:
    """The seeds that a batch and slot derives for its jobs."""

    def __init__(
        self, *, scope: Scope, models: Mapping[str, Model], entries: Sequence[Entry], journal: Journal
    ) -> None:
        """Take what seeds follow from.

        Args:
            scope: of the run.
            models: of the jobs that may be submitted, by id.
            entries: all jobs of the batch.
            journal: of the scope.
        """
        self._scope = scope
        self._models = models
        self._entries = entries
        self._journal = journal
        self._places: dict[tuple[str, float], _Place] | None = None

    def is_telling(self, job: Job, record: Record) -> bool:
        """Say whether nobody but this batch, under whatever key, would have sent a job's seed."""
        model = self._models.get(job.model)
        declared = model.seed_input if model is not None else None
        if record.seed is None or declared is None or "seed" in job.params or not job.derive_seed:
            return False
        return seed_places(declared) >= _FEWEST_PLACES

    def has_strays(self, rows: Iterable[RemoteJob]) -> bool:
        """Say whether some row carries the seed of an attempt that was never sent from here."""
        seeds = ((str((row.inputs or {}).get("modelId")), seed_in(row.inputs or {})) for row in rows)
        return any(seed is not None and self._is_unsent(model, seed) for model, seed in seeds)

    def _is_unsent(self, model: str, seed: float) -> bool:
        if self._places is None:  # once in a run, and only where it matters: there may be many jobs
            self._places = dict(self._derived())
        place = self._places.get((model, seed))
        if place is None:
            return False
        record = self._journal.records().get(place.key, Record())
        return place.attempt >= _first_unsent(record)

    def _derived(self) -> Iterable[tuple[tuple[str, float], _Place]]:
        records = self._journal.records()
        for entry in self._entries:
            model = self._models.get(entry.job.model)
            if model is None or "seed" in entry.job.params:
                continue
            first = _first_unsent(records.get(entry.key, Record()))
            for attempt in range(first, first + _AHEAD):
                seed = seed_for(entry.job, model, self._scope, entry.key, attempt)
                if seed is not None:
                    yield (model.id, float(seed)), _Place(key=entry.key, attempt=attempt)


def _first_unsent(record: Record) -> int:
    return record.attempt + (record.body is not None)
