"""What stands in for outputs that do not exist yet while prices are asked: like assets, and blank pictures.

A like asset is the newest that a job of the same model and size gave, in this batch or in another one of the
same origin and project. Blank files can be made of pictures alone: not of films, sounds, meshes and texts.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from batchgen.errors import JournalError
from batchgen.identity import Reference, is_file
from batchgen.model import Job, JobKey, Model, Scope
from batchgen.planning.expectations import Expectations, Newest
from batchgen.planning.pricing import Given
from batchgen.planning.stand_ins import Outputs
from batchgen.record import Record
from batchgen.wiring.batch import Batch
from batchgen.wiring.blanks import Blank, Known, picture_size
from batchgen.wiring.options import Options

_USUAL_SIZE = (1024, 1024)  # pixels of a picture whose size moves no price
_MOST_RECORDS = 50_000  # of other batches and slots: no more are looked through once so many were

Records = Mapping[JobKey, Record]


class StandIns:
    """Implements ``questions.StandIns``."""

    def __init__(
        self,
        outputs: Outputs,
        *,
        models: Mapping[str, Model],
        parents: Iterable[str],
        records: Records,
        others: Iterable[Records],
        known: Known,
        blank: Blank,
        files: Mapping[str, Path],
    ) -> None:
        """Take where assets may be found.

        Args:
            outputs: what is there, and what is expected.
            models: as the service describes them.
            parents: the models of the jobs whose outputs may be asked for.
            records: of the batch.
            others: the records of other batches and slots, the latest first; read as they are needed.
            known: gives the asset ids of contents that were sent, by SHA-256; others are left out.
            blank: gives the asset id of a blank picture of so many pixels; None where there is none.
            files: where the manifest's local files can be read, by SHA-256.
        """
        self._files = files
        self._known = known
        self._outputs = outputs
        self._models = models
        self._parents = frozenset(parents)
        self._records = records
        self._unread = iter(others)
        self._own: Newest | None = None
        self._read: list[Newest] = []
        self._left = _MOST_RECORDS
        self._blank = blank

    def given(self, reference: Reference) -> Sequence[Given]:
        """Return what of an output a price may depend on."""
        return self._outputs(reference)

    def bound(self, job: Job) -> Job:
        """Return a job with the outputs that are there."""
        return self._outputs.bound(job)

    def like(self, reference: Reference, *, everywhere: bool) -> str | None:
        """Return an asset at the service that is like an output; see ``questions.StandIns``."""
        expected = self._outputs.expectations.of(reference)
        if expected is None:
            return None
        if (kept := self._kept(reference)) is not None:
            return kept
        if (own := self._newest().find(expected)) is not None or not everywhere:
            return own
        found = (one.find(expected) for one in self._elsewhere())
        return next((one for one in found if one is not None), None)

    def _kept(self, reference: Reference) -> str | None:
        """Return the asset that the parent works on, where its output is as large as that."""
        value = self._outputs.kept_picture(reference)
        if is_file(value):
            return self._known([value["sha256"]]).get(value["sha256"])
        return value if isinstance(value, str) else None

    async def blank(self, reference: Reference, *, any_size: bool) -> str | None:
        """Return a blank asset of the kind and size of an output; see ``questions.StandIns``."""
        expected = self._outputs.expectations.of(reference)
        if expected is None or expected.kind != "image":
            return None
        size: tuple[int, int] | None = (expected.width, expected.height)
        if not (expected.width and expected.height):
            size = _USUAL_SIZE if any_size else await self._size_kept(reference)
        return None if size is None else await self._blank(*size)

    async def _size_kept(self, reference: Reference) -> tuple[int, int] | None:
        """Return the pixels of the local file that the parent works on, where its output is as large."""
        value = self._outputs.kept_picture(reference)
        path = self._files.get(value["sha256"]) if is_file(value) else None
        return None if path is None else await asyncio.to_thread(picture_size, path)

    def _newest(self) -> Newest:
        if self._own is None:
            self._own = Newest(self._records, self._outputs.expectations, self._parents)
        return self._own

    def _elsewhere(self) -> Iterator[Newest]:
        """Return the same of other batches and slots, which are read one by one as long as there are few."""
        yield from self._read
        while self._left > 0 and (records := next(self._unread, None)) is not None:
            self._left -= len(records)
            self._read.append(Newest(records, self._expectations(records), self._parents))
            yield self._read[-1]

    def _expectations(self, records: Records) -> Expectations:
        def parent(reference: Reference) -> Job | None:
            record = None if reference.key is None else records.get(reference.key)
            return None if record is None else record.job

        return Expectations(self._models, parent)


def stand_ins_of(
    batch: Batch, options: Options, models: Mapping[str, Model], known: Known, blank: Blank
) -> StandIns | None:
    """Return what stands in for the outputs of a batch; None where no job needs one.

    Args:
        batch: whose jobs they are.
        options: where the journal is.
        models: as the service describes them.
        known: gives the asset ids of contents that were sent, by SHA-256; others are left out.
        blank: gives the asset id of a blank picture of so many pixels; None where there is none.
    """
    step, parents = batch.plan.by_id, _parents(batch)
    if not parents:
        return None
    outputs = Outputs(models, step.get, batch.journal.records, now=batch.clock.now())
    return StandIns(
        outputs,
        models=models,
        parents=parents,
        records=batch.journal.records(),
        others=_others(batch, options),
        known=known,
        blank=blank,
        files=batch.manifest.files,
    )


def _parents(batch: Batch) -> frozenset[str]:
    """Return the models of the jobs whose outputs go into others."""
    entries = batch.plan.entries
    return frozenset(entries[place].job.model for place in batch.plan.lineage.children)


def _others(batch: Batch, options: Options) -> Iterator[Records]:
    """Return the records of other batches and slots of the same origin and project, the latest first."""
    scope, theirs = batch.scope, list[Scope]()
    with suppress(JournalError), options.journal.read() as file:
        theirs = [
            one
            for one in file.scopes()
            if one != scope and (one.origin, one.project) == (scope.origin, scope.project)
        ]
    for one in reversed(theirs):
        records: Records = {}
        with suppress(JournalError), options.journal.read() as file:
            records = dict(file.batch(one).records())
        yield records
