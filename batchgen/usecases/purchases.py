"""What is done when asking for a price bought something: it is put on record before anybody is told.

As the submission of the job whose price was asked, as long as nothing is recorded of that job: the
next run collects it. Else as a fact that an audit names. Either way the service is asked no more.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from batchgen.errors import (
    BatchLockedError,
    BoughtByQuoteError,
    JournalError,
    TransitionError,
)
from batchgen.journal.batch import BatchJournal
from batchgen.lifecycle import Accepted, Record, State, SubmitStarted
from batchgen.model import Job, Purchase
from batchgen.planning.plan import Entry
from batchgen.ports import Clock
from batchgen.wiring.batch import Batch
from batchgen.wiring.options import Options


class Purchases:
    """The questions of one plan that were taken for orders; implements ``questions.PurchaseBook``."""

    def __init__(self, options: Options, batch: Batch, *, writing: bool, clock: Clock | None = None) -> None:
        """Take the plan whose prices are asked.

        Args:
            options: where the journal is.
            batch: the plan.
            writing: whether this process holds the batch and its journal can be written.
            clock: for stamps.
        """
        self._options = options
        self._batch = batch
        self._writing = writing
        self._clock = clock or options.clock
        self._records = options.journal.purchases(origin=batch.scope.origin)

    def warning(self) -> str:
        """Return why no price may be asked; empty where one may be.

        Raises:
            JournalError: the journal cannot be read.
        """
        known = self._records.known()
        return f"is not asked: a price question has bought {known[-1].remote_id}" if known else ""

    def keep(self, job: Job, body: str, error: BoughtByQuoteError) -> BoughtByQuoteError:
        """Put on record what a question bought, and give the error that tells of it."""
        at = self._clock.now()
        purchase = Purchase(
            project=self._batch.project,
            remote_id=error.remote_id,
            model=job.model,
            job=job.id,
            charged=error.charged,
            at=at,
        )
        try:
            with self._journal() as journal:
                self._records.keep(purchase)
                kept = self._recorded(journal, job, body, error, at)
        except BatchLockedError:
            kept = self._kept_aside(purchase)
        except JournalError as trouble:
            kept = f"It could not be put on record, so note its id: {trouble}"
        return BoughtByQuoteError(error.remote_id, charged=error.charged, author=error.author, kept=kept)

    @contextmanager
    def _journal(self) -> Iterator[BatchJournal]:
        if self._writing:
            yield self._batch.journal
            return
        journal, batch = self._options.journal, self._batch.scope.batch
        with journal.hold(batch, stamp=self._clock.now()), journal.opened() as file:
            yield file.batch(self._batch.scope)

    def _kept_aside(self, purchase: Purchase) -> str:
        """Keep the fact alone: the records are those of the run that holds the batch."""
        try:
            self._options.journal.opened().close()  # brought up to date, if no run has done it
            self._records.keep(purchase)
        except JournalError as trouble:
            return f"It could not be put on record, so note its id: {trouble}"
        return _NAMED

    def _recorded(
        self, journal: BatchJournal, job: Job, body: str, error: BoughtByQuoteError, at: float
    ) -> str:
        accepted = Accepted(at=at, remote_id=error.remote_id, charged=error.charged, author=error.author)
        for entry in self._candidates(journal, job, body):
            attempt = journal.records().get(entry.key, Record()).attempt
            intent = SubmitStarted(at=at, job=entry.job, attempt=attempt, body=body, seed=_seed_of(job))
            try:
                journal.append(entry.key, intent, accepted)
            except TransitionError:
                continue
            return f"It is on record as the submission of {entry.job.id}, and the next run collects it"
        return _NAMED

    def _candidates(self, journal: BatchJournal, job: Job, body: str) -> Iterable[Entry]:
        """Return the job whose price was asked and its equals, as far as nothing was sent for them."""
        asked = next((one for one in self._batch.plan.entries if one.job is job), None)
        if asked is None:
            return
        for entry in (asked, *self._batch.plan.entries):
            record = journal.records().get(entry.key, Record())
            is_free = record.state is State.PLANNED and record.body in (None, body)
            if is_free and entry.key.content == asked.key.content:
                yield entry


_NAMED = "It belongs to no job; `batchgen audit` names it"


def _seed_of(job: Job) -> float | None:
    """Return the seed that the manifest asks for: none is derived for a question."""
    seed = job.params.get("seed")
    return seed if isinstance(seed, int | float) and not isinstance(seed, bool) else None
